"""What every kind of face does alike: expressions in, moments with pictures out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from npc_engine.moments import Exp, Expression, Moment, Picture, Pixels


class DrawnFace(Protocol):
    """A face that is loaded: a portrait, a 3D head or a neural one. Safe for several lines at once."""

    def render(self, exp: Exp, size: int) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4]."""
        ...

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        ...


def drawn(render: Callable[[Exp, int], Pixels], expressions: Iterable[Expression]) -> Iterator[Moment]:
    """One moment per expression, with a picture by `render` on every `picture_every`-th tick of its line."""
    for e in expressions:
        wanted = e.line.outputs
        picture = None
        if wanted.picture and e.tick % wanted.picture_every == 0:
            picture = Picture(e.tick, render(e.exp, wanted.picture))
        yield Moment(e.line, e.tick, e.sound, e.exp, picture, e.words, e.marks)
