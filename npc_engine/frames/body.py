"""How head, neck and shoulders move as a whole, over the grid: turning, leaning and breathing.

The background itself stays (`background.py`); its nodes move as the person's outline beside them does, so that the
outline moves as one with what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.grid import Grid
from npc_engine.frames.sampling import blurred, carried_on, read, shrunk, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

NECK: Final = 0.42  # face heights below the chin at which the neck no longer turns with the head
PIVOT: Final = 0.15  # face heights below the chin about which a head leans
AXIS: Final = (
    0.25  # of the nose's distance from the ears: how far behind the ears the axis lies that a head turns about
)
DOME: Final = 0.85  # depth of the hair before the ears, of the face's outline's
GIVES: Final = (0.22, 0.1)  # face heights from clothes within which neck and skin give way: to the head, to the jaw
BREATH: Final = 0.0036  # picture edges that shoulders rise by
CARRIED: Final = 0.2  # share of that by which the head rises with them


@dataclass(frozen=True, slots=True)
class Body:
    """Displacements in picture edges, and where the skin is free to move."""

    head: Floats  # f32[3, rows, columns, 2], for one radian of headPitch, headYaw and headRoll
    breath: Floats  # f32[rows, columns, 2], for a full breath
    loose: Floats  # f32[rows, columns], 1 where the face may pull the skin, 0 on clothes


def body(grid: Grid, mesh: Floats, matte: Pixels | None = None, clothes: Pixels | None = None) -> Body:
    """The body around landmarks f32[468, 3], in picture edges; without a matte the background beside it bends."""
    chin = float(mesh[152, 1])
    width, height = grid.size
    depth = np.clip(float(mesh[[234, 454], 2].mean()) - mesh[:, 2], 0, None)
    relief = grid.relief(depth)
    below = (grid.places[..., 1] - chin) / height
    if matte is None or clothes is None:
        r = np.linalg.norm((grid.places - grid.middle + [0, 0.12 * height]) / [0.62 * width, 0.66 * height], axis=-1)
        firm = (1 - smooth((r - 1.0) / 0.55)) * (1 - smooth(below / NECK))
        loose, rising = np.ones(grid.shape), np.zeros(grid.shape)
    else:
        there, cloth = (_over(grid, layer) for layer in (matte, clothes))
        away = _away(cloth > 0.4) * grid.cell / height
        firm = (1 - smooth(below / NECK)) * smooth(away / GIVES[0])
        loose = smooth(away / GIVES[1])
        relief = np.maximum(relief, DOME * float(depth[list(topology.OVAL)].mean()) * _dome(grid, there, chin))
        rising = CARRIED + (1 - CARRIED) * smooth((below + 0.25 * (away == 0) - 0.02) / 0.35)
        person = (there > 0.5).astype(np.float32)
        firm, rising = (_outwards(field, person) for field in (firm, rising))
    relief = blurred(np.asarray(relief, np.float32), 2.0)
    turned = relief + AXIS * float(depth.max()) * firm
    place = grid.places - [grid.middle[0], chin + PIVOT * height]
    roll = np.stack([-place[..., 1], place[..., 0]], -1) * firm[..., None]
    zero = np.zeros_like(turned)
    head = np.stack([np.stack([zero, -turned], -1), np.stack([turned, zero], -1), roll])
    breath = np.stack([zero, -BREATH * rising], -1)
    return Body(head.astype(np.float32), breath.astype(np.float32), np.asarray(loose, np.float32))


def _over(grid: Grid, layer: Pixels) -> Floats:
    """A layer u8[n, n] of the picture, averaged over each of the grid's cells: f32[rows, columns], 0..1."""
    edge = round(1 / grid.cell)
    small: Floats = shrunk(layer, edge, edge).astype(np.float32) * np.float32(1 / 255)
    return read(small, grid.places * edge - 0.5)


def _away(where: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Distance of each node from what is true, in cells."""
    if not where.any():
        return np.full(where.shape, 1e3)
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), float)


def _dome(grid: Grid, there: Floats, chin: float) -> npt.NDArray[Any]:
    """The roundness of a head with its hair, 1 in its middle and 0 at its outline: f64[rows, columns]."""
    above = (grid.places[..., 1] < chin) & (there > 0.5)
    x, y = grid.places[above].T if above.any() else grid.places.reshape(-1, 2).T
    left, right = np.percentile(x, [1, 99])
    middle, top = (left + right) / 2, float(y.min())
    across, up = max((right - left) / 2, 1e-3), max((chin - top) / 2, 1e-3)
    r = np.hypot((grid.places[..., 0] - middle) / across, (grid.places[..., 1] - (top + up)) / up)
    return np.asarray(np.clip(1 - r**2, 0, 1) ** 0.75)


def _outwards(field: npt.NDArray[Any], person: Floats) -> npt.NDArray[Any]:
    """`field` f[rows, columns] as it is on the person, carried on beside it."""
    return blurred(carried_on(np.asarray(field, np.float32)[..., None], person)[..., 0], 1.5)
