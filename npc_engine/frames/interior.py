"""What is seen between the lips: the cavity, teeth and tongue, lit and coloured as the picture is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.layering import (
    Share,
    averaged,
    difference,
    joined,
    lay_over,
    looked_up,
    plus,
    product,
    rest,
    scaled_by,
    shaded,
    share,
    share_of,
    spread_down,
    times,
)
from npc_engine.frames.lips import Lips
from npc_engine.frames.sampling import blurred, moved, read, smooth
from npc_engine.frames.sprites import NAMES, Colours, Sprite, lit
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Pair: TypeAlias = tuple[float, float]  # x and y

UPPER_BITE, LOWER_BITE = 0.06, 0.065  # biting edges below the seam of the lips at rest, in mouth widths
OWN_BITE: Final = 0.02  # above the lower lip, where a picture shows its own teeth
FALL: Final = 1.28  # the lower front teeth fall by so much of what the chin falls (MakeHuman's jawOpen)
OPAQUE: Final = 12.0  # over the lip the tongue's edge is in what the lip leaves free, and must not be there twice
BITES: Final = (3.0, 5.0)  # teeth stand on a lower lip that is rolled in while the upper is raised: f and v
LIFTED: Final = 0.03  # mouth widths: a bitten lip is pushed up by them, and not cut off
HANGS: Final = 0.2  # mouth widths that the tongue reaches below the lower lip, when it is out
TONGUE_TALL: Final = 0.5
LAYERS: Final = {"tongue_rest": (1.0, 1.0), "tongue_up": (0.9, 1.0), "lower": (0.76, 1.0), "tongue_out": (1.0, OPAQUE)}
"""Parts of one matte: the share of the light of their place that they have, and how much more opaque they are."""
_POSING: Final = [
    CHANNEL[name] for name in ("headRoll", "mouthPucker", "mouthFunnel", "mouthRollLower", "mouthUpperUpLeft",
                               "mouthUpperUpRight", "tongueUp", "tongueOut")
]  # fmt: skip
LIGHT: Final = np.array([0.299, 0.587, 0.114])  # of RGB, BT.601
CHEEKS: Final = [50, 280, 205, 425, 151, 9]
LEFT_CHEEK, RIGHT_CHEEK = [50, 205, 207, 187], [280, 425, 427, 411]  # of the picture
LIPS: Final = [84, 17, 314, 85, 16, 315, 0, 37, 267]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the parts of a mouth are."""

    along: Pair  # its axes
    down: Pair
    skull: Pair  # its middle as the skull and as the lower teeth carry it, in picture edges
    jaw: Pair
    opened: float  # how far the lower teeth have fallen, in mouth widths
    up: float  # weights of the tongue
    out: float
    bite: float  # how far the upper teeth stand on the lower lip, 0..1
    forward: float  # how far the lips have come away from the teeth, 0..1

    def reach(self) -> float:
        """How far the tongue can hang below the lower lip, in mouth widths."""
        return HANGS * self.out


