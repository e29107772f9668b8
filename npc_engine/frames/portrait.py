"""A picture that speaks: the portrait warp.

A drawn picture is the source picture read through a map. The map is smooth, so it is computed on a coarse grid
(`motion.py`) and enlarged; where the picture comes apart, at the lips and the lids, small patches are composed of
layers instead (`mouth.py`, `eyes.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames.background import parted
from npc_engine.frames.drawing import drawn
from npc_engine.frames.eye_pair import EyePair
from npc_engine.frames.eyes import Eye
from npc_engine.frames.grid import AROUND, FEWER
from npc_engine.frames.layering import lay_over
from npc_engine.frames.lips import Lips
from npc_engine.frames.mask import Person
from npc_engine.frames.motion import BREATH, CLOSED, WEIGHTS, Motion
from npc_engine.frames.mouth import Mouth, SizedMouth
from npc_engine.frames.sampling import (
    Places,
    blurred,
    enlarged_by,
    framed,
    largest,
    opaque,
    read,
    read_to,
    scaled,
    shrunk,
    without_alpha,
)
from npc_engine.frames.shading import Shading, shade
from npc_engine.frames.sizes import Sizes
from npc_engine.moments import ANGLES, CHANNEL, EXP50, Exp, Expression, Moment, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Box: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom in output pixels

LARGEST: Final = 2048
SMALLEST: Final = 32
SMALL: Final = 320  # pixels up to which a coarser grid shows no less
JAW_EASE, JAW_MOST = 0.3, 0.52  # facts/faces: beyond 0.5 a warped jaw looks like a mask
DEAD, DEAD_EXTRAS = 0.01, 0.03
"""Weights that draw nothing: a network never says quite 0, and each lid, tongue or field that is drawn costs time."""
EXTRAS: Final = [CHANNEL[name] for name in ("eyeBlinkLeft", "eyeBlinkRight", "tongueOut", "tongueUp")]
_DEAD_BY_CHANNEL: Final = np.where(np.isin(np.arange(ANGLES), EXTRAS), DEAD_EXTRAS, DEAD).astype(np.float32)
STRIP: Final = 128  # rows drawn at a time: of fewer, the calls cost more than the cache saves
NEAR: Final = 0.03  # picture edges: people seldom move further while they speak
MANY: Final = 254  # of a matte's 255, for an average
TURN_MOST: Final = {"headPitch": 0.15, "headYaw": 0.15, "headRoll": 0.09}
"""Radians that angles are eased towards: turned further, a picture shows that it is flat, and bends its background."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Some rows of a drawn picture, in its pixels."""

    top: int
    bottom: int
    left: int  # what is the person's at rest; it moves beyond that
    right: int
    solid: tuple[int, int] | None  # from where to where there is nothing but the person at rest


@dataclass(frozen=True)
class _Sized:
    """What one output size needs."""

    motion: Motion
    shading: Shading
    source: Pixels  # RGBA, the picture at `scale` times the output size
    person: Pixels  # the same with what is not the person taken off, colours multiplied by its alpha; or `source`
    behind: Pixels | None  # RGBA at output size, what is behind the person; None where there is nothing
    scale: int
    box: Box  # what the grid covers of the picture
    inside: tuple[slice, slice]  # rows and columns of that in the map, which is a cell wider on all sides
    near: int  # pixels that people seldom move further than
    strips: tuple[_Strip, ...]  # as long as they do not
    far: tuple[_Strip, ...]  # otherwise
    cell: float  # edge of a grid's cell in output pixels
    still: Floats  # f32[2, rows + 2, columns + 2], the map at the grid's nodes, and a row around, when nothing moves
    shade: Box  # where light changes
    base: Pixels  # RGBA, the picture at output size
    mouth: SizedMouth
    eyes: EyePair


