"""Chinese text as symbols of Kokoro: words by jieba, pinyin by pypinyin, IPA with tones by misaki."""

from __future__ import annotations

import difflib
import importlib.util
import logging
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

from npc_engine.speech.errors import NotInstalled, SpeechError, short
from npc_engine.speech.reading import Reading

NEEDS: Final = ("misaki", "jieba", "pypinyin", "cn2an")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
PAUSES: Final = {"，": ",", "、": ",", "。": ".", "！": "!", "？": "?", "：": ":", "；": ";", "·": " ", "–": "—"}
"""Punctuation in the network's own."""
_KEPT: Final = ';:,.!?—…"()“”'
_NEUTRAL: Final = "\u032f"  # misaki writes it under vowels that are no syllable; the network does not know it


class ChineseReader:
    """Loads its dictionaries once; safe from several threads at once."""

    def __init__(self, name: str) -> None:
        absent = [module for module in NEEDS if importlib.util.find_spec(module) is None]
        if absent:
            raise NotInstalled(
                f"voice {name!r} reads Chinese with {', '.join(absent)}: run pip install 'npc-engine[chinese]'"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their own, at import
            import cn2an
            import jieba
            from misaki.zh import ZHG2P
            from pypinyin import Style, lazy_pinyin

            logging.getLogger("jieba").setLevel(logging.WARNING)
            self._cutter: Any = jieba.Tokenizer()
            self._cutter.initialize()
            self._numbers: Any = cn2an.transform
            self._ipa: Any = ZHG2P.py2ipa
            self._pinyin: Any = lambda word: lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)

    def read(self, text: str, words: Sequence[tuple[int, int]]) -> Reading:
        """How `text` is read, whose words are the characters `words`; numbers are read in Chinese.

        Raises `SpeechError` naming a character without a known reading.
        """
        spoken: str = self._numbers(text, "an2cn")
        owner = owners(text, words, spoken)
        found: list[tuple[str, int]] = []
        at = 0
        for word in self._cutter.lcut(spoken):
            if _HAN.fullmatch(word):
                if found and found[-1][0] not in " (“":
                    found.append((" ", -1))
                for i, syllable in enumerate(self._syllables(word, text)):
                    found += [(s, owner[at + i]) for s in syllable]
            else:
                for character in word:
                    said = PAUSES.get(character, character)
                    if said in _KEPT or (said == " " and found and found[-1][0] != " "):
                        found.append((said, -1))
            at += len(word)
        return Reading("".join(s for s, _ in found), tuple(w for _, w in found))

    def _syllables(self, word: str, text: str) -> list[str]:
        syllables = []
        for character, pinyin in zip(word, self._pinyin(word), strict=True):
            try:
                syllables.append(self._ipa(pinyin).replace(_NEUTRAL, ""))
            except (ValueError, KeyError, IndexError, AssertionError) as error:
                raise SpeechError(
                    f"no reading is known for {character!r} (U+{ord(character):04X}) in {short(text)}"
                ) from error
        return syllables


def owners(text: str, words: Sequence[tuple[int, int]], spoken: str) -> list[int]:
    """For each character of `spoken`, which is `text` with numbers written out, the word that it belongs to; or -1."""
    old = [-1] * len(text)
    for index, (first, last) in enumerate(words):
        old[first:last] = [index] * (last - first)
    found: list[int] = []
    matcher = difflib.SequenceMatcher(None, text, spoken, autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            found += old[a0:a1]
        else:
            near = [w for w in old[a0:a1] if w >= 0] or [w for w in reversed(old[:a1]) if w >= 0][:1] or [-1]
            found += [near[min(i * len(near) // max(b1 - b0, 1), len(near) - 1)] for i in range(b1 - b0)]
    return found
