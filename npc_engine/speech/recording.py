"""Recorded lines as a voice: voice-over drives the face, and its text gives the words."""

from __future__ import annotations

import difflib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from npc_engine.cast import CastError, VoiceSpec
from npc_engine.moments import Line, Sound, SpeechChunk, Word
from npc_engine.speech.alignment import F32, FRAME_MS, HOP, Ear, spread, warp
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.sound_files import SoundStream
from npc_engine.speech.voice import safe
from npc_engine.text.cleaning import clean
from npc_engine.text.words import words

Says: TypeAlias = Callable[[Line], Iterator[SpeechChunk]]
"""What speaks a line: the `speak` of a voice."""

ALIGNED_S: Final = 60.0  # the longest recording whose words are aligned; in longer ones they are spread by length
_REMEMBERED: Final = 512  # lines whose word times are kept


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded line: its text as spoken, and the file."""

    text: str
    path: Path


class RecordingVoice:
    """Plays recorded lines; `speaker` says the same texts, so that their words can be found in the recordings.

    Without a speaker (no voice of the recordings' language) words are spread over what sounds, by their length.
    """

    def __init__(self, lines: list[Recorded], spec: VoiceSpec, name: str, speaker: Callable[[], Says] | None) -> None:
        self._lines = {_heard(line.text): line for line in lines}
        self._gain = np.float32(10 ** (spec.gain_db / 20))
        self._name = name
        self._speaker = speaker
        self._words: OrderedDict[str, list[Word]] = OrderedDict()
        self._lock = threading.Lock()

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the recording of the line's text, a quarter of a second at a time, whatever its length.

        Emotion and style do not change what was recorded. Raises `SpeechError` for a text that was not recorded, with
        the nearest one that was, and for a broken file.
        """
        text = line.text + "".join(line.more or ())
        found = self._lines.get(_heard(text))
        if found is None:
            close = difflib.get_close_matches(_heard(text), self._lines, n=1)
            hint = f"; did you mean {short(self._lines[close[0]].text)}?" if close else ""
            raise SpeechError(f"voice {self._name!r} (recording) has no recording of {short(text)}{hint}")
        yield from self.play(line, found.path, text)

    def play(self, line: Line, path: Path, text: str) -> Iterator[SpeechChunk]:
        """Yield the sound of `path` with the words of `text`, which may be "" where nobody knows it."""
        pending = self._timed(path, text) if words(text) else []
        at = 0
        piece: Sound | None = None
        for following in SoundStream(path):
            if piece is not None:
                chunk = self._chunk(line, at, piece, pending, ends=False)
                pending = pending[len(chunk.words) :]
                at += len(piece)
                yield chunk
            piece = following
        if piece is not None:
            yield self._chunk(line, at, piece, pending, ends=True)

    def _chunk(self, line: Line, at: int, sound: Sound, pending: list[Word], *, ends: bool) -> SpeechChunk:
        stop = at + len(sound)
        begun = tuple(word for word in pending if ends or word.start < stop)
        return SpeechChunk(line, at, safe(sound * self._gain), (), begun, ends_clause=ends)

    def _timed(self, path: Path, text: str) -> list[Word]:
        key = f"{path}\0{path.stat().st_mtime_ns}\0{text}"
        with self._lock:
            if key in self._words:
                self._words.move_to_end(key)
                return self._words[key]
        found = timed_words(path, text, self._speaker() if self._speaker else None)
        with self._lock:
            self._words[key] = found
            if len(self._words) > _REMEMBERED:
                self._words.popitem(last=False)
        return found


def timed_words(path: Path, text: str, speaker: Says | None) -> list[Word]:
    """The words of `text` with the samples of the recording in which they sound.

    Aligned to what `speaker` says of the text (docs/voices.md has the error); spread by length without one, for
    recordings of over a minute, and where the speaker can't speak the text.
    """
    stream = SoundStream(path)
    if stream.seconds > ALIGNED_S:  # not read through before its first sound
        stream.close()
        return _spread(text, np.ones((int(stream.seconds * 1000) // FRAME_MS, 1), np.float32))
    theirs = _frames(stream)
    if speaker is None:
        return _spread(text, theirs)
    ear = Ear()
    said: list[Word] = []
    try:
        for chunk in speaker(Line("alignment", "", text)):
            ear.hear(chunk.samples)
            said += chunk.words
    except SpeechError:  # a text for eyes, or of another language
        return _spread(text, theirs)
    where = warp(ear.frames(), theirs)

    def when(sample: int) -> int:
        frame = min(sample // HOP, len(where) - 1)
        return int(where[frame]) * HOP

    return [Word(w.text, when(w.start), max(when(w.end), when(w.start)), w.first, w.last) for w in said]


def _frames(stream: SoundStream) -> F32:
    ear = Ear()
    for sound in stream:
        ear.hear(sound)
    return ear.frames()


def _spread(text: str, frames: F32) -> list[Word]:
    spans = words(text)
    return [
        Word(text[first:last], start * HOP, end * HOP, first, last)
        for (first, last), (start, end) in zip(spans, spread([b - a for a, b in spans], frames), strict=True)
    ]


def _heard(text: str) -> str:
    """What of a text tells lines apart: its words, in lower case."""
    plain = clean(text).text
    return " ".join(plain[first:last].casefold() for first, last in words(plain))


def load(spec: VoiceSpec, name: str, folder: Path, speaker: Callable[[], Says] | None = None) -> RecordingVoice:
    """The voice whose voice.toml lists `lines`, text → file beside it; `CastError` for a file that can't be played."""
    where = folder / "voice.toml"
    if not spec.lines:
        raise CastError(f'{where}: lines is missing, expected lines = {{ "What is said." = "file.ogg" }}')
    root = folder.resolve()
    lines = []
    for text, file in spec.lines.items():
        path = (folder / file).resolve()
        if not path.is_relative_to(root):
            raise CastError(f"{where}: lines: {file!r} lies outside {folder}, expected a file in it")
        if not _heard(text):
            raise CastError(f"{where}: lines: {text!r} holds no word")
        try:
            SoundStream(path).close()
        except SpeechError as error:
            raise CastError(f"{where}: lines: {error}") from None
        lines.append(Recorded(text, path))
    return RecordingVoice(lines, spec, name, speaker if spec.language.startswith("en") else None)


class VoiceOver(RecordingVoice):
    """One recording that is played for any line; `text` is what is said in it, "" where nobody knows."""

    def __init__(
        self, path: Path, text: str = "", *, gain_db: float = 0.0, speaker: Callable[[], Says] | None = None
    ) -> None:
        SoundStream(path).close()
        super().__init__([], VoiceSpec("recording", gain_db=gain_db), path.stem, speaker)
        self._path = path
        self._text = text

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the recording, a quarter of a second at a time; words are those of its text, not of the line's."""
        yield from self.play(line, self._path, self._text)
