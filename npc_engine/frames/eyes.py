"""The eyes: lids that slide over an unwarped eyeball, and an iris that looks about.

In the frame of the eye (u along the line from corner to corner, v below it, both in eye widths) each lid is a curve.
A closing lid pulls the skin between it and the brow down with it, column by column; its lashes are a layer of their
own, which turns downwards on the way. What is shut has the roundness of the eyeball beneath.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_rims import ASIDE, STEPS, Rims
from npc_engine.frames.eye_textures import ROOT, TALL, Around, bare_lid, colours, lash_map, lashes, shifted
from npc_engine.frames.eyeball import Eyeball, iris_of, shadow
from npc_engine.frames.motion import Motion
from npc_engine.frames.sampling import mixed, read, smooth
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

SOFT: Final = 1.7 / 512  # width of a lid's edge in picture edges
MEET: Final = 0.93  # closed lids meet this far down the opening: the upper lid goes nearly all of the way
DEEPEST: Final = 0.22  # and no further below the corners, in eye widths: round eyes shut from both sides
EYEBALL: Final = 0.40  # radius of the eyeball in eye widths, 12 of 30 mm
WIDER, NARROWER = 0.2, 0.24  # how far eyeWide and eyeSquint move a lid, in openings
OPEN_MOST: Final = 0.42  # of which this much counts, in eye widths
CHEEK: Final = 0.5  # share of a squint that a raised cheek brings to the lower lid
LOOK_MOST: Final = 0.35  # radians
FOLLOW, FOLLOW_BELOW = 0.5, 0.15  # share of a glance up or down that the upper, and down that the lower lid goes along
PULLED, SLOPE = np.float32(0.1), np.float32(8)  # eye widths of skin that a lid pulls, and more for each that it goes
BARE: Final = np.float32(0.5)  # eye widths above a lid, beyond which there is nothing of its lashes
BELOW: Final = np.float32(0.3)  # eye widths of skin that a lower lid pulls at most, unless it goes far
FIRM: Final = 0.10  # of what a lid pulls, the part next to its edge that is moved without stretching
EMERGES: Final = np.float32(0.4)
"""Share of its way that the skin of a closing lid slides: the rest of it comes out of the fold above."""
TURNED: Final = 0.55  # length of lashes that point down, of those that point up: we see them more from their tips
FLAT: Final = 0.16  # of their length, when they point at us
LINE: Final = 0.75  # how much of its lashes' colour the line between closed lids takes


@dataclass(frozen=True, slots=True)
class _Lids:
    """The lids over a part of the drawn picture, each f32[h, w] in eye widths."""

    u: Floats
    over: Floats  # how far above the edge of the upper lid
    under: Floats  # how far below the edge of the lower lid
    up: Floats  # how far the upper lid has moved down
    down: Floats  # and the lower
    index: npt.NDArray[np.intp]  # the column of a table over u

    def within(self, rows: slice, columns: slice) -> _Lids:
        """Over a part of that part."""
        arrays = (self.u, self.over, self.under, self.up, self.down, self.index)
        return _Lids(*(a[rows, columns] for a in arrays))  # type: ignore[arg-type]

    def of(self, table: Floats) -> Floats:
        """A table over u, f32[STEPS], at each pixel."""
        return table.take(self.index, mode="clip")


class Eye:
    """One eye of a face: side 0 is the person's right."""

    def __init__(self, picture: Pixels, points: Floats, side: int, motion: Motion) -> None:
        """`points` f32[478, 3] are in picture edges."""
        rims = self.rims = Rims(picture, points, side)
        self.centre, self.width, self.axes = rims.centre, rims.width, rims.axes
        self.opening = rims.lower - rims.upper
        # lids move by shares of the opening, but round eyes do not become rounder
        self.share = self.opening * min(1.0, OPEN_MOST / max(float(self.opening.max()), 1e-6))
        # closed lids meet along a plain curve, to which the lower lid rises where it is rounder, as a far eye's is
        shape = np.clip(1 - (2 * rims.u) ** 2, 0, None)[:, None] * np.stack([np.ones_like(rims.u), rims.u], -1)
        deep = shape @ np.linalg.lstsq(shape, rims.lower, rcond=None)[0]
        deep *= min(1.0, DEEPEST / max(float(deep.max()), 1e-6))
        self.meet = rims.upper + MEET * np.maximum(np.minimum(rims.lower, deep) - rims.upper, 0)
        self.taper = np.clip(1 - (2 * np.abs(rims.u)) ** 4, 0, 1)  # 0 at the corners
        rest = np.stack([rims.upper, rims.lower])
        ways = self.meet - rims.upper, rims.lower - self.meet, self.taper, self.share * self.taper
        self.share = self.share.astype(np.float32)
        # lids at rest, f32[2, STEPS], and what moves them: closing from above and from below, a glance, eyeWide
        self._ways = rest.astype(np.float32), *(way.astype(np.float32) for way in ways)
        outward = rims.u * (-1 if side == 0 else 1)
        # a closed eye's line is thickest from its middle outwards
        self.line = np.clip((0.54 - np.abs(rims.u)) / 0.16, 0, 1) * (0.3 + 0.7 * smooth((outward + 0.5) / 0.4))
        name = ("Right", "Left")[side]
        self.channels = tuple(CHANNEL[f"{n}{name}"] for n in ("eyeBlink", "eyeWide", "eyeSquint", "cheekSquint"))
        spare = 0.08  # for a lid's soft edge, and for eyes that are wide or look up
        top, bottom = self.rims.upper.min() - 0.1 - spare, self.rims.lower.max() + spare
        # what closing lids draw and pull ends within these to the left, above, to the right and below, in eye widths
        self.blinking = (0.84, max(0.66, 0.4 - float(top)), 0.84, max(0.5, float(bottom) + 0.2))
        # where the eyeball may be seen, around the middle of the eye
        self.within = (0.5 + spare, -float(top), 0.5 + spare, float(bottom))
        self.iris, self.iris_radius = iris_of(rims, picture, points)
        self.head = motion.head_at(self.centre)
        # both eyes look along the same lines, whatever the slant of their lids, and turn as far
        ends = [points[list(rim), :2][[0, -1]].astype(float) for rim in topology.LID_UPPER]
        across = ends[1].mean(0) - ends[0].mean(0)
        across /= max(float(np.linalg.norm(across)), 1e-6)
        radius = EYEBALL * max(float(np.linalg.norm(b - a)) for a, b in ends)
        self.look_axes = np.stack([across, [-across[1], across[0]]]) * radius  # f64[2, 2], picture edges a radian

    def lids(self, blink: float, wide: float, squint: float, look_down: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Upper and lower lid as drawn and how far each has moved: f32[STEPS] each, eye widths."""
        one, drop, rise, taper, spread = self._ways
        open_ = 1 - blink
        pulled = np.float32(open_ * (0.4 * NARROWER * squint - WIDER * wide))
        # a glance takes the upper lid along, and a glance down the lower one a little
        up = np.float32(open_ * FOLLOW * look_down) * taper + pulled * spread
        down = np.float32(open_ * FOLLOW_BELOW * max(look_down, 0.0)) * taper
        if blink or squint:
            up += np.float32(blink) * drop
            down -= np.float32(blink) * rise + np.float32(open_ * NARROWER * squint) * self.share
        lower = one[1] + down
        upper = np.minimum(one[0] + up, lower)
        return upper, lower, upper - one[0], down

    def at(self, source: Pixels, size: int, scale: int) -> SizedEye:
        """Ready for one output size; `source` is the picture at `scale` times that size."""
        return SizedEye(self, source, size, scale)


class SizedEye:
    """One eye at one output size."""

    def __init__(self, eye: Eye, source: Pixels, size: int, scale: int) -> None:
        self._eye, self._size, self._source = eye, size, source
        edge = size * scale
        turn = eye.axes / (eye.width * edge)
        origin = turn @ (eye.centre * edge - 0.5)
        per = (STEPS - 1) / (2 * ASIDE)
        # u, v and the column of a table over u, of a place in the source
        self._local = np.column_stack([turn, -origin])
        self._local = np.vstack([self._local, self._local[0] * per + [0, 0, ASIDE * per + 0.5]]).astype(np.float32)
        self._down = (eye.axes[1] * (eye.width * edge)).astype(np.float32)
        self._look = (eye.look_axes * edge).astype(np.float32)
        around = Around.cut(eye.rims, source)
        self._low = around.low.astype(np.float32)
        lash = lash_map(around)
        self._bare = bare_lid(around, lash)
        self._lashes = lashes(around, self._bare, lash)
        self._lash, self._shaded, self._lit = colours(around, self._bare)
        self._ball = Eyeball(around, eye.iris, eye.iris_radius)
        self._unit = eye.width * size
        self._above, self._taper, self._line = (t.astype(np.float32) for t in (eye.rims.above, eye.taper, eye.line))

    def paint(self, out: Pixels, where: Floats, box: tuple[int, int, int, int], weights: Floats) -> None:
        """Draw lids and gaze over the RGBA `out`; `where` f32[h, w, 2] is the map by which `box` of it was read."""
        eye = self._eye
        blink, wide, squint, cheek = (float(weights[i]) for i in eye.channels)
        squint = min(1.0, squint + CHEEK * cheek)
        pitch, yaw = (float(np.clip(weights[CHANNEL[n]], -LOOK_MOST, LOOK_MOST)) for n in ("gazePitch", "gazeYaw"))
        moved = min(1.0, max(abs(pitch), abs(yaw)) / 0.03 + wide / 0.1)  # fades the whole eyeball in
        if not (blink or squint or moved):
            return
        head = weights[CHANNEL["headPitch"] : CHANNEL["headRoll"] + 1] @ eye.head
        x, y = (eye.centre + head) * self._size
        middle = float(x), float(y)
        look = np.float32(np.sin(yaw)) * self._look[0] - np.float32(np.sin(pitch)) * self._look[1]
        tables = eye.lids(blink, wide, squint, float(look @ self._local[1, :2]))
        left, top, right, bottom = self._part(middle, self._reach(*tables[2:], blink, squint), box)
        if right - left < 2 or bottom - top < 2:
            return  # the head has turned this eye out of the picture
        place = where[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        u, v, column = _split(place, self._local)
        index = column.astype(np.intp)
        upper, lower, up, down = (t.take(index, mode="clip") for t in tables)
        lids = _Lids(u, upper - v, v - lower, up, down, index)
        drawn = self._skin(place, lids, blink)
        inner = self._part(middle, eye.within, (left, top, right, bottom))
        part = slice(inner[1] - top, inner[3] - top), slice(inner[0] - left, inner[2] - left)
        near = lids.within(*part)
        ball = self._beneath(out[inner[1] : inner[3], inner[0] : inner[2]], place[part], near, (look, moved))
        soft, half = np.float32(eye.width / SOFT), np.float32(0.5)
        # the share of a pixel that neither lid covers
        shown = np.minimum(half - near.over * soft, 1) + np.minimum(half - near.under * soft, 1) - 1
        drawn[part] = mixed(np.ascontiguousarray(drawn[part]), ball, np.maximum(shown, 0))
        if squint:
            drawn = self._bag(drawn, lids, squint)
        if blink:
            drawn = self._edge(drawn, lids, blink)
        out[top:bottom, left:right, :3] = drawn[..., :3]

    def _reach(self, up: Floats, down: Floats, blink: float, squint: float) -> tuple[float, float, float, float]:
        """How far what is drawn may reach to the left, above, to the right and below an eye, in its widths."""
        eye = self._eye
        if blink:
            return eye.blinking
        above, below = (float(PULLED + SLOPE * max(float(t.max()), -float(t.min()))) for t in (up, down))
        below = float(BELOW) if squint else below if down.any() else 0.0
        left, top, right, bottom = eye.within
        return left, min(top + above, eye.blinking[1]), right, min(bottom + below, eye.blinking[3])

    def _part(
        self, middle: tuple[float, float], reach: tuple[float, float, float, float], box: tuple[int, int, int, int]
    ) -> tuple[int, int, int, int]:
        """What lies within `reach` eye widths of an eye drawn at `middle`, and within `box`."""
        (x, y), unit = middle, self._unit
        left, top = max(int(x - unit * reach[0]), box[0]), max(int(y - unit * reach[1]), box[1])
        right, bottom = min(int(x + unit * reach[2]) + 1, box[2]), min(int(y + unit * reach[3]) + 1, box[3])
        return left, top, max(left, right), max(top, bottom)

    def _beneath(self, seen: Pixels, place: Floats, lids: _Lids, looking: tuple[Floats, float]) -> Pixels:
        """The eyeball with its lids' shadow, `seen` being what the picture shows there.

        `looking` is the way the iris goes, f32[2] in pixels of the source, and how much of it is drawn.
        """
        light = shadow(-lids.over)
        look, moved = looking
        if moved < 1:  # the picture has its own shadow
            seen = _darker(seen, np.minimum(light / shadow(lids.up - lids.over), 1))
        if moved:
            model = _darker(self._ball.seen(place, look), light)
            seen = model if moved == 1 else mixed(seen, model, np.full(light.shape, moved))
        return seen

    def _skin(self, place: Floats, lids: _Lids, blink: float) -> Pixels:
        """The lids' skin, slid over the eyeball: u8[h, w, 4]."""
        pulled = np.minimum(lids.of(self._above), PULLED + SLOPE * np.abs(lids.up))
        pull_up = lids.up * _fade(lids.over / (pulled + np.maximum(lids.up, 0)))
        pull_down = np.zeros((1, 1), np.float32)
        if lids.down.any():
            way = np.abs(lids.down)
            reach = np.maximum(np.minimum(BELOW, PULLED + SLOPE * way), 2.2 * way)  # less would fold
            pull_down = lids.down * _fade(lids.under / reach)
        skin = read(self._source, _aside(place, np.where(lids.over > lids.under, pull_up, pull_down), self._down))
        if blink:
            emerged = read(self._bare, _aside(shifted(place, self._low), pull_up * EMERGES, self._down))
            between = (lids.over - lids.under) * np.float32(0.3 * self._eye.width / SOFT) + np.float32(0.5)
            # the bare lid ends below the brow, which the picture itself shows
            lid = np.clip(between, 0, 1) * np.clip((BARE - lids.over) * np.float32(8), 0, 1)
            skin = mixed(skin, emerged, lid * np.float32(min(1.0, 12 * blink)))
        return skin

    def _bag(self, drawn: Pixels, lids: _Lids, squint: float) -> Pixels:
        """What a raised lower lid gathers below it: a soft roll, and a fold under that."""
        strong = np.float32(squint) * lids.of(self._taper)
        drawn = mixed(drawn, _all(self._shaded, drawn), np.float32(0.20) * strong * _hill(lids.under, 0.19, 0.06))
        return mixed(drawn, _all(self._lit, drawn), np.float32(0.14) * strong * _hill(lids.under, 0.08, 0.05))

    def _edge(self, drawn: Pixels, lids: _Lids, blink: float) -> Pixels:
        """The roundness of a closing lid, its lashes, and the line between closed lids."""
        over, strong = lids.over, lids.of(self._line)
        # the eyeball's bulge is lighter, the fold above it and the lid's margin are darker
        upper = np.clip(over * np.float32(1 / 0.03), 0, np.float32(blink))
        fold = over - np.float32(0.7) * lids.of(self._above) - np.float32(0.4) * lids.up
        dark = np.float32(0.22) * _hill(fold, 0, 0.07)
        dark += np.float32(0.30) * np.exp(np.maximum(over, 0) * np.float32(-1 / 0.05))
        drawn = mixed(drawn, _all(self._shaded, drawn), upper * lids.of(self._taper) * dark)
        bulge = _hill(over, 0.145, 0.18) * _hill(lids.u, 0, 0.28)
        drawn = mixed(drawn, _all(self._lit, drawn), np.float32(0.22) * upper * bulge)
        turn = float(np.cos(np.pi * np.clip((blink - 0.1) / 0.75, 0, 1)))
        length = float(np.copysign(max(abs(turn) * (1 if turn > 0 else TURNED), FLAT), turn))
        rows, columns = self._lashes.shape[:2]
        at = np.empty((*over.shape, 2), np.float32)
        at[..., 0] = (lids.u + np.float32(ASIDE)) * np.float32((columns - 1) / (2 * ASIDE))
        at[..., 1] = (over * np.float32(1 / length) + np.float32(ROOT)) * np.float32((rows - 1) / (TALL + ROOT))
        lash = read(self._lashes, at)
        grown = 1 + np.float32(min(1.0, 2 * blink)) * (strong - 1)
        drawn = mixed(drawn, lash, lash[..., 3] * np.float32(1 / 255) * grown)
        return mixed(
            drawn, _all(self._lash, drawn), np.float32(LINE * min(1.0, 1.4 * blink)) * strong * _hill(over, 0, 0.024)
        )


def _split(place: Floats, matrix: Floats) -> tuple[Floats, Floats, Floats]:
    """Three linear functions f32[3, 3] of a place f32[h, w, 2], each f32[h, w]."""
    one, two, three = cv2.split(cv2.transform(place, matrix))
    return np.asarray(one, np.float32), np.asarray(two, np.float32), np.asarray(three, np.float32)


def _hill(x: Floats, middle: float, wide: float) -> Floats:
    """A Gaussian of height 1."""
    return np.asarray(np.exp(-(((x - np.float32(middle)) * np.float32(1 / wide)) ** 2)), np.float32)


def _all(colour: Pixels, like: Pixels) -> Pixels:
    """A picture of one colour u8[4] and another's size."""
    out = np.empty(like.shape[:2], np.uint32)  # NumPy is slow on a last axis of four bytes
    out[:] = colour.view(np.uint32)[0]
    return out.view(np.uint8).reshape(like.shape)


def _darker(picture: Pixels, light: npt.NDArray[np.float32]) -> Pixels:
    """`picture` where only `light` f32[h, w], 0..1, reaches it."""
    return mixed(np.zeros_like(picture), picture, light)


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
