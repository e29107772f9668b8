"""The texture's texels in space: where on the head each lies, and soft masks that hang on the face's own measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head.asset import SKIN, Asset, Floats
from npc_engine.frames.head.eyeballs import Eyeballs
from npc_engine.frames.head.raster import EMPTY, around, lens
from npc_engine.moments import Pixels

COARSE, EDGE = 512, 1024
"""Texels a side: of what varies slowly, and of the texture."""
TILE: Final = 384  # grains a side from which fine noise repeats: nobody sees it, and random numbers cost most
BLEED: Final = 10  # texels that colour goes on beyond its island


Box: TypeAlias = tuple[slice, slice]
"""Rows and columns of a texture."""


def box_of(there: Pixels | npt.NDArray[np.bool_], margin: int) -> Box:
    """The box around all that is not zero in u8[n, n] or bool[n, n], wider by `margin` on each side."""
    left, top, wide, tall = cv2.boundingRect(there.view(np.uint8))
    rows = slice(max(top - margin, 0), min(top + tall + margin, there.shape[0]))
    return rows, slice(max(left - margin, 0), min(left + wide + margin, there.shape[1]))


def uv_map(head: Asset, values: Floats, parts: tuple[int, ...], size: int) -> tuple[Box, Floats, Floats]:
    """Values f32[r, 3] of vertices spread over a texture of `size`.

    Gives the box of the texture that they lie in, the values there, f32[h, w, 3], and where there are any, 0 or 1.
    """
    wanted = np.ascontiguousarray(head.triangles[np.isin(head.part, parts)])
    places = np.stack([head.uv[:, 0], 1 - head.uv[:, 1]], 1) * np.float32(size)
    box = around(places[wanted.ravel()], BLEED, size, size)
    if not box:
        raise ValueError(f"parts {parts} of the head lie beside the texture, expected places of 0 to 1")
    flat = np.concatenate([(head.uv - 0.5) * 2, np.full((len(head.uv), 1), -2, np.float32)], 1).astype(np.float32)
    shape = box[0].stop - box[0].start, box[1].stop - box[1].start
    picture, depth = np.zeros((*shape, 3), np.float32), np.full(shape, EMPTY, np.float32)
    view = lens(2 * float(np.arctan(0.5)), size, box)
    view.draw(picture, depth, flat, wanted, np.ascontiguousarray(values, np.float32))
    there = np.asarray(depth < EMPTY, np.float32)
    return box, bled(picture, there), there


def bled(picture: Floats, there: Floats) -> Floats:
    """The picture with what is not `there` filled with the mean of what lies beside it, so that seams don't show."""
    out, known = cv2.copyTo(picture, np.asarray(there, np.uint8)), there
    # first cracks between triangles, then the surroundings
    for reach in (3, 2 * BLEED - 3):
        share = cv2.blur(known, (reach, reach))
        weight = np.maximum(share, np.float32(1e-6))
        grown = cv2.divide(cv2.blur(out, (reach, reach)), cv2.merge([weight, weight, weight]))
        found = share > 0.5 / reach**2
        cv2.copyTo(grown, np.asarray(found & (known == 0), np.uint8), out)
        known = np.asarray(found, np.float32)
    return np.asarray(out, np.float32)