class Portrait:
    """One face, loaded: draws it at any size. Safe for several lines at once."""

    def __init__(
        self,
        picture: Pixels,
        landmarks: Floats,
        limits: Mapping[str, float] | None = None,
        person: Person | None = None,
    ) -> None:
        """`picture` is square, u8[n, n, 3 | 4]; `landmarks` f32[478, 3] in its pixels; `limits` cap weights by name.

        Without a `person` an opaque picture bends beside a head that turns.
        """
        edge = picture.shape[0]
        points = landmarks.astype(np.float32) / edge
        points[:, :2] += np.float32(0.5 / edge)
        self.picture = picture = _bled(picture)
        lips = Lips(picture, points)
        self._motion = Motion(points, lips, person)
        self._layers = None if person is None or person.behind is None else parted(picture, person.matte, person.behind)
        self._person = person
        self._mouth = Mouth(picture, points, lips)
        self._eyes = (Eye(picture, points, 0, self._motion), Eye(picture, points, 1, self._motion))
        self._shading = Shading(picture, points, self._motion)
        self._limits = [
            (CHANNEL[name], _alive(np.full(ANGLES, most, np.float32))) for name, most in (limits or {}).items()
        ]
        self._coarse: Motion | None = None  # for small pictures, from the first of them on
        self._sized = Sizes(self._prepare)

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        return drawn(self.render, expressions)

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4].

        `breath` is how far the shoulders have risen, 0..1.
        """
        if not SMALLEST <= size <= LARGEST:
            msg = f"a picture of {size} pixels was asked for, faces are drawn at {SMALLEST} to {LARGEST}"
            raise ValueError(msg)
        weights = self._drawn(exp, breath)
        at = self._sized.at(size)
        layers = at.motion.inverse(weights)
        out = at.base.copy()
        where = self._drawn_layer(out, at, layers.whole)
        at.mouth.paint(out, at.box, layers, weights)
        at.eyes.paint(out, where, at.box, weights)
        light = at.shading.change(layers.whole, weights)
        if light is not None:
            left, top, right, bottom = at.shade
            shade(out[top:bottom, left:right], light)
        return out if self.picture.shape[2] == 4 else without_alpha(out)

    def _drawn_layer(self, out: Pixels, at: _Sized, offset: Floats) -> Places:
        """Draw the person into `out`; gives the map by which `at.box` of it was read."""
        left, top, right, _ = at.box
        x, y = (
            enlarged_by(scaled(framed(offset[:, k]), at.cell * at.scale, at.still[k]), at.cell)[at.inside]
            for k in (0, 1)
        )
        reach = math.ceil(largest(offset) * at.cell) + 2
        for strip in (
            at.strips if reach <= at.near else at.far
        ):  # one after the other they stay in the processor's cache
            begin, end = max(left, strip.left - reach), min(right, strip.right + reach)
            part = slice(strip.top - top, strip.bottom - top), slice(begin - left, end - left)
            rows = slice(strip.top, strip.bottom)
            read_to(at.person, x[part], y[part], out[rows, begin:end])
            if at.behind is None:
                continue
            first, last = (strip.solid[0] + reach, strip.solid[1] - reach) if strip.solid else (end, end)
            open_ = [(begin, first), (last, end)] if begin < first < last < end else [(begin, end)]
            for low, high in open_:  # elsewhere there is nothing of the background to be seen
                lay_over(out[rows, low:high], at.behind[rows, low:high])
        return x, y

    def _drawn(self, exp: Exp, breath: float = 0.0) -> Floats:
        """The weights as drawn: within 0..1, within this face's limits, the jaw eased towards its most."""
        w = np.empty(WEIGHTS, np.float32)
        w[: len(EXP50)] = exp
        w[:ANGLES] = np.minimum(np.maximum(_alive(w[:ANGLES]), 0), 1)
        asked = float(w[0])
        for i, capped in self._limits:
            w[i] = min(w[i], capped[i])
        if w[0] > JAW_EASE:
            room = JAW_MOST - JAW_EASE
            w[0] = JAW_EASE + room * np.tanh((w[0] - JAW_EASE) / room)
        if asked > w[0]:
            w[CHANNEL["mouthClose"]] *= w[0] / asked  # it closes what the jaw has opened, no more
        for name, most in TURN_MOST.items():
            w[CHANNEL[name]] = most * math.tanh(w[CHANNEL[name]] / most)
        w[CLOSED], w[BREATH] = 1.0, min(max(breath, 0.0), 1.0)
        return w

    def _prepare(self, size: int) -> _Sized:
        # reading a source of twice the size averages four pixels wherever the map points, so that
        # the picture keeps its sharpness while it moves
        scale = 2 if size <= 640 else 1
        edge = size * scale
        source = person = opaque(shrunk(self.picture, edge, edge))
        y, x = np.mgrid[0:size, 0:size].astype(np.float32)
        every = (np.stack([x, y], -1) + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
        behind = None
        if self._layers is not None:
            person = shrunk(self._layers.person, edge, edge)
            behind = read(shrunk(self._layers.behind, edge, edge), every)  # on the way of `base`, to be the same
        motion, shading = self._motion, self._shading
        if size <= SMALL:
            self._coarse = self._coarse or motion.coarser(FEWER)
            motion, shading = self._coarse, shading.coarser(self._coarse.grid)
        grid = motion.grid
        first = np.round((grid.origin - grid.cell) * size).astype(int)
        (left, top), (right, bottom) = (np.round(end * size).astype(int) for end in (grid.origin, grid.opposite))
        box = (int(left), int(top), min(int(right), size), min(int(bottom), size))
        nodes = np.mgrid[0 : grid.shape[0] + 2, 0 : grid.shape[1] + 2][::-1].transpose(1, 2, 0)
        still = (first + (nodes + 0.5) * grid.cell * size) * scale - 0.5
        return _Sized(
            motion,
            shading,
            source,
            person,
            behind,
            scale,
            box,
            (slice(box[1] - first[1], box[3] - first[1]), slice(box[0] - first[0], box[2] - first[0])),
            round(NEAR * size),
            self._strips(box, size, round(NEAR * size)),
            self._strips(box, size, round(AROUND * size)),
            grid.cell * size,
            np.ascontiguousarray(still.transpose(2, 0, 1), np.float32),
            shading.box(size),
            read(source, every),
            self._mouth.at(source, size, scale, motion),
            EyePair(self._eyes, source, size, scale),
        )

    def _strips(self, box: Box, size: int, reach: int) -> tuple[_Strip, ...]:
        """Strips of the grid's box, as wide as a person is that moves by no more than `reach` pixels.

        The whole box, if nobody knows who that is.
        """
        left, top, right, bottom = box
        if self._person is None:
            return tuple(_Strip(y, min(y + STRIP, bottom), left, right, None) for y in range(top, bottom, STRIP))
        matte = shrunk(self._person.matte, size, size)
        middle = round(float(self._motion.grid.middle[0]) * size)
        strips = []
        for first in range(top, bottom, STRIP):
            last = min(first + STRIP, bottom)
            rows = matte[max(0, first - reach) : last + reach]
            columns, open_ = np.flatnonzero((rows > 0).any(0)), np.flatnonzero((rows < MANY).any(0))
            if not len(columns):
                continue
            before, after = open_[open_ < middle], open_[open_ > middle]
            begin = int(before[-1]) + 1 if len(before) else left
            end = int(after[0]) if len(after) else right
            solid = None if middle in open_ else (begin, end)
            strips.append(_Strip(first, last, int(columns[0]), int(columns[-1]) + 1, solid))
        return tuple(strips)


def _alive(weights: Floats) -> Floats:
    """Weights f32[45] with what is dead taken off: from nothing on without a step, and 1 is 1."""
    return np.asarray((weights - _DEAD_BY_CHANNEL) / (1 - _DEAD_BY_CHANNEL), np.float32)


def _bled(picture: Pixels) -> Pixels:
    """`picture` with colours beneath what is transparent, so that no dark fringe is drawn where its edge moves."""
    if picture.shape[2] != 4:
        return picture
    alpha = picture[..., 3:].astype(np.float32) / 255
    near = max(1.0, picture.shape[0] / 100)
    filled = blurred(picture[..., :3] * alpha, near) / np.maximum(blurred(alpha[..., 0], near)[..., None], 1e-3)
    colour = np.where(alpha > 0, picture[..., :3], np.clip(filled, 0, 255))
    return np.dstack([colour.astype(np.uint8), picture[..., 3]])
