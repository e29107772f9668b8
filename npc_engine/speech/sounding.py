"""Where there is sound in a recording, and words dealt out over it when nothing better is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

FRAME_S: Final = 0.01
_QUIET_DB: Final = -38.0  # under the loudest frames: speech is above, breath and room below
_LOUDEST: Final = 95  # percentile of the frames that stands for the loudest
_FLOOR: Final = 1e-9  # power; all quieter is silence, whatever the rest is
_LONGEST_GAP: Final = 0.15  # seconds of quiet inside a word: closures of stops
_SHORTEST: Final = 0.04  # seconds; a click is no word


def powers(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Mean square of each whole 10 ms."""
    size = max(round(rate * FRAME_S), 1)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    found: npt.NDArray[np.float32] = np.mean(np.square(whole), axis=1, dtype=np.float32)
    return found


def stretches(power: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    """The frames [first, last) that sound, joined over short gaps; none where all is silent."""
    if not len(power):
        return []
    edge = max(float(np.percentile(power, _LOUDEST)) * 10 ** (_QUIET_DB / 10), _FLOOR)
    steps = np.flatnonzero(np.diff(np.concatenate([[0], (power > edge).astype(np.int8), [0]])))
    joined: list[tuple[int, int]] = []
    for first, last in steps.reshape(-1, 2).tolist():
        if joined and first - joined[-1][1] <= _LONGEST_GAP / FRAME_S:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [(a, b) for a, b in joined if b - a >= _SHORTEST / FRAME_S]


def spread(weights: Sequence[float], over: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in proportion to `weights`, one after the other over the stretches `over`; a pause parts two of them."""
    total = sum(b - a for a, b in over)
    share = total / max(sum(weights), 1e-9)
    spans = []
    done = 0.0
    for weight in weights:
        spans.append((_place(done, over), _place(done + weight * share, over, end=True)))
        done += weight * share
    return [(min(a, b), b) for a, b in spans]


def _place(at: float, over: Sequence[tuple[int, int]], *, end: bool = False) -> int:
    """Where `at` of the stretches' own time lies; at a border an end is before the pause, a start after it."""
    for first, last in over:
        size = last - first
        if at < size or (end and at <= size):
            return first + round(at)
        at -= size
    return over[-1][1] if over else 0
