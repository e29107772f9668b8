"""Takes out of a planned reading: its sound piece by piece, and the phones and words that begin in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from npc_engine.moments import Phone, Sound
from npc_engine.speech.engine import Take, WordTime
from npc_engine.speech.hibari_times import SILENCE, Timed


def timed_takes(
    sounds: Iterable[Sound],
    times: Sequence[Timed],
    told: range,
    at: int,
    *,
    cut: tuple[int, int],
    step: Fraction,
    final: bool,
) -> Iterator[Take]:
    """Yield `sounds`, samples [begin, end) = `cut` of the plan stretched by `step`, from sample `at` of the phrase on.

    `times` are the plan's phones in its own samples, `told` the words that are told here; the reading is the phrase's
    last one where `final`.
    """
    begin, end = cut
    length = int((end - begin) / step)

    def when(sample: int) -> int:
        return at + min(max(round((sample - begin) / step), 0), length)

    phones = [Phone(t.symbol, when(t.start), when(t.end)) for t in times]
    phones[-1] = Phone(SILENCE, phones[-1].start, at + length)
    said = _words(times, told, when)
    start = at
    for samples in sounds:
        stop = start + len(samples)
        ends = stop == at + length
        yield Take(
            samples,
            tuple(p for p in phones if start <= p.start < stop and p.end > p.start),
            tuple(w for w in said if start <= w.start < stop or (ends and w.start == stop)),
            last=final and ends,
            tail=stop - phones[-1].start if ends else 0,
        )
        start = stop


def _words(times: Sequence[Timed], told: range, when: Callable[[int], int]) -> list[WordTime]:
    """The words `told` with their times; one that has no sound of its own has the moment after the word before it."""
    spans: dict[int, tuple[int, int]] = {}
    for t in times:
        if t.word >= 0:
            spans[t.word] = (spans[t.word][0] if t.word in spans else t.start, t.end)
    found = []
    end = times[0].end
    for index in told:
        start, end = spans.get(index, (end, end))
        found.append(WordTime(index, when(start), when(end)))
    return found
