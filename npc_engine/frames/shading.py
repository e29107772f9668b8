"""Light that changes as the skin folds and the head turns, in the picture's own light.

The face mesh has normals; weights turn them (the CC0 head's shapes say how), and a surface that turns towards the
light grows brighter. Where that light comes from is read from the picture: its brightness over the mesh, fitted by
ambient light and one direction (spherical harmonics of order 1, Ramamoorthi & Hanrahan 2001).
"""

from __future__ import annotations

from copy import copy
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.fields import Fields
from npc_engine.frames.folds import folds
from npc_engine.frames.grid import RINGS, Grid, covered, strips
from npc_engine.frames.motion import HEAD, PAIRS, WEIGHTS, Motion
from npc_engine.frames.sampling import add, blurred, enlarged, product, read, read_at, scaled, shrunk
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

FINER: Final = 2  # nodes of light for each of the grid, both ways: a fold is three pixels of 512 wide
MOST: Final = 0.3  # share by which light may change, approached gently
DEPTH: Final = 1.5  # the mesh is smoother than skin
GAMMA: Final = 2.2  # of the picture's values
ABOVE: Final = np.array([0.12, 0.55, 0.5])  # the light that is usual, for ambient light of 1: from above the viewer
TRUST: Final = 0.6  # in the picture's own light against that
STRONG: Final = (0.35, 1.1)  # of the direct light against the ambient: from, to
DARKEST: Final = 0.4  # of ambient light, to which no change is compared further down
SPREAD: Final = (0.0, 0.0, 0.0)  # share of the face's outline's light on the rings around it
TINT: Final = (0.82, 1.06, 1.1)  # of red, green and blue: light that has been in the skin makes shadows redder
UNIT: Final = 128  # of u8 that is no change


