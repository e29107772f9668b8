"""Ears drawn out to a point, farther than MakeHuman's own targets do it."""

import numpy as np
from face import Face
from makehuman import MakeHuman, Points


def pointed(human: MakeHuman, points: Points, long: float) -> Points:
    """The body with ear tips that rise by `long` eye distances, outwards, up and back. 0 changes nothing.

    An ear is what the target ears/l-ear-wing-incr turns outwards on its hinge at the skull: the farther from there and
    the higher a vertex is, the more it follows the tip.
    """
    unit = Face.of(human, points).unit
    made = points.copy()
    for side, name in ((1, "l"), (-1, "r")):
        moved = np.linalg.norm(human.moves(f"ears/{name}-ear-wing-incr"), axis=1)
        ear = moved > 0.2 * moved.max()
        low, high = np.percentile(points[ear, 1], [2, 99.5])
        # the rim follows wholly, the root of the ear and the skull beside it not at all
        outer = np.clip((moved / moved.max() - 0.15) / 0.5, 0, 1)
        up = np.clip((points[:, 1] - low - 0.42 * (high - low)) / (0.58 * (high - low)), 0, 1)
        share = (up**1.6 * outer * (moved > 0))[:, None]
        tip = points[ear][np.argmax(points[ear][:, 1])]
        slim = share * 0.62 * (1 - 0.4 * outer[:, None])
        drawn = points + slim * (tip - points) * np.array([0.4, 0.0, 1.0])
        made += share * np.array([0.62 * side, 0.70, -0.36]) * long * unit + (drawn - points)
    return made
