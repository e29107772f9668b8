"""The sound track of a film of a live game: what a speaker plays, cut into the pieces that belong to each picture."""

from __future__ import annotations

from collections import deque

import numpy as np

from demo_game.sound import FADE_MS, Speaker
from npc_engine.moments import SAMPLE_RATE, Sound

SLACK = SAMPLE_RATE * 30 // 1000  # that the track may lie beside what is heard, before it jumps
_FADE = SAMPLE_RATE * FADE_MS // 1000


class TapedSpeaker:
    """A speaker whose sound is also kept until `take` has put it on the track."""

    def __init__(self, inner: Speaker) -> None:
        self._inner = inner
        self._kept: deque[Sound] = deque()
        self._first = 0  # position of the first kept sample
        self._reading = False

    @property
    def grain(self) -> int:
        """As the speaker's."""
        return self._inner.grain

    def begin(self, now: float) -> None:
        """A new line."""
        self._inner.begin(now)
        self._kept.clear()
        self._first, self._reading = 0, False

    def room(self, now: float) -> int:
        """As the speaker's."""
        return self._inner.room(now)

    def put(self, sound: Sound, now: float) -> None:
        """Play, and keep."""
        self._inner.put(sound, now)
        self._kept.append(sound)

    def heard(self, now: float) -> int:
        """As the speaker's."""
        return self._inner.heard(now)

    def dry(self, now: float) -> bool:
        """As the speaker's."""
        return self._inner.dry(now)

    def cut(self, now: float) -> None:
        """Fade, on the track as in the room."""
        self._inner.cut(now)
        fade = self._pull(_FADE) * np.linspace(1, 0, _FADE, dtype=np.float32)
        self._kept.clear()
        self._kept.append(fade)
        self._first -= _FADE

    def take(self, samples: int, now: float) -> Sound:
        """The next f32[samples] of the track: what is heard at `now`, silence where there is nothing."""
        heard = self._inner.heard(now)
        if heard <= 0 and not self._reading:
            return np.zeros(samples, np.float32)
        if not self._reading or abs(heard - self._first) > SLACK:
            skip = heard - self._first
            if skip > 0:
                self._pull(skip)
            self._reading = True
        return self._pull(samples)

    def _pull(self, samples: int) -> Sound:
        out = np.zeros(samples, np.float32)
        done = 0
        while done < samples and self._kept:
            piece = self._kept.popleft()
            n = min(samples - done, len(piece))
            out[done : done + n] = piece[:n]
            done += n
            if n < len(piece):
                self._kept.appendleft(piece[n:])
        self._first += samples
        return out
