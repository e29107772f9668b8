"""facegood (MIT): one Mandarin speaker with curves solved from video, mapped to exp50 at 50 Hz."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.expression.window import VISEMES
from npc_engine.moments import CHANNEL, EXP50, SAMPLE_RATE, TICK_SAMPLES, Sound
from training.sounds import read
from training.teacher import Lesson

TRAINING: Final = ("2_01", "2_02", "2_03", "2_04", "2_05")  # syllables and words
TEST: Final = ("3_15", "3_16")  # sentences
FPS: Final = 30
UNKNOWN: Final = len(VISEMES)  # there are no phones: no viseme is taught

# exp50 channel ← facegood shapes and their shares; the scale brings open vowels to about what the teacher gives them
MAPPING: Final[dict[str, dict[str, float]]] = {
    "jawOpen": {"mouth_stretch_c": 0.6, "mouth_oh_c": 0.25},
    "mouthFunnel": {f"mouth_funnel_{side}": 0.15 for side in ("ul", "ur", "dl", "dr")},
    "mouthPucker": {"mouth_oo_c": 0.8, "mouth_pucker_l": 0.4, "mouth_pucker_r": 0.4},
    "mouthRollLower": {"mouth_suck_dl": 0.5, "mouth_suck_dr": 0.5},
    "mouthRollUpper": {"mouth_suck_ul": 0.5, "mouth_suck_ur": 0.5},
    "mouthSmileLeft": {"mouth_lipCornerPull_l": 0.8},
    "mouthSmileRight": {"mouth_lipCornerPull_r": 0.8},
    "mouthStretchLeft": {"mouth_lipStretch_l": 0.8},
    "mouthStretchRight": {"mouth_lipStretch_r": 0.8},
    "mouthLowerDownLeft": {"mouth_lowerLipDepress_l": 0.7},
    "mouthLowerDownRight": {"mouth_lowerLipDepress_r": 0.7},
    "mouthUpperUpLeft": {"mouth_upperLipRaise_l": 0.7},
    "mouthUpperUpRight": {"mouth_upperLipRaise_r": 0.7},
}
TAUGHT: Final = tuple(CHANNEL[name] for name in MAPPING)


def clip(folder: Path, name: str) -> tuple[Sound, Lesson]:
    """Sound at 24 kHz and lesson of a recording."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the files were written by Python 2
        names = [str(n) for n in np.load(folder / "bs_names.npy", allow_pickle=True)]
        curves = np.load(folder / f"bs_{name}.npy")
    sound = read(folder / f"{name}.wav")
    ticks = min(len(sound) // TICK_SAMPLES, len(curves) * 50 // FPS)
    times, frames = (np.arange(ticks) + 0.5) * TICK_SAMPLES / SAMPLE_RATE, np.arange(len(curves)) / FPS
    exp = np.zeros((ticks, len(EXP50)), np.float32)
    for channel, shares in MAPPING.items():
        mixed = sum(share * curves[:, names.index(shape)] for shape, share in shares.items())
        exp[:, CHANNEL[channel]] = np.interp(times, frames, np.clip(mixed, 0, 1))
    lesson = Lesson(exp, np.full(ticks, UNKNOWN, np.uint8), np.zeros(ticks, np.bool_))
    return sound[: ticks * TICK_SAMPLES], lesson
