"""coqui-tts as a voice: a user's own checkpoint or one of its hub's, phrase by phrase. Needs the extra `coqui`."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Generator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.cast import CastError, VoiceSpec, near
from npc_engine.moments import SAMPLE_RATE, Phone, Sound
from npc_engine.speech.coqui_model import CoquiModel, Said, Symbol, load_model
from npc_engine.speech.coqui_words import owners
from npc_engine.speech.engine import LEAD, TAIL, Take, WordTime
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.sounding import FRAME_S, powers, spread, stretches
from npc_engine.speech.stretch import Stretch
from npc_engine.text.phrases import Phrase

_SILENCE: Final = "sil"
_PAUSES: Final = frozenset(",.;:!?…—–\"'()“”«»¿¡-")
_LEADS: Final = frozenset("ˈˌ")
_LENGTHENS: Final = frozenset("ːˑʰʲ̩̃")
_LARGEST_DENOMINATOR: Final = 320  # of the resampling: 22050 Hz is exact, other pitches within 1 in 100,000
_FASTEST, _SLOWEST = 3.0, 0.3  # tempo that a model is asked for
_LATE_S: Final = 0.028  # VITS announces a boundary this much after it is heard (forced alignment of 209 phones)
_EDGE: Final = 240  # samples of a ramp where silence was cut off
_OTHER_SCRIPTS: Final = frozenset(
    ("zh", "ja", "ko", "ru", "uk", "bg", "sr", "el", "ar", "fa", "he", "hi", "bn", "ta", "te", "th", "ka", "am", "ur")
)


class CoquiEngine:
    """A coqui-tts model's voice, faster or slower, higher or lower, as `spec` says.

    Pitch moves by speaking slower and resampling, so formants move with it; it is one for a whole phrase, the mean of
    what its runs ask, as a step in the middle of a word would be heard. Tempo is each run's own in a VITS model, the
    mean in others; models without a tempo (Tacotron) keep their own. `range` has no meaning here.
    """

    slow = True

    def __init__(self, model: CoquiModel, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._spec = spec
        self._name = name
        self.key = f"coqui {model.release} speaker {spec.speaker!r} pitch {spec.pitch} speed {spec.speed}"

    def check(self, text: str) -> None:
        """Raise `SpeechError` for letters of a script that the model's language does not use."""
        if self._spec.language.split("-")[0] in _OTHER_SCRIPTS:
            return
        strange = [c for c in dict.fromkeys(text) if c.isalpha() and not unicodedata.name(c, "").startswith("LATIN")]
        strange = [c for c in strange if not self._model.knows(c) and not c.isascii()]
        if strange:
            named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in strange[:5])
            raise SpeechError(
                f"voice {self._name!r} (coqui) speaks {self._spec.language} and can't speak {named} in {short(text)}"
            )

    def speak(self, phrase: Phrase) -> Generator[Take, None, None]:
        """Yield the phrase's speech in one piece: the model draws no part of it on its own."""
        rate = _mean([(r.prosody.rate, r.last - r.first) for r in phrase.runs]) * self._spec.speed
        pitch = _mean([(r.prosody.pitch, r.last - r.first) for r in phrase.runs]) * self._spec.pitch
        step = (Fraction(pitch) * Fraction(self._model.rate, SAMPLE_RATE)).limit_denominator(_LARGEST_DENOMINATOR)
        slower = float(step) * SAMPLE_RATE / self._model.rate  # the resampling makes it shorter by this
        symbols = self._symbols(phrase, slower)
        if not any(s.text.isalnum() for s in symbols):
            raise SpeechError(f"voice {self._name!r} (coqui) finds nothing to speak in {short(phrase.text)}")
        said = self._model.say(phrase.text, symbols, _within(rate / slower), self._spec.speaker)
        yield _take(phrase, symbols, said, step, slower, has_phones=self._model.has_phones)

    def _symbols(self, phrase: Phrase, slower: float) -> list[Symbol]:
        """What the model reads for the phrase: symbols that it knows, with their words and tempo."""
        found: list[Symbol] = []
        pieces: list[tuple[int, int, str]] = []  # what is read by the model's own rules, and what markup spells
        for run in phrase.runs or ():
            if run.ipa and self._model.has_phones:
                pieces.append((run.first, run.last, run.ipa))
            elif pieces and not pieces[-1][2]:
                pieces[-1] = (pieces[-1][0], run.last, "")
            else:
                pieces.append((run.first, run.last, ""))
        for first, last, ipa in pieces or [(0, len(phrase.text), "")]:
            text = phrase.text[first:last]
            inside = [i for i, w in enumerate(phrase.words) if w.first < last and w.last > first]
            names = [phrase.text[max(w.first, first) : min(w.last, last)] for w in (phrase.words[i] for i in inside)]
            spelled = (ipa or self._model.spell(text)) if text.strip() else ""
            whose = [0 if inside else -1] * len(spelled) if ipa else owners(spelled, names, self._model.spell)
            if found and spelled and self._model.knows(" ") and found[-1].text != " ":
                found.append(Symbol(" ", -1, found[-1].rate))
            for symbol, k in zip(spelled, whose, strict=True):
                if self._model.knows(symbol):
                    word = inside[k] if k >= 0 else -1
                    found.append(Symbol(symbol, word, _within(self._rate_at(phrase, word, first) / slower)))
        while found and found[-1].text == " ":
            found.pop()
        return found

    def _rate_at(self, phrase: Phrase, word: int, otherwise: int) -> float:
        at = phrase.words[word].first if word >= 0 else otherwise
        run = next((r for r in phrase.runs if r.first <= at < r.last), None)
        return self._spec.speed * (run.prosody.rate if run else 1.0)


