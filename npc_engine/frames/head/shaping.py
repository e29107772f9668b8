"""A description becomes a shape: MakeHuman's targets mixed by age, sex, ancestry and single features."""

from __future__ import annotations

from typing import Final

import numpy as np

from npc_engine.frames.head.asset import SKIN, Asset, Floats
from npc_engine.frames.head.mouth import seated
from npc_engine.frames.pictures import FaceError
from npc_engine.head_spec import HeadSpec
from npc_engine.nearest import near

CHILD, YOUNG, OLD = 10.0, 25.0, 90.0
"""Years at which MakeHuman's targets of that name stand; between them it mixes linearly."""
EARS: Final[dict[str, dict[str, float]]] = {
    "round": {},
    "pointed": {"ears/?-ear-shape-pointed": 1.0, "ears/?-ear-scale-vert-incr": 0.6, "ears/?-ear-rot-backward": 0.3},
    "long": {
        "ears/?-ear-shape-pointed": 1.5,
        "ears/?-ear-scale-vert-incr": 1.6,
        "ears/?-ear-wing-incr": 0.4,
        "ears/?-ear-rot-backward": 0.7,
    },
    "large": {"ears/?-ear-scale-incr": 0.9, "ears/?-ear-wing-incr": 0.5},
    "small": {"ears/?-ear-scale-decr": 0.7},
}


def mixture(spec: HeadSpec) -> dict[str, float]:
    """Target → share, as MakeHuman mixes them."""
    child = float(np.clip((YOUNG - spec.age) / (YOUNG - CHILD), 0, 1))
    old = float(np.clip((spec.age - YOUNG) / (OLD - YOUNG), 0, 1))
    ages = {"child": child, "young": 1 - child - old, "old": old}
    total = sum(spec.ancestry.values())
    bodies = {
        "averagemuscle-minweight": max(-spec.weight, 0.0),
        "averagemuscle-maxweight": max(spec.weight, 0.0),
        "maxmuscle-averageweight": spec.muscle * (1 - abs(spec.weight)),
    }
    bodies["averagemuscle-averageweight"] = 1 - sum(bodies.values())
    out: dict[str, float] = {}
    for age, share in ages.items():
        for who, part in spec.ancestry.items():
            out[f"macrodetails/{who}-{spec.sex}-{age}"] = share * part / total
        for body, part in bodies.items():
            out[f"macrodetails/universal-{spec.sex}-{age}-{body}"] = share * part
    return {name: share for name, share in out.items() if share}


def shaped(head: Asset, spec: HeadSpec) -> Floats:
    """The points f32[p, 3] of the described head at rest; `FaceError` for a feature that there is not."""
    wanted = mixture(spec)
    known = [name for name in head.shapes() if not name.startswith(("arkit/", "macrodetails/"))]
    general = sorted({name.replace("/l-", "/?-").replace("/r-", "/?-") for name in known})
    for name, share in (EARS[spec.ears] | spec.shape).items():
        if name not in known and name not in general:
            raise FaceError(f"[head] shape: unknown {name!r}{near(name, general)}")
        for side in "lr" if "?" in name else "x":
            one = name.replace("?", side)
            wanted[one] = wanted.get(one, 0.0) + share
    points = head.points.copy()
    for name, share in wanted.items():
        places, moves = head.shape(name)
        points[places] += np.float32(share) * moves
    return sized(head, seated(head, points), spec.size)


def sized(head: Asset, points: Floats, size: float) -> Floats:
    """The points with the head `size` times as large on its neck."""
    if size == 1:
        return points
    pivot = points[head.skull].mean(0)
    grown = pivot + (points - pivot) * np.float32(size)
    share = carried(head, points)[:, None]
    return np.asarray(points * (1 - share) + grown * share, np.float32)


def carried(head: Asset, points: Floats) -> Floats:
    """How much each point goes along when the head turns, f32[p]: 1 for the head, 0 for the chest, between on the neck.

    The measure falls from the skull to the nape and, further down, from the chin to the pit of the throat.
    """
    neck, skull = points[head.neck].mean(0), points[head.skull].mean(0)
    height = points[:, 1] + 0.55 * (points[:, 2] - skull[2])
    t = np.clip((height - neck[1]) / (0.80 * (skull[1] - neck[1])), 0, 1)
    t[head.vertex[head.triangles[head.part != SKIN]]] = 1  # mouth, teeth and tongue are the head's, however low
    return np.asarray(t * t * (3 - 2 * t), np.float32)
