"""Two displacement fields that part along the lips: the skin above them, and the skin below."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.grid import Grid, sampled
from npc_engine.frames.lips import SOFT, Lips
from npc_engine.frames.sampling import smooth
from npc_engine.moments import CHANNEL, EXP50

Floats: TypeAlias = npt.NDArray[np.float32]

ROUND: Final = {"mouthPucker": (0.075, 0.035, 0.03), "mouthFunnel": (0.085, 0.0, 0.02)}
"""In mouth widths: how far lips are pressed together beside the middle, opened in it, and made fuller."""
OVERLAP: Final = 0.5  # of the width of a lip's edge


def parted(moves: npt.NDArray[Any], grid: Grid, lips: Lips) -> tuple[Floats, Floats]:
    """Fields f32[rows, columns, k, 2] of the upper and the lower layer, for landmarks that move by f[k, 468, 2].

    Each layer goes on smoothly beyond the line of the lips, so that its edge can be cut there. Beyond the corners of
    the mouth the two are the same.
    """
    moves = _rounded(moves, lips)
    near = _neighbours(topology.basis().triangles)
    layers = (
        (topology.LIP_UPPER, topology.LIP_LOWER, topology.BELOW_LIPS, lips.rims[0]),
        (topology.LIP_LOWER, topology.LIP_UPPER, topology.ABOVE_LIPS, lips.rims[1]),
    )
    upper, lower = (
        _exact(grid.spread(_carried(moves, leading, following, free, near)), grid, rim, moves[:, list(leading)], lips)
        for leading, following, free, rim in layers
    )
    _join(upper, lower, lips.local(grid.places))
    return upper, lower


def _rounded(moves: npt.NDArray[Any], lips: Lips) -> npt.NDArray[Any]:
    """`moves` whose pucker and funnel round the lips: pressed together beside an opening, and fuller.

    The basis narrows the mouth, but what the jaw opens would stay a wedge from corner to corner.
    """
    moves = moves.copy()
    across = np.abs(lips.local(np.stack([lips.rims[0], lips.rims[1]]))[..., 0])  # f64[2, 11]
    down = lips.axes[1] * lips.width
    for name, (pressed, opened, fuller) in ROUND.items():
        lip = moves[CHANNEL[name]]
        close = pressed * smooth((across - 0.13) / 0.22) - opened * (1 - smooth(across / 0.28))
        every = ((topology.LIP_UPPER, topology.UPPER_ROWS, 0.4), (topology.LIP_LOWER, topology.LOWER_ROWS, -0.6))
        for which, (line, rows, share) in enumerate(every):
            move = share * close[which][:, None] * down
            lip[list(line[1:-1])] += move[1:-1]
            for k, row in enumerate(rows[1:], 1):
                out = -np.sign(share) * fuller * (k / 3) * (1 - smooth(across[which][1:-1] / 0.5))
                lip[list(row)] += move[1:-1] * (1 - 0.2 * k) + out[:, None] * down
    if lips.open:
        # both layers are cut a little inside lips that are open in the picture (mouth.py): closed, they overlap by that
        free = smooth((0.5 - across) / 0.1)
        for which, (line, sign) in enumerate(((topology.LIP_UPPER, 1), (topology.LIP_LOWER, -1))):
            moves[len(EXP50), list(line)] += sign * OVERLAP * SOFT * free[which][:, None] * lips.axes[1]
    return moves


def _neighbours(triangles: npt.NDArray[np.int32]) -> list[list[int]]:
    out: list[set[int]] = [set() for _ in range(468)]
    for t in triangles.tolist():
        for v in t:
            out[v].update(t)
    return [sorted(n - {i}) for i, n in enumerate(out)]


def _carried(
    moves: npt.NDArray[Any],
    leading: tuple[int, ...],
    following: tuple[int, ...],
    free: tuple[int, ...],
    near: list[list[int]],
) -> npt.NDArray[Any]:
    """`moves` with one lip carried along by the other, and the skin around it following harmonically."""
    out = moves.copy()
    out[:, list(following)] = out[:, list(leading)]
    index = {v: i for i, v in enumerate(free)}
    matrix, right = np.eye(len(free)), np.zeros((len(free), len(moves), 2))
    for v, i in index.items():
        for n in near[v]:
            if n in index:
                matrix[i, index[n]] -= 1 / len(near[v])
            else:
                right[i] += out[:, n] / len(near[v])
    solved = np.linalg.solve(matrix, right.reshape(len(free), -1)).reshape(len(free), len(moves), 2)
    out[:, list(free)] = solved.transpose(1, 0, 2)
    return out


def _exact(field: Floats, grid: Grid, places: npt.NDArray[Any], moves: npt.NDArray[Any], lips: Lips) -> Floats:
    """`field` corrected to have the displacements f[k, 11, 2] at 11 places on a lip's rim.

    The landmarks of closed lips lie too close together for the mesh to say how their seam parts.
    """
    at = grid.cells(places)
    broad = 0.16 * lips.width / grid.cell  # wider than the places are apart, or the rim would ripple
    low = np.clip(np.floor(at.min(0) - 3 * broad), 0, None).astype(int)
    high = np.minimum(np.ceil(at.max(0) + 3 * broad) + 1, grid.shape[::-1]).astype(int)
    region = (slice(low[1], high[1]), slice(low[0], high[0]))

    def kernel(where: npt.NDArray[Any]) -> npt.NDArray[Any]:
        away = np.linalg.norm(where[..., None, :] - at, axis=-1) / broad
        return np.asarray(np.exp(-(away**2)))

    mix = np.linalg.solve(kernel(at) + 0.02 * np.eye(len(at)), np.eye(len(at)))
    bump = kernel(grid.nodes[region]) @ mix
    for _ in range(3):  # each round leaves less than a tenth of what was missing
        missing = moves.transpose(1, 0, 2) - sampled(field, at)
        field[region] += np.einsum("yxn,nkc->yxkc", bump, missing)
    return field


def _join(upper: Floats, lower: Floats, at: npt.NDArray[Any]) -> None:
    """Make both layers one beyond the corners of the mouth; `at` are the nodes in mouth widths."""
    beside = smooth((np.abs(at[..., 0]) - 0.43) / 0.08)[..., None, None].astype(np.float32)
    side = smooth(at[..., 1] / 0.2 + 0.5)[..., None, None].astype(np.float32)
    whole = upper + (lower - upper) * side
    upper += (whole - upper) * beside
    lower += (whole - lower) * beside
