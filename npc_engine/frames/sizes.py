"""What is ready for the picture sizes that were last asked for: a game asks for one or two, but may ask for any."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

SIZES: Final = 3  # kept of a face
PIXELS: Final = 2048 * 2048
"""Kept of a face, all sizes together: three of 1182 pixels, or one of the largest.

A portrait takes about 30 bytes for each, a drawn head 80: three sizes near 2048 of all that ship took gigabytes."""


class Sizes(Generic[T]):
    """Makes by `prepare(size)` what a size needs, once, and keeps the last ones used. Safe for several threads."""

    def __init__(self, prepare: Callable[[int], T]) -> None:
        self._prepare = prepare
        self._kept: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, size: int) -> T:
        """What pictures of `size` x `size` pixels need; others wait while it is made."""
        with self._lock:
            found = self._kept.get(size)
            if found is not None:
                self._kept.move_to_end(size)
                return found
            found = self._kept[size] = self._prepare(size)
            while len(self._kept) > 1 and (len(self._kept) > SIZES or sum(kept**2 for kept in self._kept) > PIXELS):
                self._kept.popitem(last=False)
            return found

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
