"""Characters that say nothing, over the real server: they live as long as asked, and give way to what is said."""

import json
import threading
import time

import cv2
import numpy as np
import pytest
import soundfile
from test_server import drain, ended, of, wait_for
from test_server_process import rss_mb, tone  # noqa: F401 - a fixture
from tone import ToneStage

from npc_engine.cli import main
from npc_engine.client import Client, ClientError, Playback
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.idle import EASE, at_rest
from npc_engine.expression.joining import JOIN, joined
from npc_engine.expression.limits import HIGH, LOW
from npc_engine.moments import (
    ANGLES,
    ATTITUDES,
    CHANNEL,
    NEUTRAL,
    STYLES,
    Expression,
    Line,
    Outputs,
    SpeechChunk,
    breathed,
)
from npc_engine.performance import perform
from npc_engine.server import idling
from npc_engine.server.server import Server
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, Moments

LIDS = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
NO_LIDS = [i for i in range(50) if i not in LIDS]  # a blink may fall as fast as lids do
LEAST_JUMP = 0.1


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def server(stage):
    before = set(threading.enumerate())
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()
    wait_for(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        yield client


def exps(events, line=None):
    return np.concatenate([m.exp for m in of(events, Moments, line)])


def ticks(events, line=None):
    return sum(m.ticks for m in of(events, Moments, line))


def jumps(exp):
    return np.abs(np.diff(exp, axis=0))[:, NO_LIDS].max()


# ── expressions ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attitude", ATTITUDES)
@pytest.mark.parametrize("style", STYLES)
def test_a_line_begins_at_rest_ends_at_rest_and_never_jumps(attitude, style):
    for i in range(10):
        line = Line(str(i), "n", "", style, "happy", attitude=attitude, lasts_ms=8_010)
        told = list(at_rest(line))
        assert [e.tick for e in told] == list(range(400))
        assert not any(e.sound.any() for e in told)
        exp = np.stack([NEUTRAL, *(e.exp for e in told)])
        assert not exp[-1].any()
        assert jumps(exp) < LEAST_JUMP
        assert ((exp >= LOW) & (exp <= HIGH)).all()
        assert np.abs(exp[-EASE:, :ANGLES]).sum() <= np.abs(exp[-EASE - 1, :ANGLES]).sum() * EASE


def test_lines_join_at_one_breath():
    told = list(at_rest(Line("l", "n", "", "lively", attitude="idle", lasts_ms=2_000)))
    before = breathed(60)  # shoulders are well up
    assert before > 0.25
    on = [e.breath + breathed(e.tick) for e in joined(told, np.full(50, 0.01, np.float32), before)]
    assert np.abs(np.diff([before, *on])).max() < 0.13
    assert on[40] == pytest.approx(breathed(40)), "it breathes its own breath"
    assert on[-1] == pytest.approx(0.0), "and ends breathed out, as the next line begins"
    assert min(on) >= -1e-6
    said = list(Audio2Exp().express([SpeechChunk(Line("l", "n", ""), 0, np.zeros(480 * 90, np.float32))]))
    ends = [e.breath + breathed(e.tick) for e in said][-8:]
    assert ends[0] > 0.9
    assert ends[-1] == pytest.approx(0.0)
    assert np.abs(np.diff(ends)).max() < 0.4


def test_a_line_without_an_end_goes_on():
    told = at_rest(Line("l", "n", "", "lively", attitude="idle"))
    assert next(e for e in told if e.tick == 20_000).exp.any()


@pytest.mark.parametrize("lasts_ms", [20, 40, 280, 300, 320])
def test_short_lines_have_their_length(lasts_ms):
    told = list(at_rest(Line("l", "n", "", "lively", attitude="listening", lasts_ms=lasts_ms)))
    assert len(told) == lasts_ms // 20
    assert not told[-1].exp.any()


def test_a_line_goes_on_from_the_face_before_it():
    line, still = Line("l", "n", "hm"), np.zeros(480, np.float32)
    before = np.zeros(50, np.float32)
    before[CHANNEL["gazeYaw"]], before[CHANNEL["mouthSmileLeft"]], before[LIDS] = 0.2, 0.3, 0.9
    said = [Expression(line, i, still, np.eye(50, dtype=np.float32)[0] * 0.015 * i) for i in range(40)]
    out = list(joined(said, before))
    exp = np.stack([before, *(e.exp for e in out)])
    assert jumps(exp) < LEAST_JUMP
    assert np.allclose(exp[JOIN:], np.stack([e.exp for e in said])[JOIN - 1 :])
    assert np.allclose(exp[1:, 0], [0.015 * i for i in range(40)]), "nothing is late"
    assert len(out) == 40


def test_silence_needs_no_voice(stage):
    class Mute:
        def speak(self, line):
            raise AssertionError("nobody asked for a word")

    npc = stage.npc("anna")
    line = Line("l", "anna", "", outputs=Outputs(picture=64), attitude="idle", lasts_ms=400)
    moments = list(perform(line, type(npc)(npc.name, Mute(), npc.mouth, npc.face)))
    assert [m.tick for m in moments if m.picture] == list(range(0, 20, 2))


# ── over the wire ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_lives_for_the_seconds_asked_then_ends_by_itself(client, stage):
    line = client.idle("anna", "listening", picture=64, seconds=2.0, credit_ms=10_000)
    events = drain(client, ended(line))
    assert isinstance(events[0], Accepted)
    assert events[0].rest.startswith(b"\xff\xd8")
    assert events[-1] == End(line, 100)
    moments = of(events, Moments)
    assert [m.picture_tick for m in moments if m.picture] == list(range(0, 100, 2))
    assert all(m.sound is None for m in moments)
    assert not exps(events)[-1].any()
    assert jumps(exps(events)) < LEAST_JUMP
    assert stage.watched.begun == 0, "no mouth was asked"


def test_silence_is_sent_where_sound_is_asked(client):
    line = client.idle("ben", seconds=0.5, outputs=Outputs(), credit_ms=1_000)
    events = drain(client, ended(line))
    sound = np.concatenate([m.sound for m in of(events, Moments)])
    assert sound.shape == (25 * 480,)
    assert not sound.any()


def test_the_same_line_lives_the_same(client, server):
    once = exps(list(drain(client, ended(client.idle("anna", line="a", seconds=3, credit_ms=10_000)))))
    with Client(server.address) as other:
        line = other.idle("anna", line="a", seconds=3, credit_ms=40)
        events = []
        while not of(events, End):
            new = drain(other, bool)
            events += new
            other.credit(line, 20 * ticks(new))
    assert np.array_equal(exps(events), once)


def test_without_an_end_it_goes_on_as_credit_comes_and_stops_when_cancelled(client):
    line = client.idle("anna", picture=64, credit_ms=200)
    drain(client, lambda events: ticks(events) == 10)
    time.sleep(0.1)
    assert client.poll() == []
    client.credit(line, 60)
    assert ticks(drain(client, lambda events: ticks(events) == 3)) == 3
    client.cancel(line)
    assert drain(client, ended(line))[-1] == Cancelled(line, 13, "the game asked")
    time.sleep(0.05)
    assert client.poll() == []


def test_nothing_is_drawn_that_no_credit_asks_for(client, stage, monkeypatch):
    drawn = []
    encode = stage.encode
    monkeypatch.setattr(stage, "encode", lambda *asked: drawn.append(1) or encode(*asked))
    line = client.idle("anna", outputs=Outputs(picture=64, picture_every=1), credit_ms=200)
    drain(client, lambda events: ticks(events) == 10)
    time.sleep(0.2)
    assert len(drawn) <= 1 + 10 + idling.READY_TICKS  # at rest, sent, ready
    client.credit(line, 200)
    drain(client, lambda events: ticks(events) == 10)
    time.sleep(0.2)
    assert len(drawn) <= 1 + 20 + idling.READY_TICKS


def test_the_next_line_ends_it_at_once_and_begins_with_its_face(client):
    for attitude in ATTITUDES:
        before = client.idle("ben", attitude, emotion="happy", style="cartoon", credit_ms=3_000)
        events = drain(client, lambda events: ticks(events) == 150)
        line = client.speak("ben", "one two three four five six seven eight")
        events += drain(client, lambda events: of(events, Moments, line))  # noqa: B023
        assert of(events, End, before) == [End(before, 150)]
        assert events.index(End(before, 150)) < events.index(of(events, Accepted, line)[0])
        client.credit(line, 400)
        events += drain(client, ended(line))
        last, first = exps(events, before)[-1], exps(events, line)
        assert np.abs(last).max() > 0.15
        # the tone mouth opens its jaw with the first sample and counts in headYaw: no face, so left aside here
        mine = [i for i in NO_LIDS if i not in {CHANNEL["jawOpen"], CHANNEL["headYaw"], CHANNEL["mouthClose"]}]
        assert np.abs(first[0] - last)[mine].max() < 0.05
        assert np.abs(np.diff(first, axis=0))[:, mine].max() < LEAST_JUMP
        assert np.abs(first[JOIN:, mine]).max() == 0, "and has left it after 300 ms"


def test_one_attitude_follows_another_from_where_it_was(client):
    before = client.idle("anna", "idle", emotion="happy", credit_ms=4_000)
    events = drain(client, lambda events: ticks(events) == 200)
    line = client.idle("anna", "listening", emotion="happy", credit_ms=2_000)
    events += drain(client, lambda events: ticks(events, line) == 100)
    assert of(events, End) == [End(before, 200)]
    assert jumps(np.concatenate([exps(events, before), exps(events, line)])) < LEAST_JUMP
    client.cancel(line)
    drain(client, ended(line))


def test_others_and_what_is_refused_end_nothing(client, server):
    line = client.idle("anna", credit_ms=100)
    drain(client, lambda events: ticks(events) == 5)
    assert isinstance(list(client.say("ben", "one two"))[-1], End)
    with pytest.raises(ClientError, match="text is empty"):
        list(client.say("anna", "  "))
    with Client(server.address) as other:
        assert isinstance(list(other.say("anna", "one two"))[-1], End), "another game's anna"
    assert line in client.open_lines
    client.credit(line, 100)
    assert ticks(drain(client, lambda events: ticks(events) == 5)) == 5


def test_a_voice_can_be_named_in_place_of_a_character(client):
    line = client.idle("", voice="high", face="disc", picture=64, credit_ms=100)
    events = drain(client, lambda events: ticks(events) == 5)
    assert of(events, Moments)[0].picture
    again = client.speak("", "one", voice="high")
    assert of(drain(client, ended(again)), End, line)


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ({"npc": "ana"}, "unknown-npc", "no character 'ana', did you mean 'anna'?; known: anna, ben, high, low"),
        ({"npc": "ben", "picture": 64}, "unknown-face", "'ben' has no face: name one, or ask for no pictures"),
        ({"npc": "anna", "face": "disk"}, "unknown-face", "no face 'disk', did you mean 'disc'?; known: disc"),
        (
            {"npc": "anna", "attitude": "iddle"},
            "unknown-attitude",
            "no attitude 'iddle', did you mean 'idle'?; known: 'idle', 'listening'",
        ),
        ({"npc": "anna", "emotion": "bored"}, "unknown-emotion", None),
    ],
)
def test_what_cannot_be_lived_is_refused_with_the_reason(client, asked, code, text):
    line = client.idle(**asked)
    (error,) = drain(client, ended(line))
    assert isinstance(error, ErrorMessage)
    assert error.code == code
    assert text is None or error.text == text
    assert not client.open_lines


