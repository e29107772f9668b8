"""What grows and what lies about: trees, fences, lanterns, barrels, a cart and a cat, each drawn once by code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pygame

from demo_game.pixels import Colour, clear, noise, outlined, ramp, seeded, shade, surface

LEAVES: tuple[list[Colour], ...] = (
    [(34, 58, 56), (44, 78, 60), (60, 102, 64), (84, 130, 70), (120, 160, 84), (160, 188, 104)],
    [(58, 52, 50), (94, 70, 52), (138, 92, 56), (180, 116, 60), (214, 150, 76), (236, 186, 106)],
    [(38, 60, 50), (56, 84, 54), (82, 112, 60), (112, 140, 68), (150, 170, 84), (190, 200, 112)],
)
NEEDLES: tuple[list[Colour], ...] = (
    [(24, 44, 54), (32, 60, 60), (42, 78, 66), (58, 98, 74), (80, 120, 84)],
    [(28, 50, 52), (38, 68, 58), (50, 88, 64), (68, 110, 70), (96, 134, 84)],
    [(26, 42, 58), (34, 56, 66), (44, 72, 74), (58, 92, 82), (78, 114, 92)],
)
BARK: Colour = (92, 68, 60)
WOOD: Colour = (140, 100, 70)
LINE: Colour = (38, 30, 44)


def oak(variant: int) -> Any:
    """A round tree: clumps of leaves as small spheres, lit from the upper left."""
    rng = seeded(f"oak {variant}")
    w, h = 56, 66
    sprite = clear(w, h)
    pygame.draw.polygon(sprite, shade(BARK, 0.8), [(24, 40), (33, 40), (34, 60), (38, 65), (19, 65), (23, 60)])
    pygame.draw.polygon(sprite, BARK, [(24, 40), (28, 40), (28, 62), (20, 65), (23, 60)])
    pygame.draw.line(sprite, shade(BARK, 0.6), (30, 46), (31, 60))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    light, inside = np.zeros((h, w), np.float32), np.zeros((h, w), bool)
    clumps = []
    for count, far in ((11, 0.98), (7, 0.6), (3, 0.2)):
        for number in range(count):
            angle = (number + float(rng.uniform(-0.2, 0.2))) / count * 6.283 + far
            reach = far + float(rng.uniform(-0.06, 0.06))
            clumps.append((28 + 17 * np.cos(angle) * reach, 26 + 15 * np.sin(angle) * reach, rng.uniform(6.8, 8.6)))
    for cx, cy, r in sorted(clumps, key=lambda c: c[1] + c[2] * 0.4):
        d = np.hypot(x - cx, (y - cy) * 1.08) / r
        ball = d < 1
        height = np.sqrt(np.clip(1 - d * d, 0, 1))
        own = (-(x - cx) / r * 0.5 - (y - cy) / r * 0.75) * 0.5 + height * 0.28
        whole = (-(x - 28) / 30 * 0.5 - (y - 28) / 30 * 0.9) * 0.42
        light, inside = np.where(ball, 0.36 + own * 0.62 + whole, light), inside | ball
    rough = noise((h, w), 2.2, rng) - 0.5
    core = np.hypot((x - 28) / 22, (y - 26) / 20) < 0.85
    edge = inside & ((noise((h, w), 2.5, rng) > 0.12) | core)
    leaves = np.zeros((h, w, 4), np.uint8)
    leaves[..., :3] = ramp(np.clip(light + rough * 0.2, 0, 0.99), LEAVES[variant % 3], 0.35)
    leaves[..., 3] = edge * 255
    sprite.blit(surface(leaves), (0, 0))
    return outlined(sprite, shade(LEAVES[variant % 3][0], 0.62))


def pine(variant: int) -> Any:
    """A fir: skirts of needles, the lower the wider, with ragged hems."""
    rng = seeded(f"pine {variant}")
    w, h = 34, 62
    sprite = clear(w, h)
    pygame.draw.rect(sprite, shade(BARK, 0.8), (14, 50, 6, 11))
    pygame.draw.rect(sprite, BARK, (14, 50, 3, 11))
    tones = NEEDLES[variant % 3]
    for skirt in range(5, -1, -1):
        top, low = 1 + skirt * 7, 15 + skirt * 8
        widest = 5.5 + skirt * 2.0
        for x in range(-int(widest) - 1, int(widest) + 2):
            rise = abs(x) / (widest + 1)
            hem = low - int(rise * 3) + int(rng.integers(-2, 2)) + (x % 3 == 0) * 2
            for y in range(int(top + rise * (low - top) * 0.92), min(hem, h - 4)):
                deep = (y - top) / (low - top)
                value = 0.78 - deep * 0.42 - x / widest * 0.24 + rng.uniform(-0.14, 0.14)
                if y >= hem - 2:
                    value -= 0.22
                tone = tones[int(np.clip(value * len(tones), 0, len(tones) - 1))]
                sprite.set_at((17 + x, y), tone)
    return outlined(sprite, shade(tones[0], 0.66))


def lantern(_: int) -> Any:
    """A street lantern on a post."""
    sprite = clear(14, 34)
    pygame.draw.rect(sprite, (74, 62, 70), (6, 12, 2, 21))
    pygame.draw.rect(sprite, (98, 84, 86), (6, 12, 1, 21))
    pygame.draw.rect(sprite, (62, 52, 60), (4, 31, 6, 3))
    pygame.draw.rect(sprite, (255, 220, 130), (4, 4, 6, 7))
    pygame.draw.rect(sprite, (255, 246, 200), (5, 5, 3, 4))
    pygame.draw.rect(sprite, (70, 58, 66), (3, 10, 8, 2))
    pygame.draw.polygon(sprite, (70, 58, 66), [(2, 4), (11, 4), (8, 1), (5, 1)])
    pygame.draw.line(sprite, (110, 94, 92), (5, 1), (3, 3))
    return outlined(sprite, LINE)


def barrel(_: int) -> Any:
    """A barrel with iron hoops."""
    sprite = clear(13, 16)
    pygame.draw.ellipse(sprite, shade(WOOD, 0.85), (0, 1, 13, 15))
    pygame.draw.rect(sprite, WOOD, (1, 3, 5, 10))
    pygame.draw.rect(sprite, shade(WOOD, 1.2), (3, 3, 2, 10))
    pygame.draw.ellipse(sprite, shade(WOOD, 1.1), (1, 0, 11, 5))
    pygame.draw.ellipse(sprite, shade(WOOD, 0.75), (3, 1, 7, 3))
    for y in (6, 11):
        pygame.draw.line(sprite, (88, 84, 96), (0, y), (12, y))
        sprite.set_at((3, y), (150, 146, 156))
    return outlined(sprite, LINE)


def crates(_: int) -> Any:
    """Two crates and a sack."""
    sprite = clear(24, 22)
    for x, y in ((0, 9), (6, 0)):
        pygame.draw.rect(sprite, shade(WOOD, 0.95), (x, y, 12, 12))
        pygame.draw.rect(sprite, shade(WOOD, 1.2), (x, y, 12, 12), 1)
        pygame.draw.line(sprite, shade(WOOD, 0.7), (x + 2, y + 6), (x + 9, y + 6))
        pygame.draw.line(sprite, shade(WOOD, 0.7), (x + 2, y + 9), (x + 9, y + 9))
    pygame.draw.ellipse(sprite, (186, 164, 126), (13, 10, 11, 11))
    pygame.draw.ellipse(sprite, (206, 186, 148), (14, 10, 6, 7))
    pygame.draw.rect(sprite, (150, 110, 80), (16, 10, 5, 2))
    return outlined(sprite, LINE)


def fence(_: int) -> Any:
    """A piece of fence, 18 pixels wide so that pieces join."""
    sprite = clear(18, 15)
    for y in (4, 9):
        pygame.draw.rect(sprite, shade(WOOD, 0.8), (0, y, 18, 3))
        pygame.draw.line(sprite, shade(WOOD, 1.1), (0, y), (17, y))
    pygame.draw.rect(sprite, shade(WOOD, 0.7), (7, 0, 4, 15))
    pygame.draw.rect(sprite, shade(WOOD, 1.15), (7, 0, 2, 14))
    return sprite


def hay(_: int) -> Any:
    """A heap of hay."""
    rng = seeded("hay")
    sprite = clear(28, 20)
    pygame.draw.ellipse(sprite, (176, 136, 66), (0, 3, 28, 30))
    pygame.draw.ellipse(sprite, (204, 166, 84), (3, 2, 18, 20))
    for _n in range(70):
        x, y = int(rng.integers(2, 26)), int(rng.integers(4, 19))
        if sprite.get_at((x, y)).a:
            tone = ((226, 194, 108), (154, 114, 58), (238, 210, 130))[int(rng.integers(0, 3))]
            pygame.draw.line(sprite, tone, (x, y), (x + int(rng.integers(-3, 4)), y + int(rng.integers(-2, 3))))
    return outlined(sprite, LINE)


def cart(_: int) -> Any:
    """A hand cart with pumpkins."""
    sprite = clear(42, 26)
    for x, colour in ((8, (216, 126, 58)), (17, (228, 142, 70)), (25, (206, 112, 54))):
        pygame.draw.ellipse(sprite, colour, (x, 1, 10, 9))
        pygame.draw.ellipse(sprite, shade(colour, 1.18), (x + 2, 2, 3, 6))
        pygame.draw.line(sprite, (84, 110, 60), (x + 5, 0), (x + 5, 1))
    pygame.draw.rect(sprite, shade(WOOD, 0.9), (4, 8, 34, 9))
    pygame.draw.rect(sprite, shade(WOOD, 1.15), (4, 8, 34, 2))
    pygame.draw.line(sprite, shade(WOOD, 0.65), (4, 13), (37, 13))
    pygame.draw.line(sprite, shade(WOOD, 0.8), (38, 11), (41, 6), 2)
    for x in (12, 29):
        pygame.draw.circle(sprite, shade(WOOD, 0.55), (x, 19), 6)
        pygame.draw.circle(sprite, shade(WOOD, 1.0), (x, 19), 5, 1)
        pygame.draw.line(sprite, shade(WOOD, 1.0), (x - 4, 19), (x + 4, 19))
        pygame.draw.line(sprite, shade(WOOD, 1.0), (x, 15), (x, 23))
    return outlined(sprite, LINE)


def well(_: int) -> Any:
    """The village well with its little roof."""
    sprite = clear(36, 44)
    stone: Colour = (140, 134, 140)
    for x in (5, 28):
        pygame.draw.rect(sprite, shade(WOOD, 0.8), (x, 10, 3, 24))
        pygame.draw.line(sprite, shade(WOOD, 1.1), (x, 10), (x, 33))
    pygame.draw.rect(sprite, shade(WOOD, 0.7), (7, 17, 22, 2))
    pygame.draw.line(sprite, (200, 180, 140), (18, 18), (18, 26))
    pygame.draw.rect(sprite, shade(WOOD, 0.9), (16, 24, 5, 4))
    pygame.draw.ellipse(sprite, shade(stone, 0.8), (2, 24, 32, 14))
    pygame.draw.ellipse(sprite, (30, 40, 62), (6, 26, 24, 8))
    pygame.draw.rect(sprite, shade(stone, 0.85), (2, 31, 32, 8))
    pygame.draw.ellipse(sprite, shade(stone, 0.85), (2, 33, 32, 11))
    pygame.draw.ellipse(sprite, shade(stone, 1.1), (2, 24, 32, 14), 2)
    for y, shift in ((33, 0), (37, 4), (41, 1)):
        for x in range(3 + shift, 32, 8):
            inset = 4 if y == 41 else 0
            if inset < x < 34 - inset:
                pygame.draw.rect(sprite, shade(stone, 1.06 if (x + y) % 3 else 0.95), (x, y, 7, 3))
    pygame.draw.polygon(sprite, (132, 70, 66), [(18, 0), (36, 12), (34, 15), (2, 15), (0, 12)])
    pygame.draw.polygon(sprite, (164, 90, 78), [(18, 0), (0, 12), (2, 15), (15, 15)])
    for y in (5, 9, 12):
        pygame.draw.line(sprite, (108, 56, 60), (18 - y - 2, y), (18 + y + 2, y))
    return outlined(sprite, LINE)


def anvil(_: int) -> Any:
    """An anvil on its block."""
    sprite = clear(18, 16)
    pygame.draw.rect(sprite, shade(WOOD, 0.75), (5, 8, 8, 8))
    pygame.draw.rect(sprite, WOOD, (5, 8, 4, 8))
    pygame.draw.polygon(sprite, (86, 88, 104), [(0, 2), (17, 1), (17, 4), (11, 5), (12, 8), (5, 8), (6, 5)])
    pygame.draw.line(sprite, (150, 154, 170), (1, 2), (16, 1))
    return outlined(sprite, LINE)


def logs(_: int) -> Any:
    """Cut wood for the forge."""
    sprite = clear(28, 16)
    for row, (y, count) in enumerate(((9, 4), (3, 3))):
        for i in range(count):
            x = 1 + i * 7 + row * 3
            pygame.draw.circle(sprite, shade(BARK, 0.9), (x + 3, y + 3), 3)
            pygame.draw.circle(sprite, (206, 166, 116), (x + 3, y + 3), 2)
            sprite.set_at((x + 3, y + 3), (150, 112, 78))
    return outlined(sprite, LINE)


def bench(_: int) -> Any:
    """A bench."""
    sprite = clear(22, 11)
    pygame.draw.rect(sprite, shade(WOOD, 0.7), (2, 5, 3, 6))
    pygame.draw.rect(sprite, shade(WOOD, 0.7), (17, 5, 3, 6))
    pygame.draw.rect(sprite, shade(WOOD, 1.1), (0, 1, 22, 3))
    pygame.draw.rect(sprite, shade(WOOD, 0.85), (0, 4, 22, 2))
    return outlined(sprite, LINE)


def rock(variant: int) -> Any:
    """A rock with moss."""
    sprite = clear(16, 11)
    stone: Colour = (132, 126, 134)
    pygame.draw.ellipse(sprite, shade(stone, 0.8), (0, 1, 16, 10))
    pygame.draw.ellipse(sprite, shade(stone, 1.08), (1, 0, 11, 7))
    pygame.draw.ellipse(sprite, (104, 134, 84), (3 + variant * 3, 0, 7, 3))
    return outlined(sprite, LINE)


def signpost(_: int) -> Any:
    """A signpost with two boards."""
    sprite = clear(24, 26)
    pygame.draw.rect(sprite, shade(WOOD, 0.75), (11, 2, 3, 24))
    for y, points in ((4, 1), (11, -1)):
        board = [(3, y), (20, y), (23, y + 2), (20, y + 5), (3, y + 5)]
        if points < 0:
            board = [(23 - x, by) for x, by in board]
        pygame.draw.polygon(sprite, shade(WOOD, 1.15), board)
        pygame.draw.line(sprite, shade(WOOD, 0.6), (7, y + 2), (17, y + 2))
    return outlined(sprite, LINE)


def cat(_: int) -> Any:
    """The inn's cat, asleep on a barrel: the sprite is as high as the barrel it lies on."""
    sprite = clear(14, 23)
    fur: Colour = (208, 140, 82)
    pygame.draw.ellipse(sprite, fur, (0, 2, 12, 7))
    pygame.draw.ellipse(sprite, shade(fur, 1.12), (8, 1, 6, 6))
    sprite.set_at((9, 0), fur)
    sprite.set_at((12, 0), fur)
    pygame.draw.line(sprite, shade(fur, 0.55), (10, 4), (11, 4))
    for x in (3, 5, 7):
        pygame.draw.line(sprite, shade(fur, 0.75), (x, 2), (x, 4))
    pygame.draw.line(sprite, shade(fur, 0.8), (1, 8), (9, 8))
    return outlined(sprite, LINE)
