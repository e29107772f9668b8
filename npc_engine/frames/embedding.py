"""Networks that turn a face into numbers which say whose it is.

The one that ships is dlib's ResNet (`models/identity.onnx`, CC0, made by tools/identity/make.py). A user who owns an
ArcFace network, as face swappers and InsightFace use it, can have that one judge instead.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from npc_engine.frames.landmarks import MODELS, Points
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Matrix: TypeAlias = npt.NDArray[np.float64]  # f64[2, 3], pixels of a picture to pixels of a chip

APART: Final = 0.75
"""Distance of two persons' embeddings, in the median over faces of all kinds (tools/identity/calibrate.py)."""


class Template:
    """Where a face lies in the square that a network reads, the chip."""

    def __init__(self, edge: int, groups: tuple[tuple[int, ...], ...], places: npt.NDArray[np.float64]) -> None:
        """The middle of each group of landmarks comes to lie at its place, f64[n, 2] in pixels of the chip."""
        self.edge, self._groups, self._places = edge, groups, places

    def matrix(self, landmarks: Points) -> Matrix:
        """The similarity that brings landmarks f[478, 2 | 3] nearest to their places (Umeyama's least squares)."""
        points = np.array([landmarks[list(group), :2].mean(0) for group in self._groups], np.float64)
        middle, goal = points.mean(0), self._places.mean(0)
        a, b = points - middle, self._places - goal
        u, s, vt = np.linalg.svd(b.T @ a)
        sign = np.array([1, np.sign(np.linalg.det(u @ vt))])
        turn = float((s * sign).sum() / (a**2).sum()) * (u @ np.diag(sign) @ vt)
        return np.column_stack([turn, goal - turn @ middle])


# dlib's get_face_chip: the eyes' outer and inner corners and the base of the nose, of its mean face, with a margin
_MARGIN: Final = 0.25
_MEAN_FACE: Final = np.array(
    [
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.6460604764104, 0.2289674387677),
        (0.8595674595992, 0.2134981538014),
        (0.4901123135679, 0.6277975316475),
    ]
)
DLIB: Final = Template(150, ((33,), (133,), (362,), (263,), (2,)), (_MEAN_FACE + _MARGIN) / (1 + 2 * _MARGIN) * 150)
"""The chip of the network that ships. dlib's five points, in the image's order, left to right, then the nose."""

# InsightFace's arcface_dst: the eyes' centres, the tip of the nose, the corners of the mouth
ARCFACE: Final = Template(
    112,
    ((33, 133), (362, 263), (4,), (61,), (291,)),
    np.array(
        [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)],
    ),
)
"""The chip of ArcFace networks."""


class Embedder(Protocol):
    """A network that tells persons apart. Safe for several threads."""

    @property
    def template(self) -> Template:
        """How a chip is cut for it."""
        ...

    def embed(self, chip: Pixels) -> Floats:
        """The numbers f32[n] of an RGB chip u8[edge, edge, 3]."""
        ...

    def likeness(self, one: Floats, other: Floats) -> float:
        """How much two embeddings are one person's: 1 for the same picture, about 0 for two persons."""
        ...


class DlibResNet:
    """The network that ships; about 6 ms a face on a quiet core. It has learnt distances: 0.6 parts persons."""

    template = DLIB

    def __init__(self) -> None:
        self._session = _session(MODELS / "identity.onnx")
        self._turn = threading.Lock()  # one run at a time: each that overlaps keeps 12 MB of its own

    def embed(self, chip: Pixels) -> Floats:
        """The numbers f32[128] of an RGB chip u8[150, 150, 3]."""
        with self._turn:
            (numbers,) = self._session.run(None, {"rgb": chip[None]})
        return np.asarray(numbers[0], np.float32)

    def likeness(self, one: Floats, other: Floats) -> float:
        """1 - (distance / `APART`)².

        Embeddings are a common part, of every face, and a part that tells persons apart. If the latter was equally
        long for all faces, this would be the cosine between two of them, without the common part having to be known.
        """
        return 1.0 - float(((one - other) ** 2).sum()) / APART**2


class ArcFace:
    """A user's ArcFace network: float32 1×3×112×112, RGB as (x - 127.5) / 127.5, to one row of numbers."""

    template = ARCFACE

    def __init__(self, path: Path) -> None:
        """Raises `FaceError` for a file that is missing or not such a network."""
        expected = "expected an ArcFace network: one float32 input 1×3×112×112, one float32 output 1×n such as 1×512"
        if not path.is_file():
            raise FaceError(
                f"{path}: no such file; {expected}, or no `network` in [identity]: one comes with the engine"
            )
        try:
            self._session = _session(path)
        except Exception as error:  # onnxruntime has no public class for what it raises here
            raise FaceError(f"{path}: not a network that onnxruntime can load ({error}); {expected}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        fits = (
            len(inputs) == len(outputs) == 1
            and inputs[0].type == outputs[0].type == "tensor(float)"
            and _may_be(inputs[0].shape, (1, 3, 112, 112))
            and len(outputs[0].shape) == 2
        )
        if not fits:
            raise FaceError(f"{path}: takes {_said(inputs)} and gives {_said(outputs)}; {expected}")
        self._path, self._input = path, inputs[0].name
        self._turn = threading.Lock()

    def embed(self, chip: Pixels) -> Floats:
        """The numbers f32[n] of an RGB chip u8[112, 112, 3]; `FaceError` if they are not numbers."""
        planes = (chip.transpose(2, 0, 1)[None].astype(np.float32) - np.float32(127.5)) / np.float32(127.5)
        with self._turn:
            (numbers,) = self._session.run(None, {self._input: planes})
        row = np.asarray(numbers, np.float32).reshape(-1)
        if not np.isfinite(row).all() or not row.any():
            raise FaceError(f"{self._path}: it gives {row[:4]}… for a face, expected finite numbers that are not all 0")
        return row

    def likeness(self, one: Floats, other: Floats) -> float:
        """The cosine between them, as these networks are trained for."""
        return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


_LOADING: Final = threading.Lock()


def embedder(path: Path | None = None) -> Embedder:
    """The network that ships, or the user's ArcFace at `path`: each is loaded once in a process."""
    with _LOADING:
        return _dlib() if path is None else _arcface(path.resolve())


@cache
def _dlib() -> DlibResNet:
    return DlibResNet()


@cache
def _arcface(path: Path) -> ArcFace:
    return ArcFace(path)


def _session(path: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _may_be(shape: list[Any], wanted: tuple[int, ...]) -> bool:
    """Whether a network's shape, whose free sizes are names, can be the one that is fed."""
    return len(shape) == len(wanted) and all(
        not isinstance(a, int) or a == b for a, b in zip(shape, wanted, strict=True)
    )


def _said(ends: list[Any]) -> str:
    return ", ".join(f"{end.name} {end.type} {'×'.join(map(str, end.shape)) or 'scalar'}" for end in ends) or "nothing"
