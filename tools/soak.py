"""Clients that come, speak, cancel, stall and vanish: `python tools/soak.py --minutes 10 --json FILE --plot FILE.png`.

A real server with the characters that ship, and six client processes at a time; once a minute all of them die. Written
are the memory, threads and descriptors that the server held, whether every tick of every finished line came once, and
whether all clients heard the same sound of the same text. The exit status is 1 if something was wrong, or if what is
held with nobody there has drifted by more than 2 % after the warm-up.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from reliability.progress import Bar
from reliability.served import Served, real
from reliability.soak import Soaked, soak

WARM = 0.2  # of the time, two minutes at most: allocators and caches fill
WARM_MOST_S = 180.0
FLAT_PERCENT = 2.0


def plot(figures: dict[str, Any], path: Path) -> None:
    """Memory, threads and descriptors over the time."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    samples = figures["samples"]
    minutes = [s["at_s"] / 60 for s in samples]
    picture, axes = plt.subplots(3, 1, figsize=(9, 6.5), sharex=True, layout="constrained")
    rows = (
        ("rss_mb", "memory, MB", "#31688e"),
        ("threads", "threads", "#35b779"),
        ("descriptors", "descriptors", "#b5651d"),
    )
    for axis, (name, label, colour) in zip(axes, rows, strict=True):
        axis.plot(minutes, [s[name] for s in samples], color=colour, linewidth=0.9)
        axis.set_ylabel(label)
        axis.set_ylim(0, 1.15 * max(s[name] for s in samples))
        axis.axvspan(0, figures["warm_s"] / 60, color="0.93", zorder=0)
        axis.grid(color="0.9")
        lulls = figures["lulls"]
        axis.plot([s["at_s"] / 60 for s in lulls], [s[name] for s in lulls], "o", color="0.25", markersize=3)
        axis.set_title(f"drift {figures[name]['drift_percent']:+.1f} %", loc="right", fontsize=9)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    lines = figures["lines"]
    axes[0].set_title(
        f"{lines.get('end', 0)} lines spoken and {lines.get('cancelled', 0)} cut for {figures['clients']} clients, "
        f"{figures['killed']} of them killed", loc="left", fontsize=10,
    )  # fmt: skip
    axes[-1].set_xlabel("minutes (grey: warm-up; dots: nobody there)")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=110)


def wrong(figures: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    rows = [*figures["faults"], *figures["log"]]
    for name in ("rss_mb", "threads", "descriptors"):
        drift = figures[name]["drift_percent"]
        if abs(drift) > FLAT_PERCENT:
            rows.append(f"{name} drifts by {drift:+.1f} %, expected at most {FLAT_PERCENT} % either way")
    return rows


def main() -> int:
    """Soak; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    arguments = parser.parse_args()
    seconds = 60 * arguments.minutes
    bar = Bar("soak", seconds)
    known = 0

    def told(soaked: Soaked) -> None:
        nonlocal known
        for fault in soaked.faults[known:]:
            print(fault, file=sys.stderr, flush=True)
        known = len(soaked.faults)
        now = soaked.samples[-1]
        lines = soaked.lines
        text = f"{lines['end']} lines, {lines['cancelled']} cut, {soaked.clients} clients, {len(soaked.faults)} faults"
        bar.show(soaked.seconds, f"{text}, {now.rss_mb:.0f} MB, {now.threads} threads, {now.descriptors} descriptors")

    with tempfile.TemporaryDirectory() as name, Served(real(Path(name), "--log", "warning"), Path(name)) as served:
        warm_s = min(WARM * seconds, WARM_MOST_S)
        figures = soak(served, seconds, warm_s, Path(name), told=told, seed=arguments.seed).figures()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if arguments.plot:
        plot(figures, arguments.plot)
    print(json.dumps({k: v for k, v in figures.items() if k != "samples"}, indent=1))
    rows = wrong(figures)
    print("\n".join(rows) if rows else "all as it should be")
    return int(bool(rows))


if __name__ == "__main__":
    sys.exit(main())
