"""What a voice says when it is judged, and measures of how it sounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.commands.common import UsageError
from npc_engine.moments import SAMPLE_RATE, Line, Phone, Sound, Word

if TYPE_CHECKING:  # loading it means loading every stage, which --help need not
    from npc_engine.performance import Voice

LEVEL_LUFS: Final = -20.0
"""How loud every voice shall be."""

_OCTAVE: Final = 0.02  # of correlation

SAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "The old bridge is broken, so take the path along the river.",
        "Three silver coins for the map, and I will mark the cave for you.",
        "Stop right there! Nobody enters the castle without a letter from the king.",
        "Have you seen my cat? She is black, with one white ear.",
    ),
    "zh": (
        "前面的桥断了，请沿着河边的小路走。",
        "你从很远的地方来吧？先坐下喝杯茶。",
        "天黑以后，千万不要走进那片森林。",
        "站住！没有国王的信，谁也不能进城。",
    ),
    "ja": (
        "橋が壊れているので、川沿いの道を行ってください。",
        "遠くから来たのですか。お茶でも飲みませんか。",
        "夜になったら、あの森に入ってはいけません。",
        "止まれ！王様の手紙がない者は、城に入れないぞ。",
    ),
}
"""Sentences by language, for a short look at a voice."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line that was spoken, and what it cost."""

    text: str
    sound: Sound
    phones: tuple[Phone, ...]
    words: tuple[Word, ...]
    first_s: float  # from `speak` to the first sound
    took_s: float  # to the last

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.sound) / SAMPLE_RATE


def samples(spec: VoiceSpec) -> tuple[str, ...]:
    """What to let a voice say: sentences in its language, and of a recording its own lines."""
    if spec.lines:
        return tuple(spec.lines)
    language = spec.language.split("-")[0].lower()
    if language not in SAMPLES:
        raise UsageError(f"no sample sentences in {spec.language!r}, only in {', '.join(SAMPLES)}: say what to speak")
    return SAMPLES[language]


def speak(voice: Voice, text: str, emotion: str = "neutral") -> Spoken:
    """Speak a line and take the times."""
    began = time.perf_counter()
    chunks = []
    first = 0.0
    for chunk in voice.speak(Line("sample", "sample", text, emotion=emotion)):
        first = first or time.perf_counter() - began
        chunks.append(chunk)
    took = time.perf_counter() - began
    return Spoken(
        text,
        np.concatenate([c.samples for c in chunks] or [np.zeros(0, np.float32)]),
        tuple(p for c in chunks for p in c.phones),
        tuple(w for c in chunks for w in c.words),
        first,
        took,
    )


def loudness(sound: Sound) -> float:
    """Loudness of all of `sound` in LUFS (EBU R128, ITU-R BS.1770-4); `UsageError` where the library is missing."""
    try:
        import pyloudnorm
    except ImportError as error:
        raise UsageError(f"measuring loudness needs pyloudnorm ({error}): pip install 'npc-engine[voices]'") from None
    block = int(0.4 * SAMPLE_RATE)  # the standard's block, and the library's least
    if len(sound) < block:
        sound = np.pad(sound, (0, block - len(sound)))
    return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(sound.astype(np.float64)))


def pitches(sound: Sound) -> npt.NDArray[np.float64]:
    """Hz of each voiced frame of 60 ms, every 20 ms, 55 to 500.

    By autocorrelation with its window divided out, and Boersma's cost of an octave, as a tone repeats after two periods
    too (Boersma 1993, equations 9 and 23).
    """
    size = 1440
    if len(sound) < size:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::480].astype(np.float64)
    frames = frames[np.mean(frames**2, axis=1) > 0.05 * np.mean(sound.astype(np.float64) ** 2)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size)
    own = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 4096)) ** 2)[: size // 2]
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 4096, axis=1)) ** 2, axis=1)[:, : size // 2]
    same /= np.maximum(same[:, :1], 1e-12) * (own / own[0])
    low, high = SAMPLE_RATE // 500, SAMPLE_RATE // 55
    lags = low + np.argmax(same[:, low:high] - _OCTAVE * np.log2(np.arange(low, high)), axis=1)
    rows = np.arange(len(lags))
    before, top, after = (same[rows, lags + k] for k in (-1, 0, 1))
    bend = before - 2 * top + after
    peaks = lags + 0.5 * (before - after) / np.where(bend < 0, bend, -1)  # of the parabola through the three
    voiced: npt.NDArray[np.float64] = SAMPLE_RATE / peaks[top > 0.8]
    return voiced


def word_faults(spoken: Spoken) -> list[str]:
    """What is wrong with the times of a line's words: order, overlap, place, and sound in each."""
    faults = []
    level = np.sqrt(np.mean(spoken.sound.astype(np.float64) ** 2)) if len(spoken.sound) else 0.0
    end = 0
    for word in spoken.words:
        inside = spoken.sound[word.start : word.end].astype(np.float64)
        if not 0 <= word.start <= word.end <= len(spoken.sound):
            faults.append(f"{word.text!r} at {word.start}–{word.end} of {len(spoken.sound)} samples")
        elif word.start < end:
            faults.append(f"{word.text!r} begins before the word before it ends")
        elif not len(inside) or np.sqrt(np.mean(inside**2)) < 0.03 * level:
            faults.append(f"{word.text!r} is silent")
        end = max(end, word.end)
    if not spoken.words:
        faults.append(f"no words in {spoken.text!r}")
    return faults


def longest_silence(spoken: Spoken) -> float:
    """Seconds of the longest silence (60 dB under full scale, in frames of 10 ms) between first and last sound."""
    size = SAMPLE_RATE // 100
    frames = spoken.sound[: len(spoken.sound) // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.abs(frames).max(axis=1, initial=0.0) > 1e-3)
    return float(np.diff(loud).max(initial=1) - 1) / 100
