"""Voices designed from hibari's one: sentence by sentence, with phone and word times."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.moments import Phone, Sound
from npc_engine.speech.engine import LEAD, TAIL, Take, WordTime
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.hibari_model import HibariModel, Plan
from npc_engine.speech.hibari_times import SILENCE, Timed, timed
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.vocoder import BEFORE, HOP, SETTLING, VOICED_HZ, Spectra, sound
from npc_engine.text.phrases import Phrase

_FIRST_PIECE: Final = 32  # frames of 12.5 ms: the first sound leaves soon; later pieces double, as they cost less
_LARGEST_PIECE: Final = 128
_NAMED: Final = 5  # characters that an error names


class HibariEngine:
    """hibari's voice, faster or slower, higher or lower, flatter or livelier, as `spec` says."""

    slow = False

    def __init__(self, model: HibariModel, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._spec = spec
        self._name = name
        # Spoken faster and stretched by resampling, which moves pitch and formants together and keeps the tempo.
        self._step = ratio(spec.pitch)
        self._speed = spec.speed / float(self._step)
        self.key = f"hibari {model.release} pitch {spec.pitch} speed {spec.speed} range {spec.range}"

    def check(self, text: str) -> None:
        """Raise `SpeechError` for letters of a script that this voice can't speak."""
        strange = [c for c in dict.fromkeys(text) if not self._model.speaks(c)]
        if strange:
            named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in strange[:_NAMED])
            more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
            raise SpeechError(
                f"voice {self._name!r} (hibari) speaks {self._spec.language} and can't speak {named}{more}"
                f" in {short(text)}"
            )

    def speak(self, phrase: Phrase) -> Generator[Take, None, None]:
        """Yield the phrase's speech in pieces; closing the iterator stops the work."""
        sentence = self._model.spelled(phrase.text)
        spans = [(w.first, w.last) for w in phrase.words]
        readings = self._model.read(sentence, spans) if spans else []
        told = 0  # how many of the phrase's words are out
        at = 0
        for number, reading in enumerate(readings, 1):
            final = number == len(readings)
            until = len(spans) if final else max(told, *(w + 1 for w in reading.words))
            plan = self._model.plan(reading, self._speed)
            for take in self._spoken(plan, range(told, until), at, final=final):
                yield take
                at += len(take.samples)
            told = until

    def _spoken(self, plan: Plan, told: range, at: int, *, final: bool) -> Iterator[Take]:
        """One reading's speech from sample `at` of the phrase on, with the words `told`."""
        heard = timed(plan)
        begin = max(heard[0].end - int(LEAD * self._step), 0)
        end = min(heard[-1].start + int(TAIL * self._step), plan.frames * HOP)
        length = int((end - begin) / self._step)

        def when(sample: int) -> int:
            return at + min(max(round((sample - begin) / self._step), 0), length)

        phones = [Phone(t.symbol, when(t.start), when(t.end)) for t in heard]
        phones[-1] = Phone(SILENCE, phones[-1].start, at + length)
        said = _words(heard, told, when)
        start = at
        for samples in self._sound(plan, begin, end):
            stop = start + len(samples)
            ends = stop == at + length
            yield Take(
                samples,
                tuple(p for p in phones if start <= p.start < stop and p.end > p.start),
                tuple(w for w in said if start <= w.start < stop or (ends and w.start == stop)),
                last=final and ends,
                tail=stop - phones[-1].start if ends else 0,
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
                yield np.concatenate([new, stretch.end()])
                return
            if len(new):
                yield new


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


def _words(heard: list[Timed], told: range, when: Callable[[int], int]) -> list[WordTime]:
    """The words `told` with their times; one that has no sound of its own has the moment after the word before it."""
    spans: dict[int, tuple[int, int]] = {}
    for t in heard:
        if t.word >= 0:
            spans[t.word] = (spans[t.word][0] if t.word in spans else t.start, t.end)
    found = []
    end = heard[0].end
    for index in told:
        start, end = spans.get(index, (end, end))
        found.append(WordTime(index, when(start), when(end)))
    return found


def load(spec: VoiceSpec, name: str, folder: Path, models: dict[str, Any]) -> HibariEngine:  # noqa: ARG001
    """The voice that `spec` designs; the network is in `models`, or comes to stand there."""
    if "hibari" not in models:
        models["hibari"] = HibariModel()
    return HibariEngine(models["hibari"], spec, name)
