"""Stretches sound by resampling: pitch and formants move together, as on a tape that runs slower."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import Sound

_LARGEST_DENOMINATOR: Final = 40  # ratios are exact to 1 part in 1600, far under a hearable step
_ZERO_CROSSINGS: Final = 24  # on each side
_KAISER_BETA: Final = 9.0  # stop band at about -90 dB (Kaiser and Schafer 1980)
_PASS_BAND: Final = 0.94  # of the new or old Nyquist frequency, whichever is lower


def ratio(pitch: float) -> Fraction:
    """The simple fraction nearest to `pitch`: the step through the old samples from one new sample to the next."""
    return Fraction(pitch).limit_denominator(_LARGEST_DENOMINATOR)


@functools.lru_cache(maxsize=32)
def _filters(step: Fraction) -> tuple[npt.NDArray[np.float32], int]:
    """A windowed-sinc bank f32[p + 2 reach, q] for step p/q, and its reach.

    p old samples with `reach` more on either side, times the bank, are q new samples.
    """
    p, q = step.numerator, step.denominator
    cutoff = _PASS_BAND * min(1.0, 1.0 / float(step))
    reach = int(np.ceil(_ZERO_CROSSINGS / cutoff))
    new = np.arange(q) * float(step)
    distance = (np.arange(p + 2 * reach) - reach)[:, None] - new[None, :]
    inside = np.clip(1.0 - (distance / reach) ** 2, 0.0, None)
    bank = np.sinc(cutoff * distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) * (np.abs(distance) < reach)
    bank /= bank.sum(axis=0)
    return bank.astype(np.float32), reach


class Stretch:
    """Resamples a stream of sound; any cutting of it into pieces gives the same sound (to the last bits of float32)."""

    def __init__(self, step: Fraction) -> None:
        self._step = step
        self._bank, self._reach = _filters(step)
        self._pending = np.zeros(self._reach, np.float32)  # starts at the old sample `reach` before the next block
        self._heard = 0
        self._given = 0

    def push(self, piece: Sound) -> Sound:
        """The new samples that `piece` completes."""
        if self._step == 1:
            return piece
        self._heard += len(piece)
        self._pending = np.concatenate([self._pending, piece])
        p = self._step.numerator
        blocks = max((len(self._pending) - 2 * self._reach) // p, 0)
        if not blocks:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, p + 2 * self._reach)
        new = (np.ascontiguousarray(windows[: (blocks - 1) * p + 1 : p]) @ self._bank).reshape(-1)
        self._pending = self._pending[blocks * p :]
        self._given += len(new)
        return new

    def end(self) -> Sound:
        """The new samples left over when the stream has ended; all together are floor(n / step)."""
        if self._step == 1:
            return np.zeros(0, np.float32)
        wanted = int(self._heard / self._step) - self._given
        silence = np.zeros(2 * self._reach + self._step.numerator, np.float32)
        heard = self._heard
        rest = self.push(silence)
        self._heard = heard
        return rest[: max(wanted, 0)]
