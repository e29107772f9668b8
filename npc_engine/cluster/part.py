"""A line on a replica: performed as on any server, and handed out within its window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from npc_engine.cluster.orders import (
    EAGER_TICKS,
    Committed,
    Heard,
    Order,
    Stopped,
    Taken,
    Word,
    Written,
    owed_ms,
    window,
)
from npc_engine.server.performer import Begun, Complete, Failed, Made, Tick
from npc_engine.server.performing import Performing

MOST: Final = 32  # things looked at: the window, and marks between


class Part:
    """Performs an order; only the replica's event loop calls this."""

    def __init__(self, order: Order, performing: Performing) -> None:
        self.key = order.key
        self.since = 0.0  # as its desk counts time
        self.over = False  # its last thing was handed out, or nobody wants the rest
        self._order = order
        self._performing = performing
        self.made = 0  # things handed out, or dropped
        self._again = order.made  # of them, still to be dropped: the gateway has them
        self._ticks = 0  # of the things made
        self._limit = order.taken + window(order.start.line)
        self._written = sum(map(len, order.written))

    def begin(self) -> None:
        """Start, with the text that has been written so far."""
        self._performing.begin()
        for text in self._order.written:
            self._performing.append(text)
        if self._order.start.open and self._order.complete:
            self._performing.commit()

    def hear(self, word: Word) -> None:
        """Carry out what the gateway says of this line."""
        if isinstance(word, Taken):
            self._limit = max(self._limit, word.ticks + window(self._order.start.line))
        elif isinstance(word, Written):
            self._written += len(word.text)
            self._performing.append(word.text)
        elif isinstance(word, Heard):
            self._performing.hear(word.sound)
        elif isinstance(word, Committed):
            self._performing.commit()
        elif isinstance(word, Stopped):
            self.stop()

    def stop(self) -> None:
        """Make no more."""
        self.over = True
        self._performing.stop()

    @property
    def begins(self) -> bool:
        """Whether what comes next is urgent."""
        return bool(self._again) or self._ticks < EAGER_TICKS

    @property
    def late(self) -> bool:
        """Whether its sound comes too late, for want of time to make it."""
        return not self.over and self._performing.late

    def owed_ms(self) -> int:
        """Sound still to be made, estimated."""
        return 0 if self.over else owed_ms(self._order.start.line, self._written, self._ticks)

    def ready(self) -> tuple[int, bool]:
        """How many things may be handed out, and whether they shall not wait for company.

        What a player waits for is urgent: the character, the first ticks, the end.
        """
        self._drop()
        made = self._performing.peek(MOST)
        room = self._limit - self._ticks
        count = 0
        for item in made:
            if isinstance(item, Tick):
                room -= 1
                if room < 0:
                    break
            count += 1
        return count, any(_urgent(item) for item in made[:count])

    def hand_out(self, count: int) -> list[Made]:
        """Take the first `count` things out."""
        made = list(self._performing.peek(count))
        self._take(made)
        self.over = self.over or (bool(made) and isinstance(made[-1], (Complete, Failed)))
        return made

    def _drop(self) -> None:
        """Drop what the gateway has; a line that fails before, where it did not before, hands its fault out."""
        while self._again:
            made = self._performing.peek(min(self._again, MOST))
            ends = next((at for at, item in enumerate(made) if isinstance(item, (Complete, Failed))), len(made))
            self._take(made[:ends])
            self._again -= ends
            if ends < len(made):
                self._again = 0
            elif not made:
                return

    def _take(self, made: Sequence[Made]) -> None:
        self.made += len(made)
        self._ticks += sum(isinstance(item, Tick) for item in made)
        self._performing.take(len(made))


def _urgent(item: Made) -> bool:
    return isinstance(item, (Begun, Complete, Failed)) or (isinstance(item, Tick) and item.tick < EAGER_TICKS)
