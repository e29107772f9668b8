"""Coefficients as tests write them: by name."""

from __future__ import annotations

import numpy as np

from npc_engine.moments import CHANNEL, NEUTRAL


def exp(**weights: float) -> np.ndarray:
    """Coefficients by name; a name without its side means both."""
    out = NEUTRAL.copy()
    for name, value in weights.items():
        for channel in [name] if name in CHANNEL else [name + "Left", name + "Right"]:
            out[CHANNEL[channel]] = value
    return out
