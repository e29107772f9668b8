"""A tiny ONNX file with the signature of an ArcFace network, or of one that is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def tiny_arcface(path: Path, edge: int = 112, kind: str = "tensor(float)", rows: int = 2, factor: float = 1.0) -> Path:
    """A tiny network: the picture's brightness in 14×14 places, which are numbers enough to tell two pictures apart."""
    onnx = pytest.importorskip("onnx", reason="onnx builds the tiny file: pip install 'npc-engine[train]'")
    h, float32 = onnx.helper, onnx.TensorProto.FLOAT
    taken = float32 if kind == "tensor(float)" else onnx.TensorProto.FLOAT16
    nodes = [
        h.make_node("Cast", ["picture"], ["whole"], to=float32),
        h.make_node("AveragePool", ["whole"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        h.make_node("Mul", ["small", "factor"], ["more"]),
        h.make_node("Flatten" if rows == 2 else "Identity", ["more"], ["row"]),
    ]
    count = 3 * (edge // 8) ** 2
    shape = [1, count] if rows == 2 else [1, 3, edge // 8, edge // 8]
    graph = h.make_graph(
        nodes,
        "tiny",
        [h.make_tensor_value_info("picture", taken, ["n", 3, edge, edge])],
        [h.make_tensor_value_info("row", float32, shape if rows == 4 else ["n", count])],
        [onnx.numpy_helper.from_array(np.array([factor], np.float32), "factor")],
    )
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9), path)
    return path
