"""Messages to ZeroMQ frames and back: [header, msgpack map][sound, PCM16][coefficients, float16][picture].

The only error that decoding raises is `WireError`; it reads no more than `limits` allow and calls nothing in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgpack
import numpy as np

from npc_engine.moments import ARKIT52, EXP50, TICK_SAMPLES, VISEMES15, Exp, Sound
from npc_engine.wire import limits
from npc_engine.wire.messages import MOST, REPLIES, REQUESTS, Message, Moments, Reply, Request, WireError

M = TypeVar("M")

PAYLOADS: Final = ("sound", "coefficients", "picture")  # in the order of their frames
WIDTHS: Final = frozenset({len(EXP50), len(ARKIT52), len(VISEMES15)})  # of coefficients, values a tick
TOO_DEEP: Final = f"nested too deep, expected at most {limits.DEPTH} levels"
_PCM: Final = 32_767  # full scale; -32768 is never written


def pack_sound(sound: Sound) -> bytes:
    """PCM16, little-endian, of f32[n]; what exceeds -1..1 is clipped."""
    scaled = np.maximum(sound, np.float32(-1.0))  # and the rest in place: np.clip alone took twice as long as all this
    np.minimum(scaled, np.float32(1.0), out=scaled)
    scaled *= _PCM
    return np.rint(scaled, out=scaled).astype("<i2").tobytes()


def unpack_sound(data: bytes) -> Sound:
    """f32[n], -1..1, of PCM16."""
    sound: Sound = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_PCM)
    return np.maximum(sound, np.float32(-1.0), out=sound)


def pack_coefficients(exp: Exp) -> bytes:
    """Float16, little-endian, of f32[..., n]: steps of 2.4e-4 at most for weights 0..1."""
    return np.asarray(exp).astype("<f2").tobytes()


def unpack_coefficients(data: bytes) -> Exp:
    """f32[n] of float16, of all ticks; `WireError` for what is not finite."""
    values: Exp = np.frombuffer(data, "<f2").astype(np.float32)
    if not np.isfinite(values).all():
        raise WireError("coefficients hold a value that is not finite")
    return values


def _bytes(data: bytes) -> bytes:
    return data


_WRITE: Final[dict[str, Callable[[Any], bytes]]] = {
    "sound": pack_sound,
    "coefficients": pack_coefficients,
    "picture": _bytes,
}
_READ: Final[dict[str, Callable[[bytes], Any]]] = {
    "sound": unpack_sound,
    "coefficients": unpack_coefficients,
    "picture": _bytes,
}


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def encode(message: Message) -> list[bytes]:
    """The frames of a message; fields that hold their default are left out."""
    header, payloads = _header(message)
    return frames(header, {name: _WRITE[name](value) for name, value in payloads.items()})


def frames(header: dict[str, Any], payloads: Mapping[str, bytes]) -> list[bytes]:
    """The frames of a header and its payloads, already in wire form; their sizes are written into the header."""
    data = [payloads[name] for name in PAYLOADS if name in payloads]
    header.update((name, len(payloads[name])) for name in PAYLOADS if name in payloads)
    return [msgpack.packb(header, use_bin_type=True), *data]


def _header(message: Message) -> tuple[dict[str, Any], dict[str, Any]]:
    header: dict[str, Any] = {"kind": message.kind}
    payloads: dict[str, Any] = {}
    for f in _rules(type(message)):
        value = getattr(message, f.name)
        if f.payload:
            if value is not None:
                payloads[f.payload] = value
        elif not f.is_default(value):
            header[f.name] = _plain(value)
    return header, payloads


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            f.name: _plain(getattr(value, f.name))
            for f in _rules(type(value))
            if not f.is_default(getattr(value, f.name))
        }
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


def decode_request(data: Sequence[bytes]) -> Request:
    """The message that a game sent; raises `WireError` only."""
    return _decode(data, REQUESTS, REPLIES)


def decode_reply(data: Sequence[bytes]) -> Reply:
    """The message that an engine sent; raises `WireError` only, of code unknown-kind where an engine is newer."""
    return _decode(data, REPLIES, REQUESTS)


def _decode(data: Sequence[bytes], known: Mapping[str, type[M]], others: Mapping[str, Any]) -> M:
    table = _table(data)
    try:
        return _message(table, data[1:], known, others)
    except WireError as error:
        raise WireError(str(error), error.code, _name_in(table, "line"), _name_in(table, "id")) from None


def _name_in(table: Mapping[str, Any], key: str) -> str:
    """The id that a broken message carries, for the answer; "" where that is broken too."""
    name = table.get(key)
    return name if isinstance(name, str) and len(name) <= limits.ID_CHARS else ""


def _message(
    table: Mapping[str, Any], payloads: Sequence[bytes], known: Mapping[str, type[M]], others: Mapping[str, Any]
) -> M:
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise WireError(f"header has kind {_short(kind)}, expected a string")
    cls = known.get(kind)
    if cls is None:
        way = "travels the other way" if kind in others else f"is unknown; known: {', '.join(known)}"
        raise WireError(f"kind {_short(kind)} {way}", "unknown-kind")
    values = _values(cls, table, kind)
    _payloads(cls, table, payloads, values)
    if cls is Moments:
        _check_moment(values)
    return cls(**values)


def _table(data: Sequence[bytes]) -> dict[str, Any]:
    if not 1 <= len(data) <= 1 + len(PAYLOADS):
        raise WireError(f"message of {len(data)} frames, expected 1 to {1 + len(PAYLOADS)}")
    if len(data[0]) > limits.HEADER_BYTES:
        raise WireError(f"header of {len(data[0])} bytes, expected at most {limits.HEADER_BYTES}")
    try:
        table = msgpack.unpackb(
            data[0],
            raw=False,
            strict_map_key=True,
            max_str_len=limits.HEADER_BYTES,
            max_bin_len=limits.HEADER_BYTES,
            max_array_len=limits.ITEMS,
            max_map_len=limits.ITEMS,
            max_ext_len=0,
        )
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"header is no msgpack map: {_reason(error)}") from None
    if not isinstance(table, dict):
        raise WireError(f"header is {_short(table)}, expected a msgpack map")
    _check_depth(table)
    return table


def _reason(error: Exception) -> str:
    """Why msgpack can't read a header, in words that stay the same over its versions."""
    if isinstance(error, (msgpack.StackError, RecursionError)):
        return TOO_DEEP
    if isinstance(error, msgpack.ExtraData):
        return f"{len(error.extra)} bytes follow its end"
    if isinstance(error, msgpack.FormatError):
        return "a byte that msgpack does not know"
    if isinstance(error, UnicodeDecodeError):
        return "a string that is not UTF-8"
    return "it ends too early" if "incomplete" in str(error) else str(error)


