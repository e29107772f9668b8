"""The golden messages as frames, and files that hold a sequence of messages: what the fuzzers begin with and keep."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import msgpack

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "bindings" / "golden"
FINDS = ROOT / "tests" / "fuzz_finds"

Frames = list[bytes]


def unframed(data: bytes) -> Frames:
    """The frames of a file as bindings/golden/README.md describes it."""
    (count,), at = struct.unpack_from("<I", data), 4
    frames: Frames = []
    for _ in range(count):
        (size,) = struct.unpack_from("<I", data, at)
        frames.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(data)
    return frames


@dataclass(frozen=True)
class Golden:
    """A message: who sends it, and whether it can be read."""

    name: str
    sender: str  # "game" or "engine"
    reads: bool
    frames: Frames


def goldens(folder: Path = GOLDEN) -> list[Golden]:
    """Every golden message but the few of more than 20 kB, which would fill the fuzzer's day with copying."""
    found = []
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        frames = unframed(path.with_suffix(".bin").read_bytes())
        if sum(map(len, frames)) <= 20_000:
            found.append(Golden(path.stem, told["from"], "message" in told, frames))
    assert len(found) > 200, f"{len(found)} messages in {folder}"
    return found


@dataclass(frozen=True)
class Find:
    """A sequence of messages that something went wrong with, as one file: what, who read it, and the messages."""

    about: str
    side: str  # "engine", "client" or "socket": which harness it is for
    messages: list[Frames]
    seed: int = 0  # of what the harness does between the messages

    def write(self, path: Path) -> None:
        """As one msgpack map."""
        path.parent.mkdir(parents=True, exist_ok=True)
        table = {"about": self.about, "side": self.side, "seed": self.seed, "messages": self.messages}
        path.write_bytes(msgpack.packb(table))

    @staticmethod
    def read(path: Path) -> Find:
        """What `write` has written."""
        table = msgpack.unpackb(path.read_bytes())
        return Find(table["about"], table["side"], table["messages"], table["seed"])
