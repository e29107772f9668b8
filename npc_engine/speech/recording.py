"""Recorded lines as a voice: an actor's sound file drives the face, with word times found by laying hibari over it."""

from __future__ import annotations

import difflib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np

from npc_engine.cast import CastError, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Mark, Phone, SpeechChunk, Word
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.recording_align import LONGEST_S, Aligner, Cepstra
from npc_engine.speech.recording_file import pieces, probe
from npc_engine.speech.sounding import FRAME_S, powers, spread, stretches
from npc_engine.speech.voice import safe
from npc_engine.text.phrases import Phrase, WordSpan
from npc_engine.text.reader import MarkupError, read

_FRAME: Final = round(SAMPLE_RATE * FRAME_S)
_KEPT: Final = 256  # recordings whose times are kept: a few kB each


@dataclass(frozen=True, slots=True)
class _Times:
    words: tuple[tuple[int, int], ...]  # samples [start, end) of each word of the text
    phones: tuple[Phone, ...]


@dataclass(frozen=True, slots=True)
class _Recorded:
    text: str  # as voice.toml has it
    path: Path


class RecordedVoice:
    """A voice whose lines are sound files; one object for any number of lines at once.

    A recording is played as it is: it is one piece, not phrases, and has its own feeling, tempo and pauses, so the
    line's emotion and style and its markup's prosody change nothing. It begins at the file's first sample.
    """

    def __init__(
        self,
        spec: VoiceSpec,
        name: str,
        lines: dict[str, _Recorded],
        aligner: Aligner | None,
        *,
        alone: Path | None = None,
        gain_db: float | None = None,
    ) -> None:
        self.spec = spec
        self.name = name
        self._lines = lines
        self._aligner = aligner
        self._alone = alone  # the one file that is played whatever the line says
        self._gain = np.float32(10 ** ((spec.gain_db if gain_db is None else gain_db) / 20))
        self._times: OrderedDict[tuple[Path, str], _Times] = OrderedDict()
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Nothing is to be prepared."""

    def prepare(self, text: str) -> None:
        """Find the words of a line now, so that it starts at once when it is spoken."""
        phrases = _phrases(text)
        self._found(self._path(text, phrases), phrases)

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the recording of the line, as it is read from its file; closing the iterator closes the file.

        The text is waited for to its end. Raises `SpeechError` for text that no file is named for, with the nearest
        that one is, and for a file that can't be played.
        """
        text = line.text + "".join(line.more or ())
        phrases = _phrases(text)
        path = self._path(text, phrases)
        times = self._found(path, phrases)
        words = [
            Word(span.text, start, end, span.begins, span.ends)
            for span, (start, end) in zip(_spans(phrases), times.words, strict=True)
        ]
        marks = _marks(phrases, words)
        at = 0
        with closing(pieces(path)) as sound:
            held = next(sound, None)
            while held is not None:
                following = next(sound, None)
                stop = at + len(held) if following is not None else np.inf
                if len(held) or following is None:
                    yield SpeechChunk(
                        line,
                        at,
                        safe(held * self._gain),
                        tuple(p for p in times.phones if at <= p.start < stop),
                        tuple(w for w in words if at <= w.start < stop),
                        tuple(m for m in marks if at <= m.start < stop),
                        ends_clause=following is None,
                    )
                at += len(held)
                held = following

    def _path(self, text: str, phrases: list[Phrase]) -> Path:
        if self._alone is not None:
            return self._alone
        key = _key(phrases)
        if key not in self._lines:
            nearest = difflib.get_close_matches(key, self._lines, n=1, cutoff=0.3)
            hint = f"; the nearest that has one is {self._lines[nearest[0]].text!r}" if nearest else ""
            raise SpeechError(f"voice {self.name!r} (recording) has no recording of {short(text)}{hint}")
        return self._lines[key].path

    def _found(self, path: Path, phrases: list[Phrase]) -> _Times:
        """When each word is said: kept from the last time, or found in a pass over the file."""
        if not any(phrase.words for phrase in phrases):
            return _Times((), ())
        key = path, _key(phrases)
        with self._lock:
            if key in self._times:
                self._times.move_to_end(key)
                return self._times[key]
        found = _times(path, phrases, self._aligner)
        with self._lock:
            self._times[key] = found
            while len(self._times) > _KEPT:
                self._times.popitem(last=False)
        return found


def _phrases(text: str) -> list[Phrase]:
    try:
        return list(read(text))
    except MarkupError as error:
        raise SpeechError(str(error)) from error


def _spans(phrases: Iterable[Phrase]) -> list[WordSpan]:
    return [word for phrase in phrases for word in phrase.words]


def _key(phrases: Iterable[Phrase]) -> str:
    """What a line is known by: its plain text, whatever its case, spaces and markup."""
    return " ".join(" ".join(phrase.text for phrase in phrases).casefold().split())


