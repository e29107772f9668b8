"""Fields that are summed with weights, each only where it is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import read, scale_add

Floats: TypeAlias = npt.NDArray[np.float32]

Window: TypeAlias = tuple[int, tuple[slice, slice], Floats]  # of which part, where in it, and what is there

NOTHING: Final = 2e-5  # cells of motion, or share of light, that nobody sees
ALIKE: Final = 0.004  # weights that differ by less count as one: each is off by half of it


class Fields:
    """Some fields over a grid, in one or several parts, of which most are zero in most places."""

    def __init__(self, *parts: Sequence[npt.NDArray[Any]], pairs: Sequence[tuple[int, int]] = ()) -> None:
        """Each part is a list of k fields of one shape, f[rows, columns] or f[rows, channels, columns].

        Of `pairs` the weights are mostly alike, as those of a face's left and right half are.
        """
        self._shapes: list[tuple[int, ...]] = [part[0].shape for part in parts]
        self._fields = [_windows([part[i] for part in parts]) for i in range(len(parts[0]))]
        self._pairs = [(i, j, _windows([part[i] + part[j] for part in parts])) for i, j in pairs]

    def at(self, *places: npt.NDArray[Any], factor: float = 1.0) -> Fields:
        """The same fields · `factor` at other nodes: each part's at places f[rows, columns, 2], (x, y) in its nodes."""

        def parts(windows: list[Window]) -> list[Floats]:
            every = [np.zeros(shape, np.float32) for shape in self._shapes]
            for which, window, field in windows:
                every[which].reshape(-1, every[which].shape[-1])[window] = field
            return [_read(part, place) * np.float32(factor) for part, place in zip(every, places, strict=True)]

        every = [list(part) for part in zip(*map(parts, self._fields), strict=True)]
        return Fields(*every, pairs=[(i, j) for i, j, _ in self._pairs])

    def sum(self, weights: Floats) -> list[Floats]:
        """The fields summed with weights f32[k]: each part in the shape of its fields."""
        totals = [np.zeros(shape, np.float32) for shape in self._shapes]
        self.add_to(totals, weights)
        return totals

    def add_to(self, totals: Sequence[Floats], weights: Floats) -> None:
        """Add the fields with weights f32[k] to contiguous totals, one for each part, in the shape of its fields."""
        flat = [total.reshape(-1, total.shape[-1]) for total in totals]
        each = weights.tolist()
        both = []
        for i, j, windows in self._pairs:
            if each[i] and each[j] and abs(each[i] - each[j]) < ALIKE:
                both.append(((each[i] + each[j]) / 2, windows))
                each[i] = each[j] = 0.0
        # not `weights @ fields`: BLAS would start threads of its own
        for weight, windows in (*zip(each, self._fields, strict=True), *both):
            if weight:
                for which, window, field in windows:
                    scale_add(field, weight, flat[which][window])


def _read(field: Floats, places: npt.NDArray[Any]) -> Floats:
    """A field of one or several channels at places f[rows, columns, 2]."""
    if field.ndim == 2:
        return read(field, places)
    return np.stack([read(np.ascontiguousarray(field[:, k]), places) for k in range(field.shape[1])], 1)


def _windows(fields: Sequence[npt.NDArray[Any]]) -> list[Window]:
    """What is to be added of one field's parts, and where."""
    out = []
    for which, field in enumerate(fields):
        # the channels of a row beneath each other, so that a window of it is one of OpenCV's plain matrices
        flat = np.asarray(field, np.float32).reshape(-1, field.shape[-1])
        some = np.abs(flat) > NOTHING
        if some.any():
            rows, columns = np.flatnonzero(some.any(1)), np.flatnonzero(some.any(0))
            window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            out.append((which, window, flat[window].copy()))
    return out
