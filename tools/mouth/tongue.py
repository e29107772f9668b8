"""The tongue of the MakeHuman head in three poses, as a front view shows it."""

from __future__ import annotations

import cv2
import makehuman
import numpy as np
from teeth import EYE, OVER

FINE = 180  # pixels per mouth width: a tongue is soft
JAW = 0.55  # jawOpen of the poses: a tongue is seen when the jaw is down
ROOT = 1.02  # decimetres before the neck: what lies further back does not bend
HALF, ABOVE, BELOW = (
    0.48,
    0.62,
    0.34,
)  # mouth widths that a picture reaches aside, over the lower teeth's edge, under it
POSES = ("rest", "up", "out")


def _posed(head: makehuman.Head, pose: str, tongue: np.ndarray) -> np.ndarray:
    """The head's vertices with the jaw down and the tongue in a pose."""
    points = head.points + JAW * head.targets["jawOpen"]
    if pose == "out":
        points = points + head.targets["tongueOut"]
        points[tongue, 0] *= 1 - 0.32 * np.clip((head.points[tongue, 2] - 1.15) / 0.24, 0, 1) ** 2
        points[tongue] = _bent(points[tongue], 1.30, -50.0, 0.36)
    elif pose == "up":
        lifted = head.points[tongue].copy()
        lifted[:, 0] *= 1 - 0.45 * np.clip((lifted[:, 2] - ROOT) / 0.36, 0, 1) ** 2
        points[tongue] = _bent(lifted, ROOT, 85.0, 0.38) + JAW * head.targets["jawOpen"][tongue].mean(0)
    return points


def _bent(points: np.ndarray, root: float, degrees: float, length: float) -> np.ndarray:
    """Points whose axis runs forward from z = root, bent upwards along an arc that turns by `degrees` in `length`."""
    out = points.copy()
    axis = 6.60 + (0 if degrees > 0 else points[:, 1].mean() - 6.60)
    along = np.clip(points[:, 2] - root, 0, None)
    bend = np.radians(degrees) / length
    over = points[:, 1] - axis
    front = points[:, 2] > root
    turned = bend * along
    out[front, 1] = (axis + (1 - np.cos(turned)) / bend + over * np.cos(turned))[front]
    out[front, 2] = (root + np.sin(turned) / bend - over * np.sin(turned))[front]
    return out