def noise(size: int, sigma: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of mean 0 and deviation 1, f32[size, size], with grains of about `sigma` texels."""
    small = max(8, int(size / max(sigma * 0.7, 1)))
    drawn = min(small, TILE)
    plane = np.tile(rng.standard_normal((drawn, drawn), np.float32), (-(-small // drawn),) * 2)[:small, :small]
    soft = cv2.GaussianBlur(plane, (0, 0), 0.7) if sigma > 0.8 else plane
    large = np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    some = large[:: max(size // 256, 1), :: max(size // 256, 1)]
    spread, middle = np.float32(1 / some.std()), some.mean()
    large -= middle
    large *= spread
    return large


def grain(sigma: float, rng: np.random.Generator) -> Floats:
    """The same for the whole texture, f32[EDGE, EDGE], of grains so fine that nobody sees it repeat."""
    return np.tile(noise(COARSE, sigma, rng), (EDGE // COARSE,) * 2)


def widened(small: Floats) -> Floats:
    """f32[EDGE, EDGE] of f32[COARSE, COARSE]."""
    return np.asarray(cv2.resize(small, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR), np.float32)


def finer(box: Box) -> Box:
    """A box at COARSE size as one of the texture."""
    rows, columns = (slice(part.start * EDGE // COARSE, part.stop * EDGE // COARSE) for part in box)
    return rows, columns


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
        box, found, _ = uv_map(head, rest[head.vertex], (SKIN,), COARSE)
        places = np.full((COARSE, COARSE, 3), -9, np.float32)  # what is not skin lies far behind
        places[box] = (found - origin) / unit
        marks = {name: (rest[k] - origin) / unit for name, k in head.marks.items()}
        x, y, z = (np.asarray(plane, np.float32) for plane in cv2.split(places))
        return cls(x, y, z, unit, origin, {name: (float(p[0]), float(p[1])) for name, p in marks.items()})

    def rough(self) -> Layout:
        """The same at half the size."""
        x, y, z = (np.ascontiguousarray(plane[::2, ::2]) for plane in (self.x, self.y, self.z))
        return Layout(x, y, z, self.unit, self.origin, self.marks)

    def blob(self, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Floats:
        """A soft ellipse on the front of the head, 1 in its middle; `tilt` in radians."""
        x, y = self.x - centre[0], self.y - centre[1]
        c, s = math.cos(tilt), math.sin(tilt)  # not numpy's, which would make all that follows float64
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
        """Pixels of points f[…, 2] in eye distances."""
        flat = (points - np.array(self.middle)) / HALF * np.array([1, -1])
        return np.asarray((flat + 1) * FRONT / 2, np.float32)

    def strands(self, strands: Floats, shades: Floats, width: int) -> None:
        """Thin lines through points f32[k, n, 2], added with shades f32[k], smooth-edged."""
        layer = np.zeros((FRONT, FRONT), np.uint8)
        pixels = np.round(self.at(strands) * (1 << self._shift)).astype(np.int32)
        for line, shade in zip(pixels, (255 * shades).astype(int).tolist(), strict=True):
            cv2.polylines(layer, [line], False, shade, width, cv2.LINE_AA, self._shift)
        box = box_of(layer, 0)
        self.picture[box] = np.maximum(self.picture[box], layer[box].astype(np.float32) / 255)

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
        along = (np.arange(len(line) - 1) + 0.5) / len(line)
        thick = np.maximum(1, 2.2 * sigma * np.sin(np.pi * along) ** 0.6).astype(int).tolist()
        ends = np.round((line - low) * 16).astype(int).tolist()
        for start, end, wide in zip(ends[:-1], ends[1:], thick, strict=True):
            cv2.line(layer, start, end, 255, wide, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), max(sigma * 0.8, 0.5))
        self.picture[low[1] : high[1], low[0] : high[0]] += np.float32(strength) * soft

    def laid(self) -> tuple[Box, Floats]:
        """What was painted, on the texture: a box of it and f32[h, w] there; elsewhere it is 0.

        It is 0, too, where the head does not face the front.
        """
        layout = self.layout
        rows, columns = np.flatnonzero(self.picture.any(1)), np.flatnonzero(self.picture.any(0))
        if not len(rows):
            return np.s_[0:0, 0:0], np.zeros((0, 0), np.float32)
        scale = np.float32(FRONT / 2 / HALF)
        x, y = (layout.x - self.middle[0]) * scale + FRONT / 2, (self.middle[1] - layout.y) * scale + FRONT / 2
        shown = (layout.z > -0.95) & (x > columns[0]) & (x < columns[-1]) & (y > rows[0]) & (y < rows[-1])
        box = box_of(shown, 2)
        wide = finer(box)
        size = (wide[1].stop - wide[1].start, wide[0].stop - wide[0].start)
        x, y = (np.asarray(cv2.resize(np.asarray(p[box], np.float32), size), np.float32) for p in (x, y))
        front = cv2.resize(np.asarray(layout.z[box] > -0.95, np.float32), size)
        return wide, np.asarray(cv2.remap(self.picture, x, y, cv2.INTER_LINEAR) * front, np.float32)
