"""Loudness and pitch per tick, relative to the sound they are part of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from npc_engine.moments import SAMPLE_RATE, TICK_SAMPLES, Sound

F64 = npt.NDArray[np.float64]

FRAME = 1024  # samples that a tick's pitch is looked for in
LOWEST_HZ, HIGHEST_HZ = 70.0, 420.0


@dataclass(frozen=True)
class Prosody:
    """f64[ticks] each."""

    loud: F64  # dB over the middle of the spoken part, -12 .. 9
    high: F64  # semitones over the middle pitch divided by 4, -2 .. 2; 0 where unvoiced
    high_slow: F64  # the same, smoothed over 240 ms


def prosody(sound: Sound, ticks: int) -> Prosody:
    """Loudness and pitch of `ticks` ticks of `sound`."""
    if ticks == 0:
        return Prosody(*(np.zeros(0),) * 3)
    padded = np.pad(sound.astype(np.float64), (FRAME // 2, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[TICK_SAMPLES // 2 :: TICK_SAMPLES][:ticks]
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-8)
    spoken = level > level.max() - 30
    loud = np.clip(level - np.median(level[spoken]), -12, 9)
    pitch = _pitch(frames)
    voiced = spoken & (pitch > 0)
    if not voiced.any():
        return Prosody(loud, np.zeros(ticks), np.zeros(ticks))
    high = np.zeros(ticks)
    high[voiced] = np.clip(3 * np.log2(pitch[voiced] / np.median(pitch[voiced])), -2, 2)
    kernel = np.hanning(14)[1:-1]
    held = np.interp(np.arange(ticks), np.flatnonzero(voiced), high[voiced]) * np.convolve(
        spoken, kernel / kernel.sum(), "same"
    )
    slow = np.convolve(held, kernel / kernel.sum(), "same")[:ticks]
    return Prosody(loud, high, slow[:ticks])


def _pitch(frames: F64) -> F64:
    """Hz by autocorrelation, 0 where there is no clear period."""
    windowed = frames * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(windowed, 2 * FRAME, axis=1)) ** 2
    lags = np.fft.irfft(power, axis=1)[:, :FRAME]
    shape = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME), 2 * FRAME)) ** 2)[:FRAME]
    normal = lags / (lags[:, :1] + 1e-9) / np.maximum(shape / shape[0], 0.05)
    first, last = int(SAMPLE_RATE / HIGHEST_HZ), int(SAMPLE_RATE / LOWEST_HZ)
    best = normal[:, first:last].argmax(axis=1)
    clear = normal[np.arange(len(frames)), best + first] > 0.5
    return np.where(clear, SAMPLE_RATE / (best + first), 0.0)
