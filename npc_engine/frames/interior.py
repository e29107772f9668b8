"""What is seen between the lips: the cavity, teeth and tongue, lit and coloured as the picture is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.lips import Lips
from npc_engine.frames.motion import Motion
from npc_engine.moments import CHANNEL, Pixels


Floats: TypeAlias = npt.NDArray[np.float32]

FINE: Final = 400  # sprite pixels per mouth width
HALF: Final = 0.56  # sprites reach this far to both sides, in mouth widths
UPPER_EDGES: Final = (0.0, 0.165, 0.285, 0.385, 0.455, 0.50, 0.535)
UPPER_BITE, LOWER_BITE = 0.065, 0.05  # biting edges below the seam of the lips at rest, in mouth widths
LOWER_EDGES: Final = (0.0, 0.105, 0.215, 0.320, 0.400, 0.455, 0.50)
"""Where one tooth ends and the next begins, in mouth widths from the middle: incisors, canine, premolars seen askew."""


def _lightness(rgb: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114]))


class Interior:
    """The inside of one mouth."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips, motion: Motion) -> None:
        self.lips, self.motion = lips, motion
        edge = picture.shape[0]
        at = np.clip((points[:, :2] * edge).astype(int), 0, edge - 1)
        blurred = cv2.GaussianBlur(picture[..., :3], (0, 0), max(0.5, lips.width * edge * 0.02))
        colour = lambda rows: blurred[at[rows, 1], at[rows, 0]].astype(float)
        skin = colour([205, 425, 187, 411, 50, 280, 18, 200])
        lips = np.median(colour([84, 17, 314, 85, 16, 315, 0, 37, 267]), axis=0)
        white = self._white(picture, points)
        self.tooth = white
        self.lip = lips
        self.dark = lips * np.array([0.20, 0.13, 0.13])
        self.tongue = lips * np.array([0.80, 0.62, 0.62]) + skin.mean(0) * 0.1
        self.upper = _teeth(UPPER_EDGES, 0.20, 0.0, 0.035)
        self.lower = _teeth(LOWER_EDGES, 0.17, 0.012, 0.03)[::-1]

    def _white(self, picture: Pixels, points: Floats) -> npt.NDArray[Any]:
        """The colour of a front tooth in this picture's light: near the brightest of the eyes' whites and the skin."""
        edge = picture.shape[0]
        from npc_engine.frames import topology

        brights = []
        for up, low in zip(topology.LID_UPPER, topology.LID_LOWER, strict=True):
            outline = np.concatenate([points[list(up), :2], points[list(low), :2][::-1]]) * edge
            mask = np.zeros(picture.shape[:2], np.uint8)
            cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
            inside = picture[mask > 0][:, :3].astype(float)
            if len(inside):
                light = _lightness(inside)
                brights.append(inside[light >= np.percentile(light, 75)].mean(0))
        sclera = np.mean(brights, 0)
        at = np.clip((points[[50, 280, 205, 425, 151, 9], :2] * edge).astype(int), 0, edge - 1)
        skin = picture[at[:, 1], at[:, 0], :3].astype(float).mean(0)
        light = max(_lightness(sclera) * 1.12, _lightness(skin) * 1.05)
        tint = 0.55 * sclera / max(_lightness(sclera), 1) + 0.45 * np.array([1.06, 1.0, 0.88])
        return np.clip(tint / _lightness(tint) * light, 30, 238)

    def at(self, source: Pixels, size: int, scale: int) -> SizedInterior:
        """Ready for one output size."""
        return SizedInterior(self, source, size, scale)


def _teeth(edges: tuple[float, ...], tall: float, uneven: float, gum: float) -> Floats:
    """A row of teeth with its biting edge at the bottom: f32[h, w, 2], brightness and matte, `FINE` pixels per mouth width."""
    x = (np.arange(-HALF * FINE, HALF * FINE) + 0.5) / FINE
    y = (np.arange(round(tall * FINE)) + 0.5) / FINE  # from the gum down
    a = np.abs(x)
    k = np.clip(np.searchsorted(edges, a, side="right") - 1, 0, len(edges) - 2)
    e = np.array(edges)
    wide = e[k + 1] - e[k]
    t = (a - e[k]) / wide * 2 - 1  # -1..1 across the tooth
    outside = a > edges[-1]
    lift = 0.10 * a**2 + np.where(k == 1, 0.014, 0) + np.where(k > 2, 0.01, 0) + uneven * (k % 2)
    low = tall - 0.012 - lift - 0.022 * np.abs(t) ** 4  # biting edge, corners rounded
    soft = 0.008
    matte = np.clip(0.5 + (low[None] - y[:, None]) / soft, 0, 1) * ~outside
    bulge = 1 - 0.16 * np.abs(t) ** 3
    groove = 1 - 0.38 * np.exp(-(((1 - np.abs(t)) * wide / 0.007) ** 2))
    arch = np.clip(1 - (a / 0.60) ** 2.2, 0, 1) ** 0.9
    light = (bulge * groove * arch)[None] * (0.80 + 0.20 * np.clip(y[:, None] / (0.55 * tall), 0, 1))
    light = light * np.where(low[None] - y[:, None] < 0.02, 0.96, 1)
    return np.stack([light, matte], -1).astype(np.float32)


