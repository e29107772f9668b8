"""What a session asks the server to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from npc_engine.moments import Line
from npc_engine.wire.messages import Reply


@dataclass(frozen=True, slots=True)
class Send:
    """A message for this client."""

    message: Reply


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to perform a line; `voice` and `face` replace those of `npc` where they are not "".

    `open`: text follows, with `AddText` and `EndText`. `after`: the line that is stopped right after this, and from
    whose last face it goes on.
    """

    line: Line
    npc: str
    voice: str
    face: str
    open: bool = False
    after: str = ""


@dataclass(frozen=True, slots=True)
class AddText:
    """Give a line more of its text."""

    line: str
    text: str


@dataclass(frozen=True, slots=True)
class EndText:
    """A line's text is complete."""

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


Effect: TypeAlias = Send | Start | AddText | EndText | Stop | Prepare | SendList
