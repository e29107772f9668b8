"""Where the lips of a picture meet or part: the line along which the mouth opens."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.sampling import blurred, read
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

REACH: Final = 0.07  # mouth widths that the seam of closed lips may lie from the landmarks
SOFT: Final = 1.9 / 512  # width of a lip's edge in picture edges: two pixels at 512
OPEN: Final = 0.035  # lips further apart than this, in mouth widths, are open in the picture


class Lips:
    """The inner rims of both lips as curves, in mouth widths along and below the line from corner to corner."""

    def __init__(self, picture: Pixels, points: Floats) -> None:
        """`points` f32[478, 3] are in units of the picture's edge."""
        left, right = (points[i, :2].astype(float) for i in (topology.LIP_UPPER[0], topology.LIP_UPPER[-1]))
        self.centre = (left + right) / 2
        self.width = float(np.linalg.norm(right - left))
        along = (right - left) / self.width
        self.axes = np.stack([along, [-along[1], along[0]]])
        self.u = np.linspace(-0.5, 0.5, 81)
        local = [self.local(points[list(rim), :2]) for rim in (topology.LIP_UPPER, topology.LIP_LOWER)]
        upper, lower = (curve(rim, self.u) for rim in local)
        self.open = bool((lower - upper).max() > OPEN)
        if self.open:
            middle = 0.45 * upper + 0.55 * lower
            self.upper, self.lower = np.minimum(upper, middle), np.maximum(lower, middle)
        else:
            self.upper = self.lower = self._seam(picture, (upper + lower) / 2)
        self.rims = np.stack(  # f64[2, 11, 2], picture units
            [self._points(local[0][:, 0], self.upper), self._points(local[1][:, 0], self.lower)]
        )

    def local(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Picture units f[..., 2] to mouth widths along and below the line from corner to corner."""
        return np.asarray((places - self.centre) @ self.axes.T / self.width)

    def _points(self, u: npt.NDArray[Any], heights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        uv = np.stack([u, np.interp(u, self.u, heights)], -1)
        return np.asarray(self.centre + self.width * (uv @ self.axes))

    def _seam(self, picture: Pixels, guess: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The dark line between closed lips, near the landmarks' guess: heights over `u` (a shortest path)."""
        steps = np.linspace(-REACH, REACH, 29)
        uv = np.stack(np.broadcast_arrays(self.u[:, None], guess[:, None] + steps), -1)
        where = self.centre + self.width * (uv[..., :1] * self.axes[0] + uv[..., 1:] * self.axes[1])
        grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
        light = read(blurred(grey, max(0.6, picture.shape[0] / 700)), where * picture.shape[0] - 0.5).astype(float)
        light -= light.min(1, keepdims=True)
        free = np.clip((0.5 - np.abs(self.u)) / 0.12, 0.02, 1)  # at the corners the landmarks know best
        cost = light / max(float(light.std()), 1.0) + 1.5 * (steps / REACH) ** 2 / free[:, None]
        # the cheapest way from corner to corner, which may climb a step at a price
        best, back = cost[0].copy(), np.zeros(cost.shape, int)
        step = np.arange(len(steps))
        jump = 0.6 * np.abs(step[:, None] - step)
        for i in range(1, len(cost)):
            total = best + jump
            back[i] = total.argmin(1)
            best = total.min(1) + cost[i]
        path = np.zeros(len(cost), int)
        path[-1] = best.argmin()
        for i in range(len(cost) - 1, 0, -1):
            path[i - 1] = back[i, path[i]]
        off = steps[path] * np.clip((0.5 - np.abs(self.u)) / 0.08, 0, 1)
        return np.asarray(guess + np.convolve(np.pad(off, 4, mode="edge"), np.ones(9) / 9, "valid"))


def curve(points: npt.NDArray[Any], u: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Heights over `u` of the smooth curve (Catmull-Rom) through points f[n, 2] that run along u."""
    x, y = points[:, 0].copy(), points[:, 1]
    x = np.maximum.accumulate(x + np.arange(len(x)) * 1e-6)  # a curled corner must not fold the curve
    slope = np.gradient(y, x)
    k = np.clip(np.searchsorted(x, u) - 1, 0, len(x) - 2)
    h = x[k + 1] - x[k]
    t = np.clip((u - x[k]) / h, 0, 1)
    a, b = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2
    c, d = t * t * (3 - 2 * t), t * t * (t - 1)
    return np.asarray(a * y[k] + b * h * slope[k] + c * y[k + 1] + d * h * slope[k + 1])
