"""Hair on the head, one function a cut. Each adds its strands to the scene; `share` thins them for quick looks."""

from collections.abc import Callable

import build
import materials
import numpy as np
from beards import full_beard, short_beard
from braids import braid
from face import Face
from makehuman import Points
from people import Hair, Person
from scalp import above, scalp, sides
from strands import Ground, clump, frizz, grow, shorten, smooth, unit, wave


def long_parted(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Parted over the brow, drawn aside over the ears, falling in soft waves behind and before the shoulders."""
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

    roots = ground.roots(int(32000 * share), density, rng)

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
    edge = above(line, tall, azimuth, 0.35)
    layer = (0.02 + 0.13 * rng.random(len(roots[0])) ** 0.8) * (0.25 + 0.75 * edge)
    strands = grow(ground, roots, lengths, comb, steps=30, lift=0.5, layer=layer, cling=0.25, stiffness=0.55)
    strands, group = clump(smooth(strands, 3), 90, 0.75, rng, power=0.8)
    strands = wave(strands, group, 0.055, 2.6, rng, start=0.35)
    strands, _ = clump(strands, 14, 0.45, rng)
    strands = frizz(strands, 0.035, rng)
    shade = materials.hair("hair", *look.colour, grey=look.grey)
    build.strands_object("hair", shorten(strands, 0.6, rng), shade, radius=0.0040)
    downy = ground.roots(int(1450 * share), lambda p, n: grown(p, n) * (grown(p, n) < 0.9), rng)
    short = 0.5 * rng.uniform(0.4, 1.2, len(downy[0]))
    wisps = grow(ground, downy, short, comb, steps=12, lift=0.5, layer=0.03 * rng.random(len(short)), cling=0.1)
    build.strands_object("wisps", list(frizz(wisps, 0.05, rng)), shade, radius=0.0024)


def swept_back(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Thin over the brow, combed back, fuller over the ears and down to the collar."""
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

    roots = ground.roots(int(24000 * share), density, rng)

    def comb(points: Points, places: Points, _along: float) -> Points:
        _, tall, _ = sides(face, points)
        side = np.clip(places[:, 0] / 0.35, -1, 1)
        top = np.clip((tall - 0.5) / 0.8, 0, 1)
        return np.stack([side * (0.32 + 0.1 * top), 0.55 + 0.9 * top, -(0.15 + 0.9 * (1 - top))], 1)

    _, tall, azimuth = sides(face, roots[0])
    edge = above(line, tall, azimuth, 0.4)
    lengths = (0.75 + 0.75 * edge) * rng.uniform(0.7, 1.1, len(roots[0]))
    layer = (0.02 + 0.15 * rng.random(len(roots[0]))) * (0.3 + 0.7 * edge)
    strands = grow(ground, roots, lengths, comb, steps=20, lift=0.7, layer=layer, cling=0.12, stiffness=0.6)
    strands, group = clump(smooth(strands, 2), 60, 0.7, rng, power=0.9)
    strands = wave(strands, group, 0.04, 1.4, rng)
    strands, _ = clump(strands, 12, 0.4, rng)
    strands = frizz(strands, 0.04, rng)
    shade = materials.hair("hair", *look.colour, grey=look.grey)
    build.strands_object("hair", shorten(strands, 0.5, rng), shade, radius=0.0030)


def cropped(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Tight curls, half a finger's width long, with a sharp hairline."""
    line = [(0, 1.06), (24, 1.08), (40, 1.0), (50, 0.82), (58, 0.52), (64, 0.10), (74, -0.20), (82, -0.25), (100, -0.3),
            (122, -0.8), (180, -1.1)]  # fmt: skip
    roots = ground.roots(int(34000 * share), scalp(face, line, soft=0.05), rng)
    _, tall, azimuth = sides(face, roots[0])
    lengths = (0.06 + 0.12 * above(line, tall, azimuth, 0.9)) * rng.uniform(0.8, 1.15, len(tall))
    ways = roots[1] + 0.45 * rng.normal(size=roots[1].shape)

    def outwards(points: Points, _places: Points, _along: float) -> Points:
        return ways[: len(points)]

    strands = grow(ground, roots, lengths, outwards, steps=9, lift=0.6, layer=np.full(len(tall), 0.005))
    strands, group = clump(strands, 14, 0.7, rng)
    strands = wave(strands, group, 0.022, 1.8, rng, start=0.05)
    strands = frizz(strands, 0.030, rng)
    build.strands_object(
        "hair",
        list(strands),
        materials.hair("hair", *look.colour, grey=look.grey, roughness=0.62),
        radius=0.0042,
        tip=0.6,
    )


def bun(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Combed back from the brow and wound into a bun behind the crown, with two pins; white strands at the temples."""
    line = [(0, 0.94), (24, 0.94), (44, 0.80), (54, 0.52), (62, 0.15), (70, -0.12), (78, -0.1), (100, -0.2),
            (122, -0.75), (180, -1.05)]  # fmt: skip
    middle = -(face.left_eye[2] - 1.45 * face.unit)
    knot = np.array([0.0, middle + 0.38, face.crown + 0.06])
    roots = ground.roots(int(36000 * share), scalp(face, line, soft=0.24), rng)

    def comb(points: Points, _places: Points, _along: float) -> Points:
        return unit(knot - points) + np.array([0.0, 0.25, 0.0])

    _, tall, azimuth = sides(face, roots[0])
    away = np.linalg.norm(roots[0] - knot, axis=1)
    edge = above(line, tall, azimuth, 0.4)
    layer = (0.015 + 0.085 * rng.random(len(tall))) * (0.35 + 0.65 * edge)
    strands = grow(ground, roots, 1.12 * away, comb, steps=22, lift=0.35, layer=layer, cling=0.35, stiffness=0.5)
    strands, group = clump(smooth(strands, 3), 70, 0.5, rng, power=0.7)
    strands = frizz(wave(strands, group, 0.018, 1.2, rng), 0.016, rng)
    dark = materials.hair("hair", *look.colour, grey=look.grey)
    white = materials.hair("white hair", *look.colour, grey=0.6)
    streak = (np.abs(azimuth - 37) < 6 + 2 * np.sin(40 * roots[0][:, 2])) & (tall < 1.2)
    for chosen, shade in ((~streak, dark), (streak, white)):
        build.strands_object("hair", list(strands[chosen]), shade, radius=0.0032, tip=0.7)
    turn = np.linspace(0, 1, 40)[None]
    count = int(9000 * share) + 200
    start, span = rng.uniform(0, 2 * np.pi, (count, 1)), rng.uniform(2.0, 4.2, (count, 1))
    around = start + span * turn
    tube = rng.uniform(0, 2 * np.pi, (count, 1)) + 0.75 * around
    thick = 0.165 * rng.random((count, 1)) ** 0.12 * (1 + 0.10 * np.sin(3 * (tube - 0.75 * around)))
    reach = 0.20 + thick * np.cos(tube)
    wound = np.stack([reach * np.cos(around), reach * np.sin(around) * 0.9, 1.05 * thick * np.sin(tube)], -1)
    tilt = np.radians(24)  # the bun leans back
    wound[..., 1], wound[..., 2] = (
        wound[..., 1] * np.cos(tilt) + wound[..., 2] * np.sin(tilt),
        wound[..., 2] * np.cos(tilt) - wound[..., 1] * np.sin(tilt),
    )
    build.strands_object(
        "bun", list(frizz(knot + np.array([0, 0.02, 0.12]) + wound, 0.012, rng)), dark, radius=0.0036, tip=0.7
    )
    wood = materials.plain("pin", (0.50, 0.27, 0.12), 0.3)
    for side in (-1, 1):
        ends = np.array([[-0.50 * side, 0.10, 0.36], [0.44 * side, 0.10, -0.02]]) + knot - np.array([0, 0.06, 0])
        pin = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, 12)[:, None]
        build.strands_object("pin", [pin], wood, radius=0.021)
    hairline = scalp(face, [(a, h - 0.07) for a, h in line], soft=0.16)
    downy = ground.roots(int(2600 * share) + 20, lambda p, n: hairline(p, n) * (hairline(p, n) < 0.95), rng)
    short = 0.45 * rng.uniform(0.3, 1.2, len(downy[0]))
    wisps = grow(ground, downy, short, comb, steps=10, lift=0.7, layer=0.01 + 0.04 * rng.random(len(short)), cling=0.1)
    build.strands_object("wisps", list(frizz(wisps, 0.05, rng)), dark, radius=0.0018)


def tousled(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """A child's mop: tufts in all directions, a fringe swept aside over the brow, hair over the tops of the ears."""
    line = [(0, 1.02), (24, 1.03), (42, 0.95), (54, 0.70), (62, 0.35), (70, -0.05), (78, -0.05), (100, -0.2),
            (122, -0.85), (180, -1.15)]  # fmt: skip
    roots = ground.roots(int(26000 * share), scalp(face, line, soft=0.12), rng)
    whorl = np.array([0.12, -(face.left_eye[2] - 2.2 * face.unit), face.crown - 0.05])

    def comb(points: Points, places: Points, along: float) -> Points:
        _, tall, azimuth = sides(face, points)
        out = unit(places - whorl) * (1, 1, 0.4)
        wild = np.stack([np.sin(9 * places[:, 1] + 5 * places[:, 2]), np.sin(8 * places[:, 0] + 2.0),
                         np.sin(11 * places[:, 0] + 7 * places[:, 1])], 1)  # fmt: skip
        fringe = np.clip(1 - azimuth / 55, 0, 1)[:, None] * np.clip((tall - 0.4) / 0.4, 0, 1)[:, None]
        aside = np.array([0.95, -0.45, -0.25])
        down = np.array([0.0, 0.0, -1.0]) * (0.15 + 0.9 * along + np.clip(0.9 - tall, 0, 1))[:, None]
        return out * (1 - 0.7 * fringe) + 0.55 * wild + 1.1 * fringe * aside + down * (1 - 0.5 * fringe)

    _, tall, azimuth = sides(face, roots[0])
    front = np.clip(1 - azimuth / 60, 0, 1) * np.clip((1.6 - tall) / 0.5, 0, 1)
    lengths = (0.78 - 0.25 * front - 0.12 * (azimuth > 75)) * rng.uniform(0.65, 1.1, len(tall))
    layer = (0.03 + 0.22 * rng.random(len(tall))) * (0.35 + 0.65 * above(line, tall, azimuth, 0.4))
    strands = grow(ground, roots, lengths, comb, steps=18, lift=0.9, layer=layer, cling=0.08, stiffness=0.62)
    strands, group = clump(smooth(strands, 2), 75, 0.85, rng, power=0.9)
    strands = wave(strands, group, 0.05, 1.1, rng)
    strands, _ = clump(strands, 12, 0.5, rng)
    strands = frizz(strands, 0.04, rng)
    shade = materials.hair("hair", *look.colour, grey=look.grey)
    build.strands_object("hair", shorten(strands, 0.6, rng), shade, radius=0.0038)


def braided(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """Parted in the middle and drawn behind the ears, falling down the back; thin braids along the hairline and two
    long ones before the shoulders."""
    # fmt: off
    line = [(0, 0.98), (22, 1.0), (42, 0.90), (56, 0.60), (66, 0.30), (76, 0.22), (86, 0.34), (110, 0.30),
            (122, -0.55), (180, -1.1)]
    # fmt: on
    grown = scalp(face, line, soft=0.12)
    roots = ground.roots(int(30000 * share), grown, rng)

    def comb(points: Points, places: Points, _along: float) -> Points:
        _, tall, azimuth = sides(face, points)
        side = np.where(places[:, 0] > 0.012 * np.sin(40 * places[:, 1]), 1.0, -1.0)
        top = np.clip((tall - 0.45) / 0.8, 0, 1)
        behind = np.clip((azimuth - 95) / 25, 0, 1)
        aside = side * (0.15 + 1.0 * top) * (1 - behind)
        back = (0.85 + 0.2 * top) * (1 - behind)
        down = -(0.10 + 0.25 * (1 - top)) - 1.3 * behind
        return np.stack([aside, back, down], 1)

    _, tall, azimuth = sides(face, roots[0])
    lengths = 3.0 * rng.uniform(0.85, 1.1, len(tall))
    layer = (0.02 + 0.11 * rng.random(len(tall)) ** 0.8) * (0.25 + 0.75 * above(line, tall, azimuth, 0.35))
    strands = grow(ground, roots, lengths, comb, steps=30, lift=0.45, layer=layer, cling=0.25, stiffness=0.5)
    strands, group = clump(smooth(strands, 3), 90, 0.7, rng, power=0.8)
    strands = wave(strands, group, 0.05, 2.4, rng, start=0.4)
    strands, _ = clump(strands, 14, 0.45, rng)
    shade = materials.hair("hair", *look.colour, grey=look.grey)
    build.strands_object("hair", shorten(frizz(strands, 0.03, rng), 0.6, rng), shade, radius=0.0038)
    downy = ground.roots(int(900 * share) + 20, lambda p, n: grown(p, n) * (grown(p, n) < 0.9), rng)
    short = 0.45 * rng.uniform(0.3, 1.2, len(downy[0]))
    wisps = grow(ground, downy, short, comb, steps=12, lift=0.6, layer=0.03 * rng.random(len(short)), cling=0.1)
    build.strands_object("wisps", list(frizz(wisps, 0.05, rng)), shade, radius=0.0022)
    u, e, middle = face.unit, face.left_eye[1], -(face.left_eye[2] - 1.45 * face.unit)

    def at(degrees: float, tall: float, reach: float) -> Points:
        turn = np.radians(degrees)
        return np.array([reach * u * np.sin(turn), middle - reach * u * np.cos(turn), e + tall * u])

    for side in (1, -1):
        thin = [at(a, t, 1.5) for a, t in ((6, 1.22), (22, 1.20), (40, 1.08), (58, 0.84), (76, 0.62), (94, 0.46),
                                          (112, 0.30), (128, 0.05))]  # fmt: skip
        long = [at(a, t, r) for a, t, r in ((118, -0.35, 1.05), (108, -1.0, 0.95), (82, -1.75, 1.15), (60, -2.35, 1.5),
                                            (48, -3.0, 1.8), (42, -4.2, 2.1))]  # fmt: skip
        for path, thick, hairs, over in ((thin, 0.042, 700, 0.02), (long, 0.095, 2200, 0.06)):
            way = np.array(path) * (side, 1, 1)
            braid(way, ground, shade, rng, thick=thick, hairs=int(hairs * share) + 60, over=over)


def crest(face: Face, look: Hair, ground: Ground, rng: np.random.Generator, share: float) -> None:
    """A bald head with a coarse mane from the crown down the back, and bristles about it."""

    def density(places: Points, normals: Points) -> Points:  # noqa: ARG001
        wide, tall, azimuth = sides(face, places)
        mane = np.clip((0.30 - wide) / 0.10, 0, 1) * ((tall > 1.32) | (azimuth > 120))
        ear = (azimuth > 70) & (azimuth < 125) & (tall < 0.8)
        return np.clip(mane + 0.012 * (tall > 1.0) * ~ear, 0, 1) * (tall > -1.0)

    roots = ground.roots(int(9000 * share), density, rng)
    wide = sides(face, roots[0])[0]

    def back(points: Points, places: Points, along: float) -> Points:
        lean = np.sign(places[:, 0]) * 0.25 + 0.5 * np.sin(17 * places[:, 1])
        return np.stack([lean, np.full(len(points), 0.5 + 0.7 * along), np.full(len(points), 0.9 - 1.3 * along)], 1)

    lengths = np.where(wide < 0.32, 0.62, 0.05) * rng.uniform(0.5, 1.1, len(wide))
    strands = grow(ground, roots, lengths, back, steps=14, lift=1.0, layer=np.full(len(wide), 0.01), stiffness=0.6)
    strands, group = clump(smooth(strands, 1), 45, 0.85, rng)
    strands = frizz(wave(strands, group, 0.03, 1.0, rng), 0.05, rng)
    shade = materials.hair("mane", *look.colour, grey=look.grey, roughness=0.45)
    build.strands_object("mane", shorten(strands, 0.5, rng), shade, radius=0.0048)


CUTS: dict[str, Callable[[Face, Hair, Ground, np.random.Generator, float], None]] = {
    cut.__name__: cut
    for cut in (long_parted, swept_back, cropped, bun, tousled, braided, crest, full_beard, short_beard)
}


def dress(face: Face, person: Person, ground: Ground, share: float) -> None:
    """All hair of a person's head."""
    for k, look in enumerate(person.hair):
        CUTS[look.cut](face, look, ground, np.random.default_rng(person.seed + 40 + k), share)
