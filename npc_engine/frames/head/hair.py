"""Hair: a MakeHuman mesh with strands painted along its flow, frayed to nothing at its edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head.asset import Asset, Floats, Ints
from npc_engine.frames.head.layout import noise
from npc_engine.head_spec import HAIRS, HeadSpec, colour

MESHES: Final = {
    "afro": "afro01", "bob": "bob01", "braid": "braid01", "long": "long01", "ponytail": "ponytail01",
    "curls": "short01", "swept": "short02", "crop": "short04", "short": "short03",
}  # fmt: skip
SHEETS: Final = ("bob", "long")
"""Styles whose texture coordinates run along the strands; others are combed back from the forehead."""
CURLED: Final = ("afro", "curls")
WIDTH, HEIGHT = 1024, 256  # texels: round the head, and in from the edge of the hair
DEEP: Final = 0.8  # decimetres that HEIGHT stands for
FRINGE: Final = 0.50  # eye distances above the eyes that hair ends before the face
FRINGES: Final = {"long": 1.30, "ponytail": 1.30, "crop": 1.30}
LIFT: Final = 0.035  # decimetres that hair is raised, so that its thin edges do not sink into the scalp
CUT: Final = 0.4  # decimetres beyond the edge that the texture goes on, empty: cut triangles reach out there
LOCK: Final = 0.06  # share of all triangles: smaller sheets are locks
SOLID: Final = 0.22  # decimetres from its edge on, hair covers all


@dataclass(frozen=True)
class Hair:
    """Hair on a head at rest."""

    points: Floats  # [n, 3]
    normals: Floats  # [n, 3], outwards
    tangents: Floats  # [n, 3], along the strands
    uv: Floats  # [n, 2], 0..1, v from the edge of the hair inwards, at row 0 of the texture
    solid: Ints  # [m, 3] triangles that cover what lies beneath
    frayed: Ints  # [k, 3] triangles that strands cover in part
    texture: npt.NDArray[np.uint8]  # RGBA u8[HEIGHT, WIDTH, 4]
    tint: Floats  # [3]


def grown(head: Asset, points: Floats, eyes: Floats, centre: Floats, spec: HeadSpec) -> Hair | None:
    """The hair of a shaped head with `eyes` f32[2, 3] and its skull's middle at `centre`; None for a bald one."""
    if spec.hair == "none":
        return None
    mesh = head.hair[MESHES[spec.hair]]
    laid = mesh.laid(points)
    outside = _outside(laid, eyes, FRINGES.get(spec.hair, FRINGE))
    shape = mesh.vertex[mesh.triangles]
    triangles = mesh.triangles[_kept(laid, shape, outside, eyes)]
    solid = mesh.vertex[triangles]
    inward = np.minimum(_from_edge(laid, solid), outside)[mesh.vertex]
    normals = _normals(laid, solid, centre)[mesh.vertex]
    at = laid[mesh.vertex] + np.float32(LIFT) * normals
    if spec.hair in SHEETS:
        turn, way = mesh.uv[:, 0], _down(at, mesh.uv, triangles)
    else:
        p = at - centre
        turn = np.asarray(np.arctan2(p[:, 0], p[:, 1] + 0.35) / (2 * np.pi) + 0.5, np.float32)
        way = np.tile(np.array([0, -0.35, -1], np.float32), (len(p), 1))
    along = way - np.einsum("nc,nc->n", way, normals)[:, None] * normals
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    at, normals, along, inward, turn, triangles = _unwrapped(at, normals, along, inward, turn, triangles)
    uv = np.stack([turn, np.clip((inward + CUT) / (DEEP + CUT), 0, 1)], 1).astype(np.float32)
    covers = inward[triangles].min(1) > SOLID
    tint = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32)
    return Hair(
        at, normals, np.asarray(along, np.float32), uv,
        np.ascontiguousarray(triangles[covers]), np.ascontiguousarray(triangles[~covers]),
        strands(spec, tint), tint,
    )  # fmt: skip


