"""The eyes: lids that slide over an unwarped eyeball, and an iris that looks about.

In the frame of the eye (u along the line from corner to corner, v below it, both in eye widths) each lid is a curve.
A closing lid pulls the skin between it and the brow down with it, column by column; its edge keeps its lashes, because
next to the edge the skin is moved and not stretched.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_textures import textures
from npc_engine.frames.lips import curve
from npc_engine.frames.motion import Motion
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


class Eye:
    """One eye of a face: side 0 is the person's right."""

    def __init__(self, picture: Pixels, points: Floats, side: int, motion: Motion) -> None:
        upper, lower = topology.LID_UPPER[side], topology.LID_LOWER[side]
        left, right = (points[i, :2].astype(float) for i in (upper[0], upper[-1]))
        self.centre = (left + right) / 2
        self.width = float(np.linalg.norm(right - left))
        along = (right - left) / self.width
        self.axes = np.stack([along, [-along[1], along[0]]])
        u = self.u = np.linspace(-ASIDE, ASIDE, STEPS)
        inside = np.abs(u) < 0.5
        self.upper, self.lower = (
            np.where(inside, curve(self.local(points[list(rim), :2]), u), 0.0) for rim in (upper, lower)
        )
        self.lower = np.maximum(self.lower, self.upper)
        self.opening = self.lower - self.upper
        fold = self.local(points[list(topology.LID_FOLD[side]), :2])
        high = np.interp(u, fold[:, 0], fold[:, 1])
        self.above = np.clip(self.upper - high, 0.18, 0.8)  # skin that an upper lid pulls
        self.below = np.full(STEPS, 0.30)
        name = ("Right", "Left")[side]
        self.blink, self.wide, self.squint = (CHANNEL[f"eye{n}{name}"] for n in ("Blink", "Wide", "Squint"))
        iris = topology.IRIS[side]
        self.iris = self.local(points[iris, :2])
        self.iris_radius = float(np.linalg.norm(self.local(points[iris + 1 : iris + 5, :2]) - self.iris, axis=1).mean())
        column, row = ((self.centre - motion.origin) / motion.cell).astype(int)
        self.head = motion.head[:, row, column]  # f32[3, 2] per radian
        self.lash = self._darkest(picture)
        taper = np.clip(1 - (2 * np.abs(u)) ** 4, 0, 1)
        self.taper = taper

    def local(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Picture units f[..., 2] to eye widths along and below the line from corner to corner."""
        return np.asarray((places - self.centre) @ self.axes.T / self.width)

    def _darkest(self, picture: Pixels) -> npt.NDArray[Any]:
        """The colour of the lashes: the darkest of what lies along the upper lid."""
        u = np.linspace(-0.42, 0.42, 40)
        v = np.interp(u, self.u, self.upper)[:, None] + np.linspace(-0.05, 0.05, 9)
        uv = np.stack(np.broadcast_arrays(u[:, None], v), -1)
        where = (self.centre + self.width * (uv @ self.axes)) * picture.shape[0] - 0.5
        seen = cv2.remap(picture[..., :3], where.astype(np.float32), None, cv2.INTER_LINEAR).reshape(-1, 3).astype(float)
        order = np.argsort(seen.sum(1))
        return np.asarray(seen[order[: len(order) // 10]].mean(0) * 0.9)

    def at(self, source: Pixels, size: int, scale: int) -> SizedEye:
        """Ready for one output size."""
        return SizedEye(self, source, size, scale)


class SizedEye:
    """One eye at one output size."""

    def __init__(self, eye: Eye, source: Pixels, size: int, scale: int) -> None:
        self.eye, self.size, self.source = eye, size, source
        edge = size * scale
        self.to_local = (eye.axes / (eye.width * edge)).astype(np.float32)
        self.origin = (eye.centre * edge - 0.5).astype(np.float32)
        self.down = (eye.axes[1] * eye.width * edge).astype(np.float32)
        self.along = (eye.axes[0] * eye.width * edge).astype(np.float32)
        self.low, self.bare, self.ball = textures(eye, source)
        self.half = np.array([ASIDE, 0.62]) * eye.width * size

    def paint(self, out: Pixels, where: Floats, box: tuple[int, int, int, int], weights: Floats) -> None:
        """Draw lids and gaze over `out`; `where` f32[h, w, 2] is the map by which `box` of it was read."""
        eye = self.eye
        blink, wide, squint = (float(weights[i]) for i in (eye.blink, eye.wide, eye.squint))
        pitch, yaw = (float(np.clip(weights[CHANNEL[n]], -LOOK_MOST, LOOK_MOST)) for n in ("gazePitch", "gazeYaw"))
        if not (blink or wide or squint or pitch or yaw):
            return
        head = weights[CHANNEL["headPitch"] : CHANNEL["headRoll"] + 1] @ eye.head
        middle = (eye.centre + head) * self.size
        left, top = np.maximum(np.floor(middle - self.half), box[:2]).astype(int)
        right, bottom = np.minimum(np.ceil(middle + self.half), box[2:]).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        from_source = where[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        away = from_source - self.origin
        u = away[..., 0] * self.to_local[0, 0] + away[..., 1] * self.to_local[0, 1]
        v = away[..., 0] * self.to_local[1, 0] + away[..., 1] * self.to_local[1, 1]
        look = np.array([yaw, -pitch]) * EYEBALL
        # where the lids are drawn; the upper lid follows half of a glance up or down
        half_open = 1 - blink
        pulled = NARROWER * 0.5 * squint - WIDER * wide
        upper = eye.upper + (blink * MEET + half_open * pulled) * eye.opening + half_open * 0.5 * look[1] * eye.taper
        lower = eye.lower - (blink * (1 - MEET) + half_open * NARROWER * squint) * eye.opening
        upper = np.minimum(upper, lower)
        table = np.stack([upper, lower, upper - eye.upper, lower - eye.lower, eye.above, eye.taper], -1).astype(np.float32)
        column = np.clip((u + np.float32(ASIDE)) * np.float32((STEPS - 1) / (2 * ASIDE)) + np.float32(0.5), 0, STEPS - 1)
        row = table[column.astype(np.intp)]
        over, under = row[..., 0] - v, v - row[..., 1]  # how far above the upper, below the lower lid
        pull_up = row[..., 2] * _fade(over / (row[..., 4] + np.maximum(row[..., 2], 0)))
        pull_down = row[..., 3] * _fade(under / np.float32(0.3))
        slide = np.where(over > under, pull_up, pull_down)
        source_of_skin = from_source - slide[..., None] * self.down
        skin = self._read(source_of_skin)
        if blink:
            bare = cv2.remap(self.bare, source_of_skin - self.low, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            skin += (bare - skin) * np.float32(min(1.0, 1.5 * blink)) * (over > under)[..., None]
        ball = out[top:bottom, left:right, :3].astype(np.float32)
        if look.any() or wide:
            ball = self._eyeball(from_source, u, v, look)
        soft = np.float32(SOFT / eye.width)
        seen = np.clip(np.clip(0.5 - over / soft, 0, 1) + np.clip(0.5 - under / soft, 0, 1) - 1, 0, 1)
        if blink:
            # the lid's shadow on the eyeball, and its lashes as one soft line
            ball *= (1 - 0.35 * min(1.0, 2 * blink) * np.exp(over * np.float32(1 / 0.06)).clip(0, 1))[..., None]
        drawn = skin + (ball - skin) * seen[..., None]
        if blink:
            line = np.exp(-((over * np.float32(1 / 0.03)) ** 2)) * row[..., 5] * np.float32(0.62 * min(1.0, 1.6 * blink))
            drawn += (eye.lash.astype(np.float32) - drawn) * line[..., None]
        out[top:bottom, left:right, :3] = np.clip(drawn + 0.5, 0, 255)

    def _read(self, where: Floats) -> Floats:
        seen = cv2.remap(self.source, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen[..., :3].astype(np.float32))

    def _eyeball(self, where: Floats, u: Floats, v: Floats, look: npt.NDArray[Any]) -> Floats:
        """The eyeball's colours: the iris moves as a whole, the white around it gives way."""
        eye = self.eye
        du, dv = u - np.float32(eye.iris[0] + look[0]), v - np.float32(eye.iris[1] + look[1])
        r = np.sqrt(du * du + dv * dv) / np.float32(eye.iris_radius)
        fall = _fade((r - 1.1) / 1.7 + FIRM)
        shift = fall * np.float32(look[0]), fall * np.float32(look[1])
        at = where - shift[0][..., None] * self.along - shift[1][..., None] * self.down - self.low
        return np.asarray(cv2.remap(self.ball, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _fade(t: npt.NDArray[Any]) -> Floats:
    """1 up to `FIRM`, then smoothly down to 0 at 1."""
    t = np.clip((t - np.float32(FIRM)) * np.float32(1 / (1 - FIRM)), 0, 1)
    return np.asarray(1 - t * t * (3 - 2 * t), np.float32)
