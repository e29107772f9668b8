"""Turns, interruption and what a line may ask for, over TCP: what a game sees of a character with one mouth."""

import threading

import cv2
import numpy as np
import pytest
from test_server import LONG, TEXT, Raw, client, drain, ended, of, raw, server, stage, wait_for  # noqa: F401
from tone import ToneStage

from npc_engine.client import Client, Playback
from npc_engine.moments import ARKIT52, CHANNEL, NEUTRAL, VISEMES15, Outputs
from npc_engine.retarget.targets import TARGETS
from npc_engine.server.server import Server
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, Moments, Speak, Words

# ── turns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_characters_lines_are_said_one_after_the_other_and_others_beside_them(client):  # noqa: F811
    first = client.speak("anna", TEXT, credit_ms=400)
    second = client.speak("anna", "one two", credit_ms=10_000)
    third = client.speak("anna", "one", credit_ms=10_000)
    other = client.speak("ben", "one two three", credit_ms=10_000)
    events = drain(client, lambda events: len(of(events, Accepted)) == 4 and of(events, End, other))
    places = {event.line: event.place for event in of(events, Accepted)}
    assert places == {first: 0, second: 1, third: 2, other: 0}
    assert not of(events, Moments, second)
    assert client.stats().waiting == 2
    client.credit(first, 10_000 - 400)
    events += drain(client, lambda more: ended(first, second, third)(events + more))
    said = [event.line for event in events if isinstance(event, (Moments, End)) and event.line != other]
    assert said == sorted(said, key=[first, second, third].index), "one mouth: none begins before the other has ended"
    assert {event.line: event.ticks for event in of(events, End)} == {first: 40, second: 10, third: 5, other: 15}


def test_lines_beside_each_other_wait_for_none(client):  # noqa: F811
    client.speak("anna", LONG, credit_ms=100)
    line = client.speak("anna", "one two", turn="beside", credit_ms=10_000)
    assert of(drain(client, ended(line)), End, line)[0].ticks == 10


def test_a_line_that_replaces_begins_with_the_face_that_is_heard(client):  # noqa: F811
    line = client.speak("ben", LONG, credit_ms=1_000)
    waiting = client.speak("ben", TEXT)
    drain(client, lambda events: sum(m.ticks for m in of(events, Moments, line)) == 50)
    client.playhead(line, 20 * 480)
    better = client.speak("ben", "one two three four", turn="replace", credit_ms=10_000)
    events = drain(client, ended(line, waiting, better))
    cut, dropped = of(events, Cancelled)
    assert (cut.line, cut.ticks, cut.reason) == (line, 50, "another line took its place")
    assert (cut.heard, cut.heard_chars) == ("word word word word", 19)
    assert (dropped.line, dropped.ticks, dropped.heard) == (waiting, 0, "")
    faces = np.concatenate([m.exp for m in of(events, Moments, better)])
    yaws = faces[:, CHANNEL["headYaw"]]  # the tone mouth writes the tick there
    assert abs(yaws[0] - 0.020) < 0.004, "tick 20 is heard, so its face is shown"
    assert np.allclose(yaws[16:], np.arange(16, 20) / 1000, atol=2e-3), "and left within 300 ms"


def test_a_line_after_one_that_failed_or_was_cut_has_its_turn(client):  # noqa: F811
    first = client.speak("ben", "one !boom", credit_ms=10_000)
    second = client.speak("ben", LONG, credit_ms=40)
    third = client.speak("ben", "one", credit_ms=10_000)
    events = drain(client, lambda events: of(events, Moments, second))
    assert of(events, ErrorMessage, first)[0].code == "internal"
    client.cancel(second)
    assert of(drain(client, ended(second, third)), End, third)[0].ticks == 5


