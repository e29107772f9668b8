"""How emotions and styles change a voice.

The directions are those that reviews of acted speech agree on: Murray and Arnott 1993 ("Toward the simulation of
emotion in synthetic speech": anger, happiness, sadness, fear, disgust), Juslin and Laukka 2003 ("Communication of
emotions in vocal expression and music performance": tempo, intensity, level and variability of f0), and for surprise
Cahn 1990 ("The generation of affect in synthesized speech"). Where they differ (fear widens the range of f0 with the
first and narrows it with the second), the middle is taken.

The sizes are ours. Actors move their pitch by half and more; a voice whose pitch is moved afterwards sounds natural
only up to about an eighth, so pitch moves less than theirs and tempo, range, loudness and pauses say the rest.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from npc_engine.moments import EMOTIONS, STYLES
from npc_engine.text.phrases import PLAIN, Prosody

_EMOTIONS: Final[Mapping[str, Prosody]] = {
    "neutral": PLAIN,
    # faster, much higher, much wider, louder
    "happy": Prosody(rate=1.08, pitch=1.08, range=1.3, volume_db=2.0, pause=0.85),
    # slower, lower, narrower, softer, many pauses
    "sad": Prosody(rate=0.86, pitch=0.93, range=0.65, volume_db=-4.0, pause=1.5),
    # faster, higher, wider, much louder, few pauses
    "angry": Prosody(rate=1.1, pitch=1.05, range=1.25, volume_db=4.0, pause=0.75),
    # much faster, higher; wider with Murray and Arnott, narrower with Juslin and Laukka
    "afraid": Prosody(rate=1.12, pitch=1.08, range=1.0, volume_db=-1.0, pause=0.8),
    # faster, higher, much wider, louder
    "surprised": Prosody(rate=1.06, pitch=1.09, range=1.4, volume_db=2.0, pause=0.9),
    # much slower, lower, a little wider, softer
    "disgusted": Prosody(rate=0.86, pitch=0.94, range=1.1, volume_db=-2.0, pause=1.3),
}
_STYLES: Final[Mapping[str, Prosody]] = {
    "": PLAIN,
    "lively": PLAIN,
    "serious": Prosody(rate=0.95, pitch=0.97, range=0.75, volume_db=-0.5, pause=1.15),
    "cartoon": Prosody(rate=1.05, pitch=1.05, range=1.4, volume_db=1.0, pause=0.9),
}


def feeling(emotion: str, strength: float, style: str) -> Prosody:
    """The prosody of an emotion, `strength` 0..1 of it, in a style; "" and lively are the voice's own way.

    Half an emotion moves each factor to its square root, and volume by half its dB; strength 0 is neutral exactly.
    Raises `ValueError` for an unknown name, with the nearest known one, and for a strength that is not 0..1.
    """
    _check(emotion, "emotion", EMOTIONS)
    _check(style, "style", ("", *STYLES))
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}, expected 0 to 1")
    full = _EMOTIONS[emotion]
    part = Prosody(
        full.rate**strength,
        full.pitch**strength,
        full.range**strength,
        full.volume_db * strength,
        full.pause**strength,
    )
    return part * _STYLES[style]


def _check(name: str, kind: str, known: tuple[str, ...]) -> None:
    if name not in known:
        match = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {match[0]!r}?" if match else ""
        raise ValueError(f"unknown {kind} {name!r}{hint}; known: {', '.join(k for k in known if k)}")
