"""What every kind of face does alike: expressions in, moments with pictures out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from npc_engine.moments import Exp, Expression, Moment, Picture, Pixels, breathed


class DrawnFace(Protocol):
    """A face that is loaded: a portrait, a 3D head or a neural one. Safe for several lines at once."""

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4].

        `breath`, 0..1, is how far shoulders have risen, if there are any.
        """
        ...

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on each `picture_every`-th tick that has time for it."""
        ...


class Watching(Protocol):
    """Who looks at the pictures of one line, in order (`guard.Watch`)."""

    damped: bool
    """Whether the last picture's expression was held back."""

    def picture(self, exp: Exp, render: Callable[[Exp], Pixels]) -> Pixels:
        """The picture of `exp` by `render`, or a better one."""
        ...

    def close(self) -> None:
        """The line is over."""
        ...


class Unwatched:
    """Nobody looks: every picture is as it is drawn."""

    damped = False

    def picture(self, exp: Exp, render: Callable[[Exp], Pixels]) -> Pixels:
        """The picture of `exp` by `render`."""
        return render(exp)

    def close(self) -> None:
        """Nothing is left to do."""


def drawn(
    render: Callable[[Exp, int, float], Pixels], expressions: Iterable[Expression], watching: Watching | None = None
) -> Iterator[Moment]:
    """One moment per expression, with a picture by `render` on every `picture_every`-th tick of its line.

    Where the line has a `pace`, that may leave pictures out or make them smaller.
    `render` takes coefficients, size and breath as a face's own does; `watching` sees every picture.
    """
    watch = watching or Unwatched()
    try:
        for e in expressions:
            wanted = e.line.outputs
            picture = None
            due = wanted.picture and e.tick % wanted.picture_every == 0
            edge = wanted.picture if e.line.pace is None or not due else e.line.pace(e.tick)
            if due and edge:
                one = partial(_rendered, render, edge, breathed(e.tick) + e.breath)
                picture = Picture(e.tick, watch.picture(e.exp, one), watch.damped)
            yield Moment(e.line, e.tick, e.sound, e.exp, picture, e.words, e.marks)
    finally:
        watch.close()


def _rendered(render: Callable[[Exp, int, float], Pixels], size: int, breath: float, exp: Exp) -> Pixels:
    return render(exp, size, breath)
