"""Eyes of drawings, which are larger and rounder than the landmark network believes."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.lab import lab
from npc_engine.frames.sampling import blurred, read
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

SKIN: Final = (151, 9, 8, 168, 6, 197, 195, 50, 280, 205, 425, 101, 330)
"""Landmarks on forehead, nose and cheeks, which show skin even where the eyes are not where they should be."""
WINDOW: Final = 1.1  # half the edge of what is searched, in eye widths
LARGER: Final = 1.6  # times the landmarks' opening that an eye must be, to be believed
SOLID: Final = 0.93  # share of its convex hull that an eye fills
LIGHT_ENOUGH: Final = 0.5  # of the skin's light; what is darker is outline, lash or brow
CHROMA, LIGHTER = 14.0, 0.12


def drawn_opening(picture: Pixels, points: Floats, side: int) -> npt.NDArray[Any] | None:
    """The upper and the lower rim, f64[2, 9, 2] in picture edges, of an eye that is much larger than its landmarks.

    It is a plain, convex patch of what is no skin, with skin or an outline all around; anything else gives None, and
    the landmarks are near enough.
    """
    edge = picture.shape[0]
    rims = [points[list(r[side]), :2].astype(float) for r in (topology.LID_UPPER, topology.LID_LOWER)]
    ends = np.stack([points[list(r), :2][[0, -1]] for r in topology.LID_UPPER]).astype(float)
    width = float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max())
    along = (ends[1].mean(0) - ends[0].mean(0)) / max(float(np.linalg.norm(ends[1].mean(0) - ends[0].mean(0))), 1e-6)
    axes = np.stack([along, [-along[1], along[0]]]) * width
    centre = np.concatenate(rims).mean(0)
    n = 160
    v, u = np.mgrid[0:n, 0:n] / (n - 1) * 2 * WINDOW - WINDOW
    reach = 1.5 * WINDOW * width  # the window may lie aslant
    low = np.clip(np.floor((centre - reach) * edge), 0, edge - 2).astype(int)
    high = np.clip(np.ceil((centre + reach) * edge), low + 2, edge).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0], :3].astype(np.float32) * np.float32(1 / 255)
    seen = read(blurred(part, 0.01 * width * edge), (centre + np.stack([u, v], -1) @ axes) * edge - 0.5 - low)
    colours = lab(seen)
    at = np.clip(np.round(points[list(SKIN), :2] * edge - 0.5), 0, edge - 1).astype(int)
    samples = picture[at[:, 1], at[:, 0], :3].astype(np.float32) * np.float32(1 / 255)
    skin = np.median(lab(samples), axis=0)
    chroma = np.hypot(colours[..., 1] - skin[1], colours[..., 2] - skin[2])
    strange = (chroma > CHROMA) | (colours[..., 0] > (1 + LIGHTER) * skin[0])
    patch = (strange & (colours[..., 0] > LIGHT_ENOUGH * skin[0])).astype(np.uint8)
    patch = cv2.morphologyEx(patch, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(patch, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    believed = np.zeros_like(patch)
    outline = (
        ((np.concatenate([rims[0], rims[1][::-1]]) - centre) @ np.linalg.inv(axes) + WINDOW) * (n - 1) / 2 / WINDOW
    )
    cv2.fillPoly(believed, [np.round(outline).astype(np.int32)], 1)
    for contour in contours:
        whole = np.zeros_like(patch)
        cv2.fillPoly(whole, [contour], 1)  # the pupil, dark as an outline, belongs to it
        area, hull = int(whole.sum()), float(cv2.contourArea(cv2.convexHull(contour)))
        rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
        at_border = min(rows[0], columns[0]) == 0 or max(rows[-1], columns[-1]) == n - 1
        if at_border or area < LARGER * believed.sum() or area < SOLID * hull:
            continue
        if np.logical_and(whole, believed).sum() < 0.5 * believed.sum():
            continue
        x = columns[0] + (columns[-1] - columns[0]) * (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 9)))
        column = whole[:, np.round(x).astype(int)] > 0
        top, bottom = column.argmax(0).astype(float), n - 1 - column[::-1].argmax(0).astype(float)
        for k in (0, -1):
            top[k] = bottom[k] = (top[k] + bottom[k]) / 2
        found = np.stack([np.stack([x, y], -1) for y in (top, bottom)])
        return np.asarray(centre + (found / (n - 1) * 2 * WINDOW - WINDOW) @ axes)
    return None
