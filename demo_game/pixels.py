"""What the drawing code shares: seeded noise, colour ramps with dithering, and arrays as surfaces."""

from __future__ import annotations

import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pygame

Field: TypeAlias = npt.NDArray[np.float32]  # f32[h, w]
Mask: TypeAlias = npt.NDArray[np.bool_]  # bool[h, w]
Image: TypeAlias = npt.NDArray[np.uint8]  # u8[h, w, 4], RGBA
Colour: TypeAlias = tuple[int, int, int]

BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47


def seeded(name: str) -> np.random.Generator:
    """Random numbers that are the same on every start, so that the village looks the same every day."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> Field:
    """Smooth noise f32[h, w] in 0..1 whose bumps are about `cell` pixels wide (value noise, cubic fade)."""
    h, w = shape
    grid = rng.random((int(h / cell) + 3, int(w / cell) + 3), dtype=np.float32)
    y, x = np.arange(h, dtype=np.float32) / cell, np.arange(w, dtype=np.float32) / cell
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = y - iy, x - ix
    fy, fx = (fy * fy * (3 - 2 * fy))[:, None], (fx * fx * (3 - 2 * fx))[None, :]
    top = grid[np.ix_(iy, ix)] * (1 - fx) + grid[np.ix_(iy, ix + 1)] * fx
    low = grid[np.ix_(iy + 1, ix)] * (1 - fx) + grid[np.ix_(iy + 1, ix + 1)] * fx
    mixed: Field = top * (1 - fy) + low * fy
    return mixed


def ramp(values: Field, colours: list[Colour], dither: float = 0.5) -> npt.NDArray[np.uint8]:
    """u8[h, w, 3]: 0 takes the first colour, 1 the last; `dither` steps of a 4x4 Bayer pattern soften the borders."""
    h, w = values.shape
    pattern = np.tile(BAYER, (h // 4 + 1, w // 4 + 1))[:h, :w]
    steps = values * len(colours) + pattern * dither
    index = np.clip(steps, 0, len(colours) - 1).astype(int)
    picked: npt.NDArray[np.uint8] = np.array(colours, np.uint8)[index]
    return picked


def surface(image: npt.NDArray[np.uint8]) -> Any:
    """A pygame surface from u8[h, w, 3 | 4]."""
    h, w, channels = image.shape
    return pygame.image.frombuffer(np.ascontiguousarray(image).tobytes(), (w, h), "RGBA" if channels == 4 else "RGB")


def clear(width: int, height: int) -> Any:
    """A transparent surface to draw on."""
    return pygame.Surface((width, height), pygame.SRCALPHA)


def outlined(sprite: Any, colour: Colour) -> Any:
    """The sprite with a one-pixel line of `colour` around its shape; it grows by one pixel on every side."""
    w, h = sprite.get_size()
    out = clear(w + 2, h + 2)
    line = pygame.mask.from_surface(sprite, 100).to_surface(setcolor=(*colour, 255), unsetcolor=(0, 0, 0, 0))
    for dx, dy in ((0, 1), (2, 1), (1, 0), (1, 2)):
        out.blit(line, (dx, dy))
    out.blit(sprite, (1, 1))
    return out


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made lighter (factor above 1) or darker; shadows lean to violet as in evening light."""
    r, g, b = colour
    cool = max(0.0, 1 - factor) * 14
    return (min(255, int(r * factor)), min(255, int(g * factor)), min(255, int(b * factor + cool)))


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """`share` 0 is `a`, 1 is `b`."""
    return (
        int(a[0] + (b[0] - a[0]) * share),
        int(a[1] + (b[1] - a[1]) * share),
        int(a[2] + (b[2] - a[2]) * share),
    )


def glow(radius: int, colour: Colour, power: float = 2.0) -> Any:
    """A round light for additive blitting, brightest in the middle and nothing at `radius` pixels."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    fall = np.clip(1 - np.hypot(x, y) / radius, 0, 1) ** power
    # eight steps keep the look of pixels; a smooth ball of light would not belong to this world
    fall = np.floor(fall * 10 + BAYER[(y.astype(int)) % 4, (x.astype(int)) % 4]) / 10
    image = np.clip(fall[..., None] * np.array(colour, np.float32), 0, 255).astype(np.uint8)
    return surface(image)
