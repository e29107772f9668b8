"""Brows and lashes: hairs set one by one along the ridge of the brow and the margins of the lids."""

import build
import materials
import numpy as np
from face import Face
from makehuman import Points
from mathutils import Vector
from people import Person
from strands import Ground, smooth, unit


def brows(face: Face, person: Person, ground: Ground) -> None:
    """Two brows along their line: hairs rise at the inner end, lie down towards the tail, and meet along the ridge."""
    rng = np.random.default_rng(person.seed + 20)
    look = person.brows
    corner = np.array(look.line) * face.unit
    curve = np.polyfit(corner[:, 0], corner[:, 1], 3)
    slope = np.polyder(curve)
    left, right = corner[0, 0], corner[-1, 0]
    strands = []
    for side in (1, -1):
        t = rng.beta(1.5, 1.3, look.hairs)
        s = np.clip(rng.normal(0, 0.42, look.hairs), -1.1, 1.1)  # across the brow, 1 at its upper edge
        thick = look.thick * face.unit * np.interp(t, [0, 0.2, 0.4, 0.7, 1], [0.55, 1.0, 0.95, 0.62, 0.16])
        x = left + (right - left) * (t + 0.06 * (1 - t) ** 2 * rng.normal(size=len(t)))
        y = np.polyval(curve, x) + 0.5 * s * thick
        lean = np.arctan(np.polyval(slope, x))
        rise = lean + np.interp(t, [0, 0.12, 0.35, 1], [1.25, 0.8, 0.28, 0.02])
        rise = rise - 0.42 * s * np.clip(t * 3, 0, 1) + rng.normal(0, 0.15, len(t))
        way = np.stack([np.cos(rise), np.sin(rise)], 1)
        length = look.length * np.interp(t, [0, 0.3, 1], [0.75, 1.0, 0.62]) * rng.uniform(0.55, 1.1, len(t))
        for k in range(len(t)):
            strand = []
            for step in np.linspace(0, 1, 6):
                bend = (0, -0.25 * length[k] * step**2 * abs(way[k][0]))
                px, pz = np.array([x[k], y[k] + face.left_eye[1]]) + way[k] * length[k] * step + bend
                hit, normal, *_ = ground.skin.ray_cast((px * side, -6.0, pz), (0, 1, 0))
                if hit is None:
                    break
                lift = 0.002 + 0.014 * look.length / 0.08 * np.sin(2.2 * step)
                strand.append(np.array(hit) + np.array(normal) * lift)
            if len(strand) == 6:
                strands.append(np.array(strand))
    shade = materials.hair("brows", *look.colour, grey=look.grey)
    build.strands_object("brows", strands, shade, radius=0.0015, tip=0.2)


def lid_margin(eye: Points, radius: float, ground: Ground, *, upper: bool) -> Points:
    """The edge of a lid as the viewer sees it, f64[n, 3] from the negative to the positive x side.

    Rays from the front at rising distances from the middle of the eye: the lid begins where skin lies before the ball.
    """
    edge = []
    for x in np.linspace(-0.97, 0.97, 40) * radius * 1.15:
        for rise in np.linspace(0.0, 1.0, 90) * radius * (1 if upper else -1):
            depth = radius**2 - x**2 - rise**2
            hit = ground.skin.ray_cast((eye[0] + x, -6.0, eye[2] + rise), (0, 1, 0))[0]
            ball = eye[1] - np.sqrt(depth) if depth > 0 else np.inf
            if hit is not None and hit[1] < ball:
                if abs(rise) > 0:
                    edge.append(np.array(hit))
                break
    return np.array(edge)


def lashes(face: Face, person: Person, ground: Ground) -> None:
    """Lashes from the lid margins, curled, and along the upper lid the dark line that they make together."""
    rng = np.random.default_rng(person.seed + 30)
    strands, lines = [], []
    for side, eye in ((1, face.left_eye), (-1, face.right_eye)):
        centre = build.turned(eye)
        for upper, count, length in ((True, 130, 0.082), (False, 55, 0.036)):
            edge = smooth(lid_margin(centre, face.eye_radius, ground, upper=upper)[None], 6)[0]
            places = np.linspace(0, 1, len(edge))
            # the rays find the front of the lid's rim; lashes and line sit low on it
            edge = edge + np.array([0, -0.010, -0.012 if upper else 0.009])
            if upper:
                lines.append(edge[1:-1])
            t = np.sort(rng.uniform(0.06, 0.95, count))
            t = t + 0.5 * (np.round(t * 24) / 24 - t)  # lashes stick together a little
            root = np.stack([np.interp(t, places, edge[:, k]) for k in range(3)], 1)
            out = t if side > 0 else 1 - t  # 0 at the nose, 1 at the temple
            aside = (root[:, 0] - centre[0]) / face.eye_radius * 0.62 + rng.normal(0, 0.09, count)
            rise = (0.10, 1.15) if upper else (-0.25, -0.75)
            size = length * person.lashes * rng.uniform(0.6, 1.1, count)
            size = size * np.interp(out, [0, 0.25, 0.7, 0.9, 1], [0.35, 0.75, 1.0, 0.8, 0.35])
            for k in range(count):
                step = np.linspace(0, 1, 6)[:, None]
                way = np.array([[aside[k], -1.0, rise[0]]]) + (rise[1] + rng.normal(0, 0.12)) * step * np.array(
                    [[0, 0.25, 1.0]]
                )
                strands.append(root[k] + np.cumsum(unit(way) * size[k] / 6, axis=0) - unit(way)[0] * size[k] / 6)
    colour = tuple(0.45 * c for c in person.brows.colour[0])
    shade = materials.hair("lashes", colour, colour)
    build.strands_object("lashes", strands, shade, radius=0.0014, tip=0.1)
    build.strands_object("lash lines", lines, shade, radius=0.0058 * person.lashes**0.5, tip=0.4)


def horns(face: Face, person: Person, ground: Ground) -> None:
    """Two short horns that grow out of the brow's corners, bend outwards and then up."""
    if person.horns is None:
        return
    u, rings, around = face.unit, 60, 48
    top = face.left_eye[1] + 1.12 * u
    for side in (1, -1):
        root = ground.skin.ray_cast(Vector((0.78 * u * side, -6.0, top)), Vector((0, 1, 0)))[0]
        t = np.linspace(0, 1, rings)[:, None]
        ways = np.array([[0.62 * side, -0.42, 0.5]]) * (1 - t) + np.array([[-0.05 * side, -0.10, 1.35]]) * t
        spine = np.array(root) - 0.05 * unit(ways[:1]) + np.cumsum(unit(ways), axis=0) * 0.80 / rings
        along = unit(np.gradient(spine, axis=0))
        across = unit(np.cross(along, np.array([0.0, 1.0, 0.0])))
        up = np.cross(across, along)
        thick = 0.150 * (1 - t) ** 0.75 * (1 + 0.035 * np.sin(70 * t**0.8)) + 0.006
        turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
        tube = spine[:, None] + thick[..., None] * (
            np.cos(turn)[None, :, None] * across[:, None] + 0.9 * np.sin(turn)[None, :, None] * up[:, None]
        )
        shown = np.stack([tube[..., 0], tube[..., 2], -tube[..., 1]], -1)  # back to MakeHuman's frame
        build.grid_object("horn", shown, materials.bone("horn", person.horns), around=True)
