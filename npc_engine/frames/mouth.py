"""The mouth: two lips that part along a seam, and what is seen between them.

Around the mouth the picture is composed of two layers, the skin above the seam and the skin below it, each with a soft
edge there. What neither covers is the inside of the mouth.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.interior import Interior
from npc_engine.frames.layering import (
    Share,
    darken,
    lay,
    less,
    plus,
    product,
    rest,
    share_of,
    spread_down,
    times,
    without_less,
)
from npc_engine.frames.lips import SOFT, Lips
from npc_engine.frames.motion import Layers, Motion
from npc_engine.frames.sampling import Places, blurred, moved, read, read_at, scaled, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

REGION: Final = (0.9, 0.8)  # half the width and height of the layers' textures, in mouth widths
ROOM: Final = (1.7, 1.7)  # likewise of the part of the picture that the mouth can come to
MARGIN: Final = 2.5  # grid cells around the lips' rims within which the layers' fields differ from the whole
SHADY: Final = 0.05  # mouth widths from a lip's rim that the shade of the seam reaches
CREASE: Final = 0.86  # a lip's own light at its rim, where it turns away
PRESSED: Final = 0.35  # what lips that touch take from each other's light
PARTED: Final = 0.05  # mouth widths between lips that have no seam any more
ROLLED: Final = 0.12
SEEN: Final = 5  # of 255: a gap that covers less of a pixel than this shows nothing


class Mouth:
    """The mouth of one face."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips) -> None:
        self.lips = lips
        self.interior = Interior(picture, points, lips)

    def at(self, source: Pixels, size: int, scale: int, motion: Motion) -> SizedMouth:
        """The mouth's layers for one output size, cut from `source`, the picture at `scale` times that size.

        `motion` is what moves it.
        """
        return SizedMouth(self, source, size, scale, motion)


