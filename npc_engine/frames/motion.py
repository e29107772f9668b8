"""How one face moves: coefficients become displacement fields on a coarse grid, and the fields are turned round.

Everything is in units of the picture's edge, so one `Motion` serves every output size.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.body import body
from npc_engine.frames.fields import Fields
from npc_engine.frames.grid import Grid
from npc_engine.frames.lips import Lips
from npc_engine.frames.mask import Person
from npc_engine.frames.sampling import add, chosen, read_to, shrunk, smooth, weighed_sum
from npc_engine.frames.seam import parted
from npc_engine.moments import CHANNEL, EXP50

Floats: TypeAlias = npt.NDArray[np.float32]
Part: TypeAlias = tuple[slice, slice]  # rows and columns

# Steps of the fixed-point iteration, found by a random search over spoken and random expressions of the faces that
# ship: they leave as little as four steps of 0.75, or eight of 0.5, a tenth of a pixel at 512 of what is spoken, and of
# those found they are the ones that never fold the picture.
STEPS: Final = (1.05, 0.95, 0.65)
STEPS_WIDE: Final = (0.7, 0.55, 0.5, 0.5, 0.6, 0.7)
"""Of the lower layer, which opens to more than twice its width where an upper lip hides it."""
SOME: Final = 20  # of 255: so much of a person in the mask counts
FAR: Final = 14  # cells that jaw and head can carry the mouth
HEAD: Final = ("headPitch", "headYaw", "headRoll")
GAIN: Final = {
    "mouthPucker": 2.0, "mouthFunnel": 1.5, "mouthRollUpper": 1.4, "mouthRollLower": 1.4, "mouthShrugLower": 1.2,
    "noseSneer": 1.7, "cheekSquint": 1.1, "eyeSquint": 1.3, "cheekPuff": 1.3,
}  # fmt: skip
"""Shapes whose main motion is forward, which a front view does not show, are drawn wider than they are."""
BROW_GAIN: Final = {
    "browDown": (2.3, 2.2, 1.7, 1.25, 0.8, 0.4), "browInnerUp": (2.5, 2.5, 2.3, 2.0, 1.6, 1.0),
    "browOuterUp": (1.2, 1.5, 1.8, 1.9, 1.8, 1.6),
}  # fmt: skip
"""The same above the eyes, from the face's middle to the brows' ends: a front view shows the least of what brows do.

A brow that is lowered comes down at its inner end, which is what makes a face angry and not sad.
"""
BROW_TILT: Final = 0.3  # share of the inner brows' rise by which their ends fall, which is what makes a face sad
BROW_TALL: Final = 0.25  # decimetres above and below the brows that do so with them
CLOSED: Final = len(EXP50)
"""Index of the weight that brings lips together which are open in the picture; it is always 1 in what is drawn."""
BREATH: Final = CLOSED + 1
"""Index of the weight of a full breath."""
WEIGHTS: Final = BREATH + 1
TIGHTEST: Final = 0.06  # of its area that skin keeps where an expression presses it together
PRESSED: Final = 1 - TIGHTEST**0.5  # of a length, where nothing can be pressed as tight as that
PART: Final = 10  # nodes across a part of the grid, of which one knows how strongly fields press it together
PAIRS: Final = [
    (CHANNEL[name], CHANNEL[name[:-4] + "Right"])
    for name in EXP50
    if name.endswith("Left") and name not in {"jawLeft", "mouthLeft"}
]
"""Coefficients of a face's left and right half."""
_WHOLE: Final = [*(CHANNEL[name] for name in HEAD), BREATH]
_RIMS: Final = list(topology.LIP_UPPER + topology.LIP_LOWER)


@dataclass(frozen=True, slots=True)
class Layers:
    """Where each grid node of the drawn picture takes its colour from: offsets f32[rows, 2, columns] in cells."""

    upper: Floats  # the skin above the lips, carried on below them
    lower: Floats  # the skin below the lips, carried on above them
    whole: Floats  # each where it belongs
    rims: npt.NDArray[Any]  # f64[22, 2], the upper and the lower lip's inner rim as drawn, in picture edges


