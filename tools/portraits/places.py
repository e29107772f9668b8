"""Where a person is drawn: a place out of focus behind, painted in numbers, and the lamps that belong to it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from paint import Colour, Plane, blur, linear, noise

Lamp = tuple[float, float, float, Colour, float]  # x, y, radius of the disc, colour, strength; 0..1, y down


@dataclass(frozen=True, slots=True)
class Light:
    """Light on the person. The key stands to the viewer's left; `mirrored` puts it to the right."""

    key: Colour
    fill: Colour
    rim: Colour  # behind, on the side of the fill
    edge: Colour  # behind, on the side of the key
    power: tuple[float, float, float, float] = (900, 190, 480, 300)  # watts of key, fill, rim, edge
    sky: Colour = (0.060, 0.055, 0.055)  # linear
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """`paint` takes pixels and a seed and gives light [size, size, 3]."""

    paint: Callable[[int, int], Plane]
    light: Light


class Sheet:
    """A square picture in linear light that is painted from back to front."""

    def __init__(self, size: int, seed: int, low: Colour, high: Colour, light: tuple[float, float]) -> None:
        """Filled with `high` around the place of the light, `low` far from it."""
        self.size, self.rng = size, np.random.default_rng(seed)
        step = (np.arange(size) + 0.5) / size
        self.x, self.y = np.meshgrid(step, step)
        far = ((self.x - light[0]) / 0.42) ** 2 + ((self.y - light[1]) / 0.50) ** 2
        self.lit = 0.10 + 0.90 * np.exp(-far)[..., None]
        self.plane = linear(low) * (1 - self.lit) + linear(high) * self.lit

    def grain(self, share: float) -> Plane:
        """Smooth noise [size, size, 1], mean 0, with grains of this share of the picture."""
        return noise((self.size, self.size), self.size * share, self.rng)[..., None]

    def box(self, left: float, right: float, top: float, low: float) -> Plane:
        return ((self.x > left) & (self.x < right) & (self.y > top) & (self.y < low)).astype(float)[..., None]

    def disc(self, x: float, y: float, radius: float, soft: float) -> Plane:
        return 1 / (1 + np.exp((np.hypot(self.x - x, self.y - y) - radius) / soft))[..., None]

    def lay(self, mask: Plane, colour: Plane | Colour) -> None:
        """Colour (linear, or sRGB as a tuple) over the picture by a mask [size, size, 1]."""
        tone = linear(colour) if isinstance(colour, tuple) else colour
        self.plane = self.plane * (1 - mask) + tone * mask

    def out_of_focus(self, share: float) -> None:
        self.plane = np.stack([blur(self.plane[..., k], self.size * share) for k in range(3)], -1)

    def lamps(self, lamps: list[Lamp]) -> None:
        """Discs of light with a brighter rim and a halo, as a lens draws them out of focus."""
        for x, y, radius, colour, strength in lamps:
            distance = np.hypot(self.x - x, self.y - y)
            disc = 1 / (1 + np.exp((distance - radius) * self.size / 3.2))
            disc = disc * (0.75 + 0.25 * np.clip(distance / radius, 0, 1) ** 3)
            halo = np.exp(-0.5 * (distance / (3.2 * radius)) ** 2) * 0.10
            self.plane = self.plane + linear(colour) * strength * (disc + halo)[..., None]

    def window(self, x: float, y: float, colour: Colour, strength: float) -> None:
        """A leaded pane with daylight behind."""
        pane = self.box(x - 0.11, x + 0.11, y - 0.17, y + 0.17)
        for bar in (-0.04, 0.04):
            pane = pane * (1 - 0.9 * self.box(x + bar - 0.006, x + bar + 0.006, 0, 1))
        for bar in (-0.085, 0.0, 0.085):
            pane = pane * (1 - 0.9 * self.box(0, 1, y + bar - 0.006, y + bar + 0.006))
        self.plane = self.plane + linear(colour) * strength * pane * (1 + 0.5 * (y - self.y))[..., None]

    def done(self) -> Plane:
        return np.clip(self.plane, 0, 60)


