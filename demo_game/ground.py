"""The ground of the village: grass, earth, cobbles, river and bridge, painted once when the game starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pygame

from demo_game.pixels import Colour, Mask, noise, ramp, seeded, shade, surface
from demo_game.world import BRIDGE, HEIGHT, WIDTH, Prop, Terrain, World

GRASS: list[Colour] = [(58, 94, 62), (70, 110, 66), (84, 126, 70), (98, 140, 76), (116, 154, 84)]
EARTH: list[Colour] = [(126, 96, 74), (146, 112, 82), (164, 130, 94), (180, 148, 108)]
STONE: list[Colour] = [(112, 106, 112), (130, 122, 124), (148, 140, 138), (166, 158, 152)]
WATER: list[Colour] = [(38, 70, 104), (46, 84, 118), (56, 98, 132), (70, 116, 146)]
FOAM: Colour = (176, 206, 208)
BANK: Colour = (92, 70, 60)
FRAMES = 6  # of the river's ripples
SHAPE = (HEIGHT, WIDTH)

Pixels3 = npt.NDArray[np.uint8]


def _cobbles() -> Pixels3:
    """A field of rounded stones, u8[h, w, 3]: the nearest of jittered points, dark where two are equally near."""
    rng, cell = seeded("cobbles"), 9
    gy, gx = np.mgrid[-1 : HEIGHT // 7 + 2, -1 : WIDTH // cell + 2]
    cx = gx * cell + (gy % 2) * (cell / 2) + rng.uniform(-1.6, 1.6, gx.shape)
    cy = gy * 7 + rng.uniform(-1.2, 1.2, gx.shape)
    tone = rng.random(gx.shape)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    row, column = (y // 7).astype(int) + 1, (x // cell).astype(int) + 1
    first, second = np.full(SHAPE, np.inf), np.full(SHAPE, np.inf)
    shade_of, above = np.zeros(SHAPE), np.zeros(SHAPE)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = np.clip(row + dy, 0, gx.shape[0] - 1), np.clip(column + dx, 0, gx.shape[1] - 1)
            distance = np.hypot(x - cx[r, c], (y - cy[r, c]) * 1.25)
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            shade_of, above = np.where(closer, tone[r, c], shade_of), np.where(closer, y - cy[r, c], above)
            first = np.where(closer, distance, first)
    values = np.clip(shade_of * 0.55 + 0.22 - above * 0.06, 0, 0.99).astype(np.float32)
    stones = ramp(values, STONE, 0.15)
    stones[second - first < 1.3] = (88, 82, 92)
    return stones


def _tufts(canvas: Pixels3, allowed: Mask) -> None:
    rng = seeded("tufts")
    for _ in range(2600):
        x, y = int(rng.integers(2, WIDTH - 3)), int(rng.integers(4, HEIGHT - 2))
        if not allowed[y - 3 : y + 1, x - 2 : x + 3].all():
            continue
        light, dark = GRASS[int(rng.integers(3, 5))], GRASS[int(rng.integers(0, 2))]
        match int(rng.integers(0, 3)):
            case 0:
                canvas[y, x - 1], canvas[y - 1, x - 1], canvas[y, x + 1], canvas[y - 2, x + 1] = (
                    dark,
                    light,
                    dark,
                    light,
                )
            case 1:
                canvas[y, x], canvas[y - 1, x], canvas[y - 1, x + 1] = dark, light, light
            case _:
                canvas[y, x - 1 : x + 2], canvas[y - 1, x - 1], canvas[y - 1, x + 1] = dark, light, light
                canvas[y - 2, x] = light


def _flowers(canvas: Pixels3, allowed: Mask) -> None:
    rng = seeded("flowers")
    colours: list[Colour] = [(236, 214, 120), (230, 150, 150), (206, 180, 236), (240, 236, 226)]
    for _ in range(70):
        cx, cy = int(rng.integers(12, WIDTH - 12)), int(rng.integers(126, HEIGHT - 12))
        colour = colours[int(rng.integers(0, len(colours)))]
        for _ in range(int(rng.integers(3, 8))):
            x, y = cx + int(rng.normal(0, 6)), cy + int(rng.normal(0, 4))
            if 2 <= x < WIDTH - 2 and 4 <= y < HEIGHT - 2 and allowed[y - 3 : y + 2, x - 2 : x + 3].all():
                canvas[y + 1, x] = GRASS[0]
                canvas[y, x - 1], canvas[y, x + 1], canvas[y - 1, x] = colour, colour, colour
                canvas[y, x] = shade(colour, 0.8)


def _river(canvas: Pixels3, depth: npt.NDArray[np.float32], phase: int) -> None:
    """Paint water where `depth` is below 0; ripples travel one pattern in FRAMES frames. Both are cut to the river."""
    wet = depth < 0
    turn = phase / FRAMES * 2 * np.pi
    y, x = np.mgrid[0 : len(depth), 0:WIDTH].astype(np.float32)
    drift = noise((len(depth), WIDTH), 34, seeded("drift")) * 9
    waves = np.sin(x * 0.075 + drift + turn) * 0.5 + np.sin(y * 0.55 - x * 0.03 + drift * 2 - turn) * 0.5
    deep = np.clip(-depth / 26, 0, 1)
    values = np.clip(0.62 - deep * 0.45 + waves * 0.14, 0, 0.99).astype(np.float32)
    canvas[wet] = ramp(values, WATER, 0.7)[wet]
    glints = wet & (np.sin(y * 1.25 + drift * 3) > 0.93) & (np.sin(x * 0.11 - drift * 2 + turn) > 0.8) & (deep > 0.12)
    canvas[glints] = (120, 162, 178)
    rim = (depth >= -2.2 - np.sin(x * 0.2 + turn) * 0.8) & wet
    canvas[rim] = (98, 142, 160)
    # the near bank hides the water's edge, the far one shows its earth
    for rise in (6, 5, 4, 3, 2, 1):
        earth = np.zeros(wet.shape, bool)
        earth[rise:] = depth[:-rise] >= 0
        canvas[earth & wet] = FOAM if rise == 6 else shade(BANK, 1.2 - rise * 0.12)


def _bridge(canvas: Any) -> None:
    x, y, w, h = BRIDGE
    wood: Colour = (142, 104, 72)
    pygame.draw.rect(canvas, (30, 50, 80), (x + w, y + 16, 6, h - 22))
    rng = seeded("bridge")
    for top in range(y, y + h, 5):
        tone = shade(wood, float(rng.uniform(0.86, 1.12)))
        pygame.draw.rect(canvas, tone, (x, top, w, 4))
        pygame.draw.line(canvas, shade(tone, 1.14), (x, top), (x + w - 1, top))
        pygame.draw.line(canvas, shade(wood, 0.55), (x, top + 4), (x + w - 1, top + 4))
        for nail in (x + 6, x + w - 7):
            canvas.set_at((nail, top + 2), shade(wood, 0.6))
        if rng.random() < 0.5:
            gap = int(rng.integers(x + 9, x + w - 12))
            pygame.draw.line(canvas, shade(tone, 0.86), (gap, top + 2), (gap + 6, top + 2))
    for side in (x, x + w - 4):
        pygame.draw.rect(canvas, shade(wood, 0.62), (side, y - 6, 4, h + 4))
        pygame.draw.rect(canvas, shade(wood, 1.05), (side, y - 9, 4, h))
        pygame.draw.line(canvas, shade(wood, 1.25), (side, y - 9), (side, y + h - 10))
        for post in range(y - 8, y + h, 15):
            pygame.draw.rect(canvas, shade(wood, 0.5), (side - 1, post + 4, 6, 7))
            pygame.draw.rect(canvas, shade(wood, 1.18), (side - 1, post - 2, 6, 6))


def _patch(canvas: Any) -> None:
    """The vegetable patch between the fences."""
    earth: Colour = (104, 76, 62)
    rng = seeded("patch")
    for row, y in enumerate(range(336, 376, 9)):
        pygame.draw.rect(canvas, shade(earth, 0.88), (118, y + 3, 100, 4))
        pygame.draw.rect(canvas, earth, (118, y, 100, 4))
        pygame.draw.line(canvas, shade(earth, 1.2), (118, y), (217, y))
        for x in range(122, 216, 8):
            green: Colour = ((104, 150, 80), (130, 170, 96), (88, 132, 84))[row % 3]
            jx = x + int(rng.integers(-1, 2))
            pygame.draw.line(canvas, shade(green, 0.7), (jx - 2, y), (jx + 2, y))
            pygame.draw.line(canvas, green, (jx - 2, y - 2), (jx + 2, y - 2))
            pygame.draw.line(canvas, shade(green, 1.2), (jx - 1, y - 4), (jx + 1, y - 3))
            if row == 1:
                pygame.draw.rect(canvas, (214, 128, 66), (jx - 2, y - 3, 4, 3))
                canvas.set_at((jx - 1, y - 3), (240, 168, 100))


def _shadow(canvas: Any, prop: Prop) -> None:
    """The long shadow that evening light throws to the lower right."""
    long = {"inn": (78, 34), "smithy": (61, 28), "cottage": (42, 26), "oak": (15, 9), "pine": (9, 6), "well": (14, 7),
            "hay": (12, 6), "cart": (17, 6), "crates": (10, 5), "barrel": (6, 4), "fence": (9, 3), "rock": (7, 4),
            "bench": (10, 4), "logs": (13, 5), "anvil": (7, 3), "lantern": (3, 3), "signpost": (3, 3)}  # fmt: skip
    if prop.kind not in long:
        return
    half, drop = long[prop.kind]
    if prop.kind in {"inn", "smithy", "cottage"}:
        left, right, low = prop.x - half, prop.x + half, prop.y
        points = [(left, low - 4), (right, low - drop), (right + drop, low - drop + 12),
                  (right + drop - 8, low + 7), (left + 10, low + 7)]  # fmt: skip
        pygame.draw.polygon(canvas, (0, 0, 0), points)
    else:
        pygame.draw.ellipse(canvas, (0, 0, 0), (prop.x - half, prop.y - drop, half * 2 + drop + 2, drop * 2))


def painted(world: World) -> list[Any]:
    """The ground as FRAMES surfaces of the whole world, which differ in the river's ripples."""
    land: Terrain = world.terrain
    lie = noise(SHAPE, 60, seeded("meadow")) * 0.55 + noise(SHAPE, 13, seeded("blades")) * 0.45
    canvas = ramp(np.clip(lie * 1.1 - 0.02, 0, 0.99).astype(np.float32), GRASS[:4], 0.9)
    fine = noise(SHAPE, 5, seeded("soil")) * 0.5 + noise(SHAPE, 24, seeded("tracks")) * 0.5
    earth = ramp(fine, EARTH, 0.6)
    path = (land.path < 0) & (land.river > 3)
    canvas[(land.path < 2.5) & (land.river > 3)] = (92, 104, 66)
    canvas[path] = earth[path]
    canvas[(land.path < 0) & (land.path > -2) & path] = shade(EARTH[0], 0.92)
    round_plaza = land.plaza < 0
    canvas[(land.plaza < 3) & (land.path > -6)] = shade(EARTH[1], 0.9)
    canvas[round_plaza] = _cobbles()[round_plaza]
    grassy = (land.path > 4) & (land.plaza > 5) & (land.river > 4)
    _tufts(canvas, grassy)
    _flowers(canvas, grassy)
    reeds = (land.river > 0) & (land.river < 3.5) & (noise(SHAPE, 7, seeded("reeds")) > 0.5)
    canvas[reeds] = GRASS[1]
    shadows = pygame.Surface((WIDTH, HEIGHT))
    shadows.fill((255, 255, 255))
    for prop in world.props:
        _shadow(shadows, prop)
    dark = pygame.surfarray.array_red(shadows).T == 0
    rows = np.flatnonzero((land.river < 0).any(1))
    top, low = int(rows[0]) - 8, int(rows[-1]) + 8
    frames = []
    for phase in range(FRAMES):
        frame = canvas.copy()
        _river(frame[top:low], land.river[top:low], phase)
        frame[dark] = (frame[dark] * np.array([0.62, 0.62, 0.74])).astype(np.uint8)
        picture = surface(frame).convert()
        _bridge(picture)
        _patch(picture)
        frames.append(picture)
    return frames
