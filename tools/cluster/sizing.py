"""How many cores, replicas and gateways so many characters need, by figures measured on a machine like theirs.

    python tools/cluster/measure.py --json cluster.json
    python tools/cluster/measure.py --picture 512 --lines 1 4 8 --json pictures.json
    python tools/cluster/sizing.py cluster.json pictures.json

`n` characters that speak at once need

    cores of replicas   n × c / (1000 × BUSY)     c: ms of processor for each second that a character speaks
    replicas            the same, at one core each
    gateway, ms/s       replicas × a + n × b          a: for each replica, b: for each character that speaks
    gateways            that / (1000 × BUSY), and n / LINES of one, whichever is more

with the share BUSY of a core in use, since first moments wait behind what is being made. The cost of a gateway is
fitted to the cluster's loads (least squares, none below zero); c is what replicas used at the largest load.
"""

from __future__ import annotations

import argparse
import json
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from npc_engine.cluster.company import Cluster

BUSY = 0.7
CROWDS = (100, 1_000, 10_000)
SHARES = (0.02, 0.1)  # of the characters that speak at the same time: a quiet scene, and a market


def gateway_cost(loads: list[dict[str, Any]]) -> tuple[float, float]:
    """Processor ms a second for each replica, and for each character that speaks."""
    used = [load["lines"] * load["cpu_ms_per_character_second"]["gateway"] for load in loads]
    lines = [load["lines"] for load in loads]
    slope, base = np.polyfit(lines, used, 1) if len(loads) > 1 else (0.0, used[0])
    replicas = 2
    return max(0.0, float(base)) / replicas, max(0.0, float(slope))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path, nargs="+", help="JSON of tools/cluster/measure.py")
    table = ["| characters | speak at once | with | c | at once a core | cores of replicas | gateways |"]
    table.append("|---:|---:|---|---:|---:|---:|---:|")
    for path in parser.parse_args().reports:
        report = json.loads(path.read_text(encoding="utf-8"))
        edge = report["picture"]
        what = f"{edge} × {edge} pictures" if edge else "coefficients"
        link, line = gateway_cost(report["cluster"])
        print(f"{what}: a gateway uses {link:.0f} ms/s for a replica and {line:.1f} ms/s for a character that speaks")
        cost = report["cluster"][-1]["cpu_ms_per_character_second"]["replicas"]
        for crowd in CROWDS:
            for share in SHARES:
                speaking = ceil(crowd * share)
                replicas = ceil(speaking * cost / (1000 * BUSY))
                used = replicas * link + speaking * line
                gateways = max(ceil(used / (1000 * BUSY)), ceil(speaking / Cluster.most[0]))
                cells = (
                    f"{crowd:,}",
                    f"{speaking:,}",
                    what,
                    f"{cost:.0f} ms",
                    f"{1000 * BUSY / cost:.0f}",
                    f"{replicas:,}",
                )
                table.append(f"| {' | '.join(cells)} | {gateways} |")
    print("", *table, sep="\n")


if __name__ == "__main__":
    main()
