"""A character that says nothing: it listens, or waits. Expressions without speech, tick by tick, as long as wanted.

What moves is what moves in speech (`life`), with other looks; beside that the head shifts its weight from one tilt to
another, brows and lips stir now and then, and who listens nods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

from npc_engine.expression.contacts import Contact
from npc_engine.expression.emotion import Feeling
from npc_engine.expression.gaze import DEGREE, TICKS, Spring
from npc_engine.expression.gestures import Gesture, Gestures
from npc_engine.expression.joining import fading
from npc_engine.expression.life import NOTHING_SAID, Body, chance_of, split
from npc_engine.expression.limits import Exps, Limiter, ease
from npc_engine.expression.looks import Listening, Looks, Waiting
from npc_engine.expression.style import Style, found
from npc_engine.moments import CHANNEL, EXP50, TICK_MS, TICK_SAMPLES, Expression, Line, breathed

EASE: Final = 300 // TICK_MS  # ticks in which a face comes to rest at the end
BLOCK: Final = 2  # ticks made at once: of the pictures that are usual, one
SPEED: Final = 3.2  # 1/s, of a head that shifts its weight: a good second from tilt to tilt
NEVER: Final = 2**60  # ticks


@dataclass(frozen=True, slots=True)
class Manner:
    """How an attitude looks; times in seconds, angles in radians, sizes at lively style."""

    looks: type[Looks]
    sway: float  # of the head, against that of speech
    shift_every: tuple[float, float]
    shift: tuple[float, float, float]  # pitch, yaw and roll of a tilt, to either side at most
    nod_every: tuple[float, float] | None
    blinks: float  # seconds from blink to blink, times those of speech
    feels: float  # share of a line's emotion that shows
    held: dict[str, float]  # always there
    gesture_every: tuple[float, float]


MANNERS: Final = {
    "listening": Manner(
        Listening, 0.45, (3.5, 8.0), (1.2 * DEGREE, 1.6 * DEGREE, 3.2 * DEGREE), (2.4, 6.0), 0.88, 0.75,
        {"browInnerUp": 0.10, "browOuterUpLeft": 0.06, "browOuterUpRight": 0.06}, (4.0, 9.0),
    ),
    "idle": Manner(
        Waiting, 0.6, (4.0, 9.0), (1.8 * DEGREE, 2.6 * DEGREE, 2.6 * DEGREE), None, 1.0, 0.6, {}, (3.0, 8.0),
    ),
}  # fmt: skip
"""Attitude → how it looks."""

NODS: Final = (0.45, 0.30, 0.15)  # probability of one nod, two, three
NOD_DEPTH, NOD_S = (1.4 * DEGREE, 2.8 * DEGREE), 0.42

# What stirs, beside the emotion's own: coefficients without a side stand for both
_BROWS: Final = {"browInnerUp": 0.22, "browOuterUp": 0.26}
_PRESS: Final = {"mouthPress": 0.38, "mouthRollLower": 0.16, "mouthRollUpper": 0.10}
_SMILE: Final = {"mouthSmile": 0.20, "cheekSquint": 0.10, "eyeSquint": 0.06}
_ASIDE: Final = {"mouthLeft": 0.16, "mouthDimpleLeft": 0.16}
_FROWN: Final = {"browDown": 0.24, "eyeSquint": 0.10}
_SAG: Final = {"mouthFrown": 0.18, "mouthShrugLower": 0.14}
STIRS: Final = {
    "neutral": (_BROWS, _PRESS, _SMILE, _ASIDE),
    "happy": (_BROWS, _SMILE, _SMILE, _SMILE),
    "sad": (_SAG, _PRESS, _SAG),
    "angry": (_FROWN, _PRESS, _FROWN),
    "afraid": (_BROWS, _PRESS),
    "surprised": (_BROWS, _BROWS, _PRESS),
    "disgusted": (_FROWN, _ASIDE, _SAG),
}
"""Emotion → what stirs now and then."""


def at_rest(line: Line) -> Iterator[Expression]:
    """The expressions of a line with an attitude, in silence, without end, or of `line.lasts_ms` ms.

    A line that ends eases into neutral within its last 300 ms. ValueError for an attitude, style or emotion that is not
    known. The same line moves the same each time.
    """
    silence = np.zeros(TICK_SAMPLES, np.float32)
    idle = Idle(line)
    lasts = line.lasts_ms // TICK_MS
    leaves = max(lasts - EASE, 0)
    tick = 0
    last = np.zeros(len(EXP50), np.float32)
    while not lasts or tick < leaves:
        for exp in idle.step(min(BLOCK, leaves - tick) if lasts else BLOCK):
            yield Expression(line, tick, silence, exp)
            tick, last = tick + 1, exp
    for exp, left in zip(ease(last, lasts - leaves), fading(lasts - leaves), strict=True):
        yield Expression(line, tick, silence, exp, breath=(left - 1) * breathed(tick))
        tick += 1


class Idle:
    """The movements of one line that says nothing."""

    def __init__(self, line: Line) -> None:
        if line.attitude not in MANNERS:
            raise ValueError(f"attitude is {line.attitude!r}, expected one of {', '.join(MANNERS)}")
        style = found(line.style)
        manner = self._manner = MANNERS[line.attitude]
        chance = chance_of(line.npc, line.id, line.attitude)
        self._style = style
        self._body = Body(
            split(chance),
            manner.looks(split(chance), style.pace, style.gaze),
            style,
            sway=manner.sway,
            blinks=manner.blinks,
        )
        self._shifts = _Shifts(split(chance), manner, style)
        stirs = [
            Gesture(_channels(shape), 0.35, (0.4, 1.4), 0.6)
            for shape in STIRS.get(line.emotion if line.strength > 0 else "neutral", ())
        ]
        self._stirs = Gestures(split(chance), stirs, manner.gesture_every, style.pace, (style.smile + style.brows) / 2)
        self._nods = split(chance)
        self._tick = 0
        self._next_nod = self._later()
        self._feeling = Feeling(line.npc, line.id, line.emotion, line.strength)
        self._limiter = Limiter()
        self._held = _channels(manner.held)

    def step(self, ticks: int) -> Exps:
        """F32[ticks, 50] of the next ticks; any cutting gives the same."""
        rows = []
        for _ in range(ticks):
            row = [0.0] * len(EXP50)
            come = min(self._tick / EASE, 1.0)
            come = come * come * (3 - 2 * come)
            for channel, size in self._held.items():
                row[channel] += size * come * self._style.brows
            self._nod()
            self._stirs.step(row)
            self._body.step(row, NOTHING_SAID, self._shifts.step())
            rows.append(row)
            self._tick += 1
        exp = np.array(rows, np.float32).reshape(ticks, len(EXP50))
        none, whole = np.zeros(ticks, np.float32), np.ones(ticks, np.float32)
        felt = self._feeling.step(exp, none, whole, Contact(none, none), self._style.emotion * self._manner.feels)
        return self._limiter.step(felt)

    def _later(self) -> int:
        if self._manner.nod_every is None:
            return NEVER
        return self._tick + int(self._nods.uniform(*self._manner.nod_every) / self._style.pace * TICKS)

    def _nod(self) -> None:
        if self._tick < self._next_nod:
            return
        depth, seconds = self._nods.uniform(*NOD_DEPTH), NOD_S / self._style.pace
        (count,) = self._nods.choices((1, 2, 3), NODS)
        for i in range(count):
            self._body.nods.add(depth * 0.75**i, seconds, i * seconds * 0.9)
        self._next_nod = self._later()


class _Shifts:
    """A head that goes from one tilt to another."""

    def __init__(self, chance: Random, manner: Manner, style: Style) -> None:
        self._chance, self._manner, self._style = chance, manner, style
        self._springs = tuple(Spring(SPEED * style.pace) for _ in manner.shift)
        self._goal = (0.0, 0.0, 0.0)
        self._tick = 0
        self._next = int(chance.uniform(0.2, 1.2) * TICKS)

    def step(self) -> tuple[float, float, float]:
        """Pitch, yaw and roll of the next tick."""
        if self._tick >= self._next:
            pitch, yaw, roll = (self._chance.uniform(-most, most) * self._style.head for most in self._manner.shift)
            self._goal = pitch, yaw, roll
            self._next = self._tick + int(self._chance.uniform(*self._manner.shift_every) / self._style.pace * TICKS)
        self._tick += 1
        pitch, yaw, roll = (spring.step(goal) for spring, goal in zip(self._springs, self._goal, strict=True))
        return pitch, yaw, roll


def _channels(shape: dict[str, float]) -> dict[int, float]:
    """Indices of coefficients whose names may stand for both sides."""
    sides = {name: [n for n in (name, name + "Left", name + "Right") if n in CHANNEL] for name in shape}
    return {CHANNEL[n]: size for name, size in shape.items() for n in sides[name]}
