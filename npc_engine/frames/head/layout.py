"""The texture's texels in space: where on the head each lies, and soft masks that hang on the face's own measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import SKIN, Asset, Floats
from npc_engine.frames.head.eyeballs import Eyeballs
from npc_engine.frames.head.raster import draw

COARSE, EDGE = 512, 1024
"""Texels a side: of what varies slowly, and of the texture."""
BLEED: Final = 10  # texels that colour goes on beyond its island


def uv_map(head: Asset, values: Floats, parts: tuple[int, ...], size: int) -> tuple[Floats, Floats]:
    """Values f32[r, 3] of vertices spread over the texture, f32[size, size, 3], and where there are any, 0 or 1."""
    flat = np.concatenate([(head.uv - 0.5) * 2, np.full((len(head.uv), 1), -2, np.float32)], 1).astype(np.float32)
    low = values.min(0)
    span = np.maximum(values.max(0) - low, 1e-6)
    picture, depth = np.full((size, size, 3), -1, np.float32), np.full((size, size), 90, np.float32)
    wanted = np.ascontiguousarray(head.triangles[np.isin(head.part, parts)])
    draw(
        picture, depth, flat, wanted, np.ascontiguousarray((values - low) / span * 0.9 + 0.1), 2 * float(np.arctan(0.5))
    )
    there = (picture[..., 0] >= 0).astype(np.float32)
    return (bled(picture, there) - 0.1) / np.float32(0.9) * span + low, there


def bled(picture: Floats, there: Floats) -> Floats:
    """The picture with what is not `there` filled with the mean of what lies beside it, so that seams don't show."""
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    box = tuple(slice(max(n[0] - BLEED, 0), n[-1] + BLEED + 1) for n in (rows, columns))
    out, known = picture[box] * there[box][..., None], there[box]
    # first cracks between triangles, then the surroundings
    for reach in (3, BLEED - 1, BLEED - 1):
        share = cv2.blur(known, (reach, reach))
        grown = cv2.blur(out, (reach, reach)) / np.maximum(share, np.float32(1e-6))[..., None]
        found = share > 0.5 / reach**2
        cv2.copyTo(grown, np.asarray(found & (known == 0), np.uint8), out)
        known = np.asarray(found, np.float32)
    whole = picture.copy()
    whole[box] = out
    return whole


def noise(size: int, sigma: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of mean 0 and deviation 1, f32[size, size], with grains of about `sigma` texels."""
    small = max(8, int(size / max(sigma * 0.7, 1)))
    plane = rng.standard_normal((small, small), np.float32)
    soft = cv2.GaussianBlur(plane, (0, 0), 0.7) if sigma > 0.8 else plane
    large = np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray((large - large.mean()) / large.std(), np.float32)


@dataclass(frozen=True)
class Layout:
    """Texels of the skin at COARSE size, in eye distances from the point between the eyes."""

    x: Floats  # [n, n], to the person's left
    y: Floats
    z: Floats
    unit: float  # decimetres between the eyes
    origin: Floats  # [3], between the eyes
    marks: dict[str, tuple[float, float]]  # x, y of landmarks in the same measure

    @classmethod
    def of(cls, head: Asset, rest: Floats, eyes: Eyeballs) -> Layout:
        """The layout of a shaped head."""
        unit = float(eyes.centres[0, 0] - eyes.centres[1, 0])
        origin = np.asarray(eyes.centres.mean(0), np.float32)
        places, _ = uv_map(head, rest[head.vertex], (SKIN,), COARSE)
        local = (places - origin) / unit
        marks = {name: (rest[k] - origin) / unit for name, k in head.marks.items()}
        return cls(
            local[..., 0], local[..., 1], local[..., 2], unit, origin,
            {name: (float(p[0]), float(p[1])) for name, p in marks.items()},
        )  # fmt: skip

    def blob(self, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Floats:
        """A soft ellipse on the front of the head, 1 in its middle; `tilt` in radians."""
        x, y = self.x - centre[0], self.y - centre[1]
        c, s = np.cos(tilt), np.sin(tilt)
        value = np.exp(-0.5 * (((c * x + s * y) / radii[0]) ** 2 + ((c * y - s * x) / radii[1]) ** 2))
        return np.asarray(value * (self.z > -0.9), np.float32)

    def both(self, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Floats:
        """The same soft ellipse on both sides."""
        return self.blob(centre, radii, tilt) + self.blob((-centre[0], centre[1]), radii, -tilt)


HALF: Final = 1.7  # eye distances from the middle to the edge of a front view
FRONT: Final = 1024


class FrontView:
    """A picture of the face's front that is painted with strokes and then laid onto the texture."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.middle = (0.0, -0.45)
        self.picture: Floats = np.zeros((FRONT, FRONT), np.float32)
        self._shift = 4

    def at(self, points: Floats) -> Floats:
        """Pixels of points f[n, 2] in eye distances."""
        flat = (points - np.array(self.middle)) / HALF * np.array([1, -1])
        return np.asarray((flat + 1) * FRONT / 2, np.float32)

    def strands(self, strands: list[Floats], shade: list[float], width: int) -> None:
        """Thin lines through points f[n, 2], added with `shade`, smooth-edged."""
        layer = np.zeros((FRONT, FRONT), np.uint8)
        for points, value in zip(strands, shade, strict=True):
            pixels = np.round(self.at(points) * (1 << self._shift)).astype(np.int32)
            cv2.polylines(layer, [pixels], False, int(255 * value), width, cv2.LINE_AA, self._shift)
        self.picture = np.maximum(self.picture, layer.astype(np.float32) / 255)

    def stroke(self, points: list[tuple[float, float]], width: float, strength: float) -> None:
        """Add a soft line through points, thin at both ends; `width` in eye distances."""
        knots = np.array([points[0], *points, points[-1]])
        t = np.linspace(0, 1, 24, endpoint=False)[:, None]
        parts = [
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            for a, b, c, d in zip(knots[:-3], knots[1:-2], knots[2:-1], knots[3:], strict=True)
        ]
        line = self.at(np.concatenate(parts))
        sigma = width / HALF * FRONT / 2
        pad = int(4 * sigma + 2)
        low = np.maximum(np.floor(line.min(0)).astype(int) - pad, 0)
        high = np.minimum(np.ceil(line.max(0)).astype(int) + pad, FRONT)
        if (high <= low).any():
            return
        layer = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        for k in range(len(line) - 1):
            thick = max(1, int(2.2 * sigma * np.sin(np.pi * (k + 0.5) / len(line)) ** 0.6))
            ends = np.round((line[k : k + 2] - low) * 16).astype(np.int32)
            cv2.line(layer, ends[0].tolist(), ends[1].tolist(), 255, thick, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), max(sigma * 0.8, 0.5))
        self.picture[low[1] : high[1], low[0] : high[0]] += np.float32(strength) * soft

    def laid(self, size: int) -> Floats:
        """What was painted, on the texture: f32[size, size]; 0 where the head does not face the front."""
        at = self.at(np.stack([self.layout.x.ravel(), self.layout.y.ravel()], 1)).reshape(COARSE, COARSE, 2)
        at[self.layout.z < -0.95] = -10
        x, y = (np.asarray(cv2.resize(p, (size, size)), np.float32) for p in cv2.split(at))
        return np.asarray(cv2.remap(self.picture, x, y, cv2.INTER_LINEAR), np.float32)
