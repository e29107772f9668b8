"""Cuts a text into sentences, and sentences that are too long into clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A stop with the quotes and brackets that it closes, or a line's end.
_STOP: Final = re.compile(r"(?P<stop>[.!?…]+)[\"'”’»›)\]}]*(?=\s)|\n")
_LAST_WORD: Final = re.compile(r"[^\s\"'“”‘’«»()\[\]{}—–]+$")
_OPENERS: Final = " \t\n\"'“‘«‹([{—–-"
_CLAUSE_END: Final = re.compile(r"[,;:—–)…][\"'”’»]*(?=\s)|[—–…](?=\S)")
_SPACE: Final = re.compile(r"\s+")
_BLANK_LINE: Final = re.compile(r"[^\S\n]*\n")
_NUMBERED: Final = re.compile(r"\(?\d{1,3}$")

# fmt: off
_BEFORE_NAMES: Final = frozenset({
    "adm", "atty", "brig", "capt", "cf", "cmdr", "col", "cpl", "dr", "e.g", "fr", "ft", "gen", "gov",
    "hon", "i.e", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "msgr", "mt", "mx", "pres",
    "prof", "rep", "rev", "sen", "sgt", "sr", "st", "ste", "supt", "viz", "vs",
})
_BEFORE_NUMBERS: Final = frozenset({
    "apr", "approx", "art", "aug", "c", "ca", "ch", "dec", "est", "feb", "fig", "figs", "jan", "jul",
    "jun", "mar", "no", "nos", "nov", "oct", "p", "pp", "sec", "sep", "sept", "vol", "vols",
})
# fmt: on
LONGEST: Final = 240  # characters: about 20 s of speech; the networks of voices are made for sentences


def sentences(text: str, longest: int = LONGEST) -> Iterator[tuple[int, int]]:
    """Yield the characters [first, last) of each sentence of `text`, in order, none longer than `longest`.

    A sentence ends at a stop that is followed by space, unless the stop belongs to an abbreviation ("Dr. No"), an
    initial ("J. R. Tolkien"), a list number ("1. Take the sword") or goes on in lower case ("Well... maybe", or
    '"Stop!" he said'). A line's end is a sentence's end unless the next line goes on in lower case. Nothing but white
    space lies between sentences; the text is read as the iterator goes, so the first sentence costs the same however
    long the text is.
    """
    first = 0
    for match in _STOP.finditer(text):
        if match.start() < first:
            continue
        if _ends(text, first, match):
            yield from _clauses(text, first, match.end(), longest)
            first = match.end()
    yield from _clauses(text, first, len(text), longest)


def _ends(text: str, first: int, match: re.Match[str]) -> bool:
    following = _next_character(text, match.end())
    if following is None:
        return True
    if match.group("stop") is None:
        blank_line = _BLANK_LINE.match(text, match.end()) is not None
        return blank_line or not following.islower()
    if following.islower():
        return False
    return match.group("stop") != "." or not _shortens(text, first, match.start(), following)


def _shortens(text: str, first: int, dot: int, following: str) -> bool:
    """Whether the stop at `dot` belongs to the word before it and ends no sentence."""
    before = _LAST_WORD.search(text, max(first, dot - 40), dot)
    word = before.group() if before else ""
    initial = len(word) == 1 and word.isupper() and word != "I"
    name = word.lower() in _BEFORE_NAMES and following.isalnum()
    number = word.lower() in _BEFORE_NUMBERS and following.isdigit()
    listed = _NUMBERED.match(word) is not None and not text[first : dot - len(word)].strip()
    return initial or name or number or listed


def _next_character(text: str, at: int) -> str | None:
    """The first character from `at` on that is neither space nor an opening quote or bracket."""
    for character in text[at : at + 200]:
        if character not in _OPENERS and not character.isspace():
            return character
    return None if not text[at : at + 200].strip() else " "


def _clauses(text: str, first: int, last: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cut [first, last) where it is longer than `longest`: at clause ends, else at spaces, else anywhere.

    Of several places the one that leaves no scrap at the end is taken.
    """
    first, last = _stripped(text, first, last)
    while last - first > longest:
        wanted = first + min(longest, -(-(last - first) // 2))
        low, high = first + max(longest // 4, 1), first + longest
        ends = [m.end() for m in _CLAUSE_END.finditer(text, low - 1, high) if m.end() >= low]
        if not ends:
            ends = [m.start() for m in _SPACE.finditer(text, low, high + 1)]
        if not ends:
            ends = [m.start() for m in _SPACE.finditer(text, first + 1, low)][-1:] or [high]
        cut = min(ends, key=lambda end: abs(end - wanted))
        yield _stripped(text, first, cut)
        first, last = _stripped(text, cut, last)
    if first < last:
        yield first, last


def _stripped(text: str, first: int, last: int) -> tuple[int, int]:
    while first < last and text[first].isspace():
        first += 1
    while last > first and text[last - 1].isspace():
        last -= 1
    return first, last
