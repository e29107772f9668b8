"""Where hair grows on a head, measured in eye distances and degrees."""

from collections.abc import Callable

import numpy as np
from face import Face
from makehuman import Points

Line = list[tuple[float, float]]  # (degrees round from the front, height over the eyes in eye distances)
Density = Callable[[Points, Points], Points]  # (places, normals) → 0..1


def sides(face: Face, places: Points) -> tuple[Points, Points, Points]:
    """Of points in Blender's frame: |x| and height over the eyes in eye distances, degrees round from the front."""
    wide = np.abs(places[:, 0]) / face.unit
    tall = (places[:, 2] - face.left_eye[1]) / face.unit
    middle = -(face.left_eye[2] - 1.45 * face.unit)  # of the skull, in Blender's y
    return wide, tall, np.degrees(np.arctan2(np.abs(places[:, 0]), -(places[:, 1] - middle)))


def scalp(face: Face, line: Line, soft: float = 0.06) -> Density:
    """Density above a hairline given as (azimuth in degrees, height in eye distances), without the ears."""
    angles, heights = np.array(line).T

    def density(places: Points, normals: Points) -> Points:  # noqa: ARG001
        wide, tall, azimuth = sides(face, places)
        over = (tall - np.interp(azimuth, angles, heights)) / soft
        ear = (azimuth > 76) & (azimuth < 121) & (tall < 0.36) & (tall > -0.9)
        stray = wide > 1.75
        return np.clip(over, 0, 1) * ~ear * ~stray * (tall > -1.6)

    return density


def above(line: Line, tall: Points, azimuth: Points, over: float) -> Points:
    """0 at the hairline, 1 at `over` eye distances above it."""
    return np.clip((tall - np.interp(azimuth, *np.array(line).T)) / over, 0, 1)