def inn(size: int, seed: int, *, mirrored: bool = False) -> Plane:
    """Boards, beams, jugs on a shelf, candles and a leaded window."""
    sheet = Sheet(size, seed, (0.12, 0.09, 0.072), (0.47, 0.31, 0.185), (0.12, 0.35))
    rng = sheet.rng
    sheet.plane *= rng.uniform(0.55, 1.25, 40)[np.clip(sheet.x * 17, 0, 39).astype(int)][..., None]
    sheet.plane *= np.clip(1 + 0.30 * sheet.grain(0.025) + 0.12 * sheet.grain(0.007), 0.3, 2)
    for left in (0.015, 0.285, 0.69, 0.955):
        sheet.plane *= 1 - 0.72 * sheet.box(left, left + 0.05, 0, 1)
    sheet.plane *= 1 - 0.75 * sheet.box(0, 1, 0.055, 0.125)
    for shelf in (0.34, 0.56):
        sheet.plane *= 1 - 0.7 * sheet.box(0, 1, shelf, shelf + 0.022)
        for left in np.arange(0.03, 1.0, 0.062) + rng.uniform(-0.015, 0.015, 16):
            wide, tall, tone = rng.uniform(0.012, 0.032), rng.uniform(0.05, 0.13), rng.uniform(0.15, 1.1, 3)
            stand = sheet.box(left - wide, left + wide, shelf - tall, shelf) * (rng.random() < 0.75)
            sheet.lay(0.9 * stand, linear((0.46, 0.31, 0.2)) * tone * sheet.lit)
    sheet.window(0.88, 0.20, (0.62, 0.70, 0.74), 0.30)
    sheet.out_of_focus(1 / 60)
    sheet.lamps([
        (0.10, 0.27, 0.030, (1.0, 0.62, 0.26), 2.0), (0.035, 0.44, 0.016, (1.0, 0.55, 0.22), 1.3),
        (0.19, 0.42, 0.012, (1.0, 0.55, 0.22), 0.9), (0.90, 0.46, 0.020, (1.0, 0.6, 0.25), 1.2),
    ])  # fmt: skip
    return sheet.done()[:, ::-1] if mirrored else sheet.done()


def forge(size: int, seed: int) -> Plane:
    """Sooty bricks, a glowing hearth under its arch to the right, tongs on the wall, sparks."""
    sheet = Sheet(size, seed, (0.065, 0.055, 0.055), (0.50, 0.22, 0.10), (0.84, 0.52))
    rng = sheet.rng
    row = np.floor(sheet.y * 16).astype(int)
    column = np.floor(sheet.x * 9 + 0.5 * (row % 2)).astype(int)
    sheet.plane *= rng.uniform(0.5, 1.35, (17, 11))[row, column][..., None]
    mortar = (np.mod(sheet.y * 16, 1) < 0.10) | (np.mod(sheet.x * 9 + 0.5 * (row % 2), 1) < 0.06)
    sheet.plane *= 1 - 0.5 * mortar[..., None]
    sheet.plane *= np.clip(1 + 0.35 * sheet.grain(0.03), 0.3, 2)
    for x in (0.05, 0.11, 0.165, 0.24):
        sheet.lay(0.85 * sheet.box(x, x + 0.014, 0.12, 0.12 + rng.uniform(0.22, 0.42)), (0.10, 0.09, 0.09))
    sheet.lay(0.9 * sheet.box(0.0, 0.30, 0.105, 0.135), (0.16, 0.12, 0.10))
    arch = np.maximum(sheet.disc(0.86, 0.50, 0.17, 0.004), sheet.box(0.69, 1.03, 0.50, 0.80))
    sheet.lay(arch, (0.16, 0.05, 0.03))
    fire = np.exp(-(((sheet.x - 0.86) / 0.13) ** 2 + ((sheet.y - 0.66) / 0.13) ** 2))[..., None]
    flames = np.clip(0.75 + 0.5 * sheet.grain(0.018) + 0.3 * sheet.grain(0.05), 0, 2)
    sheet.plane += arch * fire * flames * np.array([1.5, 0.42, 0.07])
    sheet.plane += arch * fire**3 * np.array([1.1, 0.6, 0.18])
    sheet.out_of_focus(1 / 58)
    sparks = [
        (rng.uniform(0.66, 1.0), rng.uniform(0.08, 0.6), rng.uniform(0.002, 0.006), (1.0, 0.45, 0.12), 1.6)
        for _ in range(26)
    ]
    sheet.lamps([*sparks, (0.07, 0.62, 0.014, (1.0, 0.5, 0.18), 0.5), (0.20, 0.70, 0.010, (1.0, 0.45, 0.15), 0.4)])
    return sheet.done()


