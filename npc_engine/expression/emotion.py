"""A line's emotion on the face: a pose after the prototypes of FACS, added to what is said, where the lips are free.

Prototypes: Ekman & Friesen, Facial Action Coding System (1978; investigator's guide 2002), emotion table. What is said
comes before feeling: a mouth that is read wrongly is worse than a smile that is late. So a pose shows whole in pauses;
in speech brows, eyes, cheeks, nose and the corners of the mouth carry it, and the rest of the mouth only hints at it.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.aperture import aperture
from npc_engine.expression.contacts import Contact
from npc_engine.moments import CHANNEL, EMOTIONS, EXP50, TICK_MS, Exp

F32 = npt.NDArray[np.float32]

# Coefficients without a side stand for both. Action units in the order of the values
POSES: Final[dict[str, dict[str, float]]] = {
    "neutral": {},
    "happy": {  # 6 12
        "cheekSquint": 0.65, "eyeSquint": 0.30, "mouthSmile": 0.62, "mouthDimple": 0.12, "browOuterUp": 0.10,
    },
    "sad": {  # 1 4 15 17, with head and eyes down (54 64) and lids that hang
        "browInnerUp": 1.00, "browDown": 0.12, "mouthFrown": 0.75, "mouthShrugLower": 0.30, "eyeBlink": 0.16,
        "headPitch": -0.05, "gazePitch": -0.05,
    },
    "angry": {  # 4 5 7 17 23; pressed harder, lips would be read as PP
        "browDown": 1.00, "eyeWide": 0.45, "eyeSquint": 0.35, "mouthPress": 0.30, "mouthShrugLower": 0.25,
        "mouthFrown": 0.35, "noseSneer": 0.40,
    },
    "afraid": {  # 1 2 4 5 20
        "browInnerUp": 1.00, "browOuterUp": 0.30, "browDown": 0.12, "eyeWide": 0.85, "mouthStretch": 0.55,
        "mouthFrown": 0.25, "mouthLowerDown": 0.08,
    },
    "surprised": {  # 1 2 5 25 26; the lip goes with the jaw, which alone would be read as kk
        "browInnerUp": 1.00, "browOuterUp": 0.90, "eyeWide": 0.75, "jawOpen": 0.16, "mouthLowerDown": 0.08,
    },
    "disgusted": {  # 9 10 15 17, and 4 that goes with 9; the chin holds the lower lip at the upper, which is raised
        "noseSneer": 1.00, "mouthUpperUp": 0.26, "mouthFrown": 0.40, "mouthShrugLower": 0.55,
        "browDown": 0.40, "cheekSquint": 0.60, "eyeSquint": 0.50,
    },
}  # fmt: skip
"""What each emotion adds at strength 1 in lively style.

Each whole pose is read as silence by `npc_engine.retarget.visemes`: it shows in pauses, where nothing is said.
"""

IN: Final = 300 // TICK_MS  # ticks in which it comes
WANDERS: Final = 0.10  # share by which a held face slowly comes and goes
PULSES: Final = 0.15  # share by which it flares on an accent
UNEVEN: Final = 0.06  # share by which one side of a face may be ahead of the other, drawn for each line
OPEN: Final = 0.12  # aperture from which a mouth is open, and no longer pressed by what it feels
WIDE: Final = (0.20, 0.40)  # apertures between which it opens wide enough to show teeth as it feels
SPREAD: Final = 0.30  # mouthStretch at which what is said spreads the lips
SPEAKING: Final = {"smile": 0.6, "corners": 1.0, "spread": 0.2, "openers": 0.15, "closers": 0.2, "jaw": 0.0}
"""Group → share of the pose that shows in speech, where the sound leaves it most room; in a pause it is 1.

