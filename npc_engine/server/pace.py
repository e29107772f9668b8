"""Whether a line is made fast enough to be heard without a gap, and how many of its pictures there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from npc_engine.moments import TICK_MS, Outputs
from npc_engine.server.metrics import Work
from npc_engine.wire.limits import PICTURE_EDGE

MOST_S: Final = 0.6  # of a lead that count: as much as games keep ahead, so that an easy minute hides no hard second
ENOUGH_S: Final = 0.2  # of a lead, from which on no picture is left out
LATE_S: Final = 0.2  # behind what is heard, from which on a line is late: games ride out more than that
WORSE_S: Final = 0.1  # of work from one step to fewer pictures to the next
BETTER_S: Final = 1.0  # and back: slower, so that pictures do not flicker between two rates

RATES: Final = ((1, 1), (2, 1), (4, 1), (4, 2), (12, 2))
"""Steps to fewer pictures: one of how many is drawn, and by what its edge is divided."""


class Shortage:
    """How many lines of an engine have too little time at the moment; written by the threads that make them."""

    def __init__(self) -> None:
        self._short: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._short)

    def note(self, pace: Pace, *, short: bool) -> None:
        """Whether the line of `pace` has too little time."""
        if short:
            self._short.add(id(pace))
        else:
            self._short.discard(id(pace))


class Pace:
    """The pace of one line, for the thread that makes it; others read `late`.

    Its lead is the time that its ticks last, less the time that it took to make them: what a game that plays it from
    its first moment on would have left. Time in which the line waits for credit, or for text or sound that has not come
    (`wait`), is no work and takes nothing off. Of the first `undrawn` ticks no picture is due.
    """

    def __init__(
        self,
        outputs: Outputs,
        shortage: Shortage,
        work: Work,
        now: Callable[[], float] = time.monotonic,
        undrawn: int = 0,
    ) -> None:
        self._outputs = outputs
        self._shortage = shortage
        self._work = work
        self._now = now
        self._undrawn = undrawn
        self._last: float | None = None  # by the clock, when the lead was last reckoned; None: nothing was made yet
        self._lead = 0.0
        self._worked = 0.0  # since the first tick
        self._step = 0  # of RATES
        self._stepped = 0.0  # in terms of _worked
        self._due = 0  # pictures that were due, drawn or not

    @property
    def late(self) -> bool:
        """Whether its sound comes too late, however few pictures are drawn."""
        return self._lead < -LATE_S

    def made(self) -> None:
        """A tick has been made."""
        now = self._now()
        if self._last is None:
            self._last = now
            return
        took, self._last = now - self._last, now
        self._worked += took
        self._lead = min(MOST_S, self._lead + TICK_MS / 1000 - took)
        self._reckon()

    def wait(self, seconds: float) -> None:
        """The line has waited for others."""
        if self._last is not None:
            self._last = min(self._last + seconds, self._now())

    def _reckon(self) -> None:
        # at its beginning a line has no lead, and nobody is short for that: half of real time is room enough
        short = self._lead < min(ENOUGH_S, self._worked / 2)
        since = self._worked - self._stepped
        if short and self._step < len(RATES) - 1 and since >= WORSE_S:
            self._step, self._stepped = self._step + 1, self._worked
        elif not short and self._step and self._lead >= MOST_S / 2 and since >= BETTER_S:
            self._step, self._stepped = self._step - 1, self._worked
        self._shortage.note(self, short=short and self._worked > WORSE_S)

    def edge(self, tick: int) -> int:
        """The edge in pixels of the picture that is due in `tick`; 0 leaves it out. The first one is never left out."""
        if tick < self._undrawn:
            return 0
        asked = self._outputs.picture
        if not self._outputs.thin:
            return asked
        one_of, divisor = RATES[self._step]
        due, self._due = self._due, self._due + 1
        if tick and due % one_of:
            self._work.thinned += 1
            return 0
        edge = max(asked // divisor, min(asked, PICTURE_EDGE[0]))
        self._work.shrunk += edge < asked
        return edge

    def close(self) -> None:
        """The line is over."""
        self._shortage.note(self, short=False)
