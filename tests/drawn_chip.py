"""A picture of something like a face that is the same on every machine."""

from __future__ import annotations

import numpy as np


def chip() -> np.ndarray:
    """u8[150, 150, 3]: an oval in soft colours, two dark spots and a line."""
    y, x = np.mgrid[0:150, 0:150].astype(np.float64)
    oval = np.clip(1.2 - np.hypot((x - 75) / 52, (y - 78) / 68), 0, 1)[..., None]
    spots = sum(np.exp(-((x - a) ** 2 + (y - 58) ** 2) / 60) for a in (52, 98))[..., None]
    line = np.exp(-((x - 75) ** 2) / 300 - (y - 110) ** 2 / 12)[..., None]
    picture = 60 + 150 * oval * [1.0, 0.8, 0.7] - 110 * spots - 70 * line * [0.5, 1, 1]
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
