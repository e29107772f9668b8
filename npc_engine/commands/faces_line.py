"""Half a minute of real speech, and what a face makes of it: for checks, benches and sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from npc_engine.cast import Cast
from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.identity import DRAWN_AT, Judge
from npc_engine.moments import TICK_MS, Expression, Line, Moment, Outputs, Picture

if TYPE_CHECKING:
    from npc_engine.troupe import Troupe

TEXT: Final = (
    "The guard at the north gate will ask you for your papers. My brother sold his last good horse before the long "
    "winter came. Keep your voice down, or the miller will hear every single word! We found the old map under a loose "
    "board in the barn. What a wonderful surprise, the whole village has come to see you off! Bring me three pounds of "
    "iron, and I will mend that sword of yours by Friday. Nobody has crossed the river since the wooden bridge burned "
    "in spring. Whatever you do, never follow the voices that call from the moor after dark."
)
"""Half a minute, more or less with the voice; every viseme is in it."""
SECONDS: Final = 30.0  # of it, at most
VOICE: Final = "woman"  # of a face that no character has
JUDGED_EVERY: Final = 5  # ticks: ten pictures a second


@dataclass(frozen=True, slots=True)
class Seen:
    """How much a face was itself over a line."""

    scores: list[float]  # of the judged pictures, in order
    worst: Picture  # and the tick of it
    rest: Picture  # the first one, for comparison

    @property
    def mean(self) -> float:
        """Mean score."""
        return sum(self.scores) / len(self.scores)

    @property
    def least(self) -> float:
        """Score of the worst picture."""
        return min(self.scores)


def speaker(cast: Cast, face: str) -> tuple[str, str]:
    """Voice and style of the first character with this face, or of anybody's."""
    for spec in cast.characters().values():
        if spec.face == face:
            return spec.voice, spec.style
    return VOICE, "lively"


def spoken(troupe: Troupe, face: str, text: str = TEXT) -> list[Expression]:
    """The expressions of `text` in the voice and style of the character whose face it is, at most half a minute.

    Each asks for a picture of 512 pixels on every tick.
    """
    voice, style = speaker(troupe.cast, face)
    npc = troupe.npc("", voice)
    line = Line("faces", voice, text, style=style, outputs=Outputs(picture=DRAWN_AT, picture_every=1))
    expressions = troupe.mouth(style).express(npc.voice.speak(line))
    return [e for e in expressions if e.tick * TICK_MS < 1000 * SECONDS]


def asking(expressions: Iterable[Expression], size: int, every: int) -> list[Expression]:
    """The same expressions of a line that wants pictures of `size` pixels on every `every`-th tick."""
    expressions = list(expressions)
    line = replace(expressions[0].line, outputs=Outputs(picture=size, picture_every=every))
    return [replace(e, line=line) for e in expressions]


def judged(face: DrawnFace, judge: Judge, expressions: list[Expression], told: Callable[[int, int], None]) -> Seen:
    """Draw a line as for a game and judge ten of its pictures a second; `told` hears how many of how many are done."""
    drawn = face.draw(asking(expressions, DRAWN_AT, JUDGED_EVERY))
    scores: list[float] = []
    rest = worst = None
    for moment in drawn:
        if moment.picture is None:
            continue
        score = judge.score(moment.picture.pixels)
        rest = rest or moment.picture
        if worst is None or score < min(scores):
            worst = moment.picture
        scores.append(score)
        told(len(scores), -(-len(expressions) // JUDGED_EVERY))
    if worst is None or rest is None:
        raise ValueError("a line without expressions was to be judged, expected at least one")
    return Seen(scores, worst, rest)


def talk(face: DrawnFace, expressions: list[Expression], size: int) -> Iterable[Moment]:
    """The moments of a line with 25 pictures a second."""
    return face.draw(asking(expressions, size, 2))
