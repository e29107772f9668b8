"""Where one line ends and the next begins: a face that goes on from where it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from npc_engine.expression.limits import bounded, ease
from npc_engine.moments import TICK_MS, Exp, Expression

JOIN: Final = 300 // TICK_MS  # ticks in which what was is left behind


def joined(expressions: Iterable[Expression], begin: Exp) -> Iterator[Expression]:
    """The expressions of a line that begins at rest, as they are from `begin` on, f32[50]: it fades within 300 ms.

    Nothing is late for it: what the line says is there from its first tick, and the rest of `begin` beside it.
    """
    left = iter(ease(begin, JOIN))
    for expression in expressions:
        rest = next(left, None)
        yield expression if rest is None else replace(expression, exp=bounded((expression.exp + rest)[None])[0])
