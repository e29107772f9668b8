"""The village as numbers: where everything stands, where water and paths run, and where feet can go. No drawing."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

import numpy as np

from demo_game.pixels import Field, Mask, noise, seeded

WIDTH, HEIGHT = 800, 512  # pixels of the world; one is drawn as three on the screen
FOOT = (5, 3)  # half width and height of the feet that must be free
CELL = 8  # pixels a step when looking for a way

RIVER = ((-20, 420), (120, 412), (260, 432), (400, 424), (520, 436), (660, 420), (820, 430))
RIVER_HALF = 23
BRIDGE = (388, 390, 40, 68)  # x, y, width, height
PLAZA = (408, 300, 66, 38)  # centre and radii
PATHS = (
    ((404, 520), (410, 470), (408, 400), (408, 330)),
    ((408, 300), (330, 292), (270, 272), (216, 254)),
    ((216, 256), (150, 276), (70, 286), (-10, 276)),
    ((408, 300), (500, 292), (560, 280), (606, 266)),
    ((606, 270), (680, 290), (740, 300), (810, 296)),
    ((408, 300), (424, 240), (432, 192)),
)


@dataclass(frozen=True, slots=True)
class Prop:
    """Something that stands in the village; (x, y) is the middle of its lower edge, where it meets the ground."""

    kind: str
    x: int
    y: int
    variant: int = 0


# half width of the ground a prop takes and its depth, in pixels; what is not listed can be walked over
FOOTPRINT = {
    "inn": (77, 34), "smithy": (60, 30), "cottage": (41, 30), "well": (14, 12), "oak": (6, 5), "pine": (5, 4),
    "barrel": (6, 6), "crates": (10, 7), "anvil": (7, 5), "lantern": (3, 3), "cart": (17, 8), "hay": (12, 9),
    "fence": (9, 3), "bench": (10, 5), "rock": (7, 5), "signpost": (3, 3), "logs": (13, 7),
}  # fmt: skip

PROPS = (
    Prop("inn", 214, 240), Prop("smithy", 604, 246),
    Prop("cottage", 436, 178), Prop("cottage", 706, 214, 1), Prop("cottage", 74, 206, 2),
    Prop("well", 408, 304),
    Prop("lantern", 350, 322), Prop("lantern", 466, 322), Prop("lantern", 380, 392), Prop("lantern", 436, 392),
    Prop("lantern", 316, 262), Prop("lantern", 530, 268), Prop("lantern", 120, 292), Prop("lantern", 674, 304),
    Prop("lantern", 380, 474), Prop("lantern", 390, 210),
    Prop("barrel", 152, 248), Prop("barrel", 141, 252), Prop("crates", 280, 250), Prop("bench", 252, 246),
    Prop("cat", 141, 253), Prop("anvil", 634, 266), Prop("logs", 538, 252), Prop("barrel", 668, 254),
    Prop("cart", 500, 342), Prop("hay", 330, 352), Prop("hay", 312, 358, 1), Prop("signpost", 432, 366),
    Prop("bench", 470, 300),
    Prop("rock", 290, 398), Prop("rock", 560, 402, 1), Prop("rock", 700, 396), Prop("rock", 90, 388, 1),
    *(Prop("fence", x, 330) for x in range(120, 230, 18)), *(Prop("fence", x, 384) for x in range(120, 230, 18)),
    Prop("oak", 330, 218), Prop("oak", 524, 216, 1), Prop("oak", 262, 384, 2), Prop("oak", 640, 372, 1),
    Prop("oak", 740, 376), Prop("oak", 50, 366, 1), Prop("oak", 330, 510, 2), Prop("oak", 504, 506),
    Prop("oak", 592, 511, 1), Prop("oak", 176, 508), Prop("oak", 70, 505, 2), Prop("oak", 730, 508, 2),
    Prop("oak", 20, 250, 2), Prop("oak", 784, 258), Prop("pine", 360, 150), Prop("pine", 506, 156, 1),
    Prop("pine", 340, 170, 1), Prop("pine", 620, 150), Prop("pine", 596, 140, 1), Prop("pine", 782, 190),
    Prop("pine", 16, 190, 1), Prop("pine", 130, 150), Prop("pine", 290, 140, 1), Prop("pine", 252, 511),
    Prop("pine", 448, 511, 1), Prop("pine", 664, 504),
)  # fmt: skip


def _wood() -> tuple[Prop, ...]:
    """The wood that closes the village in the north: rows of trees that the noise of the seed moves about."""
    rng = seeded("wood")
    trees = []
    for row, y in enumerate((52, 76, 98, 118)):
        for x in range(8 + (row % 2) * 14, WIDTH, 28):
            jx, jy = int(rng.integers(-7, 8)), int(rng.integers(-6, 7))
            kind = "oak" if rng.random() < 0.22 else "pine"
            trees.append(Prop(kind, x + jx, y + jy, int(rng.integers(0, 3))))
    return tuple(trees)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the village."""

    x: float
    y: float

    def distance(self, other: Place) -> float:
        """Pixels between two places; what is above counts more, since the village is seen at a slant."""
        return float(np.hypot(self.x - other.x, (self.y - other.y) * 1.25))


