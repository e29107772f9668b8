"""What a voice is given to speak: phrases of plain text with the prosody, phones and marks that markup asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prosody:
    """How text is spoken, as factors on the voice's own way; two of them multiply."""

    rate: float = 1.0  # 1.2 talks a fifth faster
    pitch: float = 1.0  # factor on f0
    range: float = 1.0  # factor on how far f0 moves from its middle, in log
    volume_db: float = 0.0
    pause: float = 1.0  # factor on pauses

    def __mul__(self, other: Prosody) -> Prosody:
        return Prosody(
            self.rate * other.rate,
            self.pitch * other.pitch,
            self.range * other.range,
            self.volume_db + other.volume_db,
            self.pause * other.pause,
        )


PLAIN = Prosody()


@dataclass(frozen=True, slots=True)
class Run:
    """Characters [first, last) of a phrase that are spoken in one way."""

    first: int
    last: int
    prosody: Prosody = PLAIN
    ipa: str = ""  # said in place of the characters; "" reads them


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A word: characters [first, last) of the phrase, [begins, ends) of the line's text as it came (markup counts)."""

    text: str  # as it stands in the line's text, without markup
    first: int
    last: int
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class PhraseMark:
    """A mark that stands before character `at` of the phrase; at its length, after it."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence or clause to speak in one breath; one without text is a pause, or a place for marks.

    Text has at least one word. Its punctuation is ASCII, with “, ”, ’, … and dashes, in every language: "。" and "，"
    come as "." and ",", with a space where more follows, because hibari reads nothing else and the readers of Chinese
    and Japanese make the same of them. A run with phones is one word; other runs may begin and end inside a word.
    """

    text: str  # plain and speakable (text/cleaning.py); spaces are single
    words: tuple[WordSpan, ...]
    runs: tuple[Run, ...]  # one after the other, they cover the text
    marks: tuple[PhraseMark, ...] = ()
    pause_ms: int | None = None  # silence after it; None is the voice's own
    goes_on: bool = False  # a clause whose sentence goes on: the voice does not fall, the pause is short
