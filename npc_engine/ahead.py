"""An iterator on its own thread: bounded, closable, and honest about errors. Imports nothing of ours."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Runs an iterable on a thread of its own and keeps at most `depth` items ready.

    An error of the source is raised where its item would have come. Closing stops the source at its next item and
    closes it on its own thread; an Ahead that is dropped unread stops as soon as it is closed. The reader is in
    `waiting()` while it waits for an item.
    """

    def __init__(
        self,
        source: Iterable[T],
        depth: int,
        name: str = "ahead",
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        if depth < 1:
            msg = f"depth is {depth}, expected 1 or more"
            raise ValueError(msg)
        self._source = source
        self._depth = depth
        self._waiting = waiting
        self._ready: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._done = False
        self._error: BaseException | None = None
        # in the context of who reads it, so that a log tells there what it is about
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        items = iter(self._source)
        try:
            for item in items:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or len(self._ready) < self._depth)
                    if self._closed:
                        return
                    self._ready.append(item)
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - handed over to the reader, who raises it; sys.exit too
            self._error = error
        finally:
            close = getattr(items, "close", None)
            try:
                if close is not None:
                    close()
            finally:
                with self._changed:
                    self._done = True
                    self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if not self._over():
            with self._waiting(), self._changed:
                self._changed.wait_for(self._over)
        with self._changed:
            if self._closed:
                raise StopIteration
            if self._ready:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            raise StopIteration

    def _over(self) -> bool:
        """Whether there is nothing to wait for."""
        return bool(self._ready or self._done or self._closed)

    def ready(self) -> tuple[list[T], bool]:
        """The items that are ready, without waiting, and whether more may come; raises an error of the source.

        What was ready before an error is given out first.
        """
        with self._changed:
            items = list(self._ready)
            self._ready.clear()
            self._changed.notify_all()
            if not items and self._error is not None:
                error, self._error = self._error, None
                raise error
            return items, not (self._closed or (self._done and self._error is None))

    def close(self) -> None:
        """Stop the source at its next item; returns at once, may be called twice and from any thread."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait until the source has ended; whether it did within `timeout_s` seconds."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()


def ahead(
    source: Iterable[T],
    depth: int,
    name: str = "ahead",
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Ahead[T]:
    """Read `source` on its own thread, at most `depth` items ahead of the reader, who waits in `waiting()`."""
    return Ahead(source, depth, name, waiting)