def _outside(points: Floats, eyes: Floats, fringe: float) -> Floats:
    """Decimetres from the face, f32[n], below 0 before it: hair is cut there, as what speaks must be seen.

    `fringe` is how many eye distances above the eyes hair may hang into the forehead.
    """
    unit = eyes[0, 0] - eyes[1, 0]
    x, y, z = ((points - eyes.mean(0)) / unit).T
    wide = 0.98 - 0.25 * np.clip(-y - 0.5, 0, 1)
    front = np.maximum.reduce([np.abs(x) - wide, y - fringe, -2.2 - y, -0.45 - z])
    cheek = np.maximum.reduce([np.abs(x) - 1.70, y - 0.48, -1.6 - y, -0.95 - z])
    return np.asarray(np.minimum(front, cheek) * unit, np.float32)


def _kept(points: Floats, triangles: Ints, outside: Floats, eyes: Floats) -> npt.NDArray[np.bool_]:
    """Which triangles stay: not those before the face, nor locks that this leaves hanging there."""
    local = (points - eyes.mean(0)) / (eyes[0, 0] - eyes[1, 0])
    # one layer of strands is drawn: a sheet's empty part would hide the sheet beneath it
    kept = np.asarray((outside[triangles] > -0.05).all(1), bool)
    triangles = triangles[kept]
    label = np.arange(len(points))
    for _ in range(200):
        least = label[triangles].min(1)
        before = label.copy()
        np.minimum.at(label, triangles.ravel(), np.repeat(least, 3))
        label = label[label]
        if (before == label).all():
            break
    _, inverse, count = np.unique(label[triangles[:, 0]], return_inverse=True, return_counts=True)
    middle = np.stack([np.bincount(inverse, local[triangles].mean(1)[:, k]) for k in range(3)], 1) / count[:, None]
    loose = (count < LOCK * len(triangles)) & (middle[:, 2] > -1.5) & (middle[:, 1] < 1.35)
    kept[kept] = ~loose[inverse]
    return kept


def _down(points: Floats, uv: Floats, triangles: Ints) -> Floats:
    """Where v falls at each vertex, f32[n, 3]: along the strands of a sheet."""
    p, t = points[triangles], uv[triangles]
    e, f = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    d, g = t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]
    area = d[:, 0] * g[:, 1] - g[:, 0] * d[:, 1]
    way = (e * g[:, :1] - f * d[:, :1]) * np.sign(area)[:, None]
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, triangles[:, k], way)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9), np.float32)


