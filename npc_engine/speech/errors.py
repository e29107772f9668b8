"""What a voice says when it can't speak."""

from __future__ import annotations


class SpeechError(ValueError):
    """Text that can't be spoken, or a voice that failed: says which voice, what came and what was expected."""
