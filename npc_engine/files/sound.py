"""Sound as a WAV file."""

from __future__ import annotations

import wave
from pathlib import Path

from npc_engine.moments import SAMPLE_RATE, Moment
from npc_engine.wire.codec import pack_sound


class WavWriter:
    """Writes the sound of moments as mono 16-bit PCM at 24 kHz, without keeping it in memory."""

    def __init__(self, path: Path) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed in close()
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(SAMPLE_RATE)

    def add(self, moment: Moment) -> None:
        """Append one tick of sound."""
        self._file.writeframesraw(pack_sound(moment.sound))

    def close(self) -> None:
        """Write the header's length."""
        self._file.close()
