"""Who is drawn: shape, skin, eyes, hair, clothes and light of each character."""

from collections.abc import Mapping
from dataclasses import dataclass

from paint import Colour, Room


@dataclass(frozen=True, slots=True)
class Person:
    """One character. Colours are sRGB; shape names are MakeHuman targets, `?` for both sides."""

    name: str
    shape: Mapping[str, float]
    skin: Colour
    flush: Colour  # of nose, cheeks and ears
    lips: Colour
    freckles: float  # 0..1
    age: float  # 0..1, the depth of wrinkles
    iris: tuple[Colour, Colour]  # near the pupil, near the white
    brows: str  # a mesh of the assets, for its outline
    brow_hairs: int
    brow_length: float  # decimetres
    brow_thickness: float  # share of that mesh's height at the inner end
    brow_lift: float  # decimetres of the inner end above that mesh
    lashes: float  # their length, 1 is a young woman's
    brow_colour: tuple[Colour, Colour]
    hair_colour: tuple[Colour, Colour]  # root, tip
    grey: float  # share of white hairs
    beard_colour: tuple[Colour, Colour] | None
    room: Room
    seed: int = 1


ELDER = Person(
    name="elder",
    shape={
        "macrodetails/caucasian-male-old": 0.9,
        "macrodetails/caucasian-male-young": 0.1,
        "macrodetails/universal-male-old-averagemuscle-averageweight": 0.6,
        "macrodetails/universal-male-old-maxmuscle-averageweight": 0.4,
        "head/head-square": 0.25,
        "nose/nose-hump-incr": 0.35,
        "nose/nose-point-width-incr": 0.3,
        "nose/nose-width3-incr": 0.2,
        "ears/?-ear-lobe-incr": 0.5,
        "eyes/?-eye-bag-incr": 0.3,
        "eyes/?-eye-scale-incr": 0.3,
        "eyes/?-eye-height2-incr": 0.35,
        "eyebrows/eyebrows-trans-up": 0.3,
        "mouth/mouth-angles-up": 0.3,
        "cheek/?-cheek-bones-incr": 0.3,
        "asym/asym-brown-1-l": 0.15,
        "asym/asym-nose-1-r": 0.2,
    },
    skin=(0.80, 0.615, 0.51),
    flush=(0.74, 0.42, 0.35),
    lips=(0.62, 0.38, 0.35),
    freckles=0.55,
    age=1.0,
    iris=((0.62, 0.60, 0.46), (0.33, 0.47, 0.56)),
    brows="eyebrows/eyebrow011/eyebrow011",
    brow_hairs=520,
    brow_length=0.115,
    brow_thickness=0.75,
    brow_lift=0.0,
    lashes=0.6,
    brow_colour=((0.36, 0.335, 0.31), (0.60, 0.575, 0.54)),
    hair_colour=((0.56, 0.54, 0.51), (0.80, 0.78, 0.74)),
    grey=0.45,
    beard_colour=((0.50, 0.47, 0.44), (0.78, 0.76, 0.72)),
    room=Room(
        glow=(0.46, 0.285, 0.165),
        shade=(0.12, 0.085, 0.07),
        light=(0.86, 0.40),
        lamps=[(0.90, 0.27, 0.028, (1.0, 0.58, 0.22), 2.0), (0.965, 0.40, 0.017, (1.0, 0.5, 0.18), 1.4),
               (0.80, 0.44, 0.013, (1.0, 0.52, 0.2), 0.9), (0.11, 0.43, 0.018, (1.0, 0.6, 0.25), 1.0)],
        window=(0.13, 0.20, (0.55, 0.66, 0.78), 0.30),
    ),
    seed=4,
)  # fmt: skip

MAREN = Person(
    name="maren",
    shape={
        "macrodetails/caucasian-female-young": 0.85,
        "macrodetails/caucasian-female-old": 0.15,
        "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
        "head/head-oval": 0.45,
        "head/head-invertedtriangular": 0.25,
        "chin/chin-width-decr": 0.25,
        "cheek/?-cheek-bones-incr": 0.25,
        "nose/nose-point-up": 0.3,
        "nose/nose-scale-horiz-decr": 0.2,
        "nose/nose-scale-vert-decr": 0.2,
        "nose/nose-width2-decr": 0.3,
        "eyes/?-eye-scale-incr": 0.4,
        "eyes/?-eye-height2-decr": 0.05,
        "eyes/?-eye-corner2-up": 0.25,
        "eyebrows/eyebrows-trans-up": 0.35,
        "eyebrows/eyebrows-angle-up": 0.2,
        "mouth/mouth-angles-up": 0.5,
        "expression/units/caucasian/mouth-corner-puller": 0.15,
        "mouth/mouth-cupidsbow-incr": 0.3,
        "mouth/mouth-lowerlip-volume-incr": 0.25,
        "mouth/mouth-scale-horiz-decr": 0.1,
        "asym/asym-brown-1-l": 0.12,
        "asym/asym-mouth-1-l": 0.12,
        "asym/asym-nose-1-r": 0.12,
    },
    skin=(0.86, 0.675, 0.575),
    flush=(0.83, 0.49, 0.42),
    lips=(0.76, 0.40, 0.38),
    freckles=0.6,
    age=0.10,
    iris=((0.52, 0.40, 0.18), (0.28, 0.36, 0.22)),
    brows="eyebrows/eyebrow010/eyebrow010",
    brow_hairs=380,
    brow_length=0.07,
    brow_thickness=0.72,
    brow_lift=0.036,
    lashes=1.0,
    brow_colour=((0.22, 0.13, 0.08), (0.30, 0.18, 0.11)),
    hair_colour=((0.23, 0.125, 0.07), (0.42, 0.25, 0.14)),
    grey=0.0,
    beard_colour=None,
    room=Room(
        glow=(0.45, 0.30, 0.18),
        shade=(0.12, 0.09, 0.072),
        light=(0.12, 0.35),
        lamps=[(0.10, 0.27, 0.030, (1.0, 0.62, 0.26), 2.0), (0.035, 0.44, 0.016, (1.0, 0.55, 0.22), 1.3),
               (0.19, 0.42, 0.012, (1.0, 0.55, 0.22), 0.9), (0.90, 0.46, 0.020, (1.0, 0.6, 0.25), 1.2)],
        window=(0.88, 0.20, (0.62, 0.70, 0.74), 0.30),
    ),
    seed=9,
)  # fmt: skip

PEOPLE = {person.name: person for person in (ELDER, MAREN)}
