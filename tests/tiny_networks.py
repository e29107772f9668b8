"""Tiny ONNX files with the signatures of the public LivePortrait and GFPGAN ones: the real runtime, without weights.

They look and answer: the extractor reads the picture's brightness in 8×8 places, the generator paints the feature
volume and lets brightness say how far the points have moved.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

POINTS = (1, 21, 3)


def _save(path: Path, nodes: list, inputs: dict, outputs: dict, values: dict) -> None:
    def info(shapes: dict) -> list:
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in shapes.items()]

    constants = [
        numpy_helper.from_array(np.asarray(v, np.int64 if np.asarray(v).dtype.kind == "i" else np.float32), n)
        for n, v in values.items()
    ]
    graph = helper.make_graph(nodes, path.stem, info(inputs), info(outputs), constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def live_portrait(folder: Path, *, yaw_sense: float = 1.0) -> None:
    """The four files; `yaw_sense` -1 makes an extractor whose yaw runs the other way."""
    node = helper.make_node
    picture = {"input": (1, 3, 256, 256)}
    _save(
        folder / "live_portrait_feature_extractor.onnx",
        [
            node("AveragePool", ["input"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
            node("Reshape", ["small", "five"], ["flat"]),
            node("Tile", ["flat", "times"], ["tiled"]),
            node("Slice", ["tiled", "from", "to", "axis"], ["volume"]),
        ],
        picture, {"volume": (1, 32, 16, 64, 64)},
        {"five": [1, 3, 1, 64, 64], "times": [1, 11, 16, 1, 1], "from": [0], "to": [32], "axis": [1]},
    )  # fmt: skip
    rng = np.random.default_rng(3)
    across = np.tile(np.linspace(-1, 1, 8), 8)  # a face that turns moves its brightness aside
    angles = np.stack([np.repeat(np.linspace(-1, 1, 8), 8), yaw_sense * across, across * np.repeat(across[:8], 8)], 1)
    _save(
        folder / "live_portrait_motion_extractor.onnx",
        [
            node("ReduceMean", ["input"], ["grey"], axes=[1], keepdims=1),
            node("AveragePool", ["grey"], ["places"], kernel_shape=[32, 32], strides=[32, 32]),
            node("Reshape", ["places", "row"], ["seen"]),
            node("MatMul", ["seen", "to_angles"], ["angles"]),
            node("Split", ["angles"], ["pitch", "yaw", "roll"], axis=1),
            node("MatMul", ["seen", "to_expression"], ["moved"]),
            node("Reshape", ["moved", "points_shape"], ["expression"]),
            *(node("Identity", [f"the_{n}"], [n]) for n in ("scale", "translation", "motion_points")),
        ],
        picture,
        {
            "pitch": (1, 1), "yaw": (1, 1), "roll": (1, 1), "scale": (1, 1), "translation": (1, 3),
            "expression": POINTS, "motion_points": POINTS,
        },
        {
            "row": [1, 64], "points_shape": list(POINTS), "to_angles": 20 * angles,
            "to_expression": rng.normal(0, 0.05, (64, 63)), "the_scale": [[1.2]],
            "the_translation": [[0.01, -0.02, 0.0]], "the_motion_points": rng.normal(0, 0.3, POINTS),
        },
    )  # fmt: skip
    two = {"source": POINTS, "target": POINTS}
    _save(
        folder / "live_portrait_stitcher.onnx",
        [node("Mul", ["target", "none"], ["nothing"]), node("Add", ["source", "nothing"], ["stitched"])],
        two, {"stitched": POINTS}, {"none": [0.0]},
    )  # fmt: skip
    _save(
        folder / "live_portrait_generator.onnx",
        [
            node("Slice", ["feature_volume", "from", "to", "axes"], ["first"]),
            node("Reshape", ["first", "four"], ["small"]),
            node("Resize", ["small", "", "bigger"], ["large"], mode="linear"),
            node("Sub", ["source", "target"], ["moved"]),
            node("Abs", ["moved"], ["far"]),
            node("ReduceMean", ["far"], ["much"], keepdims=0),
            node("Sub", ["large", "much"], ["darker"]),
            node("Clip", ["darker", "low", "high"], ["output"]),
        ],
        {"feature_volume": (1, 32, 16, 64, 64), **two}, {"output": (1, 3, 512, 512)},
        {
            "from": [0, 0], "to": [3, 1], "axes": [1, 2], "four": [1, 3, 64, 64], "bigger": [1.0, 1.0, 8.0, 8.0],
            "low": np.float32(0), "high": np.float32(1),
        },
    )  # fmt: skip


def gfpgan(folder: Path, factor: float = 1.0, lighter: float = 0.0) -> None:
    """A restorer that multiplies its picture, -1..1, by `factor` and makes it lighter."""
    shape, node = (1, 3, 512, 512), helper.make_node
    nodes = [node("Mul", ["input", "factor"], ["multiplied"]), node("Add", ["multiplied", "lighter"], ["output"])]
    values = {"factor": [factor], "lighter": [lighter]}
    _save(folder / "gfpgan_1.4.onnx", nodes, {"input": shape}, {"output": shape}, values)