def _marks(phrases: Iterable[Phrase], words: list[Word]) -> list[Mark]:
    """Marks at the beginning of the word they stand before; after the last word, at its end."""
    found = []
    told = 0
    for phrase in phrases:
        for mark in phrase.marks:
            after = told + sum(word.first < mark.at for word in phrase.words)
            at = words[after].start if after < len(words) else words[-1].end if words else 0
            found.append(Mark(mark.name, at))
        told += len(phrase.words)
    return found


def _times(path: Path, phrases: list[Phrase], aligner: Aligner | None) -> _Times:
    """Word and phone times by alignment; words alone, spread over what sounds, where that can't be had."""
    aligned_too = aligner is not None and probe(path) <= LONGEST_S
    cepstra = Cepstra()
    power = []
    held = np.zeros(0, np.float32)
    for piece in pieces(path):
        if aligned_too:
            cepstra.push(piece)
        held = np.concatenate([held, piece])
        power.append(powers(held, SAMPLE_RATE))
        held = held[len(power[-1]) * _FRAME :]
    loud = stretches(np.concatenate(power))
    found = aligner.align(phrases, cepstra.all()) if aligner is not None and aligned_too and loud else None
    if found is not None:
        return _Times(_within([(w.start, w.end) for w in found.words], loud), found.phones)
    weights = [max(len(span.text), 1) for span in _spans(phrases)]
    over = loud or [(0, max(sum(map(len, power)), 1))]
    return _Times(tuple((a * _FRAME, b * _FRAME) for a, b in spread(weights, over)), ())


def _within(words: list[tuple[int, int]], loud: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Words without the silence at their edges: a pause that the text does not tell of is nobody's."""
    starts = np.array([a for a, _ in loud]) * _FRAME
    ends = np.array([b for _, b in loud]) * _FRAME
    found = []
    last = 0
    for start, end in words:
        k = int(np.searchsorted(ends, start, side="right"))  # the stretch that `start` is in, or the next
        begin = max(start, int(starts[k])) if k < len(starts) and starts[k] < end else start
        k = int(np.searchsorted(starts, end, side="left")) - 1  # the stretch that `end` is in, or the one before
        stop = min(end, int(ends[k])) if k >= 0 and ends[k] > begin else end
        begin = max(begin, last)
        last = max(stop, begin)
        found.append((begin, last))
    return tuple(found)


def load(spec: VoiceSpec, name: str, folder: Path, models: dict[str, Any]) -> RecordedVoice:
    """The voice whose lines `spec` names; `CastError` for a file that is missing, elsewhere or can't be played."""
    where = folder / "voice.toml"
    if not spec.lines:
        raise CastError(f'{where}: no lines; expected lines = {{ "Good evening." = "evening.ogg" }}')
    lines: dict[str, _Recorded] = {}
    for text, file in spec.lines.items():
        try:
            key = _key(_phrases(text))
            path = _inside(folder, file)
            probe(path)
        except SpeechError as error:
            raise CastError(f"{where}: lines: {short(text)}: {error}") from error
        if not key:
            raise CastError(f"{where}: lines: {short(text)} has nothing to speak: expected the words of {file}")
        if key in lines:
            raise CastError(f"{where}: lines: {short(text)} is the same line as {short(lines[key].text)}")
        lines[key] = _Recorded(text, path)
    return RecordedVoice(spec, name, lines, _aligner(spec.language, models))


def voice_over(
    path: Path, text: str = "", *, gain_db: float = 0.0, language: str = "en-US", models: dict[str, Any] | None = None
) -> RecordedVoice:
    """A voice that plays one sound file, whatever line it is given; the line's text is the transcript.

    `text`, where given, is laid over the sound now. `gain_db` levels it (`recording_level.levelling_gain`). Raises
    `SpeechError` for a file that can't be played.
    """
    probe(path)
    spec = VoiceSpec("recording", language=language)
    wanted = any(phrase.words for phrase in _phrases(text)) if text else False
    aligner = _aligner(language, models if models is not None else {}) if wanted else None
    voice = RecordedVoice(spec, path.name, {}, aligner, alone=path, gain_db=gain_db)
    if wanted:
        voice.prepare(text)
    return voice


def _aligner(language: str, models: dict[str, Any]) -> Aligner | None:
    """What lays English text over sound; None for other languages, whose sounds hibari does not have."""
    if not language.startswith("en"):
        return None
    if "hibari" not in models:
        from npc_engine.speech.hibari_model import HibariModel

        models["hibari"] = HibariModel()
    return Aligner(models["hibari"])


def _inside(folder: Path, file: str) -> Path:
    """`file` as a path in `folder`; `SpeechError` for one that leads out of it."""
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).drive or PureWindowsPath(file).is_absolute():
        raise SpeechError(f"{file!r} is an absolute path, expected a file beside voice.toml")
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SpeechError(f"{file!r} leads out of the voice's folder, expected a file beside voice.toml")
    return path
