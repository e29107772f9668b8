"""Edges without stairs."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import Floats
from npc_engine.moments import Pixels

STEP: Final = 0.07  # decimetres in depth from pixel to pixel that make an edge
_KERNEL: Final = np.ones((3, 3), np.uint8)


def over(plane: Floats, least: float) -> Pixels:
    """255 where `plane` f32[h, w] is above `least`, 0 elsewhere."""
    # OpenCV's stubs know no scalar here
    found: Pixels = cv2.compare(plane, least, cv2.CMP_GT)  # type: ignore[call-overload]
    return found


def smoothed(picture: Pixels, depth: Floats, there: Pixels) -> Pixels:
    """`picture` with pixels along steps of `depth` and the border of `there` averaged with their neighbours."""
    shallow = np.minimum(depth, np.float32(40))
    steps = cv2.morphologyEx(shallow, cv2.MORPH_GRADIENT, _KERNEL)
    edges = over(np.asarray(steps, np.float32), STEP)
    cv2.bitwise_or(edges, cv2.morphologyEx(there, cv2.MORPH_GRADIENT, _KERNEL), edges)
    soft = cv2.GaussianBlur(picture, (3, 3), 0)
    return np.asarray(cv2.copyTo(soft, edges, picture), np.uint8)