def _check_depth(table: dict[str, Any]) -> None:
    level: list[Any] = [table]
    for _ in range(limits.DEPTH):
        level = [
            v
            for item in level
            for v in (item.values() if isinstance(item, dict) else item)
            if isinstance(v, (dict, list))
        ]
        if not level:
            return
    raise WireError(f"header is no msgpack map: {TOO_DEEP}")


class _Rule:
    """How one field of a message is read and written."""

    __slots__ = ("chars", "default", "name", "payload", "range", "required", "type")

    def __init__(self, f: Field[Any], hint: Any) -> None:
        self.name = f.name
        self.type = hint
        self.payload: str = f.metadata.get("payload", "")
        self.chars: tuple[int, int] = f.metadata.get("chars", (0, limits.NOTE_CHARS))
        self.range: tuple[float, float] = f.metadata.get("range", (0, MOST))
        self.required = f.default is MISSING
        self.default = f.default

    def is_default(self, value: Any) -> bool:
        """Whether the wire may leave this value out."""
        return not self.required and bool(value == self.default)


def _rules(cls: Any) -> tuple[_Rule, ...]:
    return _read_rules(cls)


@cache
def _read_rules(cls: Any) -> tuple[_Rule, ...]:
    hints = get_type_hints(cls)
    return tuple(_Rule(f, hints[f.name]) for f in fields(cls))


