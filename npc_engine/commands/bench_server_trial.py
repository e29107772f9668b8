"""One trial of `bench server`: so many characters at once, played in real time by processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from npc_engine.commands.bench_server_player import SPREAD_S, Job, Played
from npc_engine.commands.bench_server_probe import Answers, Asking
from npc_engine.commands.common import UsageError

PLAYERS: Final = 32  # characters of one process: four connections
STARTING_S: Final = 1.5  # for the processes to import what they need
SETTLING_S: Final = 3.0  # after the last one has begun to speak
LATE: Final = 0.001  # share of ticks that may come late where real time is kept
PROBE_S: Final = 1.5  # that a line of the probe takes at most, on a machine that can do it
WHOLE: Final = 0.9  # share of the pictures that must come


@dataclass(slots=True)
class Trial:
    """What a number of characters at once came to."""

    characters: int
    picture: int
    seconds: float
    seen: Played = field(default_factory=Played)
    server_cpu_s: float | None = None

    @property
    def late(self) -> float:
        """Share of the ticks that came late."""
        return self.seen.late / self.seen.ticks if self.seen.ticks else 1.0

    @property
    def thinned(self) -> float:
        """Share of the pictures that did not come."""
        return 1 - self.seen.pictures / self.seen.pictures_wanted if self.picture and self.seen.pictures_wanted else 0.0

    @property
    def holds(self) -> bool:
        """Whether real time was kept, without an error, and with nine pictures in ten."""
        return self.late <= LATE and not self.seen.errors and self.thinned <= 1 - WHOLE

    @property
    def cpu_ms(self) -> float | None:
        """Milliseconds of the server's computing for a second of one character."""
        return None if self.server_cpu_s is None else round(1000 * self.server_cpu_s / max(self.seen.heard_s, 1e-9), 2)

    def summary(self) -> dict[str, Any]:
        """The figures that are written."""
        return {
            "characters": self.characters,
            "holds": self.holds,
            "speaking": round(self.seen.heard_s / self.seconds, 1),
            "late_percent": round(100 * self.late, 3),
            "latest_ms": round(self.seen.latest_ms, 1),
            "least_ahead_ms": round(self.seen.least_ahead_ms, 1),
            "thinned_percent": round(100 * self.thinned, 1),
            "pictures": self.seen.pictures,
            "lines": self.seen.lines,
            "messages_a_second": round(self.seen.messages / self.seconds),
            "mb_a_second": round(self.seen.bytes / self.seconds / 1e6, 2),
            "cpu_ms_per_character_second": self.cpu_ms,
            "server_cores": None if self.server_cpu_s is None else round(self.server_cpu_s / self.seconds, 2),
            "players_cores": round(self.seen.cpu_s / self.seconds, 2),
            "errors": self.seen.errors[:3],
        }


def trial(pid: int, address: str, npc: str, characters: int, *, picture: int, seconds: float) -> Trial:
    """Let `characters` speak at once for `seconds`, after they have settled."""
    start = time.monotonic() + STARTING_S
    begin = start + SPREAD_S + SETTLING_S
    end = begin + seconds
    with playing(address, npc, characters, picture=picture, start=start, begin=begin, end=end) as processes:
        _until(begin)
        before = cpu_s(pid)
        _until(end)
        after = cpu_s(pid)
        found = Trial(characters, picture, seconds, _together([said(process) for process in processes]))
    if before is not None and after is not None:
        found.server_cpu_s = after - before
    return found


@contextmanager
def playing(
    address: str, npc: str, characters: int, *, picture: int, start: float, begin: float, end: float
) -> Iterator[list[subprocess.Popen[str]]]:
    """The processes that play `characters`; they are gone afterwards."""
    processes = []
    try:
        for first in range(0, characters, PLAYERS):
            count = min(PLAYERS, characters - first)
            job = Job(address, npc, count, first, picture, start, begin, end)
            processes.append(launched("npc_engine.commands.bench_server_player", asdict(job)))
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def launched(module: str, job: dict[str, Any]) -> subprocess.Popen[str]:
    """`python -m module` with `job` as JSON; what it finds is on its output."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **single, "PYTHONIOENCODING": "utf-8"},
    )


def probed(address: str, npc: str, characters: int, lines: int) -> Answers:
    """How soon lines begin and end that are asked one after the other while `characters` speak, themselves included."""
    start = time.monotonic() + STARTING_S
    asking = start + SPREAD_S + 1.0
    end = asking + PROBE_S * lines + 5.0
    others = characters - 1
    with playing(address, npc, others, picture=0, start=start, begin=asking, end=end):
        probe = launched("npc_engine.commands.bench_server_probe", asdict(Asking(address, npc, lines, 97, asking)))
        return Answers(**said(probe, wait_s=asking + 60 + 12 * lines - time.monotonic()))


def said(process: subprocess.Popen[str], wait_s: float = 60.0) -> dict[str, Any]:
    """What a process has found, as it ends."""
    try:
        out, _ = process.communicate(timeout=wait_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise UsageError(f"a process that plays characters was not done after {wait_s:.0f} s more") from None
    if process.returncode:
        raise UsageError(f"a process that plays characters ended with code {process.returncode}; its message is above")
    found: dict[str, Any] = json.loads(out)
    return found


def _together(found: list[dict[str, Any]]) -> Played:
    """What all processes have seen."""
    whole = Played(least_ahead_ms=min(one["least_ahead_ms"] for one in found))
    whole.latest_ms = max(one["latest_ms"] for one in found)
    for one in found:
        for key, value in one.items():
            if key not in {"least_ahead_ms", "latest_ms"}:
                setattr(whole, key, getattr(whole, key) + value)
    return whole


def _until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def cpu_s(pid: int) -> float | None:
    """Seconds that a process has computed so far; None where the system does not tell (all but Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
