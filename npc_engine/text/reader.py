"""A line's text, as it comes, becomes phrases to speak."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from npc_engine.text.cleaning import Clean, clean
from npc_engine.text.phrases import Phrase, Run, WordSpan
from npc_engine.text.sentences import sentences
from npc_engine.text.words import words


class MarkupError(ValueError):
    """Broken SSML: says what came and what was expected, with line and column."""


def read(text: str, more: Iterable[str] | None = None, *, eager: bool = False) -> Iterator[Phrase]:  # noqa: ARG001
    """Yield the phrases of `text` and of what follows it, each as soon as no further text can change it.

    `eager` cuts the first clauses short, for voices that need as long as a phrase is and for text that is being
    written; without it phrases are sentences.
    """
    text += "".join(more or ())
    cleaned = clean(text)
    for first, last in sentences(cleaned.text):
        sentence = cleaned.text[first:last]
        spans = []
        for a, b in words(sentence):
            begins, ends = _range(text, cleaned, first + a, first + b)
            spans.append(WordSpan(text[begins:ends], a, b, begins, ends))
        yield Phrase(sentence, tuple(spans), (Run(0, len(sentence)),))


def _range(text: str, cleaned: Clean, first: int, last: int) -> tuple[int, int]:
    """The characters of `text` that characters [first, last) of the cleaned text came from."""
    end = cleaned.origin[last - 1] + 1
    while end < len(text) and unicodedata.category(text[end]) in {"Mn", "Me"}:
        end += 1
    return cleaned.origin[first], end
