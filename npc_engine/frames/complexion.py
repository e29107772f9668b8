"""The colour of a face's skin, drawn against its source, and what brings it back.

A warp keeps its source's colours. A neural network drifts: its skin turns paler or redder than the picture around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from npc_engine.frames import topology
from npc_engine.frames.landmarks import Points
from npc_engine.frames.sampling import Floats, blurred, mixed, read, smooth
from npc_engine.frames.sizes import Sizes
from npc_engine.moments import Pixels

WINDOW: Final = (0.4, 0.3)
"""Of the face's width and height: how far from its middle, a little below the eyes, what is read still weighs 1/e³."""
READ: Final = 25  # places a row and column of the window
STILL: Final = 0.06  # radians: turned further, a face shows its light and its hair from another side
DRIFT: Final = 0.06
"""Share by which a channel's mean may differ; from twice that on, the whole difference is corrected.

The warp itself, over all expressions and a line, differs by 0.04 at most while a head is `STILL`."""
MOST: Final = 0.15  # share by which a channel is corrected at most: more would colour the face, not correct it
SOFT: Final = 0.06  # of the face's width: over what the correction fades out at the outline
_BETWEEN_EYES: Final = 168
PLAIN: Final = np.ones(3, np.float32)
"""Gains of no correction."""


@dataclass(frozen=True, slots=True)
class _Sized:
    left: int
    top: int
    share: Floats  # f32[h, w], 0..1: where the face is, in its box


class Complexion:
    """How one face's skin looks in its source. Safe for several threads."""

    def __init__(self, source: Pixels, landmarks: Points) -> None:
        """`source` is square, `landmarks` f32[478, 3] in its pixels."""
        self._landmarks = (landmarks[:, :2].astype(np.float64) + 0.5) / source.shape[0]  # in picture edges
        wide, high = np.ptp(self._landmarks[:468], axis=0)
        self._wide = float(wide)
        line = np.linspace(-1.0, 1.0, READ)
        places = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        weight = np.exp(-3 * (places**2).sum(1))
        self._weight = (weight / weight.sum()).astype(np.float32)
        middle = self._landmarks[_BETWEEN_EYES] + [0, 0.08 * high]
        self._places = (middle + places * [WINDOW[0] * wide, WINDOW[1] * high])[None]
        self._own = self._seen(source)
        self._sized = Sizes(self._prepare)

    def _seen(self, pixels: Pixels) -> Floats:
        """The mean colour f32[3] around the nose, cheeks and brow, at least 1."""
        values = read(np.ascontiguousarray(pixels[..., :3]), self._places * pixels.shape[0] - 0.5)
        return np.asarray(np.maximum(self._weight @ values[0], 1), np.float32)

    def gains(self, pixels: Pixels) -> Floats:
        """Factors f32[3] on red, green and blue that bring a drawn face back; `PLAIN` for little drift."""
        off = np.clip(self._own / self._seen(pixels) - 1, -MOST, MOST)
        excess = float(np.abs(off).max()) / DRIFT - 1
        return PLAIN if excess <= 0 else np.asarray(1 + off * smooth(np.array(excess)), np.float32)

    def corrected(self, pixels: Pixels, gains: Floats) -> Pixels:
        """`pixels` with the face's colours times `gains`, softly from its outline inwards; nothing else is touched."""
        at = self._sized.at(pixels.shape[0])
        rows, columns = at.share.shape
        box = np.s_[at.top : at.top + rows, at.left : at.left + columns]
        out = pixels.copy()
        face = np.ascontiguousarray(out[box][..., :3])
        ramp = np.arange(256, dtype=np.float32)[:, None] * gains
        table = np.clip(ramp + np.float32(0.5), 0, 255).astype(np.uint8).reshape(1, 256, 3)
        out[box][..., :3] = mixed(face, np.asarray(cv2.LUT(face, table), np.uint8), at.share)
        return out

    def _prepare(self, size: int) -> _Sized:
        oval = self._landmarks[list(topology.OVAL)] * size - 0.5
        soft = SOFT * self._wide * size
        left, top = np.maximum(np.floor(oval.min(0) - 2 * soft), 0).astype(int)
        right, bottom = np.minimum(np.ceil(oval.max(0) + 2 * soft), size).astype(int)
        inside = np.zeros((bottom - top, right - left), np.float32)
        cv2.fillPoly(inside, [np.round(oval - [left, top]).astype(np.int32)], 1.0)
        return _Sized(int(left), int(top), blurred(inside, soft))
