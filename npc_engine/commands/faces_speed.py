"""What a picture of a face costs, while it speaks: drawn with guard and life, and as JPEG."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from npc_engine.cast import Cast
from npc_engine.moments import NEUTRAL, Expression, Pixels

if TYPE_CHECKING:
    from npc_engine.frames.guarded import Guarded

LOADS: Final = 5
ENCODED_EVERY: Final = 5  # pictures of a line: their JPEGs cost alike
UNGUARDED_EVERY: Final = 4  # likewise


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of computing at one size, and of loading: what else runs on the machine does not count."""

    picture_ms: float  # in the mean over a line, with the guard
    render_ms: float  # every fourth of the same pictures without it
    jpeg_ms: float
    load_ms: float  # from face.toml to a face
    first_ms: float  # from there to its first picture

    @property
    def fps(self) -> float:
        """Pictures a second, drawn and encoded."""
        return 1000 / (self.picture_ms + self.jpeg_ms)

    def figures(self) -> dict[str, Any]:
        """For JSON, rounded."""
        names = ("picture_ms", "render_ms", "jpeg_ms", "load_ms", "first_ms")
        return {name: round(getattr(self, name), 3) for name in names} | {"fps": round(self.fps, 1)}


def speed(cast: Cast, name: str, expressions: list[Expression], size: int = 512) -> Speed:
    """Measure a face of the cast with a line's expressions, on the calling thread and the guard's own."""
    from npc_engine.commands.faces_line import asking
    from npc_engine.frames.load import load_face

    loads, firsts = [], []
    for _ in range(LOADS):
        began = time.process_time()
        face = load_face(*cast.face(name))
        loaded = time.process_time()
        face.render(NEUTRAL, size)
        loads.append(1000 * (loaded - began))
        firsts.append(1000 * (time.process_time() - loaded))
    face.warm()
    expressions = asking(expressions, size, 1)
    began = time.process_time()
    drawn = [m.picture.pixels for m in face.draw(expressions) if m.picture and m.tick % ENCODED_EVERY == 0]
    picture_ms = 1000 * (time.process_time() - began) / len(expressions)
    return Speed(
        picture_ms,
        _render_ms(face, expressions, size),
        _jpeg_ms(drawn),
        statistics.median(loads),
        statistics.median(firsts),
    )


def _render_ms(face: Guarded, expressions: list[Expression], size: int) -> float:
    some = expressions[::UNGUARDED_EVERY]
    began = time.process_time()
    for e in some:
        face.render(e.exp, size)
    return 1000 * (time.process_time() - began) / len(some)


def _jpeg_ms(pictures: list[Pixels]) -> float:
    """Of a picture, in the mean; of one with transparency, which leaves as PNG, that."""
    from npc_engine.frames.encode import best_format, encode_picture

    began = time.process_time()
    for pixels in pictures:
        encode_picture(pixels, best_format(pixels))
    return 1000 * (time.process_time() - began) / len(pictures)
