"""Mutated messages against decoder, session and playback, in blocks that a seed repeats exactly."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reliability.client_side import ClientSide
from reliability.conversations import Conversations, Said
from reliability.engine_side import EngineSide, check
from reliability.goldens import FINDS, Find, Frames

SLOWEST_S = 1.0  # of this thread's own time for one message; 0.02 on an idle machine, for 256 kB of nested lists
BLOCK = 1_000  # mutated messages of one seed


@dataclass
class Tally:
    """What has been done so far."""

    messages: int = 0  # mutated ones
    others: int = 0  # between them
    errors: int = 0  # that the session answered
    read: int = 0  # replies that could be read
    slowest_ms: float = 0.0
    finds: list[str] = field(default_factory=list)


def replay(find: Find) -> Tally:
    """Hear the messages of a find; raises what it raised when it was found, while that is not mended."""
    tally = Tally()
    _hear_all(find.side, find.messages, find.seed, tally)
    return tally


def fuzz_block(conversations: Conversations, seed: int, block: int, tally: Tally, folder: Path = FINDS) -> None:
    """BLOCK mutated messages, half of them a game's and half an engine's; what goes wrong is kept as a file."""
    rng = random.Random(f"{seed} {block}")
    done = 0
    while done < BLOCK:
        side = "engine" if rng.random() < 0.6 else "client"
        said = list(conversations.of_game(rng) if side == "engine" else conversations.of_engine(rng))
        dice = rng.getrandbits(32)
        try:
            _hear_all(side, [s.frames for s in said], dice, tally)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            tally.finds.append(str(_keep(side, said, dice, error, folder / f"found_{seed}_{block}_{done}.bin")))
        done += sum(s.mutated for s in said)
        tally.others += sum(not s.mutated for s in said)
    tally.messages += done


def _hear_all(side: str, messages: list[Frames], seed: int, tally: Tally) -> None:
    dice = random.Random(seed)
    if side == "engine":
        engine = EngineSide(dice)
        for frames in messages:
            with _timed(tally):
                engine.hear(frames)
            for _ in range(dice.choice((0, 1, 1, 3))):
                engine.act()
        engine.stop()
        tally.errors += engine.answers
    else:
        client = ClientSide(dice)
        for frames in messages:
            with _timed(tally):
                client.hear(frames)
        tally.read += client.read


class _timed:  # noqa: N801 - used like contextlib's own
    """Counts this thread's time; one message that takes SLOWEST_S is a find."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def __enter__(self) -> None:
        self._began = time.thread_time()

    def __exit__(self, kind: object, *_: object) -> None:
        took = time.thread_time() - self._began
        self._tally.slowest_ms = max(self._tally.slowest_ms, 1000 * took)
        if kind is None:
            check(took < SLOWEST_S, f"one message took {took:.2f} s")


def _keep(side: str, said: list[Said], dice: int, error: Exception, path: Path) -> Path:
    """Write the fewest messages that still go wrong in the same way."""
    messages = [s.frames for s in said]
    for fewer in _shorter(messages):
        if _fails_alike(Find("", side, fewer, dice), error):
            messages = fewer
            break
    Find(f"{type(error).__name__}: {error}"[:500], side, messages, dice).write(path)
    return path


def _shorter(messages: list[Frames]) -> Iterator[list[Frames]]:
    """Beginnings of a conversation, the shortest first: dice fall as before, so nothing in front can be left out."""
    return (messages[:count] for count in range(1, len(messages)))


def _fails_alike(find: Find, error: Exception) -> bool:
    try:
        replay(find)
    except Exception as again:  # noqa: BLE001 - compared with the first
        return type(again) is type(error) and str(again) == str(error)
    return False
