"""Every message that crosses the wire, as frozen dataclasses; bindings/PROTOCOL.md explains them to other languages.

A field's type and metadata are its rule: the codec reads, checks and writes messages from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeAlias

from npc_engine.moments import Exp, Outputs, Sound, Word
from npc_engine.wire import limits

ERROR_CODES: Final[dict[str, str]] = {
    "bad-message": "a message that breaks the rules of this document; the text says which and where",
    "bad-version": "the game speaks another wire version than the engine",
    "not-greeted": "a message before `hello`, or after the engine was restarted",
    "unknown-kind": "a kind that this engine does not answer",
    "unknown-npc": "no character of this name",
    "unknown-voice": "no voice of this name",
    "unknown-face": "no face of this name, or pictures asked of a character without one",
    "unknown-style": "no style of this name",
    "unknown-emotion": "an emotion that this engine can't show",
    "unknown-attitude": "an attitude that this engine does not know",
    "bad-cast": "the character's, voice's or face's files are broken; the text names the file",
    "bad-text": "text that is empty, too long, broken markup, or not speakable by this voice",
    "text-timeout": "an open text was neither added to nor committed for too long; what had come was spoken",
    "not-open": "`append` or `commit` on a line that was not opened with `open`, or that is committed",
    "duplicate-line": "a line of this id is open or was spoken on this connection",
    "too-many-lines": "more lines open than one client, or the engine, may have",
    "too-many-warms": "more `warm` waiting than one client, or the engine, may have",
    "too-many-connections": "more connections with one key than it may have; nothing else is answered on this one",
    "unknown-line": "no line of this id",
    "internal": "a fault of the engine; its log holds the trace",
}
"""Code → meaning of every error that the engine sends."""

LOST: Final = "disconnected"
"""Code of the error that a client makes up itself for each open line when the connection breaks."""


class WireError(ValueError):
    """A message that breaks the protocol; says what came, what was expected, where.

    `code` is one of ERROR_CODES; `line` and `id` are the line and `warm` it belongs to, as far as they could be read.
    """

    def __init__(self, text: str, code: str = "bad-message", line: str = "", id: str = "") -> None:  # noqa: A002
        super().__init__(text)
        self.code = code
        self.line = line
        self.id = id


MOST: Final = 2**53  # whole numbers that every language's double can hold


def chars(most: int, least: int = 0) -> dict[str, Any]:
    """The rule of a field of `least` to `most` characters."""
    return {"chars": (least, most)}


def whole(low: int, high: int) -> dict[str, Any]:
    """The rule of a field of whole numbers from `low` to `high`."""
    return {"range": (low, high)}


def real(low: float, high: float) -> dict[str, Any]:
    """The rule of a field of finite numbers from `low` to `high`; on the wire a float or a whole number."""
    return {"range": (low, high)}


ATTITUDE: Final = "attitude"
"""What an engine whose characters live without a text names among its capabilities, beside the kinds it answers."""

LINE: Final = chars(limits.ID_CHARS, least=1)
"""The rule of the field that names a line, or a `warm`."""


# ── game → engine ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a connection."""

    kind: ClassVar[str] = "hello"
    line: ClassVar[str] = ""  # of no line
    version: int = field(metadata=whole(0, MOST))
    client: str = field(default="", metadata=chars(limits.NAME_CHARS))  # for the engine's log


@dataclass(frozen=True, slots=True)
class Speak:
    """Say `text`: as the character `npc`, or with the voice and face named, or as the character with others.

    `open`: text is still being written, `append` adds to it and `commit` ends it. `attitude` in place of a text: the
    character says nothing and lives, for `lasts_ms`, or until it is cancelled or begins another line.
    """

    kind: ClassVar[str] = "speak"
    line: str = field(metadata=LINE)
    text: str = field(metadata=chars(limits.HEADER_BYTES))  # the session limits it to TEXT_CHARS, with a better error
    npc: str = field(default="", metadata=chars(limits.NAME_CHARS))
    voice: str = field(default="", metadata=chars(limits.NAME_CHARS))
    face: str = field(default="", metadata=chars(limits.NAME_CHARS))
    style: str = field(default="", metadata=chars(limits.NAME_CHARS))
    emotion: str = field(default="neutral", metadata=chars(limits.NAME_CHARS))
    priority: int = field(default=0, metadata=whole(-100, 100))  # higher is more urgent
    credit_ms: int = field(default=limits.CREDIT_MS, metadata=whole(0, limits.CREDIT_CAP_MS))
    outputs: Outputs = field(default=Outputs())
    strength: float = field(default=1.0, metadata=real(0.0, 1.0))  # of the emotion
    open: bool = False
    attitude: str = field(default="", metadata=chars(limits.NAME_CHARS))
    lasts_ms: int = field(default=0, metadata=whole(0, limits.LASTS_MS))  # 0: no end of its own


