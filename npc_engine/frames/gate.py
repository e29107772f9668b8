"""Is it a human-like face, with its mouth and eyes in sight? The landmark network sees one in a dog or a mask, too.

What it really sees it sees again, wherever its crop is laid; what it makes up moves. So landmarks are read from crops
that are shifted, scaled, turned and mirrored, and their scatter tells. Lips are told from what hides them by the seam
between them, too. The weights are those of a logistic regression on 100 faces, painted, photographed and drawn, against
what animals and things gave, and against the same faces with covered mouths; tools/faces/gate.py prints what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.landmarks import MARGIN, MESH, FaceFinder, FoundFace, Points
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import Pixels

CROPS: Final = (
    (0.0, 0.0, 1.0, 0.0), (0.05, 0.03, 1.0, 0.0), (-0.05, -0.03, 1.0, 0.0), (0.0, 0.0, 1.12, 0.0),
    (0.0, 0.0, 0.9, 0.0), (0.0, 0.0, 1.0, 0.1), (0.0, 0.0, 1.0, -0.1), (0.03, -0.05, 1.06, 0.06),
    (-0.04, 0.05, 0.96, -0.06), (0.06, 0.0, 1.04, -0.04), (0.0, -0.06, 0.94, 0.05), (-0.02, 0.02, 1.15, 0.0),
)  # fmt: skip
"""Shifts in faces, scale and turn in radians of the crops."""
STRANGE: Final = 0.7  # log odds from which it is refused as no human-like face
HIDDEN, MAYBE_HIDDEN = 1.0, 0.0  # log odds from which a mouth is refused as hidden, and from which it is mentioned
SHUT, NARROW = 0.06, 0.12  # opening of both eyes in eye widths from which they are refused, and mentioned

_LIPS: Final = sorted({i for row in topology.UPPER_ROWS + topology.LOWER_ROWS for i in row} | {61, 291, 78, 308})
_EYES: Final = sorted({i for rim in topology.LID_UPPER + topology.LID_LOWER for i in rim})
_CONTOUR: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_PATCH: Final = (120, 80)  # pixels of the patch around the mouth, which is 80 of them wide
_LID_MIDDLES: Final = ((159, 145, 33, 133), (386, 374, 362, 263))  # upper and lower lid, and the eye's corners


@dataclass(frozen=True, slots=True)
class Look:
    """What a face looks like to the network, from many crops. Scatters are in face widths."""

    sure: float  # the detector's score
    whole: float  # scatter of all landmarks
    eyes: float
    mouth: float
    mirrored: float  # how far the mouth lies elsewhere in the mirrored picture
    seam: float  # lightness, 0..100, by which the line between the lips is darker than what is above and below
    least_seam: float  # of its weakest fifth
    lips: float  # how far the lips' colour is from the skin's around, in its standard deviations
    opening: float  # of the wider eye, in eye widths

    @property
    def strange(self) -> float:
        """Log odds that this is no human-like face."""
        return 17.6 + 2.7 * float(np.log(self.whole)) - 9.3 * self.sure

    @property
    def hidden(self) -> float:
        """Log odds that something hides the mouth."""
        scatter = 1.36 * np.log(self.mouth) + 3.2 * np.log(self.mouth / max(self.eyes, 0.002))
        seam = -0.32 * np.clip(self.seam, -10, 25) + 0.17 * np.clip(self.least_seam, -10, 20)
        return float(11.8 + scatter + seam + 1.4 * np.log(self.mirrored) - 1.29 * min(self.lips, 3))


def look_at(finder: FaceFinder, rgb: Pixels, face: FoundFace, points: Points) -> Look:
    """Read the landmarks `points` of a face again and again; takes a fifth of a second."""
    mesh = points[:MESH, :2]
    low, high = mesh.min(0), mesh.max(0)
    side, centre = float((high - low).max()), (low + high) / 2
    across = points[263, :2] - points[33, :2]
    angle = float(np.arctan2(across[1], across[0]))
    width = float(np.linalg.norm(mesh[454] - mesh[234]))
    seen = np.stack(
        [
            finder.read(rgb, centre + side * np.array([x, y]), side * MARGIN * scale, angle + turn)[0][:MESH, :2]
            for x, y, scale, turn in CROPS
        ]
    )
    middle = np.median(seen, axis=0)
    scatter = np.sqrt((np.linalg.norm(seen - middle, axis=2) ** 2).mean(0)) / width
    last = rgb.shape[1] - 1
    flipped = np.ascontiguousarray(rgb[:, ::-1])
    mirrored, _ = finder.read(flipped, np.array([last - centre[0], centre[1]]), side * MARGIN, -angle)
    back = (mirrored[:MESH, :2] * [-1, 1] + [last, 0])[_partners()]
    seam, least_seam, lips = _lips(rgb, points)
    return Look(
        face.score,
        float(scatter.mean()),
        float(scatter[_EYES].mean()),
        float(scatter[_LIPS].mean()),
        float(np.linalg.norm(back - middle, axis=1)[_LIPS].mean()) / width,
        seam,
        least_seam,
        lips,
        max(_distance(points, u, d) / _distance(points, a, b) for u, d, a, b in _LID_MIDDLES),
    )


def check_look(look: Look, path: Path) -> list[str]:
    """Raise `FaceError` for no human-like face, or one whose mouth or eyes can't be seen; gives what is doubtful."""
    if look.strange > STRANGE:
        msg = (
            f"{path}: something like a face, but no human-like one as far as can be seen: an animal, a mask or a "
            "thing; expected eyes, nose and mouth where a human's are, seen from the front, in a clear picture"
        )
        raise FaceError(msg)
    if look.hidden > HIDDEN:
        msg = (
            f"{path}: the mouth is hidden, by a hand, a mask, a scarf, a microphone or a thick beard; "
            "a picture that shows both lips will do"
        )
        raise FaceError(msg)
    if look.opening < SHUT:
        msg = f"{path}: the eyes are closed; a picture with open eyes will do, as they can be closed but not opened"
        raise FaceError(msg)
    doubts = []
    if look.hidden > MAYBE_HIDDEN:
        doubts.append("the mouth is hard to see: look at the preview")
    if look.opening < NARROW:
        doubts.append("the eyes are nearly closed, and can't be opened further than in the picture")
    return doubts


