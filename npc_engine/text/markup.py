"""The SSML that a text is written in, read as it comes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from xml.parsers import expat

from npc_engine.cast import near
from npc_engine.text.cleaning import Cleaner, clean
from npc_engine.text.cutter import Cutter
from npc_engine.text.markup_errors import MarkupError
from npc_engine.text.markup_values import bounded, emphasis, pause, prosody
from npc_engine.text.phrases import PLAIN, Prosody
from npc_engine.text.spoken import Said, say_as

_Value = TypeVar("_Value")

_LONGEST_TAG: Final = 4_000  # characters; also of a comment
_LONGEST_SAID: Final = 200  # characters of an alias or of phones, so that they fit into a phrase
_PIECE: Final = re.compile("[^<>]+|[<>]")  # so that the length of a tag is seen before its end, however it came
_SPACE: Final = re.compile(r"\s")
_DEEPEST: Final = 32  # elements inside each other
_NAMESPACE: Final = "http://www.w3.org/2001/10/synthesis"

_ATTRIBUTES: Final = {
    "speak": ("version", "xmlns", "xml:lang"),
    "p": ("xml:lang",),
    "s": ("xml:lang",),
    "break": ("time", "strength"),
    "prosody": ("rate", "pitch", "range", "volume"),
    "emphasis": ("level",),
    "say-as": ("interpret-as", "format"),
    "sub": ("alias",),
    "phoneme": ("alphabet", "ph"),
    "mark": ("name",),
}
_NEEDED: Final = {"say-as": "interpret-as", "sub": "alias", "phoneme": "ph", "mark": "name"}
_TEXT_ONLY: Final = ("say-as", "sub", "phoneme")
_EMPTY: Final = ("break", "mark")


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet."""

    name: str
    attributes: dict[str, str]
    line: int
    column: int
    prosody: Prosody
    language: str
    text: list[tuple[str, int, int]] = field(default_factory=list)  # of say-as, sub and phoneme: character, place

    def error(self, reason: str) -> MarkupError:
        """What is wrong with it, told where it begins."""
        return MarkupError(reason, self.line, self.column)