@dataclass(frozen=True, slots=True)
class Append:
    """More text of a line that was opened with `open`."""

    kind: ClassVar[str] = "append"
    line: str = field(metadata=LINE)
    text: str = field(metadata=chars(limits.HEADER_BYTES))  # the session limits the whole to TEXT_CHARS


@dataclass(frozen=True, slots=True)
class Commit:
    """The text of an open line is complete."""

    kind: ClassVar[str] = "commit"
    line: str = field(metadata=LINE)


@dataclass(frozen=True, slots=True)
class Warm:
    """Load a character or voice and, with text, make its speech for later; answered by `warmed` of the same id."""

    kind: ClassVar[str] = "warm"
    line: ClassVar[str] = ""  # of no line
    id: str = field(metadata=LINE)
    text: str = field(default="", metadata=chars(limits.HEADER_BYTES))  # the session limits it to TEXT_CHARS
    npc: str = field(default="", metadata=chars(limits.NAME_CHARS))
    voice: str = field(default="", metadata=chars(limits.NAME_CHARS))
    style: str = field(default="", metadata=chars(limits.NAME_CHARS))
    emotion: str = field(default="neutral", metadata=chars(limits.NAME_CHARS))
    strength: float = field(default=1.0, metadata=real(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Credit:
    """The engine may send `ms` more milliseconds of sound of a line."""

    kind: ClassVar[str] = "credit"
    line: str = field(metadata=LINE)
    ms: int = field(metadata=whole(1, limits.CREDIT_CAP_MS))


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a line; nothing of it leaves after the `cancelled` that answers."""

    kind: ClassVar[str] = "cancel"
    line: str = field(metadata=LINE)


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered by `pong` with the same mark."""

    kind: ClassVar[str] = "ping"
    line: ClassVar[str] = ""  # of no line
    mark: int = field(default=0, metadata=whole(0, MOST))


@dataclass(frozen=True, slots=True)
class List:
    """Answered by `npcs`."""

    kind: ClassVar[str] = "list"
    line: ClassVar[str] = ""  # of no line


# ── engine → game ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to `hello`: what this engine is and allows."""

    kind: ClassVar[str] = "welcome"
    line: ClassVar[str] = ""  # of no line
    version: int = field(metadata=whole(0, MOST))
    engine: str = field(metadata=chars(limits.NAME_CHARS))  # its release, for logs
    channels: tuple[str, ...] = field(metadata=chars(limits.NAME_CHARS, least=1))  # names of the coefficients, in order
    capabilities: tuple[str, ...] = field(metadata=chars(limits.NAME_CHARS, least=1))  # kinds it answers, ATTITUDE
    sample_rate: int = field(metadata=whole(1, MOST))
    tick_ms: int = field(metadata=whole(1, MOST))
    open_lines: int = field(metadata=whole(1, MOST))  # of one client at once
    text_chars: int = field(metadata=whole(1, MOST))  # of one line
    credit_cap_ms: int = field(metadata=whole(1, MOST))  # of one line, granted and not yet used


@dataclass(frozen=True, slots=True)
class Accepted:
    """The line will be spoken; `rest` is the face at rest, encoded, when pictures were asked."""

    kind: ClassVar[str] = "accepted"
    line: str = field(metadata=LINE)
    rest: bytes | None = field(default=None, metadata={"payload": "picture"})


@dataclass(frozen=True, slots=True)
class Words:
    """Words that sound from now on, each before the moment in which it begins."""

    kind: ClassVar[str] = "words"
    line: str = field(metadata=LINE)
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkAt:
    """A mark of the text's markup, right before the moment of its tick."""

    kind: ClassVar[str] = "mark"
    line: str = field(metadata=LINE)
    name: str = field(metadata=chars(limits.NOTE_CHARS))
    tick: int = field(metadata=whole(0, MOST))


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """`ticks` ticks of a line from `tick` on: sound and coefficients of each, and at most one new picture."""

    kind: ClassVar[str] = "moment"
    line: str = field(metadata=LINE)
    tick: int = field(metadata=whole(0, MOST))
    ticks: int = field(metadata=whole(1, limits.ITEMS))
    picture_tick: int | None = field(default=None, metadata=whole(0, MOST))  # shown from this tick on
    sound: Sound | None = field(default=None, metadata={"payload": "sound"})  # f32[ticks * 480]
    exp: Exp | None = field(default=None, metadata={"payload": "coefficients"})  # f32[ticks, 50]
    picture: bytes | None = field(default=None, metadata={"payload": "picture"})  # JPEG, or PNG when transparent


@dataclass(frozen=True, slots=True)
class End:
    """The line is complete: ticks 0 to `ticks` - 1 have been sent."""

    kind: ClassVar[str] = "end"
    line: str = field(metadata=LINE)
    ticks: int = field(metadata=whole(0, MOST))


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The line was cut: ticks 0 to `ticks` - 1 have been sent and nothing more will be."""

    kind: ClassVar[str] = "cancelled"
    line: str = field(metadata=LINE)
    ticks: int = field(metadata=whole(0, MOST))
    reason: str = field(default="", metadata=chars(limits.NOTE_CHARS))


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """What went wrong; when it `ends` the line or the `warm` it names, nothing more of that comes."""

    kind: ClassVar[str] = "error"
    code: str = field(metadata=chars(limits.NAME_CHARS, least=1))
    text: str = field(metadata=chars(limits.NOTE_CHARS))
    line: str = field(default="", metadata=chars(limits.ID_CHARS))
    ends: bool = True  # false: the line, if it was open, goes on
    id: str = field(default="", metadata=chars(limits.ID_CHARS))  # of the `warm`


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to `ping`."""

    kind: ClassVar[str] = "pong"
    line: ClassVar[str] = ""  # of no line
    mark: int = field(default=0, metadata=whole(0, MOST))


@dataclass(frozen=True, slots=True)
class Warmed:
    """The answer to `warm`: the voice is loaded, and `ms` of speech have been made of `text_chars` characters."""

    kind: ClassVar[str] = "warmed"
    line: ClassVar[str] = ""  # of no line
    id: str = field(metadata=LINE)
    npc: str = field(default="", metadata=chars(limits.NAME_CHARS))
    voice: str = field(default="", metadata=chars(limits.NAME_CHARS))
    text_chars: int = field(default=0, metadata=whole(0, MOST))
    ms: int = field(default=0, metadata=whole(0, MOST))


@dataclass(frozen=True, slots=True)
class NpcEntry:
    """A character that can speak."""

    name: str = field(metadata=chars(limits.NAME_CHARS))
    voice: str = field(default="", metadata=chars(limits.NAME_CHARS))
    face: str = field(default="", metadata=chars(limits.NAME_CHARS))  # "" has none: ask no pictures of it
    about: str = field(default="", metadata=chars(limits.NOTE_CHARS))


@dataclass(frozen=True, slots=True)
class Npcs:
    """Who can speak, and the voices and faces that `speak` may name instead."""

    kind: ClassVar[str] = "npcs"
    line: ClassVar[str] = ""  # of no line
    npcs: tuple[NpcEntry, ...] = ()
    voices: tuple[str, ...] = field(default=(), metadata=chars(limits.NAME_CHARS))
    faces: tuple[str, ...] = field(default=(), metadata=chars(limits.NAME_CHARS))


Request: TypeAlias = Hello | Speak | Append | Commit | Credit | Cancel | Warm | Ping | List
Reply: TypeAlias = Welcome | Accepted | Words | MarkAt | Moments | End | Cancelled | ErrorMessage | Pong | Warmed | Npcs
Message: TypeAlias = Request | Reply

REQUESTS: Final[dict[str, type[Request]]] = {
    c.kind: c for c in (Hello, Speak, Append, Commit, Credit, Cancel, Warm, Ping, List)
}
REPLIES: Final[dict[str, type[Reply]]] = {
    c.kind: c for c in (Welcome, Accepted, Words, MarkAt, Moments, End, Cancelled, ErrorMessage, Pong, Warmed, Npcs)
}
