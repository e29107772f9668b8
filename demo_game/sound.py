"""Where sound goes, and how much of it has been heard: the clock that face and subtitles follow.

A speaker plays one line at a time. Positions count samples (24 kHz) from the line's first; they go on after the last
sample handed over, because silence lasts too.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import pygame

from npc_engine.moments import SAMPLE_RATE, Sound

BUFFER: Final = 512  # samples that the device asks for at once: 21 ms
CHUNK: Final = 16 * BUFFER  # at most handed over at once: with one queued, a frame may hang for 340 ms unheard
FADE_MS: Final = 35
SILENT_AHEAD: Final = SAMPLE_RATE // 5


class Speaker(Protocol):
    """Plays a line."""

    def begin(self, now: float, /) -> None:
        """A new line: positions count from 0 again, what was left of another is gone."""
        ...

    def room(self, now: float, /) -> int:
        """Samples that may be handed over now, a multiple of `grain`."""
        ...

    @property
    def grain(self) -> int:
        """What is handed over is a multiple of this many samples."""
        ...

    def put(self, sound: Sound, now: float, /) -> None:
        """Hand over the next f32[n]."""
        ...

    def heard(self, now: float, /) -> int:
        """The sample that is heard at `now` seconds."""
        ...

    def dry(self, now: float, /) -> bool:
        """Whether nothing is left to be heard after what sounds now."""
        ...

    def cut(self, now: float, /) -> None:
        """Fade to silence within 40 ms and drop what was handed over; the position goes on."""
        ...


class NoSoundError(RuntimeError):
    """There is no sound device."""


class MixerSpeaker:
    """pygame's mixer: chunks on one channel, each queued while the one before it sounds.

    SDL mixes whole buffers, and a queued chunk starts with the buffer after the one in which its forerunner ends.
    Chunks of whole buffers therefore follow one another without a gap. The mixer tells no position, only whether the
    queued chunk has begun; a look each frame bounds the position between chunk borders, and the game's clock counts
    within the bounds.
    """

    grain = BUFFER

    def __init__(self) -> None:
        try:
            # no changes allowed: SDL converts when the device wants another rate, we always hand over 24 kHz
            pygame.mixer.init(SAMPLE_RATE, -16, 1, BUFFER, allowedchanges=0)
        except pygame.error as error:
            raise NoSoundError(f"no sound device: {error}") from None
        if pygame.mixer.get_init() != (SAMPLE_RATE, -16, 1):
            raise NoSoundError(f"the mixer opened as {pygame.mixer.get_init()}, expected {(SAMPLE_RATE, -16, 1)}")
        self._channels: list[Any] = [pygame.mixer.Channel(0), pygame.mixer.Channel(1)]
        self._clock = _Count()
        self._sounding = self._queued = 0  # samples of the chunk that sounds and of the one that waits

    def begin(self, _now: float) -> None:
        """A new line."""
        self._channels.reverse()  # the line before may still be fading
        self._channel.stop()
        self._clock = _Count()
        self._sounding = self._queued = 0

    @property
    def _channel(self) -> Any:
        return self._channels[0]

    def room(self, now: float) -> int:
        """Samples that may be handed over now."""
        self._look(now)
        return 0 if self._clock.cut_at is not None or self._queued else CHUNK

    def put(self, sound: Sound, now: float) -> None:
        """Hand over the next samples."""
        self._look(now)
        samples = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
        chunk = pygame.mixer.Sound(buffer=samples.tobytes())
        if self._sounding:
            self._channel.queue(chunk)
            self._queued = len(samples)
        else:
            self._channel.play(chunk)
            self._sounding = len(samples)
            self._clock.start(now)

    def heard(self, now: float) -> int:
        """The sample that is heard."""
        self._look(now)
        # what is mixed now is heard when the device has played the buffer before it
        return max(0, self._clock.at(now) - BUFFER)

    def dry(self, now: float) -> bool:
        """Whether nothing waits behind what sounds now."""
        self._look(now)
        return not self._queued

    def cut(self, now: float) -> None:
        """Fade out, and drop what was handed over."""
        self._channel.fadeout(FADE_MS)
        self._clock.stop(now)

    def _look(self, now: float) -> None:
        """Note whether the queued chunk has begun, and keep the count within what that says."""
        clock = self._clock
        if clock.cut_at is not None:
            return
        if self._queued and self._channel.get_queue() is None:
            clock.low += self._sounding
            self._sounding, self._queued = self._queued, 0
        if self._sounding and not self._queued and not self._channel.get_busy():
            clock.low += self._sounding
            self._sounding = 0
        clock.bound(now, clock.low, clock.low + self._sounding)


class _Count:
    """Samples counted by a clock, within bounds that come from elsewhere."""

    def __init__(self) -> None:
        self.low = 0
        self.cut_at: float | None = None
        self._from = 0.0  # position at `_since`
        self._since: float | None = None

    def start(self, now: float) -> None:
        self._from, self._since = self.at(now), now

    def at(self, now: float) -> int:
        if self._since is None:
            return int(self._from)
        return int(self._from + (now - self._since) * SAMPLE_RATE)

    def bound(self, now: float, low: int, high: int) -> None:
        """Move the count into low..high; while nothing sounds (low = high) it stands still."""
        at = min(max(self.at(now), low), high)
        if at != self.at(now):
            self._from, self._since = float(at), now

    def stop(self, now: float) -> None:
        """From now on only the clock counts."""
        self.start(now)
        self.cut_at = now


class SilentSpeaker:
    """Nobody hears it: the game's clock takes the place of a sound device that is missing."""

    grain = 1

    def __init__(self) -> None:
        self._clock = _Count()
        self._put = 0

    def begin(self, _now: float) -> None:
        """A new line."""
        self._clock, self._put = _Count(), 0

    def room(self, now: float) -> int:
        """Samples that may be handed over now."""
        return 0 if self._clock.cut_at is not None else max(0, self.heard(now) + SILENT_AHEAD - self._put)

    def put(self, sound: Sound, now: float) -> None:
        """Hand over the next samples."""
        if not self._put:
            self._clock.start(now)
        self._put += len(sound)

    def heard(self, now: float) -> int:
        """The sample that is heard."""
        if self._clock.cut_at is None:
            self._clock.bound(now, 0, self._put)
        return self._clock.at(now)

    def dry(self, now: float) -> bool:
        """Whether nothing waits behind what sounds now."""
        return self._put - self.heard(now) < BUFFER

    def cut(self, now: float) -> None:
        """Fade out, and drop what was handed over."""
        self._clock.stop(now)


class TapeSpeaker:
    """A sound track in the making: takes exactly the samples of each step of a film, which are then what was heard."""

    grain = 1

    def __init__(self) -> None:
        self.due = 0  # samples that this step of the film still lacks
        self.track: list[Sound] = []  # what came in this step
        self._heard = 0

    def begin(self, _now: float) -> None:
        """A new line."""
        self._heard = 0

    def room(self, _now: float) -> int:
        """Samples that may be handed over now."""
        return self.due

    def put(self, sound: Sound, _now: float) -> None:
        """Hand over the next samples."""
        self.track.append(sound)
        self.due -= len(sound)
        self._heard += len(sound)

    def heard(self, _now: float) -> int:
        """The sample that is heard."""
        return self._heard

    def dry(self, _now: float) -> bool:
        """Whether nothing waits behind what sounds now."""
        return True

    def cut(self, _now: float) -> None:
        """Nothing is queued; the line's own fade of 5 ms follows."""
