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
    """Some fields of n values each, in one or several parts, of which most are zero in most places."""

    def __init__(self, *parts: Sequence[Floats]) -> None:
        """Each part is a list of k fields of one shape; all are laid flat behind one another."""
        self._fields: list[list[tuple[slice, Floats]]] = [[] for _ in parts[0]]
        first = 0
        for part in parts:
            for stretches, field in zip(self._fields, part, strict=True):
                flat = np.asarray(field, np.float32).reshape(-1)
                some = np.flatnonzero(np.abs(flat) > NOTHING)
                if len(some):
                    low, high = int(some[0]), int(some[-1]) + 1
                    stretches.append((slice(first + low, first + high), flat[low:high].copy()))
            first += part[0].size
        self._count = first

    def sum(self, weights: Floats) -> Floats:
        """The fields summed with weights f32[k]: f32[n]."""
        total = np.zeros(self._count, np.float32)
        for i in np.flatnonzero(weights):  # not `weights @ fields`: BLAS would start threads of its own
            for where, field in self._fields[i]:
                scale_add(field, float(weights[i]), total[where])
        return total
