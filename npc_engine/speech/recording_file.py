"""Sound files as a stream: WAV, FLAC, OGG and MP3 of any rate come out as mono pieces at 24 kHz."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.moments import SAMPLE_RATE, Sound
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.stretch import Stretch

PIECE_S: Final = 0.25
_RATES: Final = (4_000, 400_000)
_MOST_CHANNELS: Final = 8
_LARGEST_DENOMINATOR: Final = 320  # exact for 8, 11.025, 16, 22.05, 32, 44.1, 48, 96 and 192 kHz; others within 1e-5
_FORMATS: Final = "expected a WAV, FLAC, OGG or MP3 file"


def probe(path: Path) -> float:
    """A sound file's length in seconds as its header tells; `SpeechError` naming the file if it can't be played."""
    with _opened(path) as file:
        return float(file.frames / file.samplerate)


def pieces(path: Path) -> Generator[Sound, None, None]:
    """The file's sound, mixed down to mono at 24 kHz, a quarter of a second at a time; closing it closes the file.

    Raises `SpeechError` naming the file, and the place where one is cut off or holds what is no sound.
    """
    with _opened(path) as file:
        rate, promised = file.samplerate, file.frames
        stretch = Stretch(Fraction(rate, SAMPLE_RATE).limit_denominator(_LARGEST_DENOMINATOR))
        count = 0
        while True:
            block = _read(file, round(rate * PIECE_S), path, count / rate)
            if not len(block):
                break
            if not np.isfinite(block).all():
                at = count + int(np.argmin(np.isfinite(block).all(axis=1)))
                raise SpeechError(f"{path}: the sample at {at / rate:.3f} s is no finite number")
            count += len(block)
            yield stretch.push(block.mean(axis=1, dtype=np.float32))
        # an MP3's length is an estimate, and its last frame may be short
        if count < promised - max(rate // 10, 4096):
            raise SpeechError(
                f"{path}: cut off after {count / rate:.2f} s, its header promised {promised / rate:.2f} s"
            )
        yield stretch.end()


def _read(file: Any, count: int, path: Path, at: float) -> Sound:
    import soundfile

    try:
        block: Sound = file.read(count, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SpeechError(f"{path}: broken at {at:.2f} s: {error}") from error
    return block


def _opened(path: Path) -> Any:
    import soundfile

    if not path.is_file():
        raise SpeechError(f"{path}: no such file")
    try:
        file = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, TypeError) as error:  # a .raw file asks for its rate
        raise SpeechError(f"{path}: can't be read as sound ({error}); {_FORMATS}") from error
    fault = ""
    if not _RATES[0] <= file.samplerate <= _RATES[1]:
        fault = f"a rate of {file.samplerate} Hz, expected {_RATES[0]} to {_RATES[1]}"
    elif file.channels > _MOST_CHANNELS:
        fault = f"{file.channels} channels, expected at most {_MOST_CHANNELS}: mix it down first"
    elif file.frames <= 0:
        fault = "no sample in it"
    elif promised := _promised(file):
        fault = f"cut off: its header promises {promised[0]} bytes of sound, {promised[1]} are there"
    if fault:
        file.close()
        raise SpeechError(f"{path}: {fault}")
    # soundfile seeks to where it is after each read, and libsndfile's MP3 decoder then loses what the next frame needs
    file.seekable = _never
    return file


def _never() -> bool:
    return False


def _promised(file: Any) -> tuple[int, int] | None:
    """What a WAV's header says of its sound and what is there, in bytes, where the file ends early.

    libsndfile plays what is left and tells only in its log: "data : 96000 (should be 1234)".
    """
    if file.format not in {"WAV", "WAVEX", "RF64"}:
        return None
    for line in str(file.extra_info).splitlines():
        name, _, told = line.partition(":")
        first, found, second = told.partition("(should be")
        if name.strip() != "data" or not found:
            continue
        try:
            promised, there = int(first.strip(), 0), int(second.strip(" )"), 0)
        except ValueError:
            return None
        streamed = promised >= 0xFFFF_0000 or promised == 0  # written to a pipe, where the length was not known
        return (promised, there) if there < promised and not streamed else None
    return None