class SizedMouth:
    """The mouth at one output size."""

    def __init__(self, mouth: Mouth, source: Pixels, size: int, scale: int, motion: Motion) -> None:
        self._motion, self._size, self._scale = motion, size, scale
        lips = mouth.lips
        self._down, self._width = lips.axes[1], lips.width
        self._columns = (np.arange(size) + 0.5) / size
        edge = size * scale
        reach = np.array(REGION) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        room = np.array(ROOM) * lips.width
        first = np.clip(np.floor((lips.centre - room) * size), 0, size - 2).astype(int)
        last = np.clip(np.ceil((lips.centre + room) * size), first + 2, size).astype(int)
        self._room = (int(first[0]), int(first[1]), int(last[0]), int(last[1]))
        y, x = np.mgrid[first[1] : last[1], first[0] : last[0]].astype(np.float32)
        still = (np.stack([x, y], -1) + 0.5) * scale - 0.5 - low
        # f32[2, h, w], the map over that room when nothing moves
        self._still: Floats = np.ascontiguousarray(still.transpose(2, 0, 1), np.float32)
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
        inwards = upper + spare - uv[..., 1], uv[..., 1] - lower + spare
        # the lips with some room around, as they are and without their grain
        around = math.ceil(0.1 * lips.width * edge)
        start = np.maximum(low - around, 0)
        skin = np.ascontiguousarray(source[start[1] : high[1] + around, start[0] : high[0] + around])
        pictures = (skin, blurred(skin, 0.02 * lips.width * edge))
        place -= start.astype(np.float32)
        pressed = PRESSED * smooth((0.5 - np.abs(uv[..., 0])) / 0.1) if lips.open else 0 * gap
        self._upper = _lip(pictures, place, (up_to, inwards[0], cover), down, pressed)
        self._lower = _lip(pictures, place, (down_to, inwards[1], under), -down, pressed)
        self._interior = mouth.interior.at(source, size, scale)

    def paint(self, out: Pixels, box: tuple[int, int, int, int], layers: Layers, weights: Floats) -> None:
        """Compose the mouth over the RGBA `out`, of which `box` (left, top, right, bottom) can move."""
        pose = self._interior.pose(weights @ self._motion.skull, weights @ self._motion.jaw, weights)
        margin = MARGIN * self._motion.grid.cell
        low, high = layers.rims.min(0) - margin, layers.rims.max(0) + margin
        high[1] += pose.reach() * self._width
        left, top = np.maximum(np.floor(low * self._size), np.maximum(box[:2], self._room[:2])).astype(int)
        right, bottom = np.minimum(np.ceil(high * self._size), np.minimum(box[2:], self._room[2:])).astype(int)
        if right - left < 2 or bottom - top < 2:
            return  # the head has turned its mouth out of the picture
        part = (int(left), int(top), int(right), int(bottom))
        above_at, under_at = self._maps((layers.upper, layers.lower), part)
        (upper, upper_seam), (lower, lower_seam) = self._upper, self._lower
        above, under = read_at(upper, *above_at), read_at(lower, *under_at)
        touching = self._touching(layers.rims, part)
        seams = np.flatnonzero(touching)
        if len(seams):
            columns = slice(seams[0], seams[-1] + 1)
            there = spread_down(touching[columns], bottom - top)
            for lip, seam, (x, y) in ((above, upper_seam, above_at), (under, lower_seam, under_at)):
                darken(lip[:, columns], times(read_at(seam, x[:, columns], y[:, columns]), there))
        cover = share_of(above)
        free = rest(cover)
        shown = np.minimum(share_of(under), free)
        if pose.out or pose.bite:
            shown = product(shown, rest(self._interior.over(part, pose)))
        hole = without_less(less(free, shown), SEEN)
        both = plus(times(above, cover), times(under, less(free, hole)))
        first, begin, width, height = cv2.boundingRect(hole)
        if width:
            inner = slice(begin, begin + height), slice(first, first + width)
            seen = self._interior.seen((part[0] + first, part[1] + begin), hole[inner], pose)
            plus(both[inner], times(seen, hole[inner]))
        lay(both, out[top:bottom, left:right])

    def _touching(self, rims: npt.NDArray[Any], part: tuple[int, int, int, int]) -> Share:
        """How much of their seam lips have in each column of `part`, u8[w]: all where they touch, none where they part.

        Lips that are pressed together roll inwards, and hide it.
        """
        upper, lower = rims[: len(rims) // 2], rims[len(rims) // 2 :]
        apart = lower - upper
        gap = np.hypot(apart[:, 0], apart[:, 1]) * np.sign(apart @ self._down) / self._width
        x = self._columns[part[0] : part[2]]
        parted = np.interp(x, np.maximum.accumulate(upper[:, 0]), gap, 0.0, 0.0)
        return np.asarray(np.interp(parted, (-0.6 * ROLLED, 0.0, PARTED), (0.4 * 255, 255, 0)), np.uint8)

    def _maps(self, offsets: tuple[Floats, ...], part: tuple[int, int, int, int]) -> list[Places]:
        """The layers' maps over a part of the output, in pixels of the layers' textures."""
        grid, size = self._motion.grid, self._size
        left, top, right, bottom = part
        step, factor = 1 / (size * grid.cell), grid.cell * size * self._scale
        x, y = grid.cells(np.array([left + 0.5, top + 0.5]) / size).tolist()
        matrix = np.array([[step, 0, x], [0, step, y]])
        across, down = self._room[:2]
        still = self._still[:, top - down : bottom - down, left - across : right - across]
        every = []
        for offset in offsets:
            fine = (
                moved(offset[:, k], matrix, right - left, bottom - top, border=cv2.BORDER_REPLICATE) for k in (0, 1)
            )
            x, y = (scaled(plane, factor, begin) for plane, begin in zip(fine, still, strict=True))
            every.append((x, y))
        return every


def _lip(
    pictures: tuple[Pixels, Pixels],
    place: npt.NDArray[Any],
    cut: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]],
    down: npt.NDArray[Any],
    pressed: npt.NDArray[Any],
) -> tuple[Pixels, Pixels]:
    """A lip with its matte where lips have parted, u8[h, w, 4], and what its seam takes from that where they touch.

    It is read at `place` in `pictures`, which are RGBA: as it is, and blurred. `cut` is how far each place is moved to
    lie within the lip, how far within it lies, f[h, w] in mouth widths, and the matte; `down` is a mouth width towards
    the rim; `pressed` is how much light lips take from each other where they touch, if the picture does not show that.

    A dark line belongs between lips that touch; on a lip that has left the other it would be an outline.
    """
    move, within, matte = (np.asarray(part, np.float32) for part in cut)
    down = down.astype(np.float32)
    inside = place - np.abs(move)[..., None] * down
    touching = read(pictures[0], inside)
    touching[..., 3] = np.round(matte * 255)
    parted = touching.copy()
    band = np.abs(within) < SHADY  # deeper there is no shade, and further beyond the rim nothing is seen
    deep = within[band][:, None]
    deeper = inside[band] - (SHADY - np.maximum(deep, 0)) * down
    usual = CREASE * np.maximum(read(pictures[1], deeper[None])[0, :, :3], 1)
    own = np.maximum(touching[band][:, :3], 1).astype(np.float32)
    light = np.maximum(usual / own, 1) ** smooth((SHADY - deep) / (0.6 * SHADY))
    parted[band, :3] = np.minimum(np.round(own * light), 255)
    line = pressed[band][:, None] * np.exp(-((np.maximum(deep, 0) / 0.02) ** 2))
    touching[band, :3] = np.round(touching[band][:, :3] * (1 - line))
    return parted, np.maximum(parted, touching) - touching
