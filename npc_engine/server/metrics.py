"""What the engine has done and is doing, in plain numbers: counted where it happens, for microseconds.

The wire thread begins and ends lines; the threads that make a line write its `Work`, each its own fields. The wire's
`stats` reads a `ClientFigures`; `server/exposition.py` shows all to Prometheus, from a thread of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, fields
from typing import Final, TypeVar

from npc_engine.moments import SAMPLE_RATE, TICK_SAMPLES, Line
from npc_engine.wire.effects import Effect, Send
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, Reply, Speak

BUCKETS_S: Final = (0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
"""Upper ends of the first-moment histogram's buckets; 0.15 is the promise for 32 lines at once."""
STAGES: Final = ("speech", "expression", "picture", "encode", "send")
FIRSTS: Final = 64  # first moments of a client of which `first_moment_ms` is the median
LOAD_S: Final = 0.5  # of the process's CPU time that `load` is about, at least
ENDED, CANCELLED, FAILED, REFUSED, LOST = "ended", "cancelled", "failed", "refused", "lost"
"""How a line can end; refused: before it was accepted, lost: its client has gone."""

TOO_LATE: Final = "too-late"  # of a line that was accepted and given up: as good as refused

T = TypeVar("T")


@dataclass(slots=True)
class Work:
    """What was done for lines, and the CPU seconds that it took; each field is written by one thread."""

    samples: int = 0  # of sound, made by the voice
    ticks: int = 0  # sent
    pictures: int = 0  # made
    thinned: int = 0  # pictures left out, for want of time
    damped: int = 0  # pictures whose expression the identity guard held back
    shrunk: int = 0  # pictures smaller than asked, for want of time
    speech_s: float = 0.0
    expression_s: float = 0.0
    picture_s: float = 0.0
    encode_s: float = 0.0
    send_s: float = 0.0

    def add(self, other: Work) -> None:
        """Take in what was done elsewhere."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def speech(self, items: Iterable[T]) -> Generator[T, None, None]:
        """The same items; making them counts as speech, the waiting for text in it does not."""
        with closing(_timed(items)) as timed:
            for item, took in timed:
                self.speech_s += took
                yield item

    def expression(self, items: Iterable[T]) -> Generator[T, None, None]:
        """The same items; making them counts as expression."""
        with closing(_timed(items)) as timed:
            for item, took in timed:
                self.expression_s += took
                yield item

    def drawing(self, items: Iterable[T]) -> Generator[T, None, None]:
        """The same items, in whose making expressions are made; the rest of it counts as picture."""
        expressed = self.expression_s
        with closing(_timed(items)) as timed:
            for item, took in timed:
                self.picture_s += max(0.0, took - (self.expression_s - expressed))
                yield item
                expressed = self.expression_s


def _timed(items: Iterable[T]) -> Generator[tuple[T, float], None, None]:
    """Items, and the CPU seconds that this thread worked for each; closing closes the iterator of `items`."""
    source = iter(items)
    try:
        while True:
            began = time.thread_time()
            try:
                item = next(source)
            except StopIteration:
                return
            yield item, time.thread_time() - began
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


class LineFigures:
    """One open line."""

    __slots__ = ("began", "first_s", "npc", "silent", "waited", "work")

    def __init__(self, line: Line, work: Work, began: float) -> None:
        self.npc = line.npc
        self.silent = bool(line.attitude)
        self.work = work
        self.began = began  # when `speak` was read
        self.waited: bool | None = None  # whether it had to wait for its character; None: not accepted yet
        self.first_s: float | None = None  # until its first moment was handed to ZeroMQ

    @property
    def queued_samples(self) -> int:
        """Sound that was made and not sent."""
        return max(0, self.work.samples - self.work.ticks * TICK_SAMPLES)


class ClientFigures:
    """One connection's lines; read and written by the wire thread."""

    def __init__(self) -> None:
        self.open: dict[str, LineFigures] = {}
        self.closed = Work()
        self.refused = 0
        self._firsts: deque[float] = deque(maxlen=FIRSTS)

    @property
    def work(self) -> Work:
        """Of all its lines so far."""
        work = Work()
        for one in (self.closed, *(line.work for line in self.open.values())):
            work.add(one)
        return work

    @property
    def queued_ms(self) -> int:
        """Of its sound that is made and not sent."""
        return sum(line.queued_samples for line in self.open.values()) * 1000 // SAMPLE_RATE

    @property
    def first_moment_ms(self) -> int:
        """From `speak` to the first moment, the median of its last lines; 0 while there was none."""
        firsts = sorted(self._firsts)
        return round(1000 * firsts[len(firsts) // 2]) if firsts else 0

    def saw_first(self, seconds: float) -> None:
        """A line's first moment has left."""
        self._firsts.append(seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How lines ended; `code` of the wire's error, for those that failed or were refused."""

    silent: bool
    how: str
    code: str = ""


@dataclass(slots=True)
class Counts:
    """What was counted since the start."""

    lines: Counter[Outcome] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)  # by code: of all errors that were answered
    firsts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))  # in each bucket, and above the last
    firsts_s: float = 0.0  # all together
    reloads: Counter[str] = field(default_factory=Counter)  # of voices and faces: loaded, broken, removed
    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    ignored: int = 0  # messages of connections that had ended, or are let in no more
    strangers: int = 0  # handshakes that were refused
    held: int = 0  # replies that a client's connection could not take at once
    gone: int = 0  # clients
    given_up: int = 0  # of them, because they left too much unread


