"""A player that follows a script: the walk that is filmed, and that tests take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_game.actors import TALK_REACH
from demo_game.controls import Intent
from demo_game.dialogue import Turn
from demo_game.game import Game
from demo_game.scene import SceneError, toml
from demo_game.world import STANDS, Place

WALK = Path(__file__).parent / "walk.toml"
KEY_S = 0.055  # between typed letters
PATIENCE_S = 90.0  # that a step may take: the longest line of a scene is shorter
ARRIVED = 3.0  # pixels
KINDS: dict[str, type | tuple[type, ...]] = {
    "walk": str, "talk": bool, "hear": bool, "choose": int, "type": str, "wait": (int, float), "leave": bool,
    "shot": str,
}  # fmt: skip


class ScriptError(RuntimeError):
    """A step of a script could not be done: says which, and what was in the way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    number: int
    kind: str
    value: Any

    def __str__(self) -> str:
        return f"step {self.number} ({self.kind} = {self.value!r})"


def read(path: Path = WALK) -> tuple[Step, ...]:
    """The steps in a file; raises `SceneError` that names the file and the step."""
    table = toml(path)
    entries = table.get("step")
    if set(table) != {"step"} or not isinstance(entries, list):
        raise SceneError(f"{path}: holds {', '.join(table) or 'nothing'}, expected tables [[step]]")
    return tuple(_step(number, entry, f"{path}: step {number}") for number, entry in enumerate(entries, 1))


def _step(number: int, entry: Any, where: str) -> Step:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise SceneError(f"{where} is {entry!r}, expected one of {', '.join(KINDS)}")
    (kind, value), = entry.items()  # fmt: skip
    if kind not in KINDS:
        raise SceneError(f"{where}: unknown key {kind!r}, expected one of {', '.join(KINDS)}")
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and KINDS[kind] is not bool):
        raise SceneError(f"{where}: {kind} is {value!r}")
    if kind == "walk" and value not in STANDS:
        raise SceneError(f"{where}: nobody called {value!r} stands in the village; known: {', '.join(STANDS)}")
    return Step(number, kind, value)


class Script:
    """Plays steps on a game: `intent` gives what to press in each frame."""

    def __init__(self, steps: tuple[Step, ...], game: Game) -> None:
        self.step: Step | None = None  # the one being done
        self.done = False
        self.shot = ""  # the name of a picture of the screen that is due
        self._game = game
        self._now = 0.0
        self._play = self._played(steps)

    def intent(self, now: float) -> Intent:
        """What the scripted player wants in the frame at `now`; raises `ScriptError` when a step can't be done."""
        self._now = now
        found = next(self._play, None)
        self.done = found is None
        return found or Intent()

    def _played(self, steps: tuple[Step, ...]) -> Iterator[Intent]:
        for step in steps:
            self.step = step
            since = self._now
            for intent in getattr(self, f"_{step.kind}")(step.value):
                if self._now - since > PATIENCE_S:
                    trouble = " – ".join(t for t in self._game.link.trouble if t)
                    raise ScriptError(f"{step} took more than {PATIENCE_S:g} s {trouble}".rstrip())
                yield intent

    def _shot(self, name: str) -> Iterator[Intent]:
        """Ask for a picture of the screen; who plays the script takes it from `shot`."""
        self.shot = name
        yield Intent()

    def _wait(self, seconds: float) -> Iterator[Intent]:
        end = self._now + seconds
        while self._now < end:
            yield Intent()

    def _walk(self, npc: str) -> Iterator[Intent]:
        game = self._game
        stand = STANDS[npc]
        goal = Place(stand.x + (14 if game.people.player.at.x > stand.x else -14), stand.y + 16)
        yield from self._go(game.world.way(game.people.player.at, goal))
        if game.people.cast[npc].at.distance(game.people.player.at) > TALK_REACH:
            raise ScriptError(f"{self.step}: no way leads there")

    def _go(self, way: tuple[Place, ...]) -> Iterator[Intent]:
        player = self._game.people.player
        for place in way:
            while place.distance(player.at) > ARRIVED:
                before = player.at
                dx, dy = place.x - player.at.x, place.y - player.at.y
                long = max(1.0, (dx * dx + dy * dy) ** 0.5)
                yield Intent(move=(dx / long, dy / long))
                if player.at == before:
                    break
        yield Intent()

    def _talk(self, _: bool) -> Iterator[Intent]:
        while not self._game.link.connected:
            yield Intent()
        yield Intent(confirm=True)
        if self._game.talk is None:
            raise ScriptError(f"{self.step}: nobody is near enough to talk to")

    def _hear(self, _: bool) -> Iterator[Intent]:
        game = self._game
        while game.talk is not None and game.talk.turn is Turn.SPEAKING:
            yield Intent()
        if game.speech is not None and game.speech.error is not None:
            raise ScriptError(f"{self.step}: the engine said: {game.speech.error.text}")

    def _choose(self, number: int) -> Iterator[Intent]:
        talk = self._game.talk
        if talk is None or talk.turn is not Turn.CHOOSING or not 1 <= number <= len(talk.options):
            raise ScriptError(f"{self.step}: there is nothing to choose, or no choice of this number")
        while talk.selected != number - 1:
            yield Intent(select=1)
            yield from self._wait(0.22)
        yield from self._wait(0.3)
        yield Intent(confirm=True)

    def _type(self, text: str) -> Iterator[Intent]:
        yield Intent(write=True)
        yield from self._wait(0.4)
        for letter in text:
            yield Intent(typed=letter)
            yield from self._wait(KEY_S)
        yield from self._wait(0.4)
        yield Intent(confirm=True)

    def _leave(self, _: bool) -> Iterator[Intent]:
        """Walk away until the talk is over."""
        game = self._game
        partner = game.partner
        if partner is None:
            return
        side = 1.0 if game.people.player.at.x >= partner.at.x else -1.0
        while game.talk is not None:
            yield Intent(move=(side * 0.9, 0.43))
        yield from self._wait(0.5)
