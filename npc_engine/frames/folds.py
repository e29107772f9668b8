"""Folds that skin makes where the mesh is too coarse to have them, as soft ridges along lines between landmarks.

What folds with which coefficient follows FACS (Ekman, Friesen & Hager 2002): AU 1, 2, 4, 6, 9, 10, 12, 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.moments import CHANNEL

Floats: TypeAlias = npt.NDArray[np.float32]
Place: TypeAlias = tuple[int, ...]  # landmarks whose mean it is


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold of the right half of a face, or across its middle."""

    line: tuple[Place, ...]  # from where it begins
    width: float  # of its dark middle, in face widths
    lit: float  # share of its depth by which the bulge beside it shines, left of the line's way, or right if below 0
    weights: Mapping[str, float]  # coefficient → share of light that it takes at weight 1
    both: bool = True  # whether the left half has it too


FOLDS: Final = (
    Fold(  # nose to lip
        ((129, 129, 203), (129, 203), (203, 206), (206, 206, 216), (216, 216, 186), (216, 212, 212), (212,)),
        0.013, -0.7,
        {"mouthSmile": 0.18, "noseSneer": 0.09, "mouthUpperUp": 0.09, "cheekSquint": 0.03, "mouthDimple": 0.05},
    ),
    Fold(  # frown, beside the middle
        ((8, 8, 55), (9, 55), (9, 107), (9, 9, 107, 108)), 0.0115, 0.6, {"browDown": 0.20},
    ),
    Fold(  # forehead, low
        ((63, 68, 68), (105, 104), (66, 69), (107, 108), (9, 151), (336, 337), (296, 299), (334, 333), (293, 298, 298)),
        0.011, -0.6, {"browInnerUp": 0.06, "browOuterUpLeft": 0.03, "browOuterUpRight": 0.03}, both=False,
    ),
    Fold(  # forehead, high
        ((68, 104), (104, 104, 103), (69, 69, 67), (108, 108, 67), (151, 151, 10), (337, 337, 297), (299, 299, 297),
         (333, 333, 332), (298, 333)),
        0.011, -0.6, {"browInnerUp": 0.045, "browOuterUpLeft": 0.03, "browOuterUpRight": 0.03}, both=False,
    ),
    Fold(((130, 226), (226, 35), (35, 143)), 0.009, 0.4, {"cheekSquint": 0.11, "eyeSquint": 0.05}),  # crow's feet
    Fold(((130, 226, 226), (226, 226, 113), (156, 124, 226)), 0.009, 0.4, {"cheekSquint": 0.08, "eyeSquint": 0.04}),
    Fold(((130, 31), (31, 35, 111), (111, 143)), 0.009, 0.4, {"cheekSquint": 0.10, "eyeSquint": 0.04}),
    Fold(  # below the eye
        ((228,), (229, 229, 118), (230, 119), (231, 231, 120), (232,)), 0.012, 0.5,
        {"cheekSquint": 0.11, "eyeSquint": 0.08, "mouthSmile": 0.05},
    ),
    Fold(((193, 122), (196, 188), (196, 196, 174, 217)), 0.011, 0.5, {"noseSneer": 0.15}),  # beside the nose's bridge
    Fold(((193, 193, 8), (122, 6), (196, 197)), 0.010, 0.5, {"noseSneer": 0.11}),
    Fold(((8, 193), (8,), (8, 417)), 0.011, 0.6, {"noseSneerLeft": 0.05, "noseSneerRight": 0.05}, both=False),
    Fold(((57, 57, 43), (202, 57), (202, 204, 210), (210, 204)), 0.014, 0.5, {"mouthFrown": 0.12}),  # corner to chin
    Fold(  # above the chin
        ((204, 194), (201, 194), (200, 18), (421, 418), (424, 418)), 0.016, 0.5,
        {"mouthShrugLower": 0.14, "mouthFrownLeft": 0.04, "mouthFrownRight": 0.04}, both=False,
    ),
)  # fmt: skip


def folds(places: npt.NDArray[Any], nodes: npt.NDArray[Any], width: float, count: int) -> Floats:
    """Light that folds take from or give to nodes f[rows, columns, 2] at weight 1: f32[count, rows, columns].

    `places` f[468, 2] are the landmarks, in the units of nodes and of `width`, the face's.
    """
    out = np.zeros((count, *nodes.shape[:2]), np.float32)
    mirror = _mirror()
    for fold in FOLDS:
        for side in ("Right", "Left") if fold.both else ("",):
            mine = [[mirror[i] if side == "Left" else i for i in place] for place in fold.line]
            line = np.array([places[place].mean(0) for place in mine])
            region, light = _ridge(_rounded(line), nodes, fold, width, lit_left=side != "Left")
            for name, depth in fold.weights.items():
                out[(CHANNEL[name + side], *region)] += depth * light
    return out


@cache
def _mirror() -> npt.NDArray[np.intp]:
    """The landmark on the other side of the face for each of the 468."""
    rest = topology.basis().rest
    return np.asarray(np.linalg.norm(rest[:, None] * [-1, 1, 1] - rest, axis=-1).argmin(1))


def _rounded(line: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A line's corners cut twice (Chaikin 1974), its ends kept."""
    for _ in range(2):
        inner = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1).reshape(-1, 2)
        line = np.concatenate([line[:1], inner, line[-1:]])
    return line


def _ridge(
    line: npt.NDArray[Any], nodes: npt.NDArray[Any], fold: Fold, width: float, *, lit_left: bool
) -> tuple[tuple[slice, slice], Floats]:
    """The rows and columns around a fold, and its light there: -1 in its middle, and fading towards its ends."""
    sigma = fold.width * width
    low, high = line.min(0) - 5 * sigma, line.max(0) + 5 * sigma
    columns = np.flatnonzero((nodes[0, :, 0] > low[0]) & (nodes[0, :, 0] < high[0]))
    rows = np.flatnonzero((nodes[:, 0, 1] > low[1]) & (nodes[:, 0, 1] < high[1]))
    if not (len(rows) and len(columns)):
        return (slice(0), slice(0)), np.zeros((0, 0), np.float32)
    region = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    start, way = line[:-1], np.diff(line, axis=0)
    length = np.maximum(np.linalg.norm(way, axis=1), 1e-9)
    to = nodes[region][:, :, None] - start
    along = np.clip((to * way).sum(-1) / length**2, 0, 1)
    off = to - along[..., None] * way
    away = np.linalg.norm(off, axis=-1)
    nearest = away.argmin(-1)[..., None]
    q = np.take_along_axis(away, nearest, -1)[..., 0] / sigma
    passed = np.concatenate([[0], np.cumsum(length)])
    at = np.take_along_axis(passed[:-1] + along * length, nearest, -1)[..., 0] / passed[-1]
    turned = np.take_along_axis(way[:, 0] * off[..., 1] - way[:, 1] * off[..., 0], nearest, -1)[..., 0]
    signed = q * np.where((turned < 0) == (lit_left == (fold.lit > 0)), 1, -1)  # above 0 on the bulge's side
    fade = np.sin(np.pi * np.clip(0.06 + 0.88 * at, 0, 1)) ** 0.8
    light = abs(fold.lit) * np.exp(-(((signed - 2.2) / 1.5) ** 2)) - np.exp(-(q**2))
    return region, np.asarray(light * fade, np.float32)
