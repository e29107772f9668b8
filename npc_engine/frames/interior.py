"""What is seen between the lips: the cavity, teeth and tongue, lit and coloured as the picture is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.lips import Lips
from npc_engine.frames.sampling import blurred, moved, read, shrunk
from npc_engine.frames.teeth import FINE, lower_row, upper_row
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

UPPER_BITE, LOWER_BITE = 0.05, 0.07  # biting edges below the seam of the lips at rest, in mouth widths
LOWER_DIM: Final = 0.7  # lower teeth stand behind the upper, in the lip's shade
LIGHT: Final = np.array([0.299, 0.587, 0.114])  # of RGB, BT.601
CHEEKS: Final = [50, 280, 205, 425, 151, 9]
LIPS: Final = [84, 17, 314, 85, 16, 315, 0, 37, 267]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the mouth is drawn: its axes, and its middle as the skull and as the jaw carry it (picture edges)."""

    along: npt.NDArray[Any]
    down: npt.NDArray[Any]
    skull: npt.NDArray[Any]
    jaw: npt.NDArray[Any]
    corner: npt.NDArray[Any]  # the drawn part's upper left pixel


class Interior:
    """The inside of one mouth."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips) -> None:
        """`points` f32[478, 3] are in picture edges."""
        self.lips = lips
        self.tooth = _tooth(picture, points)
        edge = picture.shape[0]
        soft = blurred(picture[..., :3], lips.width * edge * 0.02)
        lip = np.median(_colours(soft, points[LIPS]), axis=0)
        skin = _colours(soft, points[CHEEKS]).mean(0)
        self.dark = (lip * [0.20, 0.13, 0.13]).astype(np.float32)
        self.tongue = (lip * [0.82, 0.52, 0.54] + skin * 0.08).astype(np.float32)
        self.toothy = lips.open and self._shows_teeth(picture)
        middle = len(lips.u) // 2
        self.seam = float(0.4 * lips.upper[middle] + 0.6 * lips.lower[middle])

    def _shows_teeth(self, picture: Pixels) -> bool:
        """Whether the open mouth of the picture shows teeth, which then are kept, and not a dark gap."""
        lips = self.lips
        u, share = np.linspace(-0.25, 0.25, 21), np.linspace(0.25, 0.6, 5)
        upper, lower = (np.interp(u, lips.u, rim) for rim in (lips.upper, lips.lower))
        uv = np.stack(np.broadcast_arrays(u[:, None], upper[:, None] + (lower - upper)[:, None] * share), -1)
        where = lips.centre + lips.width * (uv @ lips.axes)
        seen = read(picture[..., :3], where * picture.shape[0] - 0.5) @ LIGHT
        return bool((lower - upper).max() > 0.07 and np.median(seen) > 0.6 * (self.tooth @ LIGHT))

    def at(self, source: Pixels, size: int, scale: int) -> SizedInterior:
        """Ready for one output size."""
        return SizedInterior(self, source, size, scale)


def _colours(picture: Pixels, points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The picture's colours at points, f64[n, 3]."""
    return np.asarray(read(picture[..., :3], points[None, :, :2] * picture.shape[0] - 0.5)[0], float)


def _tooth(picture: Pixels, points: Floats) -> npt.NDArray[np.float32]:
    """The colour of a front tooth in this picture's light: near the whites of the eyes, and no darker than the skin."""
    whites = []
    for up, low in zip(topology.LID_UPPER, topology.LID_LOWER, strict=True):
        outline = np.concatenate([points[list(up), :2], points[list(low), :2][::-1]]) * picture.shape[0]
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], (1,))
        inside = picture[mask > 0][:, :3].astype(float)
        if len(inside):
            light = inside @ LIGHT
            whites.append(inside[light >= np.percentile(light, 75)].mean(0))
    white = np.mean(whites, 0) if whites else np.full(3, 200.0)
    light = max(float(white @ LIGHT) * 1.12, float((_colours(picture, points[CHEEKS]) @ LIGHT).mean()) * 1.05)
    tint = 0.55 * white / max(float(white @ LIGHT), 1.0) + 0.45 * np.array([1.06, 1.0, 0.88])
    return np.asarray(np.clip(tint / (tint @ LIGHT) * light, 30, 238), np.float32)


