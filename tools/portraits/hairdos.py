"""The hair of each character: a woman's long parted hair, an old man's hair and beard."""

import build
import materials
import numpy as np
from face import Face
from makehuman import Points
from people import Person
from strands import Ground, clump, frizz, grow, shorten, smooth, wave


def sides(face: Face, places: Points) -> tuple[Points, Points, Points]:
    """Of points in Blender's frame: |x| and height over the eyes in eye distances, degrees round from the front."""
    wide = np.abs(places[:, 0]) / face.unit
    tall = (places[:, 2] - face.left_eye[1]) / face.unit
    middle = -(face.left_eye[2] - 1.45 * face.unit)  # of the skull, in Blender's y
    return wide, tall, np.degrees(np.arctan2(np.abs(places[:, 0]), -(places[:, 1] - middle)))


def scalp(face: Face, line: list[tuple[float, float]], soft: float = 0.06):  # noqa: ANN201
    """Density above a hairline given as (azimuth in degrees, height in eye distances), without the ears."""
    angles, heights = np.array(line).T

    def density(places: Points, normals: Points) -> Points:  # noqa: ARG001
        wide, tall, azimuth = sides(face, places)
        over = (tall - np.interp(azimuth, angles, heights)) / soft
        ear = (azimuth > 76) & (azimuth < 121) & (tall < 0.36) & (tall > -0.9)
        stray = wide > 1.75
        return np.clip(over, 0, 1) * ~ear * ~stray * (tall > -1.6)

    return density


