"""What somebody may have meant by a name that nothing has. Imports nothing of ours."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str:
    """A hint such as `, did you mean 'fps'?`, or nothing when no known name is close."""
    match = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {match[0]!r}?" if match else ""
