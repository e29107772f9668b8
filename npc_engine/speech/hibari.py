"""Voices designed from hibari's one: sentence by sentence, with phone and word times."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Phone, Sound, SpeechChunk, Word
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.hibari_model import HibariModel, Plan
from npc_engine.speech.hibari_times import SILENCE, Timed, timed
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.vocoder import BEFORE, HOP, SETTLING, VOICED_HZ, Spectra, sound
from npc_engine.text.cleaning import Clean, clean
from npc_engine.text.sentences import sentences
from npc_engine.text.words import words

_LEAD: Final = 80 * SAMPLE_RATE // 1000  # silence kept before a sentence: the mouth opens before the sound
_TAIL: Final = 170 * SAMPLE_RATE // 1000  # and after it; the two together are the pause between sentences
_FIRST_PIECE: Final = 32  # frames of 12.5 ms: the first sound leaves soon; later pieces double, as they cost less
_LARGEST_PIECE: Final = 128
_KNEE: Final = np.float32(0.8)  # louder samples are bent so that none passes 1
_NAMED: Final = 5  # characters that an error names


class HibariVoice:
    """hibari's voice, faster or slower, higher or lower, flatter or livelier, as `spec` says."""

    def __init__(self, model: HibariModel, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._spec = spec
        self._name = name
        # Spoken faster and stretched by resampling, which moves pitch and formants together and keeps the tempo.
        self._step = ratio(spec.pitch)
        self._speed = spec.speed / float(self._step)
        self._gain = np.float32(10 ** (spec.gain_db / 20))

    def warm(self) -> None:
        """Speak a word to nobody, so that the first line is as fast as the next."""
        for _ in self.speak(Line("warm", self._name, "Warm.")):
            pass

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the line's speech in pieces, sentence after sentence; closing the iterator stops the work.

        Raises `SpeechError` before the first sound for text without a letter or digit, and for letters of a script
        that this voice can't speak. Phones and words come with the piece in which they begin.
        """
        cleaned = clean(line.text)
        self._check(line.text, cleaned.text)
        at = 0
        for first, last in sentences(cleaned.text):
            sentence = self._model.spelled(cleaned.text[first:last])
            spans = words(sentence)
            ranges = [_range(line.text, cleaned, first + a, first + b) for a, b in spans]
            readings = self._model.read(sentence, spans) if spans else []
            told = 0  # how many of the sentence's words are out
            for number, reading in enumerate(readings, 1):
                until = len(spans) if number == len(readings) else max(told, *(w + 1 for w in reading.words))
                plan = self._model.plan(reading, self._speed)
                for chunk in self._spoken(line, plan, ranges, range(told, until), at):
                    at = chunk.start + len(chunk.samples)
                    yield chunk
                told = until

    def _check(self, text: str, cleaned: str) -> None:
        strange = [c for c in dict.fromkeys(cleaned) if not self._model.speaks(c)]
        if strange:
            named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in strange[:_NAMED])
            more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
            raise SpeechError(
                f"voice {self._name!r} (hibari) speaks {self._spec.language} and can't speak {named}{more}"
                f" in {_short(text)}"
            )
        if not words(cleaned):
            raise SpeechError(f"nothing to speak in {_short(text)}: expected at least one letter or digit")

    def _spoken(
        self, line: Line, plan: Plan, ranges: list[tuple[int, int]], told: range, at: int
    ) -> Iterator[SpeechChunk]:
        """One reading's speech from sample `at` of the line on, with the words `told`; word i is text[ranges[i]]."""
        heard = timed(plan)
        begin = max(heard[0].end - int(_LEAD * self._step), 0)
        end = min(heard[-1].start + int(_TAIL * self._step), plan.frames * HOP)
        length = int((end - begin) / self._step)

        def when(sample: int) -> int:
            return at + min(max(round((sample - begin) / self._step), 0), length)

        phones = [Phone(t.symbol, when(t.start), when(t.end)) for t in heard]
        phones[-1] = Phone(SILENCE, phones[-1].start, at + length)
        said = _words(line.text, heard, ranges, told, when)
        start = at
        for samples in self._sound(plan, begin, end):
            stop = start + len(samples)
            yield SpeechChunk(
                line,
                start,
                samples,
                tuple(p for p in phones if start <= p.start < stop and p.end > p.start),
                tuple(w for w in said if start <= w.start < stop),
                ends_clause=stop == at + length,
            )
            start = stop

    def _sound(self, plan: Plan, begin: int, end: int) -> Iterator[Sound]:
        """Samples [begin, end) of the plan as this voice says them, floor((end - begin) / pitch) in all."""
        first = max((begin + BEFORE - SETTLING) // HOP, 0)
        last = min(-(-(end + BEFORE) // HOP), plan.frames)
        f0 = _with_range(plan.f0, self._spec.range)
        stretch = Stretch(self._step)
        at = first * HOP - BEFORE
        for raw in sound(_pieces(self._model, plan, first, last), f0, first, self._model.noise):
            new = stretch.push(raw[max(begin - at, 0) : max(end - at, 0)])
            at += len(raw)
            if at >= end:
                yield _safe(np.concatenate([new, stretch.end()]) * self._gain)
                return
            if len(new):
                yield _safe(new * self._gain)


def _pieces(model: HibariModel, plan: Plan, first: int, last: int) -> Iterator[Spectra]:
    """The plan's frames [first, last), a small piece first, larger ones then."""
    size = _FIRST_PIECE
    while first < last:
        yield model.spectra(plan, first, min(first + size, last))
        first += size
        size = min(2 * size, _LARGEST_PIECE)


def _with_range(f0: npt.NDArray[np.float32], factor: float) -> npt.NDArray[np.float32]:
    """`f0` with its distance from its own middle, in log, times `factor`."""
    voiced = f0 > VOICED_HZ
    if factor == 1 or not voiced.any():
        return f0
    middle = np.exp(np.log(f0[voiced]).mean())
    moved = f0.copy()
    moved[voiced] = middle * (f0[voiced] / middle) ** np.float32(factor)
    return moved


def _words(
    text: str, heard: list[Timed], ranges: list[tuple[int, int]], told: range, when: Callable[[int], int]
) -> list[Word]:
    """The words `told` with their times; one that has no sound of its own has the moment after the word before it."""
    spans: dict[int, tuple[int, int]] = {}
    for t in heard:
        if t.word >= 0:
            spans[t.word] = (spans[t.word][0] if t.word in spans else t.start, t.end)
    found = []
    end = heard[0].end
    for index in told:
        start, end = spans.get(index, (end, end))
        first, last = ranges[index]
        found.append(Word(text[first:last], when(start), when(end), first, last))
    return found


def _range(text: str, cleaned: Clean, first: int, last: int) -> tuple[int, int]:
    """The characters of `text` that characters [first, last) of the cleaned text came from."""
    end = cleaned.origin[last - 1] + 1
    while end < len(text) and unicodedata.category(text[end]) in {"Mn", "Me"}:
        end += 1
    return cleaned.origin[first], end


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "…"


def _safe(samples: Sound) -> Sound:
    """Samples within -1..1: what is louder than 0.8 is bent towards 1, softly."""
    size = np.abs(samples)
    if size.max(initial=0) <= _KNEE:
        return samples
    bent = _KNEE + (1 - _KNEE) * np.tanh((size - _KNEE) / (1 - _KNEE))
    return np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.float32)
