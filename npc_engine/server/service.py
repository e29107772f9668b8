"""A server in the foreground of a process that others start, stop and reload by signals."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Final

from npc_engine.server.server import Server

LOG: Final = logging.getLogger(__name__)
POLL_S: Final = 0.2  # from one look whether the wire thread lives to the next
STOP: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name))
HANGUP: Final = getattr(signal, "SIGHUP", None)  # not on Windows


class Signals:
    """Collects signals while the block lasts, since a handler may do next to nothing itself; main thread only.

    Those that stop raise `SystemExit` until `next` is called for the first time: nothing has begun that could be
    finished. A process that is number 1 in a container has no other way to hear them.
    """

    def __init__(self) -> None:
        self._came: SimpleQueue[int] = SimpleQueue()  # whose `put` may interrupt a `get`, unlike an Event's `set`
        self._waiting = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:  # noqa: PYI034 - Self comes with Python 3.11
        for number in (*STOP, HANGUP):
            # who has ignored a hangup, as nohup does, goes on ignoring it
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def next(self, timeout_s: float) -> int:
        """The next signal; 0 when none came in time."""
        self._waiting = True
        with contextlib.suppress(Empty):
            return self._came.get(timeout=timeout_s)
        return 0

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number in STOP and not self._waiting:
            raise SystemExit(128 + number)
        self._came.put(number)


def serve(server: Server, signals: Signals, *, drain_s: float, reload: Callable[[], None]) -> None:
    """Serve until told to stop; raises `ServerError` when the wire thread fails.

    The first signal to stop lets lines that speak end, for up to `drain_s` seconds; the second one cuts them. A hangup
    calls `reload`, unless a terminal is there to hang up: then it stops.
    """
    draining = False
    try:
        while not server.wait(0):
            came = signals.next(POLL_S)
            if came == HANGUP and came and not _at_terminal():
                reload()
            elif came and not draining:
                draining = True
                LOG.info("%s: lines are finished for up to %g s, new ones are refused", _name(came), drain_s)
                server.drain(drain_s)
            elif came:
                LOG.info("%s again: what still speaks is cut", _name(came))
                return
    finally:
        server.stop()


def _at_terminal() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _name(number: int) -> str:
    return signal.Signals(number).name
