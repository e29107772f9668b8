"""Where one line ends and the next begins: a face that goes on from where it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from npc_engine.expression.limits import bounded, ease
from npc_engine.moments import EXP50, TICK_MS, Exp, Expression

JOIN: Final = 300 // TICK_MS  # ticks in which what was is left behind


def joined(expressions: Iterable[Expression], begin: Exp, breath: float = 0.0) -> Iterator[Expression]:
    """The expressions of a line that begins at rest, as they are from `begin` on, f32[50]: it fades within 300 ms.

    So does `breath`, 0..1, by which the shoulders have risen. Nothing is late for it: what the line says is there from
    its first tick, and the rest of `begin` beside it.
    """
    left = iter(zip(ease(begin, JOIN), fading(JOIN), strict=True))
    for expression in expressions:
        rest = next(left, None)
        if rest is None:
            yield expression
            continue
        exp = bounded((expression.exp + rest[0])[None])[0]
        yield replace(expression, exp=exp, breath=expression.breath + breath * rest[1])


def fading(ticks: int) -> list[float]:
    """From nearly 1 to 0 in so many ticks, as `ease` does."""
    shares: list[float] = ease(np.ones(len(EXP50), np.float32), ticks)[:, 0].tolist()
    return shares
