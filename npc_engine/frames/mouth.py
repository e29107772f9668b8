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
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

SOFT: Final = 1.9 / 512  # width of a lip's edge in picture edges: two pixels at 512
REGION: Final = (0.9, 0.8)  # half the width and height of the layers' textures, in mouth widths
MARGIN: Final = 3.0  # grid cells around the lips' rims within which the layers' fields differ from the whole


class Mouth:
    """The mouth of one face."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips, motion: Motion) -> None:
        self.lips, self.motion = lips, motion
        self.interior = Interior(picture, points, lips, motion)

    def at(self, source: Pixels, size: int, scale: int) -> SizedMouth:
        """The mouth's layers for one output size, cut from `source`, the picture at `scale` times that size."""
        return SizedMouth(self, source, size, scale)


class SizedMouth:
    """The mouth at one output size."""

    def __init__(self, mouth: Mouth, source: Pixels, size: int, scale: int) -> None:
        self.mouth, self.size, self.scale = mouth, size, scale
        lips = self.lips = mouth.lips
        edge = size * scale
        reach = np.array(REGION) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        self.low = low
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        place = np.stack([x, y], -1)
        uv = lips.local((place + 0.5) / edge).astype(np.float32)
        soft = SOFT / lips.width
        upper, lower = (np.interp(uv[..., 0], lips.u, rim, 0.0, 0.0) for rim in (lips.upper, lips.lower))
        # lips of an open mouth are cut a little inside, where no tooth shines through
        spare = 0.5 * soft - np.minimum(1.1 * soft, (lower - upper) / 2)
        inset = 0.3 * soft * np.clip((lower - upper) / soft, 0, 1)
        cover = np.clip(0.5 + (upper - inset - uv[..., 1]) / soft, 0, 1)
        under = np.clip(0.5 + (uv[..., 1] - lower - inset) / soft, 0, 1)
        self.upper = self._layer(source, place, uv[..., 1], np.minimum(0, upper + spare - uv[..., 1]), cover)
        self.lower = self._layer(source, place, uv[..., 1], np.maximum(0, lower - spare - uv[..., 1]), under)
        self.interior = mouth.interior.at(source, size, scale)

    def _layer(self, source: Pixels, place: Floats, v: Floats, slide: Any, matte: Any) -> Floats:
        """RGB and matte, u8[h, w, 4]; beyond the lip's rim its own colour goes on."""
        away = np.asarray(slide, np.float32)[..., None] * np.float32(self.lips.width * self.size * self.scale)
        where = (place + away * self.lips.axes[1].astype(np.float32)).astype(np.float32)
        colour = cv2.remap(source[..., :3], where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.dstack([colour, np.round(matte * 255).astype(np.uint8)])

    def paint(self, out: Pixels, box: tuple[int, int, int, int], layers: Layers, weights: Floats) -> None:
        """Compose the mouth over `out`; `box` is the part of it that can move."""
        mouth, size = self.mouth, self.size
        skull, jaw = weights @ mouth.motion.skull, weights @ mouth.motion.jaw
        margin = MARGIN * mouth.motion.cell
        left, top = np.maximum(np.floor((layers.rims.min(0) - margin) * size), box[:2]).astype(int)
        right, bottom = np.minimum(np.ceil((layers.rims.max(0) + margin) * size), box[2:]).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        low = self.low.astype(np.float32)
        above = cv2.remap(self.upper, self._map(layers.upper, left, top, right, bottom) - low, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        under = cv2.remap(
            self.lower, self._map(layers.lower, left, top, right, bottom) - low, None, cv2.INTER_LINEAR,
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
        out[top:bottom, left:right, :3] = np.clip(mixed + 0.5, 0, 255)

    def _map(self, offset: Floats, left: int, top: int, right: int, bottom: int) -> Floats:
        """A layer's map over a part of the output: f32[h, w, 2], source pixels."""
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
