"""Text that is still being written, marks, and lines made ahead: what a game sees of them, over TCP."""

import dataclasses
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tone import ToneStage

from npc_engine.client import Client, ClientError
from npc_engine.moments import Outputs
from npc_engine.server.server import Server
from npc_engine.wire.messages import (
    Accepted,
    Cancelled,
    End,
    ErrorMessage,
    MarkAt,
    Moments,
    Pong,
    Warmed,
    Words,
)

TEXT = "one two three four five six seven eight nine ten eleven"


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


def serving(stage, **options):
    """A server whose threads must all be gone when it has stopped."""
    before = set(threading.enumerate())
    server = Server(stage, "tcp://127.0.0.1:*", **options)
    server.start()
    yield server
    server.stop()
    wait_for(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def server(stage):
    yield from serving(stage)


@pytest.fixture
def hasty(stage):
    """A server that waits a moment only for more of an open text."""
    yield from serving(stage, text_idle_s=0.1)


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        yield client


def wait_for(happened, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.002)


def drain(client, until, timeout_s=20.0):
    events = []
    end = time.monotonic() + timeout_s
    while not until(events):
        assert time.monotonic() < end, f"only {[type(e).__name__ for e in events]} came"
        events += client.poll(0.05)
    return events


def of(events, *kinds):
    return [e for e in events if isinstance(e, kinds)]


def over(events):
    return bool(of(events, End, Cancelled, ErrorMessage))


def sound(events):
    return np.concatenate([m.sound for m in of(events, Moments)])


def words(events):
    return [w for e in of(events, Words) for w in e.words]


# ── text as it comes ──────────────────────────────────────────────────────────────────────────────────────────────


def test_speaking_begins_before_the_text_is_complete(client):
    line = client.speak("ben", "", open=True, credit_ms=10_000)
    assert isinstance(drain(client, bool)[0], Accepted)
    client.append(line, "one two th")
    client.append(line, "ree four five s")
    events = drain(client, lambda events: sum(m.ticks for m in of(events, Moments)) == 25)
    assert [w.text for w in words(events)] == TEXT.split()[:5]
    client.append(line, TEXT[len("one two three four five s") :])
    client.commit(line)
    events += drain(client, over)
    assert events[-1] == End(line, 55)
    assert [(w.text, TEXT[w.first : w.last]) for w in words(events)] == [(w, w) for w in TEXT.split()]
    client.append(line, "after its end nothing is said")
    client.commit(line)
    client.ping(4)
    assert drain(client, bool) == [Pong(4)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=12).map(sorted))
