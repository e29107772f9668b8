"""Braids: three bundles of hairs that cross over each other along a path."""

import bpy
import build
import numpy as np
from makehuman import Points
from strands import Ground, frizz, smooth, unit


def braid(
    path: Points,
    ground: Ground,
    shade: bpy.types.Material,
    rng: np.random.Generator,
    *,
    thick: float,
    hairs: int,
    over: float,
) -> None:
    """A braid of `hairs` along a path f64[n, 3] (Blender's frame) laid `over` decimetres above skin and clothes.

    `thick` is half its width. The bundles follow the plane braid x = sin(t), z = sin(2t), each a third of a turn on.
    """
    knots = np.linspace(0, 1, len(path))
    fine = np.linspace(0, 1, 160)
    line = np.stack([np.interp(fine, knots, path[:, k]) for k in range(3)], 1)
    line = smooth(line[None], 60)[0]
    for _ in range(3):
        place, normal = ground.nearest(line)
        height = ((line - place) * normal).sum(1)
        near = np.linalg.norm(line - place, axis=1) < 0.5
        least = over + 0.45 * thick
        line = line + normal * np.where(near, np.maximum(least - height, 0), 0)[:, None]
        line = smooth(line[None], 12)[0]
    _, normal = ground.nearest(line)
    normal = smooth(normal[None], 40)[0]
    along = unit(np.gradient(line, axis=0))
    side = unit(np.cross(along, normal))
    up = np.cross(side, along)
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    angle = 2 * np.pi * fine * length / (5.2 * thick)
    taper = np.interp(fine, [0, 0.04, 0.9, 1], [0.7, 1.0, 0.85, 0.35])[:, None]
    strands = []
    for bundle in range(3):
        phase = angle + 2 * np.pi * bundle / 3
        core = line + taper * thick * (0.62 * np.sin(phase)[:, None] * side + 0.34 * np.sin(2 * phase)[:, None] * up)
        for _ in range(hairs // 3):
            r, a = 0.52 * thick * rng.random() ** 0.4, rng.uniform(0, 2 * np.pi) + 0.6 * np.sin(fine * 9)
            strands.append(core + taper * r * (np.cos(a)[:, None] * side + 0.85 * np.sin(a)[:, None] * up))
    build.strands_object("braid", list(frizz(np.array(strands), 0.22 * thick, rng)), shade, radius=0.0034, tip=0.7)