class Shading:
    """The changing light of one face."""

    def __init__(self, picture: Pixels, points: Floats, motion: Motion) -> None:
        """`points` f32[478, 3] are in picture edges."""
        grid = motion.grid
        mesh = points[:468, :2].astype(float)
        self.light = light_of(picture, mesh, motion.turn)  # f64[3], for ambient light of 1, y up
        change = _changes(motion, self.light)
        window, nodes = _window(grid)
        low = np.array([window[1].start, window[0].start])
        cells = (grid.cells(mesh) - low + 0.5) * FINER - 0.5
        ridges = folds(cells, nodes, grid.size[0] / grid.cell * FINER, WEIGHTS)
        around = (grid.middle - grid.origin) / grid.cell - 0.5
        soft = _spread(change, cells, (around - low + 0.5) * FINER - 0.5, nodes.shape[:2])
        self.lay(grid, Fields(soft, list(ridges), pairs=PAIRS), _skin(cells, nodes.shape[:2]))

    def lay(self, grid: Grid, fields: Fields, skin: Floats) -> None:
        """Take a grid with the light over its nodes and over the finer ones, and what of these is skin."""
        self._grid, self._fields, self._skin = grid, fields, skin
        self._window, nodes = _window(grid)
        self._nodes = np.ascontiguousarray(nodes.transpose(2, 0, 1))  # f32[2, rows, columns]

    def coarser(self, grid: Grid) -> Shading:
        """The same light over a coarser grid."""
        window, nodes = _window(grid)
        low, first = (np.array([columns.start, rows.start]) for rows, columns in (window, self._window))
        soft = self._grid.cells(grid.places[window]) - first
        places = grid.origin + ((nodes + 0.5) / FINER + low) * grid.cell
        fine = (self._grid.cells(places) - first + 0.5) * FINER - 0.5
        out = copy(self)
        out.lay(grid, self._fields.at(soft, fine), read(self._skin, fine))
        return out

    def change(self, whole: Floats, weights: Floats) -> Floats | None:
        """The share of light that skin gains at the window's fine nodes, f32[rows, columns]; None for no change.

        `whole` f32[rows, 2, columns] is where the grid's nodes come from, in cells.
        """
        if not weights[: WEIGHTS - 2].any():
            return None
        rows, columns = self._nodes.shape[1:]
        soft, light = self._fields.sum(weights)
        light = product(add(light, enlarged(soft, columns, rows)), self._skin)
        part = whole[self._window[0], :, self._window[1]]
        x, y = (scaled(enlarged(part[:, k], columns, rows), FINER, self._nodes[k]) for k in (0, 1))
        drawn = read_at(light, x, y)
        return drawn / (1 + np.abs(drawn) * np.float32(1 / MOST))

    def box(self, size: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the window in a drawn picture of `size` pixels."""
        (rows, columns), grid = self._window, self._grid
        left, top = np.round((grid.origin + np.array([columns.start, rows.start]) * grid.cell) * size).astype(int)
        right, bottom = np.round((grid.origin + np.array([columns.stop, rows.stop]) * grid.cell) * size).astype(int)
        return int(left), int(top), int(right), int(bottom)


def shade(picture: Pixels, change: Floats) -> None:
    """Make an RGBA picture u8[h, w, 4] brighter by a coarser share f32[rows, columns]; alpha stays."""
    height, width = picture.shape[:2]
    parts = [cv2.convertScaleAbs(change, alpha=UNIT * share, beta=UNIT) for share in TINT]
    four = enlarged(cv2.merge([*parts, np.full_like(parts[0], UNIT)]), width, height)
    cv2.multiply(picture, four, dst=picture, scale=1 / UNIT)


def light_of(picture: Pixels, mesh: npt.NDArray[Any], turn: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The direction and strength of a picture's direct light, for ambient light of 1: f64[3], y up, z to the viewer.

    Least squares over the skin's landmarks, four times with what fits badly (brows, hair, a beard) counting less;
    then half-way to the usual light, because skin is not of one colour.
    """
    normals = _normals(topology.basis().rest.astype(float)) @ turn.T
    soft = blurred(picture[..., :3], picture.shape[0] * 0.008)
    seen = read(soft, mesh[None] * picture.shape[0] - 0.5)[0].astype(float) @ [0.3, 0.59, 0.11]
    bright = (seen / 255) ** GAMMA
    kept = np.array(sorted(set(range(468)) - _NO_SKIN))
    a = np.concatenate([np.ones((len(kept), 1)), normals[kept]], 1)
    b, weight = bright[kept], np.ones(len(kept))
    found = np.zeros(4)
    for _ in range(4):
        found = np.linalg.lstsq(a * weight[:, None], b * weight, rcond=None)[0]
        off = np.abs(a @ found - b)
        weight = 1 / np.maximum(off / max(float(np.median(off)), 1e-6), 1)
    ambient = float(np.median(a @ found)) * 0.6
    own = found[1:] / max(ambient, 1e-3)
    strength = np.clip(np.linalg.norm(own), *STRONG)
    own = own / max(float(np.linalg.norm(own)), 1e-9) * strength
    return np.asarray(TRUST * own + (1 - TRUST) * ABOVE)


_NO_SKIN: Final = frozenset(
    i
    for rows in (topology.LID_UPPER, topology.LID_LOWER, topology.UPPER_ROWS, topology.LOWER_ROWS, topology.BROWS)
    for row in rows
    for i in row
)


def _normals(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Smooth unit normals f64[468, 3] of the face mesh, towards the viewer."""
    a, b, c = (points[topology.basis().triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, topology.basis().triangles[:, k], face)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    return np.asarray(out * np.sign(out[:, 2].sum()))


def _changes(motion: Motion, light: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The share by which each landmark's brightness changes at weight 1: f64[WEIGHTS, 468]."""
    normals = _normals(motion.placed)
    lit = np.maximum(1 + normals @ light, DARKEST)
    out = np.zeros((WEIGHTS, 468))
    for i, moves in enumerate(motion.shape):
        if np.abs(moves).max() > 0:
            out[i] = DEPTH * ((_normals(motion.placed + moves) - normals) @ light) / lit
    # a head that turns by an angle turns its normals: x cross n for pitch, y for yaw, z for roll, in their own senses
    for name, axis in zip(HEAD, ([-1.0, 0, 0], [0, 1.0, 0], [0, 0, -1.0]), strict=True):
        out[CHANNEL[name]] = (np.cross(axis, normals) @ light) / lit
    return out / GAMMA


def _window(grid: Grid) -> tuple[tuple[slice, slice], Floats]:
    """The grid's rows and columns that changing light can reach, and the fine nodes in them, f32[rows, columns, 2]."""
    reach = grid.size * RINGS[0][0] / 2 + 2 * grid.cell
    low = np.clip(np.floor((grid.middle - reach - grid.origin) / grid.cell), 0, None).astype(int)
    high = np.minimum(np.ceil((grid.middle + reach - grid.origin) / grid.cell), grid.shape[::-1]).astype(int)
    y, x = np.mgrid[0 : (high[1] - low[1]) * FINER, 0 : (high[0] - low[0]) * FINER].astype(np.float32)
    return (slice(low[1], high[1]), slice(low[0], high[0])), np.stack([x, y], -1)


def _spread(
    change: npt.NDArray[Any], cells: npt.NDArray[Any], middle: npt.NDArray[Any], shape: tuple[int, int]
) -> list[Floats]:
    """The landmarks' changes f64[k, 468], laid over the fine nodes and averaged over the grid's: f32[rows, columns]."""
    oval = list(topology.OVAL)
    vertices = np.concatenate([cells, *(middle + (cells[oval] - middle) * r for r, _ in RINGS)])
    corners, weights = covered(vertices, np.concatenate([strips(len(oval)), topology.basis().triangles]), shape)
    every = np.concatenate([change, *(change[:, oval] * fall for fall in SPREAD)], 1).astype(np.float32)
    rows, columns = (n // FINER for n in shape)
    out = [np.zeros((rows, columns), np.float32) for _ in change]
    for k in np.flatnonzero(np.abs(change).max(1) > 0):
        each = every[k]
        flat = sum(each[corners[:, i]] * weights[:, i] for i in range(3)).reshape(shape)
        out[k] = shrunk(blurred(flat, 1.5 * FINER), columns, rows)
    return out


def _skin(cells: npt.NDArray[Any], shape: tuple[int, int]) -> Floats:
    """1 on skin, 0 in the eyes and between the lips: f32[rows, columns]."""
    mask = np.ones(shape, np.float32)
    rims = [*zip(topology.LID_UPPER, topology.LID_LOWER, strict=True), (topology.LIP_UPPER, topology.LIP_LOWER)]
    for upper, lower in rims:
        outline = np.round(np.concatenate([cells[list(upper)], cells[list(lower)][::-1]])).astype(np.int32)
        cv2.fillPoly(mask, [outline], (0.0,))
        cv2.polylines(mask, [outline], True, (0.0,), 2)
    return blurred(mask, 0.7 * FINER)
