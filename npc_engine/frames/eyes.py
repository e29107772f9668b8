"""The eyes: lids that slide over an unwarped eyeball, and an iris that looks about.

In the frame of the eye (u along the line from corner to corner, v below it, both in eye widths) each lid is a curve.
How both are drawn stands in `eye_pair.py`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_rims import Rims
from npc_engine.frames.eyeball import iris_of
from npc_engine.frames.motion import Motion
from npc_engine.frames.sampling import smooth
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

MEET: Final = 0.93  # closed lids meet this far down the opening: the upper lid goes nearly all of the way
DEEPEST: Final = 0.22  # and no further below the corners, in eye widths: round eyes shut from both sides
EYEBALL: Final = 0.40  # radius of the eyeball in eye widths, 12 of 30 mm
WIDER, NARROWER = 0.2, 0.24  # how far eyeWide and eyeSquint move a lid, in openings
OPEN_MOST: Final = 0.42  # of which this much counts, in eye widths
FOLLOW, FOLLOW_BELOW = 0.5, 0.15  # share of a glance up or down that the upper, and down that the lower lid goes along


class Eye:
    """One eye of a face: side 0 is the person's right."""

    def __init__(self, picture: Pixels, points: Floats, side: int, motion: Motion) -> None:
        """`points` f32[478, 3] are in picture edges."""
        rims = self.rims = Rims(picture, points, side)
        self.centre, self.width, self.axes = rims.centre, rims.width, rims.axes
        self.opening = rims.lower - rims.upper
        # lids move by shares of the opening, but round eyes do not become rounder
        share = self.opening * min(1.0, OPEN_MOST / max(float(self.opening.max()), 1e-6))
        # closed lids meet along a plain curve, to which the lower lid rises where it is rounder, as a far eye's is
        shape = np.clip(1 - (2 * rims.u) ** 2, 0, None)[:, None] * np.stack([np.ones_like(rims.u), rims.u], -1)
        deep = shape @ np.linalg.lstsq(shape, rims.lower, rcond=None)[0]
        deep *= min(1.0, DEEPEST / max(float(deep.max()), 1e-6))
        self.meet = rims.upper + MEET * np.maximum(np.minimum(rims.lower, deep) - rims.upper, 0)
        self.taper = np.clip(1 - (2 * np.abs(rims.u)) ** 4, 0, 1)  # 0 at the corners
        self.rest = np.stack([rims.upper, rims.lower]).astype(np.float32)  # f32[2, STEPS]
        # what moves them, f32[5, STEPS]: a glance, eyeWide, closing from above and from below, eyeSquint
        ways = self.taper, share * self.taper, self.meet - rims.upper, rims.lower - self.meet, share
        self.ways = np.stack(ways).astype(np.float32)
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

    def going(self, blink: float, wide: float, squint: float, look_down: float) -> tuple[tuple[float, ...], ...]:
        """How far the upper and the lower lid go each of the `ways`; `look_down` is in eye widths."""
        open_ = 1 - blink
        # a glance takes the upper lid along, and a glance down the lower one a little
        upper = open_ * FOLLOW * look_down, open_ * (0.4 * NARROWER * squint - WIDER * wide), blink, 0.0, 0.0
        lower = open_ * FOLLOW_BELOW * max(look_down, 0.0), 0.0, 0.0, -blink, -open_ * NARROWER * squint
        return upper, lower

    def lids(self, blink: float, wide: float, squint: float, look_down: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Upper and lower lid as drawn and how far each has moved: f32[STEPS] each, eye widths."""
        return lids(self.rest, self.ways, np.array(self.going(blink, wide, squint, look_down), np.float32))


def lids(rest: Floats, ways: Floats, going: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Lids `rest` f32[..., 2, STEPS] that go `going` f32[..., 2, 5] of their ways f32[..., 5, STEPS].

    Gives the upper and the lower lid and how far each has moved: f32[..., STEPS] each.
    """
    moved = going @ ways  # far below the size from which BLAS starts threads
    lower = rest[..., 1, :] + moved[..., 1, :]
    upper = np.minimum(rest[..., 0, :] + moved[..., 0, :], lower)
    return upper, lower, upper - rest[..., 0, :], moved[..., 1, :]