class Interior:
    """The inside of one mouth."""

    def __init__(self, picture: Pixels, points: Floats, lips: Lips) -> None:
        """`points` f32[478, 3] are in picture edges."""
        self.lips = lips
        edge = picture.shape[0]
        soft = blurred(picture[..., :3], lips.width * edge * 0.02)
        lip = np.median(_colours(soft, points[LIPS]), axis=0)
        skin = _colours(soft, points[CHEEKS]).mean(0)
        sides = [float((_colours(soft, points[cheek]) @ LIGHT).mean()) for cheek in (LEFT_CHEEK, RIGHT_CHEEK)]
        self.colours = Colours(
            tooth=_tooth(picture, points),
            gum=(0.55 * lip * [0.92, 0.66, 0.66] + 0.45 * skin * [0.80, 0.48, 0.46]).astype(np.float32),
            tongue=(lip * [0.74, 0.44, 0.50] + skin * [0.10, 0.03, 0.05]).astype(np.float32),
            pale=(lip * [0.78, 0.58, 0.62] + skin * [0.20, 0.14, 0.16]).astype(np.float32),
            aside=float(np.clip((sides[1] - sides[0]) / max(sum(sides), 1.0), -0.5, 0.5)),
        )
        self.sprites = {name: lit(name, self.colours) for name in NAMES}
        self.dark = np.round(lip * [0.34, 0.15, 0.14]).astype(np.uint8)
        middle = len(lips.u) // 2
        self.seam = float(0.4 * lips.upper[middle] + 0.6 * lips.lower[middle])
        self.bite = self.seam + UPPER_BITE
        self.toothy = lips.open and self._shows_teeth(picture)
        if self.toothy:
            self.bite = float(lips.lower[middle]) - OWN_BITE

    def _shows_teeth(self, picture: Pixels) -> bool:
        """Whether the open mouth of the picture shows teeth, which then are kept, and not a dark gap."""
        lips = self.lips
        u, share = np.linspace(-0.25, 0.25, 21), np.linspace(0.25, 0.6, 5)
        upper, lower = (np.interp(u, lips.u, rim) for rim in (lips.upper, lips.lower))
        uv = np.stack(np.broadcast_arrays(u[:, None], upper[:, None] + (lower - upper)[:, None] * share), -1)
        where = lips.centre + lips.width * (uv @ lips.axes)
        seen = read(picture[..., :3], where * picture.shape[0] - 0.5) @ LIGHT
        return bool((lower - upper).max() > 0.07 and np.median(seen) > 0.6 * (self.colours.tooth @ LIGHT))

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
    light = max(float(white @ LIGHT) * 1.15, float((_colours(picture, points[CHEEKS]) @ LIGHT).mean()) * 1.15)
    # enamel is warmer than an eye in the same light; whites are often tinted by the lids around them
    tint = (white / max(float(white @ LIGHT), 1.0)) ** 0.65 * [1.03, 1.0, 0.95]
    return np.asarray(np.clip(tint / (tint @ LIGHT) * light, 30, 238), np.float32)


