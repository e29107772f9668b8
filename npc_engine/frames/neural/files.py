"""ONNX files that the user owns: found, checked against what we feed them, and run where the user wants.

No such file is in any package registry, so none comes with the engine; what the public ones take and give is written
down here, and a file that differs is refused with both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import platformdirs

from npc_engine.cuda_provider import CUDA, missing_cuda, not_started
from npc_engine.frames.pictures import FaceError

Floats: TypeAlias = npt.NDArray[np.float32]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A file's name, and what its network takes and gives: float32, batches of one."""

    file: str
    inputs: Mapping[str, Shape]
    gives: Sequence[Shape] = field(default=())  # outputs in order; () where a scalar comes in any shape
    licence: str = "MIT"


FEATURES: Final = Signature("live_portrait_feature_extractor.onnx", {"input": (1, 3, 256, 256)}, ((1, 32, 16, 64, 64),))
MOTION: Final = Signature(
    "live_portrait_motion_extractor.onnx",
    {"input": (1, 3, 256, 256)},
    ((), (), (), (), (1, 3), (1, 21, 3), (1, 21, 3)),  # pitch, yaw, roll, scale, translation, expression, points
)
STITCHER: Final = Signature("live_portrait_stitcher.onnx", {"source": (1, 21, 3), "target": (1, 21, 3)}, ((1, 21, 3),))
GENERATOR: Final = Signature(
    "live_portrait_generator.onnx",
    {"feature_volume": (1, 32, 16, 64, 64), "source": (1, 21, 3), "target": (1, 21, 3)},
    ((1, 3, 512, 512),),
)
GFPGAN: Final = Signature("gfpgan_1.4.onnx", {"input": (1, 3, 512, 512)}, ((1, 3, 512, 512),), licence="Apache-2.0")


def models_folder(named: str, beside: Path) -> Path:
    """The folder of the user's ONNX files: as `named`, relative to the face's folder, or this user's own."""
    return (beside / named).resolve() if named else Path(platformdirs.user_data_dir("npc_engine", False)) / "models"


class OnnxFile:
    """One file's network. `run` is safe from several threads."""

    def __init__(self, folder: Path, signature: Signature, device: str) -> None:
        """Loads it on `device`, "cuda" or "cpu"; `FaceError` for a file or device that is missing or unlike."""
        self._signature = signature
        path = self._path = folder / signature.file
        if not path.is_file():
            raise FaceError(f"{path}: no such file; expected a network of yours that takes {_takes(signature)}")
        if device == "cuda" and (missing := missing_cuda()):
            raise FaceError(f'{path}: {missing}; or device = "cpu" in [neural], seconds for each picture')
        options = ort.SessionOptions()
        options.log_severity_level = 3
        if device == "cpu":
            options.intra_op_num_threads = 1
        else:
            ort.preload_dlls()
        wanted = CUDA if device == "cuda" else "CPUExecutionProvider"
        try:
            self._session = ort.InferenceSession(str(path), options, providers=[wanted])
        except Exception as error:  # onnxruntime has no public class for what it raises here
            raise FaceError(f"{path}: not a network that onnxruntime can load ({error}), expected {self}") from error
        if self._session.get_providers()[0] != wanted:  # onnxruntime itself only warns and takes the CPU
            raise FaceError(f"{path}: {not_started()}")
        found = {i.name: i for i in self._session.get_inputs()}
        fits = found.keys() == signature.inputs.keys() and all(
            i.type == "tensor(float)" and _fits(i.shape, signature.inputs[name]) for name, i in found.items()
        )
        if not fits or len(self._session.get_outputs()) != len(signature.gives):
            came = ", ".join(f"{i.name} {i.type} {_said(i.shape)}" for i in found.values()) or "nothing"
            count = len(self._session.get_outputs())
            raise FaceError(f"{path}: takes {came} and gives {count} outputs, expected {self}")

    def __str__(self) -> str:
        return f"a network that takes {_takes(self._signature)} and gives {len(self._signature.gives)} outputs"

    def run(self, **inputs: npt.NDArray[Any]) -> list[Floats]:
        """The outputs f32 in order; `FaceError` where one is not of the shape that was expected or not finite."""
        given = {name: np.ascontiguousarray(value, np.float32) for name, value in inputs.items()}
        outputs = [np.asarray(o, np.float32) for o in self._session.run(None, given)]
        for k, (output, shape) in enumerate(zip(outputs, self._signature.gives, strict=True)):
            right = output.size == 1 if shape == () else output.shape == shape
            if not right or not np.isfinite(output).all():
                what = "numbers that are not finite" if right else f"shape {output.shape}"
                raise FaceError(f"{self._path}: output {k} has {what}, expected {shape or 'one number'}")
        return outputs


def _takes(signature: Signature) -> str:
    return ", ".join(f"{name} float32 {_said(shape)}" for name, shape in signature.inputs.items())


def _said(shape: Sequence[Any]) -> str:
    return "×".join(str(n) for n in shape) or "scalar"


def _fits(shape: Sequence[Any], expected: Shape) -> bool:
    """Whether an input's shape, whose free sizes are names, can be the one that we feed."""
    return len(shape) == len(expected) and all(
        not isinstance(a, int) or a == b for a, b in zip(shape, expected, strict=True)
    )
