"""Characters that are played in real time, in a process of their own: `python -m` this module with a `Job` as JSON.

It speaks the wire by itself, headers only: decoding sound and faces as games do would keep the cores from the server
that is measured. Times are those of `time.monotonic`, which all processes of a machine share.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import msgpack
import zmq

from npc_engine.commands.bench_lines import line as text_of
from npc_engine.moments import TICK_MS
from npc_engine.playback import AHEAD_MS, CREDIT_SHARE, LEAST_CREDIT_MS
from npc_engine.wire.limits import CREDIT_MS, OPEN_LINES, WIRE_VERSION

TICK_S: Final = TICK_MS / 1000
FREE_TICKS: Final = 15  # 300 ms from a line's first tick on, in which a game may still wait
ROUND_MS: Final = 10  # from one look at what was heard to the next, as in a game of 100 pictures a second
AGAIN_S: Final = 0.5  # until a character tries again whose line was refused
SPREAD_S: Final = 3.0  # in which the characters begin to speak, one after the other


@dataclass(frozen=True, slots=True)
class Job:
    """What a process plays."""

    address: str
    npc: str
    characters: int
    first: int  # the number of the first of them among all
    picture: int  # edge in pixels; 0 for none
    start: float  # monotonic seconds at which the first one speaks
    begin: float  # what happens from here on counts
    end: float  # and up to here


@dataclass(slots=True)
class Played:
    """What was seen from `begin` to `end`, of all characters of a process."""

    heard_s: float = 0.0  # character-seconds
    ticks: int = 0  # that were due
    late: int = 0  # of them, that came after their sample should have been heard
    latest_ms: float = 0.0  # the longest of these waits
    least_ahead_ms: float = float(AHEAD_MS)  # that a tick came before its sample was heard
    first_ms: list[float] = field(default_factory=list)  # of each line: `speak` to its first moment
    pictures: int = 0
    pictures_wanted: int = 0
    messages: int = 0  # from the server
    bytes: int = 0
    lines: int = 0  # that were heard to their ends
    cpu_s: float = 0.0  # of this process
    errors: list[str] = field(default_factory=list)


class Character:
    """One that says a line after the other, and the player's books of the line that is heard."""

    def __init__(self, job: Job, number: int, seen: Played) -> None:
        self._job = job
        self._number = number
        self._seen = seen
        self._said = 0
        self.line = ""
        self._asked = 0.0
        self._zero = 0.0  # when the line's first sample is heard, as far as is known: a wait moves it
        self._ticks = 0  # that have come
        self._ends = -1  # ticks of the whole line, once known
        self._granted = 0  # ms

    def speak(self, now: float) -> dict[str, Any]:
        """Ask for the next line."""
        self._said += 1
        self.line = f"{self._number}.{self._said}"
        self._asked, self._zero, self._ticks, self._ends, self._granted = now, 0.0, 0, -1, CREDIT_MS
        outputs = {"picture": self._job.picture} if self._job.picture else {}
        return {
            "kind": "speak",
            "line": self.line,
            "npc": self._job.npc,
            "text": text_of(self._number, self._said),
            "turn": "beside",
            "outputs": outputs,
        }

    def hear(self, header: dict[str, Any], now: float) -> None:
        """A moment has come, as early or as late as it is."""
        seen, counts = self._seen, self._job.begin <= now < self._job.end
        first, ticks = header["tick"], header["ticks"]
        if not self._ticks:
            self._zero = now
            if counts:
                seen.first_ms.append(1000 * (now - self._asked))
        ahead = self._zero + first * TICK_S - now
        self._ticks = first + ticks
        if counts:
            if first >= FREE_TICKS:
                seen.ticks += ticks
                seen.least_ahead_ms = min(seen.least_ahead_ms, 1000 * ahead)
                if ahead < 0:
                    seen.late += ticks
                    seen.latest_ms = max(seen.latest_ms, -1000 * ahead)
            seen.pictures += "picture" in header
            seen.pictures_wanted += sum(tick % 2 == 0 for tick in range(first, first + ticks))
        if ahead < 0:
            self._zero -= ahead  # the game was silent until now, and goes on from here

    def end(self, ticks: int) -> None:
        """All that the line has was sent."""
        self._ends = ticks

    def fail(self, why: str, now: float) -> None:
        """The line has ended for another reason: the next one follows, but not at once."""
        self._seen.errors.append(why)
        self._zero, self._ticks, self._ends = now + AGAIN_S, 0, 0

    def play(self, now: float, since: float) -> dict[str, Any] | None:
        """What to tell the server, now that sound was heard `since` the last call: credit, the next line or nothing."""
        if not self._zero:
            return None
        heard = now - self._zero
        if 0 <= self._ends <= heard / TICK_S:
            self._seen.lines += self._job.begin <= now < self._job.end
            return self.speak(now)
        heard = min(heard, self._ticks * TICK_S)
        if self._job.begin <= since and now < self._job.end and 0 <= now - self._zero <= self._ticks * TICK_S:
            self._seen.heard_s += now - since
        due = int(1000 * heard + AHEAD_MS - self._granted) // TICK_MS * TICK_MS
        if self._ends >= 0 or due < max(LEAST_CREDIT_MS, AHEAD_MS // CREDIT_SHARE):
            return None
        self._granted += due
        return {"kind": "credit", "line": self.line, "ms": due}


class Players:
    """All characters of a process over as many connections as they need."""

    def __init__(self, job: Job) -> None:
        self.seen = Played()
        self._job = job
        self._context = zmq.Context()
        self._sockets = [self._connected() for _ in range(-(-job.characters // OPEN_LINES))]
        self._characters = [Character(job, job.first + i, self.seen) for i in range(job.characters)]
        self._lines: dict[str, Character] = {}

    def _connected(self) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.RCVHWM, 20_000)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(self._job.address)
        socket.send(msgpack.packb({"kind": "hello", "version": WIRE_VERSION, "client": "bench"}))
        return socket

    def play(self) -> Played:
        """Play until the job's end."""
        job, poller = self._job, zmq.Poller()
        for socket in self._sockets:
            poller.register(socket, zmq.POLLIN)
        waiting = self._staggered()
        cpu = None
        last = time.monotonic()
        while last < job.end:
            for socket, _ in poller.poll(ROUND_MS):
                self._drain(socket)
            now = time.monotonic()
            if cpu is None and now >= job.begin:
                cpu = time.process_time()
            while waiting and waiting[-1][0] <= now:
                number = waiting.pop()[1]
                self._tell(number, self._characters[number].speak(now))
            if 1000 * (now - last) < ROUND_MS:
                continue
            for number, character in enumerate(self._characters):
                message = character.play(now, last)
                if message is not None:
                    self._tell(number, message)
            last = now
        self.seen.cpu_s = time.process_time() - (cpu or 0.0)
        self._context.destroy(0)
        return self.seen

    def _staggered(self) -> list[tuple[float, int]]:
        """When which character begins, the first one last."""
        chance = random.Random(self._job.first)
        times = [(self._job.start + chance.uniform(0, SPREAD_S), i) for i in range(len(self._characters))]
        return sorted(times, reverse=True)

    def _tell(self, number: int, message: dict[str, Any]) -> None:
        if message["kind"] == "speak":
            self._lines[message["line"]] = self._characters[number]
        self._sockets[number // OPEN_LINES].send(msgpack.packb(message))

    def _drain(self, socket: zmq.Socket[bytes]) -> None:
        seen, job = self.seen, self._job
        while True:
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            now = time.monotonic()
            header = msgpack.unpackb(frames[0])
            if job.begin <= now < job.end:
                seen.messages += 1
                seen.bytes += sum(map(len, frames))
            character = self._lines.get(header.get("line", ""))
            kind = header["kind"]
            if character is None or character.line != header["line"]:
                if kind == "error":
                    seen.errors.append(header.get("text", ""))
            elif kind == "moment":
                character.hear(header, now)
            elif kind == "end":
                character.end(header.get("ticks", 0))
            elif kind in {"error", "cancelled"}:
                character.fail(header.get("text") or header.get("reason", ""), now)


if __name__ == "__main__":
    print(json.dumps(asdict(Players(Job(**json.loads(sys.argv[1]))).play())))
