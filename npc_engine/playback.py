"""One line as a game plays it: sound in order, and the face, picture and word that belong to the sample being heard.

No clock and no device in here. Positions count samples of what `sound` gave out, silence included: the game says which
of them is being heard, and goes on counting after the last (silence plays at the same pace), so that the mouth closes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

import numpy as np

from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Exp, Mark, Sound, Word
from npc_engine.wire.limits import CREDIT_CAP_MS, CREDIT_MS
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, MarkAt, Moments, Reply, Words

AHEAD_MS = 600  # how far ahead of the heard sample the engine may send: rides out half a second of a busy machine
EASE_MS = 100  # from the last face to the neutral one
WAKE_MS = 40  # and back, when sound goes on after a gap
FADE_SAMPLES = 120  # 5 ms: a cut without a click
LEAST_CREDIT_MS = 40  # one moment message with a picture
CREDIT_SHARE = 5  # a fifth of what the engine keeps ahead is granted at once: each grant costs it a message more
HISTORY = SAMPLE_RATE  # samples that the heard position may go back

_MS = SAMPLE_RATE // 1000


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What to show while a sample is heard."""

    exp: Exp  # f32[50], or as many as asked, interpolated between ticks
    picture: bytes | None  # encoded, as the engine sent it; None before the first, or when none were asked
    word: int  # index into Playback.words of the last word begun; -1 before the first
    closed: float  # 0 speaking … 1 at rest: how far the face has eased into neutral
    marks: tuple[str, ...] = ()  # names of the marks reached since the last `at`; each mark is told once


