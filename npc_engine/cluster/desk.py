"""A gateway as a replica sees it: the lines that it asked for, and the frames that carry what is made of them."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from npc_engine.cluster.link import within
from npc_engine.cluster.orders import ABANDONED_S, FRAME_S, HEARTBEAT_S, LOOK_S, UNWANTED_S, Frame, Lines, Word
from npc_engine.cluster.part import Part
from npc_engine.server.performer import Made, Tick

FRAME_BYTES: Final = 1 << 20  # after which the next line waits for the next frame


class Desk:
    """The lines of one gateway; only the replica's event loop calls this, but for `ring`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._parts: dict[str, Part] = {}
        self._heard_at = now()
        self._rung = asyncio.Event()  # there may be more
        self._begun = asyncio.Event()  # there is another line
        self._readers = 0  # of `frames`, ever
        self._reading = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """The lines that are being performed."""
        return tuple(self._parts.values())

    @property
    def abandoned(self) -> bool:
        """Whether the gateway has said nothing for so long that nobody can be there."""
        return self._now() - self._heard_at > ABANDONED_S

    @property
    def unused(self) -> bool:
        """Whether nobody reads what is made, and nobody asked for anything lately."""
        return self.abandoned and not self._reading

    def begin(self, part: Part) -> None:
        """Perform one line more."""
        self._heard_at = part.since = self._now()
        self._parts[part.key] = part
        part.begin()
        self._begun.set()

    def hear(self, words: Sequence[Word | Lines]) -> None:
        """Carry out what the gateway says; of lines that have ended it says things too late."""
        self._heard_at = self._now()
        for word in words:
            if isinstance(word, Lines):
                self._stop_all_but(word.keys)
                continue
            part = self._parts.get(word.key)
            if part is not None:
                part.hear(word)
        self.ring()

    def _stop_all_but(self, keys: frozenset[str]) -> None:
        before = self._now() - UNWANTED_S
        for part in self._parts.values():
            if part.key not in keys and part.since < before:
                part.stop()

    def ring(self) -> None:
        """There may be more to send."""
        self._rung.set()

    def close(self) -> None:
        """Stop every line."""
        for part in self._parts.values():
            part.stop()
        self._parts.clear()

    async def frames(self) -> AsyncIterator[bytes]:
        """Pickled `Frame`s: at once where something is urgent, else FRAME_S apart, and a heartbeat where nothing is.

        They end when the gateway is gone, and where it reads them anew.
        """
        self._readers += 1
        reader, self._reading = self._readers, True
        self._heard_at = self._now()
        last = self._heard_at - FRAME_S  # the first one waits for nothing
        while reader == self._readers and not self.abandoned:
            self._begun.clear()
            ready = self._ready()
            passed = self._now() - last
            if ready and passed >= (LOOK_S if any(urgent for _, _, urgent in ready) else FRAME_S):
                last = self._now()
                yield pickle.dumps(self._frame(ready), pickle.HIGHEST_PROTOCOL)
            elif ready:
                # ticks ring a thousand times a second: unless a line begins, nobody looks before the frame's time
                begins = any(part.begins for part in self._parts.values())
                await within(self._begun.wait(), LOOK_S if begins else FRAME_S - passed)
            elif passed >= HEARTBEAT_S:
                last = self._now()
                yield pickle.dumps(self._frame([]), pickle.HIGHEST_PROTOCOL)
            else:
                await within(self._rung.wait(), HEARTBEAT_S - passed)
                self._rung.clear()
        self._reading = reader != self._readers

    def _ready(self) -> list[tuple[Part, int, bool]]:
        self._parts = {key: part for key, part in self._parts.items() if not part.over}
        looked = [(part, *part.ready()) for part in self._parts.values()]
        return [(part, count, urgent) for part, count, urgent in looked if count]

    def _frame(self, ready: list[tuple[Part, int, bool]]) -> Frame:
        """What is ready, the urgent first, as far as a frame reaches."""
        made: list[tuple[str, int, list[Made]]] = []
        size = 0
        for part, count, _ in sorted(ready, key=lambda one: not one[2]):
            if size > FRAME_BYTES:
                break
            made.append((part.key, part.made, part.hand_out(count)))
            size += sum(len(item.picture or b"") for item in made[-1][2] if isinstance(item, Tick))
        return Frame(tuple(made), frozenset(part.key for part in self._parts.values() if part.late))
