"""The books of one client's lines: where each stands, what it may still get, and what has been heard of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Final

from npc_engine.moments import SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Word
from npc_engine.wire import limits
from npc_engine.wire.checks import near
from npc_engine.wire.codec import encode
from npc_engine.wire.messages import Reply, Speak, WireError


class State(Enum):
    """Where a line stands."""

    ASKED = "asked"  # its voice and face are being made ready
    WAITING = "waiting"  # it could begin, when its character's former lines have ended
    SPEAKING = "speaking"
    ENDED = "ended"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Step(Enum):
    """What happens to a line."""

    READY = "ready"  # the performer can begin
    QUEUE = "queue"  # the performer could begin, but its character still says another line
    TURN = "turn"  # its character has said its former lines
    SEND = "send"  # ticks leave
    COMPLETE = "complete"  # the last tick has left
    YIELD = "yield"  # a line that says nothing gives way to its character's next one
    CANCEL = "cancel"  # the game, or the engine's stop, cuts it
    FAIL = "fail"  # the engine can't go on with it


LINE_STATES: Final[dict[tuple[State, Step], State]] = {
    (State.ASKED, Step.READY): State.SPEAKING,
    (State.ASKED, Step.QUEUE): State.WAITING,
    (State.ASKED, Step.YIELD): State.ENDED,
    (State.ASKED, Step.CANCEL): State.CANCELLED,
    (State.ASKED, Step.FAIL): State.FAILED,
    (State.WAITING, Step.TURN): State.SPEAKING,
    (State.WAITING, Step.YIELD): State.ENDED,
    (State.WAITING, Step.CANCEL): State.CANCELLED,
    (State.WAITING, Step.FAIL): State.FAILED,
    (State.SPEAKING, Step.SEND): State.SPEAKING,
    (State.SPEAKING, Step.COMPLETE): State.ENDED,
    (State.SPEAKING, Step.YIELD): State.ENDED,
    (State.SPEAKING, Step.CANCEL): State.CANCELLED,
    (State.SPEAKING, Step.FAIL): State.FAILED,
}
"""Every step that a line can take; ended, cancelled and failed have none: nothing of such a line leaves."""

_MS: Final = SAMPLE_RATE // 1000


def told_apart(speak: Speak) -> bytes:
    """What tells a line from another one of its id, in 16 bytes: texts are too long to be kept."""
    return blake2b(b"".join(encode(speak)), digest_size=16).digest()


class Books:
    """What is known of a line that is open."""

    def __init__(self, speak: Speak) -> None:
        self.asked = told_apart(speak)
        self.state = State.ASKED
        self.npc = speak.npc or speak.voice  # the character that says it
        self.silent = bool(speak.attitude)
        self.beside = speak.turn == "beside"  # waits for no other line of its character
        self.live_rate = speak.sound_rate if speak.live else 0  # of the sound that comes; 0: it is a text
        self.writable = speak.open or speak.live  # more of it may come, until `commit`
        self.credit_ms = speak.credit_ms  # granted and not used
        self.ticks = 0  # sent
        self.live_samples = 0  # of sound that has come
        self._granted_later_ms = 0
        self._playhead: int | None = None  # sample, as the game told
        self._text = [speak.text]
        self.chars = len(speak.text)
        self._ends: list[Word] = []  # words sent, in order
        self._marked_up = speak.text.lstrip().startswith("<speak")

    def write(self, text: str) -> None:
        """More of its text has come."""
        self._text.append(text)
        self.chars += len(text)
        if self.chars - len(text) == 0:
            self._marked_up = text.lstrip().startswith("<speak")

    def grant(self, ms: int) -> None:
        """More credit has come."""
        self.credit_ms += ms
        self._granted_later_ms += ms

    def play(self, sample: int) -> None:
        """The game tells which sample it hears."""
        self._playhead = sample

    def send(self, ticks: int, words: Sequence[Word]) -> None:
        """Ticks have left, and words that begin in them."""
        self.credit_ms -= ticks * TICK_MS
        self.ticks += ticks
        self._ends.extend(words)

    @property
    def heard(self) -> int:
        """Samples that have been heard: as the game told or, where it told none, as far as it granted more credit."""
        told = self._granted_later_ms * _MS if self._playhead is None else self._playhead
        return min(told, self.ticks * TICK_SAMPLES)

    def heard_text(self) -> tuple[str, int]:
        """The text up to the last word that was heard to its end, and where that ends in the line's text.

        Of marked-up text the words alone, since the markup may be open there.
        """
        heard = [word for word in self._ends if word.end <= self.heard]
        if not heard:
            return "", 0
        last = heard[-1].last
        text = " ".join(word.text for word in heard) if self._marked_up else "".join(self._text)[:last]
        return text[: limits.TEXT_CHARS], min(last, limits.TEXT_CHARS)


class Lines:
    """A client's lines: those that are open, oldest first, and how the last ones ended."""

    def __init__(self) -> None:
        self._open: dict[str, Books] = {}
        self._closed: OrderedDict[str, tuple[bytes, Reply]] = OrderedDict()  # id → which line it was, how it ended

    @property
    def open(self) -> Sequence[str]:
        """Ids of the lines that have not ended, oldest first."""
        return tuple(self._open)

    def __contains__(self, line: str) -> bool:
        return line in self._open

    def __getitem__(self, line: str) -> Books:
        """The books of a line that is open."""
        return self._open[line]

    def count(self, *, silent: bool) -> int:
        """How many are open, of those that speak or of those that say nothing."""
        return sum(books.silent == silent for books in self._open.values())

    def of(self, npc: str) -> Sequence[tuple[str, Books]]:
        """The open lines of a character, oldest first."""
        return [(name, books) for name, books in self._open.items() if books.npc == npc]

    def add(self, speak: Speak) -> None:
        """A line is asked."""
        self._open[speak.line] = Books(speak)

    def find(self, line: str) -> Books | None:
        """The open line; nothing for a finished one, whose end has crossed the message; `WireError` for any other."""
        if line not in self._open and line not in self._closed:
            raise WireError(f"no line {line!r}{near(line, self._open)}", "unknown-line")
        return self._open.get(line)

    def known(self, speak: Speak) -> Books | Reply | None:
        """The line if it was asked before: open, or how it ended. Raises `WireError` for another line of its id."""
        books, asked_now = self._open.get(speak.line), told_apart(speak)
        asked, known = (books.asked, books) if books else self._closed.get(speak.line, (asked_now, None))
        if asked != asked_now:
            state = "is open" if books else "was spoken"
            raise WireError(f"another line {speak.line!r} {state} already: give each its own id", "duplicate-line")
        return known

    def step(self, line: str, step: Step) -> Books:
        """Move a line on. Raises `ValueError` for a step that LINE_STATES does not have."""
        books = self._open.get(line)
        state = LINE_STATES.get((books.state, step)) if books else None
        if books is None or state is None:
            where = books.state.value if books else "not open"
            raise ValueError(f"line {line!r} can't {step.value}: it is {where}")
        books.state = state
        return books

    def close(self, line: str, answer: Reply) -> None:
        """A line has ended, with what was said of it."""
        self._closed[line] = (self._open.pop(line).asked, answer)
        if len(self._closed) > limits.REMEMBERED_LINES:
            self._closed.popitem(last=False)

    def before(self, line: str) -> int:
        """How many lines of its character end before a line begins."""
        books = self._open[line]
        if books.beside:
            return 0
        names = [name for name, _ in self.of(books.npc)]
        return names.index(line)

    def next_turns(self, npc: str) -> Iterator[str]:
        """Lines of a character that wait and need wait no more."""
        for name, books in self.of(npc):
            if books.state is State.WAITING and not self.before(name):
                yield name