Chosen for a loss of 1.5 points at most in the visemes that are read from the mouth's shape, on the network's curves and
on the teacher's. A stretch of 0.055 laid under all speech costs 2.5, so stretching goes with sounds that spread.
"""
ROUND: Final = 0.45  # funnel or pucker at which lips are round
_LIDS, _WIDE = (np.array([CHANNEL[name + side] for side in ("Left", "Right")]) for name in ("eyeBlink", "eyeWide"))
_ROUND = [CHANNEL["mouthFunnel"], CHANNEL["mouthPucker"]]
_STRETCH = [CHANNEL["mouthStretchLeft"], CHANNEL["mouthStretchRight"]]
# Coefficients that give way together; all others never do
_GROUPS: Final = {
    "smile": ("mouthSmile",),
    "corners": ("mouthDimple", "mouthFrown"),
    "spread": ("mouthStretch",),
    "openers": ("mouthUpperUp", "mouthLowerDown"),
    "closers": ("mouthPress", "mouthShrug", "mouthRoll"),
    "jaw": ("jaw",),
}
_CHANNELS: Final = {
    group: np.array([i for name, i in CHANNEL.items() if name.startswith(names)]) for group, names in _GROUPS.items()
}


def pose(emotion: str) -> Exp:
    """f32[50] of an emotion at strength 1; ValueError names the known ones."""
    if emotion not in POSES:
        raise ValueError(f"emotion is {emotion!r}, expected one of {', '.join(EMOTIONS)}")
    out = np.zeros(len(EXP50), np.float32)
    for name, value in POSES[emotion].items():
        for channel in (name, name + "Left", name + "Right"):
            if channel in CHANNEL:
                out[CHANNEL[channel]] = value
    return out


class Feeling:
    """The emotion of one line; the same character and line feel the same each time."""

    def __init__(self, npc: str, line: str, emotion: str, strength: float) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength is {strength}, expected 0 to 1")
        self._pose = pose(emotion)
        self._strength = strength
        digest = hashlib.blake2b(f"{npc}\0{line}\0feeling".encode(), digest_size=16).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        self._rates = (np.array([0.13, 0.31]) * rng.uniform(0.8, 1.2, 2) * 2 * np.pi * TICK_MS / 1000).astype(
            np.float32
        )
        self._phases = rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
        uneven = float(rng.uniform(-UNEVEN, UNEVEN))
        for name, index in CHANNEL.items():
            self._pose[index] *= 1 + uneven * (name.endswith("Left") - name.endswith("Right"))
        self._tick = 0

    def step(self, exp: F32, accents: F32, pause: F32, contact: Contact, amount: float = 1.0) -> F32:
        """Exp f32[n, 50] of the next n ticks with the emotion in it; at strength 0, and for neutral, as it is.

        `accents` and `pause` f32[n], 0..1; `amount`: the gain of the style.
        """
        n = len(exp)
        ticks = np.arange(self._tick, self._tick + n, dtype=np.float32)
        self._tick += n
        if self._strength == 0 or not self._pose.any():
            return exp
        come = np.minimum((ticks + 1) / IN, 1)
        come = come * come * (3 - 2 * come)
        wave = np.sin(ticks[:, None] * self._rates + self._phases).mean(axis=1)
        held = self._strength * amount * come * (1 + WANDERS * wave + PULSES * accents)
        added = held[:, None] * self._pose
        for group, share in _shares(exp, pause, contact).items():
            added[:, _CHANNELS[group]] *= share[:, None]
        felt: F32 = exp + added
        # a lid that falls falls all the way, however wide the eye stood
        felt[:, _WIDE] *= 1 - np.clip(exp[:, _LIDS], 0, 1)
        return felt


def _shares(exp: F32, pause: F32, contact: Contact) -> dict[str, F32]:
    """Group → f32[n], 0..1: how much of its pose shows beside what is said, exp f32[n, 50]."""
    gap = aperture(exp)
    rounded = np.clip(exp[:, _ROUND].max(axis=1) / ROUND, 0, 1)
    spread = np.clip(exp[:, _STRETCH].max(axis=1) / SPREAD, 0, 1)
    wide = np.clip((gap - WIDE[0]) / (WIDE[1] - WIDE[0]), 0, 1)
    parted = np.clip(gap / OPEN, 0, 1)
    corners = (1 - 0.65 * rounded) * (1 - 0.3 * contact.bite)
    free = (1 - contact.seal) * (1 - contact.bite)
    one = np.ones_like(gap)
    room = {  # in speech, and whatever is or is not said
        "smile": (one, corners),
        "corners": (one, corners),
        "spread": (spread * (1 - rounded), free),
        "openers": (wide * (1 - rounded), free),
        "closers": ((1 - parted) * (1 - rounded), 1 - contact.bite),
        "jaw": (one, free),
    }
    return {group: np.maximum(SPEAKING[group] * said, pause) * always for group, (said, always) in room.items()}