def test_any_cutting_of_a_text_gives_the_same_line(cuts):
    ends = [*cuts, len(TEXT)]
    pieces = [TEXT[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    client = shared()
    whole = list(client.say("ben", TEXT))
    line = client.speak("ben", pieces[0], open=True, credit_ms=10_000)
    for piece in pieces[1:]:
        client.append(line, piece)
    client.commit(line)
    events = drain(client, over)
    assert np.array_equal(sound(events), sound(whole))
    assert words(events) == words(whole)


_SHARED = []


def shared():
    """One server for all examples of a property."""
    return _SHARED[0]


@pytest.fixture(autouse=True, scope="module")
def _shared(tmp_path_factory):
    server = Server(ToneStage(tmp_path_factory.mktemp("cast")), "tcp://127.0.0.1:*")
    server.start()
    with Client(server.address) as client:
        _SHARED.append(client)
        yield
    server.stop()


def test_what_is_never_committed_is_spoken_whole_and_then_ends(hasty):
    with Client(hasty.address) as client:
        line = client.speak("anna", "one two three", open=True, credit_ms=10_000)
        events = drain(client, over)
        (error,) = of(events, ErrorMessage)
        assert (error.line, error.code, error.ends) == (line, "text-timeout", True)
        assert error.text.startswith("open text: neither append nor commit for 0.1 s")
        assert [w.text for w in words(events)] == ["one", "two", "three"]
        assert sum(m.ticks for m in of(events, Moments)) == 15
        client.append(line, "too late")
        client.commit(line)
        client.ping(1)
        assert drain(client, bool) == [Pong(1)]


def test_an_open_text_that_never_comes_ends_too(hasty):
    with Client(hasty.address) as client:
        client.speak("anna", "", open=True)
        assert of(drain(client, over), ErrorMessage)[0].code == "text-timeout"


def test_an_open_text_without_a_word_is_refused(client):
    line = client.speak("anna", " ", open=True)
    client.commit(line)
    (error,) = of(drain(client, over), ErrorMessage)
    assert (error.code, error.text) == ("bad-text", "nothing to speak: expected at least one letter or digit")


def test_what_cannot_be_spoken_ends_an_open_line_where_it_stands(client):
    line = client.speak("anna", "one two ", open=True, credit_ms=10_000)
    client.append(line, "你好")
    events = drain(client, over)
    assert (events[-1].code, events[-1].text) == ("bad-text", "voice 'low' can't speak '你好'")
    assert [w.text for w in words(events)] == ["one", "two"]
    assert sum(m.ticks for m in of(events, Moments)) == 10


def test_refused_text_does_not_end_the_line(client):
    line = client.speak("anna", "one ", open=True, credit_ms=10_000)
    client.append(line, "x" * 20_000)
    client.append(line, "two")
    client.commit(line)
    client.append(line, "three")
    client.commit(line)
    events = drain(client, lambda events: bool(of(events, End)))
    assert [(e.code, e.ends) for e in of(events, ErrorMessage)] == [
        ("bad-text", False),
        ("not-open", False),
        ("not-open", False),
    ]
    assert events[-1] == End(line, 10)


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling_a_line_that_waits_for_text_ends_its_work(client, stage, begun):
    line = client.speak("anna", "one two three four five and", open=True, credit_ms=10_000 if begun else 0)
    drain(client, lambda events: bool(of(events, Moments if begun else Accepted)))
    client.cancel(line)
    assert isinstance(drain(client, over)[-1], Cancelled)
    client.append(line, " six")
    client.commit(line)
    wait_for(lambda: stage.watched.ended == stage.watched.begun == 1)
    assert stage.watched.made <= 25  # what the voice held back was not spoken for nobody
    client.ping(2)
    assert drain(client, bool) == [Pong(2)]


def test_a_client_that_goes_while_its_texts_are_open_leaves_nothing_running(server, stage):
    client = Client(server.address)
    for text in ("", "one two", TEXT):
        client.speak("ben", text, open=True)
    drain(client, lambda events: len(of(events, Accepted)) == 3)
    wait_for(lambda: stage.watched.begun == 3)
    client.close()
    wait_for(lambda: stage.watched.ended == 3)
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith(("speech", "performer"))])


def test_a_server_that_stops_ends_open_texts_at_once(stage):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    with Client(server.address) as client:
        line = client.speak("ben", "one two", open=True)
        drain(client, lambda events: bool(of(events, Accepted)))
        wait_for(lambda: stage.watched.begun == 1)
        server.stop()
        assert drain(client, over)[-1] == Cancelled(line, 0, "the engine is stopping")
    wait_for(lambda: stage.watched.ended == 1)
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith(("speech", "performer"))])


# ── pieces of an iterator ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_iterator_is_spoken_while_it_is_read(client):
    heard = threading.Event()

    def model():
        for word in TEXT.split()[:7]:
            yield word + " "
        assert heard.wait(30), "nothing was heard before the model had finished"
        yield from ("ei", "ght")

    events = []
    for event in client.say("ben", model()):
        events.append(event)
        if isinstance(event, Moments):
            heard.set()
    assert events[-1] == End(events[0].line, 40)
    assert [w.text for w in words(events)] == TEXT.split()[:8]


def test_a_model_that_fails_cancels_its_line(client, stage):
    def model():
        yield TEXT
        raise ConnectionError("the model is gone")

    with pytest.raises(ConnectionError, match="the model is gone"):
        list(client.say("ben", model()))
    wait_for(lambda: not client.poll(0.01) and not client.open_lines)
    wait_for(lambda: stage.watched.ended == stage.watched.begun)


