"""What a session asks the server to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from npc_engine.moments import Line, Sound
from npc_engine.wire.messages import Reply


@dataclass(frozen=True, slots=True)
class Send:
    """A message for this client."""

    message: Reply


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to perform a line; `voice` and `face` replace those of `npc` where they are not "".

    `open`: text follows, with `AddText` and `EndText`; a line that is `live` gets sound, with `AddSound` and `EndText`.
    `after`: the line that is stopped right after this, and from whose face in tick `after_tick` it goes on.
    `client`: the connection that asks, which the server fills in.
    """

    line: Line
    npc: str
    voice: str
    face: str
    open: bool = False
    after: str = ""
    after_tick: int = 0
    live: bool = False
    client: bytes = b""
    waits: bool = True  # for the end of its character's former lines
    undrawn: int = 0  # ticks of which the game has the pictures already: another machine began the line


@dataclass(frozen=True, slots=True)
class AddText:
    """Give a line more of its text."""

    line: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class AddSound:
    """Give a live line more of its sound, f32[n] at the line's `sound_rate`."""

    line: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class EndText:
    """A line's text, or its live sound, is complete."""

    line: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop performing a line, and drop what is ready of it."""

    line: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Load a character or voice and, where the line has text, make its speech; the line's id is that of the `warm`."""

    line: Line
    npc: str
    voice: str


@dataclass(frozen=True, slots=True)
class SendList:
    """Answer with `npcs`."""


@dataclass(frozen=True, slots=True)
class SendStats:
    """Answer with `stats`."""


Effect: TypeAlias = Send | Start | AddText | AddSound | EndText | Stop | Prepare | SendList | SendStats