def library(size: int, seed: int) -> Plane:
    """Shelves of bound books up to the ceiling, a candle on either side, cool light from a high window."""
    sheet = Sheet(size, seed, (0.085, 0.068, 0.062), (0.42, 0.29, 0.19), (0.86, 0.42))
    rng = sheet.rng
    bindings = [(0.42, 0.16, 0.12), (0.18, 0.26, 0.22), (0.20, 0.22, 0.36), (0.45, 0.32, 0.18), (0.50, 0.43, 0.31),
                (0.26, 0.15, 0.11), (0.34, 0.13, 0.2), (0.30, 0.27, 0.23)]  # fmt: skip
    for top in np.arange(-0.04, 1.0, 0.165):
        left = -0.02
        while left < 1.02:
            wide, tall = rng.uniform(0.012, 0.03), rng.uniform(0.095, 0.142)
            tone = linear(bindings[rng.integers(len(bindings))]) * rng.uniform(0.6, 1.4)
            book = sheet.box(left, left + wide * 0.94, top + 0.148 - tall, top + 0.148)
            round_back = 1 - 0.5 * (2 * np.clip((sheet.x - left) / wide, 0, 1) - 1)[..., None] ** 2
            sheet.lay(book, tone * 1.25 * sheet.lit * round_back)
            for band in (0.2, 0.78):
                gilt = sheet.box(left, left + wide * 0.94, top + 0.148 - tall * band, top + 0.152 - tall * band)
                sheet.lay(0.6 * gilt, linear((0.72, 0.55, 0.26)) * sheet.lit)
            left += wide * (1.0 if rng.random() < 0.93 else 1.9)
        sheet.lay(sheet.box(0, 1, top + 0.148, top + 0.165), linear((0.36, 0.23, 0.14)) * 0.8 * sheet.lit)
    for left in (0.30, 0.665):
        sheet.lay(sheet.box(left, left + 0.03, 0, 1), linear((0.36, 0.23, 0.14)) * 0.7 * sheet.lit)
    sheet.plane += np.exp(-(((sheet.x - 0.02) / 0.22) ** 2 + ((sheet.y - 0.05) / 0.35) ** 2))[..., None] * linear(
        (0.24, 0.30, 0.38)
    )
    sheet.out_of_focus(1 / 80)
    sheet.lamps([
        (0.895, 0.36, 0.024, (1.0, 0.66, 0.30), 1.9), (0.955, 0.45, 0.015, (1.0, 0.6, 0.26), 1.2),
        (0.075, 0.56, 0.013, (1.0, 0.6, 0.26), 0.8),
    ])  # fmt: skip
    return sheet.done()


def forest(size: int, seed: int) -> Plane:
    """Trunks and leaves against a bright clearing, discs of sun between the leaves."""
    sheet = Sheet(size, seed, (0.085, 0.13, 0.075), (0.62, 0.72, 0.42), (0.20, 0.22))
    rng = sheet.rng
    sheet.plane *= np.clip(1 + 0.45 * sheet.grain(0.05) + 0.30 * sheet.grain(0.018), 0.25, 2.2)
    for _ in range(11):
        x, wide = rng.uniform(0, 1), rng.uniform(0.012, 0.05)
        bend = rng.uniform(-0.05, 0.05)
        middle = x + bend * (sheet.y - 0.5)
        trunk = (np.abs(sheet.x - middle) < wide * (0.7 + 0.5 * sheet.y)).astype(float)[..., None]
        sheet.lay(0.8 * trunk, linear((0.19, 0.15, 0.10)) * (0.35 + 0.9 * sheet.lit))
    leaves = np.clip(sheet.grain(0.022) + 0.8 * (0.35 - sheet.y)[..., None], 0, 1)
    sheet.lay(0.75 * leaves, linear((0.24, 0.36, 0.13)) * (0.3 + 1.1 * sheet.lit))
    ferns = np.clip(sheet.grain(0.02) + 3.2 * (sheet.y - 0.72)[..., None], 0, 1)
    sheet.lay(0.8 * ferns, linear((0.15, 0.23, 0.09)) * (0.5 + 0.8 * sheet.lit))
    sheet.out_of_focus(1 / 55)
    suns = []
    for _ in range(46):
        x, y = rng.normal(0.24, 0.26), rng.normal(0.20, 0.17)
        suns.append((x, y, rng.uniform(0.008, 0.024), (0.93, 0.95, 0.62), rng.uniform(0.12, 0.5)))
    sheet.lamps(suns)
    return sheet.done()


