"""Faces written by name, and the check that every function here makes of what it gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from npc_engine.moments import CHANNEL, EXP50
from npc_engine.retarget.mix import F64

F32 = npt.NDArray[np.float32]


def checked(values: npt.ArrayLike, names: tuple[str, ...], what: str) -> F32:
    """`values` as f32[..., len(names)]; ValueError for another length, and for NaN and infinity."""
    found = np.asarray(values, np.float32)
    if found.ndim == 0 or found.shape[-1] != len(names):
        raise ValueError(f"{what} of shape {found.shape}, expected [..., {len(names)}]: {' '.join(names[:3])} …")
    if not np.isfinite(found).all():
        raise ValueError(f"{what}: {np.count_nonzero(~np.isfinite(found))} values are not finite")
    return found


def sides(name: str) -> tuple[int, ...]:
    """Where a coefficient stands in exp50; a name that lacks Left and Right stands for both."""
    return tuple(CHANNEL[n] for n in ((name,) if name in CHANNEL else (name + "Left", name + "Right")))


def faces(shapes: Iterable[Mapping[str, float]]) -> F64:
    """f64[n, 50] of n faces, each written as its coefficients that are not 0."""
    rows = list(shapes)
    out = np.zeros((len(rows), len(EXP50)))
    for row, shape in zip(out, rows, strict=True):
        for name, value in shape.items():
            row[list(sides(name))] = value
    return out


def seen(scales: Iterable[Mapping[str, float]]) -> F64:
    """f64[50, n]: exp50 @ this is n sums of scaled coefficients, where two sides count as their mean."""
    columns = list(scales)
    matrix = np.zeros((len(EXP50), len(columns)))
    for column, scale in enumerate(columns):
        for name, value in scale.items():
            matrix[list(sides(name)), column] = value / len(sides(name))
    return matrix