class Markup:
    """SSML in, a piece at a time; letters, styles, marks and pauses out to a cutter.

    `before` is the space that the text begins with. Raises `MarkupError` from
    `push` as soon as a fault is there, and from `end` when something is still open. Entities can't be declared, so none
    can grow or reach for a file.
    """

    def __init__(self, cutter: Cutter, before: str, language: str) -> None:
        self._cutter = cutter
        self._cleaner = Cleaner(cutter.put, cutter.put_words)
        self._language = language
        self._open: list[_Open] = []
        self._literal = False  # inside CDATA
        self._return = ""  # a CR that may be half of a line's end
        self._window = bytearray()  # UTF-8 of what was fed, from `_byte` on
        self._byte = self._fed = 0
        self._char = len(before)  # place of the window's first character in the line's text
        spaces = "".join(c if c in "\r\n" else " " for c in before)
        self._parser = expat.ParserCreate("utf-8")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # newer expats wait for more text than they need
            self._parser.SetReparseDeferralEnabled(False)  # the cost that this saves is bounded by _LONGEST_TAG
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartCdataSectionHandler = lambda: self._set_literal(literal=True)
        self._parser.EndCdataSectionHandler = lambda: self._set_literal(literal=False)
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.ProcessingInstructionHandler = self._refuse_instruction
        self._parser.Parse(spaces.encode(), False)
        self._fed = self._byte = len(spaces)

    def push(self, text: str) -> None:
        """Read on."""
        # expat counts one line for a CR and a LF that come together, and two for the same two apart
        text = self._return + text
        self._return = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r")
        for piece in _PIECE.findall(text):
            raw = piece.encode("utf-8", "surrogatepass")  # half a character is an error of the markup, not of ours
            self._window += raw
            self._fed += len(raw)
            self._parse(raw, last=False)
            waiting = self._fed - self._parser.CurrentByteIndex
            if waiting > _LONGEST_TAG:
                raise self._error(f"a tag or comment of more than {_LONGEST_TAG:,} bytes")

    def end(self) -> None:
        """The text is complete; raises `MarkupError` when its markup is not."""
        if self._open:
            last = self._open[-1]
            raise last.error(f"the text ended inside <{last.name}>: expected </{last.name}>")
        self._parse(self._return.encode(), last=True)
        self.flush()

    def flush(self) -> None:
        """Let out what waits for accents or digits."""
        self._cleaner.flush()

    def _parse(self, raw: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(raw, last)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            if self._open and reason == "mismatched tag":
                reason = f"expected </{self._open[-1].name}> for line {self._open[-1].line}"
            elif reason == "junk after document element":
                reason = "expected nothing after </speak>"
            elif reason == "undefined entity":
                reason = "unknown entity: expected &amp; &lt; &gt; &quot; &apos; or a number such as &#233;"
            elif "token" in reason:
                reason += "; a < or & that is spoken is written &lt; or &amp;"
            raise MarkupError(reason, error.lineno, error.offset + 1) from error

    def _error(self, reason: str) -> MarkupError:
        return MarkupError(reason, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)

    def _checked(self, read: Callable[[], _Value]) -> _Value:
        """What `read` gives; what is wrong with a value is told with its place."""
        try:
            return read()
        except ValueError as error:
            raise self._error(str(error)) from error

    def _here(self) -> int:
        """The place in the line's text of what the parser has just read."""
        count = self._parser.CurrentByteIndex - self._byte
        self._char += len(self._window[:count].decode("utf-8", "surrogatepass"))
        del self._window[:count]
        self._byte += count
        return self._char

    def _set_literal(self, *, literal: bool) -> None:
        self._literal = literal

    def _refuse_doctype(self, name: str, *_: object) -> None:
        raise self._error(f"<!DOCTYPE {name}>: expected no document type")

    def _refuse_instruction(self, target: str, _: str) -> None:
        raise self._error(f"<?{target}?>: expected no processing instruction")

    def _data(self, data: str) -> None:
        at = self._here()
        if not self._literal and self._window.startswith(b"&"):  # an entity: one character that was written longer
            self._letter(data, at, at + self._window.index(b";") + 1)
            return
        if self._open[-1].name not in (*_TEXT_ONLY, *_EMPTY):
            self._cleaner.read(_SPACE.sub(" ", data), at)
            return
        for character in data:
            self._letter(character, at, at + 1)
            at += 1

    def _letter(self, character: str, begins: int, ends: int) -> None:
        if character.isspace():
            character = " "  # a line's end has no meaning in SSML; p and s have
        if self._open[-1].name in _EMPTY and character != " ":
            raise self._error(f"text inside <{self._open[-1].name}>: it holds nothing")
        if self._open[-1].name in _TEXT_ONLY:
            self._open[-1].text.append((character, begins, ends))
        else:
            self._cleaner.push(character, begins, ends)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._cleaner.flush()
        parent = self._open[-1] if self._open else None
        self._check_place(name, parent)
        self._check_attributes(name, attributes)
        language = attributes.get("xml:lang") or (parent.language if parent else self._language)
        before = parent.prosody if parent else PLAIN
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        opened = _Open(name, attributes, line, column, before, language)
        self._open.append(opened)
        match name:
            case "prosody":
                opened.prosody = self._checked(lambda: bounded(before * prosody(attributes)))
                self._cutter.style(opened.prosody)
            case "emphasis":
                opened.prosody = self._checked(lambda: bounded(before * emphasis(attributes.get("level", "moderate"))))
                self._cutter.style(opened.prosody)
            case "break":
                self._cutter.pause(self._checked(lambda: pause(attributes.get("time"), attributes.get("strength"))))
            case "mark":
                self._cutter.mark(attributes["name"])
            case "p" | "s":
                self._cutter.boundary()

    def _check_place(self, name: str, parent: _Open | None) -> None:
        if name not in _ATTRIBUTES:
            raise self._error(f"unknown element <{name}>: expected {', '.join(_ATTRIBUTES)}{near(name, _ATTRIBUTES)}")
        if parent is not None and name == "speak":
            raise self._error("<speak> inside <speak>")
        if parent is not None and parent.name in (*_TEXT_ONLY, *_EMPTY):
            holds = "text only" if parent.name in _TEXT_ONLY else "nothing"
            raise self._error(f"<{name}> inside <{parent.name}>: it holds {holds}")
        if len(self._open) >= _DEEPEST:
            raise self._error(f"more than {_DEEPEST} elements inside each other")

    def _check_attributes(self, name: str, attributes: dict[str, str]) -> None:
        known = _ATTRIBUTES[name]
        for key in attributes:
            if key not in known:
                expected = ", ".join(known) or "none"
                raise self._error(f"unknown attribute {key!r} of <{name}>: expected {expected}{near(key, known)}")
        needed = _NEEDED.get(name)
        if needed and not attributes.get(needed, "").strip():
            raise self._error(f'<{name}> without {needed}: expected {needed}="…"')
        if attributes.get("version", "1.1") not in {"1.0", "1.1"}:
            raise self._error(f"version {attributes['version']!r}: expected 1.0 or 1.1")
        if attributes.get("xmlns", _NAMESPACE) != _NAMESPACE:
            raise self._error(f"xmlns {attributes['xmlns']!r}: expected {_NAMESPACE}")
        if attributes.get("alphabet", "ipa") != "ipa":
            raise self._error(f"alphabet {attributes['alphabet']!r}: expected ipa")
        long = [key for key in ("alias", "ph") if len(attributes.get(key, "")) > _LONGEST_SAID]
        if long:
            raise self._error(f"{long[0]} of {len(attributes[long[0]])} characters: expected at most {_LONGEST_SAID}")

    def _end(self, name: str) -> None:
        self._cleaner.flush()
        closed = self._open.pop()
        if name in _TEXT_ONLY:
            self._say(closed)
        if name in {"p", "s", "speak"}:
            self._cutter.boundary()
        if self._open and self._open[-1].prosody is not closed.prosody:
            self._cutter.style(self._open[-1].prosody)

    def _say(self, said: _Open) -> None:
        """The word or words that a say-as, sub or phoneme makes of its text."""
        letters = said.text
        while letters and letters[0][0] == " ":
            letters = letters[1:]
        while letters and letters[-1][0] == " ":
            letters = letters[:-1]
        text = "".join(character for character, _, _ in letters)
        if not text:
            raise said.error(f"<{said.name}> without text: expected what a reader sees")
        if said.name == "say-as":
            kind, form = said.attributes["interpret-as"], said.attributes.get("format", "")
            try:
                parts = say_as(kind, form, text, said.language)
            except ValueError as error:
                raise said.error(str(error)) from error
        else:
            parts = [Said(said.attributes.get("alias", text), 0, len(text))]
        ipa = said.attributes.get("ph", "").strip()
        for spoken, first, last, read in parts:
            plain = " ".join(clean(spoken).text.split())
            if not any(c.isalnum() for c in plain):
                if said.name == "say-as":
                    continue  # a character that has no name, such as an emoji
                raise said.error(f"nothing to speak in {spoken!r}: expected at least one letter or digit")
            if len(plain) > _LONGEST_SAID:
                raise said.error(f"<{said.name}> of {len(plain)} characters: expected at most {_LONGEST_SAID}")
            self._cutter.atom(plain, text[first:last], letters[first][1], letters[last - 1][2], ipa or read)
