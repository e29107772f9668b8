"""Whom and what a character looks at: while it speaks, while it listens, while it waits.

Speakers look away while they plan what to say, at the start and where they hesitate, and back at the listener as they
get on and when they come to an end (Kendon 1967). Listeners look at the speaker for three quarters of the time (Argyle
& Cook 1976): at one eye, the other, the mouth.
"""

from __future__ import annotations

from random import Random
from typing import Final

from npc_engine.expression.gaze import DEGREE, HOME, TICKS, Direction, aside

PHRASE_ENDS: Final = 7  # ticks of quiet after which a phrase has ended
HESITATES: Final = 22  # ticks of quiet after which nobody knows what comes next; lines end in less
LEAST: Final = 13  # ticks that a look stays, whatever is said

THINKS_FIRST: Final = 0.55  # share of lines that begin with a look away
THINKS: Final = 0.6  # share of hesitations in which the eyes go away
BACK: Final = 0.9  # share of phrases at whose end, or at whose begin after a hesitation, the eyes come back
STRAYS: Final = 0.4  # share of looks at the listener that a short look beside follows
DISTRACTED: Final = 0.15  # share of a listener's looks that go somewhere else
RETURNS: Final = 0.3  # share of looks, while waiting, at the one who may say something


class Looks:
    """When to look where; a subclass says where next. `pace` times as quick as usual, `size` times as far."""

    def __init__(self, chance: Random, pace: float, size: float) -> None:
        self._chance, self._pace, self._size = chance, pace, size
        self._tick = 0
        self._next = 0
        self._since = 0  # when the look came where it is
        self._home = True  # at the one who is spoken to

    def step(self, quiet: int) -> Direction | None:
        """Where to look from now on, after `quiet` ticks without speech; nothing as long as the look stays."""
        self._hear(quiet)
        goal = None
        if self._tick >= self._next:
            goal = self._choose()
            self._since = self._tick
        self._tick += 1
        return goal

    def _hear(self, quiet: int) -> None:
        """Change plans by what is said."""

    def _choose(self) -> Direction:
        raise NotImplementedError

    def _stay(self, least_s: float, most_s: float) -> None:
        self._next = self._tick + max(int(self._chance.uniform(least_s, most_s) / self._pace * TICKS), 3)

    def _near(self, degrees: float) -> Direction:
        """The face of the other one: at one eye, the other, the mouth."""
        self._home = True
        part = self._chance.choice((-1.0, 1.0, 0.0))
        down = 0.2 if part else -0.9
        return part * degrees * DEGREE, (down * degrees + self._chance.uniform(-0.2, 0.2)) * DEGREE

    def _beside(self, yaw: tuple[float, float], pitch: tuple[float, float]) -> Direction:
        self._home = False
        left, up = aside(self._chance, yaw, pitch)
        return left * self._size, up * self._size


class Speaking(Looks):
    """Looks of somebody who speaks."""

    def __init__(self, chance: Random, pace: float, size: float) -> None:
        super().__init__(chance, pace, size)
        self._quiet = 0
        self._thinks = chance.random() < THINKS_FIRST  # the next look goes away, for long
        self._strays = False  # or away, for a moment
        self._next = int((chance.uniform(0.06, 0.24) if self._thinks else chance.uniform(0.6, 2.0)) * TICKS)

    def _hear(self, quiet: int) -> None:
        spoke, self._quiet = self._quiet, quiet
        if quiet == PHRASE_ENDS or (not quiet and spoke >= HESITATES):
            if not self._home and self._chance.random() < BACK:
                soon = max(self._tick + self._chance.randint(0, 5), self._since + LEAST)
                self._next = min(self._next, soon)
                self._thinks = self._strays = False
        elif quiet == HESITATES and self._home and self._chance.random() < THINKS:
            self._next, self._thinks = self._tick, True

    def _choose(self) -> Direction:
        chance = self._chance
        thinks, strays, self._thinks, self._strays = self._thinks, self._strays, False, False
        if thinks:
            self._stay(0.5, 1.1)
            return self._beside((5, 9), (2, 5) if chance.random() < 0.6 else (-5, -2))
        if strays:
            self._stay(0.3, 0.8)
            return self._beside((2.5, 6), (-3, 2))
        self._strays = chance.random() < STRAYS
        self._stay(0.8, 2.4)
        return self._near(0.7)


class Listening(Looks):
    """Looks of somebody who listens."""

    def __init__(self, chance: Random, pace: float, size: float) -> None:
        super().__init__(chance, pace, size)
        self._next = int(chance.uniform(0.2, 0.8) * TICKS)

    def _choose(self) -> Direction:
        if self._home and self._chance.random() < DISTRACTED:
            self._stay(0.35, 0.8)
            return self._beside((3, 6), (-4, 2))
        self._stay(0.6, 2.2)
        return self._near(1.1)


class Waiting(Looks):
    """Looks of somebody who has nothing to do: they wander, stay a while, and go on from where they are."""

    def __init__(self, chance: Random, pace: float, size: float) -> None:
        super().__init__(chance, pace, size)
        self._at = HOME
        self._next = int(chance.uniform(0.4, 1.2) * TICKS)

    def _choose(self) -> Direction:
        chance = self._chance
        kind = chance.random()
        if kind < RETURNS:
            self._stay(0.9, 2.4)
            self._at = self._near(1.0)
        elif kind < RETURNS + 0.3 and not self._home:  # something else near what is looked at
            self._stay(0.4, 1.4)
            nudge = aside(chance, (1, 3), (-1.5, 1.5))
            self._at = self._at[0] + nudge[0], self._at[1] + nudge[1]
        else:
            self._stay(0.9, 3.2)
            self._at = self._beside((5, 13), (-6, 3))
        return self._at