def _distance(points: Points, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a, :2] - points[b, :2]))


@cache
def _partners() -> npt.NDArray[np.intp]:
    """For each point of the mesh, the one that lies there in the mirror."""
    rest = topology.basis().rest
    mirrored = rest * np.array([-1, 1, 1], np.float32)
    return np.array([np.argmin(((rest - point) ** 2).sum(1)) for point in mirrored])


def _lips(rgb: Pixels, points: Points) -> tuple[float, float, float]:
    """How dark the seam of the lips is, its weakest fifth, and how far their colour is from the skin's."""
    left, right = points[61, :2].astype(float), points[291, :2].astype(float)
    length = float(np.linalg.norm(right - left))
    along = (right - left) / length
    down = np.array([-along[1], along[0]])
    wide, high = _PATCH
    scale = 1.5 * length / wide
    axes = np.stack([along, down], 1) * scale
    middle = (left + right) / 2
    matrix = np.concatenate([axes, (middle - axes @ [wide / 2, high / 2])[:, None]], 1)
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(rgb, matrix, _PATCH, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    lab = np.asarray(cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2Lab))
    at = (points[:, :2] - middle) @ axes / scale**2 + [wide / 2, high / 2]
    return *_seam(lab[..., 0], at), _apart(lab, at)


def _seam(lightness: npt.NDArray[Any], at: npt.NDArray[Any]) -> tuple[float, float]:
    """By how much the line is darker than its surroundings, over the mouth's middle: median and weakest fifth."""
    wide, high = _PATCH
    light = np.asarray(cv2.GaussianBlur(lightness, (0, 0), 1.2))
    columns = np.arange(wide // 2 - 30, wide // 2 + 30)
    line = np.interp(columns, [wide / 6, wide / 2, 5 * wide / 6], [at[61, 1], (at[13, 1] + at[14, 1]) / 2, at[291, 1]])
    found = []
    for x, row in zip(columns, np.clip(np.round(line), 24, high - 24).astype(int), strict=True):
        above, below = np.median(light[row - 22 : row - 8, x]), np.median(light[row + 8 : row + 22, x])
        found.append(min(above, below) - light[row - 7 : row + 8, x].min())
    return float(np.median(found)), float(np.percentile(found, 20))


def _apart(lab: npt.NDArray[Any], at: npt.NDArray[Any]) -> float:
    """Distance of the lips' mean colour from that of a ring around them, in the ring's standard deviations."""
    wide, high = _PATCH
    lips = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(lips, [np.round(at[list(_CONTOUR)]).astype(np.int32)], (1,))
    near, far = (cv2.dilate(lips, np.ones((edge, edge), np.uint8)) for edge in (7, 25))
    inside, around = lab[lips > 0], lab[(far > 0) & (near == 0)]
    if len(inside) < 5 or len(around) < 5:  # landmarks far from where a mouth can be
        return 0.0
    away = (inside.mean(0) - around.mean(0)) / (around.std(0) + np.array([2, 1, 1]))
    return float(np.linalg.norm(away))
