"""A sheet of twelve expressions, to see at a glance how well a picture moves."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from npc_engine.frames.drawing import DrawnFace
from npc_engine.moments import CHANNEL, NEUTRAL, Exp, Pixels

EXPRESSIONS: Final[dict[str, dict[str, float]]] = {
    "neutral": {},
    "ah": {"jawOpen": 0.5, "mouthLowerDownLeft": 0.15, "mouthLowerDownRight": 0.15},
    "ee": {
        "jawOpen": 0.14, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4, "mouthSmileLeft": 0.25,
        "mouthSmileRight": 0.25, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3,
    },
    "oo": {"jawOpen": 0.12, "mouthPucker": 0.75, "mouthFunnel": 0.3},
    "oh": {"jawOpen": 0.3, "mouthFunnel": 0.5, "mouthPucker": 0.3},
    "m b p": {"jawOpen": 0.1, "mouthClose": 0.1, "mouthPressLeft": 0.4, "mouthPressRight": 0.4},
    "f v": {
        "jawOpen": 0.08, "mouthRollLower": 0.5, "mouthUpperUpLeft": 0.4, "mouthUpperUpRight": 0.4,
        "mouthShrugLower": 0.3,
    },
    "smile": {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "surprise": {
        "browInnerUp": 0.9, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8, "eyeWideLeft": 0.6, "eyeWideRight": 0.6,
        "jawOpen": 0.25,
    },
    "frown": {
        "browDownLeft": 0.9, "browDownRight": 0.9, "eyeSquintLeft": 0.5, "eyeSquintRight": 0.5,
        "mouthFrownLeft": 0.5, "mouthFrownRight": 0.5,
    },
    "turn": {"headYaw": 0.12, "headPitch": 0.05, "headRoll": 0.04, "gazeYaw": 0.15},
}  # fmt: skip
"""Twelve expressions by name, as coefficients that differ from zero."""

COLUMNS: Final = 4
TILE: Final = 320


def expression(name: str) -> Exp:
    """One of the twelve as f32[50]."""
    exp = NEUTRAL.copy()
    for channel, value in EXPRESSIONS[name].items():
        exp[CHANNEL[channel]] = value
    return exp


def preview_sheet(face: DrawnFace) -> Pixels:
    """The twelve expressions with their names: RGB u8[960, 1280, 3]; transparency shows as grey."""
    tiles = []
    for name in EXPRESSIONS:
        tile = face.render(expression(name), TILE)
        if tile.shape[2] == 4:
            alpha = tile[..., 3:] / 255.0
            tile = (tile[..., :3] * alpha + 128 * (1 - alpha)).astype(np.uint8)
        tile = np.ascontiguousarray(tile)
        for width, colour in ((4, (0, 0, 0)), (1, (255, 255, 255))):
            cv2.putText(tile, name, (8, TILE - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, width, cv2.LINE_AA)
        tiles.append(tile)
    return np.vstack([np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)])
