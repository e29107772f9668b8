"""A character's voice: a line's text is read into phrases, an engine speaks them, and out come chunks of the line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Mark, Phone, Sound, SpeechChunk, Word
from npc_engine.speech.engine import LEAD, TAIL, Engine, Take, WordTime
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.feeling import feeling
from npc_engine.speech.ipa import symbols
from npc_engine.text.cleaning import clean
from npc_engine.text.phrases import Phrase, PhraseMark, Prosody
from npc_engine.text.reader import MarkupError, is_markup, read

_KNEE: Final = np.float32(0.8)  # louder samples are bent so that none passes 1
_MS: Final = SAMPLE_RATE // 1000
_RAMP: Final = 10 * _MS  # in which the volume changes from word to word
_CLAUSE_TAIL: Final = 70 * _MS  # after a clause whose sentence goes on
_PIECE: Final = SAMPLE_RATE  # of silence in one chunk, so that a long pause can be cut
_SILENCE: Final = "sil"

Takes: TypeAlias = Callable[[Engine, Phrase], Generator[Take, None, None]]
"""How the takes of a phrase are come by: spoken, or out of a cache."""


def spoken(engine: Engine, phrase: Phrase) -> Generator[Take, None, None]:
    """The takes of a phrase, spoken by the engine."""
    return engine.speak(phrase)


class CastVoice:
    """The voice that a voice.toml describes; one object for any number of lines at once."""

    def __init__(self, engine: Engine, spec: VoiceSpec, name: str, takes: Takes = spoken) -> None:
        self.engine = engine
        self.spec = spec
        self.name = name
        self._takes = takes

    def warm(self) -> None:
        """Speak a word to nobody, so that the first line is as fast as the next."""
        for phrase in read("One."):
            for _ in self.engine.speak(phrase):
                pass

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the line's speech, phrase after phrase; closing the iterator stops the work.

        Raises `SpeechError` before the first sound for text without anything to speak, for broken markup and for
        letters that this voice can't speak; in text that is still being written, where they come.
        """
        manner = feeling(line.emotion, line.strength, line.style)
        at = 0
        for phrase in self._phrases(line):
            telling = _Telling(line, _coloured(phrase, manner), at, self.spec.gain_db, manner.pause)
            if phrase.text:
                with closing(self._takes(self.engine, telling.phrase)) as takes:
                    for take in takes:
                        yield telling.chunk(take)
            yield from telling.rest()
            at = telling.at

    def _phrases(self, line: Line) -> Iterator[Phrase]:
        eager = self.engine.slow or line.more is not None
        phrases = read(line.text, line.more, eager=eager, language=self.spec.language)
        try:
            if line.more is not None:
                yield from self._checked(phrases)
                return
            if is_markup(line.text):
                whole = list(self._checked(phrases))  # a fault in the last sentence is told before the first is heard
                said = any(phrase.words or phrase.pause_ms or phrase.marks for phrase in whole)
                phrases = iter(whole)
            else:  # the only fault that plain text can have; so that a long one need not be read before it starts
                try:
                    self.engine.check(clean(line.text).text)
                except SpeechError:
                    list(self._checked(phrases))  # says in which sentence
                    raise
                first = next(phrases, None)
                said = first is not None
                phrases = chain([] if first is None else [first], phrases)
        except MarkupError as error:
            raise SpeechError(str(error)) from error
        if not said:
            raise SpeechError(f"nothing to speak in {short(line.text)}: expected at least one letter or digit")
        yield from phrases

    def _checked(self, phrases: Iterator[Phrase]) -> Iterator[Phrase]:
        for phrase in phrases:
            self.engine.check(phrase.text)
            for run in phrase.runs:
                if run.ipa:
                    symbols(run.ipa)
            yield phrase


def _coloured(phrase: Phrase, manner: Prosody) -> Phrase:
    """The phrase with the line's manner in every run."""
    return replace(phrase, runs=tuple(replace(run, prosody=manner * run.prosody) for run in phrase.runs))


