"""Find the faces in a picture and the 478 landmarks of each, with MediaPipe's networks run by OpenCV.

The two networks (`models/`, Apache-2.0, see NOTICE there) are MediaPipe's short-range face detector (128², 896 anchors)
and its face mesh with irises (256², 478 points). They are read as they are by OpenCV's own TFLite importer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import shrunk
from npc_engine.moments import Pixels

Points: TypeAlias = npt.NDArray[np.float32]  # f32[n, 2 | 3], x right, y down (and z away from the viewer), pixels
Floats: TypeAlias = npt.NDArray[np.float32]

MODELS: Final = Path(__file__).parent / "models"
LANDMARKS: Final = 478  # 468 of the face mesh, then five of each iris
MESH: Final = 468

_DETECTOR_EDGE: Final = 128
_MESH_EDGE: Final = 256
_SURE: Final = 0.5  # the detector's own threshold in MediaPipe
_SAME_FACE: Final = 0.3  # boxes that overlap more than this are one face
MARGIN: Final = 1.5  # side of the mesh network's crop, in face boxes, as in MediaPipe


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture."""

    score: float  # 0..1, how sure the detector is
    box: tuple[float, float, float, float]  # left, top, right, bottom in pixels
    eyes: Points  # f32[2, 2], the person's right eye, then the left
    mouth: Points  # f32[2]

    @property
    def size(self) -> float:
        """Edge of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    def moved(self, x: int, y: int) -> FoundFace:
        """The same face in a picture of which this one was the part at (x, y)."""
        left, top, right, bottom = self.box
        shift = np.array([x, y], np.float32)
        return FoundFace(self.score, (left + x, top + y, right + x, bottom + y), self.eyes + shift, self.mouth + shift)


def _anchors() -> Floats:
    """Centres of the detector's 896 anchors, 0..1: two per cell at stride 8, six at stride 16."""
    rows = []
    for stride, each in ((8, 2), (16, 6)):
        cells = (np.arange(_DETECTOR_EDGE // stride) + 0.5) * stride / _DETECTOR_EDGE
        grid = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)
        rows.append(np.repeat(grid, each, axis=0))
    return np.concatenate(rows).astype(np.float32)


def _part(rgb: Pixels, matrix: npt.NDArray[Any], edge: int, border: int) -> Floats:
    """What `matrix` f[2, 3] brings onto an edge² square, as f32[1, 3, edge, edge] of 0..255."""
    crop = cv2.warpAffine(rgb, matrix, (edge, edge), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32)


class FaceFinder:
    """The two networks, loaded. One thread at a time: an OpenCV network keeps its activations."""

    def __init__(self) -> None:
        # the classic engine, because OpenCV 5.0's new one gives a single output of these files
        self._detector = cv2.dnn.readNetFromTFLite(str(MODELS / "face_detector.tflite"), cv2.dnn.ENGINE_CLASSIC)
        self._mesh = cv2.dnn.readNetFromTFLite(str(MODELS / "face_landmarks_detector.tflite"), cv2.dnn.ENGINE_CLASSIC)
        self._anchors = _anchors()

    def find(self, rgb: Pixels) -> list[FoundFace]:
        """Every face in an RGB picture, the surest first."""
        height, width = rgb.shape[:2]
        scale = _DETECTOR_EDGE / max(height, width)
        shift = np.array([(_DETECTOR_EDGE - width * scale) / 2, (_DETECTOR_EDGE - height * scale) / 2], np.float32)
        if scale < 1:  # averaged, not sampled: a large picture must not alias on its way down to 128 pixels
            small = shrunk(rgb, max(1, round(width * scale)), max(1, round(height * scale)))
            matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        else:
            small, matrix = rgb, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        part = _part(small, matrix, _DETECTOR_EDGE, cv2.BORDER_CONSTANT)
        self._detector.setInput(part * np.float32(1 / 127.5) - 1)
        regressors, scores = self._detector.forward(["regressors", "classificators"])
        sure = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -80, 80)))
        likely = np.flatnonzero(sure >= _SURE)
        values = regressors.reshape(-1, 16)[likely] / _DETECTOR_EDGE
        centres = self._anchors[likely]
        middle, size = values[:, :2] + centres, values[:, 2:4]
        points = values[:, 4:].reshape(-1, 6, 2) + centres[:, None]
        boxes = (np.concatenate([middle - size / 2, middle + size / 2], 1) * _DETECTOR_EDGE - np.tile(shift, 2)) / scale
        places = (points * _DETECTOR_EDGE - shift) / scale
        return [
            FoundFace(
                float(sure[likely[i]]),
                (float(boxes[i, 0]), float(boxes[i, 1]), float(boxes[i, 2]), float(boxes[i, 3])),
                places[i, :2].astype(np.float32),
                places[i, 3].astype(np.float32),
            )
            for i in _apart(boxes, sure[likely])
        ]

    def landmarks(self, rgb: Pixels, face: FoundFace) -> tuple[Points, float]:
        """The landmarks f32[478, 3] of a face in pixels, and how sure the network is that it sees one, 0..1.

        Read twice: the second crop is laid around the first landmarks, which halves their scatter.
        """
        eye = face.eyes[1] - face.eyes[0]
        left, top, right, bottom = face.box
        centre = np.array([(left + right) / 2, (top + bottom) / 2])
        points, _ = self.read(rgb, centre, face.size * MARGIN, float(np.arctan2(eye[1], eye[0])))
        return self.refine(rgb, points)

    def refine(self, rgb: Pixels, points: Points) -> tuple[Points, float]:
        """Landmarks read again from a crop laid around `points`, such as those of the frame before."""
        low, high = points[:MESH, :2].min(0), points[:MESH, :2].max(0)
        eye = points[263, :2] - points[33, :2]
        angle = float(np.arctan2(eye[1], eye[0]))
        return self.read(rgb, (low + high) / 2, float((high - low).max()) * MARGIN, angle)

    def read(self, rgb: Pixels, centre: npt.NDArray[Any], side: float, angle: float) -> tuple[Points, float]:
        """Landmarks in pixels and presence, of a square crop: its `centre`, `side`, and the `angle` of the eyes."""
        scale = _MESH_EDGE / side
        cos, sin = np.cos(-angle) * scale, np.sin(-angle) * scale
        x, y = float(centre[0]), float(centre[1])
        half = _MESH_EDGE / 2
        matrix = np.array([[cos, -sin, half - cos * x + sin * y], [sin, cos, half - sin * x - cos * y]])
        self._mesh.setInput(_part(rgb, matrix, _MESH_EDGE, cv2.BORDER_REPLICATE) * np.float32(1 / 255))
        mesh, presence = self._mesh.forward(["Identity", "Identity_1"])
        local = mesh.reshape(LANDMARKS, 3)
        back = cv2.invertAffineTransform(matrix)
        flat = local[:, :2] @ back[:, :2].T + back[:, 2]
        sure = 1 / (1 + np.exp(-float(presence.reshape(-1)[0])))
        return np.concatenate([flat, local[:, 2:] / scale], 1).astype(np.float32), float(sure)


def _apart(boxes: npt.NDArray[Any], scores: npt.NDArray[Any]) -> list[int]:
    """Indices of the boxes that are faces of their own, the surest first (non-maximum suppression)."""
    kept: list[int] = []
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for i in np.argsort(-scores, kind="stable"):
        inner = np.minimum(boxes[i, 2:], boxes[kept, 2:]) - np.maximum(boxes[i, :2], boxes[kept, :2])
        shared = np.prod(np.clip(inner, 0, None), axis=1)
        if not kept or (shared / (area[i] + area[kept] - shared)).max() < _SAME_FACE:
            kept.append(int(i))
    return kept