def test_a_face_that_breaks_ends_its_line_only(client, stage, monkeypatch, caplog):
    drain(client, ended(client.idle("anna", picture=64, seconds=0.1)))  # the face at rest is drawn once
    draw = type(stage._disc).draw

    def broken(face, expressions):
        for moment in draw(face, expressions):
            if moment.tick == 7:
                raise ZeroDivisionError("a fault of the face")
            yield moment

    good = client.idle("ben", credit_ms=200)
    monkeypatch.setattr(type(stage._disc), "draw", broken)
    bad = client.idle("anna", picture=64)
    events = drain(client, ended(bad))
    (error,) = of(events, ErrorMessage)
    assert (error.line, error.code, error.ends) == (bad, "internal", True)
    assert error.text == "the engine failed on this line: ZeroDivisionError: a fault of the face"
    assert ticks(events, bad) == 7, "what was good before came"
    assert "Traceback" in caplog.text
    already = ticks(events, good)
    client.credit(good, 200)
    drain(client, lambda events: ticks(events, good) == 20 - already)


def test_seconds_are_checked_and_an_older_engine_is_named(client):
    for seconds in (0, -1.0, float("nan"), 1e9):
        with pytest.raises(ValueError, match="seconds is"):
            client.idle("anna", seconds=seconds)
    client.welcome = type(client.welcome)(1, "0.1.0", (), ("hello", "speak"), 24_000, 20, 8, 20_000, 10_000)
    with pytest.raises(ClientError, match="knows no 'attitude': update it"):
        client.idle("anna")


