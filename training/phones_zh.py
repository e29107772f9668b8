"""What Mandarin adds to the phones of `training.phones`, and what it says otherwise.

Symbols are IPA as misaki writes pinyin for Kokoro. Places of articulation after Lee and Zee 2003 ("Standard Chinese
(Beijing)", Journal of the International Phonetic Association 33).
"""

from __future__ import annotations

from typing import Final

from training.phones import RETROFLEX_HISS, TARGETS, Target, hissing, tongue_only, vowel

# zh ch sh: tongue tip back, lips a little forward; j q x: blade to the palate, lips spread as for i
_PALATAL_HISS = hissing("CH", 0.07, smile=0.14, stretch=0.18, upper=0.05, lower=0.11, lip_hold=0.6)
_APICAL = vowel("I", 0.10, stretch=0.14, upper=0.05, lower=0.12)  # the vowel of zhi and si: teeth stay near

MANDARIN: Final[dict[str, tuple[Target, ...]]] = {
    **TARGETS,
    "ʂ": (RETROFLEX_HISS,), "ʐ": (RETROFLEX_HISS,), "ꭧ": (RETROFLEX_HISS,), "ɻ": TARGETS["ɹ"],
    "ɕ": (_PALATAL_HISS,), "ʨ": (_PALATAL_HISS,), "ʥ": (_PALATAL_HISS,),
    "ʦ": TARGETS["s"], "ʣ": TARGETS["z"],
    "x": (tongue_only("kk", 0.20),),
    "ɨ": (_APICAL,),
    "ɤ": (vowel("E", 0.25, stretch=0.10, upper=0.03, lower=0.11),),
    "y": (vowel("U", 0.11, funnel=0.20, pucker=0.55),),
    "ɥ": (Target("U", 0.07, 0.8, funnel=0.22, pucker=0.58, lip_hold=0.8, round_hold=1.2),),
    "ɲ": (tongue_only("nn", 0.13, 0.6),),
}  # fmt: skip
"""Phone → its target, or both targets of a diphthong."""
