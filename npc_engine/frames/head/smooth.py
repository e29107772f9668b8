"""Edges without stairs."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import Floats
from npc_engine.moments import Pixels

STEP: Final = 0.07  # decimetres in depth from pixel to pixel that make an edge
_KERNEL: Final = np.ones((3, 3), np.uint8)


def smoothed(picture: Pixels, depth: Floats, there: Pixels) -> Pixels:
    """`picture` with the pixels along steps of `depth` and along the border of `there` averaged with their neighbours."""
    shallow = cv2.min(depth, 40.0)
    steps = cv2.morphologyEx(shallow, cv2.MORPH_GRADIENT, _KERNEL)
    edges = cv2.compare(steps, STEP, cv2.CMP_GT)
    cv2.bitwise_or(edges, cv2.morphologyEx(there, cv2.MORPH_GRADIENT, _KERNEL), edges)
    soft = cv2.GaussianBlur(picture, (3, 3), 0)
    return np.asarray(cv2.copyTo(soft, edges, picture), np.uint8)
