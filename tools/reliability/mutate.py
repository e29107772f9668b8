"""Messages that no client would write: bytes flipped, cut and spliced, lengths that lie, and types that are others."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any, Final

import msgpack
from reliability.goldens import Frames

from npc_engine.wire import limits
from npc_engine.wire.messages import REPLIES, REQUESTS

KINDS: Final = (*REQUESTS, *REPLIES)
NUMBERS: Final = (
    0, 1, -1, 2, 19, 20, 21, 127, 128, 255, 256, 600, 4096, 4097, 10_000, 10_001, 65_535, 65_536, 86_400_001,
    2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63),
    0.0, -0.0, 0.5, 1.0, 1.0000001, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
TEXTS: Final = (
    "", " ", "\n", "\0", "a\0b", "l1", "l2", "w1", "elder", "anna", "../../etc/passwd", "C:\\", "~root", "%s%n", "{}",
    "x" * 63, "x" * 64, "x" * 65, "x" * 2_000, "x" * 20_001, "\U0001f5e3" * 64, "\U0001f5e3" * 65, "e\u0301", "\u202e",
    "\ufeff", "\ufffd", "<speak>", "<speak><mark name='a'/></speak>",
    "<speak>" + "<prosody rate='2'>" * 40 + "x", "<speak>&lol;</speak>", "<speak><break time='9e9s'/>x</speak>",
    "<!DOCTYPE x [<!ENTITY y 'z'>]><speak>&y;</speak>", "idle", "listening", "neutral", "happy", "lively", "replace",
    "beside", "wait", "exp50", "arkit52", "visemes15", "none", "jpeg", "png", "webp", *KINDS,
)  # fmt: skip
OTHERS: Final[tuple[Any, ...]] = (
    None, True, False, b"", b"\xff\xfe", b"x" * 300, [], {}, [[]], [None], {"a": {}}, [{}] * 5, ["x"] * 4097,
    msgpack.ExtType(5, b"x"), msgpack.Timestamp(0),
)  # fmt: skip
NESTS: Final = (b"\x91", b"\x81\xa1x", b"\x81\xc0", b"\x92\xc0", b"\xdc\x00\x01", b"\xdf\x00\x00\x00\x01\xa0")
HUGE: Final = (
    b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xde\xff\xff",
    b"\xdc\xff\xff", b"\xda\xff\xff", b"\xc9\xff\xff\xff\xff\x05", b"\xdd\x00\x00\x10\x01", b"\xc1", b"\xd9\xff",
)  # fmt: skip


def mutated(frames: Frames, other: Frames, rng: random.Random) -> Frames:
    """A message that differs from `frames`, with pieces of `other` here and there; 0 to 6 frames."""
    done = list(frames)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        done = rng.choice(WAYS)(done or [b""], other, rng)
    return done if done != frames else _flip(done or [b""], other, rng)


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _place(frames: Frames, rng: random.Random) -> tuple[int, bytearray, int]:
    """A frame, mostly the header, as bytes that can be changed, and a place in it."""
    index = 0 if rng.random() < 0.8 else rng.randrange(len(frames))
    data = bytearray(frames[index])
    return index, data, rng.randrange(len(data) + 1)


def _put(frames: Frames, index: int, data: bytes | bytearray) -> Frames:
    return [*frames[:index], bytes(data), *frames[index + 1 :]]


def _flip(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    if not data:
        return _put(frames, index, rng.randbytes(rng.randint(1, 20)))
    data[at % len(data)] ^= 1 << rng.randrange(8)
    return _put(frames, index, data)


def _overwrite(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    piece = rng.randbytes(rng.randint(1, 4))
    data[at : at + len(piece)] = piece
    return _put(frames, index, data)


def _cut(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    return _put(frames, index, data[:at] if rng.random() < 0.7 else data[at:])


def _remove(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    del data[at : at + rng.randint(1, 12)]
    return _put(frames, index, data)


def _insert(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    data[at:at] = rng.randbytes(rng.randint(1, 12))
    return _put(frames, index, data)


def _repeat(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    piece = data[at : at + rng.randint(1, 40)]
    data[at:at] = piece * rng.randint(1, 20)
    return _put(frames, index, data)


def _splice(frames: Frames, other: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    donor = rng.choice(other) if other else b""
    cut = rng.randrange(len(donor) + 1)
    return _put(frames, index, data[:at] + donor[cut:])


def _lie(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    """A length or type byte says something else than follows."""
    index, data, _at = _place(frames, rng)
    heads = [i for i, byte in enumerate(data) if 0x80 <= byte <= 0xDF]
    if not heads:
        return _insert(frames, _, rng)
    at = rng.choice(heads)
    way = rng.randrange(3)
    if way == 0:
        data[at] = (data[at] + rng.choice((-2, -1, 1, 2))) & 0xFF
    elif way == 1:
        data[at : at + 1] = rng.choice(HUGE)
    elif at + 1 < len(data):
        data[at + 1] = (data[at + 1] + rng.choice((-1, 1, 100))) & 0xFF
    return _put(frames, index, data)


def _nest(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    """Maps or lists in one another, up to what a header may weigh."""
    index, data, at = _place(frames, rng)
    depth = rng.choice((1, 15, 16, 17, 100, 511, 512, 513, 1_000, 1_025)) if rng.random() < 0.97 else 60_000
    data[at:at] = rng.choice(NESTS) * depth
    return _put(frames, index, data)


def _huge(frames: Frames, _: Frames, rng: random.Random) -> Frames:
    index, data, at = _place(frames, rng)
    data[at:at] = rng.choice(HUGE)
    return _put(frames, index, data)


# ── frames ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _reframe(frames: Frames, other: Frames, rng: random.Random) -> Frames:
    way = rng.randrange(6)
    at = rng.randrange(len(frames))
    if way == 0:
        return [*frames[:at], rng.randbytes(rng.choice((0, 1, 2, 100, 960, 1_000))), *frames[at:]]
    if way == 1:
        return [*frames[:at], *frames[at + 1 :]]
    if way == 2:
        return rng.sample(frames, len(frames))
    if way == 3:
        return [*frames, *other][:6]
    if way == 4:
        return [frames[0], *other[1:]]
    size = rng.choice((limits.HEADER_BYTES, limits.HEADER_BYTES + 1)) if rng.random() < 0.02 else rng.randrange(2_000)
    return _put(frames, at, bytes(frames[at]).ljust(size, b"\xa0")[:size])


# ── what a header says ────────────────────────────────────────────────────────────────────────────────────────────


def _table(frames: Frames) -> dict[Any, Any] | None:
    try:
        table = msgpack.unpackb(frames[0], strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        return None
    return table if isinstance(table, dict) else None


def _of_table(change: Callable[[dict[Any, Any], random.Random], None]) -> Callable[..., Frames]:
    """A mutation of the header's map; of bytes where it is none."""

    def way(frames: Frames, other: Frames, rng: random.Random) -> Frames:
        table = _table(frames)
        if table is None:
            return _flip(frames, other, rng)
        change(table, rng)
        try:
            return [msgpack.packb(table), *frames[1:]]
        except (ValueError, TypeError, OverflowError, RecursionError):
            return _flip(frames, other, rng)

    return way


