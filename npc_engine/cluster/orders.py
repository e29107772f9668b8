"""What crosses between a gateway and a replica, and how far one may be ahead of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from npc_engine.moments import TICK_MS, Exp, Line, Sound
from npc_engine.server.performer import Made
from npc_engine.wire.effects import Start

WINDOW: Final = 20  # ticks that leave a replica beyond those taken in the gateway: a frame and an answer are on the way
SILENT_WINDOW: Final = 12  # of a line that says nothing: six pictures, drawn for nothing at a cut
EAGER_TICKS: Final = 10  # of a line's beginning, which do not wait for a frame's time: nothing is ahead of them yet
FRAME_S: Final = 0.06  # from frame to frame of a link: a message of Ray costs a millisecond of two processors
LOOK_S: Final = 0.004  # from one look at what is ready to the next, while lines begin
HEARTBEAT_S: Final = 0.25  # after which a frame leaves though nothing is ready
SILENCE_S: Final = 1.0  # without a frame: the replica counts as lost, a second before Ray finds a dead machine
ABANDONED_S: Final = 10.0  # without a word of the gateway: its lines stop
UNWANTED_S: Final = (
    5.0  # after its begin, a line that the gateway does not name stops: their messages have crossed by then
)
SPEECH_MS: Final = 65  # of a character of text, in the mean over the lines of tests/npc_lines.txt in hibari's voice
SILENT_MS: Final = 2_000  # what an open line without text weighs: its pictures are drawn as long as it lasts


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A line to perform, from its beginning or, where a replica was lost, from where the game has it already."""

    key: str  # of this performance: no other one of any gateway has it
    gateway: str
    start: Start  # without the iterators of its line
    begin: Exp  # f32[50], the face that the line begins with
    breath: float  # 0..1
    written: tuple[str, ...] = ()  # what has been appended to an open text
    complete: bool = True  # nothing more is appended
    made: int = 0  # things that the gateway has: made again, not sent again
    taken: int = 0  # ticks that have left the gateway


@dataclass(frozen=True, slots=True)
class Taken:
    """So many ticks of a line have left the gateway: the replica may be WINDOW ahead of them."""

    key: str
    ticks: int


@dataclass(frozen=True, slots=True)
class Written:
    """More of an open text."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """More of a live line's sound, f32[n]."""

    key: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class Committed:
    """An open text, or live sound, is complete."""

    key: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nobody wants the rest of a line."""

    key: str


Word: TypeAlias = Taken | Written | Heard | Committed | Stopped
"""What a gateway tells a replica of a line that it performs."""


@dataclass(frozen=True, slots=True)
class Lines:
    """All lines that a gateway has, here and elsewhere, by their keys: it lives, and nobody wants any other one."""

    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a replica has made; an empty one says that it lives."""

    made: tuple[tuple[str, int, list[Made]], ...]  # of each line, by its key, things from the how-manieth on
    late: frozenset[str]  # keys of lines whose sound comes too late, for want of time to make it


def window(line: Line) -> int:
    """Ticks that a replica may be ahead of what has left the gateway."""
    return SILENT_WINDOW if line.attitude else WINDOW


def speech_ms(line: Line, written: int = 0) -> int:
    """Estimated sound of a line with `written` characters appended, in ms; what a line without text weighs."""
    return SILENT_MS if line.attitude or line.live is not None else SPEECH_MS * (len(line.text) + written)


def owed_ms(line: Line, written: int, ticks: int) -> int:
    """Of that, what is still to be made after `ticks`: the queue, in ms of sound."""
    whole = speech_ms(line, written)
    return whole if line.attitude else max(0, whole - TICK_MS * ticks)
