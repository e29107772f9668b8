"""Everything a face may be asked for, in a few hundred expressions: what its identity is checked over."""

from __future__ import annotations

from typing import Final

import numpy as np

from npc_engine.expression.emotion import pose
from npc_engine.frames import limits, preview
from npc_engine.moments import ANGLES, CHANNEL, EMOTIONS, EXP50, NEUTRAL, Exp
from npc_engine.retarget.visemes import MOUTHS, OCULUS15

RANDOM: Final = 60
MOVED: Final = 8  # coefficients of a random expression: about as many as speech and emotion move at once
TURN: Final = 0.15  # radians: how far heads are turned


def expression_space() -> dict[str, Exp]:
    """Name → f32[50]: each weight at 1, the preview's twelve, visemes under each emotion, and random ones."""
    space = {name: limits.alone(name) for name in EXP50[:ANGLES]}
    space |= {f"preview {name}": preview.expression(name) for name in preview.EXPRESSIONS}
    for emotion in EMOTIONS:
        for viseme, mouth in zip(OCULUS15, MOUTHS, strict=True):
            space[f"{emotion} {viseme}"] = np.clip(pose(emotion) + mouth, 0, 1).astype(np.float32)
    rng = np.random.default_rng(5)
    for k in range(RANDOM):
        exp = NEUTRAL.copy()
        exp[rng.choice(ANGLES, MOVED, replace=False)] = rng.uniform(0, 1, MOVED)
        exp[CHANNEL["headPitch"] :] = rng.uniform(-TURN, TURN, 3)
        space[f"random {k}"] = exp
    return space
