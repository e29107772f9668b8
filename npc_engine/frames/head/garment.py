"""Clothes on the shoulders: a surface laid over the body from its collar down, with folds and a weave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head.asset import SKIN, Asset, Floats, Ints
from npc_engine.frames.head.layout import noise
from npc_engine.frames.head.raster import EMPTY, Camera, away, canvas
from npc_engine.head_spec import CLOTHES, HeadSpec, colour

ROWS, TURNS = 56, 192  # down from the collar, round the neck
REACH: Final = 3.4  # decimetres from the neck that clothes go
EDGE: Final = 1024
CUTS: Final = {  # how far the collar stands off the neck, drops in front, its roll, and how high it stands
    "tunic": (0.16, 0.62, 0.045, 0.02), "robe": (0.13, 0.16, 0.05, 0.42), "cloak": (0.24, 0.30, 0.20, 0.26),
}  # fmt: skip


@dataclass(frozen=True)
class Garment:
    """Clothes at rest; they do not move."""

    points: Floats  # [n, 3]
    normals: Floats  # [n, 3]
    uv: Floats  # [n, 2], 0..1, v down
    triangles: Ints  # [m, 3]
    texture: npt.NDArray[np.uint8]  # RGB u8[EDGE, EDGE, 3]
    open: Floats  # [n]


def sewn(head: Asset, rest: Floats, carried: Floats, spec: HeadSpec) -> Garment | None:
    """Clothes for a shaped body; None for `clothes = "none"`."""
    if spec.clothes == "none":
        return None
    off, drop, roll, stand = CUTS[spec.clothes]
    rng = np.random.default_rng(spec.seed + 11)
    neck = rest[head.neck].mean(0)
    turn = np.linspace(-np.pi, np.pi, TURNS, endpoint=False).astype(np.float32)  # 0 in front
    front = 0.5 + 0.5 * np.cos(turn)
    ring = _neck_radius(head, rest, carried, neck, turn) + off + drop * front**3
    height = _shoulders(head, rest, carried, neck)
    t = np.linspace(0, 1, ROWS - 6, dtype=np.float32)[:, None]
    radius = ring + (REACH - ring) * t**1.35
    way = np.stack([np.sin(turn), np.cos(turn)])
    y = _sampled(height, radius * way[0], radius * way[1])
    y = np.minimum.accumulate(y, axis=0)
    blurred = cv2.GaussianBlur(np.concatenate([y] * 3, 1), (0, 0), 2.2)[:, TURNS : 2 * TURNS]
    y = np.asarray(np.maximum(blurred, y) + 0.07, np.float32)
    folds = _folds(rng, y.shape) * (0.015 + 0.055 * np.clip(t * 3, 0, 1))
    y = np.asarray(y + folds, np.float32)
    # the collar: up the neck's side, over its edge, down inside
    up = np.linspace(1, 0, 5, dtype=np.float32)[:-1, None]
    rim_r = ring + roll * 0.2 - stand * 0.12 * up
    rim_y = y[:1] + stand * up + roll * np.sin(np.pi * up * 0.5)
    inner_r = np.stack([rim_r[0] - roll * 0.9, rim_r[0] - roll * 0.75])
    inner_y = np.stack([rim_y[0] - 0.30 - stand, rim_y[0] - roll * 0.5])
    radius, y = np.concatenate([inner_r, rim_r, radius]), np.concatenate([inner_y, rim_y, y])
    lumps = cv2.GaussianBlur(np.concatenate([rng.standard_normal((len(y), TURNS), np.float32)] * 3, 1), (0, 0), 5)
    radius[:7] += lumps[:7, TURNS : 2 * TURNS] * roll * 2.2
    points = np.stack([neck[0] + radius * way[0], y, neck[2] + radius * way[1]], -1).astype(np.float32)
    rows = len(points)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(1)
    down = np.concatenate([[0], np.cumsum(steps)])
    points = np.concatenate([points, points[:, :1]], 1)
    u, v = np.meshgrid(np.linspace(0, 1, TURNS + 1), down / down[-1])
    index = np.arange(rows * (TURNS + 1)).reshape(rows, -1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]).astype(
        np.int32
    )
    normals = _normals(points)
    shade = np.clip(0.72 + 0.28 * np.linspace(0, 1, rows)[:, None] * 4, 0, 1) + np.zeros_like(u)
    shade[:2] *= 0.45
    hollow = np.concatenate([np.zeros((rows - len(folds), TURNS)), np.minimum(folds * 9, 0.0)])
    shade = np.clip(shade + np.concatenate([hollow, hollow[:, :1]], 1), 0.3, 1)
    return Garment(
        points.reshape(-1, 3), normals.reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2).astype(np.float32),
        triangles, _weave(spec, rng), shade.ravel().astype(np.float32),
    )  # fmt: skip


def _neck_radius(head: Asset, rest: Floats, carried: Floats, neck: Floats, turn: Floats) -> Floats:
    """How thick the neck is on each side, f32[TURNS] decimetres, smooth."""
    skin = np.unique(head.vertex[head.triangles[head.part == SKIN]])
    p = rest[skin] - neck
    near = (carried[skin] > 0.12) & (carried[skin] < 0.5)
    angle, away = np.arctan2(p[near, 0], p[near, 2]), np.hypot(p[near, 0], p[near, 2])
    order = np.argsort(angle)
    out = np.interp(turn, angle[order], away[order], period=2 * np.pi).astype(np.float32)
    wide = cv2.GaussianBlur(np.concatenate([out] * 3)[None], (0, 0), 10)[0]
    return np.asarray(wide[len(turn) : 2 * len(turn)], np.float32)


_SIZE: Final = 256


def _shoulders(head: Asset, rest: Floats, carried: Floats, neck: Floats) -> Floats:
    """The body's height above the ground plan, f32[_SIZE, _SIZE] in decimetres, seen from above without the head."""
    body = head.vertex[head.triangles[head.part == SKIN]]
    body = np.ascontiguousarray(body[(carried[body] < 0.35).all(1)])
    above = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    camera = Camera(neck, above, 60.0, 2 * REACH * 1.1)
    _, depth = canvas(_SIZE)
    camera.lens(_SIZE).deep(depth, camera.seen(rest), body)
    y = np.where(depth < EMPTY, neck[1] + 60.0 - away(depth), -1.0)
    y = np.maximum(y, neck[1] - 3.0)
    return np.asarray(cv2.GaussianBlur(cv2.dilate(y, np.ones((3, 3))), (0, 0), 2.0), np.float32)


