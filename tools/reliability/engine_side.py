"""Decoder and session of the engine against whatever a game sends, with the rest of the engine simulated by dice.

What must hold whatever comes is checked after every message; `Broken` tells what did not.
"""

from __future__ import annotations

import random
from typing import Final

from reliability.goldens import Frames

from npc_engine.moments import Word
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.effects import AddSound, AddText, Effect, EndText, Prepare, Send, Start, Stop
from npc_engine.wire.messages import (
    ERROR_CODES,
    Accepted,
    Cancelled,
    End,
    ErrorMessage,
    Request,
    Speak,
    Warmed,
    WireError,
)
from npc_engine.wire.session import Session

TICK_MS: Final = 20
TICK_SAMPLES: Final = 480
FIRST_KINDS: Final = {"moment", "words", "mark"}  # what only an open line has


class Broken(AssertionError):  # noqa: N818 - what it is
    """A promise of the engine that was not kept."""


def check(holds: bool, text: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(text)


class _Line:
    """What the simulated engine knows of a line that it performs."""

    def __init__(self, start: Start) -> None:
        self.takes = AddSound if start.live else AddText if start.open else None  # what may follow
        self.text = start.line.text
        self.ready = False
        self.ticks = 0
        self.words = 0


class EngineSide:
    """A session and the books of what it said and did; `dice` decide what performers do between two messages."""

    def __init__(self, dice: random.Random) -> None:
        self.session = Session()
        self.answers = 0  # errors said
        self._dice = dice
        self._lines: dict[str, _Line] = {}
        self._over: dict[str, int] = {}  # lines that are over, and their ticks
        self._told: set[str] = set()  # of which lines it was said that they are over
        self._warms: set[str] = set()

    # ── from the game ─────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, frames: Frames) -> None:
        """Read a message as the server does and carry out what the session says."""
        request: Request | None = None
        try:
            request = decode_request(frames)
            effects = self.session.receive(request)
        except WireError as error:
            check(error.code in ERROR_CODES, f"code {error.code!r}")
            effects = self.session.reject(error)
            check(all(isinstance(effect, Send) for effect in effects), "a refused message had an effect")
        errors = [e for e in effects if isinstance(e, Send) and isinstance(e.message, ErrorMessage)]
        self.answers += len(errors)
        check(len(errors) <= 1, f"{len(errors)} errors for one message")
        if errors:
            check(len(effects) == 1 or isinstance(request, Speak), f"an error beside {effects}")
        self._carry_out(effects, request)
        self._balance()

    def _carry_out(self, effects: list[Effect], request: Request | None) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._said(effect, request)
            elif isinstance(effect, Start):
                name = effect.line.id
                check(name not in self._lines, f"line {name!r} begins while it is open")
                check(name not in self._over, f"line {name!r} begins again")
                check(
                    not effect.after or effect.after in self._lines, f"it follows {effect.after!r}, which is not open"
                )
                self._lines[name] = _Line(effect)
            elif isinstance(effect, (AddText, AddSound, EndText)):
                self._add(effect)
            elif isinstance(effect, Stop):
                check(effect.line in self._lines, f"line {effect.line!r} is stopped, which nobody performs")
                self._over[effect.line] = self._lines.pop(effect.line).ticks
            elif isinstance(effect, Prepare):
                check(effect.line.id not in self._warms, "a warm of an id that waits")
                self._warms.add(effect.line.id)

    def _add(self, effect: AddText | AddSound | EndText) -> None:
        line = self._lines.get(effect.line)
        if line is None:
            raise Broken(f"more of line {effect.line!r}, which nobody performs")
        if isinstance(effect, EndText):
            check(line.takes is not None, f"line {effect.line!r} ends twice")
            line.takes = None
        else:
            check(type(effect) is line.takes, f"{type(effect).__name__} for line {effect.line!r}, which takes none")
        if isinstance(effect, AddText):
            line.text += effect.text

    def _said(self, send: Send, request: Request | None) -> None:
        message = send.message
        frames = encode(message)
        again = decode_reply(frames)
        check(encode(again) == frames, f"{message.kind} is not read as it was written")
        line = message.line
        repeats = isinstance(request, Speak) and request.line == line and line in self._over
        if isinstance(message, (End, Cancelled)):
            check(line in self._over or line not in self._lines, f"{message.kind} of line {line!r}, which goes on")
            check(line in self._over, f"{message.kind} of line {line!r}, which never began")
            check(message.ticks == self._over[line], f"{message.kind} says {message.ticks}, {self._over[line]} went")
            check(line not in self._told or repeats, f"{message.kind} of line {line!r} twice")
            self._told.add(line)
        elif isinstance(message, Accepted):
            check(line in self._lines or repeats, f"accepted, of line {line!r}, which is not open")
        elif isinstance(message, ErrorMessage):
            check(message.code in ERROR_CODES, f"code {message.code!r}")
            check(bool(message.text), "an error without words")
            check(not (message.ends and line in self._lines), f"an error says that {line!r} ends, which goes on")
        else:
            check(message.kind not in FIRST_KINDS, f"the session itself said {message.kind}")

    def _balance(self) -> None:
        names = self.session.open_lines
        check(set(names) == set(self._lines), f"the session has {names}, the engine performs {list(self._lines)}")
        check(len(names) <= limits.OPEN_LINES + limits.IDLE_LINES, f"{len(names)} lines are open")
        check(len(self._warms) <= limits.WARMS, f"{len(self._warms)} warms wait")
        for name in names:
            ticks = self.session.allowance(name)
            check(0 <= ticks <= limits.CREDIT_CAP_MS // TICK_MS, f"{ticks} ticks may go of {name!r}")

    # ── from the engine ───────────────────────────────────────────────────────────────────────────────────────────

    def act(self) -> None:
        """One thing that a performer or the warmer might do now."""
        if self._warms and self._dice.random() < 0.3:
            name = self._dice.choice(sorted(self._warms))
            self._warms.remove(name)
            if self._dice.random() < 0.8:
                self._carry_out(self.session.warmed(Warmed(name, "elder", "", 5, 100)), None)
            else:
                self._carry_out(self.session.warm_failed(name, "bad-text", "x" * 3_000), None)
        if self._lines:
            self._perform(self._dice.choice(sorted(self._lines)))
        self._balance()

    def _perform(self, name: str) -> None:
        line = self._lines[name]
        way = self._dice.random()
        if not line.ready and way < 0.8:
            line.ready = True
            self._carry_out(self.session.ready(name, self._dice.choice((None, b"\xff\xd8rest"))), None)
        elif not line.ready or way < 0.04:
            self._carry_out(self.session.fail(name, "internal", "x" * 3_000), None)
        elif not self.session.speaking(name):
            check(self.session.allowance(name) == 0, f"line {name!r} may be sent before its turn")
        elif way < 0.12:
            self._carry_out(self.session.complete(name), None)
        else:
            self._send(name, line)

    def _send(self, name: str, line: _Line) -> None:
        may = self.session.allowance(name)
        try:
            self.session.sent(name, may + 1)
        except ValueError:
            check(self.session.allowance(name) == may, "a refused send cost credit")
        else:
            raise Broken(f"{may + 1} ticks went of {name!r}, credit covers {may}")
        if may:
            count = self._dice.randint(1, may)
            self.session.sent(name, count, self._words(line))
            line.ticks += count
            check(self.session.allowance(name) == may - count, "the books of credit are wrong")

    @staticmethod
    def _words(line: _Line) -> list[Word]:
        """The next word of the line's text, as if it began in the tick that goes now."""
        spoken = line.text.split()
        if line.words >= len(spoken):
            return []
        first = len(" ".join(spoken[: line.words]))
        line.words += 1
        at = line.ticks * TICK_SAMPLES
        last = min(first + 1 + len(spoken[line.words - 1]), len(line.text))
        return [Word(spoken[line.words - 1], at, at + 4_800, first, last)]

    def stop(self) -> None:
        """The engine stops: every line that is open is cut, with the ticks that went, and nothing else is."""
        before = {name: line.ticks for name, line in self._lines.items()}
        effects = self.session.stop("the engine is stopping")
        self._carry_out(effects, None)
        cut = {
            e.message.line: e.message.ticks for e in effects if isinstance(e, Send) and e.message.kind == "cancelled"
        }
        check(cut == before, f"stopped {cut}, open were {before}")
        check(not self.session.open_lines, "lines are open after the stop")
