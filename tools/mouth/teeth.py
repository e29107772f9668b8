"""Rows of teeth grown on the dental arches of the MakeHuman head, as a front view shows them.

The head has arches but no single teeth: two bands, each of them three rows of vertices (biting edge, gum line, end of
the gum). Crowns are raised on the band, each as wide as a tooth is on average, and the gum is laid around their necks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FINE = 256  # pixels per mouth width
HALF = 0.60  # mouth widths that a row reaches to both sides
EYE = 6.0  # decimetres from the front teeth to whoever looks at them
OVER = 3  # each pixel is the mean of OVER × OVER
STEPS = 0.0008  # decimetres between the nodes of a modelled row, along and across


@dataclass(frozen=True)
class Row:
    """One row; lengths in decimetres, each tuple from the middle backwards."""

    group: str  # of the mesh
    widths: tuple[float, ...]  # Wheeler's averages: two incisors, canine, two premolars, two molars
    bulge: tuple[float, ...]  # of the crowns
    cusp: tuple[float, ...]  # how far the edge's corners stand back from its middle
    shorter: tuple[float, ...]
    tall: float  # mouth widths from the edge to where the picture of the gum ends
    beyond: float  # mouth widths of the picture on the edge's other side, where the teeth at the sides are


UPPER = Row(
    "helper-upper-teeth",
    (0.085, 0.066, 0.076, 0.070, 0.068, 0.100, 0.095),
    (0.022, 0.020, 0.030, 0.030, 0.030, 0.030, 0.030),
    (0.008, 0.010, 0.021, 0.018, 0.016, 0.012, 0.010),
    (0.0, 0.009, 0.001, 0.007, 0.010, 0.012, 0.014),
    0.34,
    0.03,
)
LOWER = Row(
    "helper-lower-teeth",
    (0.053, 0.058, 0.070, 0.070, 0.070, 0.110, 0.105),
    (0.016, 0.017, 0.026, 0.028, 0.030, 0.030, 0.030),
    (0.005, 0.006, 0.017, 0.017, 0.014, 0.010, 0.010),
    (0.001, 0.003, -0.002, 0.005, 0.008, 0.010, 0.010),
    0.30,
    0.20,
)


def band(points: np.ndarray) -> np.ndarray:
    """The outer side of a band's vertices: f64[3, n, 3], edge, gum line and gum's end, from the person's right."""
    angle, radius = np.arctan2(points[:, 0], points[:, 2] - 1.0), np.hypot(points[:, 0], points[:, 2] - 1.0)
    near = np.abs(angle[:, None] - angle) < 0.15
    outer = radius > np.where(near, radius, 0).max(1) - 0.06  # the inner side is a centimetre behind
    columns = points[outer][np.argsort(angle[outer])].reshape(-1, 3, 3)
    up = np.take_along_axis(columns, columns[:, :, 1].argsort(1)[:, :, None], 1)
    if columns[:, :, 1].mean() < 6.66:
        up = up[:, ::-1]  # the lower band's edge is its top
    return up.transpose(1, 0, 2)


