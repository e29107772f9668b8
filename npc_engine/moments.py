"""What travels through the engine: a line becomes speech, expressions, pictures and moments. Imports nothing of ours.

Time is an integer everywhere. One tick is 20 ms; ticks and samples count from 0 at the first sample of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import cos, pi
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

TICK_MS: Final = 20
SAMPLE_RATE: Final = 24_000
TICK_SAMPLES: Final = SAMPLE_RATE * TICK_MS // 1000  # 480

Sound: TypeAlias = npt.NDArray[np.float32]  # f32[n], -1..1, mono, 24 kHz
Exp: TypeAlias = npt.NDArray[np.float32]  # f32[50], in the order of EXP50
Pixels: TypeAlias = npt.NDArray[np.uint8]  # u8[h, w, 3 | 4], RGB or RGBA, rows from the top

EXP50: Final[tuple[str, ...]] = (
    "jawOpen", "jawForward", "jawLeft", "jawRight",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "tongueOut",
    # ours: tongueUp 0..1, then five angles in radians
    "tongueUp", "gazePitch", "gazeYaw", "headPitch", "headYaw", "headRoll",
)  # fmt: skip
"""The 50 coefficients: 44 ARKit weights 0..1 under ARKit's names, tongueUp 0..1, and five angles in radians.

Angles are positive for looking up (pitch), to the person's own left (yaw) and tilting to the own left shoulder (roll).
"""

ANGLES: Final = 45
"""Index of the first angle in exp50; everything before it is a weight 0..1."""

CHANNEL: Final[dict[str, int]] = {name: index for index, name in enumerate(EXP50)}
"""Index of each coefficient by name."""

ARKIT52: Final[tuple[str, ...]] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
"""The keys of Apple's ARFaceAnchor.BlendShapeLocation, in the order of the columns of Live Link Face's recordings."""

VISEMES15: Final = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
"""The Oculus 15, in the order of the Oculus lip sync; it also writes I O U as ih oh ou."""

FULL_LOOK: Final = float(np.pi / 6)
"""Radians that an eye has turned when its eyeLook shape is 1: 30 degrees. Apple gives no angle; rigs have 25 to 35."""

# In is towards the nose: the right eye's, for a look to the left
EYE_LOOKS: Final = {
    "eyeLookUpLeft": ("gazePitch", 1.0), "eyeLookUpRight": ("gazePitch", 1.0),
    "eyeLookDownLeft": ("gazePitch", -1.0), "eyeLookDownRight": ("gazePitch", -1.0),
    "eyeLookOutLeft": ("gazeYaw", 1.0), "eyeLookInRight": ("gazeYaw", 1.0),
    "eyeLookInLeft": ("gazeYaw", -1.0), "eyeLookOutRight": ("gazeYaw", -1.0),
}  # fmt: skip
"""ARKit's eight shapes that exp50 has not: which angle each follows, and whether it grows with it."""

NEUTRAL: Final[Exp] = np.zeros(len(EXP50), np.float32)
NEUTRAL.setflags(write=False)

EMOTIONS: Final = ("neutral", "happy", "sad", "angry", "afraid", "surprised", "disgusted")
"""How a line may be said; how strongly is its `strength`."""

STYLES: Final = ("serious", "lively", "cartoon")
"""How much a character moves and how it talks; `lively` is a voice's own way."""

COEFFICIENTS: Final = ("exp50", "arkit52", "visemes15", "none")
"""What drives a game's own face."""

PICTURE_FORMATS: Final = ("", "jpeg", "png", "webp")
"""How a picture may travel; "" is a JPEG, or a PNG where it has transparency."""

ATTITUDES: Final = ("idle", "listening")
"""What a character does on a line that says nothing."""


BREATH: Final = 4000 // TICK_MS
"""Ticks of a breath: 15 a minute, as an adult breathes at rest."""


def breathed(tick: int) -> float:
    """How far shoulders have risen in a tick of a line, 0..1: it begins with none."""
    return (1 - cos(2 * pi * tick / BREATH)) / 2


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the game wants back for a line."""

    sound: bool = True
    coefficients: str = "exp50"  # one of COEFFICIENTS
    words: bool = True
    picture: int = 0  # edge of the square picture in pixels; 0 draws none
    picture_every: int = 2  # ticks from picture to picture: 1 is 50 fps, 2 is 25 fps
    picture_format: str = ""  # one of PICTURE_FORMATS
    thin: bool = True  # pictures may be left out, then shrink, where the machine can't draw them in time


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a character shall say; `id` comes from the game and everything that follows carries it.

    With an `attitude` it says nothing, and the character lives in silence.
    """

    id: str
    npc: str
    text: str  # plain, or SSML when it begins with <speak
    style: str = ""  # serious, lively or cartoon; "" is the character's own
    emotion: str = "neutral"
    outputs: Outputs = Outputs()
    priority: int = 0  # higher is more urgent
    strength: float = 1.0  # of the emotion, 0..1
    more: Iterable[str] | None = field(default=None, compare=False, repr=False)
    """What follows `text` while it is still being written, piece by piece as it comes; None: `text` is all."""
    attitude: str = ""  # one of ATTITUDES instead of a text; "" speaks
    lasts_ms: int = 0  # of a line with an attitude; 0: until it is cancelled
    deadline_ms: int = 0  # from its asking, by which its first moment must leave; 0: none
    live: Iterable[Sound] | None = field(default=None, compare=False, repr=False)
    """Sound that the character says instead of a text, piece by piece as it comes, at `sound_rate`; None: it speaks."""
    sound_rate: int = SAMPLE_RATE  # of `live`, 1/s
    denoise: bool = False  # take the noise out of `live`
    pace: Callable[[int], int] | None = field(default=None, compare=False, repr=False)
    """Edge in pixels of the picture that is due in a tick, 0 to leave it out; None: all are drawn as asked."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone and the samples [start, end) of the line in which it sounds."""

    symbol: str  # one symbol of the voice's phone set; IPA for the voices that ship
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the line's text, the samples [start, end) in which it sounds, and its characters text[first:last]."""

    text: str
    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that the text's markup names (SSML `mark`), and the sample of the line at which it stands."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A stretch of speech; chunks of a line follow one another without a gap."""

    line: Line
    start: int  # samples since the line began
    samples: Sound
    phones: tuple[Phone, ...] = ()
    words: tuple[Word, ...] = ()
    marks: tuple[Mark, ...] = ()
    ends_clause: bool = True  # the mouth need not wait for what follows: all that look-ahead holds back leaves now


@dataclass(frozen=True, slots=True)
class Expression:
    """Sound and face of one tick."""

    line: Line
    tick: int
    sound: Sound  # f32[480]
    exp: Exp  # f32[50]
    words: tuple[Word, ...] = ()  # words whose sound begins in this tick or was announced with it
    marks: tuple[Mark, ...] = ()  # marks that stand in this tick
    breath: float = 0.0  # added to what `breathed` says of the tick, so that lines join at one breath


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn face, shown from its tick on."""

    tick: int
    pixels: Pixels
    damped: bool = False  # the identity guard has held the expression back


@dataclass(frozen=True, slots=True)
class Moment:
    """What the game gets for one tick: sound, coefficients and a picture that belong together."""

    line: Line
    tick: int
    sound: Sound  # f32[480]
    exp: Exp  # f32[50]
    picture: Picture | None = None  # None: hold the last picture
    words: tuple[Word, ...] = ()
    marks: tuple[Mark, ...] = ()