class SizedInterior:
    """The inside of one mouth at one output size."""

    def __init__(self, interior: Interior, source: Pixels, size: int, scale: int) -> None:
        self._of, self._size, self._scale = interior, size, scale
        self._width = interior.lips.width * size
        # sprites a little finer than they are drawn; a tongue is seldom as tall as its picture
        fine = 1.5 * self._width
        self._sprites = {
            name: sprite.at(fine, fine * (TONGUE_TALL if name.startswith("tongue") else 1))
            for name, sprite in interior.sprites.items()
        }
        self._layers = {
            name: replace(self._sprites[name], pixels=_layer(self._sprites[name].pixels, *how))
            for name, how in LAYERS.items()
        }
        (ax, ay), (dx, dy) = interior.lips.axes.tolist()
        self._axes, self._centre = ((ax, ay), (dx, dy)), tuple(interior.lips.centre.tolist())
        self._own = self._own_teeth(source) if interior.toothy else None
        deep = 1 - 0.62 * np.arange(256) / 255  # what is behind is the darker, the deeper it lies
        self._cavity = np.round(np.append(interior.dark, 255) * _reddened(deep)).astype(np.uint8)[None]

    def _own_teeth(self, source: Pixels) -> tuple[npt.NDArray[Any], Pixels]:
        """What the picture itself shows between the lips, with a matte: its corner, and u8[h, w, 4]."""
        lips, edge = self._of.lips, self._size * self._scale
        reach = np.array([0.6, 0.5]) * lips.width
        low = np.clip(np.floor((lips.centre - reach) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((lips.centre + reach) * edge), low + 2, edge).astype(int)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        uv = lips.local((np.stack([x, y], -1) + 0.5) / edge)
        upper, lower = (np.interp(uv[..., 0], lips.u, rim, 0.0, 0.0) for rim in (lips.upper, lips.lower))
        matte = np.clip((uv[..., 1] - upper) / 0.03, 0, 1) * np.clip((lower - uv[..., 1]) / 0.035, 0, 1)
        matte *= smooth((0.40 - np.abs(uv[..., 0])) / 0.12)  # beside them drawn teeth go on
        return low, np.dstack([source[low[1] : high[1], low[0] : high[0], :3], np.round(255 * matte)]).astype(np.uint8)

    def pose(self, skull: npt.NDArray[Any], jaw: npt.NDArray[Any], weights: Floats) -> Pose:
        """Where the parts are, if skull and chin have moved by `skull` and `jaw` f64[2], in picture edges."""
        (ax, ay), (dx, dy) = self._axes
        turn, pucker, funnel, roll, lift, other, up, out = weights[_POSING].tolist()
        (sx, sy), (jx, jy), (x, y) = skull.tolist(), jaw.tolist(), self._centre
        fallen = (jx - sx) * dx + (jy - sy) * dy
        further = (FALL - 1) * fallen
        return Pose(
            along=(ax + turn * dx, ay + turn * dy),
            down=(dx - turn * ax, dy - turn * ay),
            skull=(x + sx, y + sy),
            jaw=(x + jx + further * dx, y + jy + further * dy),
            opened=max(0.0, FALL * fallen / self._of.lips.width),
            up=up,
            out=out,
            bite=min(1.0, BITES[0] * roll) * min(1.0, BITES[1] * (lift + other) / 2),
            forward=min(1.0, pucker + funnel),
        )

    def over(self, part: tuple[int, int, int, int], pose: Pose) -> Share:
        """How far tongue and teeth cover what the lower lip has of `part` (left, top, right, bottom)."""
        left, top, right, bottom = part
        corner, size = (left, top), (right - left, bottom - top)
        covered = np.zeros(size[::-1], np.uint8)
        if pose.out:
            tongue = self._moved("tongue_out", self._sprites["tongue_out"], pose, corner, size)
            covered = share_of(tongue, min(1.0, 4 * pose.out))
        if pose.bite:  # the front teeth do, in the middle
            middle = np.abs(np.arange(left, right) + 0.5 - pose.skull[0] * self._size) / self._width
            there = np.round(255 * pose.bite * (1 - smooth((middle - 0.16) / 0.14))).astype(np.uint8)
            teeth = share_of(self._moved("upper", self._sprites["upper"], pose, corner, size))
            covered = np.maximum(covered, product(teeth, spread_down(there, size[1])))
        return covered

    def seen(self, corner: tuple[int, int], hole: Share, pose: Pose) -> Pixels:
        """The colours, RGBA, behind `hole` h × w, whose upper left pixel is at `corner` of the picture."""
        size = hole.shape[1], hole.shape[0]
        k = max(1, round(0.06 * self._width)) * 2 + 1
        near = averaged(hole, k, k // 2)  # nothing in a slit, all in a wide opening
        # light comes from above and in front, so that a lip shades the teeth below it more than those above it
        lid = averaged(hole, k, k - 1 - k // 4)
        # and shades them the more the further before them it is
        front = scaled_by(share(lid, 0.62, 0.56), 1 - 0.45 * pose.forward)
        # a wide mouth lets light in, and then a tongue is seen
        deep = 0.68 + min(0.34, 1.1 * max(0.0, pose.opened - 0.12))
        inside = looked_up(near, self._cavity)
        tongue = self._moved("tongue_rest", self._layers["tongue_rest"], pose, corner, size)
        inside = lay_over(_lit(tongue, difference(front, deep, near, 0.3)), inside)
        before = self._moved("lower", self._layers["lower"], pose, corner, size)
        if pose.up:
            tongue = self._moved("tongue_up", self._layers["tongue_up"], pose, corner, size)
            before = joined(before, scaled_by(tongue, min(1.0, 6 * pose.up)))
        if pose.out:
            tongue = self._moved("tongue_out", self._layers["tongue_out"], pose, corner, size)
            before = joined(scaled_by(tongue, min(1.0, 4 * OPAQUE * pose.out)), before)
        inside = lay_over(_lit(before, front), inside)
        upper = self._moved("upper", self._sprites["upper"], pose, corner, size)
        # where they stand on the lip, light comes from the front
        inside = _laid(upper, inside, share(front, 1 - pose.bite, 0.85 * pose.bite), 1.0 + pose.bite)
        if self._own is not None:
            light = np.sqrt(front * np.float32(255)).astype(np.uint8)
            inside = _laid(self._own_moved(pose, corner, size), inside, light, 1.0)
        return inside

    def _moved(self, name: str, sprite: Sprite, pose: Pose, corner: tuple[int, int], size: tuple[int, int]) -> Pixels:
        """A sprite of this name where it is in this pose: u8[h, w, 4] of a part of the picture."""
        wide, tall, (x, y), below = self._stretch(name, pose)
        (grain_x, grain_y), (place_x, place_y) = sprite.grain, sprite.place
        x, y = corner[0] + 0.5 - x * self._size, corner[1] + 0.5 - y * self._size
        across, down = grain_x / (wide * self._width), grain_y / (tall * self._width)
        (a, b), (c, d) = pose.along, pose.down
        a, b, c, d = across * a, across * b, down * c, down * d
        matrix = np.array(((a, b, a * x + b * y + place_x), (c, d, c * x + d * y + place_y - below * grain_y / tall)))
        return moved(sprite.pixels, matrix, *size, border=cv2.BORDER_CONSTANT)

    def _stretch(self, name: str, pose: Pose) -> tuple[float, float, Pair, float]:
        """How wide and tall a sprite is drawn, from which middle, and how far below it; in mouth widths."""
        seam, opened = self._of.seam, pose.opened
        if name == "upper":
            return 1.0, 1.0, pose.skull, self._of.bite - LIFTED * pose.bite
        if name == "tongue_rest":  # the wider the jaw, the more is seen of its back
            return 0.92, 0.36 + 0.50 * opened, pose.jaw, seam + LOWER_BITE + 0.02
        if name == "tongue_up":
            return 0.80, pose.up * (0.12 + 1.5 * opened), pose.jaw, seam + LOWER_BITE
        if name == "tongue_out":
            return 0.62 + 0.16 * pose.out, 0.08 + 0.92 * pose.out**1.5, pose.jaw, seam + LOWER_BITE
        return 1.0, 1.0, pose.jaw, seam + LOWER_BITE

    def _own_moved(self, pose: Pose, corner: tuple[int, int], size: tuple[int, int]) -> Pixels:
        low, texture = self._own if self._own is not None else (np.zeros(2), np.zeros((1, 1, 4), np.uint8))
        shift = (np.array(pose.skull) - self._of.lips.centre) * self._size
        first = (np.array(corner) + 0.5 - shift) * self._scale - 0.5 - low
        matrix = np.array([[self._scale, 0, first[0]], [0, self._scale, first[1]]], float)
        return moved(texture, matrix, *size, border=cv2.BORDER_CONSTANT)


def _reddened(light: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What light f[n], 0..1, leaves of RGBA, f[n, 4]: the light in a mouth comes from its flesh."""
    return np.stack([light * (1.3 - 0.3 * light), light, light, np.ones_like(light)], -1)


_REDDENED: Final = np.round(255 * _reddened(np.arange(256) / 255)).astype(np.uint8)[None]


def _layer(sprite: Pixels, light: float, opaque: float) -> Pixels:
    """A sprite as a layer, in a share of the light that the others have, its matte times as opaque."""
    usual = np.array([0.8])  # of the light in a mouth
    matte = np.minimum(sprite[..., 3:].astype(np.float32) * opaque, 255)
    gain = _reddened(light * usual) / _reddened(usual)
    layer = np.dstack([sprite[..., :3], np.full_like(matte, 255)]) * gain * (matte / 255)
    return np.asarray(np.round(layer), np.uint8)


def _lit(layer: Pixels, light: Share) -> Pixels:
    """A layer in as much light, in place."""
    return shaded(layer, looked_up(light, _REDDENED))


def _laid(sprite: Pixels, behind: Pixels, light: Share, opaque: float) -> Pixels:
    """A sprite in this light laid over what is behind it, its matte times as opaque; only colours count."""
    matte = share_of(sprite, opaque)
    return plus(times(_lit(sprite, light), matte), times(behind, rest(matte)))
