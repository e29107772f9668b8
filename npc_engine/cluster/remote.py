"""A line that a replica performs, as the wire thread of the gateway sees it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from npc_engine.cluster.orders import Committed, Heard, Order, Taken, Word, Written, speech_ms, window
from npc_engine.moments import TICK_SAMPLES, Exp, Sound, breathed
from npc_engine.server.metrics import Work
from npc_engine.server.performer import LEFT_TICKS, Complete, Failed, Made, Tick
from npc_engine.wire.effects import Start


class Placing(Protocol):
    """Who brings lines to replicas (`links.Links`); any thread may call."""

    def place(self, line: Remote) -> None:
        """Have a line performed."""
        ...

    def tell(self, line: Remote, word: Word, *, urgent: bool) -> None:
        """Tell the replica that performs the line; nobody, where none does at the moment."""
        ...

    def drop(self, line: Remote) -> None:
        """Nobody wants the rest of the line."""
        ...


class Remote:
    """What replicas have made of a line, at most `window` ticks of it; `wake` says that there is more.

    The wire thread calls what `Performing` has, the thread of the links the rest. All text is kept, so that another
    replica can perform the line again where one is lost: it makes the same things, and what came before is not sent.
    """

    def __init__(self, start: Start, begin: Exp, breath: float, placing: Placing, wake: Callable[[], None]) -> None:
        self.line = start.line
        self.key = ""  # of the performance that goes on
        self.lost_at = 0.0  # when its replica was lost; 0: none was since something last came
        self.stopped = False
        self.late = False  # its sound comes too late, for want of time, and no replica has more
        self.work = Work()  # as far as it is seen from here
        self._start = start
        self._begin = begin, breath
        self._placing = placing
        self._wake = wake
        self._lock = threading.Lock()
        self._ready: deque[Made] = deque()
        self._left: deque[tuple[int, Exp]] = deque(maxlen=LEFT_TICKS)
        self._made = self._ticks = self._taken = self._told = 0  # things and ticks that came, ticks that left, as told
        self._written: list[str] = []
        self._complete = not (start.open or start.live)
        self._unheard: deque[Sound] = deque()  # live sound, until a replica has it
        self._placed = self._finished = False
        self._gone = threading.Event()

    # ── the wire thread ───────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Have it performed."""
        self._placing.place(self)

    def stop(self) -> None:
        """Drop what is ready and have no more made; returns at once."""
        with self._lock:
            self.stopped = True
            self._ready.clear()
            self._unheard.clear()
        self._placing.drop(self)

    def join(self, timeout_s: float) -> bool:
        """Wait until the replica has been told to stop; whether it has."""
        return self._gone.wait(timeout_s)

    def append(self, text: str) -> None:
        """More of an open line's text."""
        with self._lock:
            self._written.append(text)
            word = Written(self.key, text)  # of this performance: another one begins with the text
            if not self._placed:
                return
        self._placing.tell(self, word, urgent=True)

    def hear(self, sound: Sound) -> None:
        """More of a live line's sound."""
        with self._lock:
            if not self._placed:
                self._unheard.append(sound)
                return
            word = Heard(self.key, sound)
        self._placing.tell(self, word, urgent=True)

    def commit(self) -> None:
        """An open line's text, or a live line's sound, is complete."""
        with self._lock:
            self._complete = True
            word = Committed(self.key)
            if not self._placed:
                return
        self._placing.tell(self, word, urgent=True)

    def peek(self, most: int) -> list[Made]:
        """The first things that are ready, at most `most` of them."""
        with self._lock:
            return [self._ready[i] for i in range(min(most, len(self._ready)))]

    def take(self, count: int) -> None:
        """Remove the first `count`; the replica makes as many more, and is told when a third of a window has left."""
        with self._lock:
            for _ in range(count):
                made = self._ready.popleft()
                if isinstance(made, Tick):
                    self._taken += 1
                    self._left.append((made.tick, made.exp))
            if not self._placed or self._taken - self._told < window(self.line) // 3:
                return
            self._told = self._taken
            word = Taken(self.key, self._taken)
        self._placing.tell(self, word, urgent=False)

    def seen(self, tick: int) -> tuple[Exp, float]:
        """The face f32[50] in a tick that was taken, or in the nearest one that is remembered, and its breath, 0..1."""
        with self._lock:
            if not self._left:
                return self._begin
            first, last = self._left[0][0], self._left[-1][0]
            at = min(max(tick, first), last)
            return self._left[at - first][1], breathed(at)

    # ── the thread of the links ───────────────────────────────────────────────────────────────────────────────

    def order(self, key: str, gateway: str) -> Order:
        """What to perform now, under a new key; what comes under an older one is not wanted any more."""
        with self._lock:
            self.key = key
            self._placed = False
            self._told = self._taken
            return Order(
                key,
                gateway,
                replace(self._start, undrawn=self._ticks),
                *self._begin,
                tuple(self._written),
                self._complete and not self._start.live,  # sound that nobody has heard yet comes before
                self._made,
                self._taken,
            )

    def placed(self, order: Order) -> list[Word]:
        """A replica has the order: what it does not know yet."""
        with self._lock:
            self._placed = True
            words: list[Word] = [Written(order.key, text) for text in self._written[len(order.written) :]]
            words += [Heard(order.key, sound) for sound in self._unheard]
            self._unheard.clear()
            if self._complete and not order.complete:
                words.append(Committed(order.key))
            if self._taken > order.taken:
                words.append(Taken(order.key, self._taken))
            return words

    @property
    def owes_ms(self) -> int:
        """Estimated sound of the whole line, in ms."""
        return speech_ms(self.line, sum(map(len, self._written)))

    @property
    def begun_live(self) -> bool:
        """Whether its sound has gone to a replica, and is kept nowhere."""
        return self._start.live and self._placed

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return self._finished

    def receive(self, first: int, made: list[Made]) -> bool:
        """Things from the `first` one on have come; whether they follow what came before."""
        with self._lock:
            if self.stopped:
                return True
            if first != self._made:
                return False
            self._ready.extend(made)
            self._made += len(made)
            self._finished = isinstance(made[-1], (Complete, Failed))
            ticks = [item for item in made if isinstance(item, Tick)]
            self._ticks += len(ticks)
            self.work.samples += TICK_SAMPLES * len(ticks)
            self.work.pictures += sum(tick.picture is not None for tick in ticks)
        self._wake()
        return True

    def fail(self, code: str, text: str) -> None:
        """It can't be performed."""
        with self._lock:
            if self.stopped:
                return
            self._ready.append(Failed(code, text))
        self._wake()

    def lost(self) -> None:
        """Its replica is gone."""
        self.lost_at = self.lost_at or time.monotonic()

    def gone(self) -> None:
        """Nothing is made for it any more."""
        self._gone.set()
