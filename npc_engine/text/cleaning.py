"""Plain speakable text out of text as it comes, character by character, with every character's origin kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from npc_engine.text.words import is_cjk

LONGEST_WORD: Final = 40  # letters; longer runs are spoken in parts, because spelling networks read no more
LONGEST_NUMBER: Final = 15  # digits; longer ones are read digit by digit
_MOST_REPEATS: Final = 3  # of one punctuation mark
_MOST_ACCENTS: Final = 16  # on one letter; putting marks in their order takes the square of their number

_SAME: Final = {
    **dict.fromkeys("‐‑⁃−﹣－", "-"),
    **dict.fromkeys("‒–", "–"),
    **dict.fromkeys("―⸺⸻﹘", "—"),
    **dict.fromkeys("‘‚‛ʼ′ʹ＇`´", "'"),
    "’": "’",
    **dict.fromkeys("„‟″«»‹›＂", '"'),
    **dict.fromkeys("「『《〈｢﹁﹃", "“"),  # their sides tell "。」" from "。「"
    **dict.fromkeys("」』》〉｣﹂﹄", "”"),
    **dict.fromkeys("‥⋯", "…"),
    "⁄": "/",
    "№": "No. ",
    "℃": "°C",
    "℉": "°F",
    "｡": "。",
    "､": "、",
    "～": " ",
    **dict(zip("（）［］【】", "()[][]", strict=True)),
}
_KEPT: Final = "²³½¼¾™©®°§¶µ–—…’“”¿¡•¢£¥"  # these have a reading or a melody of their own
_WIDE: Final = "。！？；：，、"  # stay as they are here, because they end sentences and clauses without a space
_PLAIN_WORDS: Final = re.compile(f"(?:[A-Za-z]{{1,{LONGEST_WORD}}} )*[A-Za-z]{{2,{LONGEST_WORD}}}")
_LINE_ENDS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE: Final = frozenset(map(chr, [*range(0xFE00, 0xFE10), 0x20E3]))  # variation selectors, the keycap's frame
_SHAPES: Final = ((0x2190, 0x2192), (0x2193, 0x2200), (0x25A0, 0x2600), (0x27F0, 0x2800), (0x2900, 0x2980))
_ZERO_WIDTH_SPACE: Final = "\u200b"


class Letter(NamedTuple):
    """A character to speak, and what it came from."""

    text: str  # one character
    begins: int  # of the text as it came
    ends: int
    shown: str  # the characters there; "" for the second and later ones of what became several
    before: str  # what came just before it and is not spoken, such as a soft hyphen


@dataclass(frozen=True, slots=True)
class Clean:
    """Text to speak; its character i comes from character `origin[i]` of the text as it came."""

    text: str
    origin: tuple[int, ...]


def clean(text: str) -> Clean:
    """`text` with what can't be heard taken out and what looks alike written alike; letters and digits never go.

    Control characters and emoji and other decoration become a space (a newline stays one), invisible format
    characters go, letters of fonts and full width become plain, accents join their letter, a mark repeated more than
    three times is cut to three. Words of more than 40 letters are cut in parts and numbers of more than 15 digits in
    digits, by spaces. What no rule covers is left for the voice to judge.
    """
    letters: list[Letter] = []
    cleaner = Cleaner(letters.append)
    cleaner.read(text, 0)
    cleaner.flush()
    return Clean("".join(x.text for x in letters), tuple(x.begins for x in letters))


class Cleaner:
    """`clean`, a character at a time: what is certain goes to `put`; at most an accented letter or a number waits."""

    def __init__(self, put: Callable[[Letter], None], put_words: Callable[[str, int], None] | None = None) -> None:
        self._put = put
        self._put_words = put_words or self._put_each
        self._cluster = ""  # a character with the accents that have come
        self._begins = self._ends = 0
        self._return = False  # the last character was "\r"
        self._last = ""  # character that came out of the rules for single ones
        self._repeats = 0
        self._letters = 0  # of the word so far
        self._number: list[Letter] = []  # digits and commas, while they may become too many
        self._single = False  # the number is read digit by digit
        self._dropped: list[str] = []

    def read(self, text: str, at: int) -> None:
        """Add all of `text`, which stands at `at` of the text as it came; plain words go to `put_words` at once.

        The same as `push` for each character, which takes several times as long.
        """
        i = 0
        while i < len(text):
            if self._cluster == " " or not (self._cluster or self._last or self._dropped):
                match = _PLAIN_WORDS.match(text, i)
                if match is not None:
                    self._compose()
                    found = match.group()
                    last = match.end() - 1
                    self._put_words(found[:-1], at + i)
                    self._last = found[-2]
                    self._repeats = 1
                    self._letters = len(found) - found.rfind(" ") - 2
                    self._cluster = found[-1]  # an accent may follow it
                    self._begins = at + last
                    self._ends = at + last + 1
                    i = last + 1
                    continue
            self.push(text[i], at + i, at + i + 1)
            i += 1

    def push(self, character: str, begins: int, ends: int) -> None:
        """Add the character that stands at [begins, ends) of the text as it came."""
        if self._cluster:
            accent = character >= "\u0300" and unicodedata.category(character) in {"Mn", "Me"}
            if accent and len(self._cluster) <= _MOST_ACCENTS:
                self._cluster += character
                self._ends = ends
                return
            self._compose()
        self._cluster = character
        self._begins = begins
        self._ends = ends

    def flush(self) -> None:
        """Let out what waits for what follows."""
        self._compose()
        self._end_number()

    def _put_each(self, text: str, at: int) -> None:
        for i, character in enumerate(text, at):
            self._put(Letter(character, i, i + 1, character, ""))

    def _take_dropped(self) -> str:
        dropped = "".join(self._dropped)
        self._dropped.clear()
        return dropped

    def _compose(self) -> None:
        """What the cluster becomes goes on; may be nothing or several characters."""
        cluster = self._cluster
        if not cluster:
            return
        self._cluster = ""
        shown = cluster
        if cluster.isascii() and cluster.isprintable():
            pieces = cluster
        else:
            after_return, self._return = self._return, cluster == "\r"
            composed = unicodedata.normalize("NFC", cluster if cluster[0].isalnum() else cluster[0])
            pieces = "" if after_return and cluster == "\n" else "".join(map(self._plain, composed))
            if not pieces:
                self._dropped.append(cluster)
                return
            if len(pieces) > 1 and pieces[0].isdigit() and self._last.isdigit():  # 2⅓
                pieces = " " + pieces
        if shown not in {"\r", "\n"}:
            self._return = False
        for piece in pieces:
            if piece == " " and len(pieces) > 1 and shown:  # what is shown belongs to the number, not to its space
                self._bound(Letter(piece, self._begins, self._ends, "", ""))
                continue
            self._bound(Letter(piece, self._begins, self._ends, shown, ""))
            shown = ""

    def _plain(self, character: str) -> str:
        if character == "．":
            return "。" if is_cjk(self._last) else "."
        return _plain(character)

    def _bound(self, letter: Letter) -> None:
        """Repeats of a mark are cut short, words and numbers that are too long are cut in parts."""
        text = letter.text
        self._repeats = self._repeats + 1 if text == self._last else 1
        self._last = text
        if self._repeats > _MOST_REPEATS and not (text.isalnum() or text.isspace()):
            self._dropped.append(letter.shown)
            return
        if self._dropped:
            letter = letter._replace(before=self._take_dropped())
        if text.isdecimal() or (text == "," and self._number):
            self._letters = 0
            self._count(letter)
            return
        if self._number:
            self._end_number()
        if text.isalpha() and not is_cjk(text):
            self._letters += 1
            if self._letters > LONGEST_WORD:
                self._put(Letter(" ", letter.begins, letter.begins, "", ""))
                self._letters = 1
        else:
            self._letters = 0
        self._put(letter)

    def _count(self, letter: Letter) -> None:
        self._number.append(letter)
        if self._single:
            if letter.text != ",":
                self._spell(self._number)
                self._number = [letter]  # it is out; it stands here to say that the number goes on
        elif sum(x.text != "," for x in self._number) > LONGEST_NUMBER:
            self._single = True
            self._put(self._number[0])
            self._spell(self._number)
            self._number = [letter]

    def _spell(self, number: list[Letter]) -> None:
        """Let out all digits but the first, which is out, with spaces between them; commas go."""
        before = ""
        for letter in number[1:]:
            if letter.text == ",":
                before += letter.before + letter.shown
                continue
            self._put(Letter(" ", letter.begins, letter.begins, "", ""))
            self._put(letter._replace(before=before + letter.before))
            before = ""

    def _end_number(self) -> None:
        for letter in self._number[1:] if self._single else self._number:
            self._put(letter)
        self._number = []
        self._single = False


def _plain(character: str) -> str:
    """What one composed character becomes; may be empty or several characters."""
    if character in _SAME:
        return _SAME[character]
    if character in _KEPT or character in _WIDE or (character.isascii() and character.isprintable()):
        return character
    if _is_decoration(character):
        return " "
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return "\n" if character in _LINE_ENDS else " "
    if category == "Cf" or character in _INVISIBLE:
        return ""
    same = unicodedata.normalize("NFKC", character).replace("⁄", "/")  # letters of fonts, ligatures, ①, Ⅳ, ⅓
    return same if same.isascii() else character


def _is_decoration(character: str) -> bool:
    category, code = unicodedata.category(character), ord(character)
    return (
        category in {"So", "Sk", "Co", "Zs"}
        or category[0] == "P"
        or character == _ZERO_WIDTH_SPACE
        or (category == "Sm" and any(low <= code < high for low, high in _SHAPES))
        or (category == "Cn" and 0x1F000 <= code < 0x1FB00)  # emoji newer than this Python
    )
