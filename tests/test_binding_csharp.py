"""bindings/unity: the core in C# compiles without a warning, and does what the engine's own client does, against real engines."""

import contextlib
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zmq
from guarded import Lodge
from test_golden import GOLDENS

from npc_engine.moments import Word
from npc_engine.playback import Playback
from npc_engine.wire.codec import encode
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, MarkAt, Moments, Words

ROOT = Path(__file__).parent.parent
UNITY = ROOT / "bindings" / "unity"
PACKAGE = UNITY / "com.npcengine.client"
CORE = PACKAGE / "Runtime" / "Core"
TONE = Path(__file__).parent / "tone.py"
GUARDED = """
import sys, tempfile
from pathlib import Path
from npc_engine.server.server import Server
from tone import ToneStage
with tempfile.TemporaryDirectory() as folder:
    server = Server(ToneStage(Path(folder)), sys.argv[1], keys=Path(sys.argv[2]))
    server.start()
    print(server.address, flush=True)
    server.serve_forever()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The core and its checks as one program, as strictly compiled as mcs can."""
    missing = [tool for tool in ("mcs", "mono") if shutil.which(tool) is None]
    if missing:
        text = f"{' and '.join(missing)} missing: apt install --no-install-recommends mono-mcs mono-runtime"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    exe = tmp_path_factory.mktemp("csharp") / "core_tests.exe"
    sources = [*CORE.rglob("*.cs"), *(UNITY / "core_tests").glob("*.cs")]
    done = subprocess.run(
        ["mcs", "-langversion:7.2", "-warn:4", "-warnaserror", "-debug", f"-out:{exe}", *map(str, sorted(sources))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return exe


def begun(program, *arguments):
    return subprocess.Popen(
        ["mono", "--debug", str(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def checked(program, *arguments, timeout=120):
    """What a group of checks printed; none of them failed."""
    with begun(program, *arguments) as process:
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"{arguments[0]} did not end; it said:\n{process.communicate()[0]}")
    assert process.returncode == 0, out
    return out


# ── without an engine ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_core_needs_no_engine_of_games(program, tmp_path):
    """It compiles alone, as a library, and its assembly tells Unity the same."""
    done = subprocess.run(
        ["mcs", "-langversion:7.2", "-warn:4", "-warnaserror", "-target:library", "-doc:" + str(tmp_path / "core.xml"),
         f"-out:{tmp_path / 'core.dll'}", *map(str, sorted(CORE.rglob("*.cs")))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assembly = json.loads((CORE / "NpcEngine.Core.asmdef").read_text(encoding="utf-8"))
    assert assembly["noEngineReferences"] is True
    assert not assembly["references"]
    assert not assembly["allowUnsafeCode"]
    sources = "".join(path.read_text(encoding="utf-8") for path in CORE.rglob("*.cs"))
    assert "UnityEngine" not in sources
    assert "NotImplemented" not in sources


def test_every_asset_of_the_core_has_a_guid_of_its_own():
    guids = {}
    for path in [PACKAGE / "package.json", PACKAGE / "LICENSE.md", PACKAGE / "CHANGELOG.md", CORE, *CORE.rglob("*")]:
        if path.suffix == ".meta":
            assert path.with_suffix("").exists(), f"{path} is of nothing"
            continue
        text = path.with_name(f"{path.name}.meta").read_text(encoding="utf-8")
        guid = re.search(r"^guid: ([0-9a-f]{32})$", text, re.MULTILINE)[1]
        assert guid not in guids, f"{path} has the guid of {guids[guid]}"
        guids[guid] = path
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert package["name"] == "com.npcengine.client"


def test_every_golden_file_is_read_written_or_refused(program):
    out = checked(program, "golden", ROOT / "bindings" / "golden")
    done = dict(row.split(" ", 1) for row in out.splitlines()[:-1])
    assert set(done) == set(GOLDENS)
    for name, (frames, golden) in GOLDENS.items():
        if golden["from"] == "engine":
            assert done[name] == ("read" if "message" in golden else "refused"), name
        elif "message" not in golden:
            assert done[name] in {"refused", "travels the other way"}, name
        else:
            assert done[name].startswith("written") == golden["canonical"], name
            if golden["message"]["kind"] in {"speak", "warm"}:
                assert done[name].endswith("and refused" if "error" in golden else "and let through"), name
        assert frames or "error" in golden


def test_the_cryptography_is_that_of_nacl(program, tmp_path):
    rows = tmp_path / "boxes"
    rows.write_text("".join(f"{' '.join(row)}\n" for row in boxes()), encoding="utf-8")
    checked(program, "crypto", rows)


def boxes():
    """Boxes of libsodium, where pyzmq brought one: SECRET PUBLIC NONCE TEXT BOX, in hexadecimal digits."""
    found = sorted(Path(zmq.__file__).parent.parent.glob("pyzmq.libs/libsodium*"))
    if not found:
        return
    sodium = ctypes.CDLL(str(found[0]))
    sodium.sodium_init()
    chance = random.Random(7)
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 1000, 4096, 70_000):
        secret, nonce, text = chance.randbytes(32), chance.randbytes(24), chance.randbytes(size)
        theirs, box = ctypes.create_string_buffer(32), ctypes.create_string_buffer(size + 16)
        sodium.crypto_scalarmult_base(theirs, chance.randbytes(32))
        sodium.crypto_box_easy(box, text, ctypes.c_ulonglong(size), nonce, theirs.raw, secret)
        yield secret.hex(), theirs.raw.hex(), nonce.hex(), text.hex() or "-", box.raw.hex()


def test_key_files_are_those_of_the_engine(program, tmp_path):
    lodge = Lodge(tmp_path)
    checked(program, "keys", tmp_path, lodge.anna.public, lodge.ben.public)


def test_sound_at_another_rate_is_the_same_sound(program):
    checked(program, "resampler")


def test_the_face_keeps_step_with_the_sound(program):
    """44.1 and 48 kHz, 30, 60 and 144 frames a second, jitter and a stall of 300 ms; after an end, and after a cut."""
    out = checked(program, "step")
    assert len(re.findall(r"lag \S+ … \S+ ms of \d+ frames, shut after \d+ ms", out)) == 12


def test_a_moment_costs_little_and_leaves_no_garbage(program):
    out = checked(program, "cost", ROOT / "bindings" / "golden")
    assert " 0 bytes of garbage in 3000 moments" in out
    assert "counter: GC." in out


# ── playback, beside the engine's own ─────────────────────────────────────────────────────────────────────────────


def sample(at):
    return ((at * 7919 % 2001 - 1000) / 1000).astype(np.float32)


def moments(tick, ticks, channels, sound, picture, picture_tick):
    index = np.arange(ticks * channels)
    exp = ((tick + index // channels) * 31 + index % channels * 17) % 101 / 101
    return Moments(
        "l1", tick, ticks, picture_tick if picture else None,
        sample(np.arange(tick * 480, (tick + ticks) * 480)) if sound else None,
        exp.astype(np.float32).reshape(ticks, channels) if channels else None,
        bytes(picture) if picture else None,
    )  # fmt: skip


def a_line(chance, rows):
    """Play one line as chance has it, and write down what was done and what came of it."""
    channels = chance.choice([50, 50, 52, 15])
    new = (chance.choice([0, 200, 600]), chance.choice([40, 200, 600, 2000]), chance.choice([0, 50, 100]), channels)
    rows.append(("new", *new))
    player = Playback(*new)
    tick = heard = pictures = 0
    with_faces, with_sound, over = chance.random() < 0.9, chance.random() < 0.9, False
    for _ in range(chance.randrange(5, 60)):
        act = chance.choice(
            [
                "moment",
                "moment",
                "moment",
                "sound",
                "sound",
                "at",
                "at",
                "credit",
                "state",
                "word",
                "mark",
                "rest",
                "end",
            ]
        )
        if act == "moment" and not over:
            ticks = chance.choice([1, 2, 2, 5])
            picture = chance.randrange(1, 200) if chance.random() < 0.5 else 0
            told = (
                tick,
                ticks,
                channels if with_faces else 0,
                int(with_sound),
                picture,
                tick + chance.randrange(ticks),
            )
            rows.append(("moment", *told))
            player.add(moments(*told))
            tick += ticks
        elif act == "sound":
            count = chance.choice([0, 1, 100, 480, 512, 1024, 3000])
            rows.append(("sound", count, *(f"{s:.9g}" for s in player.sound(count))))
        elif act == "at":
            heard = max(0, min(heard + chance.randrange(-200, 2000), player.position + 3000))
            shown = player.at(heard)
            size = len(shown.picture) if shown.picture else 0
            values = (f"{value:.9g}" for value in shown.exp)
            rows.append(("at", heard, f"{shown.closed:.12g}", shown.word, size, ",".join(shown.marks) or "-", *values))
        elif act == "credit":
            at = chance.choice([-1, heard])
            rows.append(("credit", at, player.credit_ms(None if at < 0 else at)))
        elif act == "word" and not over:
            start = tick * 480 + chance.randrange(480)
            word = (start, start + chance.randrange(1, 3000), tick, tick + 4)
            rows.append(("word", *word))
            player.add(Words("l1", (Word("x", *word),)))
        elif act == "mark" and not over:
            rows.append(("mark", f"m{len(rows)}", tick))
            player.add(MarkAt("l1", f"m{len(rows) - 1}", tick))
        elif act == "rest" and not pictures and not over:
            pictures = 1
            rows.append(("accepted", 300))
            player.add(Accepted("l1", bytes(300)))
        elif act == "end" and not over and chance.random() < 0.4:
            over = True
            how = chance.choice(["end", "cancelled", "error", "cut"])
            rows.append((how, *{"end": (tick,), "cut": (heard,)}.get(how, ())))
            if how == "cut":
                player.cut(heard)
            else:
                player.add(
                    {
                        "end": End("l1", tick),
                        "cancelled": Cancelled("l1", tick),
                        "error": ErrorMessage("internal", "", "l1"),
                    }[how]
                )
        state = (
            player.position,
            player.missing,
            player.received_ms,
            player.heard_sample,
            player.heard_chars,
            int(player.finished),
        )
        rows.append(("state", *state))


def test_playback_does_what_the_engines_own_does(program, tmp_path):
    chance = random.Random(11)
    rows = []
    for _ in range(300):
        a_line(chance, rows)
    script = tmp_path / "script"
    script.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    out = checked(program, "playback", script)
    count = sum(row[0] in {"sound", "credit", "state"} for row in rows) + 4 * sum(row[0] == "at" for row in rows)
    assert f"passed {count}, failed 0" in out


# ── with a real engine ────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def engine(address="tcp://127.0.0.1:*", keys=None):
    """A real engine in a process of its own, and its address."""
    command = (
        [sys.executable, str(TONE), address] if keys is None else [sys.executable, "-c", GUARDED, address, str(keys)]
    )
    paths = os.pathsep.join([str(ROOT), str(TONE.parent)])
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def lodge(tmp_path):
    return Lodge(tmp_path / "keys")


def ways(lodge, guarded):
    """What a program is told beside the address, and the keys of the engine."""
    return ((lodge.server.public, lodge.folder / "anna.key"), lodge.folder) if guarded else ((), None)


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "curve"])
def test_ten_lines_at_once_and_every_tick_comes_once(program, lodge, guarded):
    more, keys = ways(lodge, guarded)
    with engine(keys=keys) as (_, address):
        checked(program, "talk", "lines", address, *more)


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "curve"])
def test_lines_are_told_lost_and_spoken_anew_when_the_engine_is_killed(program, lodge, guarded):
    more, keys = ways(lodge, guarded)
    with engine(keys=keys) as (process, address):
        talk = begun(program, "talk", "restart", address, *more)
        try:
            assert talk.stdout.readline() == "speaking\n"
            process.kill()
            process.wait()
            assert (row := talk.stdout.readline()) == "lost\n", row + talk.communicate()[0]
            with engine(address, keys):
                out, _ = talk.communicate(timeout=90)
        finally:
            talk.kill()
            talk.wait()
    assert talk.returncode == 0, out


def test_lines_are_told_lost_when_the_engine_stands_still(program):
    with engine() as (process, address):
        talk = begun(program, "talk", "stop", address)
        try:
            assert talk.stdout.readline() == "speaking\n"
            process.send_signal(signal.SIGSTOP)
            assert (row := talk.stdout.readline()) == "lost\n", row + talk.communicate()[0]
            process.send_signal(signal.SIGCONT)
            out, _ = talk.communicate(timeout=90)
        finally:
            process.send_signal(signal.SIGCONT)
            talk.kill()
            talk.wait()
    assert talk.returncode == 0, out


# ── nobody there, or not whom we hoped for ────────────────────────────────────────────────────────────────────────


def test_a_host_that_does_not_exist_is_told(program):
    out = checked(program, "faults", "tcp://no-such-host.invalid:7890", "Trouble:unreachable: ")
    assert "no-such-host.invalid" in out


def test_a_port_at_which_nobody_listens_is_told(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    checked(
        program,
        "faults",
        f"tcp://127.0.0.1:{port}",
        f"Trouble:unreachable: no engine answers at tcp://127.0.0.1:{port}",
    )


@contextlib.contextmanager
def listener(answer):
    """A TCP server that says the same to everybody; None: nothing. Its address."""
    kept = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                kept.append(connection)
                if answer is not None:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for connection in kept:
            connection.close()


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "Trouble:no-answer: what listens at"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Trouble:unreachable: what listens at"),
        (b"\xff" + bytes(8) + b"\x7f\x01", "Trouble:unreachable: what listens at"),
        (GREETING, "Trouble:no-answer: what listens at"),
        (GREETING.replace(b"NULL\0", b"PLAIN"), "Refused:refused: the engine at"),
        (GREETING + b"\x04\x29\x05READY\x0bSocket-Type\x00\x00\x00\x03REP" + bytes(20), "Trouble:unreachable: what listens at"),
        (GREETING + b"\x04\x26\x05READY\xff" + bytes(40), "Trouble:unreachable: what listens at"),
        (GREETING + b"\x04\xff" + b"\xff" * 255, "Trouble:unreachable: what listens at"),
        (GREETING + b"\x06" + b"\xff" * 8, "Trouble:bad-message: "),
        (GREETING + b"\xf0", "Trouble:bad-message: "),
        (GREETING + b"\x04\x0a\x05ERROR\x03400", "Refused:refused: what listens at"),
    ],
    ids=["silent", "http", "zmtp1", "half", "plain", "rep", "cut metadata", "no name", "huge", "flags", "error"],
)  # fmt: skip
def test_what_is_no_engine_is_told(program, answer, expected):
    with listener(answer) as address:
        checked(program, "faults", address, expected)


class Engine:
    """A ROUTER that answers each message of a game with what `answers` gives for its kind."""

    def __init__(self, answers):
        self._answers = answers
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 0)
        self._router.bind("tcp://127.0.0.1:*")
        self.address = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        while not self._ended.is_set():
            if self._router.poll(20):
                game, *frames = self._router.recv_multipart()
                for answer in self._answers(msgpack.unpackb(frames[0])):
                    self._router.send_multipart([game, *answer])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self._router.close()
        self._context.term()


def header(**keys):
    return [msgpack.packb(keys)]


WELCOME = GOLDENS["welcome"][0]


def newer(message):
    return [GOLDENS["error_bad_version"][0]] if message["kind"] == "hello" else []


def newer_welcome(message):
    told = {**msgpack.unpackb(WELCOME[0]), "version": 2}
    return [header(**told)] if message["kind"] == "hello" else []


def greets_only(message):
    return [WELCOME] if message["kind"] == "hello" else []


def forgets(message):
    """An engine that has given the connection up: it greets, and then knows nobody."""
    if message["kind"] == "hello":
        return [WELCOME]
    return [header(kind="error", code="not-greeted", text="say hello first", line=message.get("line", ""))]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (newer, "Refused:bad-version: the engine at"),
        (newer_welcome, "Refused:bad-version: the engine at"),
        (lambda _: [], "Trouble:no-answer: the engine at"),
        (greets_only, "Disconnected:disconnected: the engine at"),  # its pongs are missed; libzmq goes on with its own
        (forgets, "Disconnected:disconnected: the engine at"),
    ],
    ids=["newer", "newer welcome", "no welcome", "hangs", "forgets"],
)
def test_an_engine_that_does_not_serve_is_told(program, answers, expected):
    with Engine(answers) as own:
        checked(program, "faults", own.address, expected)


