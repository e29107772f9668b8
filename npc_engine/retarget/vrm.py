"""exp50 to the preset expressions of VRM 1.0, and back for mouth and eyes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.aperture import aperture
from npc_engine.moments import CHANNEL, EXP50, FULL_LOOK
from npc_engine.retarget.mix import F64, Mixer
from npc_engine.retarget.shape import F32, checked, seen
from npc_engine.retarget.visemes import MOUTHS, OCULUS15, OPENINGS, RIDGE, SEEN, share_open

VRM_EXPRESSIONS: Final = (
    "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "lookUp", "lookDown", "lookLeft", "lookRight",
    "happy", "angry", "sad", "relaxed", "surprised",
)  # fmt: skip
"""The presets of the specification's VRMC_vrm.expressions, without neutral, which is there for old files only."""

VOWELS: Final = {"aa": "aa", "ih": "I", "ou": "U", "ee": "E", "oh": "O"}
"""VRM's mouth → the viseme whose shape it has."""

FEELINGS: Final[dict[str, tuple[dict[str, float], float]]] = {
    "happy": ({"mouthSmile": 0.8, "cheekSquint": 0.6}, 0.45),
    "angry": ({"browDown": 0.8, "noseSneer": 0.3, "eyeSquint": 0.2}, 0.25),
    "sad": ({"mouthFrown": 0.6, "browInnerUp": 0.6, "browOuterUp": -0.5, "browDown": -0.4}, 0.3),
    "relaxed": ({"eyeSquint": 0.6, "mouthSmile": 0.6, "cheekSquint": -0.6, "browDown": -0.6}, 0.4),
    "surprised": ({"eyeWide": 0.6, "browOuterUp": 0.4, "browInnerUp": 0.2, "browDown": -0.4}, 0.4),
}
"""Feeling → what shows it, and how much of that speech alone may show.

The weight is (sum - floor) / (1 - floor) within 0..1. Below the floor it is 0 and not merely small, because a model may
stop its mouth for any feeling that is not 0 (overrideMouth: block).
"""

_INDEX: Final = {name: index for index, name in enumerate(VRM_EXPRESSIONS)}
_ROWS: Final = [OCULUS15.index(viseme) for viseme in VOWELS.values()]
_MOUTHS, _OPENINGS = MOUTHS[_ROWS], OPENINGS[_ROWS]
_MIXER: Final = Mixer(_MOUTHS @ SEEN, RIDGE)
_FELT: Final = seen(mix for mix, _ in FEELINGS.values())
_FLOOR: Final = np.array([floor for _, floor in FEELINGS.values()])
_LIDS: Final = ("eyeBlinkLeft", "eyeBlinkRight")
_LOOKS: Final = {
    "lookUp": ("gazePitch", 1.0), "lookDown": ("gazePitch", -1.0),
    "lookLeft": ("gazeYaw", 1.0), "lookRight": ("gazeYaw", -1.0),
}  # fmt: skip
_FEELING: Final = _INDEX["happy"]


def vrm(exp: npt.ArrayLike) -> F32:
    """Weights f32[..., 17] in the order of `VRM_EXPRESSIONS`, 0..1, of exp f32[..., 50]; ValueError for another length.

    The five mouths sum to at most 1 and open no further than the face does. blink is what both lids share, blinkLeft
    and blinkRight the rest. A look of 30° is 1. Feelings sum to at most 1 and are 0 while a face does no more than
    speak.
    """
    exp = checked(exp, EXP50, "exp50")
    rows = exp.reshape(-1, len(EXP50))
    flat = rows.astype(np.float64)
    out = np.zeros((len(flat), len(VRM_EXPRESSIONS)))
    mouths = _MIXER.mix(flat @ SEEN)
    share: F64 = share_open(aperture(rows), mouths @ _OPENINGS, np.zeros(len(flat)))
    out[:, : len(VOWELS)] = mouths * share[:, None]
    left, right = (flat[:, CHANNEL[lid]] for lid in _LIDS)
    both = np.minimum(left, right)
    for name, lids in (("blink", both), ("blinkLeft", left - both), ("blinkRight", right - both)):
        out[:, _INDEX[name]] = lids
    for name, (angle, sign) in _LOOKS.items():
        out[:, _INDEX[name]] = flat[:, CHANNEL[angle]] * sign / FULL_LOOK
    felt = np.clip((flat @ _FELT - _FLOOR) / (1 - _FLOOR), 0, 1)
    out[:, _FEELING:] = felt / np.maximum(felt.sum(axis=1, keepdims=True), 1)
    return np.clip(out, 0, 1).astype(np.float32).reshape(*exp.shape[:-1], len(VRM_EXPRESSIONS))


def exp_of_vrm(weights: npt.ArrayLike) -> F32:
    """The mouth and eyes exp f32[..., 50] that weights f32[..., 17] mean; ValueError for another length.

    Feelings have no face of their own here, since each model draws its own: they are left out.
    """
    weights = checked(weights, VRM_EXPRESSIONS, "VRM weights")
    out: F64 = weights[..., : len(VOWELS)] @ _MOUTHS
    for lid, name in zip(_LIDS, ("blinkLeft", "blinkRight"), strict=True):
        closed = weights[..., _INDEX["blink"]] + weights[..., _INDEX[name]]
        out[..., CHANNEL[lid]] = np.clip(closed, 0, 1)
    for name, (angle, sign) in _LOOKS.items():
        out[..., CHANNEL[angle]] += weights[..., _INDEX[name]] * sign * FULL_LOOK
    return out.astype(np.float32)
