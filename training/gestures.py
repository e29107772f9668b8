"""What brows and head do with the melody of speech: accents, phrase ends, questions.

Directions after Krahmer and Swerts 2007 ("The effects of visual beats on prosodic prominence", brows and nods go with
accents) and Cavé et al. 1996 (brows rise with the pitch of questions); sizes are small, for life adds a head that is
never still.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_SAMPLES, Phone
from training.phones import SILENCE
from training.prosody import Prosody

F64 = npt.NDArray[np.float64]

PAUSE: Final = int(0.15 * SAMPLE_RATE)  # samples of silence that end a phrase
TAIL: Final = 20  # ticks before a phrase's end in which its last melody is heard: 400 ms
RISES: Final = 0.35  # quarters of an octave from the first to the second half of the tail: a question
NOD: Final = 0.020  # radians, down on an accent
END_NOD: Final = 0.016  # down where a statement ends, up where a question does


def gesture(exp: F64, said: Prosody, phones: Sequence[Phone], amount: float) -> None:
    """Add brows and head pitch to exp f64[ticks, 50]."""
    accent = np.clip(said.high_slow, 0, 2) * np.clip(1 + said.loud / 6, 0, 1.5)
    brows = 0.12 * accent
    pitch = -NOD * _smooth(np.clip(accent - 0.4, 0, 1.2), 9)
    for end in _phrase_ends(phones, len(exp)):
        first = max(end - TAIL, 0)
        rise = _rise(said.high[first:end])
        bump = _bump(len(exp), end - TAIL // 3, TAIL)
        if rise > RISES:
            brows = brows + 0.28 * min(rise, 1.0) * bump
            pitch = pitch + END_NOD * bump
        else:
            pitch = pitch - END_NOD * bump
    exp[:, CHANNEL["browInnerUp"]] = amount * np.clip(brows, 0, 0.5)
    for side in ("Left", "Right"):
        exp[:, CHANNEL["browOuterUp" + side]] = 0.65 * exp[:, CHANNEL["browInnerUp"]]
    exp[:, CHANNEL["headPitch"]] = amount * pitch


def _phrase_ends(phones: Sequence[Phone], ticks: int) -> list[int]:
    """Ticks at which a pause begins after speech."""
    return [
        min(p.start // TICK_SAMPLES, ticks)
        for before, p in pairwise(phones)
        if p.symbol == SILENCE and before.symbol != SILENCE and p.end - p.start >= PAUSE
    ]


def _rise(high: F64) -> float:
    voiced = high[high != 0]
    if len(voiced) < 6:
        return 0.0
    half = len(voiced) // 2
    return float(np.median(voiced[half:]) - np.median(voiced[:half]))


def _bump(ticks: int, centre: int, width: int) -> F64:
    away = np.minimum(np.abs(np.arange(ticks) - centre) / width, 1.0)
    bump: F64 = 0.5 + 0.5 * np.cos(np.pi * away)
    return bump


def _smooth(curve: F64, ticks: int) -> F64:
    kernel = np.hanning(ticks + 2)[1:-1]
    smooth: F64 = np.convolve(curve, kernel / kernel.sum(), "same")[: len(curve)]
    return smooth