def _finer(points: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles split in four and their vertices smoothed (Loop's rule for the old, mid-points for the new)."""
    edges = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), 1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    middle = points[unique].mean(1)
    a, b, c = which.reshape(3, -1) + len(points)
    i, j, k = corners.T
    finer = np.concatenate([np.stack(t, 1) for t in ((i, a, c), (a, j, b), (c, b, k), (a, b, c))])
    near, count = np.zeros_like(points), np.zeros((len(points), 1))
    for one, other in ((0, 1), (1, 0)):
        np.add.at(near, unique[:, one], points[unique[:, other]])
        np.add.at(count, unique[:, one], 1)
    return np.concatenate([0.625 * points + 0.375 * near / np.maximum(count, 1), middle]), finer


def picture(head: makehuman.Head, pose: str, width: float) -> np.ndarray:
    """u8[h, w, 5] of the tongue in a pose: matte, paleness, normal to the right and up, light that reaches it.

    `width` is the mouth's, in decimetres. The lower front teeth's biting edge is ABOVE · FINE pixels down.
    """
    mine = head.groups == "helper-tongue"
    used = np.unique(head.corners[mine])
    points = _posed(head, pose, used)
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    corners = number[head.corners[mine]]
    teeth = np.unique(head.corners[head.groups == "helper-lower-teeth"])
    row = points[teeth]
    front = row[row[:, 2] > row[:, 2].max() - 0.03]
    edge = front[:, 1].max()
    mesh = points[used]
    for _ in range(2):
        mesh, corners = _finer(mesh, corners.astype(int))
    grain = FINE * OVER
    size = (round((ABOVE + BELOW) * FINE) * OVER, round(2 * HALF * FINE) * OVER)
    near = EYE / (EYE + 1.5 - mesh[:, 2])
    flat = np.stack([mesh[:, 0] * near / width + HALF, (edge - mesh[:, 1]) * near / width + ABOVE], 1) * grain
    normals = makehuman.normals(mesh, corners)
    values = np.concatenate([normals, mesh[:, 2:], mesh[:, :1]], 1)
    seen = _painted(flat, mesh[:, 2], corners, values, size)
    planes = _shaded(seen, pose)
    small = planes.reshape(size[0] // OVER, OVER, -1, OVER, 5).mean((1, 3))
    return np.clip(np.round(small * 255), 0, 255).astype(np.uint8)


def _shaded(seen: np.ndarray, pose: str) -> np.ndarray:
    """f64[h, w, 5], 0..1, of what is seen: f32[h, w, 6], normal, depth, distance from the middle, and where it is."""
    normal, depth, x = seen[..., :3], seen[..., 3], seen[..., 4]
    soft = cv2.GaussianBlur(seen[..., 5], (0, 0), 5)
    matte = np.clip((soft - 0.5) * 4 + 0.5, 0, 1)
    there = (soft > 0.5).astype(np.float32)
    if pose != "up":  # seen from the front, what hangs below its sides is a dark hem
        upside = cv2.GaussianBlur((normal[..., 1] + 0.45 * normal[..., 2]) * there, (0, 0), 4)
        matte = matte * np.clip(upside * 8, 0, 1)
    light = np.clip(1 - (depth.max() - depth) / 0.75, 0.12, 1) ** 1.1
    around = cv2.GaussianBlur(depth * there, (0, 0), 14) / np.maximum(cv2.GaussianBlur(there, (0, 0), 14), 1e-3)
    light *= np.clip(1 - 5.0 * np.clip(around - depth, 0, None), 0.35, 1)
    if pose == "out":  # in the open there is light from everywhere
        light = np.maximum(light, 0.72)
    groove = np.exp(-((x / 0.012) ** 2)) * 0.10
    light *= 1 - groove * np.clip(light * 1.5, 0, 1)
    grains = cv2.GaussianBlur(np.random.default_rng(5).normal(size=depth.shape).astype(np.float32), (0, 0), 2.6)
    grains /= grains.std()
    pale = 0.5 + 0.05 * grains + 0.25 * (normal[..., 1] > 0) * (1 - np.exp(-((x / 0.05) ** 2)))
    if pose == "up":
        pale *= 0.7  # the underside is darker red
        light = 0.35 + 0.65 * light  # and near, all of it
    bumps = np.dstack([cv2.Sobel(grains, cv2.CV_32F, 1, 0), -cv2.Sobel(grains, cv2.CV_32F, 0, 1), 0 * grains])
    planes = np.dstack([pale, normal + 0.02 * bumps, light]).astype(np.float32)
    # its edge turns away within a pixel of what is drawn later: shaded, it would be a dotted line
    solid = cv2.erode((matte > 0.9).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    spread = np.maximum(cv2.GaussianBlur(solid, (0, 0), 7), 1e-4)[..., None]
    edge = np.dstack([cv2.GaussianBlur(plane * solid, (0, 0), 7) for plane in np.moveaxis(planes, 2, 0)]) / spread
    planes = np.where(solid[..., None] > 0, planes, edge)
    normal = planes[..., 1:4] / np.maximum(np.linalg.norm(planes[..., 1:4], axis=-1, keepdims=True), 1e-6)
    return np.dstack([matte, planes[..., 0], normal[..., 0] / 2 + 0.5, normal[..., 1] / 2 + 0.5, planes[..., 4]])


def _painted(
    flat: np.ndarray, depth: np.ndarray, corners: np.ndarray, values: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """f32[h, w, k + 1]: values f64[n, k] over the triangles, far ones first, and 1 where there is any."""
    out = np.zeros((*size, values.shape[1] + 1), np.float32)
    for triangle in corners[depth[corners].mean(1).argsort()]:
        p = flat[triangle]
        low = np.clip(np.floor(p.min(0)), 0, np.array(size[::-1]) - 1).astype(int)
        high = np.clip(np.ceil(p.max(0)) + 1, 0, size[::-1]).astype(int)
        area = np.linalg.det(np.stack([p[1] - p[0], p[2] - p[0]]))
        if (high <= low).any() or abs(area) < 1e-9:
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.0
        u = ((x - p[0, 0]) * (p[2, 1] - p[0, 1]) - (y - p[0, 1]) * (p[2, 0] - p[0, 0])) / area
        v = ((y - p[0, 1]) * (p[1, 0] - p[0, 0]) - (x - p[0, 0]) * (p[1, 1] - p[0, 1])) / area
        inside = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6)
        weights = np.stack([1 - u - v, u, v], -1)[inside]
        part = out[low[1] : high[1], low[0] : high[0]]
        part[inside, :-1] = weights @ values[triangle]
        part[inside, -1] = 1
    return out
