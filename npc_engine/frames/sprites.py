"""Teeth, gums and tongue: pictures of the CC0 MakeHuman head's, in the colours and the light of one face."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import blurred, shrunk
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

ASSET: Final = Path(__file__).with_name("mouth.npz")
NAMES: Final = ("upper", "lower", "tongue_rest", "tongue_up", "tongue_out")
EMPTY: Final = 2  # pixels around a sprite, so that its edge is soft
AMBIENT: Final = 0.55  # of the light, which comes from everywhere
ABOVE: Final = 0.35  # how far above the viewer the rest comes from
ASIDE: Final = 0.55  # brightness that a row gains or loses towards a corner, by what the cheeks differ


@dataclass(frozen=True, slots=True)
class Colours:
    """What a mouth is made of in one picture, and how it is lit; colours f32[3] are RGB 0..255."""

    tooth: Floats
    gum: Floats
    tongue: Floats
    pale: Floats  # the back of the tongue
    aside: float  # how much brighter the picture's right cheek is than the left one, -1..1


@dataclass(frozen=True, slots=True)
class Sprite:
    """A part of a mouth, to be laid into a picture."""

    pixels: Pixels  # u8[h, w, 4]: RGB and matte
    grain: tuple[float, float]  # pixels per mouth width, across and down
    place: tuple[float, float]  # column and row of the middle of a row's biting edge (tongue: of the lower row's)

    def at(self, across: float, down: float) -> Sprite:
        """The sprite as fine as these pixels per mouth width, where it is finer than that."""
        share = np.minimum(1.0, np.array([across, down]) / self.grain)
        size = np.array(self.pixels.shape[1::-1])
        wide, tall = np.maximum(2, np.round(size * share)).astype(int)
        real = np.array([wide, tall]) / size
        grain, place = self.grain * real, (np.array(self.place) + 0.5) * real - 0.5
        return Sprite(shrunk(self.pixels, int(wide), int(tall)), tuple(grain.tolist()), tuple(place.tolist()))


@cache
def _asset() -> tuple[dict[str, npt.NDArray[np.uint8]], dict[str, npt.NDArray[np.float64]]]:
    """What tools/mouth made: u8[h, w, 5] by name, and f64[3] of each (grain, column and row of its place)."""
    with np.load(ASSET) as file:
        return {n: file[n] for n in NAMES}, {n: file[f"{n}_place"].astype(float) for n in NAMES}


def record() -> dict[str, Any]:
    """What the asset says of itself: what it is made of, and by what."""
    with np.load(ASSET) as file:
        return dict(json.loads(str(file["record"])))


def lit(name: str, colours: Colours) -> Sprite:
    """One of `NAMES` in these colours and this light."""
    sprites, places = _asset()
    grain, *place = places[name]
    column, row = np.array(place) + EMPTY
    around = ((EMPTY, EMPTY), (EMPTY, EMPTY), (0, 0))
    sprite = np.pad(sprites[name].astype(np.float32) / 255, around, mode="edge")
    matte, kind, right, up, light = np.moveaxis(sprite, 2, 0)
    matte = np.pad(matte[EMPTY:-EMPTY, EMPTY:-EMPTY], EMPTY)
    right, up = 2 * right - 1, 2 * up - 1
    out = np.sqrt(np.clip(1 - right**2 - up**2, 0, 1))
    lamp = np.array([1.6 * colours.aside, ABOVE, 1.0])
    lamp = (lamp / np.linalg.norm(lamp)).astype(np.float32)
    shade = AMBIENT + (1 - AMBIENT) * np.clip(right * lamp[0] + up * lamp[1] + out * lamp[2], 0, 1) / lamp[2]
    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = np.clip(right * half[0] + up * half[1] + out * half[2], 0, 1) ** 36
    first, second = (colours.tooth, colours.gum) if name in {"upper", "lower"} else (colours.tongue, colours.pale)
    body = first + (second - first) * kind[..., None]
    u = (np.arange(matte.shape[1]) - column) / grain
    shade *= light * np.clip(1 + ASIDE * 2 * colours.aside * 2 * u, 0.3, 1.6).astype(np.float32)
    colour = body * shade[..., None] + 0.16 * colours.tooth * (gloss * light)[..., None]
    # beyond its edge a sprite's own colour goes on, or its edge would be drawn dark
    beyond = blurred(colour * matte[..., None], 2.0) / np.maximum(blurred(matte, 2.0), 1e-3)[..., None]
    colour = beyond + (colour - beyond) * np.clip(2 * matte - 1, 0, 1)[..., None]
    pixels = np.dstack([np.clip(colour, 0, 255), 255 * matte])
    return Sprite(np.round(pixels).astype(np.uint8), (float(grain), float(grain)), (float(column), float(row)))
