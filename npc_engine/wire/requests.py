"""What a game says, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from npc_engine.moments import SAMPLE_RATE, Outputs, Sound
from npc_engine.wire import limits
from npc_engine.wire.rules import LINE, MOST, chars, real, whole

TURNS: Final = ("wait", "replace", "beside")
"""What becomes of a character's lines that are open when another one is asked: they end first, are cut, or go on."""


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
    character says nothing and lives, for `lasts_ms`, or until it is cancelled or begins another line. `live` in place
    of a text: the character says the sound that follows as `sound`, until `commit`.
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
    turn: str = field(default="wait", metadata=chars(limits.NAME_CHARS))  # one of TURNS
    deadline_ms: int = field(default=0, metadata=whole(0, limits.DEADLINE_MS))  # for its first moment; 0: none
    live: bool = False
    sound_rate: int = field(default=SAMPLE_RATE, metadata=whole(*limits.SOUND_RATE))  # of the live sound, 1/s
    denoise: bool = False  # take the noise out of the live sound


@dataclass(frozen=True, slots=True)
class Append:
    """More text of a line that was opened with `open`."""

    kind: ClassVar[str] = "append"
    line: str = field(metadata=LINE)
    text: str = field(metadata=chars(limits.HEADER_BYTES))  # the session limits the whole to TEXT_CHARS


@dataclass(frozen=True, slots=True, eq=False)
class LiveSound:
    """Live sound of a line, PCM16 at its `sound_rate`."""

    kind: ClassVar[str] = "sound"
    line: str = field(metadata=LINE)
    sound: Sound | None = field(default=None, metadata={"payload": "sound"})  # f32[n]


@dataclass(frozen=True, slots=True)
class Commit:
    """The text of an open line, or the sound of a live one, is complete."""

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
    """Stop a line, the lines of a character, or all; nothing of them leaves after the `cancelled` that answers."""

    kind: ClassVar[str] = "cancel"
    line: str = field(default="", metadata=chars(limits.ID_CHARS))
    npc: str = field(default="", metadata=chars(limits.NAME_CHARS))
    all: bool = False


@dataclass(frozen=True, slots=True)
class Playhead:
    """Which sample of a line is being heard."""

    kind: ClassVar[str] = "playhead"
    line: str = field(metadata=LINE)
    sample: int = field(metadata=whole(0, MOST))


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


@dataclass(frozen=True, slots=True)
class Report:
    """Answered by `stats`."""

    kind: ClassVar[str] = "report"
    line: ClassVar[str] = ""  # of no line


Request: TypeAlias = (
    Hello | Speak | Append | LiveSound | Commit | Credit | Playhead | Cancel | Warm | Ping | List | Report
)

REQUESTS: Final[dict[str, type[Request]]] = {
    c.kind: c for c in (Hello, Speak, Append, LiveSound, Commit, Credit, Playhead, Cancel, Warm, Ping, List, Report)
}
