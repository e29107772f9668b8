"""Sheets to look at: twelve expressions of a face, how a picture moved, and many faces side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.sampling import shrunk
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
STRIP: Final = 28  # pixels under a tile for its words
GREY: Final = 128  # shown through transparency


def expression(name: str) -> Exp:
    """One of the twelve as f32[50]."""
    exp = NEUTRAL.copy()
    for channel, value in EXPRESSIONS[name].items():
        exp[CHANNEL[channel]] = value
    return exp


def preview_sheet(face: DrawnFace) -> Pixels:
    """The twelve with their names: RGB u8[1044, 1280, 3]; transparency shows as grey."""
    return sheet({name: face.render(expression(name), TILE) for name in EXPRESSIONS})


def sheet(pictures: Mapping[str, Pixels], warned: frozenset[str] = frozenset(), columns: int = COLUMNS) -> Pixels:
    """Square pictures of any size in rows of `columns`, each above its name; names in `warned` are red."""
    tiles = [_tile(name, picture, red=name in warned) for name, picture in pictures.items()]
    columns = min(columns, len(tiles))
    tiles += [np.full_like(tiles[0], GREY)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def _tile(words: str, picture: Pixels, *, red: bool) -> Pixels:
    if picture.shape[:2] != (TILE, TILE):
        picture = shrunk(picture, TILE, TILE)
    if picture.shape[2] == 4:
        alpha = picture[..., 3:] / 255.0
        picture = (picture[..., :3] * alpha + GREY * (1 - alpha)).astype(np.uint8)
    strip = np.full((STRIP, TILE, 3), 24, np.uint8)
    colour = (255, 110, 100) if red else (235, 235, 235)
    size = min(0.55, 0.55 * (TILE - 16) / cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)[0][0])
    cv2.putText(strip, words, (8, STRIP - 9), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])
