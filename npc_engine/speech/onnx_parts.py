"""Cuts a part out of an ONNX file, between inner values, without the onnx package: its wire format read by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

Buffer: TypeAlias = bytes | memoryview

# Field numbers of onnx.proto
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME = 8
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT = 1, 2, 1, 1
_FLOAT = 1  # TensorProto.DataType

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf wire types
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


class OnnxFileError(ValueError):
    """A file that is no ONNX model, or one without the values that were asked for."""


def part(model: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The ONNX model that computes `outputs` of `model` from its own inputs and the inner float values `inputs`.

    Keeps the nodes and weights that are needed and no others; onnxruntime infers types and shapes. The graph's nodes
    must not hold graphs of their own (If, Loop). Raises `OnnxFileError` for bytes that are no model and for a value
    that no node gives.
    """
    view = memoryview(model)  # its slices cost nothing
    graph = memoryview(b"".join(value for number, value, _ in _fields(view) if number == _MODEL_GRAPH))
    pieces = [(number, value, whole) for number, value, whole in _fields(graph)]
    nodes = [(whole, *_reads_and_gives(value)) for number, value, whole in pieces if number == _GRAPH_NODE]

    given = {name for _, _, gives in nodes for name in gives}
    for name in (*inputs, *outputs):
        if name not in given:
            raise OnnxFileError(f"the model has no value {name!r} to cut at; it has {len(given)} others")

    wanted = set(outputs) - set(inputs)
    kept = []
    for whole, reads, gives in reversed(nodes):  # ONNX orders nodes so that values are given before they are read
        if wanted.intersection(gives):
            kept.append(whole)
            wanted.update(name for name in reads if name not in inputs)
    named = {
        _GRAPH_INITIALIZER: _TENSOR_NAME,
        _GRAPH_INPUT: _VALUE_NAME,
    }
    others = [
        whole
        for number, value, whole in pieces
        if number not in (_GRAPH_NODE, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO)
        and (number not in named or _text(value, named[number]) in wanted)
    ]
    new_inputs = [_message(_GRAPH_INPUT, _float_value(name)) for name in inputs]
    new_outputs = [_message(_GRAPH_OUTPUT, _message(_VALUE_NAME, name.encode())) for name in outputs]
    rest = b"".join(whole for number, _, whole in _fields(view) if number != _MODEL_GRAPH)
    return rest + _message(_MODEL_GRAPH, b"".join([*reversed(kept), *others, *new_inputs, *new_outputs]))


def _reads_and_gives(node: Buffer) -> tuple[list[str], list[str]]:
    reads, gives = [], []
    for number, value, _ in _fields(node):
        if number == _NODE_INPUT:
            reads.append(str(value, "utf-8"))
        elif number == _NODE_OUTPUT:
            gives.append(str(value, "utf-8"))
    return reads, gives


def _text(message: Buffer, field: int) -> str:
    return next((str(value, "utf-8") for number, value, _ in _fields(message) if number == field), "")


def _fields(message: Buffer) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Field number, content and the whole field with its tag, of every field of a protobuf message."""
    message = memoryview(message)
    at = 0
    while at < len(message):
        first = at
        tag, at = _read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        begin = at
        if wire == _VARINT:
            _, at = _read_varint(message, at)
        elif wire == _BYTES:
            length, begin = _read_varint(message, at)
            at = begin + length
        elif wire in _FIXED_SIZES:
            at += _FIXED_SIZES[wire]
        else:
            raise OnnxFileError(f"wire type {wire} at byte {first}: this is no ONNX file")
        if at > len(message):
            raise OnnxFileError(f"a field of {at - begin} bytes at byte {first}, {len(message) - begin} bytes are left")
        yield number, message[begin:at], message[first:at]


def _read_varint(message: Buffer, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise OnnxFileError(f"a number at byte {at} has no end: this is no ONNX file")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(number: int, content: Buffer) -> bytes:
    return b"".join((_varint(number << 3 | _BYTES), _varint(len(content)), content))


def _float_value(name: str) -> bytes:
    element = _varint(_TENSOR_ELEMENT << 3 | _VARINT) + _varint(_FLOAT)
    return _message(_VALUE_NAME, name.encode()) + _message(_VALUE_TYPE, _message(_TYPE_TENSOR, element))
