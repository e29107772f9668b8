"""Mirror images of lamp and window on the cornea, which bulges round a nearer middle than the eyeball does."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from npc_engine.frames.head import light
from npc_engine.frames.head.asset import Floats
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.frame import Frame
from npc_engine.frames.head.raster import around
from npc_engine.frames.head.sheet import Sheet
from npc_engine.moments import Pixels

AHEAD, BULGE = 0.52, 0.62  # of the eye's radius: from its middle to the cornea's, and the cornea's radius
SIZES, STRENGTHS = (0.105, 0.09), (1.0, 0.22)  # of lamp and window: half of a side in eye radii, and how bright
LEAST: Final = 0.55  # pixels: half a side of the smallest that is seen
TALL: Final = 0.85  # a row counts as this many columns: windows are higher than wide


def _halves() -> Floats:
    """Where on the cornea lamp and window are seen by a viewer right before it, f32[2, 3] unit vectors."""
    half = np.stack([light.KEY, light.FILL]) + np.array([0, 0, 1], np.float32)
    return np.asarray(half / np.linalg.norm(half, axis=1, keepdims=True), np.float32)


_HALVES: Final = _halves()


class Catchlights:
    """Those of a figure in pictures of one size."""

    def __init__(self, figure: Figure, sheet: Sheet, size: int) -> None:
        self._camera, self._sheet, self._size = figure.camera, sheet, size
        self._radius = np.float32(figure.poser.eyes.radius)
        radius = size * figure.poser.eyes.radius / figure.camera.high
        self._wide = [max(share * radius, LEAST) for share in SIZES]

    def lay(self, out: Pixels, frame: Frame, x: Floats, y: Floats, corner: tuple[int, int]) -> None:
        """Add them to a window u8[h, w, 3] of the picture that begins at the column and row `corner`.

        Only what looks at texels of the eye, columns `x` and rows `y` f32[h, w] on the sheet, shines.
        """
        corneas = frame.eyes + frame.look[:, 2] * (AHEAD * self._radius)
        spots = (corneas[:, None] + _HALVES * (BULGE * self._radius)).reshape(-1, 3)
        places = self._camera.pixels(spots, self._size) - np.array(corner, np.float32)
        for mine in places.reshape(2, -1, 2):
            box = around(mine, math.ceil(1.5 * max(self._wide) / TALL), *x.shape)
            if not box:
                continue
            rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
            dark = np.ones((1, 1), np.float32)
            for (column, row), wide, strength in zip(mine, self._wide, STRENGTHS, strict=True):
                away = np.maximum(np.abs(columns - column), np.abs(rows - row)[:, None] * TALL) / wide
                dark = dark * (1 - strength * np.clip(1.5 - away, 0, 1))
            bright = (1 - dark) * self._sheet.of_eye(x[box], y[box])
            out[box] = out[box] + (255 - out[box]) * bright[..., None]
