"""Speech to expressions: mel, network, look-ahead, smoothing, life, emotion, contacts and limits, tick by tick."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.expression import limits
from npc_engine.expression.activity import LivePauses
from npc_engine.expression.contacts import Contacts, enforced
from npc_engine.expression.emotion import Feeling
from npc_engine.expression.hearing import Heard, Hearing
from npc_engine.expression.joining import fading
from npc_engine.expression.life import Accents, Hushes, Life, Pauses
from npc_engine.expression.network import SHIPPED, Network, Stepping
from npc_engine.expression.settings import Settings
from npc_engine.expression.style import found, gains
from npc_engine.expression.window import AHEAD, BEHIND
from npc_engine.moments import (
    CHANNEL,
    TICK_MS,
    TICK_SAMPLES,
    Expression,
    Line,
    Mark,
    Sound,
    SpeechChunk,
    Word,
    breathed,
)

LIVE_LOOKAHEAD_MS: Final = 40
"""Of lines of live sound: the most that keeps 80 ms from a sound to its face, and half of them for all else."""
EASE: Final = 5  # ticks in which a face comes to rest after a line: 100 ms
REST: Final = 1  # tick of rest that follows, so that the last thing a game gets is neutral
MOUTH: Final = [i for name, i in CHANNEL.items() if name.startswith(("jaw", "mouth", "tongue"))]


class Audio2Exp:
    """The mouth of a character: one network for all lines, everything else belongs to the line being expressed.

    `lookahead_ms`, -60 … +120 in steps of 20: tick t is read from the network when it has heard that much beyond t.
    `live_lookahead_ms` is that of lines of live sound, whose face is wanted soon.
    `style` (of lines whose style is ""), `intensity` and `smoothing` are the character's `Settings`.
    `network` in place of the one in the file `model`: one on another accelerator, or one that steps lines together.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        network: Stepping | None = None,
        lookahead_ms: int = 60,
        live_lookahead_ms: int = LIVE_LOOKAHEAD_MS,
        style: str = "lively",
        intensity: float = 1.0,
        smoothing: float = limits.DEFAULT_SMOOTHING,
    ) -> None:
        lowest, highest = -AHEAD * TICK_MS, BEHIND * TICK_MS
        for name, ms in (("lookahead_ms", lookahead_ms), ("live_lookahead_ms", live_lookahead_ms)):
            if not lowest <= ms <= highest or ms % TICK_MS:
                raise ValueError(f"{name} is {ms}, expected {lowest} to {highest} in steps of {TICK_MS}")
        self._settings = Settings(style, intensity, smoothing)
        self._network: Stepping = network or Network(model or SHIPPED)
        self._lookahead = lookahead_ms // TICK_MS
        self._live_lookahead = live_lookahead_ms // TICK_MS

    def with_settings(self, settings: Settings) -> Audio2Exp:
        """The same network and look-ahead for another character."""
        other = copy.copy(self)
        other._settings = settings  # noqa: SLF001 - of our own copy
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
        those wait that look-ahead needs. ValueError for a style or emotion that is not known, and chunks with a gap.
        """
        telling: _Telling | None = None
        for chunk in speech:
            if telling is None:
                lookahead = self._lookahead if chunk.line.live is None else self._live_lookahead
                telling = _Telling(chunk.line, self._network, lookahead, self._settings)
            yield from telling.tell(chunk)
        if telling is not None:
            yield from telling.end()


class _Telling:
    """One line on its way."""

    def __init__(self, line: Line, network: Stepping, lookahead: int, settings: Settings) -> None:
        self._line = line
        style = line.style or settings.style
        self._style = found(style)
        self._amount = self._style.mouth * settings.intensity
        self._gains = gains(style, settings.intensity)
        self._hearing = Hearing(network, lookahead, limits.advance_ticks(settings.smoothing))
        self._smoother = limits.Smoother(settings.smoothing)
        self._accents, self._hushes = Accents(), Hushes()
        self._pauses = Pauses() if line.live is None else LivePauses()
        self._life = Life(line.npc, line.id, self._style)
        self._feeling = Feeling(line.npc, line.id, line.emotion, line.strength)
        self._contacts = Contacts()
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
        self._contacts.tell(chunk.phones)
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
        exps = [*limits.ease(self._last, EASE), *limits.ease(self._last, REST)]
        for exp, left in zip(exps, fading(EASE) + fading(REST), strict=True):
            # words and marks at the very end have no tick of sound left to go with
            words, self._words = tuple(self._words), []
            marks, self._marks = tuple(self._marks), []
            breath = (left - 1) * breathed(self._tick)
            yield Expression(self._line, self._tick, silence, exp, words, marks, breath)
            self._tick += 1

    def _leave(self, *, ends: bool) -> Iterator[Expression]:
        for heard in self._hearing.read(ends=ends):
            count = len(heard.exp)
            sound, self._sound = self._sound[:count], self._sound[count:]
            for samples, exp in zip(sound, self._shaped(heard, sound), strict=True):
                self._last = exp
                yield Expression(self._line, self._tick, samples, exp, *self._begin())
                self._tick += 1

    def _shaped(self, heard: Heard, sound: list[Sound]) -> limits.Exps:
        """What leaves for n ticks, f32[n, 50].

        The order has reasons: what is said is smoothed before anything that is smooth by itself, or must not be, is
        added to it; a feeling gives way to contacts; and nothing comes after the limits.
        """
        loudness = np.sqrt(np.square(np.stack(sound)).mean(axis=1))
        pause, still, loudness = self._pauses.step(heard.likely, loudness)
        accents = self._accents.step(loudness)
        contact = self._contacts.step(heard.likely)
        exp = heard.exp * self._gains
        exp[:, MOUTH] *= (1 - still)[:, None]
        said = self._smoother.step(limits.bounded(exp))
        living = said + self._life.step(accents, self._hushes.step(loudness))
        felt = self._feeling.step(living, accents, pause, contact, self._style.emotion)
        return self._limiter.step(enforced(felt, contact, self._amount), contact.seal)

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
