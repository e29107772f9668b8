"""One game of a soak, a process of its own.

It visits its engine in the ways that games do, one after another, at the pace of the sound, and writes what came of
each as a line of JSON. Its lines' ids begin with its name: a reply to another client would show. It is killed whenever
its supervisor likes.
"""

from __future__ import annotations

import json
import os
import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from reliability.served import quick

from npc_engine.client import Client
from npc_engine.moments import TICK_MS, Outputs
from npc_engine.wire.codec import pack_sound
from npc_engine.wire.messages import Cancelled, End, ErrorMessage, Moments, NpcEntry, Npcs, Pong, Reply, Warmed

LINES: Final = Path(__file__).resolve().parents[2] / "tests" / "npc_lines.txt"
AHEAD_MS: Final = 600
PATIENCE_S: Final = 90.0  # for a line, beyond its length, on cores that others use
PICTURE: Final = 128
BUSY: Final = {"too-many-lines", "overloaded", "too-late"}  # refusals that an engine under load may give


def texts() -> list[str]:
    """What is said: lines of the tests, and their halves."""
    whole = [row.strip() for row in LINES.read_text(encoding="utf-8").splitlines() if row.strip()]
    return whole + [row.partition(",")[0] for row in whole if "," in row]


@dataclass
class Said:
    """A line of ours, as far as it has come."""

    npc: str
    text: str
    granted_ms: int
    is_open: bool = False  # cut in clauses, as soon as they are there: it sounds otherwise than the whole text
    brisk: bool = False  # little is granted ahead: it says nothing, or what is just being said
    ticks: int = 0
    since: float = 0.0  # when its first moment came
    asked: float = field(default_factory=time.monotonic)
    sum: int = 0  # CRC-32 of all its sound
    over: str = ""  # end, cancelled or an error's code


