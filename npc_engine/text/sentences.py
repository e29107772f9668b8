"""Where a sentence ends, where a clause ends, and where it is too early to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from npc_engine.text.words import is_cjk

SPACE: Final = " "
LINE: Final = "\n"  # the line ended here
BLANK: Final = "\f"  # an empty line stood here
_SPACES: Final = SPACE + LINE + BLANK

_CLOSERS: Final = r"""["'”’»›)\]}*_]*"""
_STOP: Final = rf"(?P<stop>[.!?…。！？]+)(?P<closers>{_CLOSERS})|(?P<line>[\n\f])"
_CLAUSE: Final = rf"(?P<clause>[,;:)，、；：]|—+){_CLOSERS}|(?<=[ \n])(?P<dash>[–-]+)"
STOPS: Final = re.compile(_STOP)
CLAUSES: Final = re.compile(f"{_STOP}|{_CLAUSE}")
"""Where a sentence may end, and where a clause may; `judge` decides."""

_LAST_WORD: Final = re.compile(r"[^\s\"'“”‘’«»()\[\]{}—–]+$")
_NEXT_WORD: Final = re.compile(r"[^\W\d_]*")
_OPENERS: Final = " \n\f\"'“‘«‹([{—–-*_"
_MOST_OPENERS: Final = 8  # before a sentence's first letter
_NUMBERED: Final = re.compile(r"\(?\d{1,3}$")
_DOTTED: Final = re.compile(r"(?:[A-Z]\.)+[A-Z]$|Ph\.D$")

# fmt: off
_BEFORE_NAMES: Final = frozenset({
    "a.k.a", "adm", "atty", "brig", "capt", "cf", "cmdr", "col", "cpl", "dr", "e.g", "fr", "ft", "gen", "gov",
    "hon", "i.e", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "msgr", "mt", "mx", "pres",
    "prof", "rep", "rev", "sen", "sgt", "sr", "st", "ste", "supt", "viz", "vs",
})
_BEFORE_NUMBERS: Final = frozenset({
    "apr", "approx", "art", "aug", "c", "ca", "ch", "dec", "est", "feb", "fig", "figs", "jan", "jul",
    "jun", "mar", "no", "nos", "nov", "oct", "p", "pp", "sec", "sep", "sept", "vol", "vols",
})
_AFTER_NAMES: Final = frozenset({"bros", "co", "corp", "inc", "jr", "ltd"})
_HOURS: Final = frozenset({"a.m", "p.m"})
_AFTER_HOURS: Final = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "eastern", "central",
    "pacific", "est", "cst", "pst", "gmt", "utc", "cet",
})
_STARTERS: Final = frozenset({  # words that begin a sentence and no name
    "and", "are", "but", "did", "do", "he", "her", "his", "how", "if", "is", "it", "its", "my", "our", "she",
    "that", "the", "their", "then", "there", "these", "they", "this", "those", "was", "we", "were", "what", "when",
    "where", "who", "why", "you", "your",
})
# fmt: on
_LONGEST_KNOWN: Final = 12  # letters of a word that is looked up after a stop

LONGEST: Final = 240  # characters: about 20 s of speech; the networks of voices are made for sentences
LONGEST_EAGER: Final = 120
_CUT: Final = re.compile(r"[,;:—–)…][\"'”’»]*(?=\s)|[—…](?=\S)|[，、；：。！？][”’]*")
_GAP: Final = re.compile(r"\s")


class Verdict(Enum):
    """What stands at a place where something may end."""

    WAIT = "what follows decides"
    NOTHING = "the clause goes on"
    CLAUSE = "a clause ends and its sentence goes on"
    SENTENCE = "a sentence ends"


