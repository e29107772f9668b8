"""exp50 to weights of the Oculus 15 visemes, and back to the mouth that they mean."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.aperture import aperture
from npc_engine.moments import EXP50, VISEMES15
from npc_engine.retarget.mix import F64, Mixer
from npc_engine.retarget.shape import F32, checked, faces, seen

OCULUS15: Final = VISEMES15

SHAPES: Final[dict[str, dict[str, float]]] = {
    "sil": {},
    "PP": {"jawOpen": 0.08, "mouthClose": 0.08, "mouthRollLower": 0.19, "mouthRollUpper": 0.16, "mouthPress": 0.28},
    "FF": {"jawOpen": 0.06, "mouthRollLower": 0.40, "mouthUpperUp": 0.20, "mouthDimple": 0.08},
    "TH": {"jawOpen": 0.12, "mouthUpperUp": 0.04, "mouthLowerDown": 0.10, "tongueUp": 0.40, "tongueOut": 0.10},
    "DD": {"jawOpen": 0.14, "mouthStretch": 0.05, "mouthUpperUp": 0.07, "mouthLowerDown": 0.13, "tongueUp": 0.50},
    "kk": {"jawOpen": 0.20, "tongueUp": 0.10},
    "CH": {"jawOpen": 0.08, "mouthFunnel": 0.40, "mouthPucker": 0.16, "mouthUpperUp": 0.09, "mouthLowerDown": 0.10,
           "tongueUp": 0.25},
    "SS": {"jawOpen": 0.05, "mouthSmile": 0.08, "mouthStretch": 0.17, "mouthUpperUp": 0.05, "mouthLowerDown": 0.13,
           "tongueUp": 0.30},
    "nn": {"jawOpen": 0.18, "mouthLowerDown": 0.04, "tongueUp": 0.70},
    "RR": {"jawOpen": 0.17, "mouthFunnel": 0.24, "mouthPucker": 0.16, "tongueUp": 0.45},
    "aa": {"jawOpen": 0.44, "mouthStretch": 0.06, "mouthUpperUp": 0.06, "mouthLowerDown": 0.15},
    "E": {"jawOpen": 0.32, "mouthSmile": 0.10, "mouthStretch": 0.19, "mouthUpperUp": 0.10, "mouthLowerDown": 0.17},
    "I": {"jawOpen": 0.17, "mouthSmile": 0.24, "mouthStretch": 0.20, "mouthUpperUp": 0.07, "mouthLowerDown": 0.11},
    "O": {"jawOpen": 0.34, "mouthFunnel": 0.26, "mouthPucker": 0.24, "mouthLowerDown": 0.05},
    "U": {"jawOpen": 0.14, "mouthFunnel": 0.20, "mouthPucker": 0.50},
}  # fmt: skip
"""Viseme → its mouth as coefficients that are not 0; a name without Left or Right stands for both sides.

About what the network shows in a clearly spoken sound of that viseme (its 80th percentile over some lines), so that
clear speech comes near to 1; moved a little apart where two would else be one (E lies between aa and I).
"""

# How much a coefficient tells of a mouth, over how far it goes in speech. The jaw counts most, since how far a mouth is
# open is what one sees first; smile and dimple little, since a smile that an emotion lays under speech is no viseme.
TELLING: Final = {
    "jawOpen": 2.7 / 0.4, "mouthClose": 0.5 / 0.1, "mouthFunnel": 1 / 0.35, "mouthPucker": 1 / 0.4,
    "mouthSmile": 0.3 / 0.25, "mouthDimple": 0.3 / 0.1, "mouthStretch": 0.7 / 0.2, "mouthRollLower": 1 / 0.35,
    "mouthRollUpper": 1 / 0.2, "mouthPress": 1 / 0.28, "mouthLowerDown": 0.7 / 0.15, "mouthUpperUp": 0.7 / 0.15,
    "tongueUp": 1 / 0.7, "tongueOut": 1 / 0.1,
}  # fmt: skip
RIDGE: Final = 0.005  # pure shapes lose up to 6 %; weights change 2 to 3 times as fast as the face, at most 15 times
ROOM: Final = 0.01  # in units of jawOpen: how much further than the face the mix may open
PARTED: Final = 0.05  # in units of jawOpen: lips this far apart are no closure

MOUTHS: Final = faces(SHAPES[name] for name in OCULUS15)
"""f64[15, 50]: the shapes as exp50."""

OPENINGS: Final[F64] = aperture(MOUTHS.astype(np.float32)).astype(np.float64)
"""f64[15]: how far each shape parts the lips."""

SEEN: Final = seen({name: scale} for name, scale in TELLING.items())
"""f64[50, 14]: what of exp50 is compared."""

_MIXER: Final = Mixer(MOUTHS[1:] @ SEEN, RIDGE)
_PP, _FF = OCULUS15.index("PP"), OCULUS15.index("FF")
_PRESS: Final = seen([{name: 0.5 / SHAPES["PP"][name] for name in ("mouthRollUpper", "mouthPress")}])[:, 0]


def oculus15(exp: npt.ArrayLike) -> F32:
    """Weights f32[..., 15] in the order of `OCULUS15`, 0..1, summing to 1, of exp f32[..., 50].

    The mix of `SHAPES` that comes nearest to the face, sil being what the others leave. It opens the lips no further
    than the face does: where they are pressed together, what would part them goes to PP. Raises ValueError for another
    length.
    """
    exp = checked(exp, EXP50, "exp50")
    rows = exp.reshape(-1, len(EXP50))
    flat = rows.astype(np.float64)
    out = np.zeros((len(flat), len(OCULUS15)))
    out[:, 1:] = _MIXER.mix(flat @ SEEN)
    openings = out * OPENINGS
    beside = openings[:, [_PP, _FF]].sum(axis=1)
    share = share_open(aperture(rows), openings.sum(axis=1) - beside, beside)
    gone = out * (1 - share)[:, None]
    gone[:, [_PP, _FF]] = 0
    out -= gone
    out[:, _PP] += np.clip(flat @ _PRESS, 0, 1) * gone.sum(axis=1)
    out[:, 0] = np.maximum(1 - out[:, 1:].sum(axis=1), 0)
    return out.astype(np.float32).reshape(*exp.shape[:-1], len(OCULUS15))


def exp_of_visemes(weights: npt.ArrayLike) -> F32:
    """The mouth exp f32[..., 50] that weights f32[..., 15] mean, all else at rest; ValueError for another length."""
    mouth: F32 = checked(weights, OCULUS15, "viseme weights") @ MOUTHS.astype(np.float32)
    return mouth


def share_open(face: F32, opening: F64, beside: F64) -> F64:
    """How much (f64[m], 0..1) of shapes that open by `opening` may stay, for the mix to open as far as `face` and ROOM.

    All three are apertures [m]; `beside` is that of the shapes that stay as they are.
    """
    parted = np.maximum(face, 0)
    # our PP presses away what another shape opens, which the PP of somebody's avatar need not: lips that are together
    # must not depend on it
    beside = np.where(beside < 0, beside * np.minimum(parted / PARTED, 1), beside)
    share: F64 = np.clip((parted + ROOM - beside) / np.maximum(opening, ROOM), 0, 1)
    return share
