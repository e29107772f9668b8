"""What golden files are made of: one file's content, msgpack in its shortest and its longest forms, fixed payloads."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from npc_engine.moments import EXP50, TICK_SAMPLES, Exp, Sound
from npc_engine.wire.codec import encode
from npc_engine.wire.messages import Message

GAME, ENGINE = "game", "engine"
JPEG = Path(__file__).with_name("face.jpg").read_bytes()  # 32 x 32 pixels of a face, drawn for these files
PNG = Path(__file__).with_name("face.png").read_bytes()  # the same, its background transparent


@dataclass(frozen=True)
class Fault:
    """How a message is refused: by its code and a part of the text, under the ids that could be read."""

    text: str
    code: str = "bad-message"
    line: str = ""
    id: str = ""


@dataclass(frozen=True)
class Golden:
    """One golden file: who sends these frames, what they show, and how they are refused if they are."""

    name: str
    about: str
    sender: str
    frames: list[bytes]
    fault: Fault | None = None


def written(name: str, about: str, message: Message, sender: str) -> Golden:
    """A message as the codec writes it."""
    return Golden(name, about, sender, encode(message))


def header(**keys: Any) -> bytes:
    """A map in msgpack's shortest forms, its keys in this order."""
    packed: bytes = msgpack.packb(keys, use_bin_type=True)
    return packed


def widest(value: Any) -> bytes:
    """A value in msgpack's longest forms, which every reader must take too."""
    if isinstance(value, dict):
        items = b"".join(widest(k) + widest(v) for k, v in value.items())
        return b"\xdf" + struct.pack(">I", len(value)) + items
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(widest, value))
    if isinstance(value, str):
        data = value.encode()
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    return b"\xcb" + struct.pack(">d", value)


UNKNOWN: dict[str, Any] = {
    "later": {"a": [1, -1, 2**64 - 1, -(2**63), 0.5], "b": None, "c": True},
    "blob": b"\x00\xff",
}
"""Keys of a newer release, of every msgpack type that a header may hold."""


def nested(kind: str, levels: int, begin: bytes = b"\x91", core: bytes = b"\xc0") -> bytes:
    """A header with lists, or whatever `begin` begins, in one another: `levels` of them, the header counted."""
    return b"\x82\xa4kind" + header(kind=kind)[6:] + b"\xa1x" + begin * (levels - 1) + core


def samples(count: int) -> list[int]:
    """PCM16 that is the same everywhere: whole numbers that jump over the whole range."""
    return [(i * 7919 + 12_345) % 65_535 - 32_767 for i in range(count)]


def sound(ticks: int) -> Sound:
    """f32[ticks * 480] that the codec writes as `samples`."""
    return np.array(samples(ticks * TICK_SAMPLES), np.float32) / np.float32(32_767)


def exp(ticks: int, width: int = len(EXP50)) -> Exp:
    """f32[ticks, width] of values that float16 holds exactly, weights 0..1 and, of exp50, angles -0.5..0.5."""
    values = (np.arange(ticks * width, dtype=np.float32) * 37 % 1024) / 1024
    values = values.reshape(ticks, width)
    if width == len(EXP50):
        values[:, 45:] -= 0.5
    return values
