"""What Japanese adds to the phones of `training.phones`, and what it says otherwise.

Lips move less than in English: u is not rounded but compressed, o is rounded weakly, and ɸ brings the lips near each
other without touching the teeth (Okada 1991, "Japanese", Journal of the International Phonetic Association 21).
"""

from __future__ import annotations

from typing import Final

from training.phones import TARGETS, Target, hissing, tongue_only, vowel

_PALATAL_HISS = hissing("CH", 0.07, smile=0.08, stretch=0.14, funnel=0.05, upper=0.04, lower=0.10, lip_hold=0.5)

JAPANESE: Final[dict[str, tuple[Target, ...]]] = {
    **TARGETS,
    "ɕ": (_PALATAL_HISS,), "ʑ": (_PALATAL_HISS,), "ʨ": (_PALATAL_HISS,), "ʥ": (_PALATAL_HISS,),
    "ʦ": TARGETS["s"], "ʣ": TARGETS["z"],
    "ɯ": (vowel("U", 0.13, funnel=0.10, pucker=0.20, lower=0.04),),
    "u": (vowel("U", 0.13, funnel=0.10, pucker=0.22, lower=0.04),),
    "ɨ": (vowel("I", 0.10, stretch=0.12, upper=0.04, lower=0.10),),
    "o": (vowel("O", 0.28, funnel=0.20, pucker=0.20, lower=0.06),),
    "ɸ": (Target("U", 0.07, 0.9, funnel=0.16, pucker=0.22, lip_hold=0.6, round_hold=0.7),),
    "β": (Target("U", 0.08, 0.8, funnel=0.14, pucker=0.30, lip_hold=0.6, round_hold=0.9),),
    "ɴ": (tongue_only("nn", 0.13),), "ɲ": (tongue_only("nn", 0.13, 0.6),),
}  # fmt: skip
"""Phone → its target, or both targets of a diphthong."""
