"""How the C library keeps memory that threads have used."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

ARENAS: Final = 2
"""Heaps of glibc; by default eight for each core, and each keeps what the largest line in it ever needed.

Lines have threads of their own, which begin and end all the time and are given the heaps in turn: with 16 of them an
engine of two cores held a fifth more after five minutes, and grew twice as fast (docs/reliability.md).
"""
_M_ARENA_MAX: Final = -8  # malloc.h


def few_arenas() -> None:
    """Have threads share ARENAS heaps, before any begins; nothing happens where the C library is not glibc."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
