"""American symbols as a British speaker says them: by rule, from how vowels correspond (Wells 1982, lexical sets)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from npc_engine.speech.reading import Reading

_VOWELS: Final = "AIOQWYaæɑɐɒɔəɛɜɪiuʊʌᵊᵻ"
_STRESS: Final = "ˈˌ"
_BATH: Final = re.compile(
    r"(after|ask|bask|task|mask|flask|path|bath|grass|glass|class|brass|pass|last|fast|past|cast|mast|vast|blast|"
    r"nasty|plaster|disaster|can't|shan't|aunt|dance|chance|glance|france|advance|lance|prance|trance|answer|half|"
    r"calf|laugh|draught|draft|craft|shaft|raft|staff|castle|plant|grant|slant|branch|command|demand|example|"
    r"sample|basket|casket|rather|lather|ghastly|master|banana|moustache|giraffe|advantage)",
)
"""Words in which the a of `trap` is that of `palm`."""
_PALM: Final = re.compile(r"(father|palm|calm|balm|spa\b|drama|llama|mama|papa|garage|raja|saga|lava|half|aria|bah\b)")
_CLOTH: Final = re.compile(r"ɔ(?=[ŋfsθɡ])")  # long, off, cross, cloth, dog: short in British

_R_COLOURED: Final = {"ɑ": "ɑː", "ɔ": "ɔː", "ɜ": "ɜː", "ə": "ə", "ɛ": "ɛː", "ɪ": "ɪə", "i": "ɪə", "ʊ": "ʊə", "u": "ʊə"}
_CENTRING: Final = {"I": "Iə", "W": "Wə", "A": "ɛː", "O": "ɔː"}
_SIMPLE: Final = {"O": "Q", "u": "uː", "T": "t", "ɜ": "ɜː", "ɔ": "ɔː"}


def british(reading: Reading, words: Sequence[str]) -> Reading:
    """A reading in American symbols as one in British symbols; `words` are the words as they are written."""
    out: list[tuple[str, int]] = []
    pairs = list(zip(reading.symbols, reading.words, strict=True))
    for i, (symbol, word) in enumerate(pairs):
        text = words[word].lower() if word >= 0 else ""
        before = pairs[i - 1][0] if i else ""
        after = _next_sound(pairs, i)
        if symbol == "ɹ" and before and before in _VOWELS and after not in _VOWELS:
            continue
        out += [(s, word) for s in _sound(pairs, i, text)]
    return Reading("".join(s for s, _ in out), tuple(w for _, w in out))


def _sound(pairs: Sequence[tuple[str, int]], i: int, text: str) -> str:  # noqa: PLR0911 - a table with conditions
    symbol = pairs[i][0]
    following = pairs[i + 1][0] if i + 1 < len(pairs) else ""
    if following == "ɹ":
        # "very" keeps its short vowel, because its r begins a syllable
        inside = _next_sound(pairs, i + 1) in _VOWELS and pairs[i + 1][1] == _owner_of_next(pairs, i + 1)
        if symbol in _R_COLOURED and not (inside and symbol in "ɛɪ"):
            return _R_COLOURED[symbol]
        if symbol in _CENTRING and not inside:
            return _CENTRING[symbol]
    if symbol == "æ":
        return "ɑː" if _BATH.search(text) else "a"
    if symbol == "ɑ":
        return "ɑː" if _PALM.search(text) else "ɒ"
    if symbol == "ɔ" and _CLOTH.match(symbol + following):
        return "ɒ"
    if symbol == "i":
        stressed = i > 0 and pairs[i - 1][0] in _STRESS
        last = i + 1 == len(pairs) or pairs[i + 1][1] != pairs[i][1]
        return "i" if last and not stressed else "iː"
    return _SIMPLE.get(symbol, symbol)


def _next_sound(pairs: Sequence[tuple[str, int]], i: int) -> str:
    """The sound after symbol i, over stress marks and a space (the r of "far away" is said); "-" at the end."""
    for symbol, _ in pairs[i + 1 : i + 4]:
        if symbol not in _STRESS and symbol != " ":
            return symbol
    return "-"


def _owner_of_next(pairs: Sequence[tuple[str, int]], i: int) -> int:
    return next((word for symbol, word in pairs[i + 1 : i + 3] if symbol not in _STRESS), -1)
