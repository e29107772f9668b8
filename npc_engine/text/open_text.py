"""Text that is still being written while it is spoken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

IDLE_S: Final = 30.0  # that a writer may take from one piece to the next


class TextTimeoutError(TimeoutError):
    """An open text was neither added to nor committed for too long."""


class OpenText:
    """Pieces of text as a player or a language model writes them; written on one thread, read once on another.

    Reading waits for the next piece. It ends after `commit`, at once after `close`, and raises `TextTimeoutError`, with
    every piece read before, when nothing comes for `idle_s` seconds.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._changed = threading.Condition()
        self._pieces: list[str] = []
        self._ended = False

    def append(self, text: str) -> None:
        """Add characters; raises `ValueError` after `commit` or `close`."""
        with self._changed:
            if self._ended:
                raise ValueError("append after commit: the text is complete")
            self._pieces.append(text)
            self._changed.notify_all()

    def commit(self) -> None:
        """The text is complete."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody wants the rest."""
        with self._changed:
            self._ended = True
            self._pieces.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[str]:
        while True:
            with self._changed:
                until = time.monotonic() + self._idle_s
                while not self._pieces and not self._ended:
                    left = until - time.monotonic()
                    if left <= 0:
                        raise TextTimeoutError(
                            f"open text: neither append nor commit for {self._idle_s:g} s; what had come was spoken"
                        )
                    self._changed.wait(left)
                if not self._pieces:
                    return
                piece = "".join(self._pieces)
                self._pieces.clear()
            yield piece
