"""Which code of the wire a fault has."""

from __future__ import annotations

from npc_engine.cast import Cast, CastError


def cast_code(cast: Cast, npc: str, voice: str, face: str = "") -> str:
    """Which of the names asked for is unknown, or else that the files behind them are broken."""
    try:
        if npc and npc not in cast.npcs():
            return "unknown-npc"
        if voice and voice not in cast.voices():
            return "unknown-voice"
        if face and face not in cast.faces():
            return "unknown-face"
    except CastError:  # npcs.toml itself is broken, as the first error says
        return "bad-cast"
    return "bad-cast"
