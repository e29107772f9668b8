"""How emotions and styles change a voice."""

from __future__ import annotations

from npc_engine.text.phrases import PLAIN, Prosody


def feeling(emotion: str, strength: float, style: str) -> Prosody:  # noqa: ARG001 - being written
    """The prosody of an emotion (strength 0..1) in a style; lively is the voice's own way."""
    return PLAIN
