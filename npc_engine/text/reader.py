"""A line's text, as it comes, becomes phrases to speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from npc_engine.text.cleaning import Cleaner
from npc_engine.text.cutter import Cutter
from npc_engine.text.markup import Markup
from npc_engine.text.markup_errors import MarkupError
from npc_engine.text.open_text import TextTimeoutError
from npc_engine.text.phrases import Phrase

__all__ = ["MarkupError", "is_markup", "read"]

_SLICE: Final = 256  # characters that are read before phrases are let out, so that a long text starts like a short one
_ROOT: Final = "<speak"


def read(
    text: str, more: Iterable[str] | None = None, *, eager: bool = False, language: str = "en"
) -> Iterator[Phrase]:
    """Yield the phrases of `text` and of what follows it, each as soon as no further text can change it.

    A phrase is a sentence; over 240 characters, clauses of it. `eager` cuts clauses too, for voices that need as long
    as a phrase is and for text that is being written: the first one as soon as it has two words, later ones from 40
    characters. The phrases are the same however the text is cut into pieces.

    The text is SSML when its first characters but space are "<speak" followed by space, ">" or "/"; else every
    character stands for itself. `language` says how say-as reads where the markup has no xml:lang. Raises `MarkupError`
    where the fault stands, after all text before it, and passes on what `more` raises, `TextTimeoutError` after all
    that had come.
    """
    source = _Source(eager=eager, language=language)
    try:
        for piece in chain((text,), more or ()):
            for at in range(0, len(piece), _SLICE):
                source.push(piece[at : at + _SLICE])
                yield from source.ready()
        source.end()
    except (MarkupError, TextTimeoutError):
        source.flush()
        yield from source.ready()
        raise
    yield from source.ready()


def is_markup(text: str) -> bool:
    """Whether a whole text is SSML."""
    bare = text.lstrip()
    return (
        bare.startswith(_ROOT) and len(bare) > len(_ROOT) and (bare[len(_ROOT)].isspace() or bare[len(_ROOT)] in ">/")
    )


class _Source:
    """Text in, phrases out: finds out whether it is plain or SSML."""

    def __init__(self, *, eager: bool, language: str) -> None:
        self._cutter = Cutter(eager=eager)
        self._cleaner = Cleaner(self._cutter.put, self._cutter.put_words)
        self._language = language
        self._markup: Markup | None = None
        self._plain = False
        self._begin = ""  # of a text that may be one or the other
        self._at = 0  # characters of plain text that were read

    def push(self, text: str) -> None:
        if self._markup is not None:
            self._markup.push(text)
        elif self._plain:
            self._read_plain(text)
        else:
            self._begin += text
            self._decide()

    def end(self) -> None:
        if self._markup is not None:
            self._markup.end()
        self.flush()

    def flush(self) -> None:
        """Let out all that has come, whether it is complete or not."""
        if self._markup is not None:
            self._markup.flush()
        elif not self._plain:
            self._read_plain(self._begin)
        self._cleaner.flush()
        self._cutter.end()

    def ready(self) -> Iterator[Phrase]:
        while self._cutter.ready:
            yield self._cutter.ready.popleft()

    def _decide(self) -> None:
        begin = self._begin
        bare = begin.lstrip()
        if len(bare) <= len(_ROOT):
            self._plain = not _ROOT.startswith(bare)
        else:
            self._plain = not is_markup(bare)
            if not self._plain:
                self._markup = Markup(self._cutter, begin[: len(begin) - len(bare)], self._language)
                self._markup.push(bare)
        if self._plain:
            self._read_plain(begin)

    def _read_plain(self, text: str) -> None:
        self._cleaner.read(text, self._at)
        self._at += len(text)
