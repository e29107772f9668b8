"""Sound to log-mel rows as it streams: 80 bands to 8 kHz every 10 ms, strictly causal, nothing held back.

The bins are those of n_fft 1024, window 400, hop 160 at 16 kHz, the usual front end of speech networks, read from
24 kHz directly so that the engine resamples nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.fourier import spectra
from npc_engine.moments import SAMPLE_RATE, Sound

BANDS: Final = 80
HOP: Final = 240  # samples from row to row: 10 ms
WINDOW: Final = 600  # samples that a row hears: 25 ms
N_FFT: Final = 1536
TOP_HZ: Final = 8000.0
FLOOR: Final = 1e-5  # added to the power of a band; a quiet room lies about there, so silence is flat and not noise

# log(power + FLOOR) of speech at its usual level has about this mean and spread; fixed, so a row depends on its
# own 25 ms and on nothing else of the recording
CENTRE: Final = -5.0
SPREAD: Final = 4.0

HELD: Final = WINDOW - HOP

Mel: TypeAlias = npt.NDArray[np.float32]  # f32[rows, 80], about -1.6 (silence) .. 2
MelState: TypeAlias = npt.NDArray[np.float32]  # f32[360..599], the samples that the next row still needs


def start() -> MelState:
    """The state at the first sample of a line: silence before it."""
    return np.zeros(HELD, np.float32)


def step(samples: Sound, state: MelState) -> tuple[Mel, MelState]:
    """Rows completed by `samples`, any number of them, and the state after them.

    Row k hears samples [240(k+1) - 600, 240(k+1)) of the line; cutting the line elsewhere changes no row. Several lines
    step at once as samples f32[lines, n] and states f32[lines, m], and give rows f32[lines, rows, 80].
    """
    heard = np.concatenate([state, np.asarray(samples, np.float32)], axis=-1)
    rows = (heard.shape[-1] - HELD) // HOP
    if rows == 0:
        return np.zeros((*heard.shape[:-1], 0, BANDS), np.float32), heard
    window, filters = _constants()
    # tick by tick, calls cost more than sums: a plain view and sums in place take two thirds of the time
    strides = (*heard.strides[:-1], HOP * heard.itemsize, heard.itemsize)
    overlapping: Mel = np.ndarray((*heard.shape[:-1], rows, WINDOW), np.float32, heard, strides=strides)
    padded = np.zeros((*overlapping.shape[:-1], N_FFT), np.float32)
    np.multiply(overlapping, window, out=padded[..., :WINDOW])
    spectrum = spectra(padded.reshape(-1, N_FFT))[:, : filters.shape[0]]
    power = spectrum.real**2
    power += spectrum.imag**2
    mel: Mel = (power @ filters).reshape(*padded.shape[:-1], BANDS)
    mel += np.float32(FLOOR)
    np.log(mel, out=mel)
    mel -= CENTRE
    mel /= SPREAD
    return mel, heard[..., rows * HOP :].copy()


@cache
def _constants() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The periodic Hann window f32[600], and the mel filters f32[513, 80] over the bins up to 8 kHz."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    bins = np.arange(int(TOP_HZ * N_FFT / SAMPLE_RATE) + 1) * SAMPLE_RATE / N_FFT
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(TOP_HZ), BANDS + 2))
    below, peak, above = edges[:-2], edges[1:-1], edges[2:]
    rise = (bins[:, None] - below) / (peak - below)
    fall = (above - bins[:, None]) / (above - peak)
    filters = np.maximum(0.0, np.minimum(rise, fall)) * 2.0 / (above - below)  # every band has the same area
    return window.astype(np.float32), filters.astype(np.float32)


# Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    return hz / _LINEAR_HZ if hz < _BREAK_HZ else float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    curved = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, curved)
