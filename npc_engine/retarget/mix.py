"""The mix of a few shapes that comes nearest to a face: least squares, no weight below 0, a sum of at most 1."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TOGETHER: Final = 5.0  # weight of the row that holds the sum at 1: exceeded by 2 % at most on the shapes that we have
SMALLEST: Final = 1e-10  # a weight or gradient less far below 0 is 0
TRIES: Final = 3  # exchanges of all wrong shapes at once that may fail to help before they are exchanged one by one
MOST: Final = 100  # exchanges: speech takes 3 to 15; a face a million times too large could go round on rounding errors
KEPT: Final = 2_048  # inverses that are kept, 1.8 KB each: speech comes back to the same few hundred sets of shapes


class Mixer:
    """Finds weights w of `shapes` f64[n, c], w ≥ 0 and Σw ≤ 1, with |face - w·shapes|² + ridge·|w|² least.

    Rest is a shape like the others: it takes what is left of the sum. The ridge makes the answer unique, and bounds how
    much it changes by how much the face does, so that it does not jump from tick to tick between mixes that look alike.
    """

    def __init__(self, shapes: F64, ridge: float) -> None:
        rest = np.zeros((1, shapes.shape[1]))
        self._shapes = np.concatenate([shapes, rest])
        ridges = np.full(len(self._shapes), ridge)
        ridges[-1] = 0
        self._gram = self._shapes @ self._shapes.T + TOGETHER**2 + np.diag(ridges)
        self._inverses: dict[bytes, F64] = {}

    def mix(self, faces: F64) -> F64:
        """f64[m, n] for `faces` f64[m, c]."""
        pulls = faces @ self._shapes.T + TOGETHER**2
        out = np.empty_like(pulls)
        for row, pull in enumerate(pulls):
            out[row] = self._least(pull)
        mixed: F64 = out[:, :-1] / np.maximum(out.sum(axis=1, keepdims=True), 1)
        return mixed

    def _least(self, pull: F64) -> F64:
        """Weights w ≥ 0 with ½ w·gram·w - pull·w least.

        Block principal pivoting (Portugal, Júdice & Vicente 1994): guess which weights are above 0, solve for them, and
        exchange all that came out on the wrong side; where that stops helping, exchange one, which always ends (Murty).
        """
        used: Bools = pull > 0
        fewest, tries = len(pull) + 1, TRIES
        for _ in range(MOST):
            found: F64 = self._inverse(used) @ pull
            # weights where a shape is used, gradients where it is not; the other of the two is 0
            wrong: Bools = found + (self._gram @ found - pull) < -SMALLEST
            count = int(np.count_nonzero(wrong))
            if count == 0:
                break
            tries = TRIES if count < fewest else tries - 1
            fewest = min(count, fewest)
            if tries < 0:
                wrong[: np.flatnonzero(wrong)[-1]] = False
            used = used ^ wrong
        return np.maximum(found, 0)

    def _inverse(self, used: Bools) -> F64:
        """Of the part of the Gram matrix that belongs to the shapes in use, 0 elsewhere."""
        key = used.tobytes()
        kept = self._inverses.get(key)
        if kept is None:
            kept = np.zeros_like(self._gram)
            block = np.ix_(used, used)
            kept[block] = np.linalg.inv(self._gram[block])
            if len(self._inverses) >= KEPT:
                self._inverses.clear()
            self._inverses[key] = kept
        return kept
