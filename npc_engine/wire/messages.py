"""Every message that crosses the wire, as frozen dataclasses; bindings/PROTOCOL.md explains them to other languages.

A field's type and metadata are its rule: the codec reads, checks and writes messages from nothing else.
"""

from __future__ import annotations

from typing import TypeAlias

from npc_engine.wire.replies import (
    REPLIES,
    Accepted,
    Cancelled,
    End,
    ErrorMessage,
    MarkAt,
    Moments,
    NpcEntry,
    Npcs,
    Pong,
    Reply,
    Stats,
    Warmed,
    Welcome,
    Words,
)
from npc_engine.wire.requests import (
    REQUESTS,
    TURNS,
    Append,
    Cancel,
    Commit,
    Credit,
    Hello,
    List,
    LiveSound,
    Ping,
    Playhead,
    Report,
    Request,
    Speak,
    Warm,
)
from npc_engine.wire.rules import ATTITUDE, ERROR_CODES, HEARD, LOST, MOST, WireError

Message: TypeAlias = Request | Reply

__all__ = [
    "ATTITUDE",
    "ERROR_CODES",
    "HEARD",
    "LOST",
    "MOST",
    "REPLIES",
    "REQUESTS",
    "TURNS",
    "Accepted",
    "Append",
    "Cancel",
    "Cancelled",
    "Commit",
    "Credit",
    "End",
    "ErrorMessage",
    "Hello",
    "List",
    "LiveSound",
    "MarkAt",
    "Message",
    "Moments",
    "NpcEntry",
    "Npcs",
    "Ping",
    "Playhead",
    "Pong",
    "Reply",
    "Report",
    "Request",
    "Speak",
    "Stats",
    "Warm",
    "Warmed",
    "Welcome",
    "WireError",
    "Words",
]
