"""What is seen between the lips: the cavity, teeth and tongue, lit and coloured as the picture is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.lips import Lips
from npc_engine.frames.sampling import blurred, mixed, moved, read, smooth
from npc_engine.frames.sprites import NAMES, Colours, lit
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

UPPER_BITE, LOWER_BITE = 0.06, 0.065  # biting edges below the seam of the lips at rest, in mouth widths
OWN_BITE: Final = 0.02  # above the lower lip, where a picture shows its own teeth
FALL: Final = 1.28  # the lower front teeth fall by so much of what the chin falls (MakeHuman's jawOpen)
OPAQUE: Final = 12.0  # over the lip the tongue's edge is in what the lip leaves free, and must not be there twice
BITES: Final = (3.0, 5.0)  # teeth stand on a lower lip that is rolled in while the upper is raised: f and v
LIFTED: Final = 0.03  # mouth widths: a bitten lip is pushed up by them, and not cut off
HANGS: Final = 0.2  # mouth widths that the tongue reaches below the lower lip, when it is out
TONGUE_TALL: Final = 0.5
LIGHT: Final = np.array([0.299, 0.587, 0.114])  # of RGB, BT.601
CHEEKS: Final = [50, 280, 205, 425, 151, 9]
LEFT_CHEEK, RIGHT_CHEEK = [50, 205, 207, 187], [280, 425, 427, 411]  # of the picture
LIPS: Final = [84, 17, 314, 85, 16, 315, 0, 37, 267]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the parts of a mouth are."""

    along: npt.NDArray[Any]  # its axes
    down: npt.NDArray[Any]
    skull: npt.NDArray[Any]  # its middle as the skull and as the lower teeth carry it, in picture edges
    jaw: npt.NDArray[Any]
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
        self._own = self._own_teeth(source) if interior.toothy else None

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
        lips = self._of.lips
        turn = float(weights[CHANNEL["headRoll"]])
        along, down = lips.axes[0] + turn * lips.axes[1], lips.axes[1] - turn * lips.axes[0]
        fallen = float((jaw - skull) @ lips.axes[1])
        jaw = jaw + (FALL - 1) * fallen * lips.axes[1]
        up, out = float(weights[CHANNEL["tongueUp"]]), float(weights[CHANNEL["tongueOut"]])
        opened = max(0.0, FALL * fallen / lips.width)
        forward = min(1.0, float(weights[CHANNEL["mouthPucker"]] + weights[CHANNEL["mouthFunnel"]]))
        lifted = float(weights[CHANNEL["mouthUpperUpLeft"]] + weights[CHANNEL["mouthUpperUpRight"]]) / 2
        bite = min(1.0, BITES[0] * float(weights[CHANNEL["mouthRollLower"]])) * min(1.0, BITES[1] * lifted)
        return Pose(along, down, lips.centre + skull, lips.centre + jaw, opened, up, out, bite, forward)

    def over(self, part: tuple[int, int, int, int], pose: Pose) -> Floats:
        """How far tongue and teeth cover what the lower lip has of `part` (left, top, right, bottom): f32[h, w]."""
        left, top, right, bottom = part
        corner, size = (left, top), (right - left, bottom - top)
        covered = np.zeros(size[::-1], np.float32)
        if pose.out:
            covered = self._moved("tongue_out", pose, corner, size)[..., 3] * np.float32(min(1.0, 4 * pose.out) / 255)
        if pose.bite:  # the front teeth do, in the middle
            middle = np.abs(np.arange(left, right) + 0.5 - pose.skull[0] * self._size) / self._width
            share = (pose.bite / 255 * (1 - smooth((middle - 0.16) / 0.14))).astype(np.float32)
            covered = np.maximum(covered, self._moved("upper", pose, corner, size)[..., 3] * share)
        return covered

    def seen(self, corner: tuple[int, int], hole: Floats, pose: Pose) -> Pixels:
        """The colours u8[h, w, 4] behind `hole` f32[h, w], whose upper left pixel is at `corner` of the picture."""
        size = hole.shape[::-1]
        k = max(1, round(0.06 * self._width)) * 2 + 1
        near = cv2.blur(hole, (k, k), borderType=cv2.BORDER_CONSTANT)  # 0 in a slit, 1 in a wide opening
        # light comes from above and in front, so that a lip shades the teeth below it more than those above it
        lid = cv2.blur(hole, (k, k), anchor=(k // 2, k - 1 - k // 4), borderType=cv2.BORDER_CONSTANT)
        front = np.minimum(np.float32(0.56) + np.float32(0.62) * lid, np.float32(1))
        front *= np.float32(1 - 0.45 * pose.forward)  # and shades them the more the further before them it is
        canvas = np.empty((*hole.shape, 4), np.uint8)
        canvas[:] = (*self._of.dark, 255)
        light = np.float32(1) - np.float32(0.62) * near  # the deeper, the darker
        # a wide mouth lets light in, and then a tongue is seen
        deep = front * (np.float32(0.68 + min(0.34, 1.1 * max(0.0, pose.opened - 0.12))) - np.float32(0.3) * near)
        layers = [("tongue_rest", deep, 1.0), ("lower", np.float32(0.76) * front, 1.0)]
        if pose.up:
            layers.insert(1, ("tongue_up", np.float32(0.9) * front, min(1.0, 6 * pose.up)))
        if pose.out:
            layers.append(("tongue_out", front, OPAQUE * min(1.0, 4 * pose.out)))
        for name, its, there in layers:
            self._lay(canvas, light, self._moved(name, pose, corner, size), its, there)
        # where they stand on the lip, light comes from the front
        lit_front = front + np.float32(pose.bite) * (np.float32(0.85) - front) if pose.bite else front
        self._lay(canvas, light, self._moved("upper", pose, corner, size), lit_front, 1.0 + pose.bite)
        if self._own is not None:
            self._lay(canvas, light, self._own_moved(pose, corner, size), np.sqrt(front), 1.0)
        red = light * (np.float32(1.3) - np.float32(0.3) * light)  # the light in a mouth comes from its flesh
        return np.asarray(cv2.multiply(canvas, cv2.merge([red, light, light, light]), dtype=cv2.CV_8U))

    def _lay(self, canvas: Pixels, light: Floats, sprite: Pixels, its: Floats, there: float) -> None:
        """Lay a sprite over the canvas, and the light on it over the light on that."""
        share = np.minimum(sprite[..., 3] * np.float32(there / 255), np.float32(1))
        canvas[:] = mixed(canvas, sprite, share)
        light += share * (its - light)

    def _moved(self, name: str, pose: Pose, corner: tuple[int, int], size: tuple[int, int]) -> Pixels:
        """A sprite where it is in this pose: u8[h, w, 4] of a part of the picture."""
        sprite = self._sprites[name]
        wide, tall, centre, below = self._stretch(name, pose)
        (grain_x, grain_y), (place_x, place_y) = sprite.grain.tolist(), sprite.place.tolist()
        x, y = (at + 0.5 - middle * self._size for at, middle in zip(corner, centre.tolist(), strict=True))
        across, down = grain_x / (wide * self._width), grain_y / (tall * self._width)
        matrix = np.empty((2, 3))
        matrix[0, 0], matrix[0, 1] = a, b = [across * k for k in pose.along.tolist()]
        matrix[1, 0], matrix[1, 1] = c, d = [down * k for k in pose.down.tolist()]
        matrix[0, 2], matrix[1, 2] = a * x + b * y + place_x, c * x + d * y + place_y - below * grain_y / tall
        return moved(sprite.pixels, matrix, *size, border=cv2.BORDER_CONSTANT)

    def _stretch(self, name: str, pose: Pose) -> tuple[float, float, npt.NDArray[Any], float]:
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
        shift = (pose.skull - self._of.lips.centre) * self._size
        first = (np.array(corner) + 0.5 - shift) * self._scale - 0.5 - low
        matrix = np.array([[self._scale, 0, first[0]], [0, self._scale, first[1]]], float)
        return moved(texture, matrix, *size, border=cv2.BORDER_CONSTANT)
