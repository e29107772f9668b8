"""When the words of a known text sound in a recording: time is warped between it and our own voice saying the same.

Dynamic time warping of spectra (Sakoe and Chiba 1978) against synthesised speech, whose word times are known, after
Malfrère and Dutoit, "High-quality speech synthesis for phonetic speech segmentation", Eurospeech 1997.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import SAMPLE_RATE, Sound

FRAME_MS: Final = 10
HOP: Final = SAMPLE_RATE * FRAME_MS // 1000  # samples from frame to frame
_WINDOW: Final = 600  # 25 ms
_BANDS: Final = 24  # from 100 Hz to 8 kHz, evenly spaced in log frequency
_FLOOR_DB: Final = 50.0  # under the loudest band: what is softer counts as silence
_SILENT_DB: Final = 35.0  # under the loudest frame

F32 = npt.NDArray[np.float32]


class Ear:
    """Collects what alignment needs to know of a stream of sound, 100 small frames a second."""

    def __init__(self) -> None:
        self._pending: Sound = np.zeros(_WINDOW // 2, np.float32)
        self._rows: list[F32] = []

    def hear(self, sound: Sound) -> None:
        """Take the next samples, 24 kHz."""
        heard = np.concatenate([self._pending, sound])
        count = (len(heard) - _WINDOW) // HOP + 1
        if count <= 0:
            self._pending = heard
            return
        framed = np.lib.stride_tricks.sliding_window_view(heard, _WINDOW)[::HOP][:count] * np.hanning(_WINDOW)
        power = np.abs(np.fft.rfft(framed, 1024, axis=1)) ** 2
        self._rows.append((power @ _filters()).astype(np.float32))
        self._pending = heard[count * HOP :]

    def frames(self) -> F32:
        """Log power in dB, f32[frames, 24]; frame k is centred at sample 240 k, 300 samples wide on either side."""
        if not self._rows:
            return np.zeros((0, _BANDS), np.float32)
        db = 10 * np.log10(np.concatenate(self._rows) + 1e-10)
        return np.maximum(db, db.max() - _FLOOR_DB).astype(np.float32)


def _filters() -> npt.NDArray[np.float64]:
    hertz = np.arange(513) * SAMPLE_RATE / 1024
    edges = np.geomspace(100, 8000, _BANDS + 2)
    rise = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    filters: npt.NDArray[np.float64] = np.clip(np.minimum(rise, fall), 0, None)
    filters[:, filters.sum(axis=0) == 0] = 1e-9
    return filters / filters.sum(axis=0)


def _features(frames: F32) -> F32:
    """Spectral shape, level and change of each frame, each of about the same weight whoever speaks."""
    speech = frames.mean(axis=1) > frames.mean(axis=1).max() - _SILENT_DB
    middle = frames[speech].mean(axis=0)
    shape = frames - middle  # what the microphone and the speaker's timbre colour goes
    level = shape.mean(axis=1, keepdims=True)
    change = np.gradient(frames, axis=0)
    return np.concatenate([(shape - level) / 10, level / 6, change / 6], axis=1).astype(np.float32)


def warp(ours: F32, theirs: F32) -> npt.NDArray[np.int64]:
    """For each frame of `ours` the frame of `theirs` that sounds the same; never goes back."""
    a, b = _features(ours), _features(theirs)
    cost = np.sqrt(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T, 0)).astype(np.float32)
    n, m = cost.shape
    # along the antidiagonals i + j = d, each of which needs only the two before it
    came = np.zeros((n, m), np.int8)
    before = np.full(n + 1, np.inf, np.float32)  # totals of antidiagonal d - 1 by i + 1
    older = np.full(n + 1, np.inf, np.float32)
    for d in range(n + m - 1):
        i = np.arange(max(0, d - m + 1), min(n, d + 1))
        j = d - i
        # a step along both costs as much as two steps along one, so that the path has no taste for corners
        ways = np.stack([older[i] + 2 * cost[i, j], before[i] + cost[i, j], before[i + 1] + cost[i, j]])
        if d == 0:
            ways[0] = cost[0, 0]
        best = ways.argmin(axis=0)
        came[i, j] = best
        now = np.full(n + 1, np.inf, np.float32)
        now[i + 1] = ways[best, np.arange(len(i))]
        older, before = before, now
    found = np.zeros(n, np.int64)
    i, j = n - 1, m - 1
    while True:
        found[i] = j
        way = came[i, j]
        if i == 0 and j == 0:
            return found
        i -= way in (0, 1)
        j -= way in (0, 2)


def voiced(frames: F32) -> npt.NDArray[np.bool_]:
    """Which frames sound, bool[frames]."""
    level = frames.mean(axis=1)
    loud: npt.NDArray[np.bool_] = level > level.max(initial=-200.0) - _SILENT_DB
    return loud


def spread(lengths: list[int], frames: F32) -> list[tuple[int, int]]:
    """Frames [start, end) of words of so many letters, laid evenly over what sounds: where nothing better is known."""
    sounding = np.flatnonzero(voiced(frames))
    if not len(sounding) or not lengths:
        return [(0, 0)] * len(lengths)
    edges = np.concatenate([[0], np.cumsum(lengths)]) / sum(lengths) * len(sounding)
    return [
        (int(sounding[min(int(a), len(sounding) - 1)]), int(sounding[min(int(b), len(sounding) - 1)]) + 1)
        for a, b in pairwise(edges)
    ]
