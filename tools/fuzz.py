"""Mutated messages against the engine: `python tools/fuzz.py --messages 1000000 --socket 100000`.

First decoder, session and playback in this process, then a real server over real sockets, with strangers that speak
half of ZeroMQ and a client that is served meanwhile. What goes wrong is kept in tests/fuzz_finds, where the tests hear
it again; give such a file the name of its fault. `--json FILE` is written as it goes, and a run that finds its file
goes on from there. The exit status is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reliability.conversations import Conversations
from reliability.goldens import FINDS
from reliability.messages import Tally, fuzz_block
from reliability.process import Sample, after, drift_percent
from reliability.progress import Bar
from reliability.served import Served, real
from reliability.socket_side import Visit, fuzz_socket

PART = 10_000  # messages over a socket after which the file is written
WARM = 0.3  # of the messages over the socket, before memory is compared


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_process(state: dict[str, Any], messages: int, seed: int, save: Callable[[], None]) -> None:
    """Decoder, session and playback; `memory_mb` holds the most that this process held after each tenth."""
    tally = Tally(**state.get("messages", {}))
    memory = state.setdefault("memory_mb", [])
    conversations = Conversations()
    bar = Bar("decoder and session", messages, tally.messages)
    block = state.get("blocks", 0)
    while tally.messages < messages:
        began = time.monotonic()
        fuzz_block(conversations, seed, block, tally)
        block += 1
        state["seconds"] = state.get("seconds", 0.0) + time.monotonic() - began
        if block % 100 == 0:
            memory.append(round(_memory_mb(), 1))
            state.update(messages=asdict(tally), blocks=block)
            save()
        bar.show(tally.messages, f"{tally.messages} messages, {len(tally.finds)} finds")
    state.update(messages=asdict(tally), blocks=block)


def over_socket(state: dict[str, Any], messages: int, seed: int, save: Callable[[], None]) -> None:
    """A real server with the characters that ship, in parts that are written as they end; one server for all."""
    done = state.setdefault("socket", {"messages": 0, "parts": [], "samples": []})
    bar = Bar("over a socket", messages, done["messages"])
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(real(Path(folder), "--log", "warning"), Path(folder)) as served,
    ):
        began = time.monotonic()
        while done["messages"] < messages:
            before = done["messages"]

            def told(count: int, visit: Visit, before: int = before) -> None:
                held = visit.samples[-1]
                text = f"{before + count} messages, {held.rss_mb:.0f} MB, {held.threads} threads"
                bar.show(before + count, text)

            offset = time.monotonic() - began
            part = min(PART, messages - before)
            visit = fuzz_socket(served, part, seed + len(done["parts"]), FINDS, told)
            samples = [{**asdict(s), "at_s": offset + s.at_s} for s in visit.samples]
            done["parts"].append({**vars(visit), "codes": dict(visit.codes), "samples": len(samples)})
            done["samples"] += samples
            done["messages"] += visit.messages
            done["log"] = served.noise()
            save()
            bar.show(done["messages"], f"{done['messages']} messages")


def summary(state: dict[str, Any]) -> list[str]:
    """What came of it, for people."""
    rows = []
    if tally := state.get("messages"):
        rows.append(
            f"{tally['messages']} mutated messages against decoder, session and playback in {state['seconds']:.0f} s: "
            f"{tally['errors']} refused, the slowest took {tally['slowest_ms']:.1f} ms, "
            f"memory {state['memory_mb'] or '-'} MB, {len(tally['finds'])} finds"
        )
        rows += tally["finds"]
    if done := state.get("socket"):
        samples = [Sample(**s) for s in done["samples"]]
        warm = after(samples, samples[int(WARM * len(samples))].at_s)
        times = [s.at_s for s in warm]
        rows.append(
            f"{done['messages']} over a socket, {sum(p['strangers'] for p in done['parts'])} strangers, "
            f"{sum(p['connections'] for p in done['parts'])} connections, "
            f"{sum(p['witness_lines'] for p in done['parts'])} lines of another client spoken meanwhile"
        )
        drift = drift_percent(times, [s.rss_mb for s in warm])
        rows.append(
            f"the server held {warm[-1].rss_mb:.0f} MB (drift {drift:+.1f} %), "
            f"{min(s.threads for s in warm)} to {max(s.threads for s in warm)} threads, "
            f"{min(s.descriptors for s in warm)} to {max(s.descriptors for s in warm)} descriptors"
        )
        rows += [*done.get("log", []), *(find for part in done["parts"] for find in part["finds"])]
    return rows


def main() -> int:
    """Fuzz; 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="against decoder and session (default 100000)")
    parser.add_argument("--socket", type=int, default=10_000, help="over a socket (default 10000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="written as it goes; a run goes on from it")
    arguments = parser.parse_args()
    state: dict[str, Any] = {"seed": arguments.seed}
    if arguments.json and arguments.json.exists():
        state = json.loads(arguments.json.read_text(encoding="utf-8"))
        if state["seed"] != arguments.seed:
            parser.error(f"{arguments.json} is of seed {state['seed']}")

    def save() -> None:
        if arguments.json:
            arguments.json.write_text(json.dumps(state, indent=1), encoding="utf-8")

    if arguments.messages:
        in_process(state, arguments.messages, arguments.seed, save)
        save()
    if arguments.socket:
        over_socket(state, arguments.socket, arguments.seed, save)
        save()
    rows = summary(state)
    print("\n".join(rows))
    done = state.get("socket", {"parts": [], "log": []})
    found = state.get("messages", {"finds": []})["finds"] + done.get("log", [])
    return int(bool(found) or any(part["finds"] for part in done["parts"]))


if __name__ == "__main__":
    sys.exit(main())
