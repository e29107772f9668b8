"""Collects what is to be spoken and lets it out as phrases, each as soon as nothing that follows can change it."""

from __future__ import annotations

import bisect
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, repeat
from typing import Final, NamedTuple

from npc_engine.text.cleaning import Letter
from npc_engine.text.phrases import PLAIN, Phrase, PhraseMark, Prosody, Run, WordSpan
from npc_engine.text.sentences import (
    BLANK,
    CLAUSES,
    LINE,
    LONGEST,
    LONGEST_EAGER,
    SPACE,
    STOPS,
    Verdict,
    best_cut,
    cut_at,
    judge,
    long_enough,
)
from npc_engine.text.words import is_cjk, words

_SPACES: Final = SPACE + LINE + BLANK
_STOP_MARKS: Final = frozenset(".!?…。！？")
_CLAUSE_MARKS: Final = _STOP_MARKS | frozenset(",;:)，、；：—–-")
_STOPPED: Final = re.compile(r"[.!?…。！？][\"'”’»›)\]}*_]*$")
_WIDE: Final = re.compile("[。！？；：，、]")
_ENDING: Final = frozenset(",.;:!?")
_OPENING: Final = frozenset("“([")
_PLAIN_MARKS: Final = dict(zip("。！？；：，、", ".!?;:,,", strict=True))


class Atom(NamedTuple):
    """Characters [first, last) that are one word whatever they look like, because markup says how it is spoken."""

    first: int
    last: int
    shown: str
    ipa: str


