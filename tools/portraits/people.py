"""What can be said of a person who is drawn, and everybody of whom it is said (cast.py, strangers.py)."""

from collections.abc import Mapping
from dataclasses import dataclass

from paint import Colour


@dataclass(frozen=True, slots=True)
class Brows:
    """Two brows. Their middle line in eye distances: x from the middle of the face, y above the eyes."""

    line: tuple[tuple[float, float], ...]  # four points from the inner end to the tail
    thick: float  # eye distances where they are thickest
    hairs: int
    length: float  # decimetres
    colour: tuple[Colour, Colour]  # root, tip
    grey: float = 0.0  # share of white hairs


@dataclass(frozen=True, slots=True)
class Hair:
    """Hair or a beard by the name of its cut in hairdos.py."""

    cut: str
    colour: tuple[Colour, Colour]  # root, tip
    grey: float = 0.0  # share of white hairs


@dataclass(frozen=True, slots=True)
class Person:
    """One character. Colours are sRGB; shape names are MakeHuman targets, `?` for both sides."""

    name: str
    shape: Mapping[str, float]
    skin: Colour
    flush: Colour  # of nose, cheeks and ears
    lips: Colour
    iris: tuple[Colour, Colour]  # near the pupil, near the white
    brows: Brows
    hair: tuple[Hair, ...]
    clothes: str  # an outfit of outfits.py
    place: str  # of places.py
    age: float = 0.0  # 0..1, the depth of wrinkles
    moles: float = 0.5  # 0..1, small spots anywhere
    freckles: float = 0.0  # 0..1, on nose and cheeks
    soot: float = 0.0  # 0..1, smudges of work
    hide: float = 0.0  # 0..1, mottled and warty
    lashes: float = 1.0  # their length, 1 is a young woman's
    ears: float = 0.0  # eye distances by which their tips are drawn out to a point
    horns: Colour | None = None
    width: float = 3.3  # decimetres of the picture at the nose, when the eyes are .58 apart
    rise: float = 0.0  # decimetres by which the picture is moved up over the person
    turn: float = 0.0  # degrees that the viewer stands to the person's left
    painted: float = 0.0  # size of brush strokes in pixels of 512, 0 is a photograph
    pixels: int = 896
    seed: int = 1