def _values(cls: Any, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of `cls` in `table`, checked; unknown keys are ignored, so that newer peers may say more."""
    values: dict[str, Any] = {}
    for rule in _rules(cls):
        if rule.payload:
            continue
        if rule.name in table:
            values[rule.name] = _value(rule, rule.type, table[rule.name], f"{where}: {rule.name}")
        elif rule.required:
            raise WireError(f"{where}: key {rule.name!r} is missing")
    return values


def _value(rule: _Rule, hint: Any, value: Any, where: str) -> Any:
    options = get_args(hint)
    if NoneType in options:
        if value is None:
            return None
        hint = options[0]
    if hint is str and isinstance(value, str):
        least, most = rule.chars
        if not least <= len(value) <= most:
            raise WireError(f"{where} has {len(value)} characters, expected {least} to {most}")
        return value
    if (hint is int and type(value) is int) or (hint is float and type(value) in {int, float}):
        low, high = rule.range
        if not low <= value <= high:  # NaN is in no range
            raise WireError(f"{where} is {value}, expected {low} to {high}")
        return hint(value)
    if hint is bool and isinstance(value, bool):
        return value
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_value(rule, options[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        return hint(**_values(hint, value, where))
    raise WireError(f"{where} is {_short(value)}, expected {_name(hint)}")


def _name(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "a list"
    return {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "a map")


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a map" if isinstance(value, dict) else "a list"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"


def _payloads(cls: type, table: Mapping[str, Any], data: Sequence[bytes], values: dict[str, Any]) -> None:
    promised = [(rule, size) for rule, size in _promised(cls, table) if size]
    if len(data) != len(promised):
        raise WireError(f"message of {len(data)} payloads, header promised {len(promised)}")
    promised.sort(key=lambda item: PAYLOADS.index(item[0].payload))
    for (rule, size), payload in zip(promised, data, strict=True):
        if len(payload) != size:
            raise WireError(f"payload of {len(payload)} bytes, header promised {size}")
        if rule.payload == "sound" and size % 2:
            raise WireError(f"sound of {size} bytes, expected a multiple of 2")
        if rule.payload == "coefficients" and size % 2:
            raise WireError(f"coefficients of {size} bytes, expected a multiple of 2")
        values[rule.name] = _READ[rule.payload](bytes(payload))


def _promised(cls: type, table: Mapping[str, Any]) -> Iterator[tuple[_Rule, int]]:
    for rule in _rules(cls):
        if rule.payload:
            size = table.get(rule.payload, 0)
            if type(size) is not int or not 0 <= size <= limits.PAYLOAD_BYTES:
                raise WireError(f"{rule.payload} is {_short(size)}, expected 0 to {limits.PAYLOAD_BYTES} bytes")
            yield rule, size


def _check_moment(values: dict[str, Any]) -> None:
    """Raise `WireError` for parts that do not belong together; `exp` becomes f32[ticks, width]."""
    ticks, tick = values["ticks"], values["tick"]
    sound, exp, shown = values.get("sound"), values.get("exp"), values.get("picture_tick")
    if sound is not None and len(sound) != ticks * TICK_SAMPLES:
        raise WireError(f"sound of {len(sound)} samples, expected {ticks * TICK_SAMPLES} for {ticks} ticks")
    if exp is not None:
        width, left = divmod(len(exp), ticks)
        if left or width not in WIDTHS:
            widths = ", ".join(map(str, sorted(WIDTHS)))
            raise WireError(f"coefficients of {len(exp)} values, expected {ticks} times one of {widths}")
        values["exp"] = exp.reshape(ticks, width)
    if (shown is None) != (values.get("picture") is None):
        raise WireError("picture and picture_tick come together or not at all")
    if shown is not None and not tick <= shown < tick + ticks:
        raise WireError(f"picture_tick is {shown}, expected {tick} to {tick + ticks - 1}")