def fit(rest: Floats, points: Floats) -> tuple[float, npt.NDArray[Any]]:
    """Scale and rotation that bring the basis onto landmarks f32[468, 3] (Umeyama's least squares), y up."""
    lips = {i for row in topology.UPPER_ROWS + topology.LOWER_ROWS for i in row}
    rows = [i for i in range(len(rest)) if i not in lips]  # an open mouth must not tilt the head
    a, b = rest[rows].astype(float), points[rows].astype(float) * [1, -1, -1]
    a, b = a - a.mean(0), b - b.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    return float((s * sign).sum() / (a**2).sum()), u @ np.diag(sign) @ vt


class Motion:
    """The fields of one face, from its landmarks f32[478, 3] and its lips."""

    def __init__(self, points: Floats, lips: Lips, person: Person | None = None) -> None:
        self.lips = lips
        mesh = points[:468]
        scale, turn = fit(topology.basis().rest, mesh)
        shape = self.shape = np.einsum("ij,kvj->kvi", scale * turn, _eager(topology.basis()))  # y up, in picture edges
        self.turn = turn  # of the basis onto the face
        self.placed = topology.basis().rest @ (scale * turn).T  # f64[468, 3], the basis at rest, likewise
        moves = np.zeros((WEIGHTS, 468, 2))
        moves[:CLOSED], moves[CLOSED] = _sliding(shape[..., :2] * [1, -1]), _closing(lips)
        matte, clothes = (person.matte, person.clothes) if person else (None, None)
        self._mesh = mesh[:, :2].astype(float)
        self._there = None if matte is None else shrunk(matte, 128, 128) > SOME
        grid = Grid(self._mesh, self._there)
        whole = body(grid, mesh, matte, clothes)
        fields = parted(moves, grid, lips)
        for field in fields:
            np.multiply(field, whole.loose[..., None, None], out=field)
            field[:, :, [CHANNEL[name] for name in HEAD]] = whole.head.transpose(1, 2, 0, 3)
            field[:, :, BREATH] = whole.breath
        differ = (np.abs(fields[0] - fields[1]) > 1e-4 * grid.cell).any(axis=(2, 3))
        near = _window(differ, 0)
        # f32[52, rows, 2, columns] in cells, and how the lower layer differs where it does
        upper, lower = (np.ascontiguousarray(f.transpose(2, 0, 3, 1)) / np.float32(grid.cell) for f in fields)
        body_ = Fields(list(upper[_WHOLE]))
        upper[_WHOLE], lower[_WHOLE] = 0, 0
        lower = lower[:, near[0], :, near[1]]
        face = Fields(list(upper), list(lower - upper[:, near[0], :, near[1]]), pairs=PAIRS)
        pressing = _pressing(upper)
        among = pressing[:, near[0], near[1]]
        np.maximum(among, _pressing(lower), out=among)
        for axis in (1, 2):
            pressing = np.maximum.reduceat(pressing, np.arange(0, pressing.shape[axis], PART), axis)
        self._parts = pressing.shape[1:]
        self._pressing = pressing.reshape(len(pressing), -1)  # f32[52, n], the most of each field in parts of the grid
        self._head_grid, self._head_fields = grid, whole.head
        skull = np.zeros((WEIGHTS, 2))
        skull[[*(CHANNEL[name] for name in HEAD), BREATH]] = [
            *self.head_at(lips.centre),
            whole.breath[grid.nearest(lips.centre)],
        ]
        self.skull = skull  # f64[52, 2], how the skull moves at the mouth
        jaw = np.zeros_like(skull)
        jaw[:4] = moves[:4, list(topology.CHIN)].mean(1)  # jawOpen, jawForward, jawLeft, jawRight
        self.jaw = jaw + skull
        self._rims = (moves[:, _RIMS] + skull[:, None]).reshape(len(moves), -1)
        self.lay(grid, (near, _window(differ, FAR)), (face, body_), PART)

    def lay(self, grid: Grid, windows: tuple[Part, Part], fields: tuple[Fields, Fields], part: float) -> None:
        """Take a grid with its fields, of the face and of the body.

        The `windows` are where the layers differ and where drawn lips can be; a part of the grid is `part` nodes wide.
        """
        self.grid, (near, reach) = grid, windows
        (self._fields, self._body), self._part = fields, part
        self._near, self._reach = ((rows, slice(None), columns) for rows, columns in (near, reach))
        self._reach_nodes = grid.planes[self._reach].copy()
        at = self.lips.local(grid.places)[reach]
        self._over = at[..., 1] <= 0
        self._around_lips = np.flatnonzero((np.abs(at) < 0.8).all(-1))
        self._around_lips_at = at.reshape(-1, 2)[self._around_lips]

    def coarser(self, across: int) -> Motion:
        """The same motion on a grid of so many cells across the face."""
        fine, grid = self.grid, Grid(self._mesh, self._there, across)
        near, reach = (
            grid.window(fine.places[rows.start, columns.start], fine.places[rows.stop - 1, columns.stop - 1])
            for rows, _, columns in (self._near, self._reach)
        )
        places, share = fine.cells(grid.places), fine.cell / grid.cell
        first = np.array([self._near[2].start, self._near[0].start])
        face, body_ = self._fields.at(places, places[near] - first, factor=share), self._body.at(places, factor=share)
        out = copy(self)
        out.lay(grid, (near, reach), (face, body_), PART * share)
        return out

    def head_at(self, place: npt.NDArray[Any]) -> Floats:
        """How a place moves with the head, per radian of `HEAD`: f32[3, 2]."""
        row, column = self._head_grid.nearest(place)
        return self._head_fields[:, row, column]

    def inverse(self, weights: Floats) -> Layers:
        """Where each node comes from, for weights f32[52]: the coefficients as drawn, `CLOSED` and `BREATH`."""
        face, body_ = weights.copy(), np.zeros_like(weights)
        face[_WHOLE], body_[_WHOLE] = 0, weights[_WHOLE]
        above, apart = self._fields.sum(face)
        spared = self._unfolded(face, above, apart)
        if spared < 1:
            above, apart = above * np.float32(spared), apart * np.float32(spared)
        self._body.add_to([above], weights[_WHOLE])
        below = above.copy()
        below[self._near] += apart
        upper = _turned(above, above, self.grid.planes, STEPS)
        lower = upper.copy()
        lower[self._reach] = _turned(below, below[self._reach], self._reach_nodes, STEPS_WIDE)
        rims = self.lips.rims.reshape(-1, 2) + ((face * np.float32(spared) + body_) @ self._rims).reshape(-1, 2)
        whole = lower.copy()  # where lips can't be, it is the upper one
        line = self.lips.local(rims[len(topology.LIP_UPPER) :])
        at, over = self._around_lips_at, self._over.copy()
        over.reshape(-1)[self._around_lips] = at[:, 1] <= np.interp(at[:, 0], line[:, 0], line[:, 1])
        for k in (0, 1):
            chosen(upper[self._reach][:, k], over, whole[self._reach][:, k])
        return Layers(upper, lower, whole, rims)

    def _unfolded(self, face: Floats, above: Floats, apart: Floats) -> float:
        """The largest share, up to 1, of the fields summed with weights `face` that folds no skin."""
        pressing = face @ self._pressing
        if pressing.max() < PRESSED:
            return 1.0
        rows, columns = (
            slice(int(self._part * part.start), math.ceil(self._part * part.stop) + 1)
            for part in _window(pressing.reshape(self._parts) >= PRESSED, 0)
        )
        return min(_unfolded(above[rows, :, columns]), _unfolded(above[self._near] + apart))