class SizedInterior:
    """The inside of one mouth at one output size."""

    def __init__(self, interior: Interior, source: Pixels, size: int, scale: int) -> None:
        self._of, self._size, self._scale = interior, size, scale
        self._width = interior.lips.width * size
        self._fine = min(1.0, 1.5 * self._width / FINE)  # rows of teeth a little finer than they are drawn
        self._upper, self._lower = (self._sprite(row) for row in (upper_row(), lower_row()))
        self._own = self._own_teeth(source) if interior.toothy else None

    def _sprite(self, row: Floats) -> Floats:
        row[..., 0] *= row[..., 1]
        return shrunk(row, round(row.shape[1] * self._fine), round(row.shape[0] * self._fine))

    def _own_teeth(self, source: Pixels) -> tuple[npt.NDArray[Any], Floats]:
        """What the picture itself shows between the lips, with a matte: its corner, and f32[h, w, 4]."""
        lips, edge = self._of.lips, self._size * self._scale
        reach = np.array([0.6, 0.5]) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        uv = lips.local((np.stack([x, y], -1) + 0.5) / edge)
        upper, lower = (np.interp(uv[..., 0], lips.u, rim, 0.0, 0.0) for rim in (lips.upper, lips.lower))
        matte = np.clip((uv[..., 1] - upper) / 0.01, 0, 1) * np.clip((lower - uv[..., 1]) / 0.035, 0, 1)
        colour = source[low[1] : high[1], low[0] : high[0], :3] * matte[..., None]
        return low, np.dstack([colour, matte]).astype(np.float32)

    def seen(self, corner: tuple[int, int], hole: Floats, skull: Any, jaw: Any, weights: Floats) -> Pixels:
        """The colours u8[h, w, 3] behind `hole` f32[h, w], whose upper left pixel is at `corner` of the picture.

        `skull` and `jaw` f64[2] are how far both have moved, in picture edges.
        """
        lips = self._of.lips
        turn = float(weights[CHANNEL["headRoll"]])
        along, down = lips.axes[0] + turn * lips.axes[1], lips.axes[1] - turn * lips.axes[0]
        frame = _Frame(along, down, lips.centre + skull, lips.centre + jaw, np.array(corner) + 0.5)
        k = max(1, round(0.07 * self._width)) * 2 + 1
        near = cv2.blur(hole, (k, k), borderType=cv2.BORDER_CONSTANT)  # 0 in a slit, 1 in a wide opening
        # f32[3, h, w], colours first: numpy is slow on a last axis of three
        canvas = np.asarray(_planes(self._of.dark) * (1.3 - 0.8 * near), np.float32)
        light = np.asarray(np.clip(0.15 + 1.4 * near, 0, 1), np.float32)  # lips shade what lies close behind them
        up, out = float(weights[CHANNEL["tongueUp"]]), float(weights[CHANNEL["tongueOut"]])
        opened = float(np.clip((jaw - skull) @ lips.axes[1] / lips.width, 0, 1))
        at = self._in_mouth(canvas, frame)
        self._tongue(canvas, light, at, (0.36, 0.08 + 0.6 * opened + up * (0.10 + 0.3 * opened), 1.0))
        seam, tooth = self._of.seam, self._of.tooth
        self._lay(canvas, _planes(LOWER_DIM * tooth) * light, self._lower, (frame, frame.jaw, seam + LOWER_BITE))
        if out:  # the tip, over the lower teeth to the upper
            self._tongue(canvas, light, at, (0.27, 0.16 + out * (0.05 + 0.8 * opened), min(1.0, 3 * out)))
        if self._own is None:
            top = seam + UPPER_BITE - self._upper.shape[0] / (FINE * self._fine)
            self._lay(canvas, _planes(tooth) * light, self._upper, (frame, frame.skull, top))
        else:
            low, texture = self._own
            first = (frame.corner - skull * self._size) * self._scale - 0.5 - low
            matrix = np.array([[self._scale, 0, first[0]], [0, self._scale, first[1]]], float)
            own = moved(texture, matrix, canvas.shape[2], canvas.shape[1], border=cv2.BORDER_CONSTANT)
            canvas *= 1 - own[..., 3]
            canvas += np.moveaxis(own[..., :3], 2, 0) * np.sqrt(light)  # it has its own shade already
        return np.ascontiguousarray(np.moveaxis(np.clip(canvas + 0.5, 0, 255), 0, 2), np.uint8)

    def _in_mouth(self, canvas: Floats, frame: _Frame) -> Floats:
        """Where each pixel of the canvas lies, in mouth widths along and below the middle as the jaw carries it."""
        y, x = np.mgrid[0 : canvas.shape[1], 0 : canvas.shape[2]].astype(np.float32)
        away = np.stack([x, y], -1) + (frame.corner - frame.jaw * self._size).astype(np.float32)
        return np.asarray(away @ (np.stack([frame.along, frame.down], 1) / self._width).astype(np.float32))

    def _tongue(self, canvas: Floats, light: Floats, at: Floats, shape: tuple[float, float, float]) -> None:
        """A soft mound on the floor of the mouth: half its width, its height, and how much of it is there."""
        half, rise, there = shape
        x, y = at[..., 0], at[..., 1]
        mound = np.sqrt(np.clip(1 - (x * np.float32(1 / half)) ** 2, 0, 1))
        inside = y - (self._of.seam + 0.16 - rise * mound)
        shade = (0.45 + 0.6 * np.clip(inside * np.float32(1 / 0.14), 0, 1)) * (0.6 + 0.4 * mound)
        shade *= 1 - 0.15 * np.exp(-((x * np.float32(1 / 0.03)) ** 2))
        matte = (
            np.clip(inside * np.float32(1 / 0.025), 0, 1)
            * np.clip((half - np.abs(x)) * np.float32(1 / 0.05), 0, 1)
            * there
        )
        canvas += matte * (_planes(self._of.tongue) * (shade * light) - canvas)

    def _lay(self, canvas: Floats, colour: Floats, row: Floats, at: tuple[_Frame, npt.NDArray[Any], float]) -> None:
        """Lay a row of teeth over the canvas; `at` is a frame, a middle and how far below it the row's top is."""
        frame, centre, top = at
        grain = FINE * self._fine
        turned = np.stack([frame.along, frame.down]) * grain / self._width
        start = turned @ (frame.corner - centre * self._size) + [row.shape[1] / 2 - 0.5, -top * grain - 0.5]
        matrix = np.column_stack([turned, start])
        got = moved(row, matrix, canvas.shape[2], canvas.shape[1], border=cv2.BORDER_CONSTANT)
        canvas *= 1 - got[..., 1]
        canvas += got[..., 0] * colour


def _planes(colour: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A colour [3] as f32[3, 1, 1], to be spread over planes."""
    return np.asarray(colour, np.float32)[:, None, None]