# ── many, and beside speech ───────────────────────────────────────────────────────────────────────────────────────


def test_a_storm_of_idle_lines_of_one_character_leaves_the_last(server):
    with Client(server.address) as one, Client(server.address) as two:
        for client in (one, two):
            for i in range(64):
                client.idle("", voice="low", line=f"{i}", credit_ms=0)
            drain(client, lambda events: len(of(events, End)) == 63)
            assert client.open_lines == {"63"}
        lines = [one.speak("ben", "one two three four five", line=f"s{i}", credit_ms=1_000) for i in range(8)]
        assert len(of(drain(one, ended(*lines)), End)) == 8


def test_a_village_of_idle_faces_is_served_by_one_thread(tmp_path):
    names = [f"villager{i}" for i in range(60)]
    stage = ToneStage(tmp_path)
    (tmp_path / "npcs.toml").write_text(
        "\n".join(f'[{name}]\nvoice = "low"\nface = "disc"\n' for name in names), encoding="utf-8"
    )
    before = set(threading.enumerate())  # tests of faces that hang leave an idler behind
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    try:
        with Client(server.address) as client:
            lines = [client.idle(name, picture=64, credit_ms=400) for name in names]
            events = drain(client, lambda events: all(ticks(events, line) == 20 for line in lines))
            assert len(of(events, Accepted)) == 60
            wait_for(lambda: sum(t.name.startswith("idling") for t in set(threading.enumerate()) - before) == 0)
            assert sum(t.name == "idler" for t in set(threading.enumerate()) - before) == 1
            began = time.perf_counter()
            said = client.speak("villager3", "one two three")
            drain(client, lambda events: of(events, Moments, said))
            assert time.perf_counter() - began < 1.0
            for line in lines:
                client.credit(line, 200)
            others = [line for line in lines if line != lines[3]]
            drain(client, lambda events: all(ticks(events, line) == 10 for line in others))
    finally:
        server.stop()