def test_closing_the_blocking_face_stops_reading(client):
    closed = threading.Event()

    def model():
        try:
            while True:
                yield "one two three four five "
        finally:
            closed.set()

    said = client.say("ben", model())
    next(e for e in said if isinstance(e, Moments))
    said.close()
    assert closed.wait(20)


def test_an_engine_without_open_text_is_named(client):
    client.welcome = dataclasses.replace(client.welcome, capabilities=("hello", "speak"), engine="0.1.0")
    with pytest.raises(ClientError, match=r"release 0\.1\.0, knows no 'append': update it"):
        client.speak("ben", "", open=True)
    with pytest.raises(ClientError, match="knows no 'warm'"):
        client.warm("ben")


# ── marks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("outputs", [Outputs(), Outputs(picture=64), Outputs(sound=False, words=False)])
def test_a_mark_comes_right_before_the_moment_of_its_tick(client, outputs):
    text = "#a one #b two three four #c #d five six"
    events = list(client.say("anna", text, outputs=outputs))
    assert [(m.name, m.tick) for m in of(events, MarkAt)] == [("a", 0), ("b", 5), ("c", 20), ("d", 20)]
    for i, event in enumerate(events):
        if isinstance(event, MarkAt):
            following = next(e for e in events[i:] if isinstance(e, Moments))
            assert following.tick == event.tick
    assert sum(m.ticks for m in of(events, Moments)) == 30


def test_a_thousand_marks_in_one_place_are_told_and_cost_no_credit(client):
    marks = " ".join(f"#{i}" for i in range(1_000))
    line = client.speak("ben", f"one {marks} two", credit_ms=100)
    events = drain(client, lambda events: sum(m.ticks for m in of(events, Moments)) == 5)
    assert not of(events, MarkAt)  # they wait for their tick
    client.credit(line, 100)
    events = drain(client, over)
    assert [m.name for m in of(events, MarkAt)] == [str(i) for i in range(1_000)]
    assert {m.tick for m in of(events, MarkAt)} == {5}
    assert events[-1] == End(line, 10)


# ── warm ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_warm_is_answered_under_its_id_in_order_and_sends_nothing_else(client):
    asked = [client.warm("anna", TEXT), client.warm("", voice="high"), client.warm("ben", "one", emotion="sad")]
    answers = drain(client, lambda events: len(events) == 3)
    assert answers == [
        Warmed(asked[0], "anna", "", len(TEXT), 1_100),
        Warmed(asked[1], "", "high", 0, 0),
        Warmed(asked[2], "ben", "", 3, 100),
    ]


@pytest.mark.parametrize(
    ("npc", "text", "code"),
    [
        ("ana", "", "unknown-npc"),
        ("", "", "bad-message"),
        ("anna", "你好", "bad-text"),
        ("anna", "x" * 20_001, "bad-text"),
        ("anna", "!boom", "internal"),
    ],
)
def test_a_warm_that_fails_is_told_under_its_id(client, npc, text, code):
    asked = client.warm(npc, text)
    (error,) = drain(client, bool)
    assert (error.code, error.id, error.line, error.ends) == (code, asked, "", True)
    assert client.npcs().npcs


def test_warming_holds_up_no_line_and_no_stop(tmp_path):
    gate = threading.Semaphore(0)
    stage = ToneStage(tmp_path, gate)
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    with Client(server.address) as client:
        waiting = [client.warm("anna", TEXT) for _ in range(33)]
        refused = drain(client, bool)
        assert [(e.code, e.id) for e in refused] == [("too-many-warms", waiting[-1])]
        client.ping(3)
        assert drain(client, bool) == [Pong(3)]
    gate.release(1_000)
    server.stop()
    wait_for(lambda: not [t for t in threading.enumerate() if t.name == "warmer"])


def test_the_warms_of_a_client_that_goes_are_dropped(server):
    with Client(server.address) as gone:
        for _ in range(20):
            gone.warm("anna", "word " * 3_000)
    with Client(server.address) as client:
        asked = client.warm("ben", "one")
        assert drain(client, bool) == [Warmed(asked, "ben", "", 3, 100)]
