"""What a voice says when it can't speak."""

from __future__ import annotations

from npc_engine.cast import CastError


class SpeechError(ValueError):
    """Text that can't be spoken, or a voice that failed: says which voice, what came and what was expected."""


class NotInstalled(CastError):  # noqa: N818 - a state of the voice, no fault
    """A voice whose weights or readings are not on this machine: says how to install them."""


def short(text: str) -> str:
    """`text` quoted for an error, cut after 40 characters."""
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "…"
