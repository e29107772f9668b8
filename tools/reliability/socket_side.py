"""Mutated messages over real sockets against a real server, beside strangers and a client that is served meanwhile."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zmq
from reliability.conversations import Conversations
from reliability.engine_side import Broken, check
from reliability.goldens import Find, Frames
from reliability.process import Sample, sample
from reliability.raw import Strangers
from reliability.served import Served, quick

from npc_engine.client import Client
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.messages import (
    ERROR_CODES,
    Cancelled,
    Credit,
    End,
    ErrorMessage,
    Hello,
    MarkAt,
    Moments,
    Ping,
    Pong,
    Reply,
    Speak,
    WireError,
    Words,
)

GAMES: Final = 4
BURST: Final = 20  # messages before the server is asked whether it is still there: neither side's queues grow
HANG_S: Final = 120.0  # for one answer, or one line of the witness, on cores that others use
AGAIN_S: Final = 1.0  # until hello and ping are said again, to a server that may have cut the connection
MARK: Final = 2**52  # of our own pings, far from those of the golden messages
TICK_MS: Final = 20
BUSY: Final = {"overloaded", "too-late", "too-many-lines"}


class Game:
    """A connection that says anything, and the books of what it was answered."""

    def __init__(self, address: str) -> None:
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.RECONNECT_IVL, 20), (zmq.SNDTIMEO, int(1000 * HANG_S))):
            self.socket.setsockopt(option, value)
        self.socket.connect(address)
        self.recent: deque[Frames] = deque(maxlen=3 * BURST)
        self.codes: Counter[str] = Counter()
        self._mark = MARK
        self._reset()
        self.settle()

    def _reset(self) -> None:
        self._granted: Counter[str] = Counter()  # milliseconds, at most
        self._ticks: Counter[str] = Counter()
        self._over: set[str] = set()

    def say(self, frames: Frames) -> None:
        """Send a message, whatever it is, and note what it would grant."""
        frames = frames or [b""]
        self.recent.append(frames)
        with contextlib.suppress(WireError):
            message = decode_request(frames)
            if isinstance(message, (Speak, Credit)):
                self._granted[message.line] += message.ms if isinstance(message, Credit) else message.credit_ms
        self.socket.send_multipart(frames)

    def settle(self) -> None:
        """Wait until the server has answered all that was said; raises `Broken` for an answer that may not come."""
        self._mark += 1
        end = time.monotonic() + HANG_S
        while time.monotonic() < end:
            self.socket.send_multipart(encode(Ping(self._mark)))
            again = time.monotonic() + AGAIN_S
            while (left := again - time.monotonic()) > 0:
                if self.socket.poll(int(1000 * left) + 1) and self._hear(decode_reply(self.socket.recv_multipart())):
                    return
            self.socket.send_multipart(encode(Hello(1, "fuzz")))
        raise Broken(f"the server has not answered for {HANG_S:g} s")

    def _hear(self, reply: Reply) -> bool:
        """Note a reply; whether it is the answer that is waited for."""
        line = reply.line
        if isinstance(reply, ErrorMessage):
            self.codes[reply.code] += 1
            check(reply.code in ERROR_CODES, f"code {reply.code!r}")
            check(reply.code != "internal", f"a fault of the engine: {reply.text}")
            if reply.code == "not-greeted" and "ping" in reply.text:  # the connection was cut: it begins anew
                self._reset()
                self.socket.send_multipart(encode(Hello(1, "fuzz")))
                self.socket.send_multipart(encode(Ping(self._mark)))
        elif isinstance(reply, Moments):
            check(line not in self._over, f"a moment of line {line!r} after its end")
            check(reply.tick == self._ticks[line], f"tick {reply.tick} of line {line!r}, expected {self._ticks[line]}")
            self._ticks[line] += reply.ticks
            spent = TICK_MS * self._ticks[line]
            check(spent <= self._granted[line], f"{spent} ms of line {line!r} came, granted were {self._granted[line]}")
        elif isinstance(reply, (Words, MarkAt)):
            check(line not in self._over, f"{reply.kind} of line {line!r} after its end")
        elif isinstance(reply, (End, Cancelled)):
            check(reply.ticks == self._ticks[line], f"{reply.ticks} ticks of {line!r}, {self._ticks[line]} came")
            self._over.add(line)
        return isinstance(reply, Pong) and reply.mark == self._mark

    def close(self) -> None:
        self.socket.close()
        self._context.term()


class Witness:
    """A client that speaks one short line after another, as a game does, and notices when it is not served."""

    def __init__(self, address: str, npc: str) -> None:
        self._client = Client(address, HANG_S, "witness")
        self._npc = npc
        self._line = ""
        self._ticks = 0
        self._asked = 0.0
        self._again = 0.0  # when it may ask again
        self.lines = 0
        self.refused = 0  # because the machine is busy

    def look(self) -> None:
        """Take what has come; raises `Broken` for a line that fails, or takes too long."""
        if not self._line:
            if time.monotonic() < self._again:
                return
            self._line = self._client.speak(self._npc, "Mind the step.", credit_ms=10_000)
            self._ticks, self._asked = 0, time.monotonic()
        for event in self._client.poll():
            check(event.line == self._line, f"the witness was told of {event}")
            if isinstance(event, ErrorMessage) and event.code in BUSY:
                self._line = ""
                self.refused += 1
                self._again = time.monotonic() + event.wait_ms / 1000
                continue
            check(not isinstance(event, (ErrorMessage, Cancelled)), f"the witness was told {event}")
            if isinstance(event, Moments):
                check(event.tick == self._ticks, f"the witness heard tick {event.tick}, expected {self._ticks}")
                self._ticks += event.ticks
            elif isinstance(event, End):
                check(event.ticks == self._ticks > 0, f"the witness heard {self._ticks} ticks of {event.ticks}")
                self._line = ""
                self.lines += 1
        check(not self._line or time.monotonic() < self._asked + HANG_S, "the witness is not served")

    def close(self) -> None:
        self._client.close()


@dataclass
class Visit:
    """What came of it."""

    messages: int = 0  # mutated ones
    others: int = 0
    strangers: int = 0
    connections: int = 0
    witness_lines: int = 0
    witness_refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    finds: list[str] = field(default_factory=list)


def fuzz_socket(
    served: Served,
    messages: int,
    seed: int,
    folder: Path,
    told: Callable[[int, Visit], None] = lambda _done, _visit: None,
) -> Visit:
    """Send so many mutated messages to a server; finds go into `folder`."""
    address = served.address
    rng = random.Random(f"socket {seed}")
    began = time.monotonic()
    with Client(address, HANG_S) as client:
        npcs = tuple(npc.name for npc in quick(client.npcs(HANG_S).npcs))
    conversations = Conversations(npcs)
    visit = Visit()
    games = [Game(address) for _ in range(GAMES)]
    visit.connections += GAMES
    strangers = Strangers(address)
    witness = Witness(address, npcs[0])
    queues: list[deque[tuple[Frames, bool]]] = [deque() for _ in games]
    try:
        while visit.messages < messages:
            index = rng.randrange(GAMES)
            if not queues[index]:
                queues[index].extend((said.frames, said.mutated) for said in conversations.of_game(rng))
                if rng.random() < 0.3:  # whoever is there leaves, in the midst of its lines
                    visit.codes += games[index].codes
                    games[index].close()
                    games[index] = Game(address)
                    visit.connections += 1
            try:
                for _ in range(min(BURST, len(queues[index]))):
                    frames, changed = queues[index].popleft()
                    games[index].say(frames)
                    visit.messages += changed
                    visit.others += not changed
                games[index].settle()
            except (Broken, WireError) as error:
                told_by_log = " ".join(served.noise()[-3:])
                path = folder / f"socket_{seed}_{visit.messages}.bin"
                visit.finds.append(_keep(games[index], f"{type(error).__name__}: {error} {told_by_log}", path))
                games[index].close()
                games[index] = Game(address)
            if rng.random() < 0.2:
                strangers.visit(rng)
            witness.look()
            if visit.messages // 500 >= len(visit.samples):
                visit.samples.append(sample(served.pid, began))
                told(visit.messages, visit)
    finally:
        for game in games:
            visit.codes += game.codes
            game.close()
        visit.strangers = strangers.count
        visit.witness_lines, visit.witness_refused = witness.lines, witness.refused
        strangers.close()
        witness.close()
    return visit


def _keep(game: Game, about: str, path: Path) -> str:
    Find(about[:1_000], "socket", list(game.recent)).write(path)
    return f"{path}: {about[:1_000]}"
