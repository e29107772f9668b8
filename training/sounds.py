"""Sound files as the engine hears them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from npc_engine.moments import SAMPLE_RATE, Sound


def read(path: Path) -> Sound:
    """A recording, one channel, at 24 kHz; what libsndfile reads."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    sound: Sound = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE).astype(np.float32)
    return sound
