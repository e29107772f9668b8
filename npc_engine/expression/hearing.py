"""Listens to one line and reads, for each tick, what the network says once it has heard enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression import mel
from npc_engine.expression.network import ROWS, Stepping
from npc_engine.expression.window import AHEAD, BEHIND
from npc_engine.moments import TICK_SAMPLES, Sound

F32 = npt.NDArray[np.float32]

# Ticks stepped at once: few at first, so that the first expression leaves after a few milliseconds, then many, since a
# block of 25 costs a fifth per tick of what single ticks cost
FIRST_BLOCKS: Final = (8, 16)
BLOCK: Final = 32
AFTER: Final = 3  # ticks after the one that is read, whose visemes are told with it

# A microphone's offset, which no voice has: the slow mean of its sound stays under the first of these
OFFSET: Final = (0.02, 0.04)  # mean at which it begins to be, and is wholly, taken off
SLOW: Final = 25  # ticks of the mean


@dataclass(frozen=True, slots=True)
class Heard:
    """What the network says about n ticks."""

    exp: F32  # f32[n, 50]
    likely: F32  # f32[n, 1 + AFTER, 15], P of each viseme in the tick and in those after it


class Hearing:
    """Mel, network and window of one line.

    Tick t is read from the window of tick t + lookahead, so its values do not depend on how the sound was cut; only
    where a clause ends, what has been heard has to do. `advance`: ticks by which coefficients are read early, to undo
    a delay that follows; at most as far as the window reaches, which a look-ahead of advance - 60 ms grants.
    """

    def __init__(self, network: Stepping, lookahead: int, advance: int = 0) -> None:
        self._network = network
        self._lookahead = lookahead  # ticks, -3..6
        self._advance = advance  # ticks, 0..
        self._mel_state = mel.start()
        self._state = network.start()
        self._waiting: list[Sound] = []  # sound that the network has not heard
        self._unheard = 0  # ticks of it
        self._heard = 0  # ticks that the network has heard
        self._read = 0  # ticks that have been read
        self._blocks = 0
        self._windows: F32 | None = None  # f32[n, 10, 50] of the ticks before `_heard`, as far back as will be read
        self._visemes: F32 | None = None  # f32[n, 10, 15], logits of the same
        self._offset = 0.0
        self._means = 0  # that the offset is the mean of

    def listen(self, sound: Sound) -> None:
        """Take whole ticks of sound, -1..1; the network steps when they are read."""
        if len(sound) % TICK_SAMPLES:
            raise ValueError(f"sound has {len(sound)} samples, expected a multiple of {TICK_SAMPLES}")
        if len(sound):
            self._waiting.append(sound)
            self._unheard += len(sound) // TICK_SAMPLES

    def read(self, *, ends: bool) -> Iterator[Heard]:
        """Yield blocks of the ticks that can be read now, in order; at the end of a clause, of all."""
        while self._unheard:
            self._step()
            # with a negative look-ahead ticks are read from the past, but not before their sound is there
            ready = min(self._heard - self._lookahead, self._heard + self._unheard)
            if ready > self._read:
                yield self._taken(ready)
        if ends and self._heard > self._read:
            yield self._taken(self._heard)

    def _step(self) -> None:
        if self._blocks < len(FIRST_BLOCKS):
            wanted = FIRST_BLOCKS[self._blocks]
        else:  # in equal parts: a small rest would cost nearly as much as a whole block
            wanted = -(-self._unheard // -(-self._unheard // BLOCK))
        self._blocks += 1
        block = self._pulled(min(wanted, self._unheard))
        rows, self._mel_state = mel.step(self._centred(block), self._mel_state)
        ticks = len(rows) // ROWS
        window, visemes, self._state = self._network.step(rows.reshape(1, ticks, ROWS * mel.BANDS), self._state)
        self._windows, self._visemes = _joined(self._windows, window[0]), _joined(self._visemes, visemes[0])
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

    def _centred(self, block: Sound) -> Sound:
        """Whole ticks of sound without the offset of a bad microphone; sound that has none comes back as it is."""
        means = block.reshape(-1, TICK_SAMPLES).mean(axis=1).tolist()
        offsets = [self._offset if self._means else means[0]]
        for mean in means:
            self._means = min(self._means + 1, SLOW)
            self._offset += (mean - self._offset) / self._means
            offsets.append(self._offset)
        slow = np.array(offsets, np.float32)
        sure = np.clip((np.abs(slow) - OFFSET[0]) / (OFFSET[1] - OFFSET[0]), 0, 1)
        if not sure.any():
            return block
        at = np.arange(1, len(block) + 1, dtype=np.float32) / TICK_SAMPLES
        return block - np.interp(at, np.arange(len(slow)), slow * sure).astype(np.float32)

    def _taken(self, until: int) -> Heard:
        """Ticks `_read` .. `until` out of the windows."""
        assert self._windows is not None  # noqa: S101 - something was heard
        assert self._visemes is not None  # noqa: S101
        ticks = np.arange(self._read, until)
        sources = np.clip(ticks + self._lookahead, 0, self._heard - 1)
        rows = sources - (self._heard - len(self._windows))
        place = BEHIND + ticks - sources
        last = BEHIND + AHEAD
        self._read = until
        exp = self._windows[rows, np.minimum(place + self._advance, last)]
        following = np.minimum(place[:, None] + np.arange(1 + AFTER), last)
        logits = self._visemes[rows[:, None], following]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return Heard(exp, odds / odds.sum(axis=-1, keepdims=True))


def _joined(before: F32 | None, new: F32) -> F32:
    """Windows that may still be read, and new ones."""
    return new if before is None else np.concatenate([before[-(BEHIND + AHEAD) :], new])
