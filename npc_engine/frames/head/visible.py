"""Which triangles a picture can ever show: the rest need not be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from npc_engine.frames.head.asset import SKIN, Floats, Ints
from npc_engine.frames.head.pose import rotation
from npc_engine.frames.head.raster import canvas, deep, draw

if TYPE_CHECKING:
    from npc_engine.frames.head.figure import Figure

Flags = npt.NDArray[np.bool_]

SIZE: Final = 256
TURNS: Final = ((0, 0), (0.3, 0), (-0.3, 0), (0, 0.4), (0, -0.4), (0.25, 0.3), (-0.25, -0.3))
"""Pitch and yaw in radians that a head is tried at; a ring of neighbours is kept for what lies between."""
_NAMES: Final = 65536.0


def seen_ever(figure: Figure) -> tuple[Flags, Flags]:
    """Triangles of the mesh, bool[m], and of the hair, solid then frayed, bool[k], that some turn of the head shows.

    Looked at is only what does not move with the face: scalp, body and hair. All else counts as seen.
    """
    head, poser, hair = figure.head, figure.poser, figure.hair
    still = (figure.scalp[head.vertex] > 0.5) | (poser.carried[head.vertex] < 0.6)
    asked = np.flatnonzero((head.part == SKIN) & still[head.triangles].all(1))
    others = np.ascontiguousarray(np.delete(head.triangles, asked, axis=0))
    locks = np.concatenate([hair.solid, hair.frayed]) if hair else np.zeros((0, 3), np.int32)
    mesh_seen, hair_seen = np.zeros(len(asked), bool), np.zeros(len(locks), bool)
    for pitch, yaw in TURNS:
        turn = rotation(pitch, yaw, 0)
        points = poser.turned(figure.rest, turn)
        seen = figure.camera.seen(points[head.vertex])
        picture, depth = canvas(SIZE)
        deep(depth, seen, others, figure.camera.field)
        if figure.garment:
            deep(depth, figure.camera.seen(figure.garment.points), figure.garment.triangles, figure.camera.field)
        if hair:
            moved = ((hair.points - poser.pivot) @ turn.T + poser.pivot).astype(np.float32)
            strands = figure.camera.seen(moved)
            count = len(hair.solid)
            body = depth.copy()
            _named(picture, depth, strands, locks[:count], 1, figure.camera.field)
            hair_seen[_found(picture, 1, count)] = True
            frayed = np.zeros_like(picture)
            _named(frayed, np.minimum(body, depth + 0.02), strands, locks[count:], 1, figure.camera.field)
            hair_seen[count + _found(frayed, 1, len(locks) - count)] = True
        _named(picture, depth, seen, head.triangles[asked], len(locks) + 1, figure.camera.field)
        mesh_seen[_found(picture, len(locks) + 1, len(asked))] = True
    out = np.ones(len(head.triangles), bool)
    out[asked] = _ringed(head.vertex[head.triangles[asked]], mesh_seen)
    return out, _ringed(locks, hair_seen)


def _named(picture: Floats, depth: Floats, seen: Floats, triangles: Ints, first: int, field: float) -> None:  # noqa: PLR0917, as draw has
    """Draw each triangle in a colour of its own: its number from `first` on."""
    corners = np.ascontiguousarray(seen[triangles].reshape(-1, 3))
    names = np.repeat((np.arange(len(triangles)) + first) / _NAMES, 3).astype(np.float32)
    flat = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    draw(picture, depth, corners, flat, np.ascontiguousarray(np.tile(names[:, None], 3)), field)


def _found(picture: Floats, first: int, count: int) -> Ints:
    """Numbers, from 0, of the triangles that a picture by `_named` shows."""
    numbers = np.round(picture[..., 0] * _NAMES).astype(np.int32).ravel()
    return np.flatnonzero(np.bincount(numbers, minlength=first + count)[first : first + count]).astype(np.int32)


def _ringed(triangles: Ints, seen: Flags) -> Flags:
    """`seen` with all triangles that share a corner with one that is."""
    if not len(triangles):
        return seen
    near = np.zeros(int(triangles.max()) + 1, bool)
    near[triangles[seen]] = True
    return np.asarray(near[triangles].any(1), bool)
