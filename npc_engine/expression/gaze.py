"""Where eyes look: fixations, saccades between them, and a head that follows the large ones.

A saccade of A degrees takes 23 + 2.7 A ms (the main sequence; Collewijn et al. 1988) and is the quicker in its middle
the larger it is, as far as `limits` lets eyes jump. The head takes over a share of what is far aside, starting with the
eyes and arriving a quarter of a second later, while the eyes turn back by as much (the vestibulo-ocular reflex): the
look stays where it is.
"""

from __future__ import annotations

from math import hypot, pi
from random import Random
from typing import Final

from npc_engine.moments import TICK_MS

DEGREE: Final = pi / 180
TICKS: Final = 1000 // TICK_MS  # in a second
SACCADE_MS: Final = (23.0, 2.7)  # and for each degree
HEAD_FROM: Final = 5.0 * DEGREE  # beyond which the head comes along
LARGE: Final = 6.0 * DEGREE  # a shift at which people blink
HEAD_SPEED: Final = 9.0  # 1/s, of the spring that turns the head: 20 degrees a second for a turn of 6

Direction = tuple[float, float]  # radians to the own left, and up
HOME: Final[Direction] = (0.0, 0.0)  # the one who is spoken to


class Spring:
    """Moves softly to wherever it is sent, and may be sent on at any time; critically damped."""

    def __init__(self, speed: float) -> None:
        self.at = 0.0
        self._moving = 0.0  # a second
        self._speed = speed  # 1/s; it has nearly arrived after 4 / speed seconds

    def step(self, goal: float) -> float:
        """Where it is in the next tick, on its way to `goal`."""
        pull = self._speed * self._speed * (goal - self.at) - 2 * self._speed * self._moving
        self._moving += pull / TICKS
        self.at += self._moving / TICKS
        return self.at


class Gaze:
    """The look of one line: where it is sent, at its speed; `follow` is the head's share of what is far aside."""

    def __init__(self, follow: float, pace: float = 1.0) -> None:
        self.goal = HOME
        self._follow = follow
        self._from = HOME
        self._tick = 0
        self._began = 0
        self._ticks = 1.0  # that the saccade takes
        self._at = HOME
        self._head = Spring(HEAD_SPEED * pace), Spring(HEAD_SPEED * pace)

    def look(self, goal: Direction) -> float:
        """Look there from now on; the size of the shift, in radians."""
        self._from, self.goal, self._began = self._at, goal, self._tick
        shift = hypot(goal[0] - self._at[0], goal[1] - self._at[1])
        least, more = SACCADE_MS
        self._ticks = (least + more * shift / DEGREE) / TICK_MS
        return shift

    def step(self) -> tuple[Direction, Direction]:
        """The look, and the head's part of it, in the next tick; the eyes have to turn by the difference."""
        self._tick += 1
        done = min((self._tick - self._began) / self._ticks, 1.0)
        done = done * done * done * (10 + done * (6 * done - 15))  # least jerk
        (left, up), (to_left, to_up) = self._from, self.goal
        self._at = left + (to_left - left) * done, up + (to_up - up) * done
        yaw, pitch = self._head
        return self._at, (yaw.step(self._follow * _beyond(to_left)), pitch.step(self._follow * _beyond(to_up)))


def _beyond(angle: float) -> float:
    """What of an angle lies beyond where eyes go alone; from nothing on without a step."""
    aside = abs(angle)
    if aside <= HEAD_FROM / 2:
        return 0.0
    share = min((aside - HEAD_FROM / 2) / HEAD_FROM, 1.0)
    return angle * share


def aside(chance: Random, yaw: tuple[float, float], pitch: tuple[float, float]) -> Direction:
    """A direction of a size between two in degrees, to either side, and between two up or down (below 0)."""
    return chance.choice((-1, 1)) * chance.uniform(*yaw) * DEGREE, chance.uniform(*pitch) * DEGREE
