"""Small movements with a begin and an end: nods, and whatever else a face does between two looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sin
from random import Random
from typing import Final

from npc_engine.expression.gaze import TICKS

SLACKENS: Final = 0.3  # share of a gesture that is lost while it is held


class Nods:
    """Dips of the head; they may overlap."""

    def __init__(self) -> None:
        self._tick = 0
        self._dips: list[tuple[int, int, float]] = []  # begin, ticks, depth

    @property
    def still(self) -> bool:
        """Whether no nod goes on, or is to come."""
        return not self._dips

    def add(self, depth: float, seconds: float, after_s: float = 0.0) -> None:
        """Nod: `depth` radians down and back within `seconds`, beginning `after_s` from now."""
        self._dips.append((self._tick + int(after_s * TICKS), max(int(seconds * TICKS), 1), depth))

    def step(self) -> float:
        """How far the head is down in the next tick, radians."""
        if not self._dips:
            self._tick += 1
            return 0.0
        down = 0.0
        for begin, ticks, depth in self._dips:
            done = (self._tick + 1 - begin) / ticks
            if 0 < done < 1:
                # down quicker than up: the deepest point comes at two fifths
                down += depth * sin(pi * done**0.757) ** 2
        self._tick += 1
        self._dips = [dip for dip in self._dips if self._tick < dip[0] + dip[1]]
        return down


@dataclass(frozen=True, slots=True)
class Gesture:
    """Channel → how much of it; comes in `rise` seconds, stays for `hold` (least, most) and goes in `fall`."""

    shape: Mapping[int, float]
    rise: float
    hold: tuple[float, float]
    fall: float


class Gestures:
    """Now and then one of several gestures, every `every_s` (least, most) seconds; never two at once."""

    def __init__(
        self, chance: Random, gestures: Sequence[Gesture], every_s: tuple[float, float], pace: float, size: float
    ) -> None:
        self._chance, self._gestures = chance, gestures
        self._every = every_s[0] / pace, every_s[1] / pace
        self._pace, self._size = pace, size
        self._tick = 0
        self._times = (0.0, 0.0, 0.0)  # in ticks: rise, hold, fall of the one that goes on
        self._now: Gesture | None = None
        self._amount = 0.0
        self._begin = self._later(0.3)

    def _later(self, share: float = 1.0) -> int:
        return self._tick + int(self._chance.uniform(*self._every) * share * TICKS)

    def step(self, row: list[float]) -> None:
        """Add the next tick's to `row`, 50 values."""
        tick, self._tick = self._tick, self._tick + 1
        if tick < self._begin or not self._gestures:
            return
        if self._now is None:
            self._now = self._chance.choice(self._gestures)
            self._amount = self._size * self._chance.uniform(0.6, 1.1)
            hold = self._chance.uniform(*self._now.hold)
            rise, fall = self._now.rise / self._pace, self._now.fall / self._pace
            self._times = (rise * TICKS, hold * TICKS, fall * TICKS)
        amount = self._amount * _shape(tick + 1 - self._begin, *self._times)
        if amount <= 0:
            self._now = None
            self._begin = self._later()
            return
        for channel, size in self._now.shape.items():
            row[channel] += size * amount


def _shape(at: float, rise: float, hold: float, fall: float) -> float:
    """0..1 after `at` ticks; what is held slackens on the way."""
    if at < rise:
        return _soft(at / rise)
    if at < rise + hold:
        return 1 - SLACKENS * _soft((at - rise) / hold)
    return (1 - SLACKENS) * _soft(max(1 - (at - rise - hold) / fall, 0.0))


def _soft(share: float) -> float:
    return share * share * (3 - 2 * share)
