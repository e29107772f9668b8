"""Live sound of any rate to 24 kHz, piece by piece: a polyphase filter that holds nothing back, and a known delay.

The taps are a sinc under Kaiser's window (Kaiser and Schafer 1980).
"""

from __future__ import annotations

import functools
from math import ceil, gcd
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import SAMPLE_RATE, Sound

RATES: Final = (8_000, 48_000)
CROSSINGS: Final = 24  # of the sinc on each side: from .82 of the lower rate's half to 1 it falls
CUTOFF: Final = 0.91  # of that half: where the filter is down by 6 dB
BETA: Final = 6.8  # of the window: 70 dB
_GRID: Final = np.linspace(0.0, 1.0, 2049)  # the window is looked up: a rate that fits none has 24,000 phases
_WINDOW: Final = np.i0(BETA * np.sqrt(_GRID))


@functools.lru_cache(maxsize=4)  # 10 MB the largest, and games have one or two rates
def _bank(rate: int) -> tuple[npt.NDArray[np.float32], int]:
    """Taps f32[phases, n], the oldest sample's first, and the delay in samples of 24 kHz."""
    phases, step = SAMPLE_RATE // gcd(rate, SAMPLE_RATE), rate // gcd(rate, SAMPLE_RATE)
    lowest = min(rate, SAMPLE_RATE)
    reach_s = CROSSINGS / (CUTOFF * lowest)
    delay = ceil(reach_s * SAMPLE_RATE)
    taps = ceil((delay / SAMPLE_RATE + reach_s) * rate) + 1
    # samples of the old rate from the newest one back to the middle of each phase's filter
    middle = delay * step / phases - np.arange(phases)[:, None] / phases
    away = (np.arange(taps)[None, :] - middle) / rate  # seconds
    inside = np.clip(1.0 - (away / reach_s) ** 2, 0.0, None)
    bank = np.sinc(CUTOFF * lowest * away) * np.interp(inside, _GRID, _WINDOW) * (np.abs(away) < reach_s)
    bank /= bank.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(bank[:, ::-1], np.float32), delay


def delay(rate: int) -> int:
    """Samples of 24 kHz by which sound of `rate` comes out late: 0 where it is 24 kHz itself, 80 from 8 kHz."""
    return 0 if rate == SAMPLE_RATE else _bank(rate)[1]


class Resampler:
    """One stream of sound, `rate` to 24 kHz; any cutting of it into pieces gives the same samples.

    20 ms of a rate that has whole samples in them give 20 ms at once: what the filter needs of the future is not waited
    for, but the sound comes `delay(rate)` late. ValueError for a rate beyond 8 to 48 kHz.
    """

    def __init__(self, rate: int) -> None:
        if not RATES[0] <= rate <= RATES[1]:
            raise ValueError(f"rate is {rate}, expected {RATES[0]} to {RATES[1]}")
        self._step = rate // gcd(rate, SAMPLE_RATE)
        self._bank, self._delay = _bank(rate)
        self._rate = rate
        phases, taps = self._bank.shape
        self._phases = phases
        self._taps = taps
        self._held = np.zeros(taps - 1, np.float32)  # the newest samples that have come
        self._next = 0  # of the new samples, in `phases`-ths of an old one from the end of `_held`

    def push(self, piece: Sound) -> Sound:
        """The new samples that `piece` f32[n] completes."""
        if self._rate == SAMPLE_RATE:
            return piece
        heard = np.concatenate([self._held, piece])
        places = np.arange(self._next, len(piece) * self._phases, self._step)
        self._next = self._next + len(places) * self._step - len(piece) * self._phases
        self._held = heard[len(heard) - (self._taps - 1) :]
        if not len(places):
            return np.zeros(0, np.float32)
        newest, phase = np.divmod(places, self._phases)
        windows = np.lib.stride_tricks.sliding_window_view(heard, self._taps)
        new: Sound = np.einsum("ij,ij->i", windows[newest], self._bank[phase])
        return new

    def end(self) -> Sound:
        """The new samples that are left when the stream has ended: the filter's delay."""
        if self._rate == SAMPLE_RATE:
            return np.zeros(0, np.float32)
        count = ceil((self._next + (self._delay - 1) * self._step + 1) / self._phases)
        return self.push(np.zeros(max(count, 0), np.float32))[: self._delay]