def _pressing(fields: npt.NDArray[Any]) -> Floats:
    """How strongly displacements f[k, rows, 2, columns] in cells press nodes together, in the direction of the most.

    f32[k, rows, columns], 0 for what is stretched and at the last nodes. It is the smallest eigenvalue of the
    gradient's symmetric part, below 0: of a sum of fields it is no more than their sum, and the area where it is c is
    at least (1 - c)².
    """
    across, down = np.diff(fields, axis=3)[:, :-1], np.diff(fields, axis=1)[..., :-1]
    aside = (across[:, :, 1] + down[:, :, 0]) / 2
    mean, half = (across[:, :, 0] + down[:, :, 1]) / 2, (across[:, :, 0] - down[:, :, 1]) / 2
    out = np.zeros(np.delete(fields.shape, 2), np.float32)
    np.maximum(np.hypot(half, aside) - mean, 0, out=out[:, :-1, :-1])
    return out


def _unfolded(field: Floats) -> float:
    """The largest share t, up to 1, of displacements f32[rows, 2, columns] in cells that leaves them unfolded.

    At each node the area 1 + t·trace + t²·determinant of its gradient has to stay above `TIGHTEST`.
    """
    x, y = field[:, 0], field[:, 1]
    x_across, x_down = x[:-1, 1:] - x[:-1, :-1], x[1:, :-1] - x[:-1, :-1]
    y_across, y_down = y[:-1, 1:] - y[:-1, :-1], y[1:, :-1] - y[:-1, :-1]
    trace = x_across + y_down
    product = x_across * y_down - y_across * x_down
    tight = 1 + trace + product < TIGHTEST
    if not tight.any():
        return 1.0
    a, b, c = product[tight].astype(float), trace[tight].astype(float), 1 - TIGHTEST
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    first = 2 * c / np.maximum(-b + root, 1e-9)  # the smaller root above 0, whatever the sign of a
    return float(np.clip(first.min(), 0, 1))


