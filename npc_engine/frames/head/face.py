"""The drawn head as a face: exp50 in, pictures out.

A frame is four things: points and normals of the expression (`pose.py`), light at the vertices (`light.py`), the
triangles as texture coordinates and, at half the size, as light (`raster.py`), and both put together (`compose.py`).
Clothes and background do not move: they are drawn once for each size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from npc_engine.frames.drawing import drawn
from npc_engine.frames.head.asset import asset
from npc_engine.frames.head.compose import Composer
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.frame import Frame
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.sizes import Sizes
from npc_engine.head_spec import HeadSpec
from npc_engine.moments import ANGLES, CHANNEL, EXP50, Exp, Expression, Moment, Pixels
from npc_engine.nearest import near

SMALLEST, LARGEST = 32, 2048


class Head:
    """One head, loaded: draws it at any size. Safe for several lines at once."""

    def __init__(
        self, spec: HeadSpec, background: Pixels | None = None, limits: Mapping[str, float] | None = None
    ) -> None:
        """`background` u8[h, w, 3 | 4] lies behind it where `spec` names a picture; `limits` cap weights by name."""
        self.figure = Figure(asset(), spec)
        self._background = background
        self._limits = [(CHANNEL[name], np.float32(most)) for name, most in (limits or {}).items()]
        self._sized = Sizes(self._composer)

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        return drawn(self.render, expressions)

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The head with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4].

        With `breath`, 0..1, the head rises and falls back a little; the shoulders stay.
        """
        if not SMALLEST <= size <= LARGEST:
            msg = f"a picture of {size} pixels was asked for, faces are drawn at {SMALLEST} to {LARGEST}"
            raise ValueError(msg)
        return self._sized.at(size).picture(Frame.of(self.figure, self._capped(exp), breath))

    def _capped(self, exp: Exp) -> Exp:
        out = np.array(exp, np.float32)
        out[:ANGLES] = np.clip(out[:ANGLES], 0, 1)
        for channel, most in self._limits:
            out[channel] = min(out[channel], most)
        return out

    def _composer(self, size: int) -> Composer:
        return Composer(self.figure, size, self._background)


def load_head(spec: HeadSpec, folder: Path, limits: Mapping[str, float]) -> Head:
    """The head that a face.toml in `folder` describes; raises `FaceError` naming what can't be used."""
    where = folder / "face.toml"
    weights = EXP50[:ANGLES]
    for name, most in limits.items():
        if name not in weights:
            raise FaceError(f"{where}: limits: unknown coefficient {name!r}{near(name, weights)}")
        if not 0 <= most <= 1:
            raise FaceError(f"{where}: limits: {name} is {most}, expected 0 to 1")
    background = read_picture(folder / spec.background) if spec.is_picture() else None
    try:
        return Head(spec, background, limits)
    except FaceError as error:
        raise FaceError(f"{where}: {error}") from None
