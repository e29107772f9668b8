"""What rooms, microphones and throats do to sound, done to its mel: cheap enough to be different in every crop.

Everything happens on powers, where sounds add. Noise, level, slope and echo are those of `training.augment`; the warp
along the bands is vocal tract length perturbation (Jaitly and Hinton 2013), the dropped bands are SpecAugment's (Park
et al. 2019).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from npc_engine.expression.mel import BANDS, CENTRE, FLOOR, SPREAD

F32 = npt.NDArray[np.float32]

CLEAN: Final = 0.15  # share of crops that stay as they are
_BANDS: Final = np.linspace(-1, 1, BANDS, dtype=np.float32)


def powers(mel: F32) -> F32:
    """Band powers of log-mel rows."""
    found: F32 = np.maximum(np.exp(mel * SPREAD + CENTRE) - FLOOR, 0).astype(np.float32)
    return found


def logs(power: F32) -> F32:
    """Log-mel rows of band powers, as `npc_engine.expression.mel` gives them."""
    found: F32 = ((np.log(power + np.float32(FLOOR)) - CENTRE) / SPREAD).astype(np.float32)
    return found


def augmented(mel: F32, noise: F32, rng: np.random.Generator) -> F32:
    """Rows f32[rows, 80] of one crop as they may arrive; `noise` f32[rows, 80] are powers of any level."""
    if rng.random() < CLEAN:
        return mel
    power = powers(mel)
    if rng.random() < 0.5:
        power = _warped(power, float(np.exp(rng.uniform(-0.14, 0.14))))
    if rng.random() < 0.35:
        power = _echoing(power, rng.uniform(0.15, 0.6), rng.uniform(0.05, 0.5))
    power = power * _shelf(rng)
    if rng.random() < 0.55:
        speech = float(np.quantile(power.sum(axis=1), 0.8)) + 1e-6
        snr = 10 ** (rng.uniform(4, 32) / 10)
        power = power + noise * np.float32(speech / snr / (float(noise.sum(axis=1).mean()) + 1e-9))
    power = power * np.float32(10 ** (rng.uniform(-22, 8) / 10))
    heard = logs(power)
    if rng.random() < 0.35:
        first, width = int(rng.integers(BANDS - 10)), int(rng.integers(2, 11))
        heard[:, first : first + width] = heard[:, first : first + width].mean()
    return heard


def _warped(power: F32, factor: float) -> F32:
    at = np.minimum(np.arange(BANDS) * factor, BANDS - 1)
    low = np.minimum(at.astype(int), BANDS - 2)
    share = (at - low).astype(np.float32)
    warped: F32 = power[:, low] * (1 - share) + power[:, low + 1] * share
    return warped


def _echoing(power: F32, seconds: float, wetness: float) -> F32:
    """With a tail that falls by 60 dB in `seconds`, at `wetness` of the direct sound's power."""
    decay = 10 ** (-6 / (seconds * 100))  # a row is 10 ms
    tail = lfilter([0, 1 - decay], [1, -decay], power, axis=0)
    found: F32 = (power + wetness / (1 - wetness) * tail * 0.5).astype(np.float32)
    return found


def _shelf(rng: np.random.Generator) -> F32:
    """f32[80] gains: a slope, slow waves, and sometimes the edges of a narrow channel."""
    db = rng.normal(0, 3.5) * _BANDS
    for wave in range(1, 4):
        db = db + rng.normal(0, 2.0 / wave) * np.cos(np.pi * wave * (_BANDS + rng.uniform(0, 2)))
    if rng.random() < 0.2:
        db = db - 60 / (1 + np.exp(-(np.arange(BANDS) - rng.uniform(50, 76)) / 1.5))
    if rng.random() < 0.15:
        db = db - 40 / (1 + np.exp((np.arange(BANDS) - rng.uniform(1, 8)) / 0.8))
    found: F32 = (10 ** (db / 10)).astype(np.float32)
    return found
