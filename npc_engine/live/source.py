"""Sound that is still coming while it is said."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from npc_engine.moments import Sound
from npc_engine.text.open_text import IDLE_S, TextTimeoutError

MOST_S: Final = 10.0  # of sound that waits to be read: what a game may send beyond what it lets the engine say
PIECE_S: Final = 0.2  # read at once: small enough that what waits elsewhere is little
GAP_S: Final = 0.08  # beyond the length of the last piece: networks and sound cards are late by less


class TooMuchSoundError(ValueError):
    """More sound came than may wait."""


class SoundTimeoutError(TextTimeoutError):
    """Live sound was neither added to nor committed for too long."""


class LiveSource:
    """Pieces of a line's live sound, f32[n] of `rate`; written on one thread, read once on another.

    Reading waits for the next piece. Where none comes for `gap_s` longer than the last one lasts it gives one empty
    piece: nothing need be held back for what follows. It ends after `commit`, at once after `close`, and raises
    `SoundTimeoutError`, with all sound read before, when nothing comes for `idle_s` seconds.
    """

    def __init__(self, rate: int, idle_s: float = IDLE_S, gap_s: float = GAP_S) -> None:
        self._rate = rate
        self._idle_s = idle_s
        self._gap_s = gap_s
        self._changed = threading.Condition()
        self._pieces: deque[Sound] = deque()
        self._waiting = 0  # samples of them
        self._ended = False
        self._hush_at: float | None = None  # when a gap begins; None: one has, or nothing came yet

    def add(self, sound: Sound) -> None:
        """Add samples f32[n], -1..1; raises `ValueError` after `commit` or `close`, `TooMuchSoundError` beyond 10 s."""
        with self._changed:
            if self._ended:
                raise ValueError("sound after commit: the line's sound is complete")
            if self._waiting + len(sound) > MOST_S * self._rate:
                raise TooMuchSoundError(
                    f"sound: {(self._waiting + len(sound)) / self._rate:.1f} s would wait, expected at most {MOST_S:g}"
                )
            if len(sound):
                self._pieces.append(sound)
                self._waiting += len(sound)
                self._hush_at = time.monotonic() + len(sound) / self._rate + self._gap_s
                self._changed.notify_all()

    def commit(self) -> None:
        """The sound is complete."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody wants the rest."""
        with self._changed:
            self._ended = True
            self._pieces.clear()
            self._waiting = 0
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Sound]:
        while True:
            with self._changed:
                self._wait()
                if not self._pieces and self._ended:
                    return
                piece = self._taken()
            yield piece

    def _wait(self) -> None:
        """Until there is a piece, no more will come, or a gap begins."""
        until = time.monotonic() + self._idle_s
        while not self._pieces and not self._ended:
            now = time.monotonic()
            if self._hush_at is not None and self._hush_at <= now:
                self._hush_at = None
                return
            if until <= now:
                raise SoundTimeoutError(
                    f"live sound: neither sound nor commit for {self._idle_s:g} s; what had come was said"
                )
            self._changed.wait(min(until, self._hush_at or until) - now)

    def _taken(self) -> Sound:
        """About PIECE_S of what waits; nothing where nothing does."""
        pieces: list[Sound] = []
        count = 0
        while self._pieces and count < PIECE_S * self._rate:
            pieces.append(self._pieces.popleft())
            count += len(pieces[-1])
        self._waiting -= count
        return pieces[0] if len(pieces) == 1 else np.concatenate([*pieces, np.zeros(0, np.float32)])
