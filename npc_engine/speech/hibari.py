"""Voices designed from hibari's one: sentence by sentence, with phone and word times."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.moments import Sound
from npc_engine.speech.engine import LEAD, TAIL, Take
from npc_engine.speech.envelope import Envelope
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.hibari_model import HibariModel, Plan, Said
from npc_engine.speech.hibari_prosody import Manner
from npc_engine.speech.hibari_times import timed
from npc_engine.speech.ipa import symbols
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.timed_takes import timed_takes
from npc_engine.speech.vocoder import BEFORE, HOP, SETTLING, VOICED_HZ, Spectra, sound
from npc_engine.text.phrases import Phrase

_FIRST_PIECE: Final = 32  # frames of 12.5 ms: the first sound leaves soon; later pieces double, as they cost less
_LARGEST_PIECE: Final = 128
_LOWEST, _HIGHEST = 0.4, 2.0  # of the stretch
_SAME: Final = 0.01  # formants this near to where they shall be stay there
_RELEASE: Final = 2  # of this module's sound: part of the key of cached lines
_THROAT: Final = 1.1  # formants go with a phrase's pitch up to this factor
_FADE: Final = 240  # samples before words that shall not be heard
_NAMED: Final = 5  # characters that an error names


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a plan's sound is made into."""

    step: Fraction  # of the stretch
    f0: npt.NDArray[np.float32]  # f32[frames], before the stretch
    formants: Envelope | None  # before the stretch; None leaves them where they are


class HibariEngine:
    """hibari's voice, faster or slower, higher or lower, flatter or livelier, as `spec` says."""

    slow = False

    def __init__(self, model: HibariModel, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._spec = spec
        self._name = name
        self._formant = spec.formant or spec.pitch
        self.key = (
            f"hibari {model.release} {_RELEASE} pitch {spec.pitch} formant {self._formant} speed {spec.speed}"
            f" range {spec.range}"
        )

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
        readings = self._model.read(sentence, spans, _said(phrase)) if spans else []
        manner = Manner.of(phrase)
        # Spoken faster and stretched by resampling, which moves pitch and formants together and keeps the tempo; where
        # the formants shall be elsewhere, the envelope is corrected.
        step = ratio(min(max(self._spec.pitch * manner.pitch, _LOWEST), _HIGHEST))
        # A voice that is raised or lowered brings its throat along: formants that stay where they were cost 0.4 of
        # predicted MOS in a child's voice, a tenth higher.
        body = self._formant * min(max(manner.pitch, 1 / _THROAT), _THROAT)
        formants = _formants(body / float(step))
        speed = self._spec.speed / float(step)
        told = 0  # how many of the phrase's words are out
        at = 0
        for number, reading in enumerate(readings, 1):
            final = number == len(readings)
            until = len(spans) if final else max(told, *(w + 1 for w in reading.words))
            said = reading.going_on() if phrase.goes_on or not final else reading
            plan = self._model.plan(said, manner.speeds(said, speed))
            shape = _Shape(step, manner.melody(plan, self._spec.range), formants)
            for take in self._spoken(plan, shape, range(told, until), at, final=final):
                yield take
                at += len(take.samples)
            told = until

    def _spoken(self, plan: Plan, shape: _Shape, told: range, at: int, *, final: bool) -> Iterator[Take]:
        """One reading's speech from sample `at` of the phrase on, with the words `told`."""
        heard = timed(plan)
        begin = max(heard[0].end - int(LEAD * shape.step), 0)
        end = min(heard[-1].start + int((TAIL + 2) * shape.step), heard[-1].end)  # times round: no less than TAIL
        sounds = self._sound(plan, shape, begin, end)
        yield from timed_takes(sounds, heard, told, at, cut=(begin, end), step=shape.step, final=final)

    def _sound(self, plan: Plan, shape: _Shape, begin: int, end: int) -> Iterator[Sound]:
        """Samples [begin, end) of the plan as this voice says them, floor((end - begin) / pitch) in all."""
        first = max((begin + BEFORE - SETTLING) // HOP, 0)
        last = min(-(-(end + BEFORE) // HOP), plan.frames)
        stretch = Stretch(shape.step)
        at = first * HOP - BEFORE
        for raw in sound(_pieces(self._model, plan, shape, first, last), shape.f0, first, self._model.noise):
            if plan.reading.unsaid:
                raw = raw * np.clip((end - np.arange(at, at + len(raw), dtype=np.float32)) / _FADE, 0, 1)  # noqa: PLW2901
            new = stretch.push(raw[max(begin - at, 0) : max(end - at, 0)])
            at += len(raw)
            if at >= end:
                yield np.concatenate([new, stretch.end()])
                return
            if len(new):
                yield new


def _pieces(model: HibariModel, plan: Plan, shape: _Shape, first: int, last: int) -> Iterator[Spectra]:
    """The plan's frames [first, last), a small piece first, larger ones then."""
    size = _FIRST_PIECE
    while first < last:
        stop = min(first + size, last)
        spectra = model.spectra(plan, first, stop)
        if shape.formants is not None:
            spectra = shape.formants.moved(spectra, plan.f0[first:stop] > VOICED_HZ)
        yield spectra
        first = stop
        size = min(2 * size, _LARGEST_PIECE)


def _formants(factor: float) -> Envelope | None:
    return None if abs(factor - 1) <= _SAME else Envelope(factor)


def _said(phrase: Phrase) -> list[Said]:
    """The symbols of the runs whose phones are given; `SpeechError` for IPA that stands for no word."""
    found = []
    for run in phrase.runs:
        if run.ipa:
            words = tuple(i for i, w in enumerate(phrase.words) if run.first <= w.first < run.last)
            if not words:
                raise SpeechError(f"IPA {short(run.ipa)} stands for no word in {short(phrase.text)}")
            found.append(Said(words, symbols(run.ipa)))
    return found


def load(spec: VoiceSpec, name: str, folder: Path, models: dict[str, Any]) -> HibariEngine:  # noqa: ARG001
    """The voice that `spec` designs; the network is in `models`, or comes to stand there."""
    if "hibari" not in models:
        models["hibari"] = HibariModel()
    return HibariEngine(models["hibari"], spec, name)