def judge(text: str, match: re.Match[str], *, final: bool, at_start: bool, long: Callable[[int], bool]) -> Verdict:
    """What ends at `match` of STOPS or CLAUSES in `text`; its spaces are SPACE, LINE and BLANK, one at a time.

    A sentence ends at a stop that is followed by space, unless the stop belongs to an abbreviation ("Dr. No", "the
    U.S. Army"), an initial ("J. R. Tolkien"), a list number ("1. Take the sword") or goes on in lower case ("Well...
    maybe", or '"Stop!" he said'). A line's end is a sentence's end unless the next line goes on in lower case. Stops of
    Chinese and Japanese need no space, but a quote that ends inside a sentence (“走吧！”他说。) does not end it. A
    clause ends at a comma, semicolon, colon or bracket that is followed by space, at a dash and at an ellipsis, when
    `long` says that it is long enough up to there.

    `final`: no text follows. `at_start`: the text begins with a sentence. More text never changes an answer but WAIT.
    """
    end = match.end()
    if end == len(text):
        return Verdict.NOTHING if final else Verdict.WAIT
    if match["line"]:
        verdict = _at_line_end(text, match, final=final)
    elif match["stop"]:
        verdict = _at_stop(text, match, final=final, at_start=at_start)
    else:
        verdict = _at_clause(text, match)
    return Verdict.NOTHING if verdict is Verdict.CLAUSE and not long(end) else verdict


def _at_line_end(text: str, match: re.Match[str], *, final: bool) -> Verdict:
    if match["line"] == BLANK:
        return Verdict.SENTENCE
    following, _ = _following(text, match.end(), final=final)
    if not following:
        return Verdict.WAIT
    return Verdict.NOTHING if following.islower() else Verdict.SENTENCE


def _at_stop(  # noqa: PLR0911 (a rule each)
    text: str, match: re.Match[str], *, final: bool, at_start: bool
) -> Verdict:
    stop = match["stop"]
    before = text[match.start() - 1] if match.start() else ""
    after = text[match.end()]
    wide = any(c in "。！？" for c in stop) or (is_cjk(before) and (stop != "." or is_cjk(after)))
    if after == BLANK:
        return Verdict.SENTENCE
    if after not in _SPACES:
        if wide:
            return _at_wide_stop(match, after)
        trails = "…" in stop or ".." in stop
        return Verdict.CLAUSE if trails and before.isalnum() and after.isalpha() else Verdict.NOTHING
    following, at = _following(text, match.end(), final=final)
    if not following:
        return Verdict.WAIT
    if following.islower():
        return Verdict.NOTHING if stop == "." else Verdict.CLAUSE
    if following in ".!?…,;:":
        return Verdict.NOTHING
    if stop == "." and not match["closers"] and not wide:
        return _at_dot(text, match.start(), at, final=final, at_start=at_start)
    return Verdict.SENTENCE


def _at_wide_stop(match: re.Match[str], after: str) -> Verdict:
    """A stop without a space after it, in Chinese or Japanese."""
    stop = match["stop"]
    quoted = bool(match["closers"]) and cut_at(match) == match.end() and any(c in "”’\"'" for c in match["closers"])
    if quoted and (after.isalnum() or after in "，、,"):
        return Verdict.CLAUSE
    trails = ("…" in stop or ".." in stop) and not any(c in "!?。！？" for c in stop)
    return Verdict.CLAUSE if trails else Verdict.SENTENCE


def cut_at(match: re.Match[str]) -> int:
    """The end of what ends at `match`: a straight quote without a space after it may open what follows."""
    text, end = match.string, match.end()
    if match["line"]:
        return match.start()
    if match["closers"] and text[end - 1] == '"' and end < len(text) and text[end] not in _SPACES:
        return end if text.count('"', 0, end) % 2 == 0 else end - 1
    return end


def _at_dot(  # noqa: PLR0911 (a rule each)
    text: str, dot: int, at: int, *, final: bool, at_start: bool
) -> Verdict:
    """A single "." that is followed by space and, at `at`, by something that may begin a sentence."""
    found = _LAST_WORD.search(text, max(0, dot - 40), dot)
    word = found.group() if found else ""
    low = word.lower()
    following = text[at : at + 1]
    if low in _BEFORE_NAMES and following.isalnum():
        return Verdict.NOTHING
    if low in _BEFORE_NUMBERS and following.isdigit():
        return Verdict.NOTHING
    if at_start and _NUMBERED.match(word) and dot == len(word):
        return Verdict.NOTHING
    initial = (len(word) == 1 and word.isupper() and word != "I") or _DOTTED.match(word) is not None
    if not (initial or low in _HOURS or low in _AFTER_NAMES) or not following.isalpha():
        return Verdict.NOTHING if initial and len(word) == 1 else Verdict.SENTENCE
    match = _NEXT_WORD.match(text, at, at + _LONGEST_KNOWN)
    end = match.end() if match else at
    if end == len(text) and end < at + _LONGEST_KNOWN and not final:
        return Verdict.WAIT
    after = text[at:end].lower()
    if low in _HOURS:
        return Verdict.NOTHING if after in _AFTER_HOURS else Verdict.SENTENCE
    return Verdict.SENTENCE if after in _STARTERS else Verdict.NOTHING


