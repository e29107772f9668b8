"""Real parts over real sockets: the shipped voices, network and faces behind a server, and what a game sees of them."""

import itertools
import time

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.client import Client, ClientError
from npc_engine.expression.aperture import aperture
from npc_engine.moments import TICK_SAMPLES, Outputs
from npc_engine.server.server import Server
from npc_engine.troupe import Troupe
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, MarkAt, Moments, Warmed, Words

LINE = "Mind the step, my friend! The old bridge is wet."


@pytest.fixture(scope="module")
def engine():
    server = Server(Troupe(Cast.standard()), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(engine):
    with Client(engine.address) as connected:
        yield connected


def test_a_line_comes_whole_and_in_step(client):
    events = list(client.say("maren", LINE, outputs=Outputs(picture=256)))
    moments = [e for e in events if isinstance(e, Moments)]
    ticks = list(itertools.chain.from_iterable(range(m.tick, m.tick + m.ticks) for m in moments))
    assert ticks == list(range(len(ticks)))
    assert isinstance(events[-1], End)
    assert events[-1].ticks == len(ticks)
    sound = np.concatenate([m.sound for m in moments])
    assert len(sound) == len(ticks) * TICK_SAMPLES
    assert np.sqrt(np.mean(sound**2)) > 0.02
    opening = aperture(np.concatenate([m.exp for m in moments]))
    assert opening.max() > 0.25
    assert abs(opening[-1]) < 0.01
    assert [m.picture_tick for m in moments if m.picture] == list(range(0, len(ticks), 2))
    pictures = [cv2.imdecode(np.frombuffer(m.picture, np.uint8), cv2.IMREAD_COLOR) for m in moments if m.picture]
    assert {p.shape for p in pictures} == {(256, 256, 3)}
    words = [w for e in events if isinstance(e, Words) for w in e.words]
    assert [w.text for w in words] == LINE.replace(",", "").replace("!", "").replace(".", "").split()
    assert all(LINE[w.first : w.last] == w.text for w in words)
    rest = next(e.rest for e in events if isinstance(e, Accepted))
    assert cv2.imdecode(np.frombuffer(rest, np.uint8), cv2.IMREAD_COLOR).shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("asked", "code", "parts"),
    [
        ({"npc": "maren", "text": "你好, friend"}, "bad-text", ("'woman'", "'你'", "'好'")),
        ({"npc": "maren", "text": "   "}, "bad-text", ("text is empty",)),
        ({"npc": "maren", "text": "?! …"}, "bad-text", ("at least one letter or digit",)),
        ({"npc": "marren", "text": LINE}, "unknown-npc", ("'marren'", "did you mean 'maren'")),
        ({"npc": "maren", "voice": "womn", "text": LINE}, "unknown-voice", ("did you mean 'woman'",)),
        ({"npc": "maren", "face": "eldr", "text": LINE}, "unknown-face", ("did you mean 'elder'",)),
        ({"npc": "goblin", "text": LINE, "outputs": Outputs(picture=256)}, "unknown-face", ("no face",)),
        ({"npc": "maren", "text": LINE, "emotion": "furious"}, "unknown-emotion", ("'furious'",)),
        ({"npc": "maren", "text": LINE, "style": "livly"}, "unknown-style", ("did you mean 'lively'",)),
    ],
)
def test_what_cannot_be_said_is_refused_in_plain_words_and_the_engine_goes_on(client, asked, code, parts):
    with pytest.raises(ClientError) as refused:
        list(client.say(asked.pop("npc"), asked.pop("text"), **asked))
    assert refused.value.code == code
    assert [p for p in parts if p not in str(refused.value)] == [], str(refused.value)
    assert isinstance(list(client.say("elder", "Hm?"))[-1], End)


def test_ten_thousand_characters_start_at_once_and_stop_at_once(client):
    text = ("The road to the north is long, and the inn at its end is warm. " * 160)[:10_000]
    began = time.perf_counter()
    line = client.speak("elder", text)
    first = cancelled = None
    while cancelled is None and time.perf_counter() - began < 120:
        for event in client.poll(timeout_s=0.5):
            if isinstance(event, Moments) and first is None:
                first = time.perf_counter() - began
                asked = time.perf_counter()
                client.cancel(line)
            elif isinstance(event, Cancelled):
                cancelled = time.perf_counter() - asked
            else:
                assert cancelled is None, f"{event} after cancelled"
    assert first is not None
    assert first < 30  # seconds; all of the text would be eight minutes of sound
    assert cancelled is not None
    assert cancelled < 10
    assert client.poll(timeout_s=0.3) == []


def test_two_games_hear_their_own_characters(engine):
    with Client(engine.address) as one, Client(engine.address) as two:
        lines = {one: one.speak("maren", LINE, credit_ms=10_000), two: two.speak("elder", LINE, credit_ms=10_000)}
        heard = {one: [], two: []}
        ended = set()
        until = time.monotonic() + 60
        while len(ended) < 2 and time.monotonic() < until:
            for client in (one, two):
                for event in client.poll(timeout_s=0.01):
                    assert event.line == lines[client]
                    if isinstance(event, Moments):
                        heard[client].append(event.sound)
                    if isinstance(event, End):
                        ended.add(client)
        assert len(ended) == 2
        woman, man = (np.concatenate(heard[c]) for c in (one, two))
        assert len(man) != len(woman)


