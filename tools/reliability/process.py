"""What a process holds (memory, threads, descriptors) and whether that stays flat."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PLAIN_POINTS = 400  # between which slopes are taken; the median of 80,000 is as robust as that of all


@dataclass(frozen=True)
class Sample:
    """A process at a moment."""

    at_s: float
    rss_mb: float
    threads: int
    descriptors: int


def sample(pid: int, since: float) -> Sample:
    """A process now, by /proc; `since` on the monotonic clock."""
    folder = Path(f"/proc/{pid}")
    rows = dict(row.split(":", 1) for row in (folder / "status").read_text(encoding="utf-8").splitlines() if ":" in row)
    return Sample(
        time.monotonic() - since,
        int(rows["VmRSS"].split()[0]) / 1024,
        int(rows["Threads"]),
        len(list((folder / "fd").iterdir())),
    )


def slope(times: list[float], values: list[float]) -> float:
    """The median of the slopes between all pairs of points (Theil and Sen): no burst and no outlier moves it."""
    step = max(1, len(times) // PLAIN_POINTS)
    points = list(zip(times[::step], values[::step], strict=True))
    slopes = [(b - a) / (t - s) for (s, a), (t, b) in itertools.combinations(points, 2) if t > s]
    return float(np.median(slopes)) if slopes else 0.0


def drift_percent(times: list[float], values: list[float]) -> float:
    """How much the values drift over the whole time, in percent of their median, up or down."""
    if len(times) < 3:
        return 0.0
    return 100 * slope(times, values) * (times[-1] - times[0]) / float(np.median(values))


def after(samples: list[Sample], warm_s: float) -> list[Sample]:
    """Those that were taken after the warm-up."""
    return [s for s in samples if s.at_s >= warm_s]
