"""The words of a text and where they stand."""

from __future__ import annotations

import re
from typing import Final

_HAN: Final = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HIRAGANA: Final = "\u3041-\u309f"
_KATAKANA: Final = "\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9f"
CJK: Final = _HAN + _HIRAGANA + _KATAKANA
"""Inside of a regular expression's brackets: the letters of Chinese and Japanese, which stand without spaces."""

_CJK: Final = re.compile(f"[{CJK}]")
_FIRST_IDEOGRAPH: Final = "\u4e00"
_LAST_IDEOGRAPH: Final = "\u9fff"
_CJK_WORD: Final = re.compile(f"[{_HAN}]々*|[{_HIRAGANA}ー]+|[{_KATAKANA}]+|[^{CJK}]+")
_PIECE: Final = re.compile(r"(?:(?!\.\.|--)[^\s—–…])+")
_SPOKEN: Final = re.compile(r"[^\W_]|[$£€¥₹₩¢%&@+=<>~#^°§¶±×÷©½¼¾²³→]")
EDGE: Final = "\"'“”„‘’‚«»‹›()[]{}<>*_~.,;:!?¿¡-|\\/`´。！？；：，、"
"""What may stand at the edge of a word without being part of it."""


def is_cjk(character: str) -> bool:
    """Whether it is a Han character or kana."""
    if character <= "\u3004":
        return False
    # nearly all of them, at a tenth of the cost
    return _FIRST_IDEOGRAPH <= character <= _LAST_IDEOGRAPH or _CJK.match(character) is not None


def words(text: str) -> list[tuple[int, int]]:
    """The characters [first, last) of each word of `text`, in order.

    Words stand between spaces, dashes and ellipses; quotes, brackets and stops at their edges are not part of them
    ("$20.50" is one word, "Stop!" is the word Stop). A piece without a letter, a digit or a symbol that is read out
    is no word. In Chinese and Japanese each Han character and each run of hiragana or of katakana is a word; what
    other scripts put between them stays whole ("用3.5米" is 用, 3.5, 米).
    """
    spans = []
    wide = _CJK.search(text) is not None
    for match in _PIECE.finditer(text):
        for part in _CJK_WORD.finditer(text, match.start(), match.end()) if wide else (match,):
            piece = part.group()
            if not _SPOKEN.search(piece):
                continue
            bare = piece.strip(EDGE)
            if bare:
                first = part.start() + piece.index(bare)
                spans.append((first, first + len(bare)))
            else:  # a lone symbol such as ">"
                spans.append(part.span())
    return spans
