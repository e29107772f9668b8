"""Beards, full and short."""

import build
import materials
import numpy as np
from face import Face
from makehuman import Points
from people import Hair
from scalp import sides
from strands import Ground, clump, frizz, grow, shorten, smooth, wave


def beard(
    face: Face, look: Hair, ground: Ground, rng: np.random.Generator, count: int, *, long: float, curl: float
) -> None:
    """A beard with a moustache that leaves the edge of the upper lip free.

    `long` 1 is a full beard's length; `curl` is the size in decimetres of its waves.
    """
    e, u = face.left_eye[1], face.unit
    lip_top, lip_low, base = ((face.lip_top[1] - e) / u, (face.lip_bottom[1] - e) / u, (face.nose_base[1] - e) / u)
    line, chin, corner = (face.lip_line[1] - e) / u, (face.chin[1] - e) / u, -face.corner[0] / u

    def upper(wide: Points) -> Points:
        return np.interp(
            wide,
            [0, corner + 0.06, corner + 0.22, 0.85, 1.05, 1.2],
            [lip_low - 0.10, lip_low - 0.05, line + 0.16, line + 0.34, -0.45, 0.15],
        )

    def density(places: Points, normals: Points) -> Points:  # noqa: ARG001
        wide, tall, azimuth = sides(face, places)
        full = np.clip((upper(wide) - tall) / 0.26, 0, 1) * (tall > chin - 0.42) * (azimuth < 84)
        lower_lip = np.where(wide < corner + 0.08, np.clip((lip_low - 0.09 - tall) / 0.05, 0, 1), 1.0)
        bare = 1 - 0.85 * np.exp(-(((wide - 0.30) / 0.10) ** 2 + ((tall - lip_low + 0.14) / 0.12) ** 2))
        return full * lower_lip * bare

    def moustache(places: Points, normals: Points) -> Points:
        wide, tall, _ = sides(face, places)
        floor = np.interp(
            wide, [0, 0.15, corner, corner + 0.15], [lip_top + 0.045, lip_top + 0.04, line + 0.12, line + 0.04]
        )
        roof = np.interp(wide, [0, 0.2, 0.36, corner + 0.12], [base + 0.06, base + 0.06, base - 0.04, line + 0.24])
        inside = np.clip((tall - floor) / 0.02, 0, 1) * np.clip((roof - tall) / 0.04, 0, 1)
        return inside * (wide > 0.015) * (wide < corner + 0.15) * (normals[:, 1] < -0.25)

    def fall(_points: Points, places: Points, along: float) -> Points:
        wide, _, _ = sides(face, places)
        side = np.sign(places[:, 0])
        out = np.clip((wide - 0.3) / 0.8, 0, 1)
        down = np.full(len(places), -0.75 - 0.5 * along)
        return np.stack([side * (0.38 * out * (1 - 1.5 * along)), -0.55 + 0.6 * along + 0.4 * out, down], 1)

    def aside(points: Points, places: Points, along: float) -> Points:
        wide, _, _ = sides(face, points)
        past = np.clip((wide - corner + 0.04) / 0.14, 0, 1)
        return np.stack(
            [np.sign(places[:, 0]) * (1 - 0.35 * past), np.full(len(points), -0.30 + 0.3 * along), -0.16 - 0.75 * past],
            1,
        )

    roots = ground.roots(count, density, rng)
    wide, tall, _ = sides(face, roots[0])
    low = np.clip((line - tall) / 0.7, 0, 1)
    lengths = long * (0.20 + 0.55 * low * np.clip(1.35 - wide, 0.25, 1)) * rng.uniform(0.7, 1.15, len(wide))
    layer = 0.01 + 0.10 * min(1.0, 2 * long) * rng.random(len(wide)) * (0.3 + low)
    strands = grow(ground, roots, lengths, fall, steps=14, lift=0.8, layer=layer, stiffness=0.6)
    strands, group = clump(smooth(strands, 1), 26, 0.55, rng)
    strands = frizz(wave(strands, group, curl, 1.3, rng), 0.045 * max(long, 0.5), rng)
    shade = materials.hair("beard", *look.colour, grey=look.grey, roughness=0.4 if long > 0.5 else 0.6)
    build.strands_object("beard", shorten(strands, 0.5, rng), shade, radius=0.0032)
    roots = ground.roots(count // 7, moustache, rng)
    wide, _, _ = sides(face, roots[0])
    lengths = max(long, 0.45) * (0.16 + 0.16 * np.clip(wide / corner, 0, 1)) * rng.uniform(0.7, 1.1, len(wide))
    strands = grow(
        ground, roots, lengths, aside, steps=12, lift=0.45, layer=0.01 + 0.04 * rng.random(len(wide)), stiffness=0.5
    )
    strands, group = clump(strands, 14, 0.4, rng)
    strands = frizz(strands, 0.02, rng)
    build.strands_object("moustache", shorten(strands, 0.6, rng), shade, radius=0.0032)


def full_beard(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Down to the chest."""
    beard(face, look, ground, rng, int(19000 * share), long=1.0, curl=0.035)


def short_beard(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Trimmed to a thumb's width, in tight curls."""
    beard(face, look, ground, rng, int(24000 * share), long=0.26, curl=0.014)
