"""How far the lips stand apart: one number from the 50 coefficients."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import CHANNEL

# Openers and closers in units of jawOpen, about the ratio of their lip movements in the ARKit basis: jawOpen parts the
# lips, mouthClose brings them together against it one to one, the rest moves a lip by a fraction.
WEIGHTS: Final[dict[str, float]] = {
    "jawOpen": 1.0,
    "mouthClose": -1.0,
    "mouthLowerDownLeft": 0.2,
    "mouthLowerDownRight": 0.2,
    "mouthUpperUpLeft": 0.15,
    "mouthUpperUpRight": 0.15,
    "mouthFunnel": 0.15,
    "mouthRollLower": -0.2,
    "mouthRollUpper": -0.15,
    "mouthPressLeft": -0.1,
    "mouthPressRight": -0.1,
    "mouthShrugLower": -0.15,
    "mouthShrugUpper": -0.05,
}

_INDEX = np.array([CHANNEL[name] for name in WEIGHTS])
_WEIGHT = np.array(list(WEIGHTS.values()), np.float32)


def aperture(exp: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Opening between the lips of exp f32[..., 50], in units of jawOpen; 0 and below is closed, below is pressed."""
    opening: npt.NDArray[np.float32] = exp[..., _INDEX] @ _WEIGHT
    return opening
