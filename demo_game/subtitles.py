"""Subtitles that follow the words: what was said is bright, what sounds now is gold, what comes is dim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from npc_engine.moments import Word

State = Literal["said", "now", "coming"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of the line's text on a row: text[first:last]."""

    text: str
    first: int
    last: int


def wrapped(text: str, width: int, measure: Callable[[str], int]) -> list[Piece]:
    """The text in rows no wider than `width` as `measure` says; words that are wider are broken."""
    rows: list[Piece] = []
    start = end = 0  # the row so far is text[start:end]
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        stop = at
        while stop < len(text) and not text[stop].isspace():
            stop += 1
        if end > start and measure(text[start:stop]) > width:
            rows.append(Piece(text[start:end], start, end))
            start = at
        elif end == start:
            start = at
        while measure(text[start:stop]) > width and stop - start > 1:
            fits = stop - 1
            while fits - start > 1 and measure(text[start:fits]) > width:
                fits -= 1
            rows.append(Piece(text[start:fits], start, fits))
            start = fits
        at = end = stop
    if end > start:
        rows.append(Piece(text[start:end], start, end))
    return rows


def balanced(text: str, width: int, measure: Callable[[str], int]) -> list[Piece]:
    """As `wrapped`, with rows about equally long, so that no word is left alone on the last."""
    rows = wrapped(text, width, measure)
    low, high = width // 2, width
    while high - low > 8:
        middle = (low + high) // 2
        if len(wrapped(text, middle, measure)) > len(rows):
            low = middle
        else:
            high = middle
    return wrapped(text, high, measure)


def spoken(words: Sequence[Word], word: int, length: int, over: bool) -> tuple[int, int]:
    """Characters said before the word that sounds, and said with it: text[:first] is said, text[first:last] sounds.

    `length` is the text's; when the line is `over`, all of it counts as said.
    """
    if over:
        return length, length
    if not 0 <= word < len(words):
        return 0, 0
    return words[word].first, words[word].last


def pieces(row: Piece, first: int, last: int) -> list[tuple[str, State]]:
    """A row cut into what was said, what sounds and what comes."""
    cuts = ((row.first, min(first, row.last), "said"), (max(first, row.first), min(last, row.last), "now"),
            (max(last, row.first), row.last, "coming"))  # fmt: skip
    found: list[tuple[str, State]] = []
    for start, end, state in cuts:
        if end > start:
            found.append((row.text[start - row.first : end - row.first], state))  # type: ignore[arg-type]
    return found


def window(rows: Sequence[Piece], at: int, count: int) -> int:
    """The first of `count` rows to show when character `at` sounds: whole pages, so that rows do not creep."""
    current = next((i for i, row in enumerate(rows) if at < row.last), len(rows) - 1)
    return max(0, current // count * count)
