"""The two ends of Kokoro's generator: the harmonics that it shapes, and the sound out of the spectra that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import SAMPLE_RATE, Sound

F32 = npt.NDArray[np.float32]

FRAME: Final = 300  # samples
SPECTRA: Final = 60  # spectra in a frame
_HOP: Final = 5  # samples from spectrum to spectrum
_WINDOW: Final = 20
_BINS: Final = 11
_HARMONICS: Final = 9
_VOICED_HZ: Final = 10.0
_LOUDNESS: Final = 0.1  # of a harmonic
_CENTRE: Final = _WINDOW // 2
_GAIN: Final = 4.0  # window over hop
_TINY: Final = np.float32(1e-9)
_SILENT_PHASE: Final = (np.pi, 0.0, 2.49, -2.125, 0.793, -2.129, 0.173, 2.927, -1.345, 2.736, -1.547)
"""Phases of a constant, rad: nothing but the published graph's rounding, but the network hears them."""


@dataclass(frozen=True, slots=True)
class Mixer:
    """How the harmonics are added up."""

    weights: F32  # f32[9]
    bias: F32  # f32[1]


def harmonics(f0: F32, mixer: Mixer) -> F32:
    """Short-time magnitudes and phases f32[1, 22, 60 n + 1] of the harmonic source of a melody f32[n] in Hz.

    A sum of sines in the harmonics of f0 (Wang et al. 2019), without the noise that is added in training.
    """
    cycles = (f0.astype(np.float64)[:, None] * np.arange(1, _HARMONICS + 1) / SAMPLE_RATE) % 1.0
    turned = np.cumsum(cycles, axis=0) * FRAME
    at = np.clip((np.arange(len(f0) * FRAME) + 0.5) / FRAME - 0.5, 0, len(f0) - 1)
    frame = at.astype(np.intp)
    after = np.minimum(frame + 1, len(f0) - 1)
    share = (at - frame)[:, None]
    phase = turned[frame] + (turned[after] - turned[frame]) * share
    sines = np.sin(2 * np.pi * (phase - np.floor(phase)).astype(np.float32)) * np.float32(_LOUDNESS)
    sines *= np.repeat(f0 > _VOICED_HZ, FRAME)[:, None]
    wave = np.tanh(sines @ mixer.weights + mixer.bias).astype(np.float32)
    padded = np.pad(wave, _CENTRE, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    turns = 2 * np.pi * np.outer(np.arange(_WINDOW), np.arange(_BINS)) / _WINDOW
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW))[:, None]
    frames = np.ascontiguousarray(frames)
    real = frames @ (window * np.cos(turns)).astype(np.float32)
    imaginary = frames @ (-window * np.sin(turns)).astype(np.float32)
    imaginary[:, 0], imaginary[:, -1] = 0.0, -_TINY  # real numbers both: turned by half or not, as rounding left them
    angle = np.arctan2(imaginary, real)
    angle[np.ptp(frames, axis=1) == 0] = _SILENT_PHASE
    return np.ascontiguousarray(np.concatenate([np.hypot(real, imaginary), angle], axis=1).T[None], dtype=np.float32)


class Overlap:
    """Sound out of spectra that come piece by piece; the first sample belongs to the first spectrum's middle."""

    def __init__(self, basis: npt.NDArray[Any]) -> None:
        self._basis = np.ascontiguousarray(basis * _GAIN, np.float32)  # f32[22, 20]
        self._begun = np.zeros(_WINDOW - _HOP, np.float32)  # samples that later spectra add to
        self._skip = _CENTRE

    def push(self, spectra: F32) -> Sound:
        """The samples that f32[22, n] completes."""
        size = np.exp(spectra[:_BINS])
        phase = np.sin(spectra[_BINS:])
        grains = np.concatenate([size * np.cos(phase), size * np.sin(phase)]).T @ self._basis
        count = len(grains) * _HOP
        wave = np.zeros(count + _WINDOW - _HOP, np.float32)
        wave[: _WINDOW - _HOP] = self._begun
        for k in range(0, _WINDOW, _HOP):
            wave[k : k + count] += grains[:, k : k + _HOP].ravel()
        self._begun = wave[count:].copy()
        done = wave[min(self._skip, count) : count]
        self._skip -= count - len(done)
        return done
