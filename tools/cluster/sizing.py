"""How many cores, replicas and gateways so many characters need, by figures measured on a machine like theirs.

    npc-engine bench server --json server.json
    python tools/cluster/measure.py --json cluster.json
    python tools/cluster/sizing.py --server server.json --cluster cluster.json

`n` characters that speak at once need

    cores of replicas   n × c / (1000 × BUSY)     c: ms of processor for each second that a character speaks
    replicas            the same, at one core each
    gateway, ms/s       replicas × a + n × b          a: for each replica, b: for each character that speaks
    gateways            that / (1000 × BUSY), and n / LINES of one, whichever is more

with the share BUSY of a core in use, since first moments wait behind what is being made. The cost of a gateway is
fitted to the cluster's loads (least squares, none below zero); c is multiplied by what a replica uses more than one
process does.
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


def replica_share(report: dict[str, Any]) -> float:
    """What a replica uses more than one process does for the same lines, as a factor: of the largest load of both."""
    alone = report["one process"][-1]["cpu_ms_per_character_second"]["engine"]
    there = report["cluster"][-1]["cpu_ms_per_character_second"]["replicas"]
    return max(1.0, there / alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--server", type=Path, help="JSON of npc-engine bench server (default: the cluster's own figures)"
    )
    parser.add_argument("--cluster", type=Path, required=True, help="JSON of tools/cluster/measure.py")
    arguments = parser.parse_args()
    report = json.loads(arguments.cluster.read_text(encoding="utf-8"))
    link, line = gateway_cost(report["cluster"])
    factor = replica_share(report)
    costs = {"coefficients": report["one process"][-1]["cpu_ms_per_character_second"]["engine"]}
    if arguments.server:
        server = json.loads(arguments.server.read_text(encoding="utf-8"))
        costs = {
            "coefficients": server["cpu_ms_per_character_second"],
            "512 × 512 pictures": server["cpu_ms_per_character_second_pictures"],
        }
    print(f"a replica uses {factor:.2f} times what one process does")
    print(f"a gateway uses {link:.0f} ms/s for a replica and {line:.1f} ms/s for a character that speaks")
    print("\n| characters | speak at once | what | ms each | a core | replica cores | gateways |")
    print("|---:|---:|---|---:|---:|---:|---:|")
    for crowd in CROWDS:
        for share in SHARES:
            speaking = ceil(crowd * share)
            for what, cost in costs.items():
                there = cost * factor
                replicas = ceil(speaking * there / (1000 * BUSY))
                gateways = max(
                    ceil((replicas * link + speaking * line) / (1000 * BUSY)), ceil(speaking / Cluster.most[0])
                )
                row = (
                    f"{crowd:,}",
                    f"{speaking:,}",
                    what,
                    f"{there:.0f}",
                    f"{1000 * BUSY / there:.0f}",
                    f"{replicas:,}",
                )
                print("|", " | ".join(row), "|", gateways, "|")


if __name__ == "__main__":
    main()
