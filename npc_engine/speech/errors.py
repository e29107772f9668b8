"""What a voice says when it can't speak."""

from __future__ import annotations


class SpeechError(ValueError):
    """Text that can't be spoken, or a voice that failed: says which voice, what came and what was expected."""


def short(text: str) -> str:
    """`text` quoted for an error, cut after 40 characters."""
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "…"
