"""Blinks: two lids that fall fast and rise slowly, every few seconds and when there is an occasion.

Times of a blink: lids fall in about 90 ms, stay shut for 10 to 30 and rise in 150 to 200 (VanderWerf et al. 2003;
Evinger et al. 1991: rising takes about twice as long). Occasions: large gaze shifts (Evinger et al. 1994) and the ends
of phrases (Nakano & Kitazawa 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from random import Random
from typing import Final

from npc_engine.moments import TICK_MS

TICKS: Final = 1000 // TICK_MS  # in a second
CLOSING: Final = (4.4, 5.0)  # ticks; the limits let lids fall in no less
SHUT: Final = (0.5, 1.5)
OPENING: Final = (8.0, 10.5)
EASES_OUT: Final = 0.85  # exponent of the time in which lids rise: they leave quicker than they arrive
LAG: Final = 0.8  # ticks, at most, by which one lid is behind the other
TWICE: Final = 0.12  # share of blinks that are followed by another one at once
BETWEEN: Final = (1, 4)  # ticks from such a blink's end to the other one's begin
FIRST_S: Final = (0.4, 4.5)  # after the line's start; never in the first 300 ms
SPREAD: Final = 4.0  # shape of the gamma distribution of the times between: the deviation is half of the mean
LEAST_S, MOST_S = 1.2, 15.0  # from blink to blink
RESTED: Final = 0.45  # of the mean time between, after which an occasion may bring out the next


@dataclass(frozen=True, slots=True)
class Blink:
    """One movement of both lids; times in ticks."""

    begin: int
    closing: float
    shut: float
    opening: float
    lags: tuple[float, float]  # of the left lid and the right one

    @property
    def end(self) -> int:
        """The first tick in which both lids are open again."""
        return self.begin + int(self.closing + self.shut + self.opening + max(self.lags)) + 1

    def lids(self, tick: int) -> tuple[float, float]:
        """How far the left lid and the right one are down, 0..1."""
        left, right = (self._down(tick + 1 - self.begin - lag) for lag in self.lags)
        return left, right

    def _down(self, at: float) -> float:
        if at <= 0:
            return 0.0
        if at < self.closing:
            return 0.5 - 0.5 * cos(pi * at / self.closing)
        risen = (at - self.closing - self.shut) / self.opening
        if risen <= 0:
            return 1.0
        return 0.5 + 0.5 * cos(pi * risen**EASES_OUT) if risen < 1 else 0.0


class Blinks:
    """The lids of one line, `pace` times as quick as usual.

    `every_s`: seconds from blink to blink in the mean, where there is no occasion for one.
    """

    def __init__(self, chance: Random, every_s: float, pace: float = 1.0) -> None:
        self._chance = chance
        self._every = every_s
        self._pace = pace
        self._tick = 0
        self._next = int(chance.uniform(*FIRST_S) * TICKS)
        self._last = 0  # tick at which the last one began
        self._now: Blink | None = None
        self._again = False  # another one follows the one that goes on

    def occasion(self, likely: float) -> None:
        """Something at which people blink, with the probability `likely`; too soon after the last one nothing comes."""
        if (
            self._chance.random() < likely
            and self._now is None
            and self._tick - self._last > RESTED * self._every * TICKS
        ):
            self._next = min(self._next, self._tick)

    def step(self) -> tuple[float, float]:
        """How far the left lid and the right one are down in the next tick, 0..1."""
        tick, self._tick = self._tick, self._tick + 1
        if self._now is not None and tick >= self._now.end:
            self._now = None
            if self._again:
                self._next = tick + self._chance.randint(*BETWEEN)
        if self._now is None and tick >= self._next:
            self._begin(tick)
        return self._now.lids(tick) if self._now is not None else (0.0, 0.0)

    def _begin(self, tick: int) -> None:
        chance, slow = self._chance, self._pace**-0.35
        lag = chance.uniform(0.0, LAG)
        self._now = Blink(
            tick,
            max(chance.uniform(*CLOSING) * slow, CLOSING[0]),
            chance.uniform(*SHUT),
            chance.uniform(*OPENING) * slow,
            (lag, 0.0) if chance.random() < 0.5 else (0.0, lag),
        )
        self._again = not self._again and chance.random() < TWICE
        self._last = tick
        wait = self._every * chance.gammavariate(SPREAD, 1 / SPREAD)
        self._next = tick + int(min(max(wait, LEAST_S), MOST_S) * TICKS)
