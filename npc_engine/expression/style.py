"""How much a character moves: gains on groups of the 50 coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from npc_engine.moments import CHANNEL, EXP50, Exp


@dataclass(frozen=True, slots=True)
class Style:
    """Gains: 1 is what the network says and what `life` adds; and the pace of life."""

    mouth: float  # all that shapes speech, together: lips that meet still meet
    smile: float
    brows: float
    head: float
    emotion: float  # how far a line's emotion shows
    gaze: float  # how far looks wander
    pace: float  # how quickly eyes, lids and head go about what they do, and how soon they do the next thing
    blink_s: float  # seconds from blink to blink in the mean, where there is no occasion for one: in speech less


STYLES: Final[dict[str, Style]] = {
    "serious": Style(mouth=0.85, smile=0.5, brows=0.5, head=0.6, emotion=0.7, gaze=0.75, pace=0.75, blink_s=9.0),
    "lively": Style(mouth=1.0, smile=1.0, brows=1.0, head=1.0, emotion=1.0, gaze=1.0, pace=1.0, blink_s=8.0),
    "cartoon": Style(mouth=1.35, smile=1.5, brows=2.0, head=1.6, emotion=1.3, gaze=1.3, pace=1.35, blink_s=6.8),
}

_SMILE = ("mouthSmile", "mouthDimple", "cheekSquint")


def gains(name: str, intensity: float = 1.0) -> Exp:
    """f32[50] gains of a style, those of the mouth times `intensity`; ValueError names the known styles."""
    style = found(name)
    gain = np.ones(len(EXP50), np.float32)
    for channel, index in CHANNEL.items():
        if channel.startswith(_SMILE):
            gain[index] = style.smile * (intensity if channel.startswith("mouth") else 1.0)
        elif channel.startswith(("jaw", "mouth")):
            gain[index] = style.mouth * intensity
        elif channel.startswith("tongue"):
            gain[index] = min(intensity, 1.0)
        elif channel.startswith("brow"):
            gain[index] = style.brows
        elif channel.startswith("head"):
            gain[index] = style.head
    return gain


def found(name: str) -> Style:
    """The style of that name; ValueError names the known ones."""
    if name not in STYLES:
        raise ValueError(f"style is {name!r}, expected one of {', '.join(STYLES)}")
    return STYLES[name]
