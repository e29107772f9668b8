"""What the wire thread needs of a line that is being performed, and of who performs it: here, or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from npc_engine.moments import Exp, Line, Sound
from npc_engine.server.gate import Gate
from npc_engine.server.idling import Idler, Idling
from npc_engine.server.metrics import Work
from npc_engine.server.pace import Shortage
from npc_engine.server.performer import Made, Performer, Rests
from npc_engine.server.stage import Stage
from npc_engine.server.turns import Turns
from npc_engine.server.warmer import Warmer, WarmFailed
from npc_engine.wire.effects import Prepare, Start
from npc_engine.wire.messages import Warmed


class Performing(Protocol):
    """A line whose ticks are being made; only the wire thread calls this."""

    @property
    def line(self) -> Line:
        """What is said."""
        ...

    @property
    def work(self) -> Work:
        """What has been done for it so far, as far as is known here; `ticks` and `send_s` are the wire thread's."""
        ...

    @property
    def late(self) -> bool:
        """Whether what is heard of it comes too late, for want of time to make it."""
        ...

    def begin(self) -> None:
        """Start; called once."""
        ...

    def stop(self) -> None:
        """Drop what is ready and make no more; returns at once, may be called twice."""
        ...

    def join(self, timeout_s: float) -> bool:
        """Wait until nothing is made any more; whether that is so."""
        ...

    def append(self, text: str) -> None:
        """More of an open line's text."""
        ...

    def hear(self, sound: Sound) -> None:
        """More of a live line's sound."""
        ...

    def commit(self) -> None:
        """An open line's text, or a live line's sound, is complete."""
        ...

    def peek(self, most: int) -> Sequence[Made]:
        """The first things that are ready, at most `most` of them."""
        ...

    def take(self, count: int) -> None:
        """Remove the first `count`; as many more are made."""
        ...

    def seen(self, tick: int) -> tuple[Exp, float]:
        """The face f32[50] in a tick that was taken, and its breath, 0..1."""
        ...


class Warming(Protocol):
    """Makes speech ahead, or loads a character; clients are known by their connections."""

    def add(self, client: bytes, prepare: Prepare) -> bool:
        """Take a job; False when as many wait as may."""
        ...

    def forget(self, client: bytes) -> None:
        """Drop the jobs of a client that is gone."""
        ...

    def take(self) -> list[tuple[bytes, Warmed | WarmFailed]]:
        """What has been done since the last call, with the client that asked."""
        ...

    def stop(self) -> None:
        """End; returns at once."""
        ...

    def join(self, timeout_s: float) -> bool:
        """Wait for threads; whether they have ended."""
        ...


class Company(Protocol):
    """Who performs a server's lines."""

    @property
    def most(self) -> tuple[int, int]:
        """Lines that can speak at once, and lines that say nothing."""
        ...

    @property
    def warmer(self) -> Warming:
        """Who makes speech ahead."""
        ...

    def performing(self, start: Start, begin: Exp, breath: float) -> Performing:
        """A line, not begun yet. `begin` f32[50]: the face that it begins with, and its `breath`, 0..1."""
        ...

    def stop(self) -> None:
        """The server ends; returns at once. Every line has been stopped."""
        ...

    def join(self, timeout_s: float) -> bool:
        """Wait for threads besides those of lines; whether they have ended."""
        ...


Assemble: TypeAlias = Callable[[Callable[[], None]], Company]
"""The company of a server whose wire thread is woken by the argument when there is more to send."""


class Local:
    """Lines are performed in this process: one that speaks on a thread of its own, those that say nothing by one.

    One that speaks holds two threads, one that says nothing a face's pose and four ticks.
    """

    most = 128, 256

    def __init__(self, stage: Stage, wake: Callable[[], None], text_idle_s: float) -> None:
        self.warmer = Warmer(stage, wake)
        self._stage = stage
        self._wake = wake
        self._text_idle_s = text_idle_s
        self._rests = Rests(stage)
        self._idler = Idler(wake)
        self._shortage = Shortage()
        self._gate = Gate()

    def performing(self, start: Start, begin: Exp, breath: float) -> Performing:
        """A line, not begun yet."""
        if start.line.attitude:
            return Idling(
                start, self._stage, self._rests, self._idler, shortage=self._shortage, begin=begin, breath=breath
            )
        return Performer(
            start,
            self._stage,
            self._rests,
            self._wake,
            Turns(self._gate, start.line, start.client),
            text_idle_s=self._text_idle_s,
            shortage=self._shortage,
            begin=begin,
            breath=breath,
        )

    def stop(self) -> None:
        """The server ends."""
        self._idler.stop()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread of lines that say nothing."""
        return self._idler.join(timeout_s)
