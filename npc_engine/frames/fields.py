"""Fields that are summed with weights, each only where it is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import scale_add

Floats: TypeAlias = npt.NDArray[np.float32]

NOTHING: Final = 2e-4  # cells of motion, or share of light, that nobody sees


class Fields:
    """Some fields over a grid, in one or several parts, of which most are zero in most places."""

    def __init__(self, *parts: Sequence[Floats]) -> None:
        """Each part is a list of k fields of one shape, f[rows, columns] or f[rows, columns, channels]."""
        self._shapes = [part[0].shape for part in parts]
        self._fields: list[list[tuple[int, tuple[slice, slice], Floats]]] = [[] for _ in parts[0]]
        for which, part in enumerate(parts):
            for i, field in enumerate(part):
                # the channels side by side, so that a window of it is one of OpenCV's plain matrices
                flat = np.asarray(field, np.float32).reshape(len(field), -1)
                some = np.flatnonzero(np.abs(flat) > NOTHING)
                if len(some):
                    flat = flat.copy()
                    flat.reshape(-1)[: some[0]] = 0
                    flat.reshape(-1)[some[-1] + 1 :] = 0
                    rows, columns = np.flatnonzero(flat.any(1)), np.flatnonzero(flat.any(0))
                    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                    self._fields[i].append((which, window, flat[window].copy()))

    def sum(self, weights: Floats) -> list[Floats]:
        """The fields summed with weights f32[k]: each part in the shape of its fields."""
        totals = [np.zeros((shape[0], int(np.prod(shape[1:]))), np.float32) for shape in self._shapes]
        for i in np.flatnonzero(weights):  # not `weights @ fields`: BLAS would start threads of its own
            for which, window, field in self._fields[i]:
                scale_add(field, float(weights[i]), totals[which][window])
        return [total.reshape(shape) for total, shape in zip(totals, self._shapes, strict=True)]
