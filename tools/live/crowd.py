"""`python tools/live/crowd.py speech.wav --lines 8`: how soon faces follow their sounds when several lines are live.

Against a running engine (`npc-engine serve`); at most 8 lines, as one client may have.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from npc_engine.client import Client, ClientError
from npc_engine.commands.drive_sound import of_file
from npc_engine.connection import DEFAULT_ADDRESS
from npc_engine.moments import TICK_MS
from npc_engine.wire.messages import Accepted, ErrorMessage, Moments

TICK_S = TICK_MS / 1000


def delays_ms(client: Client, pieces: list[np.ndarray], count: int, npc: str) -> list[float]:
    """Of every tick of `count` lines that are sent the same ticks of sound, spread over a tick's time."""
    names = [client.live(npc, turn="beside") for _ in range(count)]
    begun = 0
    while begun < count:
        begun += sum(isinstance(event, Accepted) for event in client.poll(1.0))
    sent = dict.fromkeys(names, 0)  # ticks
    left: dict[tuple[str, int], float] = {}
    delays: list[float] = []
    began = time.monotonic()
    while client.open_lines:
        for at, name in enumerate(names):
            while sent[name] < len(pieces) and time.monotonic() >= began + (sent[name] + 1 + at / count) * TICK_S:
                client.hear(name, pieces[sent[name]])
                left[name, sent[name]] = time.monotonic()
                sent[name] += 1
                if sent[name] == len(pieces):
                    client.commit(name)
        for event in client.poll(0.001):
            if isinstance(event, Moments):
                now = time.monotonic()
                ticks = range(event.tick, event.tick + event.ticks)
                delays += [1000 * (now - left[event.line, tick]) for tick in ticks if (event.line, tick) in left]
                client.credit(event.line, event.ticks * TICK_MS)
            elif isinstance(event, ErrorMessage):
                raise ClientError(event.text, event.code)
    return delays


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=8)
    parser.add_argument("--npc", default="maren")
    parser.add_argument("--address", default=DEFAULT_ADDRESS)
    arguments = parser.parse_args()
    with Client(arguments.address, name="crowd") as client:
        found = delays_ms(client, list(of_file(arguments.file)), arguments.lines, arguments.npc)
    middle, high, most = np.percentile(found, [50, 95, 100])
    print(f"{arguments.lines} lines: {middle:.0f} ms (median), {high:.0f} (19 of 20), {most:.0f} at most")


if __name__ == "__main__":
    main()