# ── interruption ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelled_tells_the_text_that_was_heard(client):  # noqa: F811
    text = "one two three four five six seven eight"
    line = client.speak("ben", text, credit_ms=600)
    player = Playback()
    while player.received_ms < 600:
        for event in client.poll(0.05):
            player.add(event)
    player.sound(480 * 30)
    player.at(480 * 17)  # in the midst of the fourth word
    assert (player.heard_sample, player.heard_chars) == (480 * 17, len("one two three"))
    client.cancel(line, heard=player.heard_sample)
    (told,) = of(drain(client, ended(line)), Cancelled)
    assert (told.heard, told.heard_chars) == ("one two three", player.heard_chars)
    player.cut(480 * 17)
    player.at(480 * 30)
    assert player.heard_chars == len("one two three"), "silence after the cut is not heard text"


def test_what_is_heard_is_told_of_text_that_came_in_pieces_and_without_words_asked(client):  # noqa: F811
    line = client.speak("ben", "", open=True, outputs=Outputs(words=False), credit_ms=600)
    for piece in ("one tw", "o three", " four five", " six"):
        client.append(line, piece)
    drain(client, lambda events: sum(m.ticks for m in of(events, Moments)) == 25)
    client.cancel(line, heard=480 * 10)
    (told,) = drain(client, ended(line))
    assert (told.heard, told.heard_chars) == ("one two", 7)


