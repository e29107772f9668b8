"""One binary WebSocket message is one message of the engine: its frames one after another, without lengths.

The header says what it holds: it is a msgpack map, which ends by itself, and it gives the sizes of the payloads.
Nothing is judged here. What can't be cut passes on whole, so that the engine answers it as it answers anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgpack

from npc_engine.wire import limits
from npc_engine.wire.codec import PAYLOADS


def join(frames: Sequence[bytes]) -> bytes:
    """The WebSocket message of an engine's frames."""
    return frames[0] if len(frames) == 1 else b"".join(frames)


def split(message: bytes) -> list[bytes]:
    """The engine's frames of a WebSocket message; `join` of them is the message again."""
    reader = msgpack.Unpacker(
        raw=True,  # a string that is no UTF-8 is for the engine to refuse
        strict_map_key=False,
        max_buffer_size=max(len(message), 1),  # which bounds what strings and lists may claim to hold
        max_ext_len=0,
    )
    reader.feed(message)
    try:
        reader.skip()  # builds nothing, and most messages are a header alone
        end = reader.tell()
    except (ValueError, msgpack.UnpackException, RecursionError):
        return [message]
    if end >= len(message) or end > limits.HEADER_BYTES:
        return [message]
    return [message[:end], *_payloads(message[:end], message[end:])]


def _payloads(header: bytes, rest: bytes) -> list[bytes]:
    """`rest`, cut where the header's sizes say; what it does not speak of is the last frame."""
    try:
        table = msgpack.unpackb(header, raw=True, strict_map_key=False, max_ext_len=0)
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError):
        return [rest]
    frames = []
    for name in PAYLOADS:
        size = table.get(name.encode("ascii"), 0) if isinstance(table, dict) else 0
        if type(size) is int and 0 < size <= len(rest):
            frames.append(rest[:size])
            rest = rest[size:]
    return [*frames, rest] if rest else frames
