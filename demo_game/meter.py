"""What the engine and the game achieve, measured while they do it, for the F3 overlay and the tests."""

from __future__ import annotations

from collections import deque
from typing import Any

import pygame

from demo_game.frame import CREAM, GOLD, Letters
from demo_game.pixels import clear
from demo_game.speech import PICTURE_EVERY, Seen, Speech
from npc_engine.moments import SAMPLE_RATE, TICK_MS

WINDOW_S = 2.0
_MS = SAMPLE_RATE // 1000


class Meter:
    """Figures of the last two seconds, and of each line's first moment."""

    def __init__(self) -> None:
        self.first_moments_ms: dict[str, float] = {}
        self.offsets_ms: deque[tuple[float, float]] = deque(
            maxlen=512
        )  # (when, offset), one a frame with a speaking face
        self._frames: deque[tuple[float, float]] = deque(maxlen=512)  # (when, milliseconds of work)
        self._pictures: deque[float] = deque(maxlen=128)
        self._shown: tuple[str, int] = ("", -1)

    def first_moment(self, line: str, seconds: float) -> None:
        """A line's first moment came so long after it was asked for."""
        self.first_moments_ms.setdefault(line, seconds * 1000)

    def frame(self, now: float, work_s: float) -> None:
        """A frame was shown that took `work_s` to make."""
        self._frames.append((now, work_s * 1000))

    def heard(self, speech: Speech, seen: Seen, now: float, stay: float) -> None:
        """Note the picture that this frame shows, and how far it is from the sound heard meanwhile; positive is ahead.

        Middles count: a picture belongs to 40 ms of sound, and the frame stays on the screen for `stay` seconds.
        """
        if seen.picture_tick < 0 or seen.closed > 0 or speech.cut_at is not None:
            return
        if (speech.line, seen.picture_tick) != self._shown:
            self._shown = (speech.line, seen.picture_tick)
            self._pictures.append(now)
        middle = seen.picture_tick * TICK_MS + PICTURE_EVERY * TICK_MS / 2
        self.offsets_ms.append((now, middle - seen.heard / _MS - stay * 500))

    def fps(self, now: float) -> float:
        """Frames a second."""
        return sum(1 for when, _ in self._frames if when > now - WINDOW_S) / WINDOW_S

    def work_p99_ms(self) -> float:
        """Milliseconds of work that 99 of 100 frames stay below."""
        work = sorted(ms for _, ms in self._frames)
        return work[min(len(work) - 1, int(len(work) * 0.99))] if work else 0.0

    def picture_fps(self, now: float) -> float:
        """Different faces shown a second, over the last second."""
        return float(sum(1 for when in self._pictures if when > now - 1))

    def draw(self, screen: Any, letters: Letters, speech: Speech | None, now: float) -> None:
        """The overlay."""
        recent = [offset for when, offset in self.offsets_ms if when > now - WINDOW_S]
        firsts = list(self.first_moments_ms.values())
        mean = sum(recent) / len(recent) if recent else 0.0
        rows = (
            ("first moment", f"{firsts[-1]:.0f} ms" if firsts else "–"),
            ("frames", f"{self.fps(now):.0f} fps   p99 {self.work_p99_ms():.1f} ms"),
            ("pictures", f"{self.picture_fps(now):.0f} fps"),
            ("face to sound", f"{mean:+.0f} ms   ({min(recent):+.0f} to {max(recent):+.0f})" if recent else "–"),
            ("buffered", f"{speech.buffered_ms} ms" if speech is not None else "–"),
            ("under-runs", f"{speech.hush}" if speech is not None else "–"),
        )
        back = clear(330, 20 + 24 * len(rows))
        pygame.draw.rect(back, (18, 13, 27, 205), back.get_rect(), border_radius=8)
        screen.blit(back, (930, 20))
        for number, (name, value) in enumerate(rows):
            letters.draw(screen, letters.small, name, (946, 30 + number * 24), GOLD)
            letters.draw(screen, letters.small, value, (1070, 30 + number * 24), CREAM)