START = Place(408, 486)
STANDS = {"maren": Place(236, 256), "elder": Place(608, 268)}
ROUNDS = (
    (Place(380, 268), Place(470, 274), Place(466, 340), Place(396, 346)),
    (Place(140, 300), Place(300, 300), Place(352, 280), Place(230, 306)),
    (Place(560, 320), Place(700, 318), Place(660, 292), Place(520, 306)),
)
"""Walks of the people who pass by."""


def _along(points: tuple[tuple[int, int], ...]) -> Field:
    """Distance of every pixel to a line through `points`, f32[HEIGHT, WIDTH]."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    nearest = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        dx, dy = bx - ax, by - ay
        share = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - ax - share * dx, y - ay - share * dy))
    return nearest


@dataclass(frozen=True, slots=True)
class Terrain:
    """What the ground is made of, as distances in pixels: below 0 is inside."""

    river: Field
    path: Field
    plaza: Field

    @staticmethod
    def laid() -> Terrain:
        """The terrain of the village."""
        wobble = noise((HEIGHT, WIDTH), 22, seeded("banks")) * 2 - 1
        fine = noise((HEIGHT, WIDTH), 6, seeded("edges")) * 2 - 1
        river = _along(RIVER) - RIVER_HALF + wobble * 5 + fine * 1.5
        path = np.minimum.reduce([_along(p) for p in PATHS]) - 11 + wobble * 3 + fine * 2.5
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        cx, cy, rx, ry = PLAZA
        plaza = (np.hypot((x - cx) / rx, (y - cy) / ry) - 1) * ry + fine * 1.5
        return Terrain(river, path, plaza)


@dataclass(frozen=True, slots=True)
class World:
    """The village that feet know: `blocked` is true where nobody can stand."""

    terrain: Terrain
    props: tuple[Prop, ...]
    blocked: Mask = field(repr=False)

    @staticmethod
    def built() -> World:
        """The village with its wood, houses and river."""
        terrain = Terrain.laid()
        props = (*_wood(), *PROPS)
        blocked = terrain.river < 1
        bx, by, bw, bh = BRIDGE
        blocked[by : by + bh, bx + 5 : bx + bw - 5] = False
        blocked[by + 4 : by + bh - 4, bx - 1 : bx + 5] = True  # the bridge's rails
        blocked[by + 4 : by + bh - 4, bx + bw - 5 : bx + bw + 1] = True
        for prop in props:
            if prop.kind in FOOTPRINT:
                half, depth = FOOTPRINT[prop.kind]
                blocked[max(0, prop.y - depth) : prop.y, max(0, prop.x - half) : prop.x + half] = True
        blocked[:124] = True  # the wood
        for stand in STANDS.values():
            blocked[int(stand.y) - 4 : int(stand.y) + 1, int(stand.x) - 5 : int(stand.x) + 6] = True
        blocked.setflags(write=False)
        return World(terrain, props, blocked)

    def free(self, x: float, y: float) -> bool:
        """Whether feet fit at (x, y)."""
        half, depth = FOOT
        left, top = int(x) - half, int(y) - depth
        if left < 2 or top < 2 or int(x) + half >= WIDTH - 2 or int(y) >= HEIGHT - 6:
            return False
        return not self.blocked[top : int(y) + 1, left : int(x) + half + 1].any()

    def step(self, at: Place, dx: float, dy: float) -> Place:
        """Where a step of (dx, dy) pixels leads: along a wall when one is in the way."""
        x = at.x + dx if self.free(at.x + dx, at.y) else at.x
        y = at.y + dy if self.free(x, at.y + dy) else at.y
        return Place(x, y)

    def way(self, start: Place, goal: Place) -> tuple[Place, ...]:
        """Places to walk through from start to goal, or as near to it as feet get (A* over cells of 8 pixels)."""
        target = (round(goal.x / CELL), round(goal.y / CELL))
        first = (round(start.x / CELL), round(start.y / CELL))
        came: dict[tuple[int, int], tuple[int, int] | None] = {first: None}
        cost = {first: 0.0}
        near = (self._left(first, target), first)
        edge = [(near[0], first)]
        while edge:
            _, cell = heapq.heappop(edge)
            if self._left(cell, target) < near[0]:
                near = (self._left(cell, target), cell)
            if cell == target:
                break
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                step = (cell[0] + dx, cell[1] + dy)
                price = cost[cell] + (1.0 if 0 in (dx, dy) else 1.42)
                if self.free(step[0] * CELL, step[1] * CELL) and price < cost.get(step, np.inf):
                    came[step], cost[step] = cell, price
                    heapq.heappush(edge, (price + self._left(step, target), step))
        back, last = [], near[1]
        while came[last] is not None:
            back.append(Place(last[0] * CELL, last[1] * CELL))
            last = came[last] or first
        return tuple(reversed(back))

    @staticmethod
    def _left(cell: tuple[int, int], target: tuple[int, int]) -> float:
        return float(np.hypot(cell[0] - target[0], cell[1] - target[1]))
