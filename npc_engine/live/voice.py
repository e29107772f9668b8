"""A voice that says what it hears: live sound, brought to 24 kHz and cleaned where that is asked, as it comes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from npc_engine.live.denoise import DELAY, Denoiser
from npc_engine.live.resample import Resampler, delay
from npc_engine.moments import Line, Sound, SpeechChunk


def late_samples(rate: int, *, denoise: bool) -> int:
    """Samples of 24 kHz by which live sound of `rate` is late in what the line says: 0 at 24 kHz, as it is."""
    return delay(rate) + (DELAY if denoise else 0)


class LiveVoice:
    """The voice of every line of live sound."""

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the line's sound as it comes; an empty piece of it ends a clause: the mouth waits for nothing more.

        ValueError for a line without live sound, or of a rate beyond 8 to 48 kHz.
        """
        if line.live is None:
            raise ValueError(f"line {line.id!r} has no live sound")
        ear = _Ear(line)
        at = 0
        for piece in line.live:
            sound = ear.hear(piece)
            if len(sound) or not len(piece):
                yield SpeechChunk(line, at, sound, ends_clause=not len(piece))
            at += len(sound)
        if ear.heard:
            yield SpeechChunk(line, at, ear.end())


class _Ear:
    """One line's sound on its way to 24 kHz."""

    def __init__(self, line: Line) -> None:
        self.heard = False  # anything at all
        self._resampler = Resampler(line.sound_rate)
        self._denoiser = Denoiser() if line.denoise else None

    def hear(self, piece: Sound) -> Sound:
        self.heard = self.heard or len(piece) > 0
        sound = self._resampler.push(piece)
        return sound if self._denoiser is None else self._denoiser.push(sound)

    def end(self) -> Sound:
        sound = self._resampler.end()
        if self._denoiser is None:
            return sound
        return np.concatenate([self._denoiser.push(sound), self._denoiser.end()])
