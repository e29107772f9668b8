"""CMU's phones (ARPABET) as the symbols of `training.phones`."""

from __future__ import annotations

from typing import Final

ARPABET: Final[dict[str, str]] = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AX": "ə", "AXR": "ɚ", "AY": "I", "B": "b", "CH": "ʧ",
    "D": "d", "DH": "ð", "DX": "ɾ", "EH": "ɛ", "ER": "ɜ", "EY": "A", "F": "f", "G": "ɡ", "HH": "h", "HV": "h",
    "IH": "ɪ", "IX": "ɨ", "IY": "i", "JH": "ʤ", "K": "k", "L": "l", "EL": "l", "M": "m", "EM": "m", "N": "n",
    "EN": "n", "NG": "ŋ", "OW": "O", "OY": "Y", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ",
    "UH": "ʊ", "UW": "u", "UX": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
    "SIL": "sil", "PAU": "sil", "H#": "sil", "SP": "sil", "SPN": "sil", "BRTH": "sil", "SSIL": "sil",
}  # fmt: skip


def symbol(name: str) -> str:
    """The symbol of a phone such as `AH0`, `ax` or `+NOISE+`; ValueError for one that is not in the table."""
    plain = name.strip("+<>()").rstrip("0123456789").upper()
    if name.startswith(("+", "<", "(")):
        return "sil"
    if plain not in ARPABET:
        raise ValueError(f"phone {name!r} is no ARPABET phone; known: {' '.join(ARPABET)}")
    return ARPABET[plain]
