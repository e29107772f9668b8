"""The inn, the smithy and the cottages, drawn once by code: timber, stone, tiles and windows with light behind them."""

from __future__ import annotations

from typing import Any

import pygame

from demo_game.pixels import Colour, clear, outlined, seeded, shade

TIMBER: Colour = (92, 62, 54)
PLASTER: Colour = (222, 200, 166)
STONE: Colour = (142, 134, 138)
LIT: Colour = (255, 206, 112)
LINE: Colour = (40, 30, 44)


def roof(canvas: Any, area: tuple[int, int, int, int], colour: Colour, inset: int) -> None:
    """A tiled roof seen from the front: rows of round tiles between a narrower ridge and the eaves."""
    left, top, width, height = area
    rng = seeded(f"roof {left} {width} {colour}")
    for row in range(height):
        share = row / max(1, height - 1)
        pull = int(inset * (1 - share))
        line, step = row // 5, row % 5
        for x in range(left + pull, left + width - pull):
            column = (x + (line % 2) * 3) // 6
            tone = 0.86 + 0.22 * ((column * 7919 + line * 104729) % 97 / 97) + 0.10 * (1 - share)
            if step == 4 or (step == 3 and (x + (line % 2) * 3) % 6 in (0, 5)):
                tone *= 0.62
            elif step == 0:
                tone *= 1.1
            if (x + (line % 2) * 3) % 6 == 5:
                tone *= 0.86
            canvas.set_at((x, top + row), shade(colour, tone + float(rng.uniform(-0.02, 0.02))))
    pygame.draw.line(canvas, shade(colour, 1.35), (left + inset, top), (left + width - inset - 1, top))
    pygame.draw.line(canvas, shade(colour, 1.18), (left + inset - 1, top + 1), (left + width - inset, top + 1))
    pygame.draw.rect(canvas, shade(TIMBER, 0.8), (left, top + height, width, 3))
    pygame.draw.line(canvas, shade(TIMBER, 1.25), (left, top + height), (left + width - 1, top + height))


def stones(canvas: Any, area: tuple[int, int, int, int], colour: Colour = STONE) -> None:
    """A wall of dressed stone in the rectangle (x, y, width, height)."""
    left, top, width, height = area
    rng = seeded(f"stones {area}")
    pygame.draw.rect(canvas, shade(colour, 0.62), area)
    for line, y in enumerate(range(top, top + height, 5)):
        x = left - int(rng.integers(0, 6))
        while x < left + width:
            size = int(rng.integers(7, 12))
            a, b = max(left, x), min(left + width, x + size - 1)
            if b > a:
                tone = shade(colour, float(rng.uniform(0.84, 1.1)) - line * 0.006)
                tall = min(4, top + height - y)
                pygame.draw.rect(canvas, tone, (a, y, b - a, tall))
                pygame.draw.line(canvas, shade(tone, 1.16), (a, y), (b - 1, y))
            x += size


