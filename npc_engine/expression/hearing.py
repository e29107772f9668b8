"""Listens to one line and reads, for each tick, what the network says once it has heard enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression import mel
from npc_engine.expression.network import ROWS, Stepping
from npc_engine.expression.window import AHEAD, BEHIND
from npc_engine.moments import TICK_SAMPLES, Sound

F32 = npt.NDArray[np.float32]

# Ticks stepped at once: few at first, so that the first expression leaves after a few milliseconds, then many, since a
# block of 25 costs a tenth per tick of what single ticks cost
FIRST_BLOCKS: Final = (8, 16)
BLOCK: Final = 25


class Hearing:
    """Mel, network and window of one line.

    Tick t is read from the window of tick t + lookahead, so its values do not depend on how the sound was cut; only
    where a clause ends, what has been heard has to do.
    """

    def __init__(self, network: Stepping, lookahead: int) -> None:
        self._network = network
        self._lookahead = lookahead  # ticks, -3..6
        self._mel_state = mel.start()
        self._state = network.start()
        self._waiting: list[Sound] = []  # sound that the network has not heard
        self._unheard = 0  # ticks of it
        self._heard = 0  # ticks that the network has heard
        self._read = 0  # ticks that have been read
        self._blocks = 0
        self._windows: F32 | None = None  # f32[n, 10, 50] of the ticks before `_heard`, as far back as will be read

    def listen(self, sound: Sound) -> None:
        """Take whole ticks of sound, -1..1; the network steps when they are read."""
        if len(sound) % TICK_SAMPLES:
            raise ValueError(f"sound has {len(sound)} samples, expected a multiple of {TICK_SAMPLES}")
        if len(sound):
            self._waiting.append(sound)
            self._unheard += len(sound) // TICK_SAMPLES

    def read(self, *, ends: bool) -> Iterator[F32]:
        """Yield blocks f32[n, 50] of the ticks that can be read now, in order; at the end of a clause, of all."""
        while self._unheard:
            self._step()
            # with a negative look-ahead ticks are read from the past, but not before their sound is there
            ready = min(self._heard - self._lookahead, self._heard + self._unheard)
            if ready > self._read:
                yield self._taken(ready)
        if ends and self._heard > self._read:
            yield self._taken(self._heard)

    def _step(self) -> None:
        wanted = FIRST_BLOCKS[self._blocks] if self._blocks < len(FIRST_BLOCKS) else BLOCK
        self._blocks += 1
        block = self._pulled(min(wanted, self._unheard))
        rows, self._mel_state = mel.step(block, self._mel_state)
        ticks = len(rows) // ROWS
        window, _, self._state = self._network.step(rows.reshape(1, ticks, ROWS * mel.BANDS), self._state)
        before = self._windows
        self._windows = window[0] if before is None else np.concatenate([before[-(BEHIND + AHEAD) :], window[0]])
        self._heard += ticks

    def _pulled(self, ticks: int) -> Sound:
        """The oldest `ticks` ticks of the sound that waits."""
        need, parts = ticks * TICK_SAMPLES, []
        while need:
            first = self._waiting[0]
            parts.append(first[:need])
            if len(first) > need:
                self._waiting[0] = first[need:]
            else:
                self._waiting.pop(0)
            need -= len(parts[-1])
        self._unheard -= ticks
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _taken(self, until: int) -> F32:
        """Ticks `_read` .. `until` out of the windows."""
        assert self._windows is not None  # noqa: S101 - something was heard
        ticks = np.arange(self._read, until)
        sources = np.clip(ticks + self._lookahead, 0, self._heard - 1)
        oldest = self._heard - len(self._windows)
        self._read = until
        found: F32 = self._windows[sources - oldest, BEHIND + ticks - sources]
        return found