def long_parted(face: Face, person: Person, ground: Ground, count: int) -> None:
    """Parted over the brow, drawn aside over the ears, falling in soft waves behind and before the shoulders."""
    rng = np.random.default_rng(person.seed + 40)
    part = 0.10 * face.unit  # the parting, a little to one side
    line = [
        (0, 1.00),
        (22, 1.02),
        (42, 0.93),
        (56, 0.62),
        (66, 0.25),
        (78, 0.02),
        (100, -0.2),
        (122, -0.75),
        (180, -1.1),
    ]
    grown = scalp(face, line, soft=0.14)

    def density(places: Points, normals: Points) -> Points:
        # a sparse parting would shine white through the hair that leaves it on both sides
        return grown(places, normals) * (0.4 + 0.6 * np.exp(-(((places[:, 0] - part) / 0.07) ** 2)))

    roots = ground.roots(count, density, rng)

    def comb(points: Points, places: Points, _along: float) -> Points:
        _, tall, azimuth = sides(face, points)
        # a hair by its own place decides to which side it goes, so that some cross the line
        stray = 0.014 * np.sin(7919 * places[:, 1]) + 0.010 * np.sin(9 * places[:, 1])
        side = np.where(places[:, 0] > part + stray, 1.0, -1.0)
        top = np.clip((tall - 0.35) / 0.8, 0, 1)
        aside = side * (0.25 + 1.15 * top)
        back = 0.50 * top + 0.30 * np.clip(1 - azimuth / 95, 0, 1) + 0.10
        down = -(0.35 + 1.0 * (1 - top))
        below = np.clip(-tall - 0.7, 0, 1)
        return np.stack([aside * (1 - 0.8 * below), back * (1 - below), down - below], 1)

    _, tall, azimuth = sides(face, roots[0])
    lengths = 3.1 * rng.uniform(0.85, 1.1, len(roots[0]))
    edge = np.clip((tall - np.interp(azimuth, *np.array(line).T)) / 0.35, 0, 1)
    layer = (0.02 + 0.13 * rng.random(len(roots[0])) ** 0.8) * (0.25 + 0.75 * edge)
    strands = grow(ground, roots, lengths, comb, steps=30, lift=0.5, layer=layer, cling=0.25, stiffness=0.55)
    strands, group = clump(smooth(strands, 3), 90, 0.75, rng, power=0.8)
    strands = wave(strands, group, 0.055, 2.6, rng, start=0.35)
    strands, _ = clump(strands, 14, 0.45, rng)
    strands = frizz(strands, 0.035, rng)
    shade = materials.hair("hair", *person.hair_colour, grey=person.grey)
    build.strands_object("hair", shorten(strands, 0.6, rng), shade, radius=0.0040)
    downy = ground.roots(count // 22, lambda p, n: grown(p, n) * (grown(p, n) < 0.9), rng)
    short = 0.5 * rng.uniform(0.4, 1.2, len(downy[0]))
    wisps = grow(ground, downy, short, comb, steps=12, lift=0.5, layer=0.03 * rng.random(len(short)), cling=0.1)
    build.strands_object("wisps", list(frizz(wisps, 0.05, rng)), shade, radius=0.0024)


def swept_back(face: Face, person: Person, ground: Ground, count: int) -> None:
    """Thin over the brow, combed back, fuller over the ears and down to the collar."""
    rng = np.random.default_rng(person.seed + 50)
    line = [
        (0, 1.26),
        (12, 1.28),
        (28, 1.46),
        (42, 1.22),
        (58, 0.76),
        (68, 0.35),
        (80, 0.0),
        (100, -0.2),
        (122, -0.8),
        (180, -1.15),
    ]
    full = scalp(face, line, soft=0.22)

    def density(places: Points, normals: Points) -> Points:
        _, tall, azimuth = sides(face, places)
        return full(places, normals) * np.where((azimuth < 50) | (tall > 1.25), 0.55, 1.0)

    roots = ground.roots(count, density, rng)

    def comb(points: Points, places: Points, _along: float) -> Points:
        _, tall, _ = sides(face, points)
        side = np.clip(places[:, 0] / 0.35, -1, 1)
        top = np.clip((tall - 0.5) / 0.8, 0, 1)
        return np.stack([side * (0.32 + 0.1 * top), 0.55 + 0.9 * top, -(0.15 + 0.9 * (1 - top))], 1)

    _, tall, azimuth = sides(face, roots[0])
    edge = np.clip((tall - np.interp(azimuth, *np.array(line).T)) / 0.4, 0, 1)
    lengths = (0.75 + 0.75 * edge) * rng.uniform(0.7, 1.1, len(roots[0]))
    layer = (0.02 + 0.15 * rng.random(len(roots[0]))) * (0.3 + 0.7 * edge)
    strands = grow(ground, roots, lengths, comb, steps=20, lift=0.7, layer=layer, cling=0.12, stiffness=0.6)
    strands, group = clump(smooth(strands, 2), 60, 0.7, rng, power=0.9)
    strands = wave(strands, group, 0.04, 1.4, rng)
    strands, _ = clump(strands, 12, 0.4, rng)
    strands = frizz(strands, 0.04, rng)
    shade = materials.hair("hair", *person.hair_colour, grey=person.grey)
    build.strands_object("hair", shorten(strands, 0.5, rng), shade, radius=0.0030)


def beard(face: Face, person: Person, ground: Ground, count: int) -> None:
    """A full beard with a moustache that leaves the edge of the upper lip free."""
    rng = np.random.default_rng(person.seed + 60)
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
    lengths = (0.20 + 0.55 * low * np.clip(1.35 - wide, 0.25, 1)) * rng.uniform(0.7, 1.15, len(wide))
    layer = 0.01 + 0.10 * rng.random(len(wide)) * (0.3 + low)
    strands = grow(ground, roots, lengths, fall, steps=14, lift=0.8, layer=layer, stiffness=0.6)
    strands, group = clump(smooth(strands, 1), 26, 0.55, rng)
    strands = frizz(wave(strands, group, 0.035, 1.3, rng), 0.045, rng)
    shade = materials.hair("beard", *person.beard_colour, grey=person.grey, roughness=0.4)  # type: ignore[misc]
    build.strands_object("beard", shorten(strands, 0.5, rng), shade, radius=0.0032)
    roots = ground.roots(count // 7, moustache, rng)
    wide, _, _ = sides(face, roots[0])
    lengths = (0.16 + 0.16 * np.clip(wide / corner, 0, 1)) * rng.uniform(0.7, 1.1, len(wide))
    strands = grow(
        ground, roots, lengths, aside, steps=12, lift=0.45, layer=0.01 + 0.04 * rng.random(len(wide)), stiffness=0.5
    )
    strands, group = clump(strands, 14, 0.4, rng)
    strands = frizz(strands, 0.02, rng)
    build.strands_object("moustache", shorten(strands, 0.6, rng), shade, radius=0.0032)


def dress(face: Face, person: Person, ground: Ground, share: float) -> None:
    """The hair of a person's head; `share` thins it for quick looks."""
    if person.beard_colour:
        swept_back(face, person, ground, int(24000 * share))
        beard(face, person, ground, int(19000 * share))
    else:
        long_parted(face, person, ground, int(32000 * share))
