"""One client's side of the engine as tables of states: messages in, effects out. No sockets, threads or clocks.

The server carries out the effects in order, and tells the session what the performers have made ready.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from npc_engine import __version__
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_MS, Line
from npc_engine.wire import limits
from npc_engine.wire.checks import check_speak, check_text, check_warm, near
from npc_engine.wire.effects import AddText, Effect, EndText, Prepare, Send, SendList, Start, Stop
from npc_engine.wire.messages import (
    ATTITUDE,
    REQUESTS,
    Accepted,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    Ping,
    Pong,
    Request,
    Speak,
    Warm,
    Warmed,
    Welcome,
    WireError,
)


class State(Enum):
    """Where a line stands."""

    ASKED = "asked"  # its voice and face are being made ready
    SPEAKING = "speaking"
    ENDED = "ended"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Step(Enum):
    """What happens to a line."""

    READY = "ready"  # the performer can begin
    SEND = "send"  # ticks leave
    COMPLETE = "complete"  # the last tick has left
    YIELD = "yield"  # a line that says nothing gives way to its character's next one
    CANCEL = "cancel"  # the game, or the engine's stop, cuts it
    FAIL = "fail"  # the engine can't go on with it


LINE_STATES: Final[dict[tuple[State, Step], State]] = {
    (State.ASKED, Step.READY): State.SPEAKING,
    (State.ASKED, Step.YIELD): State.ENDED,
    (State.ASKED, Step.CANCEL): State.CANCELLED,
    (State.ASKED, Step.FAIL): State.FAILED,
    (State.SPEAKING, Step.SEND): State.SPEAKING,
    (State.SPEAKING, Step.COMPLETE): State.ENDED,
    (State.SPEAKING, Step.YIELD): State.ENDED,
    (State.SPEAKING, Step.CANCEL): State.CANCELLED,
    (State.SPEAKING, Step.FAIL): State.FAILED,
}
"""Every step that a line can take; ended, cancelled and failed have none: nothing of such a line leaves."""


class _Open:
    """The books of a line that is open."""

    __slots__ = ("credit_ms", "open_chars", "rests", "state", "ticks")

    def __init__(self, credit_ms: int, open_chars: int | None, rests: str) -> None:
        self.state = State.ASKED
        self.rests = rests  # the character that says nothing on it; "" for a line that speaks
        self.open_chars = open_chars  # of a text that is still being written; None once it is complete
        self.credit_ms = credit_ms  # granted and not used
        self.ticks = 0  # sent


class Session:
    """What one client may do and has asked for; its lines' ids mean nothing to any other client's session."""

    def __init__(self) -> None:
        self.greeted = False
        self.client = ""
        self._open: dict[str, _Open] = {}
        self._answers: dict[type[Request], Callable[[Any], list[Effect]]] = {
            Hello: self._hello,
            Speak: self._speak,
            Append: self._append,
            Commit: self._commit,
            Credit: self._credit,
            Cancel: self._cancel,
            Warm: self._warm,
            Ping: lambda ping: [Send(Pong(ping.mark))],
            List: lambda _: [SendList()],
        }
        self._warming: set[str] = set()  # ids of `warm` that have not been answered
        self._closed: OrderedDict[str, tuple[State, int]] = OrderedDict()  # id → how it ended, ticks sent

    # ── from the game ─────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, message: Request) -> list[Effect]:
        """What a message of the game brings about; faults of the game come back as `error`, never as an exception."""
        if not self.greeted and not isinstance(message, Hello):
            return self._refuse(WireError(f"{message.kind} before hello", "not-greeted"), message)
        try:
            return self._answers[type(message)](message)
        except WireError as error:
            return self._refuse(error, message)

    def _refuse(self, error: WireError, message: Request) -> list[Effect]:
        name = message.id if isinstance(message, Warm) else ""
        return self.reject(WireError(str(error), error.code, message.line, name))

    def reject(self, error: WireError) -> list[Effect]:
        """The answer to a message that could not be read or carried out; what it names and is open goes on."""
        ends = error.line not in self._open and error.id not in self._warming
        return [Send(ErrorMessage(error.code, str(error)[: limits.NOTE_CHARS], error.line, ends, error.id))]

    def _hello(self, hello: Hello) -> list[Effect]:
        if hello.version != limits.WIRE_VERSION:
            older = "the game's npc_engine client" if hello.version < limits.WIRE_VERSION else "the engine"
            raise WireError(
                f"the game speaks wire version {hello.version}, this engine {limits.WIRE_VERSION}: update {older}",
                "bad-version",
            )
        self.greeted, self.client = True, hello.client
        return [
            Send(
                Welcome(
                    limits.WIRE_VERSION,
                    __version__,
                    EXP50,
                    (*REQUESTS, ATTITUDE),
                    SAMPLE_RATE,
                    TICK_MS,
                    limits.OPEN_LINES,
                    limits.TEXT_CHARS,
                    limits.CREDIT_CAP_MS,
                )
            )
        ]

    def _speak(self, speak: Speak) -> list[Effect]:
        self._check_id(speak.line)
        check_speak(speak)
        npc = speak.npc or speak.voice
        after = next((name for name, books in self._open.items() if books.rests == npc), "")
        self._check_room(silent=bool(speak.attitude), leaves=bool(after))
        self._open[speak.line] = _Open(
            speak.credit_ms, len(speak.text) if speak.open else None, npc if speak.attitude else ""
        )
        line = Line(
            speak.line,
            npc,
            speak.text,
            speak.style,
            speak.emotion,
            speak.outputs,
            speak.priority,
            speak.strength,
            attitude=speak.attitude,
            lasts_ms=speak.lasts_ms,
        )
        start = Start(line, speak.npc, speak.voice, speak.face, speak.open, after)
        return [start, *self._end(after, Step.YIELD)] if after else [start]

    def _check_room(self, *, silent: bool, leaves: bool) -> None:
        """`leaves`: a line that says nothing ends as the new one begins."""
        lines = sum(bool(books.rests) == silent for books in self._open.values()) - (silent and leaves)
        most, what = (limits.IDLE_LINES, " without text") if silent else (limits.OPEN_LINES, "")
        if lines >= most:
            raise WireError(
                f"{lines} lines{what} are open, as many as a client may have: cancel one or wait for its end",
                "too-many-lines",
            )

    def _check_id(self, line: str) -> None:
        if line in self._open:
            raise WireError(f"line {line!r} is open already", "duplicate-line")
        if line in self._closed:
            state, ticks = self._closed[line]
            raise WireError(f"line {line!r} was {state.value} already, after {ticks} ticks", "duplicate-line")

    def _append(self, append: Append) -> list[Effect]:
        line = self._find(append.line)
        if line is None or not append.text:
            return []
        total = self._written(append, line) + len(append.text)
        check_text(total)
        line.open_chars = total
        return [AddText(append.line, append.text)]

    def _commit(self, commit: Commit) -> list[Effect]:
        line = self._find(commit.line)
        if line is None:
            return []
        self._written(commit, line)
        line.open_chars = None
        return [EndText(commit.line)]

    @staticmethod
    def _written(message: Append | Commit, line: _Open) -> int:
        if line.open_chars is None:
            raise WireError(f"{message.kind}: the text of line {message.line!r} is complete", "not-open")
        return line.open_chars

    def _warm(self, warm: Warm) -> list[Effect]:
        if warm.id in self._warming:
            raise WireError(f"warm {warm.id!r} waits for its answer already")
        check_warm(warm)
        if len(self._warming) >= limits.WARMS:
            raise WireError(
                f"{len(self._warming)} warms wait, as many as a client may have: go on when some are answered",
                "too-many-warms",
            )
        self._warming.add(warm.id)
        line = Line(warm.id, warm.npc or warm.voice, warm.text, warm.style, warm.emotion, strength=warm.strength)
        return [Prepare(line, warm.npc, warm.voice)]

    def _credit(self, credit: Credit) -> list[Effect]:
        line = self._find(credit.line)
        if line is not None:
            total = line.credit_ms + credit.ms
            if total > limits.CREDIT_CAP_MS:
                raise WireError(
                    f"credit: {line.credit_ms} ms unused and {credit.ms} more exceed the {limits.CREDIT_CAP_MS} allowed"
                )
            line.credit_ms = total
        return []

    def _cancel(self, cancel: Cancel) -> list[Effect]:
        line = self._find(cancel.line)
        return [] if line is None else self._cut(cancel.line, "the game asked")

    def _cut(self, line: str, reason: str) -> list[Effect]:
        ticks = self._step(line, Step.CANCEL)
        return [Stop(line), Send(Cancelled(line, ticks, reason))]

    def _find(self, line: str) -> _Open | None:
        """The open line; nothing for a finished one, whose end has crossed the message; `WireError` for any other."""
        if line not in self._open and line not in self._closed:
            raise WireError(f"no line {line!r}{near(line, self._open)}", "unknown-line")
        return self._open.get(line)

    # ── from the engine ───────────────────────────────────────────────────────────────────────────────────────

    def ready(self, line: str, rest: bytes | None) -> list[Effect]:
        """The line's voice and face are there; `rest` is the encoded face at rest, if pictures were asked."""
        self._step(line, Step.READY)
        return [Send(Accepted(line, rest))]

    def allowance(self, line: str) -> int:
        """How many ticks of a line the credit covers now."""
        return self._open[line].credit_ms // TICK_MS

    def sent(self, line: str, ticks: int) -> None:
        """Ticks of a line have left; raises `ValueError` beyond its credit."""
        if ticks > self.allowance(line):
            raise ValueError(f"line {line!r}: {ticks} ticks sent, credit covers {self.allowance(line)}")
        self._step(line, Step.SEND)
        self._open[line].credit_ms -= ticks * TICK_MS
        self._open[line].ticks += ticks

    def complete(self, line: str) -> list[Effect]:
        """The last tick of a line has left."""
        return self._end(line, Step.COMPLETE)

    def _end(self, line: str, step: Step) -> list[Effect]:
        ticks = self._step(line, step)
        return [Stop(line), Send(End(line, ticks))]

    def fail(self, line: str, code: str, text: str) -> list[Effect]:
        """The engine can't go on with a line."""
        self._step(line, Step.FAIL)
        return [Stop(line), Send(ErrorMessage(code, text[: limits.NOTE_CHARS], line))]

    def warmed(self, warmed: Warmed) -> list[Effect]:
        """A `warm` has been carried out."""
        self._warming.remove(warmed.id)
        return [Send(warmed)]

    def warm_failed(self, name: str, code: str, text: str) -> list[Effect]:
        """A `warm` can't be carried out."""
        self._warming.remove(name)
        return [Send(ErrorMessage(code, text[: limits.NOTE_CHARS], id=name))]

    def stop(self, reason: str) -> list[Effect]:
        """Cut every open line."""
        return [effect for line in tuple(self._open) for effect in self._cut(line, reason)]

    @property
    def open_lines(self) -> Sequence[str]:
        """Ids of the lines that are asked or speaking, oldest first."""
        return tuple(self._open)

    def _step(self, line: str, step: Step) -> int:
        """Move a line on; the ticks sent so far. Raises `ValueError` for a step that LINE_STATES does not have."""
        books = self._open.get(line)
        state = LINE_STATES.get((books.state, step)) if books else None
        if books is None or state is None:
            where = books.state.value if books else "not open"
            raise ValueError(f"line {line!r} can't {step.value}: it is {where}")
        books.state = state
        if not any(state is begin for begin, _ in LINE_STATES):
            del self._open[line]
            self._closed[line] = (state, books.ticks)
            if len(self._closed) > limits.REMEMBERED_LINES:
                self._closed.popitem(last=False)
        return books.ticks
