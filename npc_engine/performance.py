"""The whole flow: text, speech, expression, picture, moment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from npc_engine.ahead import ahead
from npc_engine.expression.idle import at_rest
from npc_engine.expression.joining import joined
from npc_engine.moments import NEUTRAL, Exp, Expression, Line, Moment, SpeechChunk

SPEECH_DEPTH = 2  # clauses: one being heard by the mouth, one ready, so a slow voice overlaps with drawing


class Voice(Protocol):
    """Speaks lines."""

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the line's speech, clause by clause; raises `SpeechError` for text it can't speak."""
        ...


class Mouth(Protocol):
    """Turns speech into expressions (Audio2Exp, limits, style and life)."""

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        """Yield one expression per tick; the first leaves as soon as its look-ahead has been heard."""
        ...


class Face(Protocol):
    """Draws expressions."""

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with pictures as the line's outputs ask."""
        ...


class NoFace:
    """The face of a line that wants no pictures: sound and coefficients go through as they are."""

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment without a picture per expression."""
        for e in expressions:
            yield Moment(e.line, e.tick, e.sound, e.exp, None, e.words, e.marks)


@dataclass(frozen=True, slots=True)
class Npc:
    """A character that is ready to speak."""

    name: str
    voice: Voice
    mouth: Mouth
    face: Face
    style: str = "lively"  # of lines that name none


def in_style(line: Line, npc: Npc) -> Line:
    """The line in the character's own style, where it names none."""
    return line if line.style else replace(line, style=npc.style)


def perform(
    line: Line,
    npc: Npc,
    begin: Exp = NEUTRAL,
    breath: float = 0.0,
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Generator[Moment, None, None]:
    """Speak `line`, or live it in silence: moments in order, one per tick. Closing the iterator stops every stage.

    `begin` f32[50]: the face that the line begins with, where another one has just been left, and its `breath`, 0..1.
    `waiting()` is entered while the voice is waited for.
    """
    line = in_style(line, npc)
    face = npc.face if line.outputs.picture else NoFace()
    if line.attitude:
        yield from face.draw(_from(begin, breath, at_rest(line)))
        return
    speech = ahead(npc.voice.speak(line), depth=SPEECH_DEPTH, name=f"speech {line.id}", waiting=waiting)
    try:
        yield from face.draw(_from(begin, breath, npc.mouth.express(speech)))
    finally:
        speech.close()


def _from(begin: Exp, breath: float, expressions: Iterable[Expression]) -> Iterable[Expression]:
    return joined(expressions, begin, breath) if begin.any() else expressions
