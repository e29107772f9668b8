"""What a speech engine does for a voice: phrases in, sound with phone and word times out."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, Protocol

from npc_engine.moments import SAMPLE_RATE, Phone, Sound
from npc_engine.text.phrases import Phrase

LEAD: Final = 80 * SAMPLE_RATE // 1000
"""Samples of silence that every engine leaves before a phrase: the mouth opens before the sound."""

TAIL: Final = 170 * SAMPLE_RATE // 1000
"""Samples of silence that it leaves after one; the two together are the pause between sentences."""


@dataclass(frozen=True, slots=True)
class WordTime:
    """Word `index` of the phrase sounds in samples [start, end) of the phrase."""

    index: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Take:
    """A stretch of a phrase's speech; takes follow one another without a gap, times count from the phrase's begin."""

    samples: Sound
    phones: tuple[Phone, ...]  # that begin in it
    words: tuple[WordTime, ...]  # that begin in it
    last: bool  # the phrase is complete
    tail: int = 0  # samples of silence at the end of the last take, so that another pause can take its place


class Engine(Protocol):
    """One voice of a speech engine; safe to use from several threads at once, each phrase on its own.

    The same phrase gives the same samples, whatever was spoken before and on whatever thread.
    """

    slow: bool
    """Sound starts in proportion to the phrase's length: the reader cuts the first clauses short."""

    key: str
    """Names everything that shapes the sound but the phrase: engine and its release, weights, design."""

    def check(self, text: str) -> None:
        """Raise `SpeechError` where `text` (cleaned, any part of a line) can't be spoken by this voice."""
        ...

    def speak(self, phrase: Phrase) -> Generator[Take, None, None]:
        """Yield a phrase's speech as it is made, as the phrase's prosody asks; closing the iterator stops the work.

        Samples are at the engine's own level: gain, loudness and pauses between phrases are the caller's. Raises
        `SpeechError`.
        """
        ...
