"""The eyes: lids that slide over an unwarped eyeball, and an iris that looks about.

In the frame of the eye (u along the line from corner to corner, v below it, both in eye widths) each lid is a curve.
A closing lid pulls the skin between it and the brow down with it, column by column; its edge keeps its lashes, because
next to the edge the skin is moved and not stretched.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_textures import textures
from npc_engine.frames.lips import curve
from npc_engine.frames.motion import Motion
from npc_engine.frames.sampling import mixed, read
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

STEPS: Final = 384  # columns of the tables over u, a third of a pixel wide at 512
ASIDE: Final = 0.78  # the tables reach this far to both sides, in eye widths
SOFT: Final = 1.7 / 512  # width of a lid's edge in picture edges
MEET: Final = 0.86  # closed lids meet this far down the opening: the upper lid goes most of the way
FIRM: Final = 0.10  # of the way to the brow: lashes and lid edge, moved without stretching
EYEBALL: Final = 0.40  # radius of the eyeball in eye widths, 12 of 30 mm
WIDER, NARROWER = 0.2, 0.24  # how far eyeWide and eyeSquint move a lid, in openings
LOOK_MOST: Final = 0.35  # radians
BELOW: Final = 0.3  # eye widths of skin that a lower lid pulls
SHADE: Final = 0.35  # how much a closing lid darkens the eyeball at its edge
LASH: Final = 0.62  # how much of its lashes' colour a closed lid's edge takes


class Eye:
    """One eye of a face: side 0 is the person's right."""

    def __init__(self, picture: Pixels, points: Floats, side: int, motion: Motion) -> None:
        """`points` f32[478, 3] are in picture edges."""
        upper, lower = topology.LID_UPPER[side], topology.LID_LOWER[side]
        left, right = (points[i, :2].astype(float) for i in (upper[0], upper[-1]))
        self.centre = (left + right) / 2
        self.width = float(np.linalg.norm(right - left))
        along = (right - left) / self.width
        self.axes = np.stack([along, [-along[1], along[0]]])
        u = self.u = np.linspace(-ASIDE, ASIDE, STEPS)
        rims = [np.where(np.abs(u) < 0.5, curve(self.local(points[list(r), :2]), u), 0.0) for r in (upper, lower)]
        self.upper, self.lower = rims[0], np.maximum(*rims)
        self.opening = self.lower - self.upper
        fold = self.local(points[list(topology.LID_FOLD[side]), :2])
        self.above = np.clip(self.upper - np.interp(u, fold[:, 0], fold[:, 1]), 0.18, 0.46)  # what an upper lid pulls
        self.taper = np.clip(1 - (2 * np.abs(u)) ** 4, 0, 1)  # 0 at the corners
        name = ("Right", "Left")[side]
        self.channels = tuple(CHANNEL[f"eye{n}{name}"] for n in ("Blink", "Wide", "Squint"))
        iris = topology.IRIS[side]
        self.iris = self.local(points[iris, :2])
        rim = self.local(points[iris + 1 : iris + 5, :2])
        self.iris_radius = max(float(np.linalg.norm(rim - self.iris, axis=1).mean()), 1e-3)
        self.head = motion.head_at(self.centre)
        self.lash = self._darkest(picture)

    def local(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Picture units f[..., 2] to eye widths along and below the line from corner to corner."""
        return np.asarray((places - self.centre) @ self.axes.T / self.width)

    def _darkest(self, picture: Pixels) -> Pixels:
        """The colour of the lashes as RGBA: the darkest of what lies along the upper lid."""
        u = np.linspace(-0.42, 0.42, 40)
        v = np.interp(u, self.u, self.upper)[:, None] + np.linspace(-0.05, 0.05, 9)
        uv = np.stack(np.broadcast_arrays(u[:, None], v), -1)
        where = (self.centre + self.width * (uv @ self.axes)) * picture.shape[0] - 0.5
        seen = read(picture[..., :3], where).reshape(-1, 3).astype(np.float32)
        order = np.argsort(seen.sum(1))
        return np.append(seen[order[: len(order) // 10]].mean(0) * 0.9, 255).astype(np.uint8)

    def lids(self, blink: float, wide: float, squint: float, look_down: float) -> Floats:
        """Both lids as drawn, how far both have moved, the skin above and the taper: f32[STEPS, 6], eye widths."""
        open_ = 1 - blink
        pulled = open_ * (0.5 * NARROWER * squint - WIDER * wide)
        # the upper lid follows half of a glance up or down
        upper = self.upper + (blink * MEET + pulled) * self.opening + open_ * 0.5 * look_down * self.taper
        lower = self.lower - (blink * (1 - MEET) + open_ * NARROWER * squint) * self.opening
        upper = np.minimum(upper, lower)
        rows = [upper, lower, upper - self.upper, lower - self.lower, self.above, self.taper]
        return np.stack(rows, -1).astype(np.float32)

    def at(self, source: Pixels, size: int, scale: int) -> SizedEye:
        """Ready for one output size; `source` is the picture at `scale` times that size."""
        return SizedEye(self, source, size, scale)


class SizedEye:
    """One eye at one output size."""

    def __init__(self, eye: Eye, source: Pixels, size: int, scale: int) -> None:
        self._eye, self._size, self._source = eye, size, source
        edge = size * scale
        self._local = (eye.axes.T / (eye.width * edge)).astype(np.float32)
        self._origin = (eye.centre * edge - 0.5).astype(np.float32)
        self._along, self._down = (eye.axes * (eye.width * edge)).astype(np.float32)
        self._low, self._bare, self._ball = textures(eye, source)
        reach = eye.width * size  # what the lids pull ends within these
        self._first, self._last = np.array([-0.6, -0.64]) * reach, np.array([0.6, 0.5]) * reach

    def paint(self, out: Pixels, where: Floats, box: tuple[int, int, int, int], weights: Floats) -> None:
        """Draw lids and gaze over the RGBA `out`; `where` f32[h, w, 2] is the map by which `box` of it was read."""
        eye = self._eye
        blink, wide, squint = (float(weights[i]) for i in eye.channels)
        pitch, yaw = (float(np.clip(weights[CHANNEL[n]], -LOOK_MOST, LOOK_MOST)) for n in ("gazePitch", "gazeYaw"))
        look = np.array([yaw, -pitch], np.float32) * np.float32(EYEBALL)
        moved = float(min(1.0, np.abs(look).max() / 0.02 + wide / 0.1))  # fades the whole eyeball in
        if not (blink or squint or moved):
            return
        head = weights[CHANNEL["headPitch"] : CHANNEL["headRoll"] + 1] @ eye.head
        middle = (eye.centre + head) * self._size
        left, top = np.maximum(np.floor(middle + self._first), box[:2]).astype(int)
        right, bottom = np.minimum(np.ceil(middle + self._last), box[2:]).astype(int)
        if right - left < 2 or bottom - top < 2:
            return  # the head has turned this eye out of the picture
        place = where[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        # x and y by themselves: numpy is slow on a last axis of two
        x, y = place[..., 0] - self._origin[0], place[..., 1] - self._origin[1]
        u, v = (x * self._local[0, k] + y * self._local[1, k] for k in (0, 1))
        column = (u + np.float32(ASIDE)) * np.float32((STEPS - 1) / (2 * ASIDE)) + np.float32(0.5)
        lids = eye.lids(blink, wide, squint, float(look[1])).take(column.astype(np.intp), axis=0, mode="clip")
        over, under = lids[..., 0] - v, v - lids[..., 1]  # distance above the upper, below the lower
        drawn = self._skin(place, over, under, lids, blink)
        ball = np.ascontiguousarray(out[top:bottom, left:right])
        if moved:
            ball = mixed(ball, self._eyeball(place, (u, v), look), np.full(over.shape, moved))
        soft = np.float32(eye.width / SOFT)
        seen = np.clip(0.5 - over * soft, 0, 1) + np.clip(0.5 - under * soft, 0, 1) - 1
        if blink:
            shade = np.exp(np.minimum(over, 0) * np.float32(1 / 0.06)) * np.float32(SHADE * min(1.0, 2 * blink))
            ball = mixed(ball, np.zeros_like(ball), shade)
        drawn = mixed(drawn, ball, np.clip(seen, 0, 1))
        if blink:  # lashes as one soft line, where the lids meet in the end
            line = np.exp(-((over * np.float32(1 / 0.03)) ** 2)) * lids[..., 5]
            lash = np.ascontiguousarray(np.broadcast_to(eye.lash, drawn.shape))
            drawn = mixed(drawn, lash, line * np.float32(LASH * min(1.0, 1.6 * blink)))
        out[top:bottom, left:right, :3] = drawn[..., :3]

    def _skin(self, place: Floats, over: Floats, under: Floats, lids: Floats, blink: float) -> Pixels:
        """The lids' skin, slid over the eyeball: u8[h, w, 4]."""
        pull_up = lids[..., 2] * _fade(over / (lids[..., 4] + np.maximum(lids[..., 2], 0)))
        pull_down = lids[..., 3] * _fade(under * np.float32(1 / BELOW))
        at = _aside(place, np.where(over > under, pull_up, pull_down), self._down)
        skin = read(self._source, at)
        if blink:
            skin = mixed(skin, read(self._bare, at - self._low), (over > under) * np.float32(min(1.0, 1.5 * blink)))
        return skin

    def _eyeball(self, place: Floats, uv: tuple[Floats, Floats], look: Floats) -> Pixels:
        """The eyeball's colours: the iris moves as a whole, the white around it gives way."""
        eye = self._eye
        iris = eye.iris.astype(np.float32) + look
        r = np.hypot(uv[0] - iris[0], uv[1] - iris[1]) * np.float32(1 / eye.iris_radius)
        fall = _fade((r - np.float32(1.1)) * np.float32(1 / 1.7) + np.float32(FIRM))
        at = _aside(place, fall, look[0] * self._along + look[1] * self._down)
        return read(self._ball, at - self._low)


def _aside(place: Floats, amount: Floats, way: Floats) -> Floats:
    """`place` f32[h, w, 2] moved back by `amount` f32[h, w] times `way` f32[2]."""
    out = np.empty(place.shape, np.float32)
    for k in (0, 1):
        np.subtract(place[..., k], amount * way[k], out=out[..., k])
    return out


def _fade(t: Floats) -> Floats:
    """1 up to `FIRM`, then smoothly down to 0 at 1."""
    t = np.clip((t - np.float32(FIRM)) * np.float32(1 / (1 - FIRM)), 0, 1)
    return np.asarray(1 - t * t * (3 - 2 * t), np.float32)
