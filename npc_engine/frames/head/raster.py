"""Triangles to pixels by OpenCV, seen by a camera before the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import Floats, Ints

NEAR, FAR = 1.0, 100.0
_WORLD: Final = np.eye(4, dtype=np.float32)


def _settings() -> cv2.TriangleRasterizeSettings:
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)  # `facing` has thrown out what looks away
    return settings


_SETTINGS: Final = _settings()


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
        flat = seen[:, :2] / -seen[:, 2:] * scale * np.array([1, -1], np.float32)
        return np.asarray(flat + np.float32(size / 2 - 0.5), np.float32)


def canvas(size: int) -> tuple[Floats, Floats]:
    """An empty picture f32[size, size, 3] and its depth f32[size, size], nothing drawn."""
    return np.zeros((size, size, 3), np.float32), np.full((size, size), FAR, np.float32)


def draw(picture: Floats, depth: Floats, seen: Floats, triangles: Ints, values: Floats, field: float) -> None:  # noqa: PLR0917, a picture, what is drawn and how
    """Draw triangles with `values` f32[n, 3] of their vertices over what lies further off in `picture` and `depth`."""
    if len(triangles):
        cv2.triangleRasterize(seen, triangles, values, picture, depth, _WORLD, field, NEAR, FAR, _SETTINGS)


def deep(depth: Floats, seen: Floats, triangles: Ints, field: float) -> None:
    """Draw triangles into `depth` alone."""
    if len(triangles):
        cv2.triangleRasterizeDepth(seen, triangles, depth, _WORLD, field, NEAR, FAR, _SETTINGS)


def facing(seen: Floats, triangles: Ints) -> Ints:
    """Those triangles that turn their front to the viewer."""
    a, b, c = (seen[triangles[:, k]] for k in range(3))
    e, f = b - a, c - a
    out = (e[:, 1] * f[:, 2] - e[:, 2] * f[:, 1]) * a[:, 0]
    out += (e[:, 2] * f[:, 0] - e[:, 0] * f[:, 2]) * a[:, 1]
    out += (e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]) * a[:, 2]
    return np.ascontiguousarray(triangles[out < 0])
