"""What an engine says, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from npc_engine.moments import Exp, Sound, Word
from npc_engine.wire import limits
from npc_engine.wire.rules import LINE, MOST, chars, whole


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
    arkit52: tuple[str, ...] = field(default=(), metadata=chars(limits.NAME_CHARS, least=1))  # names, as `channels`
    visemes15: tuple[str, ...] = field(default=(), metadata=chars(limits.NAME_CHARS, least=1))


@dataclass(frozen=True, slots=True)
class Accepted:
    """The line will be spoken; `rest` is the face at rest, encoded, when pictures were asked."""

    kind: ClassVar[str] = "accepted"
    line: str = field(metadata=LINE)
    rest: bytes | None = field(default=None, metadata={"payload": "picture"})
    place: int = field(default=0, metadata=whole(0, MOST))  # lines of its character that end before it begins


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
    exp: Exp | None = field(default=None, metadata={"payload": "coefficients"})  # f32[ticks, 50 | 52 | 15]
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
    heard: str = field(default="", metadata=chars(limits.TEXT_CHARS))  # of the line's text, by whole words
    heard_chars: int = field(default=0, metadata=whole(0, limits.TEXT_CHARS))  # where that ends in the text


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """What went wrong; when it `ends` the line or the `warm` it names, nothing more of that comes."""

    kind: ClassVar[str] = "error"
    code: str = field(metadata=chars(limits.NAME_CHARS, least=1))
    text: str = field(metadata=chars(limits.NOTE_CHARS))
    line: str = field(default="", metadata=chars(limits.ID_CHARS))
    ends: bool = True  # false: the line, if it was open, goes on
    id: str = field(default="", metadata=chars(limits.ID_CHARS))  # of the `warm`
    wait_ms: int = field(default=0, metadata=whole(0, limits.WAIT_MS))  # until it may go better; 0: nobody knows


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


@dataclass(frozen=True, slots=True)
class Stats:
    """How this client is served: its own figures since `hello`, and how busy the engine is."""

    kind: ClassVar[str] = "stats"
    line: ClassVar[str] = ""  # of no line
    lines: int = field(default=0, metadata=whole(0, MOST))  # open, of this client
    waiting: int = field(default=0, metadata=whole(0, MOST))  # of them, for their character's turn
    queued_ms: int = field(default=0, metadata=whole(0, MOST))  # of its sound that is made and not sent
    sent_ms: int = field(default=0, metadata=whole(0, MOST))  # of its sound
    pictures: int = field(default=0, metadata=whole(0, MOST))  # sent
    thinned: int = field(default=0, metadata=whole(0, MOST))  # pictures left out, for want of time
    shrunk: int = field(default=0, metadata=whole(0, MOST))  # pictures sent smaller than asked, for want of time
    damped: int = field(default=0, metadata=whole(0, MOST))  # pictures whose face the identity guard held back
    refused: int = field(default=0, metadata=whole(0, MOST))  # lines that were too many, or came too late
    first_moment_ms: int = field(default=0, metadata=whole(0, MOST))  # median of its last lines; 0: none yet
    engine_lines: int = field(default=0, metadata=whole(0, MOST))  # open, of all clients
    load_percent: int = field(default=0, metadata=whole(0, MOST))  # of the engine's cores that are busy


Reply: TypeAlias = (
    Welcome | Accepted | Words | MarkAt | Moments | End | Cancelled | ErrorMessage | Pong | Warmed | Npcs | Stats
)

REPLIES: Final[dict[str, type[Reply]]] = {
    c.kind: c
    for c in (Welcome, Accepted, Words, MarkAt, Moments, End, Cancelled, ErrorMessage, Pong, Warmed, Npcs, Stats)
}
