"""Reads nodes and weights out of an ONNX file and writes small graphs, without the onnx package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.onnx_parts import OnnxFileError, _fields, _message, _varint

# Field numbers and types of onnx.proto
_MODEL_VERSION, _MODEL_GRAPH, _MODEL_OPSET = 1, 7, 8
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TYPE = 1, 20
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _TEXT_ATTRIBUTE, _INTS_ATTRIBUTE = (2, 1), (3, 2), (4, 3), (8, 7)  # field, type
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_INTS, _TENSOR_LONGS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 5, 7, 8, 9
_VALUE_NAME, _VALUE_TYPE = 1, 2
_IR_VERSION, _OPSET = 9, 20
_TYPES: Final = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}
_CODES: Final = {np.dtype(kind): code for code, kind in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Node:
    """An operation of a graph."""

    inputs: tuple[str, ...]
    attributes: dict[str, tuple[int, ...]]  # those that are integers


class OnnxFile:
    """The nodes and weights of a model's bytes; raises `OnnxFileError` for what is not in it."""

    def __init__(self, model: bytes) -> None:
        self._nodes: dict[str, memoryview] = {}  # by the name of what they give
        self._tensors: dict[str, memoryview] = {}
        graph = memoryview(b"".join(value for number, value, _ in _fields(model) if number == _MODEL_GRAPH))
        for number, value, _ in _fields(graph):
            if number == _GRAPH_NODE:
                self._nodes.update(
                    (str(given, "utf-8"), value) for field, given, _ in _fields(value) if field == _NODE_OUTPUT
                )
            elif number == _GRAPH_INITIALIZER:
                name = next(text for field, text, _ in _fields(value) if field == _TENSOR_NAME)
                self._tensors[str(name, "utf-8")] = value

    def node(self, output: str) -> Node:
        """The node that gives the value `output`."""
        if output not in self._nodes:
            raise OnnxFileError(f"the model has no value {output!r}; it has {len(self._nodes)} others")
        inputs, attributes = [], {}
        for number, value, _ in _fields(self._nodes[output]):
            if number == _NODE_INPUT:
                inputs.append(str(value, "utf-8"))
            elif number == _NODE_ATTRIBUTE:
                parts = [(field, inner) for field, inner, _ in _fields(value)]
                name = next(str(inner, "utf-8") for field, inner in parts if field == _ATTRIBUTE_NAME)
                attributes[name] = tuple(
                    number for field, inner in parts if field in (3, 8) for number in _numbers(inner)
                )
        return Node(tuple(inputs), attributes)

    def has_weights(self, name: str) -> bool:
        """Whether `name` is a weight, not a value that is computed."""
        return name in self._tensors

    def weights(self, name: str) -> npt.NDArray[Any]:
        """The weight `name`."""
        if name not in self._tensors:
            raise OnnxFileError(f"the model has no weights {name!r}; it has {len(self._tensors)} others")
        dims: list[int] = []
        kind, raw = 0, b""
        written: list[int] = []  # small weights stand as numbers
        for number, value, _ in _fields(self._tensors[name]):
            if number == _TENSOR_DIMS:
                dims += _numbers(value)
            elif number == _TENSOR_TYPE:
                kind = _numbers(value)[0]
            elif number in (_TENSOR_FLOATS, _TENSOR_RAW):
                raw += value
            elif number in (_TENSOR_INTS, _TENSOR_LONGS):
                written += _numbers(value)
        if kind not in _TYPES:
            raise OnnxFileError(f"weights {name!r} are of type {kind}, expected one of {sorted(_TYPES)}")
        if written:
            return np.array(written).astype(_TYPES[kind]).reshape(dims)
        return np.frombuffer(raw, np.dtype(_TYPES[kind]).newbyteorder("<")).reshape(dims)


class Graph:
    """A graph that is being written, node after node."""

    def __init__(self) -> None:
        self._content: list[bytes] = []
        self._count = 0

    def constant(self, values: npt.ArrayLike) -> str:
        """Weights; the name to read them by."""
        array = np.ascontiguousarray(values)
        name = self._new("weights")
        dims = b"".join(_number(_TENSOR_DIMS, size) for size in np.shape(values))
        kind = _number(_TENSOR_TYPE, _CODES[array.dtype])
        raw = _message(_TENSOR_RAW, array.astype(array.dtype.newbyteorder("<")).tobytes())
        self._content.append(_message(_GRAPH_INITIALIZER, dims + kind + _message(_TENSOR_NAME, name.encode()) + raw))
        return name

    def many(self, op: str, inputs: Sequence[str], count: int, **attributes: float | str | Sequence[int]) -> list[str]:
        """A node with `count` outputs; their names."""
        outputs = [self._new(op) for _ in range(count)]
        node = b"".join(_message(_NODE_INPUT, name.encode()) for name in inputs)
        node += b"".join(_message(_NODE_OUTPUT, name.encode()) for name in outputs)
        node += _message(_NODE_OP, op.encode())
        node += b"".join(_message(_NODE_ATTRIBUTE, _attribute(key, value)) for key, value in attributes.items())
        self._content.append(_message(_GRAPH_NODE, node))
        return outputs

    def node(self, op: str, *inputs: str, **attributes: float | str | Sequence[int]) -> str:
        """A node with one output; its name."""
        return self.many(op, inputs, 1, **attributes)[0]

    def model(self, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
        """The whole as an ONNX file; its inputs are float tensors of any shape."""
        float_type = _message(1, _number(1, 1))
        content = b"".join(self._content) + _message(_GRAPH_NAME, b"graph")
        for name in inputs:
            value = _message(_VALUE_NAME, name.encode()) + _message(_VALUE_TYPE, float_type)
            content += _message(_GRAPH_INPUT, value)
        for name in outputs:
            content += _message(_GRAPH_OUTPUT, _message(_VALUE_NAME, name.encode()))
        opset = _message(1, b"") + _number(2, _OPSET)
        return _number(_MODEL_VERSION, _IR_VERSION) + _message(_MODEL_GRAPH, content) + _message(_MODEL_OPSET, opset)

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"{kind} {self._count}"


def _numbers(content: bytes | memoryview) -> list[int]:
    """The varints of a field, packed or one alone."""
    found, value, shift = [], 0, 0
    for byte in content:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(value)
            value = shift = 0
    return found


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _attribute(key: str, value: float | str | Sequence[int]) -> bytes:
    content = _message(_ATTRIBUTE_NAME, key.encode())
    if isinstance(value, str):
        (field, kind), body = _TEXT_ATTRIBUTE, _message(_TEXT_ATTRIBUTE[0], value.encode())
    elif isinstance(value, int):
        (field, kind), body = _INT_ATTRIBUTE, _number(_INT_ATTRIBUTE[0], value)
    elif isinstance(value, float):
        (field, kind) = _FLOAT_ATTRIBUTE
        body = _varint(field << 3 | 5) + np.float32(value).tobytes()
    else:
        (field, kind) = _INTS_ATTRIBUTE
        body = b"".join(_number(field, number) for number in value)
    return content + body + _number(_ATTRIBUTE_TYPE, kind)