def test_who_is_not_let_in_is_told(program, lodge):
    stranger = lodge.make("stranger", allow=False)
    with engine(keys=lodge.folder) as (_, address):
        out = checked(
            program,
            "faults",
            address,
            "Refused:refused: the engine at",
            lodge.server.public,
            lodge.folder / "stranger.key",
        )
        assert f"npc-engine keys allow stranger '{stranger.public}'" in out
        out = checked(
            program,
            "faults",
            address,
            "Trouble:unreachable: the engine at",
            lodge.ben.public,
            lodge.folder / "anna.key",
        )
        assert "is ServerKey that of this engine?" in out
        out = checked(program, "faults", address, "Refused:refused: the engine at")
        assert "asks for keys" in out
    with engine() as (_, address):
        out = checked(
            program, "faults", address, "Refused:refused: the engine at", lodge.server.public, lodge.folder / "anna.key"
        )
        assert "asks for no keys" in out


# ── an engine that sends what it likes ────────────────────────────────────────────────────────────────────────────

ENGINES = [name for name, (_, golden) in GOLDENS.items() if golden["from"] == "engine" and GOLDENS[name][0]]
REFUSED = [name for name in ENGINES if "message" not in GOLDENS[name][1]]


def said(program, messages):
    """What a game is told when an engine answers its line with these."""

    def answers(message):
        if message["kind"] == "hello":
            return [WELCOME]
        return [GOLDENS["accepted"][0], *messages, header(kind="pong", mark=99)] if message["kind"] == "speak" else []

    with Engine(answers) as own:
        out = checked(program, "say", own.address)
    return [row for row in out.splitlines() if row.startswith("Error ")], out


