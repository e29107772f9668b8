"""When each phone of a reading sounds, out of what the network plans.

The network gives a duration to every symbol, stress marks, spaces and punctuation included. Three things stand
between those and what is heard (measured against forced alignment, docs/voices.md):

* A stress mark or space before a phone is the beginning of that phone.
* Boundaries are announced late, by a time that hardly depends on the speed.
* Silence hides in the phone before a pause and in the pads; the planned loudness shows where it really is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.hibari_model import UNIT, Plan
from npc_engine.speech.reading import PUNCTUATION, UNSAID
from npc_engine.speech.vocoder import HOP

SILENCE: Final = "sil"
_MARKS: Final = "ˈˌ"
_LENGTHENS: Final = "ːʰʲ\u0303"  # belong to the phone before them
_STOPS: Final = "pbtdkɡʧʤʈɖcɟqʔ"

_LATE: Final = (31 * 24, 27 * 24)  # samples: 31 ms plus 27 ms over the speed (62 at 0.87, 58 at 1, 50 at 1.43)
_LATER: Final = 11 * 24  # a fricative is heard this much before the boundary of the others
_FRICATIVES: Final = "fvθðszʃʒhxçɕʂʐʝβɸ"
_LATE_WITH_MARK: Final = 38 * 24  # where the phone begins with a mark or a space; 30 to 45 ms by kind
_CLOSURE: Final = 45 * 24  # lips or tongue close this long before a stop is heard after silence
_SHORTEST: Final = 15 * 24  # no phone is shorter
_QUIET: Final = -1.5  # planned loudness: speech is above 2, breath in a pause below -2.5, closures down to -5


@dataclass(frozen=True, slots=True)
class Timed:
    """A phone or a silence and the samples [start, end) of the plan in which it is heard."""

    symbol: str
    word: int  # index among the sentence's words, -1 for silence
    start: int
    end: int


@dataclass(slots=True)
class _Group:
    """Symbols that are heard as one: [first, last) of the reading with its pads; a pause or a phone."""

    symbol: str
    word: int
    first: int
    last: int
    marked: bool = False  # a mark or a space leads the phone


def timed(plan: Plan) -> list[Timed]:
    """Phones and pauses of a plan, contiguous from 0 to its end or first unsaid word; a silence is first and last."""
    late = np.concatenate([[0.0], np.cumsum(plan.durations)]) * UNIT
    groups = _groups("." + plan.reading.symbols + ".", (-1, *plan.reading.words, -1))  # the pads are pauses
    starts = [late[g.first] - _lateness(g, float(plan.speeds[g.first])) for g in groups]
    pauses = [i for i, g in enumerate(groups) if g.symbol == SILENCE]

    found: list[Timed] = []
    end_of_pause = 0
    for number, i in enumerate(pauses):
        phones = range(pauses[number - 1] + 1, i) if number else range(0)
        room = max(starts[i - 1], end_of_pause + (len(phones) - 1) * _SHORTEST) + _SHORTEST if number else 0.0
        begin, end = _pause(plan, late, groups, i, room)
        if phones:
            bounds = _spread([starts[k] for k in phones], end_of_pause, begin)
            for k, (a, b) in zip(phones, pairwise(bounds), strict=True):
                found.append(Timed(groups[k].symbol, groups[k].word, a, b))
            begin = bounds[-1]
        if end > begin:
            found.append(Timed(SILENCE, -1, begin, end))
        end_of_pause = max(end, begin)
    return _without_unsaid(found) if plan.reading.unsaid else found


def _without_unsaid(found: list[Timed]) -> list[Timed]:
    """What is to be heard; it ends with a silence, if one of no length."""
    said = found[: next(i for i, t in enumerate(found) if t.word == UNSAID)]
    return said if said[-1].symbol == SILENCE else [*said, Timed(SILENCE, -1, said[-1].end, said[-1].end)]


def _lateness(group: _Group, speed: float) -> float:
    if group.marked:
        return _LATE_WITH_MARK
    return _LATE[0] + _LATE[1] / speed + (_LATER if group.symbol in _FRICATIVES else 0)


def _groups(symbols: str, words: tuple[int, ...]) -> list[_Group]:
    groups: list[_Group] = []
    at = 0
    while at < len(symbols):
        first = at
        while at < len(symbols) and (symbols[at] in PUNCTUATION or symbols[at] == " "):
            at += 1
        if any(s in PUNCTUATION for s in symbols[first:at]):
            groups.append(_Group(SILENCE, -1, first, at))
            first = at
        while at < len(symbols) and symbols[at] in _MARKS:
            at += 1
        if at == len(symbols):
            break
        base = at
        at += 1
        while at < len(symbols) and symbols[at] in _LENGTHENS:
            at += 1
        groups.append(_Group(symbols[base], words[base], first, at, marked=base > first))
    return groups


def _pause(plan: Plan, late: npt.NDArray[np.float64], groups: list[_Group], i: int, low: float) -> tuple[int, int]:
    """The samples [begin, end) after `low` that are silent at the pause `groups[i]`; empty where none is heard."""
    leads, trails = i == 0, i == len(groups) - 1
    high = float(late[-1]) if trails else max(float(late[groups[i + 1].last]), low)
    first, last = int(low // HOP), min(int(high // HOP) + 1, plan.frames)
    begin, end = _longest_run(plan.loudness[first:last] < _QUIET)
    if end == begin:
        middle = (late[groups[i].first] + late[groups[i].last]) / 2 - _LATE_WITH_MARK
        begin_at = end_at = float(np.clip(middle, low, high))
    else:
        begin_at, end_at = max(float((first + begin) * HOP), low), max(float((first + end) * HOP), low)
    if leads:
        begin_at = 0.0
    if trails:
        return round(begin_at), round(late[-1])
    if groups[i + 1].symbol in _STOPS:
        end_at = max(end_at - _CLOSURE, begin_at)
    return round(begin_at), round(end_at)


def _longest_run(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """[first, last) of the longest run of True; (0, 0) when there is none."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    if not len(steps):
        return 0, 0
    runs = steps.reshape(-1, 2)
    first, last = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return int(first), int(last)


def _spread(starts: list[float], low: float, high: float) -> list[int]:
    """Starts of phones between two silences, and the end of the last; none shorter than 15 ms where there is room."""
    count = len(starts)
    shortest = min(_SHORTEST, (high - low) / count) if high > low else 0.0
    bounds = [low, *starts[1:], max(high, low)]
    for k in range(1, count):
        bounds[k] = max(bounds[k], bounds[k - 1] + shortest)
    for k in range(count - 1, 0, -1):
        bounds[k] = min(bounds[k], bounds[k + 1] - shortest)
    return [round(b) for b in bounds]
