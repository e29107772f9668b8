"""bindings/c: the client in C compiles, speaks with a real engine, and comes to no harm by one that sends nonsense."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zmq
from test_golden import GOLDENS

from npc_engine.client import Client
from npc_engine.moments import EXP50
from npc_engine.wire.codec import decode_request, encode, pack_sound
from npc_engine.wire.messages import Credit, Hello, Moments, Speak, Words

ROOT = Path(__file__).parent.parent
HERE = ROOT / "bindings" / "c"
README = (HERE / "README.md").read_text(encoding="utf-8")
STRICT = "-g -O1 -Wpedantic -Wconversion -Wshadow -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
FAULT = 99  # exit status of a sanitizer that has found something
SANE = {**os.environ, "ASAN_OPTIONS": f"exitcode={FAULT}:detect_leaks=0", "UBSAN_OPTIONS": f"exitcode={FAULT}"}
SIZE = int(re.search(r"70 of its (\d+) lines", README)[1])


def need(missing):
    if missing:
        text = f"{missing}: apt install gcc libc6-dev make libzmq3-dev"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """npc_say as its Makefile builds it, with every warning an error and every wild access found."""
    need(next((f"{tool} is missing" for tool in ("make", "cc") if shutil.which(tool) is None), ""))
    probe = subprocess.run(["cc", "-E", "-"], input="#include <zmq.h>", capture_output=True, text=True, check=False)
    need("zmq.h is missing" if probe.returncode else "")
    folder = tmp_path_factory.mktemp("c")
    make = ["make", "-f", str(HERE / "Makefile"), f"VPATH={HERE}", f"CFLAGS={STRICT}"]
    done = subprocess.run(make, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "npc_say"


@pytest.fixture(scope="module")
def address():
    """A real engine in a process of its own."""
    process = subprocess.Popen([sys.executable, str(ROOT / "tests" / "tone.py")], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def run(program, *arguments, timeout=60):
    return subprocess.run(
        [str(program), *map(str, arguments)], env=SANE, capture_output=True, text=True, timeout=timeout, check=False
    )


def sound_of(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        pcm = file.readframes(file.getnframes())
    assert path.stat().st_size == 44 + len(pcm)
    return pcm


def ticks_of(text):
    """Tick and its coefficients by name, of each row about a tick."""
    rows = [row.split() for row in text.splitlines() if row.startswith("tick ")]
    return [(int(row[1]), dict(pair.split("=") for pair in row[2:])) for row in rows]


def test_a_line_is_spoken_and_every_tick_comes_once(program, address, tmp_path):
    text = " ".join(f"word{i}" for i in range(61))  # 6.1 s: ten times the first credit
    done = run(program, address, "anna", text, tmp_path / "line.wav")
    assert (done.returncode, done.stderr) == (0, "")
    with Client(address) as client:
        events = list(client.say("anna", text))
    moments = [e for e in events if isinstance(e, Moments)]
    exp = np.concatenate([m.exp for m in moments])
    assert sound_of(tmp_path / "line.wav") == b"".join(pack_sound(m.sound) for m in moments)
    ticks = ticks_of(done.stdout)
    assert [tick for tick, _ in ticks] == list(range(305))
    for tick, values in ticks:
        assert set(values) == {EXP50[i] for i in np.flatnonzero(exp[tick])}
        assert all(abs(float(v) - exp[tick, EXP50.index(name)]) <= 0.5e-4 for name, v in values.items())
    words = [w for e in events if isinstance(e, Words) for w in e.words]
    told = [row for row in done.stdout.splitlines() if row.startswith("word ")]
    assert told == [f"word {w.start} {w.end} {w.text}" for w in words]
    assert done.stdout.endswith("\nend 305\n")


def test_a_word_comes_before_its_tick(program, address, tmp_path):
    rows = run(program, address, "anna", "one two", tmp_path / "line.wav").stdout.splitlines()
    for i, word in enumerate(("one", "two")):
        tick = next(row for row in rows if row.split()[:2] == ["tick", str(5 * i)])
        assert rows.index(f"word {2400 * i} {2400 * (i + 1)} {word}") < rows.index(tick)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C can't be sent to one process of a console on Windows")
def test_an_interrupted_line_is_cancelled_and_what_came_is_kept(program, address, tmp_path):
    path = tmp_path / "line.wav"
    with subprocess.Popen(
        [str(program), address, "anna", "word " * 2_000, str(path)],
        env=SANE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as said:  # fmt: skip
        first = said.stdout.readline()  # and no more for now: 10,000 ticks do not fit into a pipe, the line can't end
        time.sleep(1)  # until it waits in the middle of writing
        said.send_signal(signal.SIGINT)
        out, err = said.stdout.read(), said.stderr.read()
        assert (said.wait(60), err) == (0, "")
    ticks = [tick for tick, _ in ticks_of(first + out)]
    assert ticks == list(range(len(ticks)))
    assert 0 < len(ticks) < 10_000
    assert out.endswith(f"\ncancelled {len(ticks)}\n")
    assert len(sound_of(path)) == 960 * len(ticks)


def test_what_the_engine_refuses_is_told(program, address, tmp_path):
    done = run(program, address, "ana", "one", tmp_path / "line.wav")
    assert done.returncode == 1
    assert done.stderr.startswith("npc_say: unknown-npc: no character 'ana', did you mean 'anna'?")
    assert sound_of(tmp_path / "line.wav") == b""
    done = run(program, address, "anna", "one two !boom", tmp_path / "line.wav")
    assert done.returncode == 1
    assert done.stderr.startswith("npc_say: internal: ")
    done = run(program, address, "anna", "x" * 100_000, tmp_path / "line.wav")
    assert done.returncode == 1
    assert "expected at most 20000" in done.stderr


def test_bad_arguments_are_told(program, tmp_path):
    for arguments, text in [
        ((), "expected ADDRESS NPC TEXT FILE, as in: tcp://"),
        (("tcp://127.0.0.1:1", "anna", "one", tmp_path / "no" / "line.wav"), f"can't write {tmp_path}"),
        (("nonsense", "anna", "one", tmp_path / "line.wav"), "can't connect to nonsense: Invalid argument"),
    ]:
        done = run(program, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith(f"npc_say: {text}")


@pytest.mark.slow
def test_an_engine_that_is_not_there_is_told(program, tmp_path):
    done = run(program, "tcp://127.0.0.1:1", "anna", "one", tmp_path / "line.wav")
    assert done.returncode == 1
    assert done.stderr == "npc_say: no answer within 30 s: does an engine serve this address?\n"


# ── an engine that sends what it likes ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def engine():
    """A bound ROUTER and its address."""
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.setsockopt(zmq.RCVTIMEO, 20_000)
    router.setsockopt(zmq.LINGER, 0)
    router.bind("tcp://127.0.0.1:*")
    yield router, router.getsockopt_string(zmq.LAST_ENDPOINT)
    router.close()
    context.term()


def told(program, engine, messages, path, text="one"):
    """What npc_say does when an engine sends these, and what it asked."""
    router, address = engine
    said = subprocess.Popen(
        [str(program), address, "anna", text, str(path)],
        env=SANE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        asked = []
        for _ in range(2):
            game, *frames = router.recv_multipart()
            asked.append(decode_request(frames))
        for frames in messages:
            router.send_multipart([game, *frames])
        out, err = said.communicate(timeout=30)
    finally:
        said.kill()
        said.wait()
    while router.poll(0):
        asked.append(decode_request(router.recv_multipart()[1:]))
    return said.returncode, out, err, asked


def opening():
    """What an engine says up to tick 3 of a line."""
    sound, exp = np.zeros(4 * 480, np.float32), np.zeros((4, 50), np.float32)
    exp[:, 7] = [1, -0.25, 2.0**-24, -1 / 3]
    return [GOLDENS["welcome"][0], GOLDENS["accepted"][0], encode(Moments("l1", 0, 4, None, sound, exp))]


ENDED = [msgpack.packb({"kind": "end", "line": "l1", "ticks": 4})]
ENGINES = [name for name, (_, g) in GOLDENS.items() if g["from"] == "engine"]
SENT_BY_ENGINES = [n for n in ENGINES if "error" in GOLDENS[n][1] and GOLDENS[n][0]]
UNREAD = ("utf8", "list_too_long", "kind_missing", "pong_payload", "accepted", "mark", "warmed", "npcs", "stats")


def test_what_it_asks_is_what_a_reader_reads(program, engine, tmp_path):
    text = "Γειά σου \N{WAVING HAND SIGN} " + "x" * 300
    code, out, err, asked = told(program, engine, [*opening(), ENDED], tmp_path / "line.wav", text)
    assert (code, err) == (0, "")
    assert asked == [Hello(1, "npc_say"), Speak("l1", text, "anna"), Credit("l1", 80)]
    assert [row for row in out.splitlines() if row.startswith("tick")] == [
        "tick 0 mouthLeft=1.0000",
        "tick 1 mouthLeft=-0.2500",
        "tick 2 mouthLeft=0.0000",
        "tick 3 mouthLeft=-0.3333",
    ]


def test_golden_messages_of_engines_are_taken_in(program, engine, tmp_path):
    kinds = ("accepted", "words", "mark", "pong", "warmed", "npcs")
    names = [n for n in ENGINES if GOLDENS[n][1].get("message", {}).get("kind") in kinds]
    code, out, err, _ = told(
        program, engine, [*opening(), *(GOLDENS[n][0] for n in names), ENDED], tmp_path / "line.wav"
    )
    assert (code, err) == (0, "")
    words = [w for n in names for w in GOLDENS[n][1]["message"].get("words", [])]
    assert len(words) > 5
    assert re.findall(r"^word .*$", out, re.MULTILINE) == [f"word {w['start']} {w['end']} {w['text']}" for w in words]
    assert len(sound_of(tmp_path / "line.wav")) == 4 * 960


@pytest.mark.parametrize("name", SENT_BY_ENGINES)
def test_a_malformed_message_does_no_harm(program, engine, tmp_path, name):
    frames, golden = GOLDENS[name]
    code, out, err, _ = told(program, engine, [*opening(), frames, ENDED], tmp_path / "line.wav")
    assert code in (0, 1), err
    assert "Sanitizer" not in err
    assert [tick for tick, _ in ticks_of(out)] == [0, 1, 2, 3], "nothing of it is shown"
    unread = golden["error"]["code"] == "unknown-kind" or any(part in name for part in UNREAD)
    assert (code, err == "") == ((0, True) if unread else (1, False))


@pytest.mark.parametrize("tick", [3, 5])
def test_a_tick_that_is_lost_or_doubled_is_told(program, engine, tmp_path, tick):
    sound, exp = np.zeros(480, np.float32), np.zeros((1, 50), np.float32)
    lost = encode(Moments("l1", tick, 1, None, sound, exp))
    code, _, err, _ = told(program, engine, [*opening(), lost], tmp_path / "line.wav")
    assert (code, err) == (1, f"npc_say: the engine sent a tick of {tick}, expected 4 to 4\n")
    ended = [msgpack.packb({"kind": "end", "line": "l1", "ticks": tick})]
    code, _, err, _ = told(program, engine, [*opening(), ended], tmp_path / "line.wav")
    assert (code, err) == (1, f"npc_say: the engine sent a ticks of {tick}, expected 4 to 4\n")


def test_the_readme_is_true():
    source = (HERE / "npc_say.c").read_text(encoding="utf-8")
    line = re.search(r"^ +(cc .*)$", README, re.MULTILINE)[1]
    assert line in source
    code = [row for row in source.splitlines() if row.strip() and not re.match(r"\s*(/\*|\*)", row)]
    assert len(code) <= SIZE
    for name in re.findall(r"\| `?((?:\w+`, `)*\w+)` \|", README):
        for function in name.split("`, `"):
            assert f"{function}(" in source