def value(rng: random.Random) -> Any:
    """Any value of any type, mostly one at the edge of what is allowed."""
    way = rng.random()
    if way < 0.4:
        return rng.choice(NUMBERS)
    return rng.choice(TEXTS) if way < 0.8 else rng.choice(OTHERS)


def _key(table: dict[Any, Any], rng: random.Random) -> Any:
    return rng.choice([*table, *table, "new", "line", "id", "outputs", "text", "sound", "credit_ms", "open"])


def _swap_type(table: dict[Any, Any], rng: random.Random) -> None:
    key = _key(table, rng)
    now = table.get(key)
    if isinstance(now, (int, float)) and rng.random() < 0.6:
        table[key] = rng.choice((*NUMBERS, -now, now + 1, float(now), bool(now), str(now)))
    else:
        table[key] = value(rng)


def _drop_key(table: dict[Any, Any], rng: random.Random) -> None:
    table.pop(_key(table, rng), None)


def _wrap(table: dict[Any, Any], rng: random.Random) -> None:
    key = _key(table, rng)
    now = table.get(key)
    table[key] = rng.choice(([now], {key: now}, [now, now], {"": now}))


def _rename(table: dict[Any, Any], rng: random.Random) -> None:
    """The value of one key under another, or under one that is no string."""
    now = table.pop(_key(table, rng), None)
    table[rng.choice((*table, 5, None, True, 1.5, b"kind", "KIND", "line\0"))] = now


def _other_kind(table: dict[Any, Any], rng: random.Random) -> None:
    table["kind"] = rng.choice(KINDS)


def _inner(table: dict[Any, Any], rng: random.Random) -> None:
    """Something within `outputs`, a word, or whatever map there is."""
    maps = [v for v in table.values() if isinstance(v, dict)]
    maps += [v for values in table.values() if isinstance(values, list) for v in values if isinstance(v, dict)]
    if not maps:
        table["outputs"] = {rng.choice(("picture", "sound", "face", "picture_every", "words")): value(rng)}
        return
    inner = rng.choice(maps)
    inner[rng.choice([*inner, "new"])] = value(rng)


def _grow(table: dict[Any, Any], rng: random.Random) -> None:
    """More keys than a map may have, or just as many."""
    table.update((f"k{i}", None) for i in range(rng.choice((1, 20, limits.ITEMS - len(table), limits.ITEMS + 1))))


def _twice(frames: Frames, other: Frames, rng: random.Random) -> Frames:
    """A key that stands there twice, with different values."""
    table = _table(frames)
    if table is None or not 1 <= len(table) < 15:
        return _flip(frames, other, rng)
    pairs = [*table.items(), (rng.choice([*table]), value(rng))]
    try:
        data = b"".join(msgpack.packb(part) for pair in pairs for part in pair)
    except (ValueError, TypeError, OverflowError):
        return _flip(frames, other, rng)
    return [struct.pack("B", 0x80 | len(pairs)) + data, *frames[1:]]


WAYS: Final[tuple[Callable[..., Frames], ...]] = (
    _flip, _overwrite, _cut, _remove, _insert, _repeat, _splice, _lie, _nest, _huge, _reframe, _twice,
    *(
        _of_table(change)
        for change in (_swap_type, _swap_type, _swap_type, _drop_key, _wrap, _rename, _other_kind, _inner, _inner)
    ),
    _of_table(_grow),
)  # fmt: skip
