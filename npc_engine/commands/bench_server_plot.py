"""The figures of `bench server` as a picture; needs matplotlib, which nothing else here does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

LEAST_AHEAD: Final = "#2a6f97"
COMPUTING: Final = "#e07a5f"


def draw(figures: dict[str, Any], path: Path) -> None:
    """Least lead and cores over characters, with and without pictures, and how soon lines begin and end."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for panel, name in zip(panels, ("coefficients", "pictures"), strict=False):
        trials = sorted(figures[f"trials_{name}"], key=lambda one: one["characters"])
        counts = [one["characters"] for one in trials]
        panel.plot(counts, [one["least_ahead_ms"] for one in trials], "o-", color=LEAST_AHEAD)
        panel.axhline(0, color="#999999", linewidth=0.8)
        panel.axvline(figures[f"streams_{name}"], color="#81b29a", linestyle="--")
        panel.set_xlabel("characters at once")
        panel.set_ylabel("least lead of a tick, ms", color=LEAST_AHEAD)
        panel.set_title(f"{figures[f'streams_{name}']} with {name} in real time")
        cores = panel.twinx()
        cores.plot(counts, [one["server_cores"] or 0 for one in trials], "s:", color=COMPUTING)
        cores.set_ylabel("cores of the server", color=COMPUTING)
        cores.set_ylim(bottom=0)
    names = [*(f"first_moment_ms_{n}" for n in (1, 8, 32)), "cancel_ms"]
    labels = ["first, 1", "first, 8", "first, 32", "cut"]
    panels[2].bar(labels, [figures[name]["p95"] for name in names], color="#a8dadc", label="p95")
    panels[2].bar(labels, [figures[name]["p50"] for name in names], color=LEAST_AHEAD, label="p50")
    panels[2].set_ylabel("ms")
    panels[2].set_title("from speak to the first moment; from cancel to silence")
    panels[2].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