def test_the_first_moment_is_as_soon_beside_an_idle_line_as_without(client):
    """The medians, measured in turn; the idle line draws all the time, as it has all the credit that it may use."""

    def first_moment():
        began = time.perf_counter()
        line = client.speak("ben", "one")
        events = []
        while not of(events, Moments, line):
            events += client.poll(0.05)
        took = time.perf_counter() - began
        drain(client, lambda new: of(events + new, End, line))
        return took

    alone, beside = [], []
    for _ in range(40):
        alone.append(first_moment())
        idle = client.idle("ben", face="disc", outputs=Outputs(picture=512, picture_every=1), credit_ms=10_000)
        drain(client, lambda events: ticks(events, idle) >= 3)  # noqa: B023
        beside.append(first_moment())
    assert np.median(beside) < 2 * np.median(alone) + 0.02


def test_an_idle_line_plays_by_the_games_clock(client):
    player = Playback(granted_ms=200, ahead_ms=200)
    line = client.idle("anna", emotion="happy", picture=64, seconds=1.2)
    heard, shown = 0, []
    end = time.monotonic() + 20
    while not player.finished:
        assert time.monotonic() < end
        for event in client.poll(0.002):
            player.add(event)
        if player.received_ms * 24 >= min(heard + 480, 60 * 480):
            player.sound(480)
            heard += 480
            shown.append(player.at(heard))
            client.credit(line, player.credit_ms(heard))
    assert player.missing == 0
    assert len({id(s.picture) for s in shown}) > 25
    assert max(np.abs(s.exp).max() for s in shown[:55]) > 0.2
    assert not shown[-1].exp.any()


def test_idle_lines_of_a_game_that_goes_leave_nothing_behind(tone):  # noqa: F811
    process, address = tone
    with Client(address) as warm:
        drain(warm, ended(warm.idle("anna", picture=256, seconds=0.2)))
    before = rss_mb(process.pid)
    for _ in range(30):
        with Client(address) as client:
            lines = [client.idle(npc, picture=256 if npc == "anna" else 0, credit_ms=2_000) for npc in ("anna", "ben")]
            drain(client, lambda events: all(ticks(events, line) > 5 for line in lines))  # noqa: B023
    with Client(address) as client:
        assert isinstance(list(client.say("anna", "one two"))[-1], End)
    assert rss_mb(process.pid) - before < 25


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_say_writes_what_a_silent_character_does(tmp_path, capsys):
    outs = [tmp_path / name for name in ("x.json", "x.npz", "x.png", "x.wav")]
    argv = ["say", "--npc", "maren", "--attitude", "listening", "--seconds", "1.5", "--size", "64"]
    assert main([*argv, *(word for out in outs for word in ("--out", str(out)))]) == 0
    assert "1.50 s" in capsys.readouterr().out
    told = json.loads(outs[0].read_text(encoding="utf-8"))
    assert (told["attitude"], told["text"], len(told["exp"])) == ("listening", "", 75)
    kept = np.load(outs[1])
    assert not kept["sound"].any()
    assert np.abs(kept["exp"]).max() > 0.05
    assert cv2.imread(str(outs[2])).shape[2] == 3
    assert soundfile.info(outs[3]).frames == 36_000


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--npc", "maren", "--attitude", "bored"], "--attitude is 'bored', expected idle or listening"),
        (["Hm.", "--npc", "maren", "--attitude", "idle"], "--attitude idle says nothing: leave out the text"),
        (["Hm.", "--npc", "maren", "--seconds", "3"], "--seconds is for an --attitude"),
        (["--npc", "maren", "--attitude", "idle", "--seconds", "0"], "--seconds is 0.0, expected 0.1 to 3600"),
        (["--npc", "maren"], "say what: a text, or - to read it from standard input; or --attitude"),
        (["--attitude", "idle"], "say who speaks"),
    ],
)
def test_say_names_what_is_wrong(argv, text, tmp_path, capsys):
    assert main(["say", *argv, "--out", str(tmp_path / "x.json")]) != 0
    assert text in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