class SizedInterior:
    """The inside of one mouth at one output size."""

    def __init__(self, interior: Interior, source: Pixels, size: int, scale: int) -> None:
        self.interior, self.size = interior, size
        lips = interior.lips
        self.width = lips.width * size
        self.fine = min(1.0, 1.5 * self.width / FINE)  # sprites a little finer than what is drawn
        self.upper, self.lower = (self._sprite(s) for s in (interior.upper, interior.lower))
        self.own = self._own(source, size, scale) if lips.open else None

    def _sprite(self, sprite: Floats) -> Floats:
        flat = sprite.copy()
        flat[..., 0] *= flat[..., 1]
        return cv2.resize(flat, None, fx=self.fine, fy=self.fine, interpolation=cv2.INTER_AREA)

    def _own(self, source: Pixels, size: int, scale: int) -> Any:
        lips = self.interior.lips
        edge = size * scale
        reach = np.array([0.6, 0.5]) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32)
        uv = lips.local((np.stack([x, y], -1) + 0.5) / edge)
        soft = 0.035
        upper, lower = (np.interp(uv[..., 0], lips.u, rim, 0.0, 0.0) for rim in (lips.upper, lips.lower))
        matte = np.clip((uv[..., 1] - upper) / 0.01, 0, 1) * np.clip((lower - uv[..., 1]) / soft, 0, 1)
        colour = source[low[1] : high[1], low[0] : high[0], :3].astype(np.float32)
        return low, scale, np.dstack([colour * matte[..., None], matte]).astype(np.float32)

    def seen(self, corner: tuple[int, int], hole: Floats, skull: Any, jaw: Any, weights: Floats) -> Floats:
        """The colours f32[h, w, 3] behind `hole` f32[h, w, 1], whose upper left pixel is at `corner` of the picture."""
        it, lips = self.interior, self.interior.lips
        h, w = hole.shape[:2]
        turn = float(weights[CHANNEL["headRoll"]])
        along = lips.axes[0] + turn * lips.axes[1]
        down = lips.axes[1] - turn * lips.axes[0]
        jaw_open = float(np.clip((jaw - skull) @ lips.axes[1] / lips.width, 0, 1))
        k = max(1, round(0.07 * self.width)) * 2 + 1
        near = cv2.blur(hole, (k, k), borderType=cv2.BORDER_CONSTANT)[..., None]  # 0 in a slit, 1 in a wide opening
        canvas = it.dark.astype(np.float32) * (1.3 - 0.8 * near)
        light = np.clip(0.42 + 0.85 * near, 0, 1)  # lips shade what lies close behind them
        upper, lower = lips.upper[len(lips.u) // 2], lips.lower[len(lips.u) // 2]
        seam = 0.4 * upper + 0.6 * lower
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        away = np.stack([x + corner[0] + 0.5, y + corner[1] + 0.5], -1) / np.float32(self.size)
        away -= (lips.centre + jaw).astype(np.float32)
        at = away @ (np.stack([along, down], 1) / lips.width).astype(np.float32)
        self._tongue(canvas, light, at, seam, jaw_open, weights)
        below, above = lips.centre + jaw, lips.centre + skull
        self._lay(canvas, light, self.lower, (corner, below, along, down), seam + LOWER_BITE, it.tooth * 0.78)
        tall = self.upper.shape[0] / (FINE * self.fine)
        self._lay(canvas, light, self.upper, (corner, above, along, down), seam + UPPER_BITE - tall, it.tooth)
        if self.own is not None:
            low, scale, texture = self.own
            first = (np.array(corner) + 0.5 - skull * self.size) * scale - 0.5 - low
            matrix = np.array([[scale, 0, first[0]], [0, scale, first[1]]], float)
            got = cv2.warpAffine(texture, matrix, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            canvas *= 1 - got[..., 3:]
            canvas += got[..., :3] * light
        return canvas

    def _tongue(self, canvas: Floats, light: Floats, at: Floats, seam: float, jaw_open: float, weights: Floats) -> None:
        """A soft mound on the floor of the mouth, up to the upper teeth with tongueUp, over the lower with tongueOut."""
        up, out = float(weights[CHANNEL["tongueUp"]]), float(weights[CHANNEL["tongueOut"]])
        x, y = at[..., 0], at[..., 1]
        mound = np.sqrt(np.clip(1 - (x * np.float32(1 / 0.36)) ** 2, 0, 1))
        rise = 0.06 + 0.5 * jaw_open + up * (0.10 + 0.3 * jaw_open) + 0.06 * out
        inside = y - (seam + 0.16 - rise * mound)
        shade = (0.45 + 0.6 * np.clip(inside * np.float32(1 / 0.14), 0, 1)) * (0.6 + 0.4 * mound)
        shade *= 1 - 0.15 * np.exp(-((x * np.float32(1 / 0.03)) ** 2))
        matte = np.clip(inside * np.float32(1 / 0.025), 0, 1)[..., None]
        canvas += matte * (self.interior.tongue.astype(np.float32) * shade[..., None] * light - canvas)

    def _lay(self, canvas: Floats, light: Floats, sprite: Floats, frame: Any, top: float, colour: Any) -> None:
        """Lay a row of teeth over the canvas, its upper edge `top` mouth widths below the middle of the frame."""
        corner, centre, along, down = frame
        h, w = canvas.shape[:2]
        grain = FINE * self.fine / self.interior.lips.width  # sprite pixels per picture unit
        inverse = np.stack([along, down]) * grain / self.size
        first = np.array([corner[0] + 0.5, corner[1] + 0.5]) - centre * self.size
        start = inverse @ first + [sprite.shape[1] / 2 - 0.5, -top * FINE * self.fine - 0.5]
        matrix = np.column_stack([inverse, start])
        got = cv2.warpAffine(sprite, matrix, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        canvas *= 1 - got[..., 1:]
        canvas += got[..., :1] * light * np.asarray(colour, np.float32)