class Cutter:
    """Letters, styles, marks and pauses in; phrases out, in `ready`.

    It looks again at each letter that can decide something, so that phrases depend on the letters alone and not on how
    many came at once. What waits is bounded by the longest phrase.
    """

    def __init__(self, *, eager: bool) -> None:
        self.ready: deque[Phrase] = deque()
        self._eager = eager
        self._candidates = CLAUSES if eager else STOPS
        self._triggers = _CLAUSE_MARKS if eager else _STOP_MARKS
        self._longest = LONGEST_EAGER if eager else LONGEST
        self._text = ""  # what has not left yet; spaces are one of SPACE, LINE and BLANK
        self._letters: list[Letter] = []  # one for each of its characters
        self._gap = ""  # the space that stands before the next letter
        self._scan = 0  # nothing ends before this place
        self._open = False  # something at `_scan` may end here, what follows decides
        self._at_start = True  # a sentence begins with the text
        self._first = True  # nothing has left yet
        self._styles: list[tuple[int, Prosody]] = [(0, PLAIN)]
        self._marks: list[PhraseMark] = []
        self._atoms: list[Atom] = []
        self._after_atom = False
        self._held: list[Phrase] = []  # cut by pauses; whether their sentence goes on is told by what follows

    def put(self, letter: Letter) -> None:
        """Add a letter, a mark or a space."""
        character = letter.text
        if character.isspace():
            self._space(LINE if character == "\n" else SPACE)
            return
        if self._after_atom:
            self._after_atom = False
            self._part(character)
        self._append(letter)

    def put_words(self, text: str, at: int) -> None:
        """Add words of ASCII letters with one space between them, which stand at `at` of the text as it came."""
        for i, character in enumerate(text):
            rest = len(text) - i
            if i and not self._open and len(self._text) + rest < 2 * self._longest and not self._gap:
                # nothing in it can end anything
                self._text += text[i:]
                places = range(at + i, at + i + rest)
                self._letters += map(
                    Letter, text[i:], places, range(at + i + 1, at + i + rest + 1), text[i:], repeat("")
                )
                return
            self.put(Letter(character, at + i, at + i + 1, character, ""))

    def atom(self, text: str, shown: str, begins: int, ends: int, ipa: str = "") -> None:
        """Add `text` (clean), spoken as one word in place of `shown`, which stands at [begins, ends)."""
        self._part(text[0])
        self._join()
        first = len(self._text)
        last = first + len(text)
        self._atoms.append(Atom(first, last, shown, ipa))
        for character in text:
            self._append(Letter(character, begins, ends, "", ""))
        self._after_atom = True

    def style(self, prosody: Prosody) -> None:
        """What follows is spoken in this way."""
        at = self._here()
        if self._styles[-1][0] == at:
            self._styles.pop()
        self._styles.append((at, prosody))

    def mark(self, name: str) -> None:
        """Set a mark before what follows."""
        self._marks.append(PhraseMark(name, self._here()))

    def pause(self, ms: int) -> None:
        """What has come is a phrase with this silence after it; the sentence may go on after it."""
        self._decide(final=True)
        ended = not self._text or _STOPPED.search(self._text) is not None
        if not ms and not ended:  # no pause where none would be
            return
        if self._text or self._marks:
            self._hold(goes_on=not ended)
        elif not self._held or self._held[-1].pause_ms is not None:
            self._held.append(Phrase("", (), ()))
        self._held[-1] = replace(self._held[-1], pause_ms=ms)
        if not any(phrase.goes_on for phrase in self._held):
            self._let_held(goes_on=False)

    def boundary(self) -> None:
        """What has come is a whole sentence."""
        self._decide(final=True)
        self._let_held(goes_on=False)
        if self._text:
            self._hold(goes_on=False)

    def end(self) -> None:
        """Nothing follows."""
        self.boundary()
        self._let_held(goes_on=False)
        if self._marks:
            self.ready.append(Phrase("", (), (), tuple(replace(m, at=0) for m in self._marks)))
            self._marks = []

    def _hold(self, *, goes_on: bool) -> None:
        """Keep all there is as a phrase, until what follows tells of a pause and whether the sentence goes on."""
        self._shorten(len(self._text), self._longest + 1)
        self._held.append(self._phrase(len(self._text), goes_on=goes_on))
        self._drop(len(self._text))

    def _here(self) -> int:
        return len(self._text) + (1 if self._gap and self._text else 0)

    def _space(self, kind: str) -> None:
        if kind == LINE:
            self._gap = BLANK if self._gap in {LINE, BLANK} else LINE
        elif not self._gap:
            self._gap = SPACE

    def _part(self, following: str) -> None:
        """A space between a word that markup made and the letter beside it."""
        last = self._text[-1:]
        beside = last.isalnum() or last in _ENDING
        if last and beside and following.isalnum() and not is_cjk(last) and not is_cjk(following):
            self._space(SPACE)

    def _join(self) -> None:
        """The space before the next letter takes its place."""
        gap, self._gap = self._gap, ""
        if gap and self._text:
            at = self._letters[-1].ends
            self._text += gap
            self._letters.append(Letter(gap, at, at, "", ""))
            self._open = self._open or gap != SPACE

    def _append(self, letter: Letter) -> None:
        if self._held:
            self._let_held(goes_on=True)
        self._join()
        self._text += letter.text
        self._letters.append(letter)
        if self._open or letter.text in self._triggers:
            self._decide(final=False)
        if len(self._text) >= 2 * self._longest and self._inside(len(self._text)) is None:
            self._shorten(len(self._text), 2 * self._longest)

    def _decide(self, *, final: bool) -> None:
        """Let out what is certain to have ended."""
        while True:
            match = self._candidates.search(self._text, self._scan)
            if match is None:
                self._scan = len(self._text)
                self._open = False
                return
            end = cut_at(match)
            verdict = judge(self._text, match, final=final, at_start=self._at_start, long=self._long)
            if verdict is Verdict.WAIT:
                self._scan = match.start()
                self._open = True
                return
            if verdict is Verdict.NOTHING or self._inside(end) is not None:
                self._scan = match.end()
            elif verdict is Verdict.SENTENCE:
                self._sentence(end)
            else:
                self._clause(end)

    def _long(self, end: int) -> bool:
        return self._eager and long_enough(self._text[:end], first=self._first)

    def _inside(self, at: int) -> Atom | None:
        return next((atom for atom in self._atoms if atom.first < at < atom.last), None)

    def _sentence(self, end: int) -> None:
        rest = len(self._text) - end
        self._shorten(end, self._longest + 1)
        end = len(self._text) - rest
        self._out(self._phrase(end))
        self._drop(end)
        self._at_start = True

    def _clause(self, end: int) -> None:
        self._out(self._phrase(end, goes_on=True))
        self._drop(end)
        self._at_start = False

    def _shorten(self, end: int, least: int) -> None:
        """Cut clauses off the text's first `end` characters while they are at least `least`."""
        while end >= least:
            before = len(self._text)
            cut = best_cut(self._text, end, self._longest, lambda at: self._inside(at) is None)
            if cut >= end:
                return
            self._clause(cut)
            end -= before - len(self._text)

    def _out(self, phrase: Phrase) -> None:
        if phrase.text or phrase.marks or phrase.pause_ms:
            self._first = self._first and not phrase.words
            self.ready.append(phrase)

    def _let_held(self, *, goes_on: bool) -> None:
        for phrase in self._held:
            self._out(replace(phrase, goes_on=phrase.goes_on and goes_on))
        self._held = []

    def _drop(self, end: int) -> None:
        """Take away the first `end` characters and the space after them."""
        while end < len(self._text) and self._text[end] in _SPACES:
            end += 1
        if end == len(self._text):
            self._gap = ""
            self._after_atom = False
            self._at_start = True
        self._text = self._text[end:]
        del self._letters[:end]
        self._scan = max(self._scan - end, 0) if self._scan > end else 0
        self._open = self._open and bool(self._text)
        base = max((s for s in self._styles if s[0] <= end), default=(0, PLAIN), key=lambda s: s[0])
        self._styles = [(0, base[1]), *((at - end, style) for at, style in self._styles if at > end)]
        if not self._text:
            self._styles = [(0, self._styles[-1][1])]
        self._atoms = [Atom(a.first - end, a.last - end, a.shown, a.ipa) for a in self._atoms if a.last > end]

    def _phrase(self, end: int, *, goes_on: bool = False) -> Phrase:
        """The phrase of the text's first `end` characters; takes the marks that stand in it."""
        whole = end == len(self._text)
        following = end
        while following < len(self._text) and self._text[following] in _SPACES:
            following += 1
        marks = [m for m in self._marks if whole or m.at < following]
        self._marks = [] if whole else [replace(m, at=m.at - following) for m in self._marks if m.at >= following]
        text, places = _readable(self._text[:end])
        spans = self._words(self._text[:end])
        if not spans:
            return Phrase("", (), (), tuple(replace(m, at=0) for m in marks))
        if not isinstance(places, range):
            spans = [replace(w, first=places[w.first], last=places[w.last - 1] + 1) for w in spans]
        return Phrase(
            text,
            tuple(spans),
            self._runs(end, places),
            tuple(replace(m, at=places[min(m.at, end)]) for m in marks),
            goes_on=goes_on,
        )

    def _words(self, text: str) -> list[WordSpan]:
        spans: list[WordSpan] = []
        at = 0
        for atom in [*self._atoms, None]:
            if atom is not None and atom.first >= len(text):
                continue
            until = len(text) if atom is None else atom.first
            spans += [self._word(at + a, at + b) for a, b in words(text[at:until])]
            if atom is not None:
                a, b = self._letters[atom.first], self._letters[atom.last - 1]
                spans.append(WordSpan(atom.shown, atom.first, atom.last, a.begins, b.ends))
                at = atom.last
        return spans

    def _word(self, first: int, last: int) -> WordSpan:
        letters = self._letters[first:last]
        head = first
        while head and not self._letters[head].shown and self._letters[head - 1].begins == letters[0].begins:
            head -= 1  # the word begins with the second of the characters that one became
        shown = self._letters[head].shown + "".join(x.before + x.shown for x in letters[1:])
        return WordSpan(shown, first, last, letters[0].begins, letters[-1].ends)

    def _runs(self, end: int, places: Sequence[int]) -> tuple[Run, ...]:
        """Runs of one style and one way of being read; they cover the phrase's `end` characters."""
        atoms = [atom for atom in self._atoms if atom.ipa and atom.first < end]
        cuts = {0, end, *(at for at, _ in self._styles if at < end)}
        cuts.update(at for atom in atoms for at in (atom.first, atom.last))
        starts = [at for at, _ in self._styles]
        read = {atom.first: atom.ipa for atom in atoms}
        runs: list[Run] = []
        edges = sorted(cuts)
        for first, last in pairwise(edges):
            style = self._styles[bisect.bisect_right(starts, first) - 1][1]
            ipa = read.get(first, "")
            if runs and not ipa and not runs[-1].ipa and runs[-1].prosody == style:
                runs[-1] = replace(runs[-1], last=places[last])
            else:
                runs.append(Run(places[first], places[last], style, ipa))
        return tuple(runs)


def _readable(text: str) -> tuple[str, Sequence[int]]:
    """`text` with ASCII punctuation and plain spaces for every engine, and the new place of each character and the end.

    "，" becomes "," and a space, because in ASCII a mark without a space after it is part of a word or number.
    """
    text = text.replace(LINE, SPACE).replace(BLANK, SPACE)
    if not _WIDE.search(text):
        return text, range(len(text) + 1)
    parts: list[str] = []
    places: list[int] = []
    for i, character in enumerate(text):
        places.append(len(parts))
        plain = _PLAIN_MARKS.get(character, character)
        parts.append(plain)
        following = text[i + 1 : i + 2]
        if plain is not character and (following.isalnum() or following in _OPENING):
            before = text[i - 1 : i]
            if not (character == "：" and before.isdigit() and following.isdigit()):
                parts.append(" ")
    places.append(len(parts))
    return "".join(parts), places
