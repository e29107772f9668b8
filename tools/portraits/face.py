"""Where things are on a shaped MakeHuman face: the numbers that painting, hair and clothes hang on."""

from dataclasses import dataclass

import numpy as np
from makehuman import MakeHuman, Points

# vertex numbers of the base mesh `hm08` on the middle line and at the right mouth corner, read off the mesh
_NASION, _NOSE_TIP, _NOSE_BASE, _LIP_TOP, _LIP_LINE, _LIP_BOTTOM = 132, 297, 5072, 455, 468, 492
_CHIN, _CORNER, _HAIRLINE, _BROW_RIDGE = 5171, 424, 882, 220


@dataclass(frozen=True, slots=True)
class Face:
    """Landmarks of one head in MakeHuman's frame, each f64[3] in decimetres; `unit` is the distance of the eyes."""

    left_eye: Points
    right_eye: Points
    nasion: Points
    brow_ridge: Points
    nose_tip: Points
    nose_base: Points
    lip_top: Points
    lip_line: Points
    lip_bottom: Points
    corner: Points  # of the mouth, on the negative x side
    chin: Points
    hairline: Points
    neck: Points  # the joint between neck and chest
    crown: float  # y of the highest point of the head
    eye_radius: float
    unit: float

    @classmethod
    def even(cls, human: MakeHuman, points: Points) -> Points:
        """The same body, enlarged until its eyes are .58 apart: all sizes of hair and cloth are made for that."""
        return points * (0.58 / cls.of(human, points).unit)

    @classmethod
    def of(cls, human: MakeHuman, points: Points) -> "Face":
        def centre(group: str) -> Points:
            return points[human.vertices_of(group)].mean(axis=0)

        ball = points[human.vertices_of("helper-l-eye")]
        # the cornea bulges forwards in the helper, so the width gives the radius and the back gives the centre
        radius = float(np.ptp(ball[:, 0])) / 2
        middle = np.array([(ball[:, 0].min() + ball[:, 0].max()) / 2, (ball[:, 1].min() + ball[:, 1].max()) / 2, 0])
        middle[2] = ball[:, 2].min() + radius
        body = points[human.vertices_of("body")]
        return cls(
            left_eye=middle,
            right_eye=middle * (-1, 1, 1),
            nasion=points[_NASION],
            brow_ridge=points[_BROW_RIDGE],
            nose_tip=points[_NOSE_TIP],
            nose_base=points[_NOSE_BASE],
            lip_top=points[_LIP_TOP],
            lip_line=points[_LIP_LINE],
            lip_bottom=points[_LIP_BOTTOM],
            corner=points[_CORNER],
            chin=points[_CHIN],
            hairline=points[_HAIRLINE],
            neck=centre("joint-neck"),
            crown=float(body[:, 1].max()),
            eye_radius=radius,
            unit=float(2 * middle[0]),
        )
