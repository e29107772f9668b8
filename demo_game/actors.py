"""Who walks in the village: the player, the two who talk, and people who pass by. State only; `view` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from demo_game.people import STEPS, Facing
from demo_game.world import ROUNDS, STANDS, START, Place, World

WALK = 74.0  # pixels a second
STROLL = 26.0
STRIDE = 7.0  # pixels from step to step
TALK_REACH = 30.0  # pixels at which a character can be spoken to
LEAVE_REACH = 46.0  # pixels at which a conversation ends: more, so that one step sideways does not end it
YIELD = 18.0  # pixels at which a passer-by waits for the player


@dataclass(slots=True)
class Walker:
    """Somebody in the village."""

    name: str
    look: str
    at: Place
    facing: Facing = "down"
    walked: float = 0.0  # pixels, which choose the step that is drawn
    moving: bool = False
    jaw: float = 0.0  # how far the mouth is open, 0..1
    blink: float = 0.0  # how far the eyes are closed, 0..1, while talking
    talking: bool = False

    def walk(self, world: World, dx: float, dy: float, pixels: float) -> None:
        """Walk `pixels` in the direction (dx, dy), as far as walls allow; (0, 0) stands still."""
        long = (dx * dx + dy * dy) ** 0.5
        self.moving = False
        if long < 0.2:
            self.walked = 0.0
            return
        self.facing = _facing(dx, dy, self.facing)
        pace = pixels * min(1.0, long) / long
        after = world.step(self.at, dx * pace, dy * pace)
        self.moving = after != self.at
        self.walked += after.distance(self.at)
        self.at = after

    def turn_to(self, place: Place) -> None:
        """Look at a place."""
        self.facing = _facing(place.x - self.at.x, place.y - self.at.y, self.facing)

    @property
    def step(self) -> int:
        """Which of the walk's sprites is due."""
        return int(self.walked / STRIDE + 1) % STEPS if self.moving else 0


def _facing(dx: float, dy: float, now: Facing) -> Facing:
    if abs(dx) < 0.1 and abs(dy) < 0.1:
        return now
    if abs(dx) >= abs(dy) * 0.9:
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


@dataclass(slots=True)
class Passer:
    """Somebody who walks a round and rests at its corners."""

    walker: Walker
    corners: Sequence[Place]
    corner: int = 1
    rest_s: float = 0.0

    def update(self, world: World, player: Place, dt: float) -> None:
        """Go on for `dt` seconds, unless the player is close: then stand and look."""
        walker = self.walker
        if walker.at.distance(player) < YIELD:
            walker.turn_to(player)
            walker.moving = False
            return
        self.rest_s -= dt
        if self.rest_s > 0:
            walker.moving = False
            return
        goal = self.corners[self.corner]
        dx, dy = goal.x - walker.at.x, goal.y - walker.at.y
        before = walker.at
        walker.walk(world, dx, dy, STROLL * dt)
        if goal.distance(walker.at) < 3 or walker.at == before:
            self.corner = (self.corner + 1) % len(self.corners)
            self.rest_s = 1.5 + self.corner


@dataclass(slots=True)
class People:
    """Everybody in the village."""

    player: Walker = field(default_factory=lambda: Walker("you", "player", START, "up"))
    cast: dict[str, Walker] = field(default_factory=lambda: {n: Walker(n, n, p) for n, p in STANDS.items()})
    passers: list[Passer] = field(
        default_factory=lambda: [
            Passer(Walker(look, look, corners[0]), corners)
            for look, corners in zip(("girl", "farmer", "weaver"), ROUNDS, strict=True)
        ]
    )

    def near(self, reach: float = TALK_REACH) -> Walker | None:
        """The character nearest to the player within reach, or nobody."""
        found = min(self.cast.values(), key=lambda w: w.at.distance(self.player.at))
        return found if found.at.distance(self.player.at) <= reach else None

    def everybody(self) -> list[Walker]:
        """All walkers."""
        return [self.player, *self.cast.values(), *(p.walker for p in self.passers)]

    def update(self, world: World, move: tuple[float, float], dt: float) -> None:
        """Let `dt` seconds pass with the player walking in the direction `move`."""
        self.player.walk(world, *move, WALK * dt)
        for passer in self.passers:
            passer.update(world, self.player.at, dt)