def _sampled(height: Floats, x: Floats, z: Floats) -> Floats:
    """Heights at offsets from the neck; the plan lies with z down its rows."""
    scale = _SIZE / (2 * REACH * 1.1)
    column, row = x * scale + _SIZE / 2 - 0.5, z * scale + _SIZE / 2 - 0.5
    return np.asarray(
        cv2.remap(height, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR), np.float32
    )


def _folds(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Soft ridged creases that fall from the collar, about -1..1."""
    raw = rng.standard_normal(shape).astype(np.float32)
    wide = np.concatenate([raw] * 3, 1)
    fold = cv2.GaussianBlur(wide, (0, 0), sigmaX=4.5, sigmaY=11)[:, shape[1] : 2 * shape[1]]
    small = cv2.GaussianBlur(wide, (0, 0), sigmaX=2.0, sigmaY=5)[:, shape[1] : 2 * shape[1]]
    fold = fold / fold.std() + 0.35 * small / small.std()
    return np.asarray(np.tanh(fold * 0.8), np.float32)


def _normals(points: Floats) -> Floats:
    """Unit normals f32[rows, TURNS + 1, 3] of the grid, upwards and outwards."""
    around = np.concatenate([points[:, -2:-1], points, points[:, 1:2]], 1)
    across = around[:, 2:] - around[:, :-2]
    down = np.gradient(points, axis=0)
    out = np.cross(down, across)
    out /= np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-9)
    return np.asarray(out, np.float32)


def _weave(spec: HeadSpec, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Cloth: threads over and under, uneven yarn, wear."""
    tone = np.array(colour(spec.clothes_colour, CLOTHES, "clothes_colour"), np.float32)
    wave = np.sin(np.arange(EDGE, dtype=np.float32) * np.float32(np.pi * 0.40))
    over = np.outer(wave, wave)
    lengths = rng.standard_normal((EDGE // 16, EDGE), np.float32)  # a yarn is even for 16 texels
    yarn = np.asarray(cv2.resize(lengths, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC), np.float32)
    crossed = cv2.add(yarn, cv2.transpose(yarn))
    wear = cv2.addWeighted(noise(EDGE, 40, rng), 0.05, noise(EDGE, 9, rng), 0.035, 1)
    shade = cv2.add(cv2.addWeighted(over, 0.10, crossed, 0.06, 0), wear)
    planes = [np.asarray(cv2.convertScaleAbs(shade, alpha=255 * float(channel)), np.uint8) for channel in tone]
    return np.asarray(cv2.merge(planes), np.uint8)