def meadow(size: int, seed: int) -> Plane:
    """A summer sky over hills and hedges, grass with flowers."""
    sheet = Sheet(size, seed, (0.42, 0.60, 0.80), (0.80, 0.87, 0.92), (0.30, 0.40))
    rng = sheet.rng
    cloud = np.clip(0.55 * sheet.grain(0.06) + 0.25 * sheet.grain(0.02) - 0.1, 0, 1) * (sheet.y < 0.5)[..., None]
    sheet.lay(0.7 * cloud, (0.93, 0.93, 0.92))
    for base, height, tone in ((0.50, 0.05, (0.44, 0.55, 0.50)), (0.56, 0.035, (0.38, 0.52, 0.32))):
        rough = noise((4, size), size / 9, rng)[0] * height * 0.5 + 0.02 * noise((4, size), size / 60, rng)[0] * 0.3
        sheet.lay((sheet.y > base + rough[None, :]).astype(float)[..., None], tone)
    for _ in range(26):
        x, y, wide = rng.uniform(0, 1), rng.uniform(0.535, 0.60), rng.uniform(0.02, 0.05)
        sheet.lay(0.85 * sheet.disc(x, y, wide, 0.006), linear((0.20, 0.31, 0.14)) * rng.uniform(0.7, 1.3))
    sheet.lay((sheet.y > 0.60).astype(float)[..., None], linear((0.46, 0.56, 0.22)))
    sheet.plane *= np.where((sheet.y > 0.60)[..., None], np.clip(1 + 0.25 * sheet.grain(0.02), 0.4, 1.6), 1.0)
    sheet.out_of_focus(1 / 70)
    petals = [(0.98, 0.92, 0.80), (0.98, 0.80, 0.25), (0.90, 0.35, 0.28), (0.72, 0.62, 0.92)]
    flowers = [
        (rng.uniform(0, 1), 0.63 + 0.37 * rng.random() ** 1.2, rng.uniform(0.005, 0.016),
         petals[rng.integers(len(petals))], rng.uniform(0.2, 0.6))
        for _ in range(120)
    ]  # fmt: skip
    sheet.lamps(flowers)
    return sheet.done()


def cave(size: int, seed: int) -> Plane:
    """Wet rock, a jagged opening to a grey day on the left, a fire somewhere on the right."""
    sheet = Sheet(size, seed, (0.05, 0.052, 0.058), (0.42, 0.24, 0.13), (0.92, 0.66))
    rng = sheet.rng
    rock = sheet.grain(0.06) + 0.6 * sheet.grain(0.025) + 0.35 * sheet.grain(0.01)
    slope = np.gradient(rock[..., 0] * 16, axis=1)[..., None]
    sheet.plane *= np.clip(1 + 0.30 * rock + 0.9 * slope, 0.25, 2.4)
    rough = 0.055 * sheet.grain(0.035)[..., 0] + 0.02 * sheet.grain(0.012)[..., 0]
    reach = np.hypot(sheet.x - 0.12, 0.60 * (sheet.y - 0.34)) + rough
    hole = 1 / (1 + np.exp((reach - 0.135) / 0.005))[..., None]
    day = linear((0.44, 0.52, 0.57)) * (1.15 - 1.1 * sheet.y)[..., None] * (1 + 0.10 * sheet.grain(0.05))
    far = np.clip(4 * (sheet.y - 0.44)[..., None] + 0.5 * sheet.grain(0.03), 0, 1)
    sheet.lay(hole, day * (1 - far) + linear((0.20, 0.25, 0.22)) * far)
    rim = np.exp(-(((reach - 0.155) / 0.022) ** 2))[..., None] * np.clip(0.5 + slope, 0, 1.5)
    sheet.plane += 0.10 * rim * (1 - hole) * linear((0.44, 0.52, 0.57))
    sheet.out_of_focus(1 / 80)
    embers = [
        (rng.uniform(0.78, 1.0), rng.uniform(0.42, 0.75), rng.uniform(0.002, 0.007), (1.0, 0.5, 0.16), 1.1)
        for _ in range(16)
    ]
    sheet.lamps([(0.955, 0.70, 0.030, (1.0, 0.55, 0.2), 1.6), *embers])
    return sheet.done()


WARM, COOL, FIRE, DAY = (1.0, 0.90, 0.78), (0.74, 0.85, 1.0), (1.0, 0.58, 0.28), (1.0, 0.97, 0.92)
PLACES = {
    "inn": Place(inn, Light(WARM, (0.80, 0.88, 1.0), COOL, (1.0, 0.72, 0.44))),
    "inn_evening": Place(
        lambda size, seed: inn(size, seed, mirrored=True),
        Light(WARM, (0.80, 0.88, 1.0), COOL, (1.0, 0.72, 0.44), mirrored=True),
    ),
    "forge": Place(forge, Light(WARM, (0.70, 0.80, 1.0), FIRE, COOL, power=(1000, 170, 620, 330))),
    "library": Place(library, Light(WARM, (0.78, 0.87, 1.0), (1.0, 0.72, 0.44), COOL, power=(880, 190, 460, 380))),
    "forest": Place(
        forest, Light((1.0, 0.95, 0.84), (0.78, 0.92, 0.84), (0.86, 0.95, 1.0), (1.0, 0.95, 0.70),
                      power=(800, 220, 420, 620), sky=(0.10, 0.12, 0.09)),
    ),
    "meadow": Place(
        meadow, Light(DAY, (0.78, 0.88, 1.0), (0.80, 0.90, 1.0), (1.0, 0.95, 0.82),
                      power=(800, 260, 420, 560), sky=(0.16, 0.18, 0.21)),
    ),
    "cave": Place(cave, Light(WARM, FIRE, FIRE, COOL, power=(950, 130, 620, 560))),
}  # fmt: skip
