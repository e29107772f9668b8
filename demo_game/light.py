"""Evening: light from windows and lanterns, smoke, fireflies and sparks, each a function of the time alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import sin
from typing import Any

import numpy as np
import pygame

from demo_game.houses import smoke_at, wall_lights
from demo_game.pixels import clear, glow, noise, seeded, surface
from demo_game.world import HEIGHT, RIVER, WIDTH, World

EVENING = (190, 160, 186)  # what the sky leaves of colours
WOODS = (132, 120, 172)  # the same under the trees in the north
LAMP = (120, 84, 30)
FORGE = (190, 92, 30)
FLIES = 46


def light_map(world: World) -> Any:
    """What each pixel's colours are multiplied by: dusk, and warm light near lanterns, windows and the forge."""
    fall = np.clip((np.arange(HEIGHT, dtype=np.float32) - 70) / 110, 0, 1)[:, None, None]
    sky = np.array(WOODS, np.float32) * (1 - fall) + np.array(EVENING, np.float32) * fall
    clouds = noise((HEIGHT, WIDTH), 120, seeded("clouds"))[..., None] * 16 - 8
    light = surface(np.clip(np.broadcast_to(sky, (HEIGHT, WIDTH, 3)) + clouds, 0, 255).astype(np.uint8)).convert()
    for prop in world.props:
        for dx, dy, radius in wall_lights(prop.kind):
            colour = FORGE if prop.kind == "smithy" and radius > 50 else LAMP
            light.blit(
                glow(radius, colour, 1.3),
                (prop.x + dx - radius, prop.y + dy - radius),
                special_flags=pygame.BLEND_RGB_ADD,
            )
            if prop.kind == "lantern":  # a second pool where the light meets the ground
                pool = pygame.transform.scale(glow(44, (84, 60, 26), 1.2), (100, 56))
                light.blit(pool, (prop.x - 50, prop.y - 28), special_flags=pygame.BLEND_RGB_ADD)
    return light


@dataclass(frozen=True, slots=True)
class Lamp:
    """A visible source of light: its place in the world and the picture of its halo."""

    x: int
    y: int
    halo: int  # index into Air.halos


class Air:
    """Everything that glows or drifts above the ground."""

    def __init__(self, world: World) -> None:
        self.halos = [glow(30, (96, 66, 24), 2.2), glow(17, (66, 46, 18), 1.8), glow(44, (128, 56, 16), 1.9)]
        self.flickers = [glow(24, (20, 14, 6), 1.8), glow(34, (44, 18, 6), 1.8)]
        self.lamps: list[Lamp] = []
        self.chimneys: list[tuple[int, int]] = []
        for prop in world.props:
            for dx, dy, radius in wall_lights(prop.kind):
                halo = 0 if prop.kind == "lantern" else 2 if radius > 60 else 1
                self.lamps.append(Lamp(prop.x + dx, prop.y + dy, halo))
            at = smoke_at(prop.kind)
            if at:
                self.chimneys.append((prop.x + at[0], prop.y + at[1]))
        self.puffs = [_puff(age / 9) for age in range(10)]
        self.fly = glow(5, (150, 170, 60), 1.6)
        rng = seeded("flies")
        self.flies = [(rng.uniform(20, WIDTH - 20), _over_grass(rng), *rng.uniform(0.4, 1.2, 3), rng.uniform(0, 40))
                      for _ in range(FLIES)]  # fmt: skip

    def draw(self, canvas: Any, left: int, top: int, now: float) -> None:
        """Add halos, smoke, sparks and fireflies to the canvas whose upper left corner is (left, top) in the world."""
        w, h = canvas.get_size()
        for number, lamp in enumerate(self.lamps):
            x, y = lamp.x - left, lamp.y - top
            if -50 < x < w + 50 and -50 < y < h + 50:
                halo = self.halos[lamp.halo]
                canvas.blit(
                    halo, (x - halo.get_width() // 2, y - halo.get_height() // 2), special_flags=pygame.BLEND_RGB_ADD
                )
                unrest = sin(now * 9 + number * 2.1) + sin(now * 15.7 + number)
                if lamp.halo != 1 and unrest > 0.25:
                    more = self.flickers[lamp.halo // 2]
                    canvas.blit(
                        more,
                        (x - more.get_width() // 2, y - more.get_height() // 2),
                        special_flags=pygame.BLEND_RGB_ADD,
                    )
                if lamp.halo == 2:
                    _sparks(canvas, x - 8, y - 12, now)
        for x, y in self.chimneys:
            self._smoke(canvas, x - left, y - top, now)
        for fx, fy, a, b, c, phase in self.flies:
            x = fx + sin(now * a * 0.7 + phase) * 16 + sin(now * b * 1.9 + phase) * 5 - left
            y = fy + sin(now * c + phase * 2) * 9 - top
            if 0 < x < w and 0 < y < h and sin(now * (0.9 + a) + phase * 3) > -0.1:
                canvas.blit(self.fly, (int(x) - 5, int(y) - 5), special_flags=pygame.BLEND_RGB_ADD)
                canvas.set_at((int(x), int(y)), (244, 255, 170))

    def _smoke(self, canvas: Any, x: int, y: int, now: float) -> None:
        w, h = canvas.get_size()
        if not (-60 < x < w + 60 and -20 < y < h + 90):
            return
        for number in range(7):
            age = (now * 0.16 + number / 7) % 1.0
            sway = sin(now * 0.8 + number * 1.9) * 4 * age + age * age * 22
            puff = self.puffs[min(9, int(age * 10))]
            canvas.blit(puff, (int(x + sway) - puff.get_width() // 2, int(y - age * 52) - puff.get_height() // 2))


def _over_grass(rng: np.random.Generator) -> float:
    """A height where fireflies like to be: near the river or over the meadow, in pixels of the world."""
    return float(rng.normal(RIVER[3][1] - 16, 30) if rng.random() < 0.6 else rng.uniform(190, 390))


def _puff(age: float) -> Any:
    radius = 3 + int(age * 7)
    puff = clear(radius * 2 + 2, radius * 2 + 2)
    alpha = int(150 * (1 - age) ** 1.2)
    middle = radius + 1
    pygame.draw.circle(puff, (168, 156, 182, alpha), (middle, middle), radius)
    pygame.draw.circle(puff, (196, 184, 200, alpha), (middle - radius // 3, middle - radius // 3), max(1, radius - 2))
    return puff


def _sparks(canvas: Any, x: int, y: int, now: float) -> None:
    w, h = canvas.get_size()
    for number in range(6):
        age = (now * (0.7 + number * 0.11) + number * 0.37) % 1.0
        sx = int(x + sin(number * 5 + now * 2) * 7 + age * 6 - 3)
        sy = int(y + 6 - age * 26)
        if 0 <= sx < w and 0 <= sy < h and age < 0.8:
            canvas.set_at((sx, sy), (255, int(230 - age * 150), int(120 - age * 110)))
