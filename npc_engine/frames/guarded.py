"""A face of any kind together with the guard that looks at what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from npc_engine.frames.drawing import DrawnFace, drawn
from npc_engine.frames.guard import Guard
from npc_engine.moments import NEUTRAL, Exp, Expression, Moment, Pixels

WARM_SIZE = 512  # pixels; the size that games ask for most


class Guarded:
    """A face that is watched while it speaks, if it has a guard. Safe for several lines at once."""

    def __init__(self, face: DrawnFace, guard: Guard | None) -> None:
        self.face = face
        self.guard = guard

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4]; nobody judges it."""
        return self.face.render(exp, size, breath)

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        return drawn(self.face.render, expressions, self.guard.watch() if self.guard else None)

    def warm(self) -> Pixels:
        """The face at rest, 512 pixels; a network that judges it is loaded then, so that no line waits for it."""
        rest = self.face.render(NEUTRAL, WARM_SIZE)
        if self.guard:
            self.guard.judge.score(rest)
        return rest
