"""The table `[head]` of a face.toml with `engine = "head"`: how a drawn head looks, and from where it is seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from npc_engine.nearest import near

Colour: TypeAlias = tuple[float, float, float]  # sRGB, 0..1

SKINS: Final = {
    "porcelain": "#f0d2c2", "fair": "#e6bfa8", "light": "#deb096", "tan": "#c8946f", "olive": "#b98a63",
    "brown": "#8f5f40", "dark": "#66412d", "black": "#4a2f23", "green": "#8d9a63", "grey": "#9a9c9a",
    "blue": "#8aa0b4", "red": "#b0604f",
}  # fmt: skip
IRISES: Final = {
    "brown": "#5e3a1c", "hazel": "#7a5a2a", "amber": "#a8702a", "green": "#55783f", "blue": "#4f7fae",
    "grey": "#74838c", "black": "#2b1b12", "violet": "#6d58a8", "red": "#a03024", "gold": "#c79a2e",
}  # fmt: skip
HAIRS: Final = {
    "black": "#191513", "espresso": "#2b1c14", "brown": "#46301f", "chestnut": "#5c3420", "auburn": "#6b3018",
    "copper": "#94491c", "blond": "#a98148", "flaxen": "#cfae72", "silver": "#a9a8a6", "white": "#dcdad6",
    "grey": "#75736f", "green": "#3f6a3a", "blue": "#304a7a", "red": "#8a2418",
}  # fmt: skip
CLOTHES: Final = {
    "linen": "#b8a988", "brown": "#5b4330", "leather": "#4b3322", "green": "#3d5a3a", "blue": "#33496a",
    "red": "#7a2f2a", "grey": "#5c6064", "black": "#26272a", "white": "#d8d4ca", "purple": "#4d3560",
    "ochre": "#9a7433", "teal": "#2f5c5e",
}  # fmt: skip
GROUNDS: Final = {
    "slate": "#3a4046", "umber": "#3b2f26", "moss": "#323a2c", "dusk": "#2d3346", "sand": "#8f8470", "white": "#f4f2ee",
    "grey": "#7d8084", "black": "#101114",
}  # fmt: skip

SEXES: Final = ("female", "male")
ANCESTRIES: Final = ("african", "asian", "caucasian")
STYLES: Final = (
    "none", "afro", "bob", "braid", "long", "ponytail", "curls", "swept", "crop", "short",
)  # fmt: skip
EARS: Final = ("round", "pointed", "long", "large", "small")
GARMENTS: Final = ("tunic", "robe", "cloak", "none")
TRANSPARENT: Final = "transparent"

_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
_RANGES: Final = {
    "age": (8.0, 90.0), "weight": (-1.0, 1.0), "muscle": (0.0, 1.0), "size": (0.85, 1.2), "freckles": (0.0, 1.0),
    "stubble": (0.0, 1.0), "flush": (0.0, 1.0), "brows": (0.0, 2.0), "makeup": (0.0, 1.0), "yaw": (-80.0, 80.0),
    "pitch": (-40.0, 40.0), "zoom": (0.6, 3.0),
}  # fmt: skip
_CHOICES: Final = {"sex": SEXES, "hair": STYLES, "ears": EARS, "clothes": GARMENTS}
_COLOURS: Final = {
    "skin": SKINS, "eyes": IRISES, "hair_colour": HAIRS, "clothes_colour": CLOTHES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """A drawn head. Colours are names (`tan`, `hazel` …) or `#rrggbb`; angles are degrees."""

    sex: str = "female"
    age: float = 28.0  # years
    ancestry: dict[str, float] = field(default_factory=lambda: {"caucasian": 1.0})  # shares, brought to a sum of 1
    weight: float = 0.0  # -1 thin, 1 heavy
    muscle: float = 0.3  # 0..1
    size: float = 1.0  # of the head on its shoulders
    shape: dict[str, float] = field(default_factory=dict)  # MakeHuman's target → share; `?` stands for both sides
    skin: str = "light"
    flush: float = 0.5  # redness of cheeks, nose, ears and chin
    freckles: float = 0.0
    stubble: float = 0.0
    makeup: float = 0.0  # 0 none, 1 coloured lips and dark lids
    brows: float = 1.0  # how thick, 1 is usual for the sex
    eyes: str = "hazel"
    ears: str = "round"
    hair: str = "bob"
    hair_colour: str = "brown"
    clothes: str = "tunic"
    clothes_colour: str = "green"
    background: str = "slate"  # a colour, "transparent", or a picture beside face.toml
    yaw: float = 0.0  # of the figure to its own left: 30 is a three-quarter view
    pitch: float = 0.0  # of the viewer: 10 looks down on the figure
    zoom: float = 1.0  # 2 fills the picture with the face
    seed: int = 1  # of freckles, strands and other chance

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name):g}, expected {low:g} to {high:g}")
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}{near(value, known)}")
        for name, colours in _COLOURS.items():
            colour(getattr(self, name), colours, name)
        _check_ancestry(self.ancestry)
        if self.background.startswith("#"):
            colour(self.background, GROUNDS, "background")

    def is_picture(self) -> bool:
        """Whether `background` names a file."""
        return self.background != TRANSPARENT and self.background not in GROUNDS and not self.background.startswith("#")


def _check_ancestry(shares: Mapping[str, float]) -> None:
    for who, share in shares.items():
        if who not in ANCESTRIES:
            raise ValueError(f"ancestry: {who!r}, expected shares of {', '.join(ANCESTRIES)}{near(who, ANCESTRIES)}")
        if share < 0:
            raise ValueError(f"ancestry: {who} is {share:g}, expected 0 or more")
    if not sum(shares.values()) > 0:
        raise ValueError("ancestry: no share is above 0")


def colour(value: str, known: Mapping[str, str], key: str) -> Colour:
    """The colour that a name among `known` or `#rrggbb` means; ValueError names `key` and the nearest known name."""
    code = known.get(value, value)
    if not _HEX.fullmatch(code):
        raise ValueError(f"{key} is {value!r}, expected #rrggbb or one of {', '.join(known)}{near(value, known)}")
    red, green, blue = (int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
