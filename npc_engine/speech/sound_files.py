"""Sound files of any rate and number of channels, read as a stream of mono sound at 24 kHz."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.moments import SAMPLE_RATE, Sound
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.stretch import Stretch

FORMATS: Final = ("WAV", "FLAC", "OGG", "MP3")
RATES: Final = (8_000, 192_000)  # Hz
_BLOCK_S: Final = 0.25  # read at once: the first sound leaves soon, and an hour's file costs no more memory
_FINEST: Final = 640  # denominator of a ratio of rates; an odd rate is off by 2 parts in a million at most


class SoundStream:
    """A sound file, opened: `seconds` long; iterating reads it once, in blocks f32[n], mono, 24 kHz.

    Channels are averaged. Raises `SpeechError` that names the file: when it is opened for what is not sound, of no
    length or of an odd rate; while it is read for what is broken further on.
    """

    def __init__(self, path: Path) -> None:
        import soundfile

        self._path = path
        try:
            self._file: Any = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, OSError) as error:
            if not path.is_file():
                raise SpeechError(f"{path}: no such file") from None
            raise SpeechError(f"{path}: not a sound file that can be read, expected {_formats()} ({error})") from None
        self._rate: int = self._file.samplerate
        self.seconds = self._file.frames / self._rate if self._rate else 0.0
        fault = ""
        if self._file.format not in FORMATS and not self._file.format.startswith("WAV"):
            fault = f"a {self._file.format} file, expected {_formats()}"
        elif not RATES[0] <= self._rate <= RATES[1]:
            fault = f"has {self._rate} samples a second, expected {RATES[0]} to {RATES[1]}"
        elif not self._file.frames:
            fault = "holds no sound"
        if fault:
            self.close()
            raise SpeechError(f"{path}: {fault}")

    def __iter__(self) -> Iterator[Sound]:
        import soundfile

        stretch = Stretch(Fraction(self._rate, SAMPLE_RATE).limit_denominator(_FINEST))
        at = 0
        try:
            while True:
                block = self._file.read(round(_BLOCK_S * self._rate), dtype="float32", always_2d=True)
                if not len(block):
                    break
                mono = block.mean(axis=1, dtype=np.float32)
                odd = np.flatnonzero(~np.isfinite(mono))
                if len(odd):
                    place = (at + odd[0]) / self._rate
                    raise SpeechError(f"{self._path}: a sample at {place:.3f} s is {mono[odd[0]]}, expected a number")
                at += len(block)
                new = stretch.push(mono)
                if len(new):
                    yield new
            rest = stretch.end()
            if len(rest):
                yield rest
        except soundfile.LibsndfileError as error:
            raise SpeechError(f"{self._path}: broken after {at / self._rate:.2f} s ({error})") from None
        finally:
            self.close()
        if not at:
            raise SpeechError(f"{self._path}: holds no sound")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _formats() -> str:
    return ", ".join(FORMATS[:-1]) + f" or {FORMATS[-1]}"
