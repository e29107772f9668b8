"""How a phrase's prosody reaches hibari's network and vocoder: a speed for every symbol, a melody for every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.hibari_model import Plan
from npc_engine.speech.reading import PUNCTUATION, Reading
from npc_engine.speech.vocoder import VOICED_HZ
from npc_engine.text.phrases import PLAIN, Phrase, Prosody

F32 = npt.NDArray[np.float32]

_SLOWEST: Final = 0.3
_FASTEST: Final = 4.0  # a symbol lasts 25 ms at least: little becomes shorter beyond this
_EARLY: Final = 4  # frames: what a symbol's frames sound like is heard 50 ms before them (hibari_times)
_BLEND: Final = 5  # frames in which the melody of one run becomes that of the next


@dataclass(frozen=True, slots=True)
class Manner:
    """The prosody of each word of a phrase, and the pitch that they have in common."""

    words: tuple[Prosody, ...]
    pitch: float  # geometric mean over the phrase: moved by resampling, which costs no naturalness

    @staticmethod
    def of(phrase: Phrase) -> Manner:
        """What `phrase` asks for; a word is spoken as the run says in which it begins."""
        words = [
            next((r.prosody for r in phrase.runs if r.first <= word.first < r.last), PLAIN) for word in phrase.words
        ]
        if not words:
            return Manner((), 1.0)
        if all(prosody.pitch == words[0].pitch for prosody in words):
            return Manner(tuple(words), words[0].pitch)
        weights = [word.last - word.first for word in phrase.words]
        logs = [weight * math.log(prosody.pitch) for weight, prosody in zip(weights, words, strict=True)]
        return Manner(tuple(words), math.exp(sum(logs) / sum(weights)))

    def speeds(self, reading: Reading, speed: float) -> F32:
        """The speed of each symbol of a reading and of its two pads, f32[symbols + 2]; `speed` is the voice's own."""
        found = []
        for symbol, prosody in zip(reading.symbols, self._symbols(reading), strict=True):
            pause = prosody.pause if symbol in PUNCTUATION else 1.0
            found.append(speed * prosody.rate / pause)
        return np.clip(np.array([speed, *found, speed], np.float32), _SLOWEST, _FASTEST)

    def melody(self, plan: Plan, spread: float) -> F32:
        """f0 of each frame as it is spoken, f32[frames]; `spread` is the voice's own factor on the pitch's range."""
        prosodies = self._symbols(plan.reading)
        pitch = [p.pitch / self.pitch for p in prosodies]
        spreads = [spread * p.range for p in prosodies]
        if not prosodies or (set(pitch) == {1.0} and set(spreads) == {1.0}):
            return plan.f0
        voiced = plan.f0 > VOICED_HZ
        if not voiced.any():
            return plan.f0
        middle = np.median(np.log(plan.f0[voiced]))  # which stays where it is, whatever the range
        frames = np.rint(plan.durations * 2).astype(int)
        factors = _eased(np.log(_framewise(pitch, frames, plan.frames)))
        widths = _eased(_framewise(spreads, frames, plan.frames))
        offsets = np.zeros_like(plan.f0)
        offsets[voiced] = np.log(plan.f0[voiced]) - middle
        moved = plan.f0.copy()
        moved[voiced] = np.exp(middle + offsets[voiced] * widths[voiced] + factors[voiced])
        moved[voiced] = np.maximum(moved[voiced], VOICED_HZ + 1)  # what is voiced stays voiced
        return moved

    def _symbols(self, reading: Reading) -> list[Prosody]:
        """The prosody of each symbol; spaces and punctuation go with the word before them."""
        last = next((self.words[w] for w in reading.words if w >= 0), PLAIN)
        found = []
        for word in reading.words:
            last = self.words[word] if word >= 0 else last
            found.append(last)
        return found


def _framewise(values: list[float], frames: npt.NDArray[np.int_], count: int) -> F32:
    """Values of symbols as values of frames, when they are heard."""
    of_symbols = np.array([values[0], *values, values[-1]], np.float32)
    spread = np.repeat(of_symbols, frames)[_EARLY:]
    return np.pad(spread, (0, max(count - len(spread), 0)), mode="edge")[:count]


def _eased(values: F32) -> F32:
    if (values == values[0]).all():
        return values
    padded = np.pad(values, _BLEND // 2, mode="edge")
    return np.convolve(padded, np.full(_BLEND, 1 / _BLEND, np.float32), mode="valid").astype(np.float32)