def _along(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The band in even steps of arc length s from the middle: f64[m] and f64[3, m, 3]."""
    middle = (rows[0] + rows[1]) / 2
    s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(middle[:, [0, 2]], axis=0), axis=1))])
    s -= np.interp(0.0, middle[:, 0], s)
    even = np.arange(s[0], s[-1], STEPS)
    smooth = np.stack([[np.interp(even, s, row[:, k]) for k in range(3)] for row in rows]).transpose(0, 2, 1)
    # the band has nineteen columns; rounding them off takes its corners away
    return even, cv2.GaussianBlur(smooth, (0, 0), sigmaX=0.03 / STEPS, sigmaY=0.01, borderType=cv2.BORDER_REPLICATE)


def _teeth(s: np.ndarray, row: Row) -> tuple[np.ndarray, np.ndarray]:
    """For each s the number of its tooth, and where it lies on it, -1 (towards the middle) to 1."""
    ends = np.concatenate([[0.0], np.cumsum(row.widths)])
    k = np.clip(np.searchsorted(ends, np.abs(s), side="right") - 1, 0, len(row.widths) - 1)
    wide = np.array(row.widths)[k]
    return k, np.clip((np.abs(s) - ends[k]) / wide * 2 - 1, -1, 1)


def picture(points: np.ndarray, row: Row, width: float) -> np.ndarray:
    """u8[h, w, 5] of the row on its band's vertices: matte, gum, normal to the right and up, light that reaches it.

    `width` is the mouth's, in decimetres. Normals are 127.5 + 127.5 n. The biting edge's middle is half-way across,
    and `beyond` from the lower border of an upper row, from the upper border of a lower one.
    """
    s, rows = _along(band(points))
    down = 1.0 if rows[2, len(s) // 2, 1] > rows[0, len(s) // 2, 1] else -1.0  # 1: the edge hangs below the gum
    k, a = _teeth(s, row)
    crown = abs(float(rows[1, len(s) // 2, 1] - rows[0, len(s) // 2, 1]))
    v = np.arange(0, 1.9, STEPS / crown)[:, None]  # 0 at the edge, 1 at the gum line
    bulge, cusp, shorter = (np.array(t)[k] for t in (row.bulge, row.cusp, row.shorter))
    narrow = np.clip(a / (1 - 0.10 * np.clip(v, 0, 1.2) ** 2), -1.25, 1.25)
    # distal corners are rounder than mesial ones
    back = (shorter + cusp * np.abs(a) ** np.where(a > 0, 2.6, 3.6) + 0.006 * np.abs(a) ** 12) / crown
    tooth = bulge * (1 - np.abs(narrow) ** 2.4) ** 1 * (0.75 + 0.25 * np.sin(np.pi * np.clip(v * 0.8 + 0.1, 0, 1)))
    tooth += 0.011 * np.sin(np.pi / 2 * np.clip(v / 0.7, 0, 1)) - 0.006 * np.clip(v - 0.7, 0, 1)
    tooth -= 0.004 * np.exp(-(((v - back) / 0.05) ** 2))  # the edge is rounded off
    line = 1.04 - 0.30 * np.abs(a) ** 2.2  # scalloped, with a papilla between each two
    gum = np.clip((v - line) / 0.05 + 0.5, 0, 1)
    gum = gum * gum * (3 - 2 * gum)
    flesh = 0.014 + 0.014 * np.sin(np.pi / 2 * np.clip((v - line) / 0.3, 0, 1)) + 0.006 * (1 - np.abs(a) ** 2) * (v > 1)
    height = tooth * (1 - gum) + flesh * gum
    base = _between(rows, v)  # f64[len(v), len(s), 3]
    tangent = np.gradient(rows[:2].mean(0), axis=0)
    out = np.stack([-tangent[:, 2], np.zeros(len(s)), tangent[:, 0]], -1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    if out[len(s) // 2, 2] < 0:
        out = -out
    surface = base + out * height[..., None]
    normal = np.cross(np.gradient(surface, axis=1), np.gradient(surface, axis=0) * down)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normal *= np.sign(normal[..., 2:].sum())
    matte = np.clip((v - back) / 0.02 + 0.5, 0, 1)
    # what lies in a groove, and what lies far back beside the cheek, gets less light
    hollow = cv2.GaussianBlur(height, (0, 0), 0.010 / STEPS) - height
    light = np.clip(1 - 34 * np.clip(hollow, 0, None), 0.25, 1)
    light = light * np.clip(1 - (rows[0].max(0)[2] - base[..., 2]) / 0.52, 0.05, 1) ** 1.25
    light = light * (1 - 0.10 * np.exp(-(((v - back) / 0.10) ** 2)) * (1 - gum))  # edges are translucent
    values = np.dstack([np.broadcast_to(matte, gum.shape), gum, normal[..., 0], normal[..., 1], light])
    return _seen(surface, values, row, width, down)


def _between(rows: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The band at v: 0, 1 and 2 are its three rows."""
    low, high = np.clip(v, 0, 1)[..., None], np.clip(v - 1, 0, 1)[..., None]
    return rows[0] + (rows[1] - rows[0]) * low + (rows[2] - rows[1]) * high


def _seen(surface: np.ndarray, values: np.ndarray, row: Row, width: float, down: float) -> np.ndarray:
    """A front view of a surface f64[v, s, 3] with values f64[v, s, 5], of which the first is a matte."""
    near = EYE / (EYE + surface[..., 2].max() - surface[..., 2])
    middle = surface[0, surface.shape[1] // 2, 1]
    x = surface[..., 0] * near / width
    y = -(surface[..., 1] - middle) * near / width  # downwards, 0 at the edge's middle
    grain = FINE * OVER
    top = -row.tall if down > 0 else -row.beyond
    columns = (np.arange(-round(HALF * FINE) * OVER, round(HALF * FINE) * OVER) + 0.5) / grain
    lines = top + (np.arange(round((row.tall + row.beyond) * FINE) * OVER) + 0.5) / grain
    # rows of the surface hardly differ in x, so that columns are taken first, then lines within a column
    at = np.interp(
        columns, np.maximum.accumulate(x[x.shape[0] // 3] + np.arange(x.shape[1]) * 1e-9), np.arange(x.shape[1])
    )
    grid = np.stack(np.broadcast_arrays(at[None], np.arange(x.shape[0])[:, None]), -1).astype(np.float32)
    planes = [_read(values[..., k], grid) for k in range(values.shape[2])]
    lie = _read(y, grid)
    out = np.zeros((len(lines), len(columns), len(planes)))
    for c in range(len(columns)):
        order = np.argsort(lie[:, c])
        for k, plane in enumerate(planes):
            out[:, c, k] = np.interp(lines, lie[order, c], plane[order, c], *((0.0, 0.0) if k == 0 else (None, None)))
    if down > 0:  # the picture of the gum fades out at its end
        out[..., 0] *= np.clip((lines - top) / 0.03, 0, 1)[:, None]
    else:
        out[..., 0] *= np.clip((lines[-1] - lines) / 0.03, 0, 1)[:, None]
    out[..., 2:4] = out[..., 2:4] / 2 + 0.5
    small = out.reshape(out.shape[0] // OVER, OVER, -1, OVER, out.shape[2]).mean((1, 3))
    return np.clip(np.round(small * 255), 0, 255).astype(np.uint8)


def _read(plane: np.ndarray, grid: np.ndarray) -> np.ndarray:
    return cv2.remap(plane.astype(np.float32), grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
