"""Conversations of a game, or of an engine, in which messages are mutated, repeated and out of order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np
from reliability.goldens import Frames, Golden, goldens
from reliability.mutate import mutated

from npc_engine.moments import EXP50, TICK_SAMPLES, Word
from npc_engine.wire.codec import encode
from npc_engine.wire.messages import (
    Accepted,
    Cancelled,
    End,
    ErrorMessage,
    Hello,
    MarkAt,
    Moments,
    Pong,
    Warmed,
    Words,
)

LINES: Final = ("a", "b", "c", "d")  # few, so that messages meet lines that are open, and lines that are over
MUTATED: Final = 0.6  # of the messages


@dataclass(frozen=True)
class Said:
    """A message of a conversation; `mutated` are those that count."""

    frames: Frames
    mutated: bool


class Conversations:
    """Draws conversations from the golden messages; `npcs` are put in the place of the characters that they name."""

    def __init__(self, npcs: tuple[str, ...] = ()) -> None:
        messages = goldens()
        self._all = messages
        self._game = [m for m in messages if m.sender == "game"]
        self._good = [m for m in self._game if m.reads]
        self._engine = [m for m in messages if m.sender == "engine"]
        self._npcs = npcs

    def of_game(self, rng: random.Random) -> Iterator[Said]:
        """A hello, mostly a good one, and up to 40 messages about four lines."""
        hello = encode(Hello(1, "fuzz"))
        if rng.random() < 0.15:
            yield Said(mutated(hello, self._any(rng), rng), mutated=True)
        if rng.random() < 0.97:
            yield Said(hello, mutated=False)
        last: Frames = hello
        for _ in range(rng.randint(3, 40)):
            if rng.random() < 0.08:
                yield Said(last, mutated=True)  # again: a sequence that no client sends
                continue
            golden = rng.choice(self._good if rng.random() < 0.7 else self._all)
            last = self._named(golden, rng)
            changed = rng.random() < MUTATED
            if changed:
                last = mutated(last, self._any(rng), rng)
            yield Said(last, changed)

    def of_engine(self, rng: random.Random) -> Iterator[Said]:
        """A line or two from accepted to end, with other messages between."""
        for _ in range(rng.randint(1, 2)):
            for frames in self._line(rng.choice(LINES), rng):
                whole = self._named(rng.choice(self._engine), rng) if rng.random() < 0.15 else frames
                changed = rng.random() < MUTATED
                yield Said(mutated(whole, self._any(rng), rng) if changed else whole, changed)

    def _any(self, rng: random.Random) -> Frames:
        return rng.choice(self._all).frames

    def _named(self, golden: Golden, rng: random.Random) -> Frames:
        """A golden message about one of our lines; one whose header can't be read stays as it is."""
        if not golden.reads or not golden.frames:
            return golden.frames
        table: dict[Any, Any] = msgpack.unpackb(golden.frames[0], strict_map_key=False)
        for key, names in (("line", LINES), ("id", ("w1", "w2")), ("npc", self._npcs)):
            if names and key in table and rng.random() < 0.95:
                table[key] = rng.choice(names)
        if self._npcs and rng.random() < 0.9:  # the real ones bring voices and faces of their own
            table.pop("voice", None)
            table.pop("face", None)
            outputs = table.get("outputs")
            if isinstance(outputs, dict) and isinstance(outputs.get("picture"), int) and rng.random() < 0.98:
                outputs["picture"] = min(outputs["picture"], 64)  # a thousand times quicker than 2048
        return [msgpack.packb(table), *golden.frames[1:]]

    @staticmethod
    def _line(line: str, rng: random.Random) -> Iterator[Frames]:
        yield encode(Accepted(line, rng.choice((None, b"\xff\xd8picture"))))
        tick = 0
        for _ in range(rng.randint(0, 12)):
            ticks = rng.randint(1, 2)
            at = tick * TICK_SAMPLES
            if rng.random() < 0.4:
                yield encode(Words(line, (Word("word", at, at + 4_800, 0, 4),)))
            if rng.random() < 0.1:
                yield encode(MarkAt(line, "bell", tick))
            shown = rng.random() < 0.5
            yield encode(
                Moments(
                    line,
                    tick,
                    ticks,
                    tick if shown else None,
                    np.zeros(ticks * TICK_SAMPLES, np.float32),
                    np.full((ticks, len(EXP50)), 0.25, np.float32),
                    b"\xff\xd8picture" if shown else None,
                )
            )
            tick += ticks
        yield rng.choice(
            (
                encode(End(line, tick)),
                encode(Cancelled(line, tick, "the game asked")),
                encode(ErrorMessage("internal", "a fault", line)),
                encode(Pong(7)),
                encode(Warmed("w1", "elder", "", 14, 1500)),
            )
        )
