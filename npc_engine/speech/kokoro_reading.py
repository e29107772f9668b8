"""How Kokoro reads a phrase: each stretch of it in the language of its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from npc_engine.cast import CastError
from npc_engine.speech import ipa
from npc_engine.speech.british import british
from npc_engine.speech.chinese import ChineseReader
from npc_engine.speech.errors import SpeechError, short
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.japanese import JapaneseReader
from npc_engine.speech.kokoro_model import LONGEST, VOCABULARY
from npc_engine.speech.reading import Reading
from npc_engine.text.phrases import Phrase
from npc_engine.text.words import is_cjk

_LETTER: Final = "A-Za-z\u00c0-\u024f"
_LATIN: Final = re.compile(rf"[{_LETTER}](?:[{_LETTER}0-9'’.,&+ -]*[{_LETTER}])?")
_KANA: Final = re.compile(r"[\u3041-\u30ff\u31f0-\u31ff]")
_TONES: Final = str.maketrans(dict.fromkeys("→↗↘↓", "ː"))
_NAMED: Final = 5  # characters that an error names

LANGUAGES: Final = ("en-US", "en-GB", "zh", "ja")


class Foreign(Protocol):
    """A reader of text without Latin letters."""

    def read(self, text: str, words: Sequence[tuple[int, int]]) -> Reading:
        """How `text` is read, whose words are the characters `words`."""
        ...


class KokoroReader:
    """Reads in one language, and Latin words in any."""

    def __init__(self, english: HibariModel, language: str, foreign: Foreign | None) -> None:
        self._english = english
        self._language = language
        self._foreign = foreign

    def check(self, text: str, voice: str) -> None:
        """Raise `SpeechError` for letters that are read in none of the voice's languages."""
        strange = [c for c in dict.fromkeys(text) if not self._speaks(c)]
        if strange:
            named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in strange[:_NAMED])
            more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
            raise SpeechError(
                f"voice {voice!r} (kokoro) speaks {self._language} and can't speak {named}{more} in {short(text)}"
            )

    def _speaks(self, character: str) -> bool:
        if is_cjk(character):
            if _KANA.match(character):
                return self._language == "ja"
            return self._foreign is not None
        return self._english.speaks(character)

    def read(self, phrase: Phrase) -> list[Reading]:
        """How `phrase` is read, in parts of at most 400 symbols."""
        spans = [(w.first, w.last) for w in phrase.words]
        if not spans:
            return []
        whole = (
            self._english_read(phrase.text, spans)
            if self._foreign is None
            else self._mixed(self._foreign, phrase.text, spans)
        )
        for run in phrase.runs:
            inside = tuple(i for i, (first, last) in enumerate(spans) if run.first <= first and last <= run.last)
            if run.ipa and inside:
                whole = whole.said(inside, ipa.symbols(run.ipa))
        if self._language == "en-GB":
            whole = british(whole, [phrase.text[first:last] for first, last in spans])
        return [_known(part) for part in whole.parts(LONGEST) if part.symbols.strip()]

    def _english_read(self, text: str, spans: Sequence[tuple[int, int]]) -> Reading:
        parts = self._english.read(self._english.spelled(text), spans)
        return _joined([(part, 0) for part in parts], " ")

    def _mixed(self, foreign: Foreign, text: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """Latin words by the English reader, with what stands between them (3 o'clock); the rest by the other."""
        parts: list[tuple[Reading, int]] = []
        at = 0
        for match in [*_LATIN.finditer(text), None]:
            stop = match.start() if match else len(text)
            for piece, first, last in (
                (foreign.read, at, stop),
                (self._english_read, stop, match.end() if match else stop),
            ):
                inside = [i for i, (a, b) in enumerate(spans) if first < b and a < last]
                if text[first:last].strip():
                    own = [(max(spans[i][0], first) - first, min(spans[i][1], last) - first) for i in inside]
                    parts.append((piece(text[first:last], own), inside[0] if inside else 0))
            at = match.end() if match else stop
        return _joined(parts, " ")


def heard(reading: Reading) -> Reading:
    """A reading for timing: tones belong to the vowel that they follow."""
    return Reading(reading.symbols.translate(_TONES), reading.words)


_SAME: Final = str.maketrans(
    {
        "ʝ": "j", "ʈ": "t", "ɖ": "d", "ø": "ɜ", "œ": "ɜ", "ɰ": "w", "ɳ": "n", "ɽ": "ɾ", "ʁ": "ɹ", "ç": "h", "χ": "x",
        "ɣ": "ɡ", "ʎ": "l", "c": "k", "ɟ": "ɡ", "q": "k", "S": "ʃ", "ᵝ": "u",
    }
)  # fmt: skip


def mouth_symbol(symbol: str) -> str:
    """A symbol of Kokoro as one that Audio2Exp's teacher knows; rare ones as what looks alike on the lips."""
    return symbol.translate(_SAME)


def _known(reading: Reading) -> Reading:
    """A reading without symbols that the network has never seen."""
    kept = [(s, w) for s, w in zip(reading.symbols, reading.words, strict=True) if s in VOCABULARY]
    return Reading("".join(s for s, _ in kept), tuple(w for _, w in kept))


def _joined(parts: Sequence[tuple[Reading, int]], gap: str) -> Reading:
    """Readings that follow one another as one; each with the number of its first word."""
    symbols = ""
    words: list[int] = []
    for part, first in parts:
        if symbols and part.symbols and not symbols.endswith(" ") and part.symbols[0] not in " ,.;:!?…":
            symbols, words = symbols + gap, [*words, -1]
        symbols += part.symbols
        words += [w + first if w >= 0 else -1 for w in part.words]
    return Reading(symbols, tuple(words))


def reader(english: HibariModel, language: str, voice: str) -> KokoroReader:
    """The reader for a voice.toml's `language`; `CastError` for one that Kokoro does not speak here."""
    if language not in LANGUAGES:
        raise CastError(f"voice {voice!r}: language {language!r}, Kokoro speaks {', '.join(LANGUAGES)}")
    foreign: Foreign | None = None
    if language == "zh":
        foreign = ChineseReader(voice)
    elif language == "ja":
        foreign = JapaneseReader(voice)
    return KokoroReader(english, language, foreign)