def strands(spec: HeadSpec, tint: Floats) -> npt.NDArray[np.uint8]:
    """The texture of strands RGBA u8[HEIGHT, WIDTH, 4]: hairs run along columns, their ends at row 0."""
    rng = np.random.default_rng(spec.seed + 7)
    columns = np.arange(WIDTH, dtype=np.float32)

    def streaks(sigma: float) -> Floats:
        line = rng.standard_normal(WIDTH).astype(np.float32)
        spectrum = np.fft.rfft(line) * np.exp(-2 * (np.pi * sigma * np.fft.rfftfreq(WIDTH)) ** 2)
        line = np.fft.irfft(spectrum, WIDTH).astype(np.float32)
        return np.asarray(line / line.std(), np.float32)

    bends = rng.standard_normal((HEIGHT // 64 + 2, WIDTH // 32), np.float32)  # a strand leans one way for 64 texels
    sway = np.asarray(cv2.resize(bends, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
    sway *= 3.0 / sway.std()
    where = (columns[None] + sway) % WIDTH
    rows = np.zeros_like(where)

    def bent(line: Floats) -> Floats:
        wide = np.concatenate([line, line[:1]])[None]
        return np.asarray(cv2.remap(wide, where, rows, cv2.INTER_LINEAR), np.float32)

    fine, lock, mass = bent(streaks(0.7)), bent(streaks(3.0)), bent(streaks(14.0))
    if spec.hair in CURLED:
        fine, lock = noise(WIDTH, 2.0, rng)[:HEIGHT], noise(WIDTH, 6.0, rng)[:HEIGHT]
    shade = 0.86 * np.exp(0.15 * fine + 0.09 * lock + 0.05 * mass)
    inward = (np.arange(HEIGHT, dtype=np.float32) / HEIGHT * (DEEP + CUT) - CUT)[:, None]
    ends = np.clip(0.13 + 0.055 * lock + 0.045 * mass + 0.035 * fine, 0.012, 0.30)
    alpha = np.clip((inward - ends) / (0.06 + 0.05 * np.clip(fine + 1, 0, 2)) + 0.25, 0, 1)
    alpha = np.maximum(alpha, np.clip((inward - SOLID + 0.08) / 0.07, 0, 1))
    warm = 1 + np.clip(0.16 - np.maximum(inward, 0), 0, 0.16) * 1.2
    alpha = alpha * np.clip(inward / 0.02, 0, 1)
    shade *= warm
    grey = np.clip((bent(streaks(0.6)) - 1.6) * 2, 0, 1) * np.float32(np.clip((spec.age - 42) / 30, 0, 1))
    tone = [shade * channel * (1 - grey) + np.float32(0.75) * grey for channel in tint]
    planes = [np.asarray(cv2.convertScaleAbs(plane, alpha=255), np.uint8) for plane in (*tone, alpha)]
    return np.asarray(cv2.merge(planes), np.uint8)


def _from_edge(points: Floats, triangles: Ints) -> Floats:
    """Decimetres of each vertex from the edge of its sheet, along the mesh, f32[n]."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    keys, counts = np.unique(edges[:, 0].astype(np.int64) << 32 | edges[:, 1], return_counts=True)
    unique = np.stack([keys >> 32, keys & 0xFFFFFFFF], 1)
    away = np.full(len(points), 9.0, np.float32)
    away[unique[counts == 1].ravel()] = 0
    long = np.linalg.norm(points[unique[:, 0]] - points[unique[:, 1]], axis=1)
    for _ in range(24):  # enough edges to come DEEP into every mesh
        before = away.copy()
        np.minimum.at(away, unique[:, 0], before[unique[:, 1]] + long)
        np.minimum.at(away, unique[:, 1], before[unique[:, 0]] + long)
    return away


def _normals(points: Floats, triangles: Ints, centre: Floats) -> Floats:
    """Unit normals that point away from the skull, smoothed towards those of a ball: hair is a mass, not cards."""
    face = np.cross(
        points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]]
    )
    outward = (points[triangles].mean(1) - centre) * [1, 0.6, 1]
    face *= np.sign(np.einsum("nc,nc->n", face, outward))[:, None]
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, triangles[:, k], face)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    ball = (points - centre) * np.array([1, 0.75, 1], np.float32)
    ball /= np.maximum(np.linalg.norm(ball, axis=1, keepdims=True), 1e-9)
    out = 0.55 * out + 0.45 * ball
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), np.float32)


def _unwrapped(  # noqa: PLR0917, what makes a mesh
    points: Floats, normals: Floats, tangents: Floats, inward: Floats, turn: Floats, triangles: Ints
) -> tuple[Floats, Floats, Floats, Floats, Floats, Ints]:
    """The same hair with vertices doubled where a triangle would span the whole texture."""
    triangles = triangles.copy()
    wide = np.ptp(turn[triangles], axis=1) > 0.5
    low = wide[:, None] & (turn[triangles] < 0.5)
    old = np.unique(triangles[low])
    place = np.zeros(len(points), np.int64)
    place[old] = len(points) + np.arange(len(old))
    triangles[low] = place[triangles[low]]
    join = [np.concatenate([a, a[old]]) for a in (points, normals, tangents, inward)]
    turns = np.concatenate([turn, np.full(len(old), 1.0, np.float32)])
    return join[0], join[1], join[2], join[3], turns, triangles
