"""Sound as a WAV file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from npc_engine.moments import SAMPLE_RATE, Moment, Sound


def pcm16(sound: Sound) -> bytes:
    """Samples f32[n] in -1..1 as 16-bit little-endian PCM."""
    return np.round(np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


class WavWriter:
    """Writes the sound of moments as mono 16-bit PCM at 24 kHz, without keeping it in memory."""

    def __init__(self, path: Path) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed in close()
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(SAMPLE_RATE)

    def add(self, moment: Moment) -> None:
        """Append one tick of sound."""
        self._file.writeframesraw(pcm16(moment.sound))

    def close(self) -> None:
        """Write the header's length."""
        self._file.close()
