"""MediaPipe's 468-point face mesh: which point is what, and how each moves with ARKit's weights.

"Right" and "left" are the person's own. Rims run from the image's left to its right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import EXP50

BASIS: Final = Path(__file__).with_name("arkit_basis.npz")

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The outline of the face, clockwise from the top of the forehead."""

LIP_UPPER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
"""Inner rim of the upper lip, corner to corner."""
LIP_LOWER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Inner rim of the lower lip, corner to corner."""

UPPER_ROWS: Final = (
    (191, 80, 81, 82, 13, 312, 311, 310, 415),
    (183, 42, 41, 38, 12, 268, 271, 272, 407),
    (184, 74, 73, 72, 11, 302, 303, 304, 408),
    (185, 40, 39, 37, 0, 267, 269, 270, 409),
)
"""The upper lip in rows from the inner rim outwards, corners left out."""
LOWER_ROWS: Final = (
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
)
"""The lower lip, likewise."""

ABOVE_LIPS: Final = (*(i for row in UPPER_ROWS[1:] for i in row), 164, 167, 393, 165, 391, 92, 322)
"""The upper lip but for its rim, and the skin from there to the nose."""
BELOW_LIPS: Final = (
    *(i for row in LOWER_ROWS[1:] for i in row),
    18, 83, 182, 106, 313, 406, 335, 200, 201, 194, 204, 421, 418, 424, 199, 208, 428, 32, 262, 175, 171, 396,
)  # fmt: skip
"""The lower lip but for its rim, and the skin from there to the chin."""

LID_UPPER: Final = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
"""Upper lid rims of the right and the left eye."""
LID_LOWER: Final = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
"""Lower lid rims."""
LID_FOLD: Final = ((113, 225, 224, 223, 222, 221, 189), (413, 441, 442, 443, 444, 445, 342))
"""The skin below the brow, where a closing lid stops pulling."""
BROWS: Final = (
    (107, 55), (66, 65), (105, 52), (63, 53), (70, 46), (336, 285), (296, 295), (334, 282), (293, 283), (300, 276),
)  # fmt: skip
"""The brows' upper and lower edges, from their inner ends."""
BROW_ENDS: Final = [70, 300]
"""Where the brows end at the temples."""
IRIS: Final = (468, 473)
"""Centre of each iris; the four points after it lie on its rim."""
CHIN: Final = (152, 148, 377, 175)


@dataclass(frozen=True)
class Basis:
    """How the face mesh moves, in decimetres, x to the person's left, y up, z to the viewer."""

    rest: npt.NDArray[np.float32]  # f32[468, 3]
    delta: npt.NDArray[np.float32]  # f32[50, 468, 3], in the order of EXP50; zero for tongueUp and the angles
    triangles: npt.NDArray[np.int32]  # i32[898, 3]


@cache
def basis() -> Basis:
    """The basis that tools/arkit_basis made."""
    with np.load(BASIS) as file:
        names = [str(n) for n in file["names"]]
        arkit: npt.NDArray[Any] = file["delta"].astype(np.float32)
        delta = np.zeros((len(EXP50), *arkit.shape[1:]), np.float32)
        for i, name in enumerate(EXP50):
            if name in names:
                delta[i] = arkit[names.index(name)]
        return Basis(file["rest"].astype(np.float32), delta, file["triangles"].astype(np.int32))