def plaster(canvas: Any, area: tuple[int, int, int, int]) -> None:
    """A plastered wall, darker under the eaves."""
    left, top, width, height = area
    rng = seeded(f"plaster {area}")
    pygame.draw.rect(canvas, PLASTER, area)
    for y in range(top, min(top + 7, top + height)):
        pygame.draw.line(canvas, shade(PLASTER, 0.66 + (y - top) * 0.045), (left, y), (left + width - 1, y))
    for _ in range(width * height // 60):
        x, y = left + int(rng.integers(0, width - 2)), top + int(rng.integers(6, max(7, height)))
        if y < top + height:
            pygame.draw.line(canvas, shade(PLASTER, float(rng.uniform(0.88, 1.06))), (x, y), (x + 2, y))


def beam(canvas: Any, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A timber of three pixels with a lit edge."""
    pygame.draw.line(canvas, TIMBER, start, end, 3)
    if start[0] == end[0]:
        pygame.draw.line(canvas, shade(TIMBER, 1.3), (start[0] - 1, start[1]), (end[0] - 1, end[1]))
    elif start[1] == end[1]:
        pygame.draw.line(canvas, shade(TIMBER, 1.3), (start[0], start[1] - 1), (end[0], end[1] - 1))


def window(canvas: Any, x: int, y: int, width: int = 14, height: int = 15, *, box: bool = False) -> None:
    """A lit window with bars; `box` puts flowers under it."""
    pygame.draw.rect(canvas, shade(TIMBER, 0.7), (x - 2, y - 2, width + 4, height + 4))
    for row in range(height):
        pygame.draw.line(canvas, shade(LIT, 1.06 - row / height * 0.26), (x, y + row), (x + width - 1, y + row))
    pygame.draw.rect(canvas, (255, 240, 190), (x + 2, y + 2, width // 3, height // 3))
    pygame.draw.line(canvas, shade(TIMBER, 0.9), (x + width // 2, y), (x + width // 2, y + height - 1))
    pygame.draw.line(canvas, shade(TIMBER, 0.9), (x, y + height // 2), (x + width - 1, y + height // 2))
    pygame.draw.line(canvas, shade(TIMBER, 1.3), (x - 3, y + height + 2), (x + width + 2, y + height + 2), 2)
    if box:
        pygame.draw.rect(canvas, (120, 78, 60), (x - 3, y + height + 1, width + 6, 4))
        rng = seeded(f"box {x} {y}")
        for i in range(x - 2, x + width + 2, 2):
            pygame.draw.line(canvas, (92, 138, 78), (i, y + height - 1), (i, y + height + 1))
            petal = ((232, 110, 116), (244, 208, 110), (240, 236, 230))[int(rng.integers(0, 3))]
            pygame.draw.rect(canvas, petal, (i, y + height - 2, 2, 2))


def door(canvas: Any, x: int, y: int, width: int = 20, height: int = 30) -> None:
    """An arched door with planks and a step; (x, y) is its upper left corner."""
    wood: Colour = (128, 78, 56)
    frame = shade(TIMBER, 0.72)
    pygame.draw.rect(canvas, frame, (x - 3, y + 6, width + 6, height - 6))
    pygame.draw.ellipse(canvas, frame, (x - 3, y - 3, width + 6, 20))
    pygame.draw.rect(canvas, wood, (x, y + 7, width, height - 7))
    pygame.draw.ellipse(canvas, wood, (x, y, width, 16))
    for i in range(x + 4, x + width - 1, 5):
        pygame.draw.line(canvas, shade(wood, 0.7), (i, y + 3), (i, y + height - 1))
    for hinge in (y + 10, y + height - 8):
        pygame.draw.line(canvas, (70, 66, 78), (x, hinge), (x + width // 2, hinge))
    pygame.draw.rect(canvas, (236, 196, 110), (x + width - 5, y + height // 2 + 2, 2, 3))
    pygame.draw.rect(canvas, shade(STONE, 1.1), (x - 5, y + height - 1, width + 10, 3))
    pygame.draw.rect(canvas, shade(STONE, 0.75), (x - 5, y + height + 2, width + 10, 2))


def chimney(canvas: Any, x: int, y: int) -> None:
    """A chimney of stone whose top is at (x, y)."""
    stones(canvas, (x, y, 13, 26), (150, 126, 120))
    pygame.draw.rect(canvas, shade(STONE, 0.7), (x - 2, y - 1, 17, 4))
    pygame.draw.line(canvas, shade(STONE, 1.1), (x - 2, y - 1), (x + 14, y - 1))
    pygame.draw.rect(canvas, (36, 28, 36), (x + 3, y - 1, 7, 2))


def _ivy(canvas: Any, left: int, low: int, tall: int) -> None:
    rng = seeded(f"ivy {left}")
    for _ in range(tall * 5):
        up = float(rng.uniform(0, 1)) ** 1.3
        x, y = left + int(rng.normal(0, 5 * (1.1 - up))), low - int(up * tall)
        tone = ((70, 108, 66), (92, 134, 74), (54, 86, 60), (124, 160, 90))[int(rng.integers(0, 4))]
        pygame.draw.rect(canvas, tone, (x, y, 3, 2))


def _bracket(canvas: Any, x: int, y: int, badge: str) -> None:
    """A sign that hangs from an iron arm: a mug for the inn, a hammer for the smithy."""
    pygame.draw.rect(canvas, (58, 52, 62), (x - 2, y, 26, 2))
    pygame.draw.line(canvas, (58, 52, 62), (x, y + 6), (x + 6, y + 1))
    for chain in (x + 7, x + 19):
        pygame.draw.line(canvas, (58, 52, 62), (chain, y + 2), (chain, y + 4))
    pygame.draw.rect(canvas, shade(TIMBER, 0.8), (x + 3, y + 5, 21, 17))
    pygame.draw.rect(canvas, (196, 150, 92), (x + 4, y + 6, 19, 15))
    if badge == "mug":
        pygame.draw.rect(canvas, (246, 200, 92), (x + 8, y + 10, 8, 9))
        pygame.draw.rect(canvas, (255, 250, 236), (x + 7, y + 8, 10, 4))
        pygame.draw.rect(canvas, (120, 76, 50), (x + 16, y + 12, 4, 5), 1)
        pygame.draw.line(canvas, (206, 152, 60), (x + 10, y + 13), (x + 10, y + 18))
    else:
        pygame.draw.rect(canvas, (84, 84, 98), (x + 7, y + 8, 13, 5))
        pygame.draw.line(canvas, (150, 150, 164), (x + 7, y + 8), (x + 19, y + 8))
        pygame.draw.rect(canvas, (110, 70, 48), (x + 12, y + 13, 3, 7))


def inn(_: int) -> Any:
    """The inn: stone below, timber above, a gable over the door."""
    w, h = 176, 150
    canvas = clear(w, h)
    left, right, low = 12, w - 12, h - 2
    stones(canvas, (left, low - 44, right - left, 44))
    plaster(canvas, (left, low - 76, right - left, 32))
    chimney(canvas, 134, 4)
    roof(canvas, (2, 18, w - 4, 54), (166, 84, 70), 18)
    for x in range(left + 1, right, 19):
        beam(canvas, (x, low - 75), (x, low - 46))
    beam(canvas, (left, low - 45), (right - 1, low - 45))
    for x in (18, 44, 114, 140):
        window(canvas, x, low - 70, 13, 16, box=x in (18, 140))
    for x in (24, 50, 136):
        window(canvas, x, low - 34, 16, 17, box=x == 50)
    peak, wide = 30, 27
    middle = w // 2
    pygame.draw.polygon(canvas, PLASTER, [(middle, peak), (middle - wide, 74), (middle + wide, 74)])
    plaster(canvas, (middle - 22, 72, 45, 32))
    for side in (-1, 1):
        for step in range(5):
            tone = shade((166, 84, 70), (0.75, 1.1, 1.0, 0.9, 0.62)[step])
            pygame.draw.line(canvas, tone, (middle, peak - 6 + step), (middle + side * (wide + 5), 74 + step), 2)
    beam(canvas, (middle - 21, 74), (middle - 21, 103))
    beam(canvas, (middle + 21, 74), (middle + 21, 103))
    beam(canvas, (middle - 22, 76), (middle + 22, 76))
    window(canvas, middle - 8, 80, 17, 17, box=True)
    pygame.draw.circle(canvas, shade(TIMBER, 0.7), (middle, 60), 6)
    pygame.draw.circle(canvas, LIT, (middle, 60), 4)
    pygame.draw.line(canvas, TIMBER, (middle - 4, 60), (middle + 4, 60))
    pygame.draw.line(canvas, TIMBER, (middle, 56), (middle, 64))
    door(canvas, middle - 11, low - 33, 22, 32)
    _bracket(canvas, middle + 19, low - 46, "mug")
    for x in (middle - 18, middle + 16):
        pygame.draw.rect(canvas, (255, 226, 140), (x, low - 27, 4, 6))
        pygame.draw.rect(canvas, (60, 50, 60), (x - 1, low - 29, 6, 2))
        pygame.draw.rect(canvas, (60, 50, 60), (x - 1, low - 21, 6, 1))
    _ivy(canvas, left + 3, low, 62)
    _ivy(canvas, right - 6, low, 48)
    return outlined(canvas, LINE)


def smithy(_: int) -> Any:
    """The smithy: a stone house with an open forge under its roof."""
    w, h = 138, 116
    canvas = clear(w, h)
    left, right, low = 10, w - 10, h - 2
    stones(canvas, (left, low - 52, right - left, 52), (128, 122, 132))
    chimney(canvas, 22, 2)
    chimney(canvas, 30, 6)
    roof(canvas, (1, 18, w - 2, 44), (94, 104, 126), 14)
    opening = (left + 12, low - 40, 56, 40)
    pygame.draw.rect(canvas, (44, 32, 40), opening)
    pygame.draw.rect(canvas, (66, 44, 44), (opening[0], opening[1] + 26, 56, 14))
    stones(canvas, (left + 20, low - 24, 26, 20), (120, 96, 92))
    for size, tone in ((11, (170, 60, 40)), (8, (236, 116, 48)), (5, (255, 196, 90)), (2, (255, 246, 200))):
        pygame.draw.ellipse(canvas, tone, (left + 33 - size, low - 27 - size // 2, size * 2, size + 4))
    for x in (left + 50, left + 56, left + 62):
        pygame.draw.line(canvas, (150, 150, 164), (x, low - 38), (x, low - 28))
        pygame.draw.rect(canvas, (96, 96, 110), (x - 1, low - 28, 3, 4))
    beam(canvas, (opening[0] - 1, low - 42), (opening[0] + 57, low - 42))
    beam(canvas, (opening[0] - 1, low - 41), (opening[0] - 1, low - 1))
    beam(canvas, (opening[0] + 57, low - 41), (opening[0] + 57, low - 1))
    window(canvas, right - 18, low - 38, 12, 15)
    _bracket(canvas, left + 73, low - 46, "hammer")
    return outlined(canvas, LINE)


def cottage(variant: int) -> Any:
    """A cottage; the variant chooses the colour of its roof."""
    w, h = 98, 92
    canvas = clear(w, h)
    left, right, low = 9, w - 9, h - 2
    thatch: Colour = ((190, 152, 92), (126, 116, 110), (150, 92, 84))[variant % 3]
    plaster(canvas, (left, low - 40, right - left, 40))
    stones(canvas, (left, low - 9, right - left, 9))
    chimney(canvas, 68, 2)
    roof(canvas, (1, 14, w - 2, 38), thatch, 14)
    for x in (left + 1, left + 27, right - 28, right - 2):
        beam(canvas, (x, low - 38), (x, low - 10))
    beam(canvas, (left, low - 10), (right - 1, low - 10))
    window(canvas, left + 8, low - 31, 13, 14, box=True)
    window(canvas, right - 21, low - 31, 13, 14, box=True)
    door(canvas, w // 2 - 8, low - 27, 16, 26)
    _ivy(canvas, (left + 2, right - 4, left + 4)[variant % 3], low, 34)
    return outlined(canvas, LINE)


def wall_lights(kind: str) -> tuple[tuple[int, int, int], ...]:
    """Where a house throws light: (x, y) from the middle of its lower edge, and the radius, in pixels."""
    lights = {
        "inn": ((-57, -24, 30), (-30, -24, 30), (56, -24, 30), (0, -14, 52), (0, -58, 24),
                (-63, -62, 22), (-37, -62, 22), (33, -62, 22), (59, -62, 22)),
        "smithy": ((-26, -16, 74), (50, -30, 28)),
        "cottage": ((-26, -22, 30), (28, -22, 30), (0, -8, 22)),
        "lantern": ((0, -26, 62),),
    }  # fmt: skip
    return lights.get(kind, ())


def smoke_at(kind: str) -> tuple[int, int] | None:
    """Where a house's chimney smokes, from the middle of its lower edge."""
    return {"inn": (52, -146), "smithy": (-38, -114), "cottage": (25, -90)}.get(kind)
