"""The mouth: two lips that part along a seam, and what is seen between them.

Around the mouth the picture is composed of two layers, the skin above the seam and the skin below it, each with a soft
edge there. What neither covers is the inside of the mouth.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.interior import Interior
from npc_engine.frames.lips import Lips
from npc_engine.frames.motion import Layers, Motion
from npc_engine.frames.sampling import mixed, moved, read, weighed
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

SOFT: Final = 1.9 / 512  # width of a lip's edge in picture edges: two pixels at 512
REGION: Final = (0.9, 0.8)  # half the width and height of the layers' textures, in mouth widths
MARGIN: Final = 3.0  # grid cells around the lips' rims within which the layers' fields differ from the whole
SEEN: Final = 0.02  # a gap that covers less of a pixel than this shows nothing


class Mouth:
    """The mouth of one face."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips, motion: Motion) -> None:
        self.lips, self.motion = lips, motion
        self.interior = Interior(picture, points, lips)

    def at(self, source: Pixels, size: int, scale: int) -> SizedMouth:
        """The mouth's layers for one output size, cut from `source`, the picture at `scale` times that size."""
        return SizedMouth(self, source, size, scale)


class SizedMouth:
    """The mouth at one output size."""

    def __init__(self, mouth: Mouth, source: Pixels, size: int, scale: int) -> None:
        self._motion, self._size, self._scale = mouth.motion, size, scale
        lips = mouth.lips
        edge = size * scale
        reach = np.array(REGION) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        self._low = low.astype(np.float32)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        place = np.stack([x, y], -1)
        uv = lips.local((place + 0.5) / edge)
        soft = SOFT / lips.width
        upper, lower = (np.interp(uv[..., 0], lips.u, rim, 0.0, 0.0) for rim in (lips.upper, lips.lower))
        # lips that are open in the picture are cut a little inside, where no tooth shines through
        gap = lower - upper
        inset, spare = 0.3 * soft * np.clip(gap / soft, 0, 1), 0.5 * soft - np.minimum(1.1 * soft, gap / 2)
        cover = np.clip(0.5 + (upper - inset - uv[..., 1]) / soft, 0, 1)
        under = np.clip(0.5 + (uv[..., 1] - lower - inset) / soft, 0, 1)
        # beyond a lip's rim its own colour goes on
        down = lips.axes[1] * lips.width * edge
        up_to, down_to = np.minimum(0, upper + spare - uv[..., 1]), np.maximum(0, lower - spare - uv[..., 1])
        self._upper = _layer(source, place + up_to[..., None] * down, cover)
        self._lower = _layer(source, place + down_to[..., None] * down, under)
        self._interior = mouth.interior.at(source, size, scale)

    def paint(self, out: Pixels, box: tuple[int, int, int, int], layers: Layers, weights: Floats) -> None:
        """Compose the mouth over the RGBA `out`, of which `box` (left, top, right, bottom) can move."""
        margin = MARGIN * self._motion.grid.cell
        left, top = np.maximum(np.floor((layers.rims.min(0) - margin) * self._size), box[:2]).astype(int)
        right, bottom = np.minimum(np.ceil((layers.rims.max(0) + margin) * self._size), box[2:]).astype(int)
        if right - left < 2 or bottom - top < 2:
            return  # the head has turned its mouth out of the picture
        part = (int(left), int(top), int(right), int(bottom))
        above = read(self._upper, self._map(layers.upper, part))
        under = read(self._lower, self._map(layers.lower, part))
        cover = above[..., 3] * np.float32(1 / 255)
        share = np.minimum(under[..., 3] * np.float32(1 / 255), 1 - cover)
        both = weighed(above, under, cover, share)
        hole = 1 - cover - share
        rows = np.flatnonzero(hole.max(axis=1) > SEEN)
        if len(rows):
            columns = np.flatnonzero(hole.max(axis=0) > SEEN)
            inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            skull, jaw = weights @ self._motion.skull, weights @ self._motion.jaw
            corner = (int(left + columns[0]), int(top + rows[0]))
            seen = self._interior.seen(corner, hole[inner], skull, jaw, weights)
            lips = np.ascontiguousarray(both[inner][..., :3])
            both[inner][..., :3] = mixed(lips, seen, hole[inner])
        out[top:bottom, left:right, :3] = both[..., :3]

    def _map(self, offset: Floats, part: tuple[int, int, int, int]) -> Floats:
        """A layer's map over a part of the output: f32[h, w, 2], pixels of the layers' textures."""
        grid, size, scale = self._motion.grid, self._size, self._scale
        left, top, right, bottom = part
        step = 1 / (size * grid.cell)
        first = grid.cells(np.array([left + 0.5, top + 0.5]) / size)
        matrix = np.array([[step, 0, first[0]], [0, step, first[1]]])
        fine = moved(offset, matrix, right - left, bottom - top, border=cv2.BORDER_REPLICATE)
        fine *= np.float32(grid.cell * size * scale)
        fine[..., 0] += ((np.arange(left, right) + 0.5) * scale - 0.5 - self._low[0]).astype(np.float32)
        fine[..., 1] += ((np.arange(top, bottom) + 0.5) * scale - 0.5 - self._low[1]).astype(np.float32)[:, None]
        return fine


def _layer(source: Pixels, where: npt.NDArray[Any], matte: npt.NDArray[Any]) -> Pixels:
    """RGB and matte, u8[h, w, 4], of the RGBA `source`."""
    layer = read(source, where)
    layer[..., 3] = np.round(matte * 255)
    return layer