@pytest.mark.parametrize("failing", ["performing", "begin"])
def test_a_line_that_could_not_begin_fails_and_is_asked_anew(client, server, monkeypatch, failing):  # noqa: F811
    from npc_engine.server.performer import Performer
    from npc_engine.server.performing import Local

    def no_thread(*_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(*((Local, "performing") if failing == "performing" else (Performer, "begin")), no_thread)
        line = client.speak("ben", TEXT)
        (error,) = drain(client, ended(line))
    assert (error.code, error.ends) == ("internal", True)
    assert "the engine can't begin this line: RuntimeError: can't start new thread" in error.text
    assert client.stats().lines == 0
    assert isinstance(list(client.say("ben", TEXT))[-1], End)


def test_cancel_of_a_character_or_of_all_takes_those_that_wait_too(client, stage):  # noqa: F811
    lines = [client.speak("ben", LONG, credit_ms=40) for _ in range(3)]
    idle = client.idle("anna")
    drain(client, lambda events: len(of(events, Accepted)) == 4)
    client.cancel(npc="ben")
    events = drain(client, ended(*lines))
    assert [event.line for event in of(events, Cancelled)] == lines
    assert client.open_lines == {idle}
    client.cancel()
    assert of(drain(client, ended(idle)), Cancelled, idle)
    wait_for(lambda: stage.watched.ended == stage.watched.begun)


def test_cancel_overtakes_a_voice_that_is_busy(tmp_path):
    gate = threading.Semaphore(1)
    server = Server(ToneStage(tmp_path, gate), "tcp://127.0.0.1:*")  # noqa: F811
    server.start()
    try:
        with Client(server.address) as client:
            line = client.speak("ben", LONG, credit_ms=10_000)
            drain(client, lambda events: sum(m.ticks for m in of(events, Moments)) == 25)
            client.cancel(line)  # the voice makes its second chunk, and nothing lets it through
            (told,) = drain(client, ended(line))
            assert (told.kind, told.ticks) == ("cancelled", 25)
    finally:
        gate.release(1_000)
        server.stop()


# ── asked twice ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_is_asked_twice_is_said_once(raw, stage):  # noqa: F811
    speak = Speak("a", "one two", "ben", credit_ms=10_000)
    raw.send(speak)
    raw.send(speak)
    got = []
    while not got or got[-1].kind != "end":
        got.append(raw.receive())
    raw.send(speak)
    again = raw.receive()
    while again.kind == "accepted":  # the second `speak` may have met a line that was open
        again = raw.receive()
    assert (again, stage.watched.begun) == (End("a", 10), 1)
    assert sum(m.ticks for m in of(got, Moments)) == 10


# ── deadlines ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_misses_its_deadline_is_given_up(tmp_path):
    gate = threading.Semaphore(0)
    server = Server(ToneStage(tmp_path, gate), "tcp://127.0.0.1:*")  # noqa: F811
    server.start()
    try:
        with Client(server.address) as client:
            line = client.speak("ben", TEXT, deadline_ms=60)
            easy = client.speak("anna", TEXT, deadline_ms=600_000)
            error = drain(client, ended(line))[-1]
            assert (error.code, error.text) == ("too-late", "its first moment has not left within 60 ms, its deadline")
            gate.release(1_000)
            assert of(drain(client, lambda events: of(events, Moments)), Moments)[0].line == easy
            refused = client.speak("anna", TEXT, deadline_ms=100)
            error = of(drain(client, ended(refused)), ErrorMessage)[0]
            assert error.code == "too-late"
            assert error.wait_ms >= 500
            assert "until its character has said its former lines" in error.text
            stats = client.stats()
            assert stats.refused == 2
            assert stats.first_moment_ms > 0
    finally:
        gate.release(1_000)
        server.stop()


# ── outputs ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "names"), [("arkit52", ARKIT52), ("visemes15", VISEMES15)])
def test_coefficients_come_as_asked(client, name, names):  # noqa: F811
    assert getattr(client.welcome, name) == names
    both = [
        np.concatenate([m.exp for m in of(client.say("anna", TEXT, outputs=Outputs(coefficients=what)), Moments)])
        for what in ("exp50", name)
    ]
    assert both[1].shape == (40, len(names))
    assert np.abs(TARGETS[name].of(both[0]) - both[1]).max() < 2e-3  # halves of halves


def test_a_player_eases_other_coefficients_too(client):  # noqa: F811
    player = Playback(channels=52)
    assert player.at(0).exp.shape == (52,)
    for event in client.say("anna", TEXT, outputs=Outputs(coefficients="arkit52")):
        player.add(event)
    player.sound(480 * 60)
    jaw = ARKIT52.index("jawOpen")
    assert player.at(480 * 10).exp[jaw] > 0.2
    assert not player.at(480 * 50).exp.any()


@pytest.mark.parametrize(("name", "begin"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")])
def test_pictures_come_as_asked(client, name, begin):  # noqa: F811
    events = list(client.say("anna", TEXT, outputs=Outputs(picture=64, picture_format=name)))
    pictures = [of(events, Accepted)[0].rest, *(m.picture for m in of(events, Moments) if m.picture)]
    assert len(pictures) == 21
    for picture in pictures:
        assert picture.startswith(begin)
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (64, 64, 3)


def test_stats_tell_what_was_done_for_this_client(client, server):  # noqa: F811
    before = client.stats()
    assert (before.lines, before.sent_ms, before.pictures) == (0, 0, 0)
    list(client.say("anna", TEXT, outputs=Outputs(picture=64)))
    line = client.speak("ben", LONG, credit_ms=100)
    drain(client, lambda events: sum(m.ticks for m in of(events, Moments)) == 5)
    with Client(server.address) as other:
        assert other.stats().lines == 0
        assert other.stats().engine_lines == 1
    stats = client.stats()
    assert (stats.lines, stats.waiting, stats.sent_ms, stats.pictures) == (1, 0, 800 + 100, 20)
    assert stats.queued_ms > 0
    client.cancel(line)
    assert not of(drain(client, ended(line)), Words), "what was told before comes no more"


def test_the_neutral_face_begins_a_line_that_replaces_one_that_has_not_begun(client):  # noqa: F811
    line = client.speak("ben", TEXT, credit_ms=0)
    better = client.speak("ben", "one two", turn="replace", credit_ms=10_000)
    events = drain(client, ended(line, better))
    first = of(events, Moments, better)[0].exp[0]
    jaw = CHANNEL["jawOpen"]
    assert abs(first[jaw] - 0.35) < 0.05
    assert NEUTRAL[jaw] == 0
