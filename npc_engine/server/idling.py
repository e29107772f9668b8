"""Lines that say nothing: one thread makes the ticks of all of them, as games use them up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextvars import copy_context
from dataclasses import replace
from typing import Final

from npc_engine.moments import NEUTRAL, Exp, Moment, Sound, breathed
from npc_engine.performance import perform
from npc_engine.server.metrics import Work
from npc_engine.server.pace import Shortage
from npc_engine.server.performer import Complete, Made, Rests, Tick, counted, failed, prepared
from npc_engine.server.stage import Stage
from npc_engine.wire.effects import Start

READY_TICKS: Final = 4  # made ready beyond the client's credit: two pictures; more would be drawn for nothing at a cut


class Idling:
    """A line that says nothing; to the wire thread it is what a `Performer` is.

    Its character is loaded on a short thread of its own, since a file may take its time; its ticks are made by `idler`.
    `begin` f32[50]: the face that it begins with, and its `breath`, 0..1.
    """

    def __init__(
        self,
        start: Start,
        stage: Stage,
        rests: Rests,
        idler: Idler,
        *,
        shortage: Shortage | None = None,
        begin: Exp = NEUTRAL,
        breath: float = 0.0,
    ) -> None:
        self.late = False  # nobody hears it
        self.line = replace(start.line, pace=self._edge)
        self._shortage = shortage or Shortage()
        self._face = begin  # as last taken, f32[50]
        self._breath = breath  # as last taken
        self._start = start
        self._stage = stage
        self._rests = rests
        self._idler = idler
        self._begin = begin, breath
        self._made: deque[tuple[Made, Exp]] = deque()
        self._ticks = 0  # made
        self._moments: Generator[Moment, None, None] | None = None  # once loaded, while there are more
        self._lock = threading.Lock()
        self._stopped = False
        self.work = Work()
        self._context = copy_context()  # tells the log what this is about
        name, run = f"idling {start.line.id}", self._context.copy().run
        self._thread = threading.Thread(target=run, args=(self._prepare,), name=name, daemon=True)

    def _edge(self, tick: int) -> int:
        """Of the picture that is due in a tick; but for the first, none is drawn while lines that speak want time."""
        if tick < self._start.undrawn:
            return 0
        if tick and self._shortage and self.line.outputs.thin:
            self.work.thinned += 1
            return 0
        return self.line.outputs.picture

    def begin(self) -> None:
        """Load the character, then make ticks."""
        self._thread.start()

    def stop(self) -> None:
        """Drop what is ready and make no more; returns at once."""
        with self._lock:
            self._stopped = True
            self._made.clear()
        self._idler.hurry(self)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread that loads the character; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def seen(self, tick: int) -> tuple[Exp, float]:  # noqa: ARG002 - what is sent of it is shown at once
        """The face f32[50] in the last tick that was taken, and its breath, 0..1."""
        with self._lock:
            return self._face, self._breath

    def append(self, text: str) -> None:
        """Raise `ValueError`: it has no text."""
        raise ValueError(f"line {self.line.id!r} says nothing, but {text[:40]!r} came for it")

    def hear(self, sound: Sound) -> None:
        """Raise `ValueError`: it is not live."""
        raise ValueError(f"line {self.line.id!r} says nothing, but {len(sound)} samples of sound came for it")

    def commit(self) -> None:
        """Raise `ValueError`: it has no text."""
        raise ValueError(f"line {self.line.id!r} says nothing and has no text to complete")

    def peek(self, most: int) -> list[Made]:
        """The first things that are ready, at most `most` of them."""
        with self._lock:
            return [self._made[i][0] for i in range(min(most, len(self._made)))]

    def take(self, count: int) -> None:
        """Remove the first `count`; as many more are made."""
        with self._lock:
            for _ in range(count):
                made, self._face = self._made.popleft()
                if isinstance(made, Tick):
                    self._breath = breathed(made.tick)
        self._idler.hurry(self)

    def make(self) -> bool:
        """Make the next tick, if one is wanted; whether another one is. Called by the idler's thread only."""
        if self._moments is None:
            return False
        if self._stopped:
            self._close()
            return False
        if len(self._made) >= READY_TICKS:
            return False
        try:
            began = time.thread_time()
            moment = next(self._moments, None)
            self.work.picture_s += time.thread_time() - began  # nothing else costs much in a face that says nothing
            made: Made = Complete() if moment is None else counted(self._ticks, moment, self._stage, self.work)
        except BaseException as error:  # noqa: BLE001 - `failed` logs what nobody expected
            moment, made = None, self._context.run(failed, self._start, self._stage, error)
        self._ticks += 1
        self._put(made, self._face if moment is None else moment.exp)
        if moment is None:
            self._close()
        return self._moments is not None and len(self._made) < READY_TICKS

    def _close(self) -> None:
        if self._moments is not None:
            self._moments.close()
            self._moments = None

    def _prepare(self) -> None:
        try:
            npc, begun = prepared(self._start, self._stage, self._rests)
        except BaseException as error:  # noqa: BLE001 - `failed` logs what nobody expected
            self._put(failed(self._start, self._stage, error), self._face)
            return
        self._put(begun, self._face)
        self._moments = perform(self.line, npc, *self._begin)
        self._idler.hurry(self)

    def _put(self, made: Made, face: Exp) -> None:
        with self._lock:
            if self._stopped:
                return
            self._made.append((made, face))
        self._idler.wake()


class Idler:
    """One thread for all lines that say nothing, a tick of each in turn: one core at most, however many they are.

    `wake` says that there is more to send.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self._turns: deque[Idling] = deque()
        self._waiting: set[Idling] = set()  # for their turn; a line waits once
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None  # begun when first needed

    def hurry(self, line: Idling) -> None:
        """A line wants ticks, or wants no more: it gets its turn."""
        with self._changed:
            if self._stopped or line in self._waiting:
                return
            self._waiting.add(line)
            self._turns.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="idler", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """End at the next tick; returns at once."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._turns)
                if self._stopped:
                    return
                line = self._turns.popleft()
                self._waiting.remove(line)
            if line.make():
                self.hurry(line)