class Game:
    """A client, its lines, and what was wrong."""

    def __init__(self, address: str, name: str, seed: str) -> None:
        self.rng = random.Random(seed)
        self.faults: list[str] = []
        self.lines: dict[str, Said] = {}
        self.rests_until = 0.0  # as an engine asks that is busy
        self._address = address
        self._name = name
        self._texts = texts()
        self._count = 0
        self._connections = 0
        self._warms: set[str] = set()
        self._pongs: set[int] = set()
        self.connect()
        self._npcs = quick(self.client.npcs(PATIENCE_S).npcs)

    def connect(self) -> None:
        """Anew, as a game that was started again."""
        self._connections += 1
        self.client = Client(self._address, PATIENCE_S, f"{self._name}.{self._connections}")
        self.lines.clear()
        self._warms.clear()
        self._pongs.clear()

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────

    def speak(self, *, open_text: bool = False, turn: str = "wait", npc: NpcEntry | None = None) -> str:
        """Ask for a line of a character; a third of those with a face want pictures."""
        npc = npc or self.rng.choice(self._npcs)
        text = self.rng.choice(self._texts)
        outputs = Outputs(picture=PICTURE if npc.face and self.rng.random() < 0.3 else 0)
        credit = self.rng.choice((0, 100, AHEAD_MS))
        line = self.client.speak(
            npc.name, "" if open_text else text, line=self._id(), outputs=outputs, credit_ms=credit, open=open_text,
            turn=turn,
        )  # fmt: skip
        self.lines[line] = Said(npc.name, text, credit, open_text)
        return line

    def idle(self, npc: NpcEntry, seconds: float | None = None) -> str:
        """Let a character live without a text."""
        line = self.client.idle(
            npc.name, self.rng.choice(("idle", "listening")), line=self._id(), seconds=seconds,
            picture=PICTURE if npc.face and self.rng.random() < 0.3 else 0, credit_ms=200,
        )  # fmt: skip
        self.lines[line] = Said(npc.name, "", 200, brisk=True)
        return line

    def call(self, rate: int) -> str:
        """Let a character say sound that follows."""
        npc = self.rng.choice(self._npcs)
        line = self.client.live(npc.name, rate=rate, line=self._id(), denoise=self.rng.random() < 0.3)
        self.lines[line] = Said(npc.name, "", AHEAD_MS)
        return line

    def warm(self) -> None:
        """Have something made ready."""
        self._warms.add(self.client.warm(self.rng.choice(self._npcs).name, self.rng.choice(self._texts)))

    def ping(self) -> None:
        """Ask whether somebody is there."""
        mark = self.rng.getrandbits(50)
        self._pongs.add(mark)
        self.client.ping(mark)

    @property
    def npc(self) -> NpcEntry:
        """Some character."""
        return self.rng.choice(self._npcs)

    def _id(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    # ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Hear for a time, or until something has happened, granting credit as the sound goes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            for event in self.client.poll(0.02):
                self._note(event)
            self._grant()

    def finish(self, *lines: str) -> None:
        """Hear lines to their end."""
        end = time.monotonic() + PATIENCE_S
        while any(not self.lines[line].over for line in lines):
            self.play(5.0, until=lambda: all(self.lines[line].over for line in lines))
            if time.monotonic() > end:
                self.faults.append(f"{[line for line in lines if not self.lines[line].over]} did not end")
                return

    def answered(self) -> bool:
        """Whether all that was asked beside lines has been answered."""
        return not self._warms and not self._pongs

    def wait(self) -> None:
        """Until that is so."""
        self.play(PATIENCE_S, until=self.answered)
        if not self.answered():
            self.faults.append(f"no answer to {len(self._warms)} warms and {len(self._pongs)} pings")

    def _grant(self) -> None:
        now = time.monotonic()
        for line, said in self.lines.items():
            if said.over or not (said.ticks or not said.granted_ms):
                continue
            heard = min(1000 * (now - (said.since or now)), TICK_MS * said.ticks)
            due = int(heard + (200 if said.brisk else AHEAD_MS) - said.granted_ms)
            if due >= 2 * TICK_MS:
                self.client.credit(line, due)
                said.granted_ms += due

    def _note(self, event: Reply) -> None:
        if isinstance(event, (Warmed, Pong, Npcs)):
            self._note_answer(event)
            return
        said = self.lines.get(event.line)
        if said is None:
            self.faults.append(f"{self._name} was told of {event.line!r}: {str(event)[:200]}")
        elif said.over:
            self.faults.append(f"{event.kind} of {event.line!r} after {said.over}")
        elif isinstance(event, Moments):
            self._hear(event, said)
        elif isinstance(event, (End, Cancelled)):
            if event.ticks != said.ticks:
                self.faults.append(f"{event.kind} of {event.line!r} says {event.ticks} ticks, {said.ticks} came")
            said.over = event.kind
        elif isinstance(event, ErrorMessage) and event.ends:
            said.over = event.code
            if event.code in BUSY:
                self.rests_until = time.monotonic() + event.wait_ms / 1000
            else:
                self.faults.append(f"{event.line!r}: {event.code}: {event.text}")

    def _hear(self, event: Moments, said: Said) -> None:
        if event.tick != said.ticks:
            self.faults.append(f"tick {event.tick} of {event.line!r}, expected {said.ticks}")
        said.since = said.since or time.monotonic()
        said.ticks = event.tick + event.ticks
        if event.sound is not None:
            said.sum = zlib.crc32(pack_sound(event.sound), said.sum)
        if TICK_MS * said.ticks > said.granted_ms:
            self.faults.append(f"{TICK_MS * said.ticks} ms of {event.line!r} came, granted were {said.granted_ms}")

    def _note_answer(self, event: Warmed | Pong | Npcs) -> None:
        if isinstance(event, Warmed):
            if event.id not in self._warms:
                self.faults.append(f"{self._name} was told of another's warm {event.id!r}")
            self._warms.discard(event.id)
        elif isinstance(event, Pong):
            if event.mark not in self._pongs:
                self.faults.append(f"{self._name} was told another's mark {event.mark}")
            self._pongs.discard(event.mark)

    def told(self, visit: str) -> dict[str, Any]:
        """What came of the lines so far, for the supervisor; they are forgotten."""
        lines = [said for said in self.lines.values() if said.over]
        counts = {what: sum(said.over == what for said in lines) for what in {said.over for said in lines}}
        sums = [
            (f"{said.npc}{' (written)' * said.is_open}: {said.text}", said.ticks, said.sum)
            for said in lines
            if said.over == "end" and said.text
        ]
        result = {
            "visit": visit,
            "counts": counts,
            "ticks": sum(s.ticks for s in lines),
            "sums": sums,
            "faults": self.faults,
        }
        self.lines = {line: said for line, said in self.lines.items() if not said.over}
        self.faults = []
        return result


# ── what games do ─────────────────────────────────────────────────────────────────────────────────────────────────────


def say(game: Game) -> None:
    """One to three characters say something, to the end."""
    game.finish(*(game.speak() for _ in range(game.rng.randint(1, 3))))


def cancel(game: Game) -> None:
    """Somebody is interrupted, now and then before the first word."""
    lines = [game.speak() for _ in range(game.rng.randint(1, 2))]
    game.play(game.rng.choice((0.0, 0.3, 1.0)))
    for line in lines:
        game.client.cancel(line)
    game.finish(*lines)


def replace(game: Game) -> None:
    """A character changes its mind."""
    npc = game.npc
    lines = [game.speak(npc=npc)]
    game.play(game.rng.random())
    lines.append(game.speak(npc=npc, turn="replace"))
    game.finish(*lines)


def queue(game: Game) -> None:
    """A character says one thing after another, and something beside."""
    npc = game.npc
    game.finish(game.speak(npc=npc), game.speak(npc=npc), game.speak(npc=npc, turn="beside"))


def stall(game: Game) -> None:
    """The game stands still for some seconds, and goes on."""
    line = game.speak()
    game.play(game.rng.random())
    time.sleep(game.rng.uniform(1.0, 4.0))
    game.finish(line)


def write(game: Game) -> None:
    """A line is written while it is spoken, a word or a part of one at a time."""
    line = game.speak(open_text=True)
    text = game.lines[line].text
    while text:
        size = game.rng.randint(1, 12)
        game.client.append(line, text[:size])
        text = text[size:]
        game.play(game.rng.uniform(0.0, 0.15))
    game.client.commit(line)
    game.finish(line)


def live(game: Game) -> None:
    """A character waits, listens, and speaks: the first line ends as the second begins."""
    npc = game.npc
    waiting = game.idle(npc)
    game.play(game.rng.uniform(0.5, 2.0))
    game.finish(waiting, game.speak(npc=npc))
    game.finish(game.idle(npc, seconds=game.rng.uniform(0.2, 1.0)))
    cut = game.idle(npc)
    game.play(0.3)
    game.client.cancel(cut)
    game.finish(cut)


def voice_chat(game: Game) -> None:
    """A player talks through a character, for a second or two; a third of them hangs up without a word."""
    rate = game.rng.choice((8_000, 16_000, 24_000, 48_000))
    line = game.call(rate)
    for packet in range(game.rng.randint(20, 100)):
        at = np.arange(packet * rate // 50, (packet + 1) * rate // 50)
        game.client.hear(line, (0.3 * np.sin(2 * np.pi * 180 / rate * at) * np.sin(9 / rate * at)).astype(np.float32))
        game.play(0.02)
    if game.rng.random() < 0.33:
        game.client.cancel(line)
    else:
        game.client.commit(line)
    game.finish(line)


def warm(game: Game) -> None:
    """Speech is made ahead, while somebody speaks."""
    line = game.speak()
    for _ in range(game.rng.randint(1, 3)):
        game.warm()
        game.ping()
    game.wait()
    game.finish(line)


def begin_anew(game: Game) -> None:
    """The game ends in the midst of its lines, properly, and is started again."""
    for _ in range(game.rng.randint(1, 3)):
        game.speak()
    game.idle(game.npc)
    game.play(game.rng.uniform(0.0, 1.0))
    game.client.close()
    game.connect()


def vanish(game: Game) -> None:
    """The game dies in the midst of its lines."""
    for _ in range(game.rng.randint(1, 3)):
        game.speak()
    game.warm()
    game.play(game.rng.uniform(0.0, 1.0))
    os._exit(9)


VISITS: Final = (
    say, say, say, cancel, cancel, replace, queue, stall, write, write, live, live, warm, begin_anew, voice_chat,
)  # fmt: skip


def run(address: str, name: str, visits: int, out: Path) -> None:
    """Visit the engine so many times, then leave or vanish; `out` gets a line of JSON for each visit."""
    with out.open("w", encoding="utf-8", buffering=1) as file:
        try:
            game = Game(address, name, name)
            for _ in range(visits):
                game.play(max(0.0, game.rests_until - time.monotonic()))
                visit = game.rng.choice(VISITS)
                visit(game)
                file.write(json.dumps(game.told(visit.__name__)) + "\n")
            if game.rng.random() < 0.5:
                vanish(game)
            game.client.close()
        except Exception as error:  # noqa: BLE001 - the supervisor is told, whatever it is
            file.write(f"{type(error).__name__}: {error}\n")