class Metrics:
    """The engine's figures. The wire thread's methods are cheap; `total` may be asked by any thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time) -> None:
        self.counts = Counts()
        self.clients = 0
        self.connections = 0
        self._now = now
        self._cpu = cpu
        self._lines: set[LineFigures] = set()
        self._closed = Work()
        self._changing = threading.Lock()  # of `_lines` and `_closed` together: a total must never go back
        self._load = 0.0
        self._load_from = now(), cpu()
        self._cores = _cores()

    # ── lines; the wire thread ────────────────────────────────────────────────────────────────────────────────

    def begin(self, client: ClientFigures, line: Line, work: Work) -> None:
        """A line was read off the socket and begins; those who make it write `work`."""
        figures = client.open[line.id] = LineFigures(line, work, self._now())
        with self._changing:
            self._lines.add(figures)

    def answer(self, client: ClientFigures, speak: Speak, effects: Sequence[Effect]) -> None:
        """What a `speak` has brought about; counted here if it was refused at once."""
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, ErrorMessage) and effect.message.ends:
                self.refuse(client, effect.message.code, silent=bool(speak.attitude))

    def say(self, client: ClientFigures, message: Reply) -> LineFigures | None:
        """A message is about to be sent; the figures of the line that it ends, if it ends one."""
        if isinstance(message, Accepted):
            figures = client.open.get(message.line)
            if figures is not None and figures.waited is None:
                figures.waited = message.place > 0  # for a former line: its first moment will tell nothing
        elif isinstance(message, End):
            return self.end(client, message.line, ENDED)
        elif isinstance(message, Cancelled):
            return self.end(client, message.line, CANCELLED)
        elif isinstance(message, ErrorMessage):
            self.counts.errors[message.code] += 1
            if message.ends:
                return self.end(client, message.line, FAILED, message.code)
        return None

    def sent(self, client: ClientFigures, line: str, ticks: int, took_s: float) -> None:
        """Ticks of a line were handed to ZeroMQ, for so many CPU seconds."""
        figures = client.open.get(line)
        if figures is None:  # its client has gone in the midst of it
            return
        figures.work.ticks += ticks
        figures.work.send_s += took_s
        if figures.first_s is None:
            figures.first_s = self._now() - figures.began
            if not figures.silent and not figures.waited:
                self._first(client, figures.first_s)

    def _first(self, client: ClientFigures, seconds: float) -> None:
        client.saw_first(seconds)
        bucket = next((i for i, most in enumerate(BUCKETS_S) if seconds <= most), len(BUCKETS_S))
        self.counts.firsts[bucket] += 1
        self.counts.firsts_s += seconds

    @staticmethod
    def first_s(client: ClientFigures, line: str) -> float | None:
        """Seconds from a line's `speak` to its first moment; None for one that had to wait for its character."""
        figures = client.open.get(line)
        return None if figures is None or figures.waited else figures.first_s

    def end(self, client: ClientFigures, line: str, how: str, code: str = "") -> LineFigures | None:
        """A line has ended; its figures, or None for one that never began. A failure before `accepted` is a refusal."""
        figures = client.open.pop(line, None)
        if figures is None:
            return None
        if how == FAILED and (figures.waited is None or code == TOO_LATE):
            how = REFUSED
            client.refused += 1
        self.counts.lines[Outcome(figures.silent, how, code)] += 1
        client.closed.add(figures.work)
        with self._changing:
            self._closed.add(figures.work)
            self._lines.discard(figures)
        return figures

    def refuse(self, client: ClientFigures, code: str, *, silent: bool) -> None:
        """A line was refused before it began."""
        client.refused += 1
        self.counts.lines[Outcome(silent, REFUSED, code)] += 1

    def leave(self, client: ClientFigures) -> None:
        """A client has gone, and its lines with it."""
        self.counts.gone += 1
        for line in tuple(client.open):
            self.end(client, line, LOST)

    def read(self, frames: Sequence[bytes]) -> None:
        """A message has come."""
        self.counts.messages_in += 1
        self.counts.bytes_in += sum(map(len, frames))

    def wrote(self, frames: Sequence[bytes]) -> None:
        """A message was handed to ZeroMQ."""
        self.counts.messages_out += 1
        self.counts.bytes_out += sum(map(len, frames))

    # ── all together; any thread ──────────────────────────────────────────────────────────────────────────────

    def total(self) -> tuple[Work, int, int, int]:
        """The work for all lines so far; open lines that speak, those that say nothing, samples made and not sent."""
        work = Work()
        with self._changing:
            work.add(self._closed)
            for figures in self._lines:
                work.add(figures.work)
            silent = sum(figures.silent for figures in self._lines)
            queued = sum(figures.queued_samples for figures in self._lines)
            return work, len(self._lines) - silent, silent, queued

    def load(self) -> float:
        """How busy the process was, 0..1 of the cores that it may use, over the last half second or longer."""
        now, cpu = self._now(), self._cpu()
        then, before = self._load_from
        if now - then >= LOAD_S:
            self._load_from = now, cpu
            self._load = (cpu - before) / ((now - then) * self._cores)
        return self._load


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        with suppress(OSError):
            return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
