"""A bar that fills: rewritten in place on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

import sys
import time

WIDTH = 30


class Bar:
    """Shows how much of `total` is done, and what is told with it."""

    def __init__(self, what: str, total: float, done: float = 0.0) -> None:
        self._what = what
        self._total = total
        self._began = time.monotonic()
        self._before = done
        self._tenth = int(10 * done / total) if total else 10
        self._shown = 0.0

    def show(self, done: float, text: str = "") -> None:
        """`done` of the total, at most ten times a second."""
        now = time.monotonic()
        share = min(1.0, done / self._total) if self._total else 1.0
        left = (now - self._began) / max(done - self._before, 1e-9) * max(self._total - done, 0)
        bar = "█" * round(WIDTH * share) + "░" * (WIDTH - round(WIDTH * share))
        line = f"{self._what} {bar} {share:4.0%}  {int(left) // 60}:{int(left) % 60:02} left  {text}"
        if sys.stderr.isatty():
            if now - self._shown > 0.1 or share >= 1:
                self._shown = now
                print(f"\r{line}\x1b[K", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)
        elif int(10 * share) > self._tenth:
            self._tenth = int(10 * share)
            print(line, file=sys.stderr, flush=True)
