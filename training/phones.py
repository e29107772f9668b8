"""How the mouth stands for each phone: the targets of the teacher, and the Oculus viseme of each phone.

This table is English's; `phones_zh` and `phones_ja` are Mandarin's and Japanese's. Symbols are IPA as hibari writes it:
A I O W Y are the diphthongs of "say, sigh, so, sow, soy", ʧ ʤ the affricates.
Amplitudes are those of a lively speaker in ARKit weights; facts on articulation after JALI (Edwards et al. 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from npc_engine.expression.window import VISEMES

VISEME: Final = {name: index for index, name in enumerate(VISEMES)}
SILENCE: Final = "sil"
RHOTIC: Final = "ɝ"  # the vowel of American "bird" and "butter": one sound and one shape, though voices write ɜɹ and əɹ


@dataclass(frozen=True)
class Target:
    """Where a phone pulls the mouth; `hold` says how strongly, 0 leaves that part of the mouth to its neighbours."""

    viseme: str
    jaw: float = 0.0
    jaw_hold: float = 1.0
    funnel: float = 0.0
    pucker: float = 0.0
    smile: float = 0.0
    stretch: float = 0.0
    upper: float = 0.0  # upper lip up
    lower: float = 0.0  # lower lip down
    lip_hold: float = 1.0
    round_hold: float = 1.0
    tongue: float = 0.0  # tip up
    out: float = 0.0  # tip between the teeth
    vowel: bool = False
    seals: bool = False  # p b m: the lips meet, whatever comes before and after
    bites: bool = False  # f v: the lower lip meets the upper teeth
    hisses: bool = False  # s z ʃ ʒ and their affricates: the teeth nearly meet


def vowel(viseme: str, jaw: float, **rest: float) -> Target:
    """A vowel; one that is rounded holds its rounding more than others hold their spreading."""
    rounded = rest.get("funnel", 0) + rest.get("pucker", 0) > 0
    return Target(viseme, jaw, vowel=True, round_hold=1.0 if rounded else 0.6, **rest)  # type: ignore[arg-type]


def tongue_only(viseme: str, jaw: float, tongue: float = 0.0, **rest: float) -> Target:
    """A phone whose lips belong to its neighbours; the jaw comes up somewhat, for the tongue to reach."""
    return Target(viseme, jaw, 0.45, lip_hold=0.06, round_hold=0.03, tongue=tongue, **rest)  # type: ignore[arg-type]


def hissing(viseme: str, jaw: float, **rest: float) -> Target:
    """A sibilant: the teeth nearly meet."""
    held: dict[str, float] = {"lip_hold": 0.5, "round_hold": 0.2, "tongue": 0.3, **rest}
    return Target(viseme, jaw, hisses=True, **held)  # type: ignore[arg-type]


_A = vowel("aa", 0.48, stretch=0.05, upper=0.06, lower=0.15)
_OPEN_E = vowel("E", 0.34, smile=0.10, stretch=0.14, upper=0.08, lower=0.14)
_NEAR_I = vowel("I", 0.20, smile=0.15, stretch=0.15, upper=0.06, lower=0.10)
_NEAR_U = vowel("U", 0.18, funnel=0.22, pucker=0.30, lower=0.03)
_OPEN_O = vowel("O", 0.40, funnel=0.22, pucker=0.10, upper=0.03, lower=0.07)
_O = vowel("O", 0.30, funnel=0.28, pucker=0.30, lower=0.05)
_SCHWA = Target(
    "aa", 0.21, 0.6, smile=0.02, stretch=0.04, upper=0.03, lower=0.08, lip_hold=0.5, round_hold=0.3, vowel=True
)
_SH = hissing(
    "CH",
    0.08,
    jaw_hold=0.9,
    funnel=0.45,
    pucker=0.16,
    upper=0.08,
    lower=0.10,
    lip_hold=0.8,
    round_hold=0.9,
    tongue=0.25,
)
RETROFLEX_HISS = hissing("CH", 0.08, jaw_hold=0.9, funnel=0.34, pucker=0.10, upper=0.08, lower=0.10, round_hold=0.8)
_S = hissing("SS", 0.05, smile=0.08, stretch=0.16, upper=0.05, lower=0.12, lip_hold=0.35)
_TH = Target("TH", 0.11, 0.7, upper=0.04, lower=0.10, lip_hold=0.3, round_hold=0.15, tongue=0.65, out=0.10)
_SEAL = Target("PP", 0.10, 0.3, lip_hold=0.1, round_hold=0.08, seals=True)
_BITE = Target("FF", 0.06, 1.0, lip_hold=0.2, round_hold=0.15, bites=True)
_R = Target("RR", 0.12, 0.5, funnel=0.26, pucker=0.16, lower=0.04, lip_hold=0.4, round_hold=0.6, tongue=0.3)
_W = Target("U", 0.06, 0.8, funnel=0.26, pucker=0.62, lip_hold=0.8, round_hold=1.3)
_REST = Target(SILENCE, 0.0, 0.5, lip_hold=0.4, round_hold=0.3)

TARGETS: Final[dict[str, tuple[Target, ...]]] = {
    SILENCE: (_REST,),
    "p": (_SEAL,), "b": (_SEAL,), "m": (_SEAL,),
    "f": (_BITE,), "v": (_BITE,), "ʋ": (_BITE,),
    "θ": (_TH,), "ð": (_TH,),
    "t": (tongue_only("DD", 0.11, 0.7),), "d": (tongue_only("DD", 0.12, 0.7),),
    "ɾ": (tongue_only("DD", 0.16, 0.6),), "T": (tongue_only("DD", 0.16, 0.6),),
    "n": (tongue_only("nn", 0.12, 0.7),), "l": (tongue_only("nn", 0.17, 0.8),),
    "ŋ": (tongue_only("nn", 0.15),), "k": (tongue_only("kk", 0.14),), "ɡ": (tongue_only("kk", 0.14),),
    "x": (tongue_only("kk", 0.16),), "h": (Target("kk", 0.2, 0.05, lip_hold=0.02, round_hold=0.02),),
    "ʔ": (Target("kk", 0.1, 0.05, lip_hold=0.02, round_hold=0.02),),
    "s": (_S,), "z": (_S,), "ʃ": (_SH,), "ʒ": (_SH,), "ʧ": (_SH,), "ʤ": (_SH,),
    "ɹ": (_R,), "r": (_R,), "w": (_W,), "j": (Target("I", 0.14, 0.6, smile=0.18, stretch=0.14, lip_hold=0.5),),
    "ɑ": (_A,), "a": (_A,), "ɒ": (vowel("aa", 0.42, funnel=0.12, pucker=0.04, lower=0.10),),
    "æ": (vowel("aa", 0.44, smile=0.08, stretch=0.15, upper=0.08, lower=0.17),),
    "ʌ": (vowel("aa", 0.36, stretch=0.05, upper=0.05, lower=0.12),),
    "ɐ": (_SCHWA,), "ə": (_SCHWA,), "ᵊ": (_SCHWA,), "ᵻ": (_NEAR_I,), "ɨ": (_NEAR_I,),
    "ɛ": (_OPEN_E,), "e": (vowel("E", 0.28, smile=0.18, stretch=0.16, upper=0.07, lower=0.12),),
    "ɪ": (_NEAR_I,), "i": (vowel("I", 0.15, smile=0.28, stretch=0.20, upper=0.07, lower=0.11),),
    "ɔ": (_OPEN_O,), "o": (_O,), "ʊ": (_NEAR_U,), "u": (vowel("U", 0.13, funnel=0.22, pucker=0.55),),
    "ɜ": (vowel("E", 0.25, funnel=0.20, pucker=0.08, lower=0.08),),
    "ɚ": (vowel("RR", 0.17, funnel=0.22, pucker=0.10, lower=0.05),),
    RHOTIC: (vowel("RR", 0.18, funnel=0.24, pucker=0.12, lower=0.05),),
    "A": (_OPEN_E, _NEAR_I), "I": (_A, _NEAR_I), "O": (_O, _NEAR_U), "Q": (_SCHWA, _NEAR_U), "W": (_A, _NEAR_U),
    "Y": (_OPEN_O, _NEAR_I),
}  # fmt: skip
"""Phone → its target, or both targets of a diphthong."""

OPEN_VOWELS: Final = frozenset("ɑaæʌɒIW")
"""Vowels whose opening sets the scale that closure is measured on."""

VOWELS: Final = frozenset(symbol for symbol, targets in TARGETS.items() if targets[0].vowel)
BILABIALS: Final = frozenset("pbm")
LIP_TO_TEETH: Final = frozenset("fv")
