"""The two threads of a line that speaks, at the gate: its voice and its face compute when it is their turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Final, TypeVar

from npc_engine.moments import SAMPLE_RATE, TICK_MS, Line, SpeechChunk
from npc_engine.performance import Voice
from npc_engine.server.gate import Gate

LOG: Final = logging.getLogger(__name__)
T = TypeVar("T")
TICK_S: Final = TICK_MS / 1000


class Turns:
    """Of a line that begins now. How urgent its threads are follows from when its sound, as made so far, runs out.

    A line is heard from about when its first tick was made; where a game lets it wait, what follows is heard later.
    """

    def __init__(self, gate: Gate, line: Line, client: Hashable) -> None:
        self._gate = gate
        self._line = line.id
        self._threads = 2  # that may compute
        self._ending = threading.Lock()
        self._stopped_at: float | None = None
        self.face = gate.turn(client, line.priority, line.deadline_ms / 1000)
        self.voice = gate.turn(client, line.priority, line.deadline_ms / 1000)
        self._zero = self.face.due  # when the first sample is heard
        self._samples = 0  # spoken

    def made(self, ticks: int) -> None:
        """So many ticks of the line were handed over by now."""
        if ticks == 1:
            self._zero = self._gate.now()
        self.face.due = self._zero + ticks * TICK_S

    def waited(self, ticks: int, left: int) -> None:
        """The game let the line wait: of the `ticks` that were made, so many are left that have not been sent."""
        self._zero = max(self._zero, self._gate.now() + (left - ticks) * TICK_S)
        self.face.due = self._zero + ticks * TICK_S

    def stop(self) -> None:
        """Nothing more is wanted of the line; returns at once."""
        self._stopped_at = self._gate.now() if self._stopped_at is None else self._stopped_at
        self.face.stop()
        self.voice.stop()

    def ended(self) -> None:
        """One of the line's two threads computes nothing more."""
        with self._ending:
            self._threads -= 1
            if self._threads or self._stopped_at is None:
                return
        took = 1000 * (self._gate.now() - self._stopped_at)
        LOG.debug("nothing is computed for a line, %.1f ms after its stop", took, extra={"line": self._line})

    def speaking(self, voice: Voice) -> Voice:
        """The same voice, which speaks a chunk when it is its turn, and no more once the line was stopped."""
        return _InTurns(voice, self)

    def spoken(self, samples: int) -> None:
        """The voice has made so many samples more."""
        self._samples += samples
        self.voice.due = self._zero + self._samples / SAMPLE_RATE

    def unhurried(self, items: Iterator[T]) -> Iterator[T]:
        """The same items, which the voice waits for and nobody computes: text or sound that is still to come."""
        while True:
            with self.voice.paused():
                item = next(items, None)
            if item is None:
                return
            yield item


class _InTurns:
    """See `Turns.speaking`."""

    def __init__(self, voice: Voice, turns: Turns) -> None:
        self._voice = voice
        self._turns = turns

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        turn = self._turns.voice
        chunks = iter(self._voice.speak(line))
        try:
            while turn.begin():
                try:
                    chunk = next(chunks, None)
                finally:
                    turn.end()
                if chunk is None:
                    return
                self._turns.spoken(len(chunk.samples))
                yield chunk
        finally:
            close: Callable[[], None] | None = getattr(chunks, "close", None)
            if close is not None:
                close()
            self._turns.ended()
