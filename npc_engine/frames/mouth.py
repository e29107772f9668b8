"""The mouth: two lips that part along a seam, and what is seen between them.

Around the mouth the picture is composed of two layers, the skin above the seam and the skin below it, each with a soft
edge there. What neither covers is the inside of the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.interior import Interior
from npc_engine.frames.motion import HEAD, Layers, Motion
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

SOFT: Final = 1.9 / 512  # width of a lip's edge in picture edges: two pixels at 512
REACH: Final = 0.07  # mouth widths the seam may lie from the landmarks
WIDE, ABOVE, BELOW = 0.72, 0.5, 0.95  # what is composed of layers, in mouth widths from the middle of the corners


class Mouth:
    """The mouth of one face."""

    def __init__(self, picture: Pixels, points: Floats, motion: Motion) -> None:
        self.motion = motion
        corners = points[[topology.LIP_UPPER[0], topology.LIP_UPPER[-1]], :2].astype(float)
        self.centre = corners.mean(0)
        self.width = float(np.linalg.norm(corners[1] - corners[0]))
        self.along = (corners[1] - corners[0]) / self.width
        self.down = np.array([-self.along[1], self.along[0]])
        self.u = np.linspace(-0.5, 0.5, 81)
        rims = [_curve(self._local(points[list(rim), :2]), self.u) for rim in (topology.LIP_UPPER, topology.LIP_LOWER)]
        self.open = bool(motion.closing.any())
        if self.open:
            self.upper, self.lower = rims
        else:
            self.upper = self.lower = self._seam(picture, (rims[0] + rims[1]) / 2)
        self.interior = Interior(picture, points, self)
        place = (self.centre - motion.origin) / motion.cell
        row, column = int(place[1]), int(place[0])
        self._head = motion.head[:, row, column]  # f32[3, 2], how the skull moves here per radian
        self._chin = motion.delta[:, list(topology.CHIN)].mean(1)  # f64[50, 2]

    def _local(self, points: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Picture units to mouth widths along and below the line from corner to corner."""
        p = points - self.centre
        return np.stack([p @ self.along, p @ self.down], -1) / self.width

    def _seam(self, picture: Pixels, guess: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The dark line between closed lips, near the landmarks' guess: heights over `u` (a shortest path)."""
        steps = np.linspace(-REACH, REACH, 29)
        uv = np.stack(np.broadcast_arrays(self.u[:, None], guess[:, None] + steps), -1)
        where = self.centre + self.width * (uv[..., :1] * self.along + uv[..., 1:] * self.down)
        grey = cv2.GaussianBlur(cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY), (0, 0), max(0.6, picture.shape[0] / 700))
        at = (where * picture.shape[0] - 0.5).astype(np.float32)
        light = cv2.remap(grey, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(float)
        light -= light.min(1, keepdims=True)
        free = np.clip((0.5 - np.abs(self.u)) / 0.12, 0.02, 1)  # at the corners the landmarks know best
        cost = light / max(float(light.std()), 1.0) + 1.5 * (steps / REACH) ** 2 / free[:, None]
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

    def at(self, source: Pixels, size: int, scale: int) -> SizedMouth:
        """The mouth's layers for one output size, cut from `source`, the picture at `scale` times that size."""
        return SizedMouth(self, source, size, scale)

    def shifts(self, weights: Floats) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """How far the skull and the lower jaw have moved at the mouth, in picture units: two f64[2]."""
        angles = weights[[CHANNEL[name] for name in HEAD]]
        skull = angles @ self._head
        jaw = weights[:4] @ self._chin[:4]  # jawOpen, jawForward, jawLeft, jawRight
        return np.asarray(skull), np.asarray(skull + jaw)


class SizedMouth:
    """The mouth at one output size."""

    def __init__(self, mouth: Mouth, source: Pixels, size: int, scale: int) -> None:
        self.mouth, self.size, self.scale = mouth, size, scale
        edge = size * scale
        reach = np.array([WIDE + 0.2, BELOW + 0.2]) * mouth.width
        low = np.clip(np.floor((mouth.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((mouth.centre + reach) * edge), low + 2, edge).astype(int)
        self.low = low
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        place = np.stack([x, y], -1)
        uv = mouth._local((place + 0.5) / edge).astype(np.float32)
        soft = SOFT / mouth.width
        upper, lower = (np.interp(uv[..., 0], mouth.u, rim, 0.0, 0.0) for rim in (mouth.upper, mouth.lower))
        # lips of an open mouth are cut a little inside, where no tooth shines through
        spare = -0.6 * soft if mouth.open else 0.5 * soft
        cover = np.clip(0.5 + (upper + (0 if not mouth.open else -0.3 * soft) - uv[..., 1]) / soft, 0, 1)
        under = np.clip(0.5 + (uv[..., 1] - lower - (0 if not mouth.open else 0.3 * soft)) / soft, 0, 1)
        self.upper = self._layer(source, place, uv[..., 1], np.minimum(0, upper + spare - uv[..., 1]), cover)
        self.lower = self._layer(source, place, uv[..., 1], np.maximum(0, lower - spare - uv[..., 1]), under)
        self.interior = mouth.interior.at(source, size, scale)

    def _layer(self, source: Pixels, place: Floats, v: Floats, slide: Any, matte: Any) -> Floats:
        """RGB and matte, u8[h, w, 4]; beyond the lip's rim its own colour goes on."""
        away = np.asarray(slide, np.float32)[..., None] * np.float32(self.mouth.width * self.size * self.scale)
        where = (place + away * self.mouth.down.astype(np.float32)).astype(np.float32)
        colour = cv2.remap(source[..., :3], where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.dstack([colour, np.round(matte * 255).astype(np.uint8)])

    def paint(self, out: Pixels, where: Floats, box: tuple[int, int, int, int], layers: Layers, weights: Floats) -> None:
        """Compose the mouth over `out`; `where` f32[h, w, 2] is the upper layer's map over `box`, in source pixels."""
        mouth, size = self.mouth, self.size
        skull, jaw = mouth.shifts(weights)
        drop = float(np.clip((jaw - skull) @ mouth.down, 0, None))
        middle, width = (mouth.centre + skull) * size, mouth.width * size
        left, top = np.floor(middle - [WIDE * width, ABOVE * width]).astype(int)
        right, bottom = np.ceil(middle + [WIDE * width, BELOW * 0.6 * width + drop * size]).astype(int)
        left, top = max(left, box[0]), max(top, box[1])
        right, bottom = min(right, box[2]), min(bottom, box[3])
        if right - left < 2 or bottom - top < 2:
            return
        part = (slice(top - box[1], bottom - box[1]), slice(left - box[0], right - box[0]))
        low = self.low.astype(np.float32)
        above = cv2.remap(self.upper, where[part] - low, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        under = cv2.remap(
            self.lower, self._lower_map(layers.lower, left, top, right, bottom) - low, None, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cover = above[..., 3:].astype(np.float32) * np.float32(1 / 255)
        rest = 1 - cover
        share = np.minimum(under[..., 3:].astype(np.float32) * np.float32(1 / 255), rest)
        hole = rest - share
        mixed = above[..., :3] * cover + under[..., :3] * share
        seen = np.flatnonzero(hole.max(axis=(1, 2)) > 0.02)
        if len(seen):
            across = np.flatnonzero(hole.max(axis=(0, 2)) > 0.02)
            y0, y1, x0, x1 = seen[0], seen[-1] + 1, across[0], across[-1] + 1
            inner = hole[y0:y1, x0:x1]
            mixed[y0:y1, x0:x1] += inner * self.interior.seen((left + x0, top + y0), inner, skull, jaw, weights)
        cv2.convertScaleAbs(mixed, dst=mixed) if False else None
        out[top:bottom, left:right, :3] = np.clip(mixed + 0.5, 0, 255)

    def _lower_map(self, offset: Floats, left: int, top: int, right: int, bottom: int) -> Floats:
        """The lower layer's map over a part of the output: f32[h, w, 2], source pixels."""
        motion, size, edge = self.mouth.motion, self.size, self.size * self.scale
        step = 1 / (size * motion.cell)
        first = (np.array([left + 0.5, top + 0.5]) / size - motion.origin) / motion.cell - 0.5
        matrix = np.array([[step, 0, first[0]], [0, step, first[1]]])
        shape = (right - left, bottom - top)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine = cv2.warpAffine(offset, matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        fine *= np.float32(motion.cell * edge)
        fine[..., 0] += ((np.arange(left, right) + 0.5) * self.scale - 0.5).astype(np.float32)
        fine[..., 1] += ((np.arange(top, bottom) + 0.5) * self.scale - 0.5).astype(np.float32)[:, None]
        return np.asarray(fine)


def _curve(points: npt.NDArray[Any], u: npt.NDArray[Any]) -> npt.NDArray[Any]:
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
