"""Plain speakable text out of text as it comes, with every character's origin kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

LONGEST_WORD: Final = 40  # letters; longer runs are spoken in parts, because spelling networks read no more
LONGEST_NUMBER: Final = 15  # digits; longer ones are read digit by digit
_MOST_REPEATS: Final = 3  # of one punctuation mark

_SAME: Final = {
    **dict.fromkeys("‐‑⁃−﹣－", "-"),
    **dict.fromkeys("‒–", "–"),
    **dict.fromkeys("―⸺⸻﹘", "—"),
    **dict.fromkeys("‘‚‛ʼ′ʹ＇`´", "'"),
    "’": "’",
    **dict.fromkeys("„‟″«»‹›「」『』《》〈〉＂", '"'),
    **dict.fromkeys("‥⋯", "…"),
    "⁄": "/",
    "№": "No. ",
    "℃": "°C",
    "℉": "°F",
    **dict.fromkeys("。．｡", "."),
    **dict.fromkeys("、，､", ","),
    **dict(zip("！？；：（）［］【】", "!?;:()[][]", strict=True)),
}
_KEPT: Final = "²³½¼¾™©®°§¶µ–—…’“”¿¡•¢£¥"  # these have a reading or a melody of their own
_LINE_ENDS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE: Final = frozenset(map(chr, [*range(0xFE00, 0xFE10), 0x20E3]))  # variation selectors, the keycap's frame
_SHAPES: Final = ((0x2190, 0x2192), (0x2193, 0x2200), (0x25A0, 0x2600), (0x27F0, 0x2800), (0x2900, 0x2980))
_ZERO_WIDTH_SPACE: Final = "\u200b"

_LONG_LETTERS: Final = re.compile(rf"[^\W\d_]{{{LONGEST_WORD + 1},}}")
_LONG_DIGITS: Final = re.compile(rf"[\d,]{{{LONGEST_NUMBER + 1},}}")


@dataclass(frozen=True, slots=True)
class Clean:
    """Text to speak; its character i comes from character `origin[i]` of the text as it came."""

    text: str
    origin: tuple[int, ...]


def clean(text: str) -> Clean:
    """`text` with what can't be heard taken out and what looks alike written alike; letters and digits never go.

    Control characters and emoji and other decoration become a space (a newline stays one), invisible format
    characters go, letters of fonts and full width become plain, accents join their letter, a mark repeated more than
    three times is cut to three. Words of more than 40 letters are cut in parts and numbers of more than 15 digits in
    digits, by spaces. What no rule covers is left for the voice to judge.
    """
    if text.isascii() and text.isprintable():
        return _cut_runs(Clean(text, tuple(range(len(text)))))
    parts: list[str] = []
    origin: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.category(text[end]) in {"Mn", "Me"}:
            end += 1
        for character in unicodedata.normalize("NFC", text[at:end]):
            piece = "" if text[at : at + 2] == "\r\n" else _plain(character)
            if len(piece) > 1 and piece[0].isdigit() and parts and parts[-1].isdigit():  # 2⅓
                piece = " " + piece
            parts.extend(piece)
            origin.extend([at] * len(piece))
        at = end
    return _cut_runs(Clean("".join(parts), tuple(origin)))


def _plain(character: str) -> str:
    """What one composed character becomes; may be empty or several characters."""
    if character in _SAME:
        return _SAME[character]
    if character in _KEPT or (character.isascii() and character.isprintable()):
        return character
    if _is_decoration(character):
        return " "
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return "\n" if character in _LINE_ENDS else " "
    if category == "Cf" or character in _INVISIBLE:
        return ""
    same = unicodedata.normalize("NFKC", character).replace("⁄", "/")  # letters of fonts, ligatures, ①, Ⅳ, ⅓
    return same if same.isascii() else character


def _is_decoration(character: str) -> bool:
    category, code = unicodedata.category(character), ord(character)
    return (
        category in {"So", "Sk", "Co", "Zs"}
        or category[0] == "P"
        or character == _ZERO_WIDTH_SPACE
        or (category == "Sm" and any(low <= code < high for low, high in _SHAPES))
        or (category == "Cn" and 0x1F000 <= code < 0x1FB00)  # emoji newer than this Python
    )


def _cut_runs(clean_text: Clean) -> Clean:
    """Spaces inside runs that are too long to be read, and repeats of a mark cut short."""
    text = clean_text.text
    breaks: set[int] = set()
    for match in _LONG_LETTERS.finditer(text):
        breaks.update(range(match.start() + LONGEST_WORD, match.end(), LONGEST_WORD))
    for match in _LONG_DIGITS.finditer(text):
        if sum(c.isdigit() for c in match.group()) > LONGEST_NUMBER:
            breaks.update(range(match.start() + 1, match.end()))
    parts: list[str] = []
    origin: list[int] = []
    repeats = 0
    for i, character in enumerate(text):
        repeats = repeats + 1 if i and character == text[i - 1] else 1
        if repeats > _MOST_REPEATS and not (character.isalnum() or character.isspace()):
            continue
        if i in breaks:
            parts.append(" ")
            origin.append(clean_text.origin[i])
        parts.append(character)
        origin.append(clean_text.origin[i])
    return Clean("".join(parts), tuple(origin))