def test_a_malformed_message_is_told_and_the_line_goes_on(program):
    errors, out = said(program, [GOLDENS[name][0] for name in REFUSED])
    expected = [GOLDENS[name][1]["error"] for name in REFUSED if GOLDENS[name][1]["error"]["code"] != "unknown-kind"]
    assert len(errors) == len(expected) > 70
    for row, error in zip(errors, expected, strict=True):
        assert row.startswith(f"Error bad-message '{error['line']}' '{error['id']}' goes on the engine sent: "), row
        assert error["text"] in row
    assert "Disconnected" not in out


def test_golden_messages_of_engines_are_taken_in(program):
    kinds = ("words", "mark", "pong", "warmed", "npcs", "stats")
    names = [name for name in ENGINES if GOLDENS[name][1].get("message", {}).get("kind") in kinds]
    names.remove("pong_mark_most")  # the client's own, by which it sees that the engine lives
    errors, out = said(program, [GOLDENS[name][0] for name in names])
    assert not errors
    ours = [name for name in names if GOLDENS[name][1]["message"].get("line", "l1") == "l1"]
    assert len(out.splitlines()) == len(ours) + 4  # connected, accepted, the last pong, and the count of checks


@pytest.mark.parametrize("tick", [3, 5])
def test_a_tick_that_is_lost_or_doubled_ends_the_line(program, tick):
    sound, exp = np.zeros(4 * 480, np.float32), np.zeros((4, 50), np.float32)
    four = encode(Moments("l1", 0, 4, None, sound, exp))
    for wrong in (encode(Moments("l1", tick, 1, None, sound[:480], exp[:1])), encode(End("l1", tick))):
        errors, _ = said(program, [four, wrong, encode(End("l1", 4))])
        (row,) = errors
        assert row.startswith("Error bad-message 'l1' '' ends the engine sent: ")
        assert row.endswith(f"{tick}, expected 4") or f"after {tick} ticks, expected 4" in row
    errors, out = said(
        program, [four, encode(Moments("l1", 4, 1, None, sound[:480], exp[:1, :15])), encode(End("l1", 5))]
    )
    assert ["faces of 15 values, those before had 50" in row for row in errors] == [True]
    assert "End " not in out
