"""Which word of the text each symbol of hibari's reading belongs to."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Sequence
from typing import Any

_WORD = re.compile(r"(?:(?!\.\.)[^\s—–…])+")
_SPOKEN = re.compile(r"[^\W_]|[$£€¥₹₩%&@+=<>~#*^°¢§¶±×÷©]")
_EDGE = "\"'“”‘’«»()[]{}<>*_~.,;:!?¿¡-"


def words(text: str) -> list[tuple[int, int]]:
    """The characters [first, last) of each word of `text`: what stands between spaces and dashes, less quotes and stops.

    A piece that has neither letter, digit nor a symbol that is read out is no word.
    """
    spans = []
    for match in _WORD.finditer(text):
        piece = match.group()
        if not _SPOKEN.search(piece):
            continue
        bare = piece.strip(_EDGE)
        if bare:
            first = match.start() + piece.index(bare)
            spans.append((first, first + len(bare)))
        else:
            spans.append(match.span())
    return spans


def word_of_each_character(g2p: Any, sentence: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[int]]:
    """hibari's symbols for `sentence`, and for each the index of its word in `spans` (-1: between words)."""
    from hibari.g2p.normalize import normalize

    spoken = normalize(sentence.replace("](", "] ("))  # "[a](/b/)" is hibari's own markup; here text is only text
    tokens = g2p.phonemize_tokens(g2p.tokenize(spoken))
    targets = _matched([sentence[a:b] for a, b in spans], [spoken[a:b] for a, b in words(spoken)])
    owner = [-1] * (len(spoken) + 1)
    for (first, last), target in zip(words(spoken), targets, strict=True):
        owner[first:last] = [target] * (last - first)
    symbols: list[str] = []
    owners: list[int] = []
    at = 0
    for token in tokens:
        end = at + len(token.text)
        owned = next((o for o in owner[at:end] if o >= 0), -1)
        said = token.phonemes or ""
        symbols += said
        owners += [owned if s not in ';:,.!?—…"()“”' else -1 for s in said]
        at = end
        if token.whitespace:
            symbols.append(" ")
            owners.append(-1)
            at += 1
    return "".join(symbols), owners


def _key(word: str) -> str:
    return word.strip(_EDGE).lower()


def _matched(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """For each word of `new` the index of the word of `old` that it reads; in order."""
    found: list[int] = []
    matcher = difflib.SequenceMatcher(None, [_key(w) for w in old], [_key(w) for w in new], autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            found += range(a0, a1)
        elif kind == "insert":
            found += [max(a0 - 1, 0)] * (b1 - b0)
        else:
            found += [a0 + i for i in _shares([len(w) for w in old[a0:a1]], [len(w) for w in new[b0:b1]])]
    return found


def _shares(old: Sequence[int], new: Sequence[int]) -> list[int]:
    """Deal lengths `new` out to lengths `old` in proportion: "7:30 pm" and "seven thirty P.M." """
    ends = [e / sum(old) for e in itertools.accumulate(old)]
    middles = [(e - n / 2) / sum(new) for e, n in zip(itertools.accumulate(new), new, strict=True)]
    return [next((i for i, e in enumerate(ends) if m < e), len(old) - 1) for m in middles]
