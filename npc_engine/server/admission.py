"""Whether a line can be in time: asked before it begins, and watched until its first moment has left."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from npc_engine.moments import TICK_MS, Line
from npc_engine.server.performing import Performing

Key: TypeAlias = tuple[bytes, str]
"""Which line: its client's identity, and its id."""

CHAR_MS: Final = 65  # of speech, by which a text is longer for each character: 15 a second, as voices speak English
FIRSTS: Final = 32  # first moments of which the median is what the next one is thought to take
WAIT_MS: Final = 500  # at least, before it is worth asking a busy engine again


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line can't begin; `code` and `text` of the error, and when it may."""

    code: str
    text: str
    wait_ms: int


class Admission:
    """The books of lines whose first moment has not left, and of how long first moments take."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._firsts_ms: deque[float] = deque(maxlen=FIRSTS)
        self._due: list[tuple[float, Key]] = []  # a heap of deadlines, with whose they are
        self._waiting: set[Key] = set()  # lines with a deadline whose first moment has not left

    def refusal(self, line: Line, speaking: Iterable[Performing], former: Iterable[Performing]) -> Refusal | None:
        """Why `line` can't be in time, or None; `speaking` are the engine's lines, `former` those that it waits for."""
        late = [one for one in speaking if one.late and one.line.priority >= line.priority]
        if late:
            wait_ms = max(WAIT_MS, min(left_ms(one) for one in late))
            text = f"{len(late)} lines come too late already: say fewer at once, or ask for fewer pictures"
            return Refusal("overloaded", text, wait_ms)
        if not line.deadline_ms:
            return None
        turn_ms = sum(left_ms(one) for one in former)
        first_ms = round(self.first_ms)
        if turn_ms + first_ms <= line.deadline_ms:
            return None
        why = f"{turn_ms} ms until its character has said its former lines, and " if turn_ms else ""
        text = f"its first moment would take {why}{first_ms} ms, its deadline is {line.deadline_ms} ms"
        return Refusal("too-late", text, max(WAIT_MS, turn_ms))

    @property
    def first_ms(self) -> float:
        """From `speak` to a first moment, the median of the last ones; 0 before there was any."""
        firsts = sorted(self._firsts_ms)
        return firsts[len(firsts) // 2] if firsts else 0.0

    def begin(self, key: Key, line: Line) -> None:
        """A line begins; `key` names it among those of all clients."""
        if line.deadline_ms:
            heapq.heappush(self._due, (self._now() + line.deadline_ms / 1000, key))
            self._waiting.add(key)

    def first(self, key: Key, seconds: float | None) -> None:
        """A line's first moment has left, `seconds` after its `speak`; None where it had waited for its turn."""
        self._waiting.discard(key)
        if seconds is not None:
            self._firsts_ms.append(1000 * seconds)

    def forget(self, key: Key) -> None:
        """A line has ended."""
        self._waiting.discard(key)

    def missed(self) -> list[Key]:
        """Lines whose deadline has passed, each told once."""
        missed = []
        now = self._now()
        while self._due and (self._due[0][1] not in self._waiting or self._due[0][0] <= now):
            _, key = heapq.heappop(self._due)
            if key in self._waiting:
                self._waiting.discard(key)
                missed.append(key)
        return missed

    def within_ms(self, most: int) -> int:
        """Until the next deadline, or `most` where that is less."""
        return max(0, min(most, round(1000 * (self._due[0][0] - self._now())) + 1)) if self._due else most


def left_ms(performing: Performing) -> int:
    """How long a line is thought to sound on: by the characters of its text, less what has been sent."""
    return max(0, CHAR_MS * len(performing.line.text) - TICK_MS * performing.work.ticks)
