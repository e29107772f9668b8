"""One client's side of the engine as tables of states: messages in, effects out. No sockets, threads or clocks.

The server carries out the effects in order, and tells the session what the performers have made ready.
"""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from npc_engine import __version__
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_MS, Line
from npc_engine.wire import limits
from npc_engine.wire.messages import (
    EMOTIONS,
    REQUESTS,
    STYLES,
    Accepted,
    Cancel,
    Cancelled,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    Ping,
    Pong,
    Reply,
    Request,
    Speak,
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
    CANCEL = "cancel"  # the game, or the engine's stop, cuts it
    FAIL = "fail"  # the engine can't go on with it


LINE_STATES: Final[dict[tuple[State, Step], State]] = {
    (State.ASKED, Step.READY): State.SPEAKING,
    (State.ASKED, Step.CANCEL): State.CANCELLED,
    (State.ASKED, Step.FAIL): State.FAILED,
    (State.SPEAKING, Step.SEND): State.SPEAKING,
    (State.SPEAKING, Step.COMPLETE): State.ENDED,
    (State.SPEAKING, Step.CANCEL): State.CANCELLED,
    (State.SPEAKING, Step.FAIL): State.FAILED,
}
"""Every step that a line can take; ended, cancelled and failed have none: nothing of such a line leaves."""


@dataclass(frozen=True, slots=True)
class Send:
    """A message for this client."""

    message: Reply


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to perform a line; `voice` and `face` replace those of `npc` where they are not ""."""

    line: Line
    npc: str
    voice: str
    face: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop performing a line, and drop what is ready of it."""

    line: str


@dataclass(frozen=True, slots=True)
class SendList:
    """Answer with `npcs`."""


Effect: TypeAlias = Send | Start | Stop | SendList


class _Open:
    """The books of a line that is open."""

    __slots__ = ("credit_ms", "state", "ticks")

    def __init__(self, credit_ms: int) -> None:
        self.state = State.ASKED
        self.credit_ms = credit_ms  # granted and not used
        self.ticks = 0  # sent


class Session:
    """What one client may do and has asked for; its lines' ids mean nothing to any other client's session."""

    def __init__(self) -> None:
        self.greeted = False
        self.client = ""
        self._open: dict[str, _Open] = {}
        self._closed: OrderedDict[str, tuple[State, int]] = OrderedDict()  # id → how it ended, ticks sent

    # ── from the game ─────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, message: Request) -> list[Effect]:
        """What a message of the game brings about; faults of the game come back as `error`, never as an exception."""
        if not self.greeted and not isinstance(message, Hello):
            return self.reject(WireError(f"{message.kind} before hello", "not-greeted"), message.line)
        try:
            return self._answer(message)
        except WireError as error:
            return self.reject(error, message.line)

    def reject(self, error: WireError, line: str = "") -> list[Effect]:
        """The answer to a message that could not be read or carried out; an open line that it names goes on."""
        line = line or error.line
        text = str(error)[: limits.NOTE_CHARS]
        return [Send(ErrorMessage(error.code, text, line, ends=line not in self._open))]

    def _answer(self, message: Request) -> list[Effect]:
        if isinstance(message, Speak):
            return self._speak(message)
        if isinstance(message, Credit):
            return self._credit(message)
        if isinstance(message, Cancel):
            return self._cancel(message)
        if isinstance(message, Hello):
            return self._hello(message)
        if isinstance(message, Ping):
            return [Send(Pong(message.mark))]
        assert isinstance(message, List)  # noqa: S101 - the last of Request
        return [SendList()]

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
                    tuple(REQUESTS),
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
        self._check(speak)
        if len(self._open) >= limits.OPEN_LINES:
            raise WireError(
                f"{len(self._open)} lines are open, as many as a client may have: cancel one or wait for its end",
                "too-many-lines",
            )
        self._open[speak.line] = _Open(speak.credit_ms)
        line = Line(
            speak.line, speak.npc or speak.voice, speak.text, speak.style, speak.emotion, speak.outputs, speak.priority
        )
        return [Start(line, speak.npc, speak.voice, speak.face)]

    def _check_id(self, line: str) -> None:
        if line in self._open:
            raise WireError(f"line {line!r} is open already", "duplicate-line")
        if line in self._closed:
            state, ticks = self._closed[line]
            raise WireError(f"line {line!r} was {state.value} already, after {ticks} ticks", "duplicate-line")

    @staticmethod
    def _check(speak: Speak) -> None:
        if not speak.npc and not speak.voice:
            raise WireError("speak: neither npc nor voice is named, expected one of them")
        if not speak.text.strip():
            raise WireError("text is empty", "bad-text")
        if len(speak.text) > limits.TEXT_CHARS:
            raise WireError(f"text has {len(speak.text)} characters, expected at most {limits.TEXT_CHARS}", "bad-text")
        _check_name("style", speak.style, STYLES)
        _check_name("emotion", speak.emotion, EMOTIONS)
        edge, every = speak.outputs.picture, speak.outputs.picture_every
        low, high = limits.PICTURE_EDGE
        if edge and not low <= edge <= high:
            raise WireError(f"speak: outputs: picture is {edge}, expected 0, or {low} to {high} pixels")
        low, high = limits.PICTURE_EVERY
        if not low <= every <= high:
            raise WireError(f"speak: outputs: picture_every is {every}, expected {low} to {high} ticks")

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
        ticks = self._step(line, Step.COMPLETE)
        return [Stop(line), Send(End(line, ticks))]

    def fail(self, line: str, code: str, text: str) -> list[Effect]:
        """The engine can't go on with a line."""
        self._step(line, Step.FAIL)
        return [Stop(line), Send(ErrorMessage(code, text[: limits.NOTE_CHARS], line))]

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


def _check_name(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        names = ", ".join(repr(k) for k in known if k)
        raise WireError(f"no {what} {name!r}{near(name, known)}; known: {names}", f"unknown-{what}")


def near(name: str, known: Collection[str]) -> str:
    """A hint such as `, did you mean 'lively'?`, or nothing when no known name is close."""
    match = difflib.get_close_matches(name, [k for k in known if k], n=1)
    return f", did you mean {match[0]!r}?" if match else ""
