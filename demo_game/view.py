"""The village on the screen: ground, people and things by depth, then evening light, then three times larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pygame

from demo_game import ground, houses, nature
from demo_game.actors import Walker
from demo_game.light import Air, light_map
from demo_game.people import LOOKS, MOUTHS, sheet
from demo_game.pixels import clear, seeded, surface
from demo_game.world import HEIGHT, WIDTH, Place, World

SCREEN = (1280, 720)
SCALE = 3
VIEW = (426, 240)  # pixels of the world that are seen; 426 * 3 leaves a column of the screen dark on each side
RIPPLES_A_SECOND = 5
BLINK_EVERY = 3.7  # seconds
DRAW = {
    "oak": nature.oak, "pine": nature.pine, "lantern": nature.lantern, "barrel": nature.barrel,
    "crates": nature.crates, "fence": nature.fence, "hay": nature.hay, "cart": nature.cart, "well": nature.well,
    "anvil": nature.anvil, "logs": nature.logs, "bench": nature.bench, "rock": nature.rock,
    "signpost": nature.signpost, "cat": nature.cat, "inn": houses.inn, "smithy": houses.smithy,
    "cottage": houses.cottage,
}  # fmt: skip


@dataclass(slots=True)
class Camera:
    """Where the view looks: its middle in the world, following a place softly."""

    x: float = 408.0
    y: float = 400.0

    def follow(self, place: Place, lower: float, dt: float) -> None:
        """Move towards a view that has `place` in its middle, and `lower` pixels of the world hidden by a panel."""
        # exponential approach with a time constant of 0.22 s, the same at any frame rate
        share = 1 - 2.718281828 ** (-dt / 0.22)
        self.x += (place.x - self.x) * share
        self.y += (place.y - 14 + lower - self.y) * share

    def corner(self) -> tuple[int, int]:
        """The upper left corner of the view in the world, kept inside it."""
        left = min(max(0, round(self.x - VIEW[0] / 2)), WIDTH - VIEW[0])
        top = min(max(0, round(self.y - VIEW[1] / 2)), HEIGHT - VIEW[1])
        return left, top


@dataclass(frozen=True, slots=True)
class _Thing:
    y: int
    left: int
    top: int
    sprite: Any


class View:
    """Draws the village; everything that stands still is painted once, here."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._ground = ground.painted(world)
        sprites: dict[tuple[str, int], Any] = {}
        self._things: list[_Thing] = []
        for prop in world.props:
            key = (prop.kind, prop.variant)
            if key not in sprites:
                sprites[key] = DRAW[prop.kind](prop.variant).convert_alpha()
            w, h = sprites[key].get_size()
            self._things.append(_Thing(prop.y, prop.x - w // 2, prop.y - h + 1, sprites[key]))
        self._sheets = {name: sheet(look) for name, look in LOOKS.items()}
        self._light = light_map(world)
        self._air = Air(world)
        self._canvas = pygame.Surface(VIEW).convert()
        self._dim = _vignette()
        self._shadow = clear(16, 6)
        pygame.draw.ellipse(self._shadow, (20, 14, 36, 110), (0, 0, 16, 6))
        self._bubble = [_bubble(frame) for frame in range(4)]

    def draw(self, screen: Any, walkers: Sequence[Walker], camera: Camera, now: float) -> None:
        """Paint the village as it is at `now` seconds over the whole screen."""
        left, top = camera.corner()
        canvas = self._canvas
        ripple = int(now * RIPPLES_A_SECOND) % ground.FRAMES
        canvas.blit(self._ground[ripple], (0, 0), (left, top, *VIEW))
        seen = [t for t in self._things if t.left < left + VIEW[0] and t.left + t.sprite.get_width() > left
                and t.top < top + VIEW[1] and t.y > top - 4]  # fmt: skip
        for walker in walkers:
            canvas.blit(self._shadow, (walker.at.x - 7 - left, walker.at.y - 4 - top))
        items = [(t.y, t.sprite, t.left, t.top) for t in seen]
        items += [self._person(w, now) for w in walkers]
        items.sort(key=lambda item: item[0])
        canvas.blits([(sprite, (x - left, y - top)) for _, sprite, x, y in items], doreturn=False)
        canvas.blit(self._light, (0, 0), (left, top, *VIEW), special_flags=pygame.BLEND_RGB_MULT)
        self._air.draw(canvas, left, top, now)
        canvas.blit(self._dim, (0, 0), special_flags=pygame.BLEND_RGB_MULT)
        for walker in walkers:
            if walker.talking:
                bubble = self._bubble[int(now * 6) % 4]
                canvas.blit(bubble, (int(walker.at.x) + 5 - left, int(walker.at.y) - 46 - top))
        size = (VIEW[0] * SCALE, VIEW[1] * SCALE)
        pygame.transform.scale(canvas, size, screen.subsurface(((SCREEN[0] - size[0]) // 2, 0, *size)))

    def _person(self, walker: Walker, now: float) -> tuple[int, Any, int, int]:
        opened = min(MOUTHS - 1, int(walker.jaw * 5.0 + 0.35))
        idle = (now + len(walker.name) * 0.71) % BLINK_EVERY < 0.13
        blink = walker.blink > 0.5 if walker.talking else idle
        sprite = self._sheets[walker.look][walker.facing, walker.step, opened, blink]
        w, h = sprite.get_size()
        lift = 1 if walker.jaw > 0.24 else 0  # a small nod on open vowels
        return int(walker.at.y), sprite, round(walker.at.x) - w // 2, round(walker.at.y) - h + 2 - lift


def on_screen(place: Place, camera: Camera) -> tuple[int, int]:
    """Where a place of the world is on the screen, in pixels."""
    left, top = camera.corner()
    return int((place.x - left) * SCALE), int((place.y - top) * SCALE)


def _vignette() -> Any:
    y, x = np.mgrid[-1 : 1 : VIEW[1] * 1j, -1 : 1 : VIEW[0] * 1j]
    fall = np.clip(1.06 - 0.22 * (x * x * 0.8 + y * y * 0.9) ** 1.3, 0.5, 1)
    shade = np.stack([fall * 255, fall * 250, np.clip(fall * 1.04, 0, 1) * 255], -1)
    return surface((shade + seeded("vignette").uniform(-1, 1, shade.shape)).clip(0, 255).astype(np.uint8)).convert()


def _bubble(frame: int) -> Any:
    """A small speech bubble with bars that dance."""
    art = clear(19, 15)
    pygame.draw.rect(art, (40, 30, 46), (0, 0, 19, 12), border_radius=3)
    pygame.draw.polygon(art, (40, 30, 46), [(3, 11), (8, 11), (3, 14)])
    pygame.draw.rect(art, (250, 244, 228), (1, 1, 17, 10), border_radius=2)
    pygame.draw.polygon(art, (250, 244, 228), [(4, 10), (7, 10), (4, 12)])
    for bar, heights in enumerate(((3, 5, 7, 4), (6, 3, 5, 7), (4, 7, 3, 5), (5, 4, 6, 3))):
        tall = heights[frame]
        pygame.draw.rect(art, (176, 92, 66), (3 + bar * 4, 6 - tall // 2, 2, tall))
    return art
