"""IPA as people write it, in the symbols of hibari and Kokoro for American English."""

from __future__ import annotations

import unicodedata
from typing import Final

from npc_engine.speech.errors import SpeechError, short

VOWELS: Final = "AIOWYæɑɔəɛɜɪiuʊʌᵊᵻ"
STRESS: Final = "ˈˌ"

# Longest first. Diphthongs, affricates and r-coloured vowels are one symbol or two of the voices' own; sounds that
# English has not are said as the nearest that it has.
_PAIRS: Final[dict[str, str]] = {
    "eɪ": "A", "ei": "A", "aɪ": "I", "ai": "I", "oʊ": "O", "ou": "O", "əʊ": "O", "aʊ": "W", "au": "W",
    "ɔɪ": "Y", "ɔi": "Y",
    "tʃ": "ʧ", "dʒ": "ʤ", "ɜr": "ɜɹ", "ɜɹ": "ɜɹ", "ɝ": "ɜɹ", "ɚ": "əɹ", "ɪə": "ɪɹ", "eə": "ɛɹ", "ɛə": "ɛɹ", "ʊə": "ʊɹ",
    "tɕ": "ʧ", "dʑ": "ʤ", "tʂ": "ʧ", "dʐ": "ʤ",
}  # fmt: skip
_SINGLE: Final[dict[str, str]] = {
    **{c: c for c in "bdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒʤʧˈˌθᵊᵻ"},
    "g": "ɡ", "r": "ɹ", "ɫ": "l", "ɾ": "T", "ʔ": "t", "ʍ": "w", "e": "ɛ", "o": "O", "a": "ɑ", "ɒ": "ɑ", "ɐ": "ʌ",
    "ɨ": "ᵻ", "ɘ": "ə", "ɵ": "ʊ", "ʉ": "u", "y": "u", "ʏ": "ʊ", "ø": "ɜ", "œ": "ɜ", "ɞ": "ɜ", "ɶ": "ɑ",
    "ɯ": "u", "ɤ": "ʌ",
    "x": "k", "χ": "k", "ɣ": "ɡ", "ʁ": "ɹ", "ʀ": "ɹ", "ɻ": "ɹ", "ɽ": "ɹ", "β": "v", "ɸ": "f", "ʋ": "v", "ɱ": "m",
    "ɲ": "nj", "ʎ": "lj", "ɕ": "ʃ", "ʂ": "ʃ", "ʑ": "ʒ", "ʐ": "ʒ", "ç": "h", "ʝ": "j", "ɥ": "w", "ɰ": "w",
    "ɦ": "h", "ħ": "h",
    "c": "k", "ɟ": "ɡ", "q": "k", "ɢ": "ɡ", "ʈ": "t", "ɖ": "d", "ɳ": "n", "ɭ": "l", "ɴ": "ŋ", "ʦ": "ts", "ʣ": "dz",
    "ʨ": "ʧ", "ʥ": "ʤ", "ɬ": "l", "'": "ˈ", "ʼ": "", " ": " ",
}  # fmt: skip
_SYLLABIC: Final = "\u0329\u030d"
_UNHEARD: Final = frozenset(".‿|‖/[]-–ːˑ:ʰʷʲˠˤⁿˡ˞\u200d")  # syllables, links, length and colouring that English has not
_COLOURED: Final = "˞"


def symbols(ipa: str) -> str:
    """`ipa` in the voices' symbols, spaces kept; stress stands before its vowel there, before its syllable in IPA.

    Raises `SpeechError` naming a symbol that is no IPA, and for IPA without a sound.
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", ipa.strip().replace("ç", "\ue000")) if not _tie(c))
    plain = plain.replace("\ue000", "ç")
    found = ""
    at = 0
    while at < len(plain):
        if plain[at : at + 2] in _PAIRS:
            found += _PAIRS[plain[at : at + 2]]
            at += 2
        elif plain[at] in _PAIRS:
            found += _PAIRS[plain[at]]
            at += 1
        elif plain[at] == _COLOURED:
            found += "ɹ"
            at += 1
        elif plain[at] in _SYLLABIC:
            found = found[:-1] + "ᵊ" + found[-1:]
            at += 1
        elif plain[at] in _UNHEARD or unicodedata.combining(plain[at]):
            at += 1
        elif plain[at] in _SINGLE:
            found += _SINGLE[plain[at]]
            at += 1
        else:
            named = f"{plain[at]!r} (U+{ord(plain[at]):04X})"
            raise SpeechError(f"{named} in the IPA {short(ipa)} is no symbol that this voice knows")
    said = " ".join(_stressed(part.replace("ɹɹ", "ɹ")) for part in found.split())
    if not any(c not in " ˈˌ" for c in said):
        raise SpeechError(f"no sound in the IPA {short(ipa)}")
    return said


def _tie(character: str) -> bool:
    return character in "\u0361\u035c"


def _stressed(word: str) -> str:
    """`word` with each stress mark moved to the next vowel; one without a vowel after it is dropped."""
    out = ""
    waiting = ""
    for c in word:
        if c in STRESS:
            waiting = c
        elif c in VOWELS and waiting:
            out += waiting + c
            waiting = ""
        else:
            out += c
    return out
