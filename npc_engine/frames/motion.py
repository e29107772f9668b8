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
from npc_engine.frames.grid import Grid
from npc_engine.frames.lips import Lips
from npc_engine.frames.mask import Person
from npc_engine.frames.sampling import read, scale_add, shrunk
from npc_engine.frames.seam import parted
from npc_engine.moments import CHANNEL, EXP50

Floats: TypeAlias = npt.NDArray[np.float32]

# Of the fixed-point iteration; what remains is a tenth of a pixel at 512 at most, and a fifth round takes none of it.
ROUNDS: Final = 4
NOTHING: Final = 2e-4  # cells that are no motion
SOME: Final = 20  # of 255: so much of a person in the mask counts
FAR: Final = 14  # cells that jaw and head can carry the mouth
HEAD: Final = ("headPitch", "headYaw", "headRoll")
GAIN: Final = {
    "mouthPucker": 2.0, "mouthFunnel": 1.5, "mouthRollUpper": 1.4, "mouthRollLower": 1.4, "mouthShrugLower": 1.2,
}  # fmt: skip
"""Shapes whose main motion is forward, which a front view does not show, are drawn wider than they are."""
CLOSED: Final = len(EXP50)
"""Index of the weight that brings lips together which are open in the picture; it is always 1 in what is drawn."""
BREATH: Final = CLOSED + 1
"""Index of the weight of a full breath."""
WEIGHTS: Final = BREATH + 1
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
        delta = np.einsum("ij,kvj->kvi", scale * turn, topology.basis().delta)[..., :2] * [1, -1]
        moves = np.zeros((WEIGHTS, 468, 2))
        moves[:CLOSED], moves[CLOSED] = _fitted(delta), _closing(lips)
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
        self._reach = _window(differ, FAR)  # where drawn lips can be
        upper, lower = (np.moveaxis(f, 2, 0) / np.float32(grid.cell) for f in (fields[0], fields[1][self._near]))
        self._nodes = upper[0].size  # values of the upper layer; those of the lower, where it differs, follow
        self._fields = [_stretches(upper[i].reshape(-1), lower[i].reshape(-1)) for i in range(WEIGHTS)]
        self._count = self._nodes + lower[0].size
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
        self._below = at[..., 1] > 0
        self._around_lips = (np.abs(at) < 0.8).all(-1)
        self._around_lips_at = at[self._around_lips]

    def head_at(self, place: npt.NDArray[Any]) -> Floats:
        """How a place moves with the head, per radian of `HEAD`: f32[3, 2]."""
        row, column = self.grid.nearest(place)
        return self._head_fields[:, row, column]

    def _at(self, field: Floats, place: npt.NDArray[Any]) -> Floats:
        row, column = self.grid.nearest(place)
        return np.asarray(field[row, column])

    def inverse(self, weights: Floats) -> Layers:
        """Where each node comes from, for weights f32[52]: the coefficients as drawn, `CLOSED` and `BREATH`."""
        total = np.zeros(self._count, np.float32)
        for i in np.flatnonzero(weights):  # not `weights @ fields`: BLAS would start threads of its own
            for where, field in self._fields[i]:
                scale_add(field, float(weights[i]), total[where])
        count = self._nodes
        above = total[:count].reshape(*self.grid.shape, 2)
        below = above.copy()
        below[self._near] = total[count:].reshape(below[self._near].shape)
        upper = _turned(above, above, self.grid.nodes)
        lower = upper.copy()
        lower[self._reach] = _turned(below, below[self._reach], self.grid.nodes[self._reach])
        rims = self.lips.rims.reshape(-1, 2) + (weights @ self._rims).reshape(-1, 2)
        whole = np.where(self._below[..., None], lower, upper)
        line = self.lips.local(rims[len(topology.LIP_UPPER) :])
        near, at = self._around_lips, self._around_lips_at
        under = at[:, 1] > np.interp(at[:, 0], line[:, 0], line[:, 1])
        whole[near] = np.where(under[:, None], lower[near], upper[near])
        return Layers(upper, lower, whole, rims)


def _turned(field: Floats, at_nodes: Floats, nodes: Floats) -> Floats:
    """The offset o of each node x with o(x) = -field(x + o(x)), by damped fixed-point iteration from -field(x)."""
    offset = -at_nodes
    for _ in range(ROUNDS):
        offset = np.float32(0.25) * offset - np.float32(0.75) * read(field, nodes + offset)
    return offset


def _stretches(upper: Floats, lower: Floats) -> list[tuple[slice, Floats]]:
    """Of a field's values, those of the upper layer and then of the lower, the stretches that are not zero."""
    out = []
    for first, part in ((0, upper), (len(upper), lower)):
        some = np.flatnonzero(np.abs(part) > NOTHING)
        if len(some):
            out.append((slice(first + some[0], first + some[-1] + 1), part[some[0] : some[-1] + 1].copy()))
    return out


def _window(where: npt.NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """The rows and columns around what is true, and `margin` more on all sides."""
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


def _fitted(delta: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The projected basis without what the eyes draw themselves, and with the gains."""
    delta = delta.copy()
    for name, gain in GAIN.items():
        delta[CHANNEL[name]] *= gain
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
