"""How far a face may move and still be itself: searched over all it can be asked for, while it is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.identity import DRAWN_AT, THRESHOLD, Judge
from npc_engine.moments import ANGLES, CHANNEL, EXP50, NEUTRAL, Exp, Pixels

LESS: Final = 0.85  # of a weight, again and again until its picture passes
LEAST: Final = 0.3  # no limit goes below: a face that hardly moves is worse, and the guard still watches it
FREE: Final = ("eyeBlinkLeft", "eyeBlinkRight", "mouthClose")
"""Never limited: lids and lips that stay open look worse than another person's."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A judged picture."""

    name: str  # of its expression
    exp: Exp
    score: float
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search found."""

    limits: dict[str, float]  # coefficient → largest weight with which this face still is itself
    scores: dict[str, float]  # expression → score within the limits
    worst: Frame  # of them

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(self.scores.values()) / len(self.scores)


def within(exp: Exp, limits: Mapping[str, float]) -> Exp:
    """`exp` f32[50] with no weight above its limit; lips that the jaw parts less need less closing."""
    out = exp.copy()
    for name, most in limits.items():
        out[CHANNEL[name]] = min(float(exp[CHANNEL[name]]), most)
    jaw, close = CHANNEL["jawOpen"], CHANNEL["mouthClose"]
    if out[jaw] < exp[jaw]:
        out[close] *= out[jaw] / exp[jaw]
    return out


def _silent(done: int, of: int) -> None:
    pass


def find_limits(
    face: DrawnFace, judge: Judge, space: Mapping[str, Exp], told: Callable[[int, int], None] = _silent
) -> Searched:
    """Limits under which every expression of `space` scores at least `THRESHOLD`, if there are such above `LEAST`.

    `face` is one without limits. Expressions of one coefficient come first: they tell what each does to the score. Of
    an expression that fails, the weight that costs most is lowered, step by step, until it passes. `told` hears
    how many of how many are done. Each expression costs a picture at 512 and a judgement.
    """
    if not space:
        raise ValueError("there are no expressions to search, expected at least one")
    search = _Search(face, judge)
    single = {name: one for name, exp in space.items() if (one := _only(exp)) is not None}
    scores: dict[str, float] = {}
    for name in sorted(space, key=lambda name: name not in single):
        first, scores[name] = search.passing(space[name])
        if name in single:
            search.harm[single[name]] = 1 - first
        told(len(scores), len(space))
    for name, exp in space.items():
        if (within(exp, search.limits) != exp).any():  # a limit that was found later holds for it too
            scores[name] = search.score(exp)
    name = min(scores, key=lambda name: scores[name])
    exp = within(space[name], search.limits)
    return Searched(search.limits, scores, Frame(name, exp, scores[name], face.render(exp, DRAWN_AT)))


def _only(exp: Exp) -> str | None:
    """The coefficient that alone differs from rest, if there is one."""
    moved = [name for name, value in zip(EXP50, exp, strict=True) if value]
    return moved[0] if len(moved) == 1 else None


class _Search:
    def __init__(self, face: DrawnFace, judge: Judge) -> None:
        self._face, self._judge = face, judge
        self.limits: dict[str, float] = {}
        self.harm: dict[str, float] = {}  # coefficient → what it takes off the score when it is 1

    def passing(self, exp: Exp) -> tuple[float, float]:
        """Lower limits until `exp` passes within them, if it can; gives its score before and after."""
        first = score = self.score(exp)
        while score < THRESHOLD and (name := self._costliest(exp)):
            now = min(float(exp[CHANNEL[name]]), self.limits.get(name, 1.0))
            self.limits[name] = max(LEAST, round(LESS * now, 2))
            score = self.score(exp)
        return first, score

    def score(self, exp: Exp) -> float:
        """How much `exp`, drawn within the limits, is the person."""
        return self._judge.score(self._face.render(within(exp, self.limits), DRAWN_AT))

    def _costliest(self, exp: Exp) -> str | None:
        """The coefficient of `exp` that can be lowered and costs most as it is."""
        drawn = within(exp, self.limits)
        cost = {
            name: float(drawn[i]) * self.harm.get(name, 0.1)
            for name, i in CHANNEL.items()
            if i < ANGLES and name not in FREE and drawn[i] > LEAST
        }
        return max(cost, key=lambda name: cost[name]) if cost else None


def alone(name: str) -> Exp:
    """The expression f32[50] of one coefficient at 1."""
    exp = NEUTRAL.copy()
    exp[CHANNEL[name]] = 1
    return exp
