"""What is in a mouth: where teeth and tongue sit behind the lips, and how little light reaches them."""

from __future__ import annotations

from typing import Final

import numpy as np

from npc_engine.frames.head.asset import LOWER_TEETH, MOUTH, SKIN, TONGUE, UPPER_TEETH, Asset, Floats, Ints

SHOWN: Final = 0.25  # of the height of teeth with gums: so far upper teeth reach below the line between the lips
OVERBITE: Final = 0.13  # of the same: how far upper teeth lap over lower ones
TIP, BACK = 0.16, -0.10  # of the same: how far the tongue's tip and its back lie below the lower teeth's edges
NEAR: Final = 0.45  # decimetres behind the front teeth in which most of the light is lost
LEAST: Final = 0.26  # share of the light that is left at the back
UNDER_LIP: Final = 0.62  # share of the light that an upper lip leaves to the gums behind it


def points_of(head: Asset, *parts: int) -> Ints:
    """Points of some parts of the mesh, ascending."""
    there = np.zeros(len(head.points), bool)
    there[head.vertex[head.triangles[np.isin(head.part, parts)]]] = True
    return np.flatnonzero(there).astype(np.int32)


def seated(head: Asset, points: Floats) -> Floats:
    """Points f32[p, 3] with upper teeth that show under a lifted lip, and the tongue on the floor of the mouth.

    MakeHuman's teeth stand so high, and its tongue so near to the palate, that an open mouth showed neither upper
    teeth nor a hollow.
    """
    out = points.copy()
    upper, lower, tongue = (points_of(head, part) for part in (UPPER_TEETH, LOWER_TEETH, TONGUE))
    tall = float(np.ptp(points[upper, 1]))
    edge = float(points[head.marks["lip_line"], 1]) - SHOWN * tall
    front = np.abs(points[:, 0]) < 0.3 * np.abs(points[upper, 0]).max()
    out[upper, 1] += edge - points[upper[front[upper]], 1].min()
    down = edge + OVERBITE * tall - float(points[lower[front[lower]], 1].max())
    out[lower, 1] += down
    y, z = out[tongue, 1] + np.float32(down), out[tongue, 2]
    floor = float(y.min())
    ahead = (z - z.min()) / np.ptp(z)
    # the highest the tongue may be at each place: low behind the teeth, higher towards the throat
    most = edge + OVERBITE * tall - tall * (BACK + (TIP - BACK) * np.clip((ahead - 0.35) / 0.5, 0, 1))
    crown = np.array([y[np.abs(ahead - a) < 0.10].max() for a in ahead])
    squeeze = np.clip((most - floor) / np.maximum(crown - floor, 1e-6), 0, 1)
    out[tongue, 1] = floor + (y - floor) * squeeze
    return out


def lip_rims(head: Asset) -> tuple[int, int]:
    """The points where the upper and the lower lip touch, on the face's middle line."""
    upper = head.marks["lip_line"]
    places, moves = head.shape("arkit/jawOpen")
    falls = np.zeros(len(head.points), np.float32)
    falls[places] = moves[:, 1]
    skin = points_of(head, SKIN)
    middle = skin[(np.abs(head.points[skin, 0]) < 0.01) & (falls[skin] < 0.5 * falls[head.marks["lip_bottom"]])]
    away = np.linalg.norm(head.points[middle] - head.points[upper], axis=1)
    return upper, int(middle[away.argmin()])


def lip_vertices(head: Asset, rest: Floats) -> Ints:
    """Vertices of the skin on the lips and just around them."""
    top, low, side = (rest[head.marks[name]] for name in ("lip_top", "lip_bottom", "corner"))
    spot = rest[head.vertex]
    tall = float(top[1] - low[1])
    near = (np.abs(spot[:, 0]) < 1.15 * abs(float(side[0]))) & (spot[:, 2] > side[2] - 0.1)
    near &= (spot[:, 1] < top[1] + 0.2 * tall) & (spot[:, 1] > low[1] - 0.2 * tall)
    skin = np.zeros(len(head.vertex), bool)
    skin[head.triangles[head.part == SKIN]] = True
    return np.flatnonzero(near & skin).astype(np.int32)


def reached(head: Asset, rest: Floats) -> tuple[Ints, Floats]:
    """Vertices i32[k] inside the mouth, and the share of light f32[k] that an open mouth lets in to each."""
    there = np.zeros(len(head.vertex), bool)
    there[head.triangles[np.isin(head.part, (MOUTH, UPPER_TEETH, LOWER_TEETH, TONGUE))]] = True
    inner = np.flatnonzero(there).astype(np.int32)
    upper, lower = points_of(head, UPPER_TEETH), points_of(head, LOWER_TEETH)
    spot = rest[head.vertex[inner]]
    behind = np.maximum(rest[upper, 2].max() - spot[:, 2], 0) / NEAR
    out = LEAST + (1 - LEAST) * np.exp(-behind * behind)
    teeth = np.zeros(len(head.points), bool)
    teeth[lower] = True
    out[teeth[head.vertex[inner]]] *= UNDER_LIP + 0.16
    teeth[lower], teeth[upper] = False, True
    above = (spot[:, 1] - rest[upper, 1].min()) / np.ptp(rest[upper, 1])
    shade = np.where(teeth[head.vertex[inner]], 1 - (1 - UNDER_LIP) * np.clip(above * 1.6, 0, 1), 1)
    return inner, np.asarray(out * shade, np.float32)
