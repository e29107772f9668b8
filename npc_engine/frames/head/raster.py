"""Triangles to pixels by OpenCV, seen by a camera before the head.

Depth is kept as OpenCV keeps it within, 0 at NEAR to 1 at FAR and linear in 1 / distance: it converts the whole picture
on every call else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np

from npc_engine.frames.head.asset import Floats, Ints

NEAR, FAR = 1.0, 100.0
EMPTY: Final = 1.0
"""Depth where nothing is drawn."""

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns of a square picture."""


def _settings(culling: int) -> cv2.TriangleRasterizeSettings:
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setGlCompatibleMode(cv2.RASTERIZE_COMPAT_INVDEPTH)
    settings.setCullingMode(culling)
    return settings


_BOTH_SIDES: Final = _settings(cv2.RASTERIZE_CULLING_NONE)
_FRONTS: Final = _settings(cv2.RASTERIZE_CULLING_CW)


@dataclass(frozen=True)
class Camera:
    """Looks at `target` from `distance` decimetres; `high` decimetres at the target fill the picture's height."""

    target: Floats  # [3]
    turn: Floats  # [3, 3], from the figure's frame to the viewer's: x right, y up, z to the viewer
    distance: float
    high: float

    @property
    def field(self) -> float:
        """The angle of view in radians."""
        return float(2 * np.arctan(self.high / 2 / self.distance))

    def seen(self, points: Floats) -> Floats:
        """Points f32[n, 3] in the viewer's frame, the camera at 0 looking along -z."""
        out = (points - self.target) @ self.turn.T
        out[:, 2] -= np.float32(self.distance)
        return np.ascontiguousarray(out, np.float32)

    def pixels(self, seen: Floats, size: int) -> Floats:
        """Pixel coordinates f32[n, 2] of points in the viewer's frame, pixel centres at whole numbers."""
        scale = np.float32(size * self.distance / self.high)
        middle = np.float32(size / 2 - 0.5)
        out = np.empty((len(seen), 2), np.float32)
        near = scale / -seen[:, 2]
        out[:, 0] = middle + seen[:, 0] * near
        out[:, 1] = middle - seen[:, 1] * near
        return out

    def lens(self, size: int, window: Window | None = None) -> Lens:
        """What draws a picture of `size` pixels a side, or a window of one."""
        return lens(self.field, size, window)


@dataclass(frozen=True)
class Lens:
    """A camera's angle of view, held before a window of its picture."""

    field: float  # radians that the window is high
    world: Floats  # [4, 4], moves the window's middle to the middle of the view

    def draw(self, picture: Floats, depth: Floats, seen: Floats, triangles: Ints, values: Floats) -> None:
        """Draw triangles with `values` f32[n, 3] of their vertices over what lies further off in `picture`, `depth`."""
        self._draw(picture, depth, seen, triangles, values, _BOTH_SIDES)

    def draw_fronts(self, picture: Floats, depth: Floats, seen: Floats, triangles: Ints, values: Floats) -> None:
        """Draw those triangles that turn their front to the viewer."""
        self._draw(picture, depth, seen, triangles, values, _FRONTS)

    def _draw(  # noqa: PLR0917, a picture, what is drawn and how
        self, picture: Floats, depth: Floats, seen: Floats, triangles: Ints, values: Floats,
        settings: cv2.TriangleRasterizeSettings,
    ) -> None:  # fmt: skip
        if len(triangles):
            cv2.triangleRasterize(seen, triangles, values, picture, depth, self.world, self.field, NEAR, FAR, settings)

    def deep(self, depth: Floats, seen: Floats, triangles: Ints) -> None:
        """Draw triangles into `depth` alone."""
        self._deep(depth, seen, triangles, _BOTH_SIDES)

    def deep_fronts(self, depth: Floats, seen: Floats, triangles: Ints) -> None:
        """Draw those that turn their front to the viewer into `depth` alone."""
        self._deep(depth, seen, triangles, _FRONTS)

    def _deep(self, depth: Floats, seen: Floats, triangles: Ints, settings: cv2.TriangleRasterizeSettings) -> None:
        if len(triangles):
            cv2.triangleRasterizeDepth(seen, triangles, depth, self.world, self.field, NEAR, FAR, settings)


def lens(field: float, size: int, window: Window | None = None) -> Lens:
    """The lens of a view `field` radians wide for a picture of `size` pixels a side, or for a window of it.

    OpenCV's view is centred: the window's middle is brought there by shearing x and y along z.
    """
    rows, columns = window or (slice(0, size), slice(0, size))
    half = float(np.tan(field / 2))
    world = np.eye(4, dtype=np.float32)
    world[0, 2] = half * ((columns.start + columns.stop) / size - 1)
    world[1, 2] = half * (1 - (rows.start + rows.stop) / size)
    return Lens(float(2 * np.arctan(half * (rows.stop - rows.start) / size)), world)


def canvas(size: int) -> tuple[Floats, Floats]:
    """An empty picture f32[size, size, 3] and its depth f32[size, size], nothing drawn."""
    return np.zeros((size, size, 3), np.float32), np.full((size, size), EMPTY, np.float32)


def away(depth: Floats) -> Floats:
    """Decimetres from the viewer of each depth, f32[h, w]; FAR where nothing is drawn."""
    # depth = FAR / (FAR - NEAR) · (1 - NEAR / away)
    return np.asarray(NEAR / (1 - depth * np.float32((FAR - NEAR) / FAR)), np.float32)


def around(places: Floats, margin: int, height: int, width: int) -> Window | None:
    """The part of a picture that holds pixels at `places` f32[n, 2] and a margin; None if that lies beside it."""
    x, y = places.T  # numpy reduces a column at once much faster than pairs
    left, right = max(math.floor(x.min()) - margin, 0), min(math.ceil(x.max()) + margin + 1, width)
    top, low = max(math.floor(y.min()) - margin, 0), min(math.ceil(y.max()) + margin + 1, height)
    return None if right <= left or low <= top else (slice(top, low), slice(left, right))


def within(box: Window, window: Window) -> Window:
    """A box of the picture as one of a window that holds it."""
    rows, columns = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, window, strict=True))
    return rows, columns
