"""A client's link to an engine: the greeting, messages both ways, and which lines are open."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

from npc_engine.connection import DEFAULT_ADDRESS, ClientError, Connection, Curve
from npc_engine.keys import KeyPair, key_pair, public_key
from npc_engine.wire import limits
from npc_engine.wire.messages import LOST, Cancelled, End, ErrorMessage, Hello, Reply, Request, Welcome

Event: TypeAlias = Reply
"""What `Client.poll` gives: Accepted, Moments, Words, MarkAt, End, Cancelled, ErrorMessage, Pong, Warmed, Npcs, Stats,
and Welcome when the engine came back after the connection broke."""

REFUSED: Final = "refused"
"""Code of a `ClientError`: the engine is there, and does not let this client in."""
GREET_S: Final = 0.05  # from one look for a refusal, which is no event, to the next


class Link:
    """What `Client` rests on; its arguments are those of `Client`."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        timeout_s: float = 5.0,
        name: str = "python",
        *,
        server_key: str | Path = "",
        key: str | Path | KeyPair = "",
    ) -> None:
        self.address = address
        self.welcome: Welcome
        self._timeout_s = timeout_s
        self._name = name
        self._open: set[str] = set()
        self._greeted = False
        self._waiting: deque[Event] = deque()  # came while `say` or `npcs` waited for something else
        if bool(server_key) != bool(key):
            given, lacking = ("server_key", "key") if server_key else ("key", "server_key")
            raise ClientError(f"{given} came without {lacking}: an engine that asks for keys needs both")
        self._connection = Connection(address, Curve(public_key(server_key), key_pair(key)) if key else None)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        end = time.monotonic() + self._timeout_s
        while not self._greeted:
            self._check_refused()
            left = end - time.monotonic()
            if left <= 0:
                hint = self._connection.trouble or "start one with `npc-engine serve`"
                raise ClientError(f"no engine answered at {self.address} in {self._timeout_s:g} s; {hint}")
            for event in self._receive(min(left, GREET_S)):
                if isinstance(event, ErrorMessage):
                    raise ClientError(f"the engine at {self.address} refused: {event.text}", event.code)

    @property
    def open_lines(self) -> frozenset[str]:
        """Ids of the lines that have not ended, as far as events were polled."""
        return frozenset(self._open)

    @property
    def connected(self) -> bool:
        """Whether an engine is there and has answered the greeting, as far as events were polled."""
        return self._greeted

    def close(self) -> None:
        """End the connection; the engine stops what it was saying. May be called twice."""
        self._connection.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _need(self, capability: str) -> None:
        if self._greeted and capability not in self.welcome.capabilities:
            raise ClientError(
                f"the engine at {self.address}, release {self.welcome.engine}, knows no {capability!r}: update it",
                "unknown-kind",
            )

    def _check_refused(self) -> None:
        if self._connection.refused:
            raise ClientError(f"the engine at {self.address} refused: {self._connection.refused}", REFUSED)

    def _send(self, message: Request) -> None:
        self._check_refused()
        if not self._greeted or not self._connection.send(message):
            raise ClientError(f"no engine at {self.address}; start one with `npc-engine serve`", LOST)

    def _receive(self, timeout_s: float) -> list[Event]:
        """The events that are here; waits for the first."""
        events: list[Event] = []
        end = time.monotonic() + timeout_s
        while True:
            self._take(events)
            for connected in self._connection.changes():
                if connected:
                    self._connection.send(Hello(limits.WIRE_VERSION, self._name))
                else:
                    self._lose(events)
            left = end - time.monotonic()
            if events or left <= 0:
                return events
            self._connection.wait(left)

    def _take(self, events: list[Event]) -> bool:
        """Add what has come and is of interest; whether there may be more."""
        replies = self._connection.read()
        events += [reply for reply in replies if self._note(reply)]
        return bool(replies)

    def _note(self, event: Event) -> bool:
        """Keep the books of open lines; whether the event is of interest."""
        line = event.line
        if isinstance(event, Welcome):
            self.welcome, self._greeted = event, True
        elif isinstance(event, ErrorMessage):
            if event.ends:
                self._open.discard(line)
        elif line and line not in self._open:
            return False  # of a line that a broken connection has ended
        elif isinstance(event, (End, Cancelled)):
            self._open.discard(line)
        return True

    def _lose(self, events: list[Event]) -> None:
        """End the open lines of a connection that broke."""
        while self._take(events):  # what the engine said before it went
            pass
        self._greeted = False
        events += [ErrorMessage(LOST, f"the engine at {self.address} is gone", line) for line in sorted(self._open)]
        self._open.clear()
