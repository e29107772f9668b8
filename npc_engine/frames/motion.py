"""How one face moves: coefficients become displacement fields on a coarse grid, and the fields are turned round.

Everything is in units of the picture's edge, so one `Motion` serves every output size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.body import body
from npc_engine.frames.fields import Fields
from npc_engine.frames.grid import RINGS, Grid
from npc_engine.frames.lips import Lips
from npc_engine.frames.mask import Person
from npc_engine.frames.sampling import add, chosen, read, scaled, shrunk, smooth, weighed_sum
from npc_engine.frames.seam import parted
from npc_engine.moments import CHANNEL, EXP50

Floats: TypeAlias = npt.NDArray[np.float32]

# Of the fixed-point iteration; what remains is a tenth of a pixel at 512 at most, and a fifth round takes none of it.
ROUNDS: Final = (4, 0.75)  # and the step of each
ROUNDS_WIDE: Final = (
    8,
    0.5,
)  # of the lower layer, which opens to more than twice its width where an upper lip hides it
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
_WHOLE: Final = [*(CHANNEL[name] for name in HEAD), BREATH]
_RIMS: Final = list(topology.LIP_UPPER + topology.LIP_LOWER)


@dataclass(frozen=True, slots=True)
class Layers:
    """Where each grid node of the drawn picture takes its colour from: offsets f32[rows, columns, 2] in cells."""

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
        grid = self.grid = Grid(mesh[:, :2].astype(float), None if matte is None else shrunk(matte, 128, 128) > SOME)
        whole = body(grid, mesh, matte, clothes)
        fields = parted(moves, grid, lips)
        for field in fields:
            np.multiply(field, whole.loose[..., None, None], out=field)
            field[:, :, [CHANNEL[name] for name in HEAD]] = whole.head.transpose(1, 2, 0, 3)
            field[:, :, BREATH] = whole.breath
        differ = (np.abs(fields[0] - fields[1]) > 1e-4 * grid.cell).any(axis=(2, 3))
        self._near = _window(differ, 0)
        low, high = (grid.cells(grid.middle + side * grid.size * RINGS[-1][0] / 2) for side in (-1, 1))
        low, high = np.clip(np.floor(low), 0, None).astype(int), np.ceil(high).astype(int) + 1
        self._skin = slice(low[1], high[1]), slice(low[0], high[0])
        self._reach = _window(differ, FAR)  # where drawn lips can be
        upper, lower = (np.moveaxis(f, 2, 0) / np.float32(grid.cell) for f in (fields[0], fields[1][self._near]))
        self._body = Fields(list(upper[_WHOLE]))
        upper[_WHOLE], lower[_WHOLE] = 0, 0
        self._fields = Fields(list(upper), list(lower))  # the lower layer where it differs
        self._steep = np.maximum(_steepness(upper), _steepness(lower))  # f32[52], of each field
        self._reach_nodes = grid.nodes[self._reach].copy()
        self._head_fields = whole.head
        skull = np.zeros((WEIGHTS, 2))
        skull[[*(CHANNEL[name] for name in HEAD), BREATH]] = [
            *self.head_at(lips.centre),
            self._at(whole.breath, lips.centre),
        ]
        self.skull = skull  # f64[52, 2], how the skull moves at the mouth
        jaw = np.zeros_like(skull)
        jaw[:4] = moves[:4, list(topology.CHIN)].mean(1)  # jawOpen, jawForward, jawLeft, jawRight
        self.jaw = jaw + skull
        self._rims = (moves[:, _RIMS] + skull[:, None]).reshape(len(moves), -1)
        at = lips.local(grid.places)
        at = at[self._reach]
        self._over = at[..., 1] <= 0
        self._around_lips = np.flatnonzero((np.abs(at) < 0.8).all(-1))
        self._around_lips_at = at.reshape(-1, 2)[self._around_lips]

    def head_at(self, place: npt.NDArray[Any]) -> Floats:
        """How a place moves with the head, per radian of `HEAD`: f32[3, 2]."""
        row, column = self.grid.nearest(place)
        return self._head_fields[:, row, column]

    def _at(self, field: Floats, place: npt.NDArray[Any]) -> Floats:
        row, column = self.grid.nearest(place)
        return np.asarray(field[row, column])

    def inverse(self, weights: Floats) -> Layers:
        """Where each node comes from, for weights f32[52]: the coefficients as drawn, `CLOSED` and `BREATH`."""
        face, body_ = weights.copy(), np.zeros_like(weights)
        face[_WHOLE], body_[_WHOLE] = 0, weights[_WHOLE]
        above, under = self._fields.sum(face)
        spared = 1.0
        if float(np.abs(face) @ self._steep) > 1 - np.sqrt(TIGHTEST):  # less than that can't fold
            spared = min(_unfolded(above[self._skin]), _unfolded(under))
        (turned,) = self._body.sum(weights[_WHOLE])
        above = scaled(above, spared, turned)
        below = above.copy()
        below[self._near] = scaled(under, spared, turned[self._near])
        upper = _turned(above, above, self.grid.nodes, *ROUNDS)
        lower = upper.copy()
        lower[self._reach] = _turned(below, below[self._reach], self._reach_nodes, *ROUNDS_WIDE)
        rims = self.lips.rims.reshape(-1, 2) + ((face * np.float32(spared) + body_) @ self._rims).reshape(-1, 2)
        whole = lower.copy()  # where lips can't be, it is the upper one
        line = self.lips.local(rims[len(topology.LIP_UPPER) :])
        at, over = self._around_lips_at, self._over.copy()
        over.reshape(-1)[self._around_lips] = at[:, 1] <= np.interp(at[:, 0], line[:, 0], line[:, 1])
        chosen(upper[self._reach], over, whole[self._reach])
        return Layers(upper, lower, whole, rims)


def _steepness(fields: Floats) -> Floats:
    """The largest change of displacement from node to node, in any direction, of f32[k, rows, columns, 2] in cells."""
    across, down = np.diff(fields, axis=2)[:, :-1], np.diff(fields, axis=1)[:, :, :-1]
    return np.asarray(np.sqrt((across**2).sum(-1) + (down**2).sum(-1)).max((1, 2)), np.float32)


def _unfolded(field: Floats) -> float:
    """The largest share t, up to 1, of displacements f32[rows, columns, 2] in cells that leaves them unfolded.

    At each node the area 1 + t·trace + t²·determinant of its gradient has to stay above `TIGHTEST`.
    """
    x, y = (np.ascontiguousarray(field[..., k]) for k in (0, 1))  # NumPy is slow on a last axis of two
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


def _turned(field: Floats, at_nodes: Floats, nodes: Floats, rounds: int, step: float) -> Floats:
    """The offset o of each node x with o(x) = -field(x + o(x)), by damped fixed-point iteration from -field(x)."""
    offset = -at_nodes
    for _ in range(rounds):
        offset = weighed_sum(offset, 1 - step, read(field, add(nodes, offset)), -step)
    return offset


def _window(where: npt.NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
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
