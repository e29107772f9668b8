"""Ticks that are ready become moment messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npc_engine.moments import Word
from npc_engine.server.performer import Made, Tick
from npc_engine.wire.codec import encode, frames
from npc_engine.wire.limits import MOMENT_MOST_TICKS, MOMENT_TICKS
from npc_engine.wire.messages import Moments, Words


def next_ticks(made: Sequence[Made], allowance: int, least: int = MOMENT_TICKS) -> int:
    """How many of the first `made` leave in one message, if `allowance` ticks may; 0 waits for more.

    Tick 0 leaves alone and at once and a picture begins a message; else what is ready travels together, `least`
    ticks at least and MOMENT_MOST_TICKS at most.
    """
    most = min(allowance, MOMENT_MOST_TICKS)
    ready = 0
    for item in made:
        if not isinstance(item, Tick) or ready == most or (ready and item.picture is not None):
            return ready
        ready += 1
        if item.tick == 0:
            return ready
    return ready if ready >= min(least, most) else 0


def pack_moment(line: str, ticks: Sequence[Tick], words: Sequence[Word] = ()) -> list[list[bytes]]:
    """The messages that carry consecutive `ticks`: the `words` to be told, if any begin there, then the moment."""
    messages = []
    if words:
        messages.append(encode(Words(line, tuple(words))))
    header: dict[str, Any] = {"kind": Moments.kind, "line": line, "tick": ticks[0].tick, "ticks": len(ticks)}
    payloads: dict[str, bytes] = {}
    if ticks[0].sound is not None:
        payloads["sound"] = b"".join(tick.sound or b"" for tick in ticks)
    if ticks[0].coefficients is not None:
        payloads["coefficients"] = b"".join(tick.coefficients or b"" for tick in ticks)
    if ticks[0].picture is not None:
        header["picture_tick"] = ticks[0].tick
        payloads["picture"] = ticks[0].picture
    return [*messages, frames(header, payloads)]
