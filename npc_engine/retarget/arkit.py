"""exp50 to the 52 blend shapes of ARKit and back: a rename, and one formula for the eyes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import ARKIT52, CHANNEL, EXP50, EYE_LOOKS, FULL_LOOK
from npc_engine.retarget.shape import F32, checked

HEAD: Final = ("headPitch", "headYaw", "headRoll")
"""What leaves beside blend shapes: radians, positive up, to the own left, and tilted to the own left shoulder."""

_INDEX: Final = {name: index for index, name in enumerate(ARKIT52)}
_SAME: Final = [name for name in ARKIT52 if name in CHANNEL]
_SAME_THERE: Final = [_INDEX[name] for name in _SAME]
_SAME_HERE: Final = [CHANNEL[name] for name in _SAME]
_HEAD_HERE: Final = [CHANNEL[name] for name in HEAD]


def arkit52(exp: npt.ArrayLike) -> F32:
    """Weights f32[..., 52] in the order of `ARKIT52`, 0..1, of exp f32[..., 50]; ValueError for another length.

    eyeLook is angle / 30° in the direction of the look, at most 1, the same for both eyes. tongueUp and the head's
    angles have no shape: see `head`.
    """
    exp = checked(exp, EXP50, "exp50")
    out = np.zeros((*exp.shape[:-1], len(ARKIT52)), np.float32)
    out[..., _SAME_THERE] = exp[..., _SAME_HERE]
    for name, (angle, sign) in EYE_LOOKS.items():
        out[..., _INDEX[name]] = exp[..., CHANNEL[angle]] * np.float32(sign / FULL_LOOK)
    return np.clip(out, 0, 1)


def head(exp: npt.ArrayLike) -> F32:
    """The head's pose f32[..., 3] in the order of `HEAD`, in radians, of exp f32[..., 50]."""
    return checked(exp, EXP50, "exp50")[..., _HEAD_HERE]


def exp50(weights: npt.ArrayLike, pose: npt.ArrayLike | None = None) -> F32:
    """The exp f32[..., 50] of ARKit weights f32[..., 52], with the head's `pose` f32[..., 3] where there is one.

    Gaze is the mean of both eyes, so eyes that cross lose that; tongueUp is 0. Raises ValueError for other lengths.
    """
    weights = checked(weights, ARKIT52, "ARKit weights")
    out = np.zeros((*weights.shape[:-1], len(EXP50)), np.float32)
    out[..., _SAME_HERE] = np.clip(weights[..., _SAME_THERE], 0, 1)
    for name, (angle, sign) in EYE_LOOKS.items():
        out[..., CHANNEL[angle]] += np.clip(weights[..., _INDEX[name]], 0, 1) * np.float32(sign * FULL_LOOK / 2)
    if pose is not None:
        out[..., _HEAD_HERE] = checked(pose, HEAD, "head pose")
    return out
