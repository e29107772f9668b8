"""A cluster of two nodes on this machine beside one process: first moments, processor time, and what a loss costs.

    python tools/cluster/measure.py [--lines 1 8 32] [--seconds 10] [--json FILE]

Everything is real: servers and gateway are processes of `npc-engine serve`, games speak to them over TCP and play in
real time. Processor time is that of all cores; on a busy machine compare the columns of one run with each other.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npc_engine.cast import Cast
from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.wire.messages import Cancelled, End, ErrorMessage, Moments

ROOT = Path(__file__).parents[2]
TEXTS = [line for line in (ROOT / "tests/npc_lines.txt").read_text(encoding="utf-8").splitlines() if line]
CAST = Cast.standard()
NPCS = [
    name
    for name, spec in sorted(CAST.characters().items())
    if spec.face and CAST.face(spec.face)[0].engine == "portrait" and CAST.voice(spec.voice)[0].engine == "hibari"
]
LINES_A_CLIENT = 8
TICKS_S = 50


@contextmanager
def serving(log: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """An `npc-engine serve` on a free port; its address and process."""
    command = [sys.executable, "-m", "npc_engine.cli", "serve", "--address", "tcp://127.0.0.1:*", "--cache", "off"]
    log.unlink(missing_ok=True)
    process = subprocess.Popen([*command, "--log-file", str(log), *options], cwd=ROOT)  # noqa: S603
    try:
        found = None
        while found is None:
            assert process.poll() is None, f"serve {options} ended with {process.returncode}"
            time.sleep(0.1)
            found = re.search(r"answers on (tcp://\S+)", log.read_text(encoding="utf-8") if log.exists() else "")
        yield found[1], process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def replicas(*nodes: Any) -> list[int]:
    """Processes of the replicas on some of the cluster's nodes; there may be other clusters on this machine."""
    parents = {node.all_processes["raylet"][0].process.pid for node in nodes}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::ServeReplica:npc-engine"):
                fields = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
                if int(fields[1]) in parents:
                    found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


