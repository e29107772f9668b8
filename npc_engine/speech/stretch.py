"""Stretches sound by resampling: pitch and formants move together, as on a tape that runs slower."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from npc_engine.moments import Sound

_LARGEST_DENOMINATOR = 40
_HALF_TAPS = 24  # zero crossings each side
_KAISER_BETA = 9.0  # about -90 dB beside the pass band (Kaiser 1974)
_ROLL_OFF = 0.94


def ratio(pitch: float) -> Fraction:
    """The nearest simple fraction to `pitch`: the step through the old samples from one new sample to the next."""
    return Fraction(pitch).limit_denominator(_LARGEST_DENOMINATOR)


@functools.lru_cache(maxsize=32)
def _filters(step: Fraction) -> tuple[npt.NDArray[np.float32], int]:
    """Filter bank f32[p + 2 * reach, q]: one block of old samples times this gives q new samples that span p old ones."""
    p, q = step.numerator, step.denominator
    cutoff = _ROLL_OFF * min(1.0, 1.0 / float(step))
    reach = int(np.ceil(_HALF_TAPS / cutoff))
    at = np.arange(q) * float(step)  # position of each new sample in old samples
    distance = (np.arange(p + 2 * reach) - reach)[:, None] - at[None, :]
    inside = np.clip(1.0 - (distance / reach) ** 2, 0.0, None)
    window = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    bank = cutoff * np.sinc(cutoff * distance) * window * (np.abs(distance) < reach)
    bank /= bank.sum(axis=0)
    return bank.astype(np.float32), reach


def stretched(sound: Sound, pitch: float) -> Sound:
    """`sound` f32[n] played at `pitch` times its speed: f32[n / pitch], all frequencies times `pitch`, no aliases."""
    step = ratio(pitch)
    if step == 1:
        return sound
    bank, reach = _filters(step)
    p, q = step.numerator, step.denominator
    length = int(len(sound) / step)
    blocks = -(-length // q)
    padded = np.zeros(blocks * p + 2 * reach + p, np.float32)
    padded[reach : reach + len(sound)] = sound[: len(padded) - reach]
    windows = np.lib.stride_tricks.sliding_window_view(padded, p + 2 * reach)[: blocks * p : p]
    return (windows @ bank).reshape(-1)[:length]
