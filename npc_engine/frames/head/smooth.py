"""Edges without stairs."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np

from npc_engine.frames.head.asset import Floats
from npc_engine.frames.head.raster import Window
from npc_engine.moments import Pixels

Marked: TypeAlias = tuple[Window, Pixels]
"""A part of a picture, and u8 of its size: 255 where it is marked."""

STEP: Final = 3.1e-4  # of depth from pixel to pixel that make an edge: 0.07 decimetres where the head is
LEAP: Final = 6.0  # rows of the texture from pixel to pixel that no smooth skin seen from before it makes
_KERNEL: Final = np.ones((3, 3), np.uint8)


def over(plane: Floats, least: float) -> Pixels:
    """255 where `plane` f32[h, w] is above `least`, 0 elsewhere."""
    # OpenCV's stubs know no scalar here
    found: Pixels = cv2.compare(plane, least, cv2.CMP_GT)  # type: ignore[call-overload]
    return found


def folds(rows: Floats) -> Pixels:
    """255 where neighbours show texels far apart by the rows f32[h, w] they were looked up in: lips that touch."""
    return over(np.asarray(cv2.morphologyEx(rows, cv2.MORPH_GRADIENT, _KERNEL), np.float32), LEAP)


def smoothed(picture: Pixels, depth: Floats, soft: Pixels, more: Marked | None = None) -> Pixels:
    """`picture`, changed in place, with pixels along steps of `depth` and where `soft` lies between 0 and 255 blurred.

    So are those that `more` marks.
    """
    steps = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, _KERNEL)
    edges = over(np.asarray(steps, np.float32), STEP)
    cv2.bitwise_or(edges, cv2.inRange(soft, 1, 254), edges)
    if more:
        edges[more[0]] |= more[1]
    return np.asarray(cv2.copyTo(cv2.GaussianBlur(picture, (3, 3), 0), edges, picture), np.uint8)
