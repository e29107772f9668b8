"""An ONNX network in halves: float16 throughout, so that TensorRT, which takes every type from the file, runs in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LARGEST: Final = 65504.0  # of float16


def halved(model: onnx.ModelProto, *, kept: Collection[str]) -> onnx.ModelProto:
    """A copy whose float32 values are float16, but for the inputs and outputs named in `kept`, which are cast.

    ValueError for what float16 can't hold and for nodes with graphs of their own.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    del graph.value_info[:]  # types of what lies between; whoever reads the file finds them again
    for tensor in graph.initializer:
        _halve(tensor)
    for node in graph.node:
        _halve_attributes(node)
    first = [_cast_in(graph, value) for value in graph.input if not _typed_half(value, kept)]
    last = [_cast_out(graph, value) for value in graph.output if not _typed_half(value, kept)]
    nodes = [*first, *graph.node, *last]
    del graph.node[:]
    graph.node.extend(nodes)
    return small


def _halve_attributes(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
            raise ValueError(f"{node.op_type} {node.name!r} has a graph of its own, expected none")
        if attribute.type == onnx.AttributeProto.TENSOR:
            _halve(attribute.t)
        elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16


def _typed_half(value: onnx.ValueInfoProto, kept: Collection[str]) -> bool:
    """Give an input or output its new type; False where it keeps float32 and needs a cast."""
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT:
        return True
    if value.name in kept:
        return False
    kind.elem_type = TensorProto.FLOAT16
    return True


def _cast_in(graph: onnx.GraphProto, value: onnx.ValueInfoProto) -> onnx.NodeProto:
    half = f"{value.name}_half"
    for node in graph.node:
        node.input[:] = [half if name == value.name else name for name in node.input]
    return helper.make_node("Cast", [value.name], [half], f"{half}_cast", to=TensorProto.FLOAT16)


def _cast_out(graph: onnx.GraphProto, value: onnx.ValueInfoProto) -> onnx.NodeProto:
    half = f"{value.name}_half"
    for node in graph.node:
        node.input[:] = [half if name == value.name else name for name in node.input]
        node.output[:] = [half if name == value.name else name for name in node.output]
    return helper.make_node("Cast", [half], [value.name], f"{half}_cast", to=TensorProto.FLOAT)


def _halve(tensor: onnx.TensorProto) -> None:
    if tensor.data_type != TensorProto.FLOAT:
        return
    values = numpy_helper.to_array(tensor)
    if not np.all(np.abs(values) <= LARGEST):
        raise ValueError(f"{tensor.name!r} goes to {np.abs(values).max()}, expected at most {LARGEST}")
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
