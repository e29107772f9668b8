"""Clients that come and go for as long as one likes, and what the server holds meanwhile."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from reliability.process import Sample, after, drift_percent, sample, slope
from reliability.served import Served, quick
from reliability.soak_client import PICTURE, run, texts

from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.wire import limits
from npc_engine.wire.messages import ErrorMessage, Warmed

CLIENTS: Final = 6
KILLED: Final = 0.4  # of the clients, in the midst of whatever they do
SAMPLE_S: Final = 1.0
LULL_S: Final = 60.0  # from one lull to the next, in which nobody is there: what is held then can be compared
SETTLE_S: Final = 60.0  # for a server that nobody asks anything to let go of all it held
FIRST_S: Final = 300.0  # for an answer while everything is loaded and drawn for the first time
WARMED: Final = 8  # texts of every character that are made ahead: more speech than the engine keeps in memory
MOST_FAULTS: Final = 50  # that are kept
FORKS: Final = multiprocessing.get_context("forkserver")  # clients begin in milliseconds: what they import is there
FORKS.set_forkserver_preload(["reliability.soak_client"])


@dataclass
class Soaked:
    """What came of a soak."""

    seconds: float = 0.0
    warm_s: float = 0.0
    clients: int = 0
    killed: int = 0
    visits: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)  # by how they ended
    ticks: int = 0  # of lines that have ended
    compared: int = 0  # finished lines whose sound was compared with that of another client's line of the same text
    faults: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    lulls: list[Sample] = field(default_factory=list)  # with nobody there; the first is before the first client
    log: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Everything that is told of it, as JSON can hold it."""
        warm = after(self.samples, self.warm_s)
        times = [s.at_s for s in warm]
        table: dict[str, Any] = {**vars(self), "visits": dict(self.visits), "lines": dict(self.lines)}
        quiet = after(self.lulls, self.warm_s)
        at_s = [s.at_s for s in quiet]
        for name in ("rss_mb", "threads", "descriptors"):
            busy = [float(getattr(s, name)) for s in warm]
            held = [float(getattr(s, name)) for s in quiet]
            table[name] = {
                "drift_percent": round(drift_percent(at_s, held), 2),
                "an_hour": round(3600 * slope(at_s, held), 3),
                "lulls": [round(value, 1) for value in held],
                "busy_drift_percent": round(drift_percent(times, busy), 2),
                "busy_median": sorted(busy)[len(busy) // 2],
                "busy_most": max(busy),
            }
        table["lulls"] = [asdict(s) for s in self.lulls]
        table["samples"] = [asdict(s) for s in self.samples]
        return table


class _Guest:
    """A client process and the file that it writes."""

    def __init__(self, served: Served, number: int, rng: random.Random, folder: Path) -> None:
        self.name = f"c{number}"
        self.out = folder / f"{self.name}.jsonl"
        self.ends_at = time.monotonic() + rng.uniform(1.0, 20.0) if rng.random() < KILLED else float("inf")
        self._read = 0
        self.out.touch()
        self.process = FORKS.Process(
            target=run, args=(served.address, self.name, rng.randint(2, 12), self.out), name=self.name, daemon=True
        )
        self.process.start()

    def told(self) -> list[str]:
        """Whole lines that it has written since the last call."""
        with self.out.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()


class _Books:
    """Takes what clients tell, and compares the sound of lines of one text."""

    def __init__(self, soaked: Soaked) -> None:
        self._soaked = soaked
        self._sums: dict[str, tuple[int, int]] = {}

    def take(self, rows: list[str], name: str) -> None:
        """What a client has written."""
        soaked = self._soaked
        for row in rows:
            if not row.startswith("{"):
                self.fault(f"{name} said: {row}")
                continue
            told = json.loads(row)
            soaked.visits[told["visit"]] += 1
            soaked.lines.update(told["counts"])
            soaked.ticks += told["ticks"]
            for fault in told["faults"]:
                self.fault(f"{name}: {fault}")
            for text, ticks, crc in told["sums"]:
                before = self._sums.setdefault(text, (ticks, crc))
                soaked.compared += 1
                if before != (ticks, crc):
                    self.fault(f"{name}: {text!r} has {ticks} ticks and sum {crc:08x}, others heard {before}")

    def fault(self, text: str) -> None:
        """Keep a fault, while there is room."""
        if len(self._soaked.faults) < MOST_FAULTS:
            self._soaked.faults.append(text)


def soak(
    served: Served,
    seconds: float,
    warm_s: float,
    folder: Path,
    *,
    told: Callable[[Soaked], None] = lambda _soaked: None,
    seed: int = 1,
    lull_s: float = LULL_S,
) -> Soaked:
    """Let CLIENTS processes come and go for so long; `warm_s` of it are left out of what must be flat.

    Every `lull_s` all of them are killed, and what the server holds with nobody there is noted.
    """
    rng = random.Random(seed)
    soaked = Soaked(warm_s=warm_s)
    books = _Books(soaked)
    _visit_once(served)
    began = time.monotonic()
    soaked.lulls.append(sample(served.pid, began))
    guests: list[_Guest] = []
    lull_at = began + lull_s
    while (now := time.monotonic()) < began + seconds:
        while len(guests) < CLIENTS:
            soaked.clients += 1
            guests.append(_Guest(served, soaked.clients, rng, folder))
        for guest in tuple(guests):
            books.take(guest.told(), guest.name)
            if now > guest.ends_at:
                guest.process.kill()
                soaked.killed += 1
            if not guest.process.is_alive():
                guests.remove(guest)
                books.take(guest.told(), guest.name)
                guest.out.unlink()
        soaked.samples.append(sample(served.pid, began))
        soaked.seconds = now - began
        told(soaked)
        if served.process.poll() is not None:
            books.fault(f"the server ended with {served.process.returncode}")
            break
        if now > min(lull_at, began + seconds - SAMPLE_S):
            soaked.killed += len(guests)
            for guest in guests:
                guest.process.kill()
                guest.process.join()
                books.take(guest.told(), guest.name)
                guest.out.unlink()
            guests.clear()
            _settle(served, soaked, books, began)
            lull_at = time.monotonic() + lull_s
        time.sleep(max(0.0, SAMPLE_S - (time.monotonic() - now)))
    soaked.log = served.noise()[:MOST_FAULTS]
    return soaked


def _visit_once(served: Served) -> None:
    """Have every character spoken, seen and warmed, so that what stays is there: threads, faces, a full cache."""
    with Client(served.address, FIRST_S) as client:
        npcs = quick(client.npcs(FIRST_S).npcs)
        for npc in npcs:
            picture = PICTURE if npc.face else 0
            client.speak(npc.name, "Mind the step.", outputs=Outputs(picture=picture), credit_ms=10_000)
            _await(client, lambda: not client.open_lines)
            client.idle(npc.name, seconds=0.1, picture=picture)
            _await(client, lambda: not client.open_lines)
        asked: set[str] = set()
        for text in texts()[:WARMED]:
            for npc in npcs:
                _await(client, lambda: len(asked) < limits.WARMS, asked)
                asked.add(client.warm(npc.name, text))
        _await(client, lambda: not asked, asked)


def _await(client: Client, over: Callable[[], bool], asked: set[str] | None = None) -> None:
    """Hear until it is over; answers to warms leave `asked`."""
    end = time.monotonic() + FIRST_S
    while not over():
        if time.monotonic() > end:
            raise TimeoutError(f"the first visit takes longer than {FIRST_S:g} s")
        for event in client.poll(0.05):
            if isinstance(event, (Warmed, ErrorMessage)) and asked is not None:
                asked.discard(event.id)


def _settle(served: Served, soaked: Soaked, books: _Books, began: float) -> None:
    """Nobody is there: what the server holds then must be what it held before."""
    end = time.monotonic() + SETTLE_S
    before = soaked.lulls[0]
    while True:
        now = sample(served.pid, began)
        if now.threads <= before.threads and now.descriptors <= before.descriptors:
            break
        if time.monotonic() > end:
            books.fault(
                f"with nobody there the server keeps {now.threads} threads and {now.descriptors} descriptors, "
                f"before it had {before.threads} and {before.descriptors}"
            )
            break
        time.sleep(0.2)
    soaked.lulls.append(now)
