"""npc-engine bench server: characters at once, first moments, cuts, computing, by processes that play in real time."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from npc_engine.cast import Cast
from npc_engine.commands.bench_memory import rss_mb
from npc_engine.commands.bench_server_trial import Trial, probed, trial
from npc_engine.commands.common import Commands, Progress, UsageError, command, table

ABOUT: Final = "measure a server with many characters: how many at once, first moments, cancel, computing"
EXAMPLES: Final = """  npc-engine bench server
  npc-engine bench server --json server.json --plot server.png
  npc-engine bench server --quick                       a minute instead of eight
"""
WANTED: Final = {
    "streams_coefficients": ("≥", 64.0), "streams_pictures": ("≥", 8.0), "first_moment_ms_32 p95": ("≤", 150.0),
    "cancel_ms p99": ("≤", 40.0),
}  # fmt: skip
SPEAKING: Final = (1, 8, 32)  # characters at once, one of them the one whose first moment is measured
CUT: Final = (8, 32)
PICTURE: Final = 512
FIRST: Final = {0: 32, PICTURE: 4}  # characters with which the search begins
MOST: Final = {0: 128, PICTURE: 32}
STEADY: Final = {0: 16, PICTURE: 2}  # at which computing is measured, on a machine with room
_ENDED: Final = re.compile(r"nothing is computed for a line, ([\d.]+) ms after its stop")


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `bench`."""
    parser = command(verbs, "server", ABOUT, EXAMPLES)
    # suppressed: a default here would hide what stands before the verb
    parser.add_argument("--json", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="write the figures there")
    parser.add_argument("--cast", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="folder with your cast")
    parser.add_argument("--npc", default=argparse.SUPPRESS, help="the character (default: the first one with a face)")
    parser.add_argument(
        "--plot", type=Path, default=None, metavar="FILE.png", help="draw the figures (needs matplotlib)"
    )
    parser.add_argument("--quick", action="store_true", help="shorter trials and fewer lines, for a first look")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write; never judges."""
    from npc_engine.commands.bench import machine, served

    cast = Cast.standard(arguments.cast)
    npc = arguments.npc or next((name for name, spec in cast.npcs().items() if spec.face), "")
    if not npc or not cast.npc(npc).face:
        raise UsageError("bench server needs a character with a face; npc-engine faces add makes one")
    if arguments.plot and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib: pip install matplotlib")
    progress = Progress("measuring")
    bench = Bench(npc, progress, quick=arguments.quick)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        options = ("--log-level", "debug", "--log-format", "json", "--log-file", str(log))
        with served(arguments, options) as (process, address, _):
            bench.measure(process.pid, address, log)
            bench.figures["rss_mb"] = rss_mb(process.pid)
    bench.figures["ray"] = _ray(arguments, bench)
    progress.done()
    figures = {"machine": machine(), "npc": npc, "quick": arguments.quick, **bench.figures}
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(f"written to {arguments.json}")
    if arguments.plot:
        from npc_engine.commands.bench_server_plot import draw

        draw(figures, arguments.plot)
        print(f"drawn to {arguments.plot}")
    return 0


class Bench:
    """All that is measured of one server."""

    def __init__(self, npc: str, progress: Progress, *, quick: bool) -> None:
        self.figures: dict[str, Any] = {}
        self._npc = npc
        self._progress = progress
        self._seconds = 4.0 if quick else 9.0
        self._lines = 12 if quick else 40
        self._done = 0

    def measure(self, pid: int, address: str, log: Path) -> None:
        """Fill `figures`, by the server of this process."""
        for speaking in SPEAKING:
            self._latency(address, speaking, log)
        cuts = self.figures.pop("cuts")
        self.figures["cancel_ms"] = spread([ms for speaking in CUT for ms in cuts[speaking]])
        self.figures["cancel_ms_by_characters"] = {speaking: spread(cuts[speaking]) for speaking in CUT}
        for picture, name in ((0, "coefficients"), (PICTURE, "pictures")):
            steady = self._trial(pid, address, STEADY[picture], picture)
            trials = [steady]
            highest = search(
                partial(self._noted, pid, address, picture, trials),
                FIRST[picture],
                MOST[picture],
            )
            suffix = "_pictures" if picture else ""
            self.figures[f"streams_{name}"] = highest
            self.figures[f"cpu_ms_per_character_second{suffix}"] = steady.cpu_ms
            self.figures[f"trials_{name}"] = [one.summary() for one in trials]

    def _noted(self, pid: int, address: str, picture: int, trials: list[Trial], characters: int) -> bool:
        trials.append(self._trial(pid, address, characters, picture))
        return trials[-1].holds

    def _trial(self, pid: int, address: str, characters: int, picture: int) -> Trial:
        self._tell(f"{characters} characters at once" + (f" with pictures of {picture}" if picture else ""))
        return trial(pid, address, self._npc, characters, picture=picture, seconds=self._seconds)

    def _latency(self, address: str, speaking: int, log: Path) -> None:
        self._tell(f"first moments with {speaking} speaking")
        answers = probed(address, self._npc, speaking, self._lines)
        if not answers.first_ms:
            raise UsageError(f"no line of {self._lines} began with {speaking} speaking: {answers.errors[:1]}")
        self.figures[f"first_moment_ms_{speaking}"] = spread(answers.first_ms)
        self.figures.setdefault("cuts", {})[speaking] = silences(answers.cancel_ms, _ends(log))
        self.figures.setdefault("probe_errors", []).extend(answers.errors)
        self.figures["after_cancelled"] = self.figures.get("after_cancelled", 0) + answers.after

    def ray(self, address: str) -> dict[str, Any]:
        """First moments of a server whose lines are performed by Ray."""
        self._tell("first moments by way of Ray")
        return {f"first_moment_ms_{n}": spread(probed(address, self._npc, n, self._lines).first_ms) for n in (1, 8)}

    def _tell(self, what: str) -> None:
        self._done += 1
        self._progress.show(f"[{'█' * min(self._done, 20):20}] {what}")


def _ends(log: Path) -> dict[str, float]:
    """Lines that were cut, by the server's log, and after how many milliseconds nothing was computed for them."""
    found = {}
    for path in (log.with_name(log.name + ".1"), log):
        with contextlib.suppress(OSError):
            for row in path.read_text(encoding="utf-8").splitlines():
                match = _ENDED.search(row)
                if match:
                    found[json.loads(row)["line"]] = float(match[1])
    return found


