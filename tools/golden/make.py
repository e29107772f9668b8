"""Write bindings/golden: every message of the wire as NAME.bin with its NAME.json, and those that are refused.

    PYTHONPATH=. python tools/golden/make.py [FOLDER]

All comes from the codec and fixed data: no clock, nothing random. tests/test_golden.py compares what it writes with
what is there. FOLDER is another folder than bindings/golden.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import faults
import from_engine
import from_game
import msgpack
import numpy as np
from parts import GAME, Fault, Golden

from npc_engine.wire.codec import PAYLOADS, decode_reply, decode_request, encode
from npc_engine.wire.effects import Send
from npc_engine.wire.messages import Hello, WireError
from npc_engine.wire.session import Session

OUT = Path(__file__).parents[2] / "bindings" / "golden"


def contained(frames: Sequence[bytes]) -> bytes:
    """The frames in one file: their count, then each one's size and bytes; u32, little-endian."""
    return struct.pack("<I", len(frames)) + b"".join(struct.pack("<I", len(f)) + f for f in frames)


def _payloads(frames: Sequence[bytes]) -> dict[str, Any]:
    """Payload by its key: whole numbers, a list of numbers a tick, hexadecimal digits."""
    table = msgpack.unpackb(frames[0])
    there = dict(zip([name for name in PAYLOADS if table.get(name)], frames[1:], strict=True))
    told: dict[str, Any] = {}
    if "sound" in there:
        told["sound"] = np.frombuffer(there["sound"], "<i2").tolist()
    if "coefficients" in there:
        rows = np.frombuffer(there["coefficients"], "<f2").astype(float).reshape(table["ticks"], -1)
        told["coefficients"] = rows.tolist()
    if "picture" in there:
        told["picture"] = there["picture"].hex()
    return told


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def told(message: Any, frames: Sequence[bytes]) -> dict[str, Any]:
    """A message as JSON has it: every key, those left out with their defaults; a payload that is not there is null."""
    payloads = _payloads(frames)
    table: dict[str, Any] = {"kind": message.kind}
    for f in fields(message):
        name = f.metadata.get("payload")
        table[name or f.name] = payloads.get(name) if name else _plain(getattr(message, f.name))
    return table


def _refusal(message: Any) -> WireError | None:
    """How an engine that was greeted and has no lines refuses a message that it could read."""
    session = Session()
    if not isinstance(message, Hello):
        session.receive(Hello(1))
    (answer, *_) = [*session.receive(message), None]
    error = answer.message if isinstance(answer, Send) else None
    return WireError(error.text, error.code, error.line, error.id) if error and error.kind == "error" else None


def described(golden: Golden) -> dict[str, Any]:
    """What NAME.json says; AssertionError where the codec does otherwise than the file was made to show."""
    table: dict[str, Any] = {"about": golden.about, "from": golden.sender}
    decode = decode_request if golden.sender == GAME else decode_reply
    try:
        message = decode(golden.frames)
    except WireError as error:
        return {**table, "error": _expected(golden.fault, error, golden.name)}
    table["message"] = told(message, golden.frames)
    table["canonical"] = encode(message) == golden.frames
    if golden.fault is not None:
        table["error"] = _expected(golden.fault, _refusal(message), golden.name)
    return table


def _expected(fault: Fault | None, error: WireError | None, name: str) -> dict[str, str]:
    assert fault is not None, f"{name} is refused: {error}"
    assert error is not None, f"{name} is not refused, expected {fault}"
    assert fault.text in str(error), f"{name} is refused with {error}, expected {fault}"
    assert (fault.code, fault.line, fault.id) == (error.code, error.line, error.id), f"{name}: {vars(error)}"
    return {"code": fault.code, "text": fault.text, "line": fault.line, "id": fault.id}


def text(table: dict[str, Any]) -> str:
    """JSON with a row for each key, and one for each key of the message."""
    rows = []
    for key, value in table.items():
        if key == "message":
            inner = ",\n".join(f"    {_json(k)}: {_json(v)}" for k, v in value.items())
            rows.append(f'  "message": {{\n{inner}\n  }}')
        else:
            rows.append(f"  {_json(key)}: {_json(value)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def main(folder: Path) -> None:
    """Write every file, and remove those that are none any more."""
    goldens = [*from_game.goldens(), *from_engine.goldens(), *faults.goldens()]
    names = [golden.name for golden in goldens]
    assert len(set(names)) == len(names), sorted({n for n in names if names.count(n) > 1})
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.bin"), *folder.glob("*.json")):
        if old.stem not in names:
            old.unlink()
    for golden in goldens:
        (folder / f"{golden.name}.bin").write_bytes(contained(golden.frames))
        (folder / f"{golden.name}.json").write_bytes(text(described(golden)).encode())
    print(f"{len(goldens)} messages in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