def _turned(field: Floats, at_nodes: Floats, nodes: Floats, steps: tuple[float, ...]) -> Floats:
    """The offset o of each node x with o(x) = -field(x + o(x)), by fixed-point iteration from -field(x)."""
    width = nodes.shape[2]
    x, y = field[:, 0], field[:, 1]
    offset, still = -at_nodes.reshape(-1, width), nodes.reshape(-1, width)
    seen = np.empty_like(offset)
    for step in steps:
        place = add(still, offset)
        read_to(x, place[::2], place[1::2], seen[::2])
        read_to(y, place[::2], place[1::2], seen[1::2])
        offset = weighed_sum(offset, 1 - step, seen, -step)
    return offset.reshape(nodes.shape)


def _window(where: npt.NDArray[np.bool_], margin: int) -> Part:
    """The rows and columns around what is true, and `margin` more on all sides."""
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


def _eager(basis: topology.Basis) -> npt.NDArray[Any]:
    """The basis with its gains, and with brows that move as hair does, firmly: f64[50, 468, 3]."""
    delta = basis.delta.astype(float)
    middle, eyes = basis.rest[9], basis.rest[list(topology.LID_UPPER[0] + topology.LID_UPPER[1]), 1].max()
    aside = np.abs(basis.rest[:, 0] - middle[0]) / np.abs(basis.rest[topology.BROW_ENDS, 0] - middle[0]).max()
    for name, gain in GAIN.items():
        for channel in [name] if name in CHANNEL else [name + "Left", name + "Right"]:
            delta[CHANNEL[channel]] *= gain
    over = basis.rest[:, 1] > eyes - 0.02
    for name, profile in BROW_GAIN.items():
        share = np.where(over, np.interp(aside, np.linspace(0, 1, len(profile)), profile), 1.0)
        for channel in [name] if name in CHANNEL else [name + "Left", name + "Right"]:
            delta[CHANNEL[channel]] *= share[:, None]
    brows = [i for pair in topology.BROWS for i in pair]
    beside = np.exp(-(((basis.rest[:, 1] - basis.rest[brows, 1].mean()) / BROW_TALL) ** 2)) * smooth(aside / 0.9 - 0.2)
    inner = delta[CHANNEL["browInnerUp"], :, 1]
    inner -= BROW_TILT * inner.max() * beside
    for upper, lower in topology.BROWS:
        delta[:, [upper, lower]] = delta[:, [upper, lower]].mean(1, keepdims=True)
    return delta


def _sliding(delta: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The projected basis without what the eyes draw themselves."""
    delta = delta.copy()
    for name in EXP50:
        if name.startswith(("eyeBlink", "eyeWide")):
            delta[CHANNEL[name]] = 0
    lids = [i for rim in topology.LID_UPPER + topology.LID_LOWER for i in rim]
    delta[:, lids] = 0  # lids slide over the eyeball (eyes.py); the skin's field must not drag it along
    return delta


def _closing(lips: Lips) -> npt.NDArray[Any]:
    """What brings the lips of a picture with an open mouth together: f64[468, 2]; zero if they touch."""
    out = np.zeros((468, 2))
    if lips.open:
        seam = 0.4 * lips.rims[0] + 0.6 * lips.rims[1]  # the lower lip does most of it, as a jaw does
        every = ((topology.LIP_UPPER, topology.UPPER_ROWS), (topology.LIP_LOWER, topology.LOWER_ROWS))
        for rim, (line, rows) in zip(lips.rims, every, strict=True):
            move = seam - rim
            out[list(line)] = move
            for k, row in enumerate(rows):
                out[list(row)] = move[1:-1] * (1 - 0.12 * k)
    return out
