"""bindings/unity: the core in C# with real engines, with those that are none, and with one that sends what it likes."""

import contextlib
import signal
import socket
import threading
import time

import msgpack
import numpy as np
import pytest
import zmq
from csharp_core import begun, checked, engine, program_in
from guarded import Lodge, wait_for
from test_golden import GOLDENS

from npc_engine.wire.codec import encode
from npc_engine.wire.messages import End, Moments


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The core and its checks, compiled."""
    return program_in(tmp_path_factory.mktemp("csharp"))


# ── with a real engine ────────────────────────────────────────────────────────────────────────────────────────────


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


def test_a_minute_of_a_line_leaves_no_garbage(program):
    with engine() as (_, address):
        out = checked(program, "talk", "steady", address)
    assert "0 bytes of garbage on the game's thread, 0 collections" in out


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
REP = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03REP"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "Trouble:no-answer: what listens at"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Trouble:unreachable: what listens at"),
        (b"\xff" + bytes(8) + b"\x7f\x01", "Trouble:unreachable: what listens at"),
        (GREETING, "Trouble:no-answer: what listens at"),
        (GREETING.replace(b"NULL\0", b"PLAIN"), "Refused:refused: the engine at"),
        (GREETING + b"\x04\x29" + REP + bytes(20), "Trouble:unreachable: what listens at"),
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


def test_tries_become_rarer(program):
    """Who ends each connection at once is asked again after 50 ms, 100, 200 …, each a quarter more or less."""
    times = []
    server = socket.create_server(("127.0.0.1", 0))

    def refuse():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                times.append(time.monotonic())
                connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    say = begun(program, "say", f"tcp://127.0.0.1:{server.getsockname()[1]}")
    try:
        wait_for(lambda: len(times) >= 6)
    finally:
        say.kill()
        say.communicate()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
    for i, expected in enumerate([0.05, 0.1, 0.2, 0.4, 0.8]):
        assert times[i + 1] - times[i] >= 0.7 * expected


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