class _Telling:
    """One phrase on its way: takes in, chunks of the line out."""

    def __init__(self, line: Line, phrase: Phrase, at: int, gain_db: float, pause: float) -> None:
        self.phrase = phrase
        self.at = at  # sample of the line that comes next
        self._line = line
        self._begin = at
        self._gain_db = gain_db
        self._tail = _tail(phrase, pause)
        self._heard = 0  # samples of takes that have come
        self._held: Sound = np.zeros(0, np.float32)  # that have not left
        self._phones: list[Phone] = []
        self._gain = _gain(gain_db + (phrase.runs[0].prosody.volume_db if phrase.runs else 0.0))
        self._turned, self._former = 0, self._gain  # the sample at which the volume last changed, and from what
        self._marks: deque[PhraseMark] = deque(sorted(phrase.marks, key=lambda mark: mark.at))
        self._silence = 0  # samples owed after the phrase

    def chunk(self, take: Take) -> SpeechChunk:
        sound = safe(take.samples * self._gains(take))
        samples = np.concatenate([self._held, sound]) if len(self._held) else sound
        self._phones += take.phones
        marks = self._marked(take.words)
        begin = self.at - self._begin
        if take.last:
            stop = len(samples) - min(max(take.tail - self._tail, 0), len(samples))
            self._silence = max(self._tail - take.tail, 0)
            marks += self._all_marks(max(self._begin + self._heard + len(take.samples) - take.tail, self._begin))
        else:
            # Where the pause shall be shorter than the engine's, what might be its silence waits for what follows.
            stop = max(len(samples) - max(TAIL - self._tail, 0), 0)
            self._held = samples[stop:]
        phones = self._begun(begin + stop, last=take.last)
        chunk = SpeechChunk(
            self._line,
            self.at,
            samples[:stop],
            tuple(Phone(p.symbol, p.start + self._begin, p.end + self._begin) for p in phones),
            tuple(self._word(w) for w in take.words),
            tuple(marks),
            ends_clause=take.last,
        )
        self.at += stop
        self._heard += len(take.samples)
        return chunk

    def rest(self) -> Iterator[SpeechChunk]:
        """The silence that is owed after the phrase, and the marks of a phrase without text."""
        if not self.phrase.text:
            self._silence = (self.phrase.pause_ms or 0) * _MS
        marks = self._all_marks(self.at)
        if not self._silence and marks:
            yield SpeechChunk(self._line, self.at, np.zeros(0, np.float32), marks=tuple(marks))
        while self._silence:
            count = min(self._silence, _PIECE)
            self._silence -= count
            phones = (Phone(_SILENCE, self.at, self.at + count),)
            yield SpeechChunk(self._line, self.at, np.zeros(count, np.float32), phones, (), tuple(marks))
            marks = []
            self.at += count

    def _begun(self, stop: int, *, last: bool) -> list[Phone]:
        """The phones that begin before sample `stop` of the phrase; silence waits for its end, which may be cut."""
        if last:
            begun = [replace(p, end=min(p.end, stop)) for p in self._phones if p.start < stop]
        else:
            begun = [p for p in self._phones if p.start < stop and (p.symbol != _SILENCE or p.end <= stop)]
        self._phones = self._phones[len(begun) :]
        return begun

    def _word(self, time: WordTime) -> Word:
        word = self.phrase.words[time.index]
        return Word(word.text, self._begin + time.start, self._begin + time.end, word.begins, word.ends)

    def _marked(self, words: tuple[WordTime, ...]) -> list[Mark]:
        """The marks that stand before these words."""
        found = []
        for time in words:
            while self._marks and self._marks[0].at <= self.phrase.words[time.index].first:
                found.append(Mark(self._marks.popleft().name, self._begin + time.start))
        return found

    def _all_marks(self, at: int) -> list[Mark]:
        found = [Mark(mark.name, at) for mark in self._marks]
        self._marks.clear()
        return found

    def _gains(self, take: Take) -> npt.NDArray[np.float32] | np.float32:
        """The factor on each sample: it changes where a word of another volume begins."""
        runs = self.phrase.runs
        if all(run.prosody.volume_db == runs[0].prosody.volume_db for run in runs[1:]):
            return self._gain
        at = np.arange(self._heard, self._heard + len(take.samples), dtype=np.float32)
        gains = self._ramp(at)
        for time in take.words:
            first = self.phrase.words[time.index].first
            run = next(run for run in runs if run.first <= first < run.last)
            gain = _gain(self._gain_db + run.prosody.volume_db)
            if gain != self._gain:
                self._turned, self._former, self._gain = time.start, self._gain, gain
                later = at >= time.start
                gains[later] = self._ramp(at[later])
        return gains

    def _ramp(self, at: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The factor at samples of the phrase, from the last change of volume on."""
        share = np.clip((at - self._turned) / np.float32(_RAMP), 0, 1)
        return np.asarray(self._former + (self._gain - self._former) * share, np.float32)


def _tail(phrase: Phrase, pause: float) -> int:
    """Samples of silence that end a phrase; the lead of the next one is part of the pause."""
    if phrase.pause_ms is not None:
        return max(phrase.pause_ms * _MS - LEAD, 0)
    own = _CLAUSE_TAIL if phrase.goes_on else TAIL
    return max(round((own + LEAD) * pause) - LEAD, 0)


def _gain(db: float) -> np.float32:
    return np.float32(10 ** (db / 20))


def safe(samples: Sound) -> Sound:
    """Samples within -1..1: what is louder than 0.8 is bent towards 1, softly."""
    size = np.abs(samples)
    if size.max(initial=0) <= _KNEE:
        return samples
    bent = _KNEE + (1 - _KNEE) * np.tanh((size - _KNEE) / (1 - _KNEE))
    return np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.float32)
