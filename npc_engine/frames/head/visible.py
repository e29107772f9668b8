"""Which triangles pictures show while the head turns within some range: the rest need not be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head.asset import SKIN, Floats, Ints
from npc_engine.frames.head.hair import CUT, DEEP, SOLID
from npc_engine.frames.head.pose import rotation
from npc_engine.frames.head.raster import canvas

if TYPE_CHECKING:
    from npc_engine.frames.head.figure import Figure

Flags: TypeAlias = npt.NDArray[np.bool_]
Draw: TypeAlias = Callable[[Floats, Floats, Floats, Ints, Floats], None]

SIZE: Final = 256
APART: Final = 0.1  # radians
STILL: Final = 0.01  # decimetres that no expression moves a point further: a pixel and a half of 512
SHY: Final = 7  # pixels: what does move hides nothing within half of this from where its place at rest ends
BEHIND: Final = 1e-4  # of depth, 0.02 decimetres: strands that far behind solid hair count as seen
DENSE: Final = (SOLID + 0.03 + CUT) / (DEEP + CUT)  # v from which on even frayed hair hides what is behind it
_NAMES: Final = 65536.0


@dataclass(frozen=True)
class Range:
    """How far a head turns to either side, in radians."""

    pitch: float
    yaw: float
    roll: float

    def holds(self, pitch: float, yaw: float, roll: float) -> bool:
        """Whether these angles lie within."""
        return abs(pitch) <= self.pitch and abs(yaw) <= self.yaw and abs(roll) <= self.roll

    def turns(self) -> list[tuple[float, float, float]]:
        """Angles to look from: the middle, the corners, and between them where those are far apart."""
        steps = (-1, 0, 1)
        every = [(p, y, (p - y + 4) % 3 - 1) for p in steps for y in steps]
        wide = max(self.pitch, self.yaw, self.roll) > APART
        return [(p * self.pitch, y * self.yaw, r * self.roll) for p, y, r in every if wide or abs(p) == abs(y)]


@dataclass(frozen=True)
class Seen:
    """The triangles that are seen from somewhere."""

    mesh: Flags  # [m]
    solid: Flags  # of the hair
    frayed: Flags


def all_seen(figure: Figure) -> Seen:
    """Every triangle there is."""
    hair = figure.hair
    counts = (len(figure.head.triangles), len(hair.solid) if hair else 0, len(hair.frayed) if hair else 0)
    return Seen(*(np.ones(count, bool) for count in counts))


def seen_within(figure: Figure, turns: Range) -> Seen:
    """The triangles that pictures show while the head turns within a range, and those around them.

    Looked at is only what does not move with the face: scalp, body and hair. All else counts as seen.
    """
    head, poser, hair = figure.head, figure.poser, figure.hair
    still = (poser.reach < STILL)[head.vertex]
    asked = np.flatnonzero((head.part == SKIN) & still[head.triangles].all(1))
    skin = np.ascontiguousarray(head.triangles[asked])
    others = np.ascontiguousarray(np.delete(head.triangles, asked, axis=0))
    nothing = np.zeros((0, 3), np.int32)
    solid, frayed = (hair.solid, hair.frayed) if hair else (nothing, nothing)
    skin_seen, solid_seen, frayed_seen = (np.zeros(len(part), bool) for part in (skin, solid, frayed))
    lens = figure.camera.lens(SIZE)
    clothed = canvas(SIZE)[1]
    if figure.garment:
        lens.deep(clothed, figure.camera.seen(figure.garment.points), figure.garment.triangles)
    for angles in turns.turns():
        turn = rotation(*angles)
        seen = figure.camera.seen(poser.turned(figure.rest, turn).take(head.vertex, axis=0))
        picture, depth = canvas(SIZE)
        lens.deep_fronts(depth, seen, others)
        depth = np.minimum(cv2.dilate(depth, np.ones((SHY, SHY), np.uint8)), clothed)
        _named(lens.draw_fronts, picture, depth, seen, skin, 1)
        if hair:
            strands = figure.camera.seen(figure.swayed(hair.points, figure.hair_still, turn))
            loose, near = canvas(SIZE)[0], depth.copy()
            _named(lens.draw, loose, near, strands, frayed, 1, hair.uv[:, 1])
            depth = np.where(loose[..., 1] > DENSE, near, depth)
            _named(lens.draw, picture, depth, strands, solid, 1 + len(skin))
            loose[near > depth + np.float32(BEHIND)] = 0
            frayed_seen |= _found(loose, 1, len(frayed))
        skin_seen |= _found(picture, 1, len(skin))
        solid_seen |= _found(picture, 1 + len(skin), len(solid))
    every = np.ones(len(head.triangles), bool)
    every[asked] = _ringed(head.vertex[skin], skin_seen)
    locks = _ringed(np.concatenate([solid, frayed]), np.concatenate([solid_seen, frayed_seen]))
    return Seen(every, locks[: len(solid)], locks[len(solid) :])


def _named(  # noqa: PLR0917, as Draw has
    draw: Draw, picture: Floats, depth: Floats, seen: Floats, triangles: Ints, first: int, beside: Floats | None = None
) -> None:
    """Draw each triangle in a colour of its own: its number from `first` on, and `beside`, f32[n] of vertices."""
    corners = triangles.ravel()
    values = np.zeros((len(corners), 3), np.float32)
    values[:, 0] = np.repeat((np.arange(len(triangles)) + first) / _NAMES, 3)
    if beside is not None:
        values[:, 1] = beside[corners]
    flat = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    draw(picture, depth, seen.take(corners, axis=0), flat, values)


def _found(picture: Floats, first: int, count: int) -> Flags:
    """Which of `count` triangles, named from `first` on, a picture by `_named` shows."""
    numbers = np.round(picture[..., 0] * _NAMES).astype(np.int32).ravel()
    return np.bincount(numbers, minlength=first + count)[first : first + count] > 0


def _ringed(triangles: Ints, seen: Flags) -> Flags:
    """`seen` with all triangles that share an edge with one that is."""
    if not len(triangles):
        return seen
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    _, names = np.unique(edges[:, 0].astype(np.int64) << 32 | edges[:, 1], return_inverse=True)
    near = np.zeros(int(names.max()) + 1, bool)
    near[names[np.tile(seen, 3)]] = True
    return np.asarray(near[names].reshape(3, -1).any(0), bool)
