"""The clothes of each character, from the inside out; what they give back is what hair slides over."""

from collections.abc import Callable

import bpy
import build
import materials
import numpy as np
from face import Face
from garments import COLUMNS, ROWS, Folds, cord, creases, fur, mantle, on, panel, ring, sew
from makehuman import Points
from mathutils.bvhtree import BVHTree
from paint import Colour
from people import Person

Worn = list[bpy.types.Object]


def pleats(count: int, depth: float) -> Points:
    """Gathers under a neckline, gone half-way down, f64[rows, columns]."""
    turn = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    return depth * (1 + np.sin(turn * count + 1.5 * np.sin(turn * 7)))[None] * np.exp(-np.linspace(0, 4, ROWS))[:, None]


def ball(name: str, place: Points, radii: tuple[float, float, float], material: bpy.types.Material) -> None:
    """An ellipsoid at a place of MakeHuman's frame; radii to the side, in depth and up."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=32, radius=1)
    thing = bpy.context.object
    thing.name, thing.location, thing.scale = name, build.turned(place), radii
    thing.data.polygons.foreach_set("use_smooth", np.ones(len(thing.data.polygons), bool))
    thing.data.materials.append(material)


def lacing(cloth: Points, rungs: int, spread: float, low: float, colour: Colour) -> None:
    """A leather lace that crosses the front of a mantle from its edge down to a share of it."""
    thong = materials.leather("lace", colour)
    for side in (-1, 1):
        zigzag = [
            on(cloth, side * spread * (1 if k % 2 else -1), 0.03 + low * k / rungs, (0, 0, 0.02))
            for k in range(rungs + 1)
        ]
        cord("lace", zigzag, thong, 0.012)


def innkeeper(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    blouse = mantle(
        face, tree, ring(10, 33, 46), off=0.03, rim=0.028, folds=pleats(46, 0.024) + creases(Folds(0.06, 16, 7), rng)
    )
    shawl = mantle(
        face, tree, ring(-42, 21, 38, sharp=1.5), off=0.09, rim=0.055,
        folds=creases(Folds(0.17, 7, 30, slant=-0.8), rng), even=8.0,
    )  # fmt: skip
    linen = materials.cloth(
        "linen", (0.82, 0.77, 0.67), (0.66, 0.60, 0.50), weave=80, sheen=0.2, trim=(0.075, 0.13, (0.50, 0.16, 0.12))
    )
    wool = materials.cloth("wool", (0.17, 0.28, 0.26), (0.08, 0.145, 0.14), weave=60, sheen=0.5)
    amber = on(blouse, 0, 0.02, (0, -0.02, 0.06))
    string = [on(blouse, turn, 0.0, (0, 0.05 - 0.0012 * (60 - abs(turn)), 0.02)) for turn in (-60, -40, -20)]
    string = [*string, on(blouse, 0, 0.02, (0, 0.01, 0.06)), *[p * (-1, 1, 1) for p in reversed(string)]]
    cord("string", string, materials.leather("string", (0.16, 0.10, 0.07)), 0.010)
    ball("amber", amber, (0.05, 0.04, 0.065), materials.plain("amber", (0.62, 0.30, 0.06), 0.12))
    return [sew("blouse", blouse, linen), sew("shawl", shawl, wool)]


def elder(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    shirt = mantle(face, tree, ring(-6, 36, 48), off=0.03, rim=0.02, folds=creases(Folds(0.05, 14, 9), rng))
    cowl = mantle(
        face, tree, ring(-12, 34, 46), off=0.10, rim=0.08, folds=creases(Folds(0.26, 5, 34, slant=0.5), rng), even=9.0
    )
    linen = materials.cloth("linen", (0.70, 0.63, 0.50), (0.52, 0.45, 0.34), weave=80, sheen=0.2)
    wool = materials.cloth("wool", (0.32, 0.235, 0.16), (0.20, 0.14, 0.095), weave=60, sheen=0.5)
    return [sew("shirt", shirt, linen), sew("cowl", cowl, wool)]


def blacksmith(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    shirt = mantle(
        face, tree, ring(-4, 31, 44, sharp=2.2), off=0.035, rim=0.03,
        folds=pleats(30, 0.02) + creases(Folds(0.10, 10, 10), rng), even=8.0,
    )  # fmt: skip
    apron = mantle(
        face, tree, ring(4, 26, 40, sharp=0.6), off=0.12, rim=0.03, folds=creases(Folds(0.05, 20, 30), rng), even=14.0
    )
    linen = materials.cloth("linen", (0.50, 0.45, 0.37), (0.30, 0.26, 0.21), weave=70, sheen=0.2)
    hide = materials.leather("hide", (0.29, 0.175, 0.10), stitches=(0.085, 0.115))
    strap = materials.leather("strap", (0.22, 0.13, 0.075))
    iron = materials.metal("iron", (0.50, 0.47, 0.43), 0.38)
    worn = [sew("shirt", shirt, linen), panel("bib", apron, (-46, 46), hide, 0.035)]
    collar = mantle(
        face, tree, ring(24, 27, 40, sharp=0.6), off=0.15, rim=0.0, folds=np.zeros((ROWS, COLUMNS)), even=14
    )
    for left, right in ((33, 44), (-44, -33)):
        worn.append(panel("strap", collar, (left, right), strap, 0.03))
        for share in (0.30, 0.38):
            ball("rivet", on(collar, (left + right) / 2, share, (0, 0, 0.03)), (0.032, 0.025, 0.032), iron)
    return worn


def scholar(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    gold = (0.72, 0.55, 0.25)
    under = mantle(face, tree, ring(25, 45, 56), off=0.035, rim=0.02, folds=creases(Folds(0.02, 20, 14), rng))
    robe = mantle(
        face, tree, ring(-26, 37, 50, sharp=1.5), off=0.07, rim=0.035, folds=creases(Folds(0.12, 14, 16), rng), even=7.0
    )
    silk = materials.cloth("silk", (0.78, 0.73, 0.62), (0.64, 0.58, 0.47), weave=110, sheen=0.3, rough=0.6)
    dark = materials.cloth(
        "brocade", (0.115, 0.135, 0.27), (0.06, 0.07, 0.155), weave=100, sheen=0.4, rough=0.62, trim=(0.03, 0.13, gold)
    )
    return [sew("under", under, silk), sew("robe", robe, dark)]


def child(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    shirt = mantle(face, tree, ring(14, 33, 44), off=0.03, rim=0.02, folds=creases(Folds(0.05, 12, 8), rng))
    tunic = mantle(
        face, tree, ring(-8, 27, 38, sharp=2.5), off=0.07, rim=0.035, folds=creases(Folds(0.13, 9, 16), rng), even=8.0
    )
    linen = materials.cloth("linen", (0.80, 0.75, 0.65), (0.66, 0.59, 0.48), weave=80, sheen=0.2)
    wool = materials.cloth(
        "wool", (0.24, 0.36, 0.44), (0.13, 0.21, 0.27), weave=64, sheen=0.4, trim=(0.05, 0.105, (0.75, 0.56, 0.24))
    )
    lacing(tunic, 5, 4.0, 0.22, (0.42, 0.28, 0.16))
    return [sew("shirt", shirt, linen), sew("tunic", tunic, wool)]


def ranger(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    tunic = mantle(face, tree, ring(16, 38, 50), off=0.03, rim=0.025, folds=creases(Folds(0.05, 12, 9), rng))
    jerkin = mantle(
        face, tree, ring(2, 32, 46, sharp=1.6), off=0.065, rim=0.035, folds=creases(Folds(0.05, 16, 22), rng), even=9.0
    )
    cloak = mantle(
        face, tree, ring(-24, 24, 42, sharp=1.2), off=0.13, rim=0.10,
        folds=creases(Folds(0.26, 6, 30, slant=-0.7), rng), even=9.0,
    )  # fmt: skip
    hood = mantle(
        face, tree, ring(0, 34, 52, sharp=1.0), off=0.16, rim=0.13, low=6.0,
        folds=creases(Folds(0.20, 6, 30, slant=0.6), rng), even=10.0,
    )  # fmt: skip
    linen = materials.cloth("linen", (0.58, 0.52, 0.38), (0.42, 0.36, 0.25), weave=80, sheen=0.2)
    hide = materials.leather("hide", (0.27, 0.17, 0.095), stitches=(0.075,))
    wool = materials.cloth("wool", (0.155, 0.25, 0.125), (0.075, 0.13, 0.065), weave=60, sheen=0.5)
    leaf = materials.metal("leaf", (0.80, 0.66, 0.36), 0.28)
    ball("brooch", on(hood, 0, 0.30, (0, 0, 0.03)), (0.075, 0.03, 0.10), leaf)
    return [sew("tunic", tunic, linen), sew("jerkin", jerkin, hide), sew("cloak", cloak, wool), sew("hood", hood, wool)]


def ogre(face: Face, tree: BVHTree, rng: np.random.Generator) -> Worn:
    vest = mantle(
        face, tree, ring(-8, 22, 40, sharp=1.8), off=0.05, rim=0.04, folds=creases(Folds(0.08, 14, 24), rng), even=9.0
    )
    pelt = mantle(
        face, tree, ring(-26, 19, 40, sharp=1.1), off=0.10, rim=0.12, folds=creases(Folds(0.20, 8, 24), rng), even=9.0
    )
    hide = materials.leather("hide", (0.25, 0.16, 0.095), stitches=(0.09,))
    skin = materials.cloth("pelt", (0.16, 0.12, 0.085), (0.09, 0.065, 0.045), weave=40, sheen=0.2)
    worn = [sew("vest", vest, hide), sew("pelt", pelt, skin)]
    wolf = materials.hair("fur", (0.20, 0.155, 0.11), (0.52, 0.44, 0.34), grey=0.10, roughness=0.4)
    fur(worn[1], 26000, 0.34, wolf, rng)
    thong = [on(vest, turn, 0.02, (0, 0.02, 0.05)) for turn in range(-80, 81, 8)]
    cord("thong", thong, materials.leather("thong", (0.16, 0.10, 0.06)), 0.018)
    ivory = materials.bone("ivory", (0.78, 0.70, 0.54))
    for turn in (-34, -22, -11, 0, 11, 22, 34):
        long = 0.20 + 0.07 * rng.random() + 0.10 * (turn == 0)
        spine = [(0, 0.01, 0.06), (0.01, 0.01 - 0.5 * long, 0.12), (0.03, 0.01 - long, 0.10)]
        cord("fang", [on(vest, turn, 0.02, off) for off in spine], ivory, 0.045, closed_end=0.06)
    return worn


OUTFITS: dict[str, Callable[[Face, BVHTree, np.random.Generator], Worn]] = {
    cut.__name__: cut for cut in (innkeeper, elder, blacksmith, scholar, child, ranger, ogre)
}


def clothe(face: Face, person: Person, body: bpy.types.Object) -> Worn:
    """All clothes of a person, inner to outer."""
    return OUTFITS[person.clothes](face, build.surface(body)[0], np.random.default_rng(person.seed + 80))
