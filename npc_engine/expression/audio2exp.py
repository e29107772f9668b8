"""Speech to expressions: mel, network, look-ahead, style, life and limits, tick by tick."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.expression import limits
from npc_engine.expression.hearing import Hearing
from npc_engine.expression.life import Life
from npc_engine.expression.network import SHIPPED, Network, Stepping
from npc_engine.expression.style import gains
from npc_engine.expression.window import AHEAD, BEHIND
from npc_engine.moments import TICK_MS, TICK_SAMPLES, Expression, Line, Mark, Sound, SpeechChunk, Word

EASE: Final = 5  # ticks in which a face comes to rest after a line: 100 ms
REST: Final = 1  # tick of rest that follows, so that the last thing a game gets is neutral


class Audio2Exp:
    """The mouth of a character: one network for all lines, everything else belongs to the line being expressed.

    `lookahead_ms`, -60 … +120 in steps of 20: tick t is read from the network when it has heard that much beyond t.
    Lines whose style is "" have `style`.
    `network` in place of the one in the file `model`: one on another accelerator, or one that steps lines together.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        network: Stepping | None = None,
        lookahead_ms: int = 60,
        style: str = "lively",
    ) -> None:
        lowest, highest = -AHEAD * TICK_MS, BEHIND * TICK_MS
        if not lowest <= lookahead_ms <= highest or lookahead_ms % TICK_MS:
            raise ValueError(f"lookahead_ms is {lookahead_ms}, expected {lowest} to {highest} in steps of {TICK_MS}")
        gains(style)
        self._network: Stepping = network or Network(model or SHIPPED)
        self._lookahead = lookahead_ms // TICK_MS
        self._style = style

    def with_style(self, style: str) -> Audio2Exp:
        """The same network and look-ahead for characters of another style; ValueError for one that is not known."""
        gains(style)
        other = copy.copy(self)
        other._style = style  # noqa: SLF001 - of our own copy
        return other

    def warm(self) -> None:
        """Run the network and the mel once, so that the first line is not the slow one."""
        hearing = Hearing(self._network, self._lookahead)
        hearing.listen(np.zeros(TICK_SAMPLES * 40, np.float32))
        for _ in hearing.read(ends=True):
            pass

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        """Yield an expression for every tick of `speech`, then 120 ms of silent ticks in which the face comes to rest.

        A last part of a tick is filled up with silence. Where a chunk ends a clause, all its ticks leave; otherwise
        those wait that look-ahead needs. ValueError for a style that is not known and for chunks with a gap.
        """
        telling: _Telling | None = None
        for chunk in speech:
            if telling is None:
                telling = _Telling(chunk.line, self._network, self._lookahead, chunk.line.style or self._style)
            yield from telling.tell(chunk)
        if telling is not None:
            yield from telling.end()


class _Telling:
    """One line on its way."""

    def __init__(self, line: Line, network: Stepping, lookahead: int, style: str) -> None:
        self._line = line
        self._gains = gains(style)
        self._hearing = Hearing(network, lookahead)
        self._life = Life(line.npc, line.id)
        self._limiter = limits.Limiter()
        self._samples = 0  # of the line, that have come
        self._tick = 0  # that leaves next
        self._sound: list[Sound] = []  # whole ticks that have not left, oldest first
        self._part: Sound = np.zeros(0, np.float32)  # of a tick
        self._words: list[Word] = []
        self._marks: list[Mark] = []
        self._last = np.zeros_like(self._gains)

    def tell(self, chunk: SpeechChunk) -> Iterator[Expression]:
        if chunk.start != self._samples:
            raise ValueError(f"line {chunk.line.id!r}: chunk starts at {chunk.start}, expected {self._samples}")
        self._samples += len(chunk.samples)
        self._words += chunk.words
        self._marks += chunk.marks
        sound = sane(chunk.samples)
        if len(self._part):
            sound = np.concatenate([self._part, sound])
        whole = len(sound) - len(sound) % TICK_SAMPLES
        self._part = sound[whole:]
        self._hearing.listen(sound[:whole])
        self._sound += [sound[at : at + TICK_SAMPLES] for at in range(0, whole, TICK_SAMPLES)]
        yield from self._leave(ends=chunk.ends_clause)

    def end(self) -> Iterator[Expression]:
        if len(self._part):
            last = np.concatenate([self._part, np.zeros(TICK_SAMPLES - len(self._part), np.float32)])
            self._hearing.listen(last)
            self._sound.append(last)
        yield from self._leave(ends=True)
        silence = np.zeros(TICK_SAMPLES, np.float32)
        for exp in [*limits.ease(self._last, EASE), *limits.ease(self._last, REST)]:
            # words and marks at the very end have no tick of sound left to go with
            words, self._words = tuple(self._words), []
            marks, self._marks = tuple(self._marks), []
            yield Expression(self._line, self._tick, silence, exp, words, marks)
            self._tick += 1

    def _leave(self, *, ends: bool) -> Iterator[Expression]:
        for raw in self._hearing.read(ends=ends):
            sound, self._sound = self._sound[: len(raw)], self._sound[len(raw) :]
            loudness = np.sqrt(np.array([np.mean(np.square(s)) for s in sound], np.float32))
            exps = self._limiter.step((raw + self._life.step(loudness)) * self._gains)
            for samples, exp in zip(sound, exps, strict=True):
                self._last = exp
                yield Expression(self._line, self._tick, samples, exp, *self._begin())
                self._tick += 1

    def _begin(self) -> tuple[tuple[Word, ...], tuple[Mark, ...]]:
        """The words and marks whose sound has begun by the end of this tick and that have not been told."""
        by = (self._tick + 1) * TICK_SAMPLES
        words = tuple(w for w in self._words if w.start < by)
        marks = tuple(m for m in self._marks if m.start < by)
        self._words = [w for w in self._words if w.start >= by]
        self._marks = [m for m in self._marks if m.start >= by]
        return words, marks


def sane(samples: Sound) -> Sound:
    """`samples` as they are where all lie in -1..1, else a copy that does: NaN becomes silence, the rest is clipped."""
    if len(samples) == 0 or (np.abs(samples).max() <= 1.0):
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)
