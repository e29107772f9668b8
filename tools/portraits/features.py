"""Brows and lashes: hairs set one by one along the ridge of the brow and the margins of the lids."""

import build
import materials
import numpy as np
from face import Face
from makehuman import MakeHuman, Points
from people import Person
from strands import Ground, smooth, unit


def brows(human: MakeHuman, points: Points, person: Person, ground: Ground) -> None:
    """Two brows within the outline of a brow mesh: hairs rise at the inner end and lie down towards the outer."""
    rng = np.random.default_rng(person.seed + 20)
    outline = human.fit(person.brows, points).points
    strands = []
    for side in (1, -1):
        half = outline[outline[:, 0] * side > 0] * (side, 1, 1)
        order = np.linspace(half[:, 0].min(), half[:, 0].max(), 9)
        bins = [half[np.abs(half[:, 0] - x) < np.ptp(order) / 8] for x in order]
        top, low = np.array([b[:, 1].max() for b in bins]), np.array([b[:, 1].min() for b in bins])
        t = rng.beta(1.25, 1.3, person.brow_hairs)
        x = order[0] + t * np.ptp(order)
        s = np.clip(rng.normal(0.5, 0.20 * (1 - 0.35 * t)), 0.02, 0.98)
        # a cubic, or the outline's corners would show as bumps
        ceiling, floor = (np.polyval(np.polyfit(order, bound, 3), x) for bound in (top, low))
        middle, thick = (ceiling + floor) / 2, (ceiling - floor) * (person.brow_thickness * (1 - 0.6 * t**2))
        # the outline dips at its inner end, which makes a face look cross
        middle = middle + person.brow_lift * np.interp(t, [0, 0.35, 0.7, 1], [1.0, 0.55, 0.1, -0.2])
        y = middle + (s - 0.5) * thick
        rise = np.interp(t, [0, 0.15, 0.4, 1], [1.15, 0.7, 0.20, -0.25]) + 0.9 * (0.5 - s) + rng.normal(0, 0.16, len(t))
        way = np.stack([np.cos(rise), np.sin(rise)], 1)
        length = person.brow_length * np.interp(t, [0, 0.3, 1], [0.75, 1.0, 0.6]) * rng.uniform(0.6, 1.1, len(t))
        for k in range(len(t)):
            strand = []
            for step in np.linspace(0, 1, 6):
                px, pz = (
                    np.array([x[k], y[k]])
                    + way[k] * length[k] * step
                    + (0, -0.25 * length[k] * step**2 * abs(way[k][0]))
                )
                hit, normal, *_ = ground.skin.ray_cast((px * side, -6.0, pz), (0, 1, 0))
                if hit is None:
                    break
                strand.append(
                    np.array(hit) + np.array(normal) * (0.002 + 0.016 * person.brow_length / 0.08 * np.sin(2.2 * step))
                )
            if len(strand) == 6:
                strands.append(np.array(strand))
    build.strands_object(
        "brows", strands, materials.hair("brows", *person.brow_colour, grey=person.grey * 0.5), radius=0.0019, tip=0.2
    )


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
    for eye in (face.left_eye, face.right_eye):
        centre = build.turned(eye)
        for upper, count, length in ((True, 120, 0.085), (False, 60, 0.040)):
            edge = smooth(lid_margin(centre, face.eye_radius, ground, upper=upper)[None], 6)[0]
            places = np.linspace(0, 1, len(edge))
            # the rays find the front of the lid's rim; lashes and line sit low on it
            edge = edge + np.array([0, -0.010, -0.012 if upper else 0.009])
            if upper:
                lines.append(edge)
            t = np.sort(rng.uniform(0.03, 0.97, count))
            t = t + 0.5 * (np.round(t * 22) / 22 - t)  # lashes stick together a little
            root = np.stack([np.interp(t, places, edge[:, k]) for k in range(3)], 1)
            aside = (root[:, 0] - centre[0]) / face.eye_radius * 0.75 + rng.normal(0, 0.10, count)
            rise = (0.10, 1.15) if upper else (-0.25, -0.75)
            size = length * person.lashes * rng.uniform(0.65, 1.1, count) * (1 - 0.55 * np.abs(2 * t - 1) ** 3)
            for k in range(count):
                step = np.linspace(0, 1, 6)[:, None]
                way = np.array([[aside[k], -1.0, rise[0]]]) + (rise[1] + rng.normal(0, 0.12)) * step * np.array(
                    [[0, 0.25, 1.0]]
                )
                strands.append(root[k] + np.cumsum(unit(way) * size[k] / 6, axis=0) - unit(way)[0] * size[k] / 6)
    colour = person.brow_colour[0] if person.grey else (0.05, 0.035, 0.03)
    shade = materials.hair("lashes", colour, colour)
    build.strands_object("lashes", strands, shade, radius=0.0019, tip=0.1)
    build.strands_object("lash lines", lines, shade, radius=0.0085 * person.lashes, tip=0.6)
