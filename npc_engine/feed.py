"""Pieces of text out of an iterator that may take its time, for a loop that must not wait for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from npc_engine.ahead import ahead

PIECES: Final = 64  # read of the iterator before they can leave


class Feed:
    """Reads `pieces` on a thread of its own; `close` it, also after an error."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = ahead(pieces, PIECES, "pieces")
        self.complete = False  # all have been taken

    def take(self) -> str:
        """What has come since the last call, joined; raises what reading the pieces raised."""
        new, more = self._pieces.ready()
        self.complete = not more
        return "".join(new)

    def close(self) -> None:
        """Stop reading at the next piece; returns at once."""
        self._pieces.close()
