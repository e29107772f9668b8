"""How hibari reads a sentence: its symbols, and which word of the text each belongs to."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from npc_engine.text.words import EDGE, words

PUNCTUATION: Final = ';:,.!?—…"()“”'
"""Symbols of hibari that stand for a pause or the melody, not for a sound; the space is one between words."""

GOES_ON: Final = ", ænd ðˈɛn wi wˈɛnt."
"""What follows a clause whose sentence goes on, for the network's eyes only: without anything it lets its voice fall at
the end of whatever it is given. Before "and" it makes a pause of 40 to 230 ms to cut in; before "but" often none."""

UNSAID: Final = -2
"""The word of symbols that are not to be heard."""

_NAMES: Final = {"$": "dollars", "£": "pounds", "€": "euros", "¥": "yen", "₹": "rupees", "₩": "won", "→": "to"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence in hibari's symbols: IPA, stress marks, spaces and punctuation."""

    symbols: str
    words: tuple[int, ...]  # per symbol: index among the sentence's words, -1 for spaces and punctuation
    unsaid: bool = False  # symbols of the word UNSAID end it

    def going_on(self) -> Reading:
        """This reading as a clause of a sentence that goes on, in words that are not to be heard."""
        bare = len(self.symbols.rstrip(PUNCTUATION + " "))
        added = GOES_ON if bare == len(self.symbols) else GOES_ON[1:]
        mark = (-1,) if added is GOES_ON else ()
        return Reading(self.symbols + added, (*self.words, *mark, *[UNSAID] * (len(added) - len(mark))), unsaid=True)

    def parts(self, longest: int) -> list[Reading]:
        """Readings of at most `longest` symbols that follow one another, cut at spaces where there are any."""
        found = []
        first = 0
        while len(self.symbols) - first > longest:
            spaces = [i for i in range(first + 1, first + longest) if self.symbols[i] == " "]
            between = [i for i in spaces if self.words[i] < 0]  # the spaces inside "$20" are the last to be cut at
            cut = (between or spaces or [first + longest])[-1]
            found.append(Reading(self.symbols[first:cut], self.words[first:cut]))
            first = cut + (self.symbols[cut] == " ")
        found.append(Reading(self.symbols[first:], self.words[first:]))
        return found

    def said(self, words: Sequence[int], symbols: str) -> Reading:
        """This reading with `symbols` in the place of what it has for `words`, which follow one another.

        The symbols' own words are dealt out to `words`. Everything else stays as its neighbours made it.
        """
        first = next((i for i, w in enumerate(self.words) if w >= words[0]), len(self.words))
        last = max((i + 1 for i, w in enumerate(self.words) if 0 <= w <= words[-1]), default=first)
        last = max(first, last)
        parts = symbols.split(" ")
        owners = _dealt([1] * len(words), [1] * len(parts)) if len(parts) != len(words) else range(len(words))
        new: list[tuple[str, int]] = []
        for part, owner in zip(parts, owners, strict=True):
            new += [(" ", -1)] if new else []
            new += [(s, words[owner]) for s in part]
        gap = first == last and first > 0 and self.symbols[first - 1] != " "  # words that had no symbol of their own
        new = ([(" ", -1)] if gap else []) + _spaces_inside(new)
        own = list(zip(self.symbols, self.words, strict=True))
        whole = [*own[:first], *new, *own[last:]]
        return Reading("".join(s for s, _ in whole), tuple(w for _, w in whole))


def read(g2p: Any, vocabulary: Mapping[str, int], sentence: str, spans: Sequence[tuple[int, int]]) -> Reading:
    """How hibari's `g2p` reads `sentence`, whose words are the characters `spans`.

    hibari drops a few words that it can't read; they are spelled, and a lone "$" is read as dollars. In a heap of
    symbols it may stay open which of them a sound belongs to; then some words have no symbol of their own.
    """
    reading = _read(g2p, vocabulary, sentence, spans)
    missing = set(range(len(spans))) - set(reading.words)
    if not missing:
        return reading
    spelled = ""
    moved = []
    at = 0
    for index, (first, last) in enumerate(spans):
        word = sentence[first:last]
        spelled += sentence[at:first]
        begin = len(spelled)
        if index in missing:
            word = _NAMES.get(word) or (" ".join(word.upper()) if word.isalpha() else word)
        spelled += word
        moved.append((begin, len(spelled)))
        at = last
    return _read(g2p, vocabulary, spelled + sentence[at:], moved)


def _read(g2p: Any, vocabulary: Mapping[str, int], sentence: str, spans: Sequence[tuple[int, int]]) -> Reading:
    from hibari.g2p.normalize import normalize

    spoken: str = normalize(sentence.replace("](", "] ("))  # "[a](/b/)" is hibari's own markup; here text is only text
    spoken_words = words(spoken)
    owners = _owners([sentence[a:b] for a, b in spans], [spoken[a:b] for a, b in spoken_words])
    owner = [-1] * (len(spoken) + 1)
    for (first, last), target in zip(spoken_words, owners, strict=True):
        owner[first:last] = [target] * (last - first)

    symbols: list[tuple[str, int]] = []
    at = 0
    for token in g2p.phonemize_tokens(g2p.tokenize(spoken)):
        # The tokens with their spaces are the text, so their characters say whose they are.
        said = token.phonemes or ""
        word = next((o for o in owner[at : at + len(token.text)] if o >= 0), -1)
        symbols += [(s, -1 if s in PUNCTUATION else word) for s in said]
        at += len(token.text)
        if token.whitespace:
            symbols.append((" ", -1))
            at += 1
    kept = [(s, w) for s, w in symbols if s in vocabulary]
    while kept and kept[-1][0] == " ":
        kept.pop()
    while kept and kept[0][0] == " ":
        kept.pop(0)
    return Reading("".join(s for s, _ in kept), tuple(w for _, w in _spaces_inside(kept)))


def _spaces_inside(symbols: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The space inside a word that is read as many ("twenty dollars" for $20) belongs to it."""
    found = list(symbols)
    for i in range(1, len(found) - 1):
        if found[i][0] == " " and found[i - 1][1] == found[i + 1][1]:
            found[i] = (" ", found[i - 1][1])
    return found


def _owners(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """For each word of `new`, the index of the word of `old` that it reads; in order, -1 when `old` is empty."""
    if not old:
        return [-1] * len(new)
    found: list[int] = []
    matcher = difflib.SequenceMatcher(None, [_key(w) for w in old], [_key(w) for w in new], autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            found += range(a0, a1)
        elif kind == "insert":
            found += [max(a0 - 1, 0)] * (b1 - b0)
        elif kind == "replace":
            found += [a0 + i for i in _dealt([len(w) for w in old[a0:a1]], [len(w) for w in new[b0:b1]])]
    return found


def _key(word: str) -> str:
    return word.strip(EDGE).lower()


def _dealt(old: Sequence[int], new: Sequence[int]) -> list[int]:
    """Deal words of lengths `new` out to those of lengths `old` in proportion ("7:30 pm": "seven thirty P.M.")."""
    ends = [e / sum(old) for e in itertools.accumulate(old)]
    middles = [(e - n / 2) / sum(new) for e, n in zip(itertools.accumulate(new), new, strict=True)]
    return [next((i for i, e in enumerate(ends) if m < e), len(old) - 1) for m in middles]
