"""Hands out computing: few threads compute at a time, those of urgent lines first, and clients get equal shares.

Lines have threads of their own, because a voice may wait for text or sound; but a hundred threads that compute at once
are all late, fight for the interpreter, and the one that a player waits for is behind all others.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final

SOON_S: Final = 0.1  # a line whose sound runs out within this is as urgent as one that has not begun
FIRST_S: Final = 0.05  # in which a line's first moment should leave, where the game names no deadline
PATIENCE_S: Final = 0.25  # a place that is held longer (a slow voice, a read from the disk) keeps nobody else waiting


class _Share:
    """What a client has used of the places, in seconds; lines of the client hold it."""

    __slots__ = ("__weakref__", "used")

    def __init__(self) -> None:
        self.used = 0.0


class Gate:
    """At most `places` threads compute at a time, by default one for each core and one more.

    Whoever waits goes in this order: the higher priority; lines that have not begun to sound or will fall silent
    within SOON_S, of these the one whose client has used least; then the line whose sound runs out first.
    """

    def __init__(self, places: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._free = places or (os.cpu_count() or 1) + 1
        self._now = now
        self._lock = threading.Lock()
        self._waiting: list[Turn] = []  # in the order in which they came
        self._computing: set[Turn] = set()
        self._shares: weakref.WeakValueDictionary[Hashable, _Share] = weakref.WeakValueDictionary()
        self._floor = 0.0  # share of the one that last went in: who comes anew has used no less

    @property
    def waiting(self) -> int:
        """Threads that wait for a place."""
        return len(self._waiting)

    def now(self) -> float:
        """Its clock, in seconds."""
        return self._now()

    def turn(self, client: Hashable, priority: int = 0, deadline_s: float = 0.0) -> Turn:
        """For one thread of a line that begins now; `deadline_s`: until its first moment must leave, 0 for none."""
        with self._lock:
            share = self._shares.setdefault(client, _Share())
        return Turn(self, share, priority, self._now() + (deadline_s or FIRST_S))

    def _rank(self, turn: Turn, now: float) -> tuple[int, bool, float, float]:
        soon = turn.due < now + SOON_S
        return -turn.priority, not soon, turn.share.used if soon else 0.0, turn.due

    def _begin(self, turn: Turn) -> bool:
        with self._lock:
            if turn.stopped or turn in self._computing:
                return not turn.stopped
            turn.share.used = max(turn.share.used, self._floor)
            if self._free > 0:
                self._admit(turn)
                return True
            self._waiting.append(turn)
        return self._wait(turn)

    def _wait(self, turn: Turn) -> bool:
        while not turn.go.acquire(timeout=PATIENCE_S):
            self._relieve()
        if turn.stopped:
            self._end(turn)
        return not turn.stopped

    def _admit(self, turn: Turn) -> None:
        """A place for `turn`; the lock is held."""
        self._free -= 1
        self._floor = max(self._floor, turn.share.used)
        turn.since, turn.counts = self._now(), True
        self._computing.add(turn)

    def _leave(self, turn: Turn) -> None:
        """Give a place back, if `turn` has one; the lock is held."""
        if turn in self._computing:
            self._computing.remove(turn)
            turn.share.used += self._now() - turn.since
            self._free += turn.counts

    def _admit_next(self) -> None:
        """Fill the free places; the lock is held."""
        while self._free > 0 and self._waiting:
            now = self._now()
            turn = min(self._waiting, key=lambda waiting: self._rank(waiting, now))
            self._waiting.remove(turn)
            self._admit(turn)
            turn.go.release()

    def _end(self, turn: Turn) -> None:
        with self._lock:
            self._leave(turn)
            self._admit_next()

    def _offer(self, turn: Turn) -> bool:
        with self._lock:
            now = self._now()
            mine = self._rank(turn, now)
            if (
                turn not in self._computing
                or turn.stopped
                or not any(self._rank(waiting, now) < mine for waiting in self._waiting)
            ):
                return not turn.stopped
            self._leave(turn)
            self._admit_next()
            if self._free > 0:  # it held a place that did not count
                self._admit(turn)
                return True
            self._waiting.append(turn)
        return self._wait(turn)

    def _stop(self, turn: Turn) -> None:
        with self._lock:
            turn.stopped = True
            if turn in self._waiting:
                self._waiting.remove(turn)
                turn.go.release()

    def _relieve(self) -> None:
        """Those that have computed for long count no more."""
        with self._lock:
            long_since = self._now() - PATIENCE_S
            for turn in self._computing:
                if turn.counts and turn.since <= long_since:
                    turn.counts = False
                    self._free += 1
            self._admit_next()


class Turn:
    """One thread's way through the gate. That thread calls `begin`, `offer` and `end`; any thread calls `stop`.

    `due`, by the gate's clock: when what the thread has made so far will have been heard. The thread moves it. The
    other attributes are the gate's.
    """

    __slots__ = ("_gate", "counts", "due", "go", "priority", "share", "since", "stopped")

    def __init__(self, gate: Gate, share: _Share, priority: int, due: float) -> None:
        self.due = due
        self.priority = priority
        self.stopped = False
        self._gate = gate
        self.share = share
        self.since = 0.0
        self.counts = True  # against the places
        self.go = threading.Lock()  # held but for the moment in which the turn comes
        self.go.acquire()

    def begin(self) -> bool:
        """Wait until there is a place; false, and no place, for a line that was stopped."""
        return self._gate._begin(self)  # noqa: SLF001 - the gate's own

    def offer(self) -> bool:
        """Let those that are more urgent go first; false for a line that was stopped."""
        if self._gate.waiting:
            return self._gate._offer(self)  # noqa: SLF001
        return not self.stopped

    def end(self) -> None:
        """Give the place back; nothing happens where there is none."""
        self._gate._end(self)  # noqa: SLF001

    def stop(self) -> None:
        """The line has ended: whoever waits in `begin` goes on without a place. Returns at once."""
        self._gate._stop(self)  # noqa: SLF001

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Wait for something without a place; afterwards there is one again, but for a line that was stopped."""
        self.end()
        try:
            yield
        finally:
            self.begin()
