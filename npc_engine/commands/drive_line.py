"""A live line of an engine as its client sees it: sound that leaves, faces that come back, and how long that took."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

import numpy as np

from npc_engine.client import Client, ClientError
from npc_engine.live.voice import late_samples
from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Exp, Sound
from npc_engine.wire.messages import Cancelled, End, ErrorMessage, Moments

_JAW: Final = CHANNEL["jawOpen"]
SILENT_S: Final = 30.0  # that an engine may take to say anything once the sound is complete: voices are loaded first


class DrivenLine:
    """Sends sound of `rate`, takes moments and grants what came; a tick's delay is that from its last sample on."""

    def __init__(
        self, client: Client, line: str, rate: int, *, denoise: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._line = line
        self._rate = rate
        self._late = late_samples(rate, denoise=denoise)
        self._now = now
        self._left: list[tuple[float, float]] = []  # samples of 24 kHz that have left by a piece, and when it did
        self._samples = 0
        self._complete_at: float | None = None
        self.ended = False
        self.exps: list[Exp] = []
        self.sounds: list[Sound] = []
        self.delays_ms: list[float] = []  # of each tick that holds sound; from the leaving of what it ends with

    def send(self, sound: Sound) -> None:
        """More sound, f32[n]; raises `ClientError` when it can't leave."""
        self._client.hear(self._line, sound)
        self._samples += len(sound)
        self._left.append((self._samples / self._rate * SAMPLE_RATE, self._now()))

    def commit(self) -> None:
        """There is no more."""
        self._client.commit(self._line)
        self._complete_at = self._now()

    def take(self, timeout_s: float) -> None:
        """What has come back; waits for the first of it. `ClientError` where the engine refuses or cuts the line."""
        events = self._client.poll(timeout_s)
        if events and self._complete_at is not None:
            self._complete_at = self._now()
        if self._complete_at is not None and self._now() > self._complete_at + SILENT_S:
            raise ClientError(f"nothing came back for {SILENT_S:g} s after the sound was complete", "", self._line)
        for event in events:
            if isinstance(event, Moments):
                self._note(event)
                self._client.credit(self._line, event.ticks * TICK_MS)
            elif isinstance(event, End):
                self.ended = True
            elif isinstance(event, Cancelled):
                raise ClientError(f"the engine cut the line: {event.reason}", "", self._line)
            elif isinstance(event, ErrorMessage):
                raise ClientError(event.text, event.code, self._line)

    def _note(self, moments: Moments) -> None:
        now = self._now()
        for tick in range(moments.tick, moments.tick + moments.ticks):
            piece = bisect_left(self._left, ((tick + 1) * TICK_SAMPLES - self._late, 0.0))
            if piece < len(self._left):
                self.delays_ms.append(1000 * (now - self._left[piece][1]))
        if moments.exp is not None:
            self.exps.extend(moments.exp)
        if moments.sound is not None:
            self.sounds.append(moments.sound)

    @property
    def ticks(self) -> int:
        """That have come back."""
        return len(self.exps)

    @property
    def sent_s(self) -> float:
        """Seconds of sound that have left."""
        return self._samples / self._rate

    @property
    def jaw(self) -> float:
        """How far the jaw is open now."""
        return float(self.exps[-1][_JAW]) if self.exps else 0.0

    @property
    def last_ms(self) -> float:
        """The delay of the last tick."""
        return self.delays_ms[-1] if self.delays_ms else 0.0

    def delays(self) -> str:
        """The delays in words."""
        if not self.delays_ms:
            return "no tick came back"
        middle, high, most = np.percentile(self.delays_ms, [50, 95, 100])
        return f"a face follows its sound by {middle:.0f} ms (median), {high:.0f} (19 of 20), {most:.0f} at most"
