"""Cuts a text into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=\S)|\s*\n\s*")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The characters [first, last) of each sentence of `text`, in order."""
    first = 0
    for match in _END.finditer(text):
        last = match.start() + len(match.group().rstrip())
        if text[first:last].strip():
            yield first, last
        first = match.end()
    if text[first:].strip():
        yield first, len(text)