def silences(cancel_ms: dict[str, float], ends_ms: dict[str, float]) -> list[float]:
    """Milliseconds from each cancel until `cancelled` had come and nothing was computed for the line, at the most.

    `cancel_ms`: to `cancelled`, as the game saw it; `ends_ms`: from the server's stop to the last computing, as it
    tells; lines that had been computed to their ends are not in the second.
    """
    return [ms + ends_ms.get(line, 0.0) for line, ms in cancel_ms.items()]


def search(holds: Callable[[int], bool], first: int, most: int) -> int:
    """The highest number that holds: doubled from `first` on, then halved between; 0 when not even 1 does."""
    good, bad = 0, most + 1
    count = first
    while count < bad and count <= most:
        if holds(count):
            good, count = count, min(2 * count, most) if count < most else most + 1
        else:
            bad = count
    while bad - good > max(1, good // 16):
        count = (good + bad) // 2
        if holds(count):
            good = count
        else:
            bad = count
    return good


def spread(values: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and how many there were."""
    ordered = sorted(values)
    found: dict[str, float] = {"n": len(ordered)}
    for share in (50, 95, 99):
        found[f"p{share}"] = round(ordered[min(len(ordered) - 1, share * len(ordered) // 100)], 1)
    return found


def _ray(arguments: argparse.Namespace, bench: Bench) -> dict[str, Any] | None:
    """The same first moments through a Ray cluster on this machine; None where Ray is not installed."""
    from npc_engine.commands.bench import served

    if importlib.util.find_spec("ray") is None:
        return None
    with served(arguments, ("--log-level", "error", "--ray")) as (_, address, ready_s):
        return {"ready_s": round(ready_s, 1), **bench.ray(address)}


def report(figures: dict[str, Any]) -> None:
    """Print the figures with what is wanted beside them."""
    for name in ("coefficients", "pictures"):
        rows = [tuple(one[key] for key in _COLUMNS) for one in figures[f"trials_{name}"]]
        print(table(rows, tuple(_COLUMNS.values())))
    for key, value in _flat(figures):
        sign, wanted = WANTED.get(key, ("", 0.0))
        print(f"{key:40} {value:>10g}" + (f"   wanted {sign} {wanted:g}" if sign else ""))
    if figures["ray"] is None:
        print("Ray is not installed, so its path was not measured: pip install npc-engine[ray]")
    for error in figures["probe_errors"][:3]:
        print(f"a line failed: {error}")
    machine = figures["machine"]
    print(f"machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']}; players and server share them")


_COLUMNS: Final = {
    "characters": "CHARACTERS", "holds": "REAL TIME", "late_percent": "LATE %", "latest_ms": "LATEST ms",
    "least_ahead_ms": "LEAST AHEAD ms", "thinned_percent": "THINNED %", "messages_a_second": "MESSAGES/s",
    "cpu_ms_per_character_second": "CPU ms/s", "server_cores": "CORES", "players_cores": "PLAYERS' CORES",
}  # fmt: skip


def _flat(figures: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for key in ("streams_coefficients", "streams_pictures", "cpu_ms_per_character_second",
                "cpu_ms_per_character_second_pictures", "rss_mb", "after_cancelled"):  # fmt: skip
        if figures[key] is not None:
            yield key, figures[key]
    for key in (*(f"first_moment_ms_{n}" for n in SPEAKING), "cancel_ms"):
        yield from ((f"{key} {name}", value) for name, value in figures[key].items() if name != "n")
    for key, value in (figures["ray"] or {}).items():
        if isinstance(value, dict):
            yield from ((f"ray {key} {name}", number) for name, number in value.items() if name != "n")