def _at_clause(text: str, match: re.Match[str]) -> Verdict:
    mark = match["clause"] or match["dash"]
    before = text[match.start() - 1] if match.start() else ""
    after = text[match.end()]
    spaced = after in _SPACES
    following = text[match.end() + 1 : match.end() + 2] if spaced else after
    between_digits = before.isdigit() and following.isdigit()
    if match["dash"]:
        left = text[match.start() - 2 : match.start() - 1]
        return Verdict.CLAUSE if spaced and not (left.isdigit() and following.isdigit()) else Verdict.NOTHING
    if mark[0] == "—":
        return Verdict.CLAUSE
    if mark in "，、；：":
        return Verdict.NOTHING if between_digits and not spaced and mark in "：，" else Verdict.CLAUSE
    if spaced:
        return Verdict.NOTHING if between_digits and mark == "," else Verdict.CLAUSE
    return Verdict.CLAUSE if is_cjk(before) and mark != ")" and not after.isdigit() else Verdict.NOTHING


def _following(text: str, at: int, *, final: bool) -> tuple[str, int]:
    """The first character from `at` on that is neither space nor an opening quote, and its place; "" while unknown."""
    end = min(len(text), at + _MOST_OPENERS)
    while at < end and text[at] in _OPENERS:
        at += 1
    if at < len(text):
        return text[at], at
    return (SPACE if final else ""), at


def long_enough(text: str, *, first: bool) -> bool:
    """Whether a clause is long enough to be spoken alone: a line's first, so that sound starts early, or a later one.

    The first needs two words or 12 letters, or 4 of Chinese and Japanese; a later one 40, or 16. Shorter ones have no
    melody of their own, and each phrase costs an engine its start.
    """
    wide = sum(map(is_cjk, text))
    narrow = len(text) - wide
    if not first:
        return 2 * narrow + 5 * wide >= 80
    several = sum(any(c.isalnum() and not is_cjk(c) for c in piece) for piece in text.split()) >= 2
    return several or narrow + 3 * wide >= 12


def best_cut(text: str, last: int, longest: int, allowed: Callable[[int], bool]) -> int:
    """Where to cut text[:last], longer than `longest`: at a clause's end, else at a space, else between characters.

    Of several places the one that leaves no scrap at the end is taken. Only places that are `allowed` are cut at.
    """
    wanted = min(longest, -(-last // 2))
    low, high = max(longest // 4, 1), longest
    ends = [m.end() for m in _CUT.finditer(text, low - 1, high + 1) if low <= m.end() <= high]
    ends = [end for end in ends if allowed(end)]
    if not ends:
        ends = [m.start() for m in _GAP.finditer(text, low, high + 1) if allowed(m.start())]
    if not ends:
        ends = [m.start() for m in _GAP.finditer(text, 1, low) if allowed(m.start())][-1:]
    if not ends:
        ends = [i for i in range(low, high + 1) if allowed(i) and not _inside(text, i)][-1:]
    if not ends:
        ends = [i for i in range(high, last + 1) if allowed(i)][:1] or [last]
    return min(ends, key=lambda end: abs(end - wanted))


def _inside(text: str, at: int) -> bool:
    """Whether a word or number of a script with spaces stands on both sides of `at`."""
    left, right = text[at - 1 : at], text[at : at + 1]
    return all(c.isalnum() and not is_cjk(c) for c in (left, right)) or (left in ".,:" and right.isdigit())
