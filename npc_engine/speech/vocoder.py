"""Spectra to sound, piece by piece: the formula of hibari.dsp with its state kept from piece to piece.

    S = exp(lh) e^(i pi tanh(theta)) STFT(pulses(f0)) + exp(ln) Z + exp(lr) e^(i phi)

then an inverse STFT of 1200 samples, hop 300, Hann. One difference: Z is a fixed table instead of fresh random
numbers, which cost a third of the time; the same text gives the same samples whatever was spoken before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.fourier import spectra
from npc_engine.moments import SAMPLE_RATE, Sound

HOP: Final = 300  # samples from frame to frame, at 24 kHz
N_FFT: Final = 1200
BINS: Final = N_FFT // 2 + 1
BEFORE: Final = N_FFT // 2
"""A stretch of frames sounds from this many samples before its first frame's time on."""
SETTLING: Final = N_FFT - HOP
"""Samples until all windows that reach a sample are there, and the sound is whole."""
VOICED_HZ: Final = 40.0  # f0 above this is voiced
_HIGHEST_HZ = 11_000.0  # harmonics reach up to here
_LARGEST_LOG = 7.0

_WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)
_OVERLAP_GAIN = np.float32(1 / 1.5)  # four squared Hann windows, a quarter apart, sum to 1.5
_PULSE_WINDOW = _WINDOW / np.float32(N_FFT / 4)  # a harmonic of amplitude 1 has magnitude 1

NOISE_FRAMES: Final = 512  # 6.4 s until the noise repeats


@dataclass(frozen=True, slots=True)
class Spectra:
    """Frames of sound, f32[601, frames] each: harmonics, noise, and a part with its own phase; magnitudes are logs."""

    harmonic: npt.NDArray[np.float32]
    angle: npt.NDArray[np.float32]
    noise: npt.NDArray[np.float32]
    free: npt.NDArray[np.float32]
    phase: npt.NDArray[np.float32]


def noise_table() -> npt.NDArray[np.complex64]:
    """Complex normal noise, complex64[601, 512]: always the same."""
    noise = np.random.default_rng(24_000).standard_normal((BINS, 2 * NOISE_FRAMES), dtype=np.float32)
    return noise.view(np.complex64)


def sound(
    pieces: Iterable[Spectra], f0: npt.NDArray[np.float32], first: int, noise: npt.NDArray[np.complex64]
) -> Iterator[Sound]:
    """Yield the sound of each of `pieces`, which follow one another from frame `first` on.

    `f0` is f32[frames] of the whole sentence in Hz. The sound starts at sample `300 first - BEFORE` and is whole
    `SETTLING` samples later; a piece gives 300 samples a frame, and what rings on comes last.
    """
    quarters = N_FFT // HOP
    tail = np.zeros((quarters - 1, HOP), np.float32)  # what finished frames add to the samples after them
    pulses = _Pulses(f0, first * HOP - BEFORE)
    frame = first
    for piece in pieces:
        count = piece.harmonic.shape[1]
        rustle = noise[:, np.arange(frame, frame + count) % NOISE_FRAMES]
        spectrum = _spectrum(piece, pulses.frames(frame, count), rustle)
        waves = np.fft.irfft(spectrum.T, n=N_FFT, axis=1).astype(np.float32, copy=False)
        waves *= _WINDOW
        blocks = waves.reshape(count, quarters, HOP)
        out = np.zeros((count + quarters - 1, HOP), np.float32)
        out[: quarters - 1] = tail
        for k in range(quarters):
            out[k : k + count] += blocks[:, k]
        tail = out[count:].copy()
        frame += count
        yield out[:count].reshape(-1) * _OVERLAP_GAIN
    yield tail.reshape(-1) * _OVERLAP_GAIN


def _spectrum(
    piece: Spectra, pulses: npt.NDArray[np.complex64], noise: npt.NDArray[np.complex64]
) -> npt.NDArray[np.complex64]:
    turned = np.empty(pulses.shape, np.complex64)
    angle = np.tanh(piece.angle)
    angle *= np.pi
    np.cos(angle, out=turned.real)
    np.sin(angle, out=turned.imag)
    turned *= _magnitude(piece.harmonic)
    spectrum = pulses * turned
    spectrum += noise * _magnitude(piece.noise)
    np.cos(piece.phase, out=turned.real)
    np.sin(piece.phase, out=turned.imag)
    turned *= _magnitude(piece.free)
    spectrum += turned
    return spectrum


def _magnitude(log: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    magnitude: npt.NDArray[np.float32] = np.exp(np.minimum(log, _LARGEST_LOG))
    return magnitude


class _Pulses:
    """A band-limited pulse train that follows f0; all harmonics under 11 kHz with amplitude 1."""

    def __init__(self, f0: npt.NDArray[np.float32], start: int) -> None:
        self._f0 = f0
        self._centres = np.arange(len(f0)) * HOP + (HOP - 1) / 2
        self._samples = np.zeros(0, np.float32)
        self._start = start  # of _samples
        self._turns = 0.0  # phase at the end of _samples, in turns

    def frames(self, first: int, count: int) -> npt.NDArray[np.complex64]:
        """Spectra of frames [first, first + count), complex64[601, count]; call in order."""
        begin = first * HOP - BEFORE
        end = (first + count - 1) * HOP + BEFORE
        self._samples = np.concatenate([self._samples[begin - self._start :], self._next(end)])
        self._start = begin
        windows = np.lib.stride_tricks.sliding_window_view(self._samples, N_FFT)[::HOP]
        return np.ascontiguousarray(spectra(windows * _PULSE_WINDOW).T)

    def _next(self, end: int) -> Sound:
        """The samples from where we are to `end`."""
        at = self._start + len(self._samples)
        f0 = np.interp(np.arange(at, end), self._centres, self._f0)
        voiced = f0 > VOICED_HZ
        np.maximum(f0, VOICED_HZ, out=f0)
        turns = self._turns + np.cumsum(f0) / SAMPLE_RATE
        self._turns = float(turns[-1] % 1.0) if len(turns) else self._turns
        half = (np.pi * (turns % 1.0)).astype(np.float32)
        # sum over h = 1..H of cos(h t) = sin((H + 1/2) t) / (2 sin(t / 2)) - 1/2
        highest = np.floor(_HIGHEST_HZ / f0).astype(np.float32) + np.float32(0.5)
        below = 2 * np.sin(half)
        peak = np.abs(below) <= 2e-3
        below[peak] = 1
        wave = np.sin(2 * highest * half) / below
        wave[peak] = highest[peak]
        wave -= np.float32(0.5)
        wave[~voiced] = 0
        return np.asarray(wave, np.float32)
