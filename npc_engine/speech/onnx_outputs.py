"""Makes inner values of an ONNX file visible as outputs, without the onnx package."""

from __future__ import annotations

from collections.abc import Iterable

# Field numbers from onnx.proto: ModelProto.graph, GraphProto.output, ValueInfoProto.name
_GRAPH, _OUTPUT, _NAME = 7, 12, 1
_LENGTH_DELIMITED = 2


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def with_outputs(model: bytes, names: Iterable[str]) -> bytes:
    """The serialised ONNX `model` with the inner values `names` appended to its graph's outputs.

    A protobuf message may come in pieces: a parser merges a second `graph` into the first and joins their lists
    (protobuf.dev, "Last One Wins": embedded messages merge), so appending a graph that holds nothing but outputs is
    enough and the model need not be parsed. onnxruntime infers the outputs' types and refuses a name it has not.
    """
    return model + b"".join(
        _message(_GRAPH, _message(_OUTPUT, _message(_NAME, name.encode("utf-8")))) for name in names
    )