# ── text as it comes, markup and what is made ahead ───────────────────────────────────────────────────────────────

OPEN = "Mind the step, Dr. No! It is 3.5 m deep... and cold. Take my hand, friend."


def ended(client, line):
    """The events of a line to its end."""
    events = []
    until = time.monotonic() + 60
    while not any(isinstance(e, End | Cancelled) or (isinstance(e, ErrorMessage) and e.ends) for e in events):
        assert time.monotonic() < until
        events += [e for e in client.poll(timeout_s=0.05) if e.line == line]
    return events


def opened(client, pieces, **asked):
    line = client.speak("maren", "", open=True, credit_ms=10_000, **asked)
    for piece in pieces:
        client.append(line, piece)
    client.commit(line)
    return ended(client, line)


def heard(events):
    return np.concatenate([e.sound for e in events if isinstance(e, Moments)])


@pytest.mark.parametrize(
    "cut",
    [list, str.split, lambda text: [text[i : i + 7] for i in range(0, len(text), 7)]],
    ids=["characters", "words", "sevens"],
)
def test_any_cutting_of_an_open_text_gives_the_same_sound(client, cut):
    pieces = cut(OPEN) if cut is not str.split else [f"{word} " for word in OPEN.split()]
    text = "".join(pieces)
    whole, cut_up = opened(client, [text]), opened(client, pieces)
    assert isinstance(cut_up[-1], End)
    assert np.array_equal(heard(whole), heard(cut_up))
    words = [w for e in cut_up if isinstance(e, Words) for w in e.words]
    assert words == [w for e in whole if isinstance(e, Words) for w in e.words]
    assert all(text[w.first : w.last] == w.text for w in words)
    assert [w.text for w in words][:3] == ["Mind", "the", "step"]


def test_speaking_begins_while_the_text_is_being_written(client):
    line = client.speak("maren", "", open=True, credit_ms=10_000)
    client.append(line, "Mind the step, my friend! The old br")
    events = []
    until = time.monotonic() + 60
    while not any(isinstance(e, Moments) for e in events):  # nothing is committed
        assert time.monotonic() < until
        events += client.poll(timeout_s=0.05)
    client.append(line, "idge is wet.")
    client.commit(line)
    events += ended(client, line)
    words = [w for e in events if isinstance(e, Words) for w in e.words]
    assert [w.text for w in words] == ["Mind", "the", "step", "my", "friend", "The", "old", "bridge", "is", "wet"]
    assert all(LINE[w.first : w.last] == w.text for w in words)


@pytest.mark.parametrize("open_text", [False, True])
def test_a_mark_comes_with_its_tick_between_what_sounds_before_and_after(client, open_text):
    text = '<speak>One two.<break time="800ms"/><mark name="now"/>Three four.</speak>'
    events = opened(client, list(text)) if open_text else list(client.say("maren", text))
    (mark,) = (e for e in events if isinstance(e, MarkAt))
    after = next(e for e in events[events.index(mark) :] if isinstance(e, Moments))
    assert (mark.name, after.tick) == ("now", mark.tick)
    words = [w for e in events if isinstance(e, Words) for w in e.words]
    assert [text[w.first : w.last] for w in words] == ["One", "two", "Three", "four"]
    at = mark.tick * TICK_SAMPLES
    assert words[1].end <= at <= words[2].start < at + TICK_SAMPLES
    sound = heard(events)
    loud = [float(np.sqrt(np.mean(s**2))) for s in (sound[words[0].start : words[1].end], sound[words[2].start :])]
    hush = sound[at - 10 * TICK_SAMPLES : at - 2 * TICK_SAMPLES]
    assert np.sqrt(np.mean(hush**2)) < 0.1 * min(loud)


@pytest.mark.parametrize("open_text", [False, True])
def test_broken_markup_is_told_with_line_and_column(client, open_text):
    text = "<speak>One two three. Four five six.\n<brake/>Seven.</speak>"
    line = client.speak("maren", text, open=open_text, credit_ms=10_000)
    events = ended(client, line)
    assert (events[-1].code, events[-1].ends) == ("bad-text", True)
    assert "line 2" in events[-1].text
    assert "column" in events[-1].text
    spoken = [w.text for e in events if isinstance(e, Words) for w in e.words]
    assert spoken[:3] == (["One", "two", "three"] if open_text else [])  # the fault is told where it stands


def test_a_line_is_made_ahead(client):
    asked = client.warm("maren", LINE, emotion="happy", strength=0.5)
    (answer,) = client.poll(timeout_s=60)
    assert isinstance(answer, Warmed)
    assert (answer.id, answer.npc, answer.text_chars) == (asked, "maren", len(LINE))
    events = list(client.say("maren", LINE, emotion="happy", strength=0.5))
    assert answer.ms <= events[-1].ticks * 20 <= answer.ms + 160  # and the mouth closes