def cpu_s(pids: list[int]) -> float:
    """Processor seconds that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> int:
    """Resident memory of a process."""
    row = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    assert row is not None
    return int(row[1]) // 1024


class Player:
    """Games that play `count` lines at once in real time."""

    def __init__(self, address: str, count: int, seconds: float, outputs: Outputs) -> None:
        self.clients = [Client(address, 60, f"player{k}") for k in range(-(-count // LINES_A_CLIENT))]
        self.asked: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.ticks: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.late = self.messages = 0
        self.gaps: dict[str, float] = {}
        self._came: dict[str, float] = {}
        self._open: dict[str, Client] = {}
        for k in range(count):
            client = self.clients[k // LINES_A_CLIENT]
            text = " ".join(TEXTS[(k + n) % len(TEXTS)] for n in range(round(seconds)))
            line = client.speak(NPCS[k % len(NPCS)], text, outputs=outputs, turn="beside", line=f"line{k}")
            self.asked[line] = time.monotonic()
            self.ticks[line] = self.heard[line] = 0
            self._open[line] = client

    def play(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._open and time.monotonic() < end:
            for client in self.clients:
                for event in client.poll(0.002):
                    self._take(event)
            self._hear()

    def _take(self, event: object) -> None:
        now = time.monotonic()
        if isinstance(event, Moments):
            line = event.line
            self.messages += 1
            assert event.tick == self.ticks[line], f"{line}: tick {event.tick} came, expected {self.ticks[line]}"
            self.first.setdefault(line, now)
            due = self.first[line] + 0.3 + event.tick / TICKS_S
            self.late += event.ticks * (now > due)
            self.gaps[line] = max(self.gaps.get(line, 0.0), now - self._came.get(line, now))
            self._came[line] = now
            self.ticks[line] += event.ticks
        elif isinstance(event, (End, Cancelled, ErrorMessage)):
            assert not isinstance(event, ErrorMessage), event
            self._open.pop(event.line, None)

    def _hear(self) -> None:
        now = time.monotonic()
        for line, client in self._open.items():
            if line in self.first:
                heard = min(self.ticks[line], int((now - self.first[line]) * TICKS_S))
                if heard - self.heard[line] >= 2:
                    client.credit(line, 20 * (heard - self.heard[line]))
                    self.heard[line] = heard

    def close(self) -> None:
        for client in self.clients:
            client.close()


def loaded(address: str, pids: dict[str, list[int]], count: int, seconds: float, outputs: Outputs) -> dict[str, object]:
    """`count` lines in real time: first moments, late ticks, processor ms for each second that a character speaks."""
    before = {name: cpu_s(ids) for name, ids in pids.items()}
    player = Player(address, count, seconds, outputs)
    player.play(seconds)
    cpu = {name: cpu_s(ids) - before[name] for name, ids in pids.items()}
    spoken = sum(player.ticks.values()) / TICKS_S
    first = sorted(1000 * (player.first[line] - player.asked[line]) for line in player.first)
    player.close()
    return {
        "lines": count,
        "first_ms_p50": round(statistics.median(first), 1),
        "first_ms_p95": round(first[min(len(first) - 1, int(0.95 * len(first)))], 1),
        "late_percent": round(100 * player.late / max(1, sum(player.ticks.values())), 2),
        "messages_s": round(player.messages / seconds),
        "cpu_ms_per_character_second": {name: round(1000 * used / spoken, 1) for name, used in cpu.items()},
    }


def alone(address: str, count: int = 20) -> dict[str, float]:
    """First moments of short lines, one after the other."""
    first = []
    with Client(address, 60) as client:
        for k in range(count):
            asked = time.monotonic()
            for event in client.say(NPCS[k % len(NPCS)], TEXTS[k % len(TEXTS)]):
                if isinstance(event, Moments) and event.tick == 0:
                    asked = 1000 * (time.monotonic() - asked)
            first.append(asked)
    first = sorted(first[2:])
    return {"first_ms_min": round(first[0], 1), "first_ms_p50": round(statistics.median(first), 1)}


def loss(address: str, log: Path, kill: Callable[[], object], count: int = 8) -> dict[str, object]:
    """Lines in real time of which `kill` takes a replica away: the longest pause between two messages of a line."""
    player = Player(address, count, 14, Outputs())
    player.play(3)
    player.gaps.clear()
    before = len(log.read_text(encoding="utf-8"))
    kill()
    player.play(9)
    player.close()
    said = log.read_text(encoding="utf-8")[before:]
    return {
        "lines": count,
        "moved_after_ms": [int(ms) for ms in re.findall(r"goes on, (\d+) ms after", said)],
        "longest_pause_ms": round(1000 * max(player.gaps.values())),
        "late_ticks": player.late,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--picture", type=int, default=0, help="edge of pictures at 25 a second (default none)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as RayCluster

    outputs = Outputs(picture=arguments.picture)
    report: dict[str, object] = {"cores": os.cpu_count(), "picture": arguments.picture}
    log = Path(tempfile.mkdtemp()) / "serve.log"
    with serving(log) as (address, process):
        report["one process, a line at a time"] = alone(address)
        pids = {"engine": [process.pid]}
        report["one process"] = [loaded(address, pids, n, arguments.seconds, outputs) for n in arguments.lines]
        print(json.dumps(report, indent=2), flush=True)
    node = {"num_cpus": 1, "object_store_memory": 200 << 20}
    nodes = RayCluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    first, second = nodes.head_node, nodes.add_node(**node)
    options = ("--ray", nodes.address, "--ray-replicas", "2", "--ray-cpus", "1")
    with serving(log, *options) as (address, process):
        report["cluster, a line at a time"] = alone(address)
        pids = {"gateway": [process.pid], "replicas": replicas(first, second)}
        assert len(replicas(second)) == 1, "the replicas are not on a node each"
        report["cluster"] = [loaded(address, pids, n, arguments.seconds, outputs) for n in arguments.lines]
        report["memory_mb"] = {"gateway": memory_mb(process.pid), "replica": memory_mb(replicas(second)[0])}
        report["a replica killed"] = loss(address, log, lambda: os.kill(replicas(second)[0], signal.SIGKILL))
        until = time.monotonic() + 60
        while not replicas(second) and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(8)  # it loads its voices
        report["a node killed"] = loss(address, log, lambda: nodes.remove_node(second, allow_graceful=False))
    nodes.shutdown()
    print(json.dumps(report, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
