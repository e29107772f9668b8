"""The words of a text and where they stand."""

from __future__ import annotations

import re
from typing import Final

_PIECE: Final = re.compile(r"(?:(?!\.\.|--)[^\s—–…])+")
_SPOKEN: Final = re.compile(r"[^\W_]|[$£€¥₹₩¢%&@+=<>~#^°§¶±×÷©½¼¾²³→]")
EDGE: Final = "\"'“”„‘’‚«»‹›()[]{}<>*_~.,;:!?¿¡-|\\/`´"
"""What may stand at the edge of a word without being part of it."""


def words(text: str) -> list[tuple[int, int]]:
    """The characters [first, last) of each word of `text`, in order.

    Words stand between spaces, dashes and ellipses; quotes, brackets and stops at their edges are not part of them
    ("$20.50" is one word, "Stop!" is the word Stop). A piece without a letter, a digit or a symbol that is read out
    is no word.
    """
    spans = []
    for match in _PIECE.finditer(text):
        piece = match.group()
        if not _SPOKEN.search(piece):
            continue
        bare = piece.strip(EDGE)
        if bare:
            first = match.start() + piece.index(bare)
            spans.append((first, first + len(bare)))
        else:  # a lone symbol such as ">"
            spans.append(match.span())
    return spans
