"""Eyeballs: two part-spheres whose texture is an eye seen from the front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from npc_engine.frames.head.asset import Asset, Floats, Ints

RINGS, SPOKES = 12, 24
SEEN: Final = 1.75  # radians from the pupil to where the ball ends
BOX: Final = (0.865, 0.02, 0.985, 0.14)  # left, low, right, top of the eye's texture in the atlas, v up
IRIS: Final = 0.50  # radians from the pupil to the white: 12 mm on a ball of 24 mm
BULGE: Final = 0.045  # share of the radius that the cornea stands out


@dataclass(frozen=True)
class Eyeballs:
    """Both eyes at rest."""

    centres: Floats  # [2, 3]
    radius: float
    ball: Floats  # [n, 3] of one eye around its centre, looking to +z, radius 1
    outward: Floats  # [n, 3], the same as unit vectors
    uv: Floats  # [n, 2]
    triangles: Ints  # [m, 3] of one eye


def eyeballs(head: Asset, points: Floats) -> Eyeballs:
    """The eyeballs that fit the sockets of a shaped head."""
    # the helper's cornea stands out to the front: width gives the radius, the back gives the centre
    centres, widths = [], []
    for mine in head.eyes:
        p = points[mine]
        low, high = p.min(0), p.max(0)
        radius = float(high[0] - low[0]) / 2
        centres.append([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + radius])
        widths.append(radius)
    t = np.linspace(0, 1, RINGS + 1)[1:]
    away = SEEN * t**0.9
    turn = np.arange(SPOKES) / SPOKES * 2 * np.pi
    a, b = np.meshgrid(away, turn, indexing="ij")
    ring = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], -1).reshape(-1, 3)
    ball = np.concatenate([[[0, 0, 1]], ring])
    flat = np.concatenate([[[0, 0]], np.stack([a * np.cos(b), a * np.sin(b)], -1).reshape(-1, 2) / SEEN])
    cap = np.clip(1 - (np.hypot(ball[:, 0], ball[:, 1]) / np.sin(IRIS * 1.15)) ** 2, 0, 1) * (ball[:, 2] > 0)
    ball[:, 2] += BULGE * cap
    left, low_v, right, top = BOX
    uv = np.array([left + right, low_v + top]) / 2 + flat * np.array([right - left, top - low_v]) / 2
    fans = [[0, 1 + k, 1 + (k + 1) % SPOKES] for k in range(SPOKES)]
    for r in range(RINGS - 1):
        for k in range(SPOKES):
            n = (k + 1) % SPOKES
            p, q = 1 + r * SPOKES, 1 + (r + 1) * SPOKES
            fans += [[p + k, q + k, q + n], [p + k, q + n, p + n]]
    return Eyeballs(
        np.array(centres, np.float32),
        float(np.mean(widths)),
        ball.astype(np.float32),
        (ball / np.linalg.norm(ball, axis=1, keepdims=True)).astype(np.float32),
        uv.astype(np.float32),
        np.array(fans, np.int32),
    )