def _mean(values: Sequence[tuple[float, int]]) -> float:
    """The mean of factors by weight, in log."""
    total = sum(weight for _, weight in values)
    return math.exp(sum(math.log(v) * w for v, w in values) / total) if total else 1.0


def _within(rate: float) -> float:
    return min(max(rate, _SLOWEST), _FASTEST)


def _take(
    phrase: Phrase, symbols: Sequence[Symbol], said: Said, step: Fraction, slower: float, *, has_phones: bool
) -> Take:
    """The phrase at 24 kHz with its own silence at both ends, and its times."""
    stretch = Stretch(step)
    whole = np.concatenate([stretch.push(said.samples), stretch.end()])
    frame = round(SAMPLE_RATE * FRAME_S)
    loud = [(a * frame, b * frame) for a, b in stretches(powers(whole, SAMPLE_RATE))] or [(0, len(whole))]
    begin, end = loud[0][0] - LEAD, loud[-1][1] + TAIL
    samples = _framed(whole, begin, end)
    late = _LATE_S * SAMPLE_RATE / slower
    places = [min(max(round(s / float(step) - late), loud[0][0]), loud[-1][1]) - begin for s in said.starts]
    phones = _phones(symbols, places, len(samples)) if places and has_phones else ()
    if places:
        words = _words(len(phrase.words), symbols, places)
    else:
        spans = spread([max(len(w.text), 1) for w in phrase.words], [(a - begin, b - begin) for a, b in loud])
        words = [WordTime(i, a, b) for i, (a, b) in enumerate(spans)]
    return Take(samples, tuple(phones), tuple(words), last=True, tail=min(TAIL, len(samples)))


def _framed(whole: Sound, begin: int, end: int) -> Sound:
    """Samples [begin, end) of `whole`, silent beyond it, with a soft edge where some were cut off."""
    samples = whole[max(begin, 0) : max(end, 0)].copy()
    ramp = np.linspace(0, 1, min(_EDGE, len(samples)), dtype=np.float32)
    if len(ramp):
        samples[: len(ramp)] *= ramp
        samples[-len(ramp) :] *= ramp[::-1]
    before, after = max(-begin, 0), max(end - len(whole), 0)
    return np.concatenate([np.zeros(before, np.float32), samples, np.zeros(after, np.float32)])


def _phones(symbols: Sequence[Symbol], places: Sequence[int], length: int) -> list[Phone]:
    """Contiguous phones from 0 to `length`: marks belong to the phone they lead or lengthen, pauses are silence."""
    groups: list[tuple[str, int]] = [(_SILENCE, 0)]
    lead = -1  # where a stress mark or space began
    for symbol, at in zip(symbols, places, strict=False):
        text = symbol.text
        if text in _LENGTHENS and len(groups) > 1:
            continue
        if text in _LEADS or text == " ":
            lead = at if lead < 0 else lead
            continue
        name = _SILENCE if text in _PAUSES else text
        if name != _SILENCE or groups[-1][0] != _SILENCE:
            groups.append((name, at if lead < 0 else lead))
        lead = -1
    if groups[-1][0] != _SILENCE:
        groups.append((_SILENCE, places[-1]))
    starts = [min(max(at, 0), length) for _, at in groups] + [length]
    return [Phone(name, a, b) for (name, _), (a, b) in zip(groups, pairwise(starts), strict=True) if b > a]


def _words(count: int, symbols: Sequence[Symbol], places: Sequence[int]) -> list[WordTime]:
    """Every word's first and last sound; one that has none of its own has the moment after the word before it."""
    spans: dict[int, tuple[int, int]] = {}
    space = -1  # where the space before a word began: it belongs to the word's first phone
    for symbol, (start, end) in zip(symbols, pairwise(places), strict=True):
        if symbol.text == " ":
            space = start
        elif symbol.word >= 0 and symbol.text not in _PAUSES:
            spans[symbol.word] = (
                spans[symbol.word][0] if symbol.word in spans else start if space < 0 else space,
                end,
            )
            space = -1
        else:
            space = -1
    found = []
    last = places[0]
    for index in range(count):
        start, last = spans.get(index, (last, last))
        found.append(WordTime(index, start, last))
    return found


def load(spec: VoiceSpec, name: str, folder: Path, models: dict[str, Any]) -> CoquiEngine:
    """The voice that `spec` describes; the model is in `models`, or comes to stand there."""
    key = f"coqui {folder / spec.model} {folder / spec.config}"
    if key not in models:
        models[key] = load_model(spec.model, spec.config, folder)
    model: CoquiModel = models[key]
    where = folder / "voice.toml"
    if spec.speaker and spec.speaker not in model.speakers:
        known = ", ".join(model.speakers[:20]) or "none, it is the voice of one"
        raise CastError(
            f"{where}: the model has no speaker {spec.speaker!r}{near(spec.speaker, model.speakers)}; it has {known}"
        )
    if spec.speed != 1 and not model.has_tempo:
        raise CastError(f"{where}: key 'speed' is {spec.speed}, and this model has no tempo to set; expected 1")
    return CoquiEngine(model, spec, name)