class Playback:
    """One line on its way to ears and eyes; feed it the line's events with `add`.

    `granted_ms` is the credit that `speak` gave; `ahead_ms` how far ahead of the heard sample the engine shall keep.
    `channels`: coefficients a tick, where others than exp50 were asked.
    """

    def __init__(
        self,
        granted_ms: int = CREDIT_MS,
        ahead_ms: int = AHEAD_MS,
        ease_ms: int = EASE_MS,
        channels: int = len(EXP50),
    ) -> None:
        if not LEAST_CREDIT_MS <= ahead_ms <= CREDIT_CAP_MS:
            raise ValueError(f"ahead_ms is {ahead_ms}, expected {LEAST_CREDIT_MS} to {CREDIT_CAP_MS}")
        self.words: list[Word] = []
        self.marks: list[Mark] = []
        self.position = 0  # samples given out, silence included
        self.missing = 0  # samples of silence given out in the middle of the line, because nothing had come
        self.error: ErrorMessage | None = None  # why the line ended early, if it did
        self.cancelled_at: int | None = None  # position at which the line was cut
        self._granted_ms = granted_ms
        self._ahead_ms = ahead_ms
        self._ease = max(1, ease_ms * _MS)
        self._heard = 0
        self._told = 0  # of the marks
        self._received = 0  # ticks
        self._end: int | None = None  # samples of the whole line, once known
        self._sound: deque[Sound] = deque()
        self._taken = 0  # samples of the line given out
        self._gaps: deque[tuple[int, int]] = deque()  # (position, length) of silence that is not of the line
        self._shift = 0  # lengths of the gaps that are forgotten
        self._exps: deque[Exp] = deque()
        self._first_exp = 0  # tick of _exps[0]
        self._pictures: deque[tuple[int, bytes]] = deque()  # (sample, picture); the first is being shown
        self._rest: bytes | None = None
        self._neutral: Exp = np.zeros(channels, np.float32)

    def add(self, event: Reply) -> None:
        """Take an event of this line; what has nothing to play is ignored.

        Raises `ValueError` for moments that are not the next ones of the line.
        """
        if isinstance(event, Moments):
            self._add_moments(event)
        elif isinstance(event, Words):
            self.words += event.words
        elif isinstance(event, MarkAt):
            self.marks.append(Mark(event.name, event.tick * TICK_SAMPLES))
        elif isinstance(event, Accepted):
            self._rest = event.rest
        elif isinstance(event, End):
            self._finish(event.ticks * TICK_SAMPLES)
        elif isinstance(event, Cancelled):
            self.cut()
        elif isinstance(event, ErrorMessage) and event.ends:
            self.error = event
            self._finish(self._received * TICK_SAMPLES)  # what has come is still played

    def _finish(self, end: int) -> None:
        self._end = end
        if self._gaps and self._taken >= end and sum(self._gaps[-1]) == self.position:
            _, length = self._gaps.pop()  # it was no gap, but the silence after the line
            self.missing -= length if self._received else 0

    def _add_moments(self, moments: Moments) -> None:
        if self.cancelled_at is not None:
            return
        if moments.tick != self._received:
            raise ValueError(f"moment of tick {moments.tick}, expected {self._received}: add each event once")
        if moments.exp is not None and self._exps and moments.exp.shape[1:] != self._exps[-1].shape:
            raise ValueError(f"faces of {moments.exp.shape[1]} values, those before had {len(self._exps[-1])}")
        self._received += moments.ticks
        # a line without sound plays as silence of its length
        self._sound.append(
            np.zeros(moments.ticks * TICK_SAMPLES, np.float32) if moments.sound is None else moments.sound
        )
        if moments.exp is not None:
            self._exps.extend(moments.exp)
        if moments.picture is not None and moments.picture_tick is not None:
            self._pictures.append((moments.picture_tick * TICK_SAMPLES, moments.picture))

    def sound(self, samples: int) -> Sound:
        """The next f32[samples] for the sound device, 24 kHz; silence where nothing has come yet or nothing is left."""
        out = np.zeros(samples, np.float32)
        done = 0
        while done < samples and self._sound:
            piece = self._sound[0]
            n = min(samples - done, len(piece))
            out[done : done + n] = piece[:n]
            done += n
            if n == len(piece):
                self._sound.popleft()
            else:
                self._sound[0] = piece[n:]
        if done < samples and self.cancelled_at is None and (self._end is None or self._taken + done < self._end):
            self._add_gap(self.position + done, samples - done)
            if self._received:
                self.missing += samples - done
        self._taken += done
        self.position += samples
        return out

    def _add_gap(self, start: int, length: int) -> None:
        if self._gaps and sum(self._gaps[-1]) == start:
            start, before = self._gaps.pop()
            length += before
        self._gaps.append((start, length))

    def cut(self, heard: int | None = None) -> None:
        """Stop here: silence after a 5 ms fade; the face eases from position `heard` on (default: the last one known).

        A game calls it when it cancels the line, and empties what its sound device has queued.
        """
        if self.cancelled_at is not None:
            return
        self.cancelled_at = self._heard if heard is None else max(heard, 0)
        rest = np.concatenate(self._sound)[:FADE_SAMPLES] if self._sound else np.zeros(0, np.float32)
        self._sound.clear()
        self._sound.append(rest * np.linspace(1.0, 0.0, len(rest), dtype=np.float32))

    def at(self, heard: int) -> Shown:
        """What belongs to the sample at position `heard`; positions may go back by no more than a second."""
        self._heard = max(self._heard, heard)
        sample = self._sample(heard)
        self._forget(sample)
        closed = self._closed(heard)
        exp = self._exp(sample) * np.float32(1.0 - closed)
        picture = None
        for start, encoded in self._pictures:
            if start <= sample:
                picture = encoded
        if picture is None or (closed >= 0.5 and self._rest is not None):
            picture = self._rest
        word = bisect_right(self.words, sample, key=_start) - 1
        return Shown(exp, picture, word, closed, self._reached(sample))

    def _reached(self, sample: int) -> tuple[str, ...]:
        """The marks that `sample` has reached and that have not been told; a sample that has not come is not heard."""
        heard = min(sample, self._received * TICK_SAMPLES - 1)
        count = bisect_right(self.marks, heard, key=_start)
        names = tuple(mark.name for mark in self.marks[self._told : count])
        self._told = max(self._told, count)
        return names

    def credit_ms(self, heard: int | None = None) -> int:
        """Milliseconds to grant now, so that the engine may send `ahead_ms` beyond `heard`; counts them as granted.

        0 when nothing is due. Without `heard`, what was given out counts as heard.
        """
        if self.cancelled_at is not None or self._end is not None:
            return 0
        at = self._sample(self.position if heard is None else heard) // _MS
        due = (at + self._ahead_ms - self._granted_ms) // TICK_MS * TICK_MS
        if due < max(LEAST_CREDIT_MS, self._ahead_ms // CREDIT_SHARE):
            return 0
        self._granted_ms += due
        return due

    @property
    def heard_sample(self) -> int:
        """The sample of the line that is heard, as `at` was last told."""
        return min(self._sample(self._heard), self._received * TICK_SAMPLES)

    @property
    def heard_chars(self) -> int:
        """Characters of the line's text up to the end of the last word that was heard whole."""
        return max((word.last for word in self.words if word.end <= self.heard_sample), default=0)

    @property
    def received_ms(self) -> int:
        """How much of the line has come."""
        return self._received * TICK_MS

    @property
    def finished(self) -> bool:
        """Whether the line was heard to its end or cut, and the face has come to rest; `at` moves it there."""
        return (self._end is not None or self.cancelled_at is not None) and self._over(self._heard) >= self._ease

    # ── positions to samples of the line ──────────────────────────────────────────────────────────────────────────

    def _sample(self, heard: int) -> int:
        """The sample of the line that sounds at a position; stands still in gaps and after a cut."""
        if self.cancelled_at is not None:
            heard = min(heard, self.cancelled_at)
        silent = self._shift + sum(min(length, heard - start) for start, length in self._gaps if start < heard)
        return max(0, heard - silent)

    def _over(self, heard: int) -> int:
        """Samples since the line was cut or heard to its end; 0 or less before."""
        if self.cancelled_at is not None:
            return heard - self.cancelled_at
        return self._sample(heard) - self._end if self._end is not None else 0

    def _closed(self, heard: int) -> float:
        closed = min(1.0, max(0.0, self._over(heard) / self._ease))
        if self.cancelled_at is not None:
            heard = min(heard, self.cancelled_at)
        for start, length in self._gaps:
            if start < heard:
                hush = min(1.0, min(length, heard - start) / self._ease)
                woken = max(0, heard - start - length) / (WAKE_MS * _MS)
                closed = max(closed, hush - woken)
        return closed

    def _exp(self, sample: int) -> Exp:
        if not self._exps:
            return self._neutral
        tick, into = divmod(sample, TICK_SAMPLES)
        last = len(self._exps) - 1
        now = min(max(tick - self._first_exp, 0), last)
        following = min(now + 1, last)
        share = np.float32(into / TICK_SAMPLES)
        return self._exps[now] + (self._exps[following] - self._exps[now]) * share

    def _forget(self, sample: int) -> None:
        oldest = (sample - HISTORY) // TICK_SAMPLES
        while len(self._exps) > 1 and self._first_exp < oldest:
            self._exps.popleft()
            self._first_exp += 1
        while len(self._pictures) > 1 and self._pictures[1][0] <= sample - HISTORY:
            self._pictures.popleft()
        while self._gaps and sum(self._gaps[0]) < self._heard - HISTORY:
            self._shift += self._gaps.popleft()[1]


def _start(item: Word | Mark) -> int:
    return item.start
