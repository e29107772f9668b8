"""Characters whose voice, mouth or face goes wrong, each in its own way, beside anna and ben, who are well."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NoReturn

import numpy as np
from tone import ToneStage, ToneVoice

from npc_engine.frames.encode import best_format, encode_picture
from npc_engine.moments import TICK_SAMPLES, Expression, Line, Moment, Picture, Pixels, SpeechChunk
from npc_engine.performance import Face, Mouth, Npc, Voice

TEXT = "one two three four five six seven eight"  # 40 ticks, in two clauses of tests/tone.py


class FaultyVoice:
    """Speaks as a ToneVoice does; `fault` gets the clause of this number in place of the game, and what is left."""

    def __init__(self, fault: Callable[[SpeechChunk], Iterable[SpeechChunk]], clause: int = 0) -> None:
        self._fault = fault
        self._clause = clause

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        for number, chunk in enumerate(ToneVoice("low", 110).speak(line)):
            if number == self._clause:
                yield from self._fault(chunk)
            else:
                yield chunk


def boom(*_: object) -> NoReturn:
    raise ZeroDivisionError("a fault of the test")


def leave(*_: object) -> NoReturn:
    """What libraries do that take themselves for programs."""
    sys.exit("a library has had enough")


def nan(chunk: SpeechChunk) -> Iterator[SpeechChunk]:
    samples = chunk.samples.copy()
    samples[len(samples) // 2] = np.nan
    yield replace(chunk, samples=samples)


def text_for_sound(chunk: SpeechChunk) -> Iterator[SpeechChunk]:
    yield replace(chunk, samples="no sound")


def nothing(*_: object) -> None:
    """What a function gives that has forgotten its return."""


def silence(chunk: SpeechChunk) -> Iterator[SpeechChunk]:
    """Without end."""
    start = chunk.start
    while True:
        yield replace(chunk, start=start, samples=np.zeros(10 * TICK_SAMPLES, np.float32), words=(), marks=())
        start += 10 * TICK_SAMPLES


class Hanging:
    """A voice that waits until the test opens it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.waits = 0

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        self.waits += 1
        self.opened.wait(120)
        yield from ToneVoice("low", 110).speak(line)


class ForgetfulVoice:
    def speak(self, line: Line) -> None:
        return None


class RashVoice:
    def speak(self, line: Line) -> NoReturn:
        boom()


class FaultyMouth:
    """Changes each expression of a good mouth from tick 12 on."""

    def __init__(self, mouth: Mouth, fault: Callable[[Expression], Expression]) -> None:
        self._mouth = mouth
        self._fault = fault

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        for e in self._mouth.express(speech):
            yield self._fault(e) if e.tick >= 12 else e


class FaultyFace:
    """Changes each moment of a good face from tick `since` on."""

    def __init__(self, face: Face, fault: Callable[[Moment], Moment], since: int = 12) -> None:
        self._face = face
        self._fault = fault
        self._since = since

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        for moment in self._face.draw(expressions):
            yield self._fault(moment) if moment.tick >= self._since else moment


class LazyFace:
    """Draws every other tick."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        return (moment for moment in self._face.draw(expressions) if moment.tick % 2 == 0)


def drawn(pixels: object) -> Callable[[Moment], Moment]:
    return lambda moment: replace(moment, picture=Picture(moment.tick, pixels))


VOICES: dict[str, Callable[[], Voice]] = {
    "raises when it is asked": RashVoice,
    "gives nothing": ForgetfulVoice,
    "raises before the first sound": lambda: FaultyVoice(boom),
    "raises in the midst": lambda: FaultyVoice(boom, 1),
    "leaves before the first sound": lambda: FaultyVoice(leave),
    "leaves in the midst": lambda: FaultyVoice(leave, 1),
    "says what is not finite": lambda: FaultyVoice(nan, 1),
    "gives text for sound": lambda: FaultyVoice(text_for_sound, 1),
    "forgets a clause": lambda: FaultyVoice(nothing, 1),
}
MOUTHS: dict[str, Callable[[Expression], Expression]] = {
    "raises": boom,
    "leaves": leave,
    "gives nothing": nothing,
    "has 49 values": lambda e: replace(e, exp=e.exp[:49]),
    "has no sound": lambda e: replace(e, sound=np.zeros(0, np.float32)),
    "has a face that is not finite": lambda e: replace(e, exp=np.full(50, np.inf, np.float32)),
}
FACES: dict[str, Callable[[Face], Face]] = {
    "raises at once": lambda face: FaultyFace(face, boom, 0),
    "raises in the midst": lambda face: FaultyFace(face, boom),
    "leaves in the midst": lambda face: FaultyFace(face, leave),
    "draws nothing": lambda face: FaultyFace(face, nothing),
    "draws every other tick": LazyFace,
    "draws a text": lambda face: FaultyFace(face, drawn("a picture")),
    "draws no pixels": lambda face: FaultyFace(face, drawn(np.zeros((0, 0, 3), np.uint8))),
    "draws a line": lambda face: FaultyFace(face, drawn(np.zeros(64, np.uint8))),
    "draws five colours": lambda face: FaultyFace(face, drawn(np.zeros((64, 64, 5), np.uint8))),
    "draws words": lambda face: FaultyFace(face, drawn(np.full((8, 8, 3), "x"))),
}


class FaultyStage(ToneStage):
    """A stage whose character `carl` has what `faulty` makes of a good character."""

    def __init__(self, folder, faulty: Callable[[Npc], Npc]) -> None:
        super().__init__(folder)
        with (folder / "npcs.toml").open("a", encoding="utf-8") as file:
            file.write('\n[carl]\nvoice = "low"\nface = "disc"\n')
        self._faulty = faulty

    def npc(self, name: str, voice: str = "", face: str = "") -> Npc:
        npc = super().npc(name, voice, face)
        return self._faulty(npc) if name == "carl" else npc

    @staticmethod
    def encode(pixels: Pixels, format: str) -> bytes:  # noqa: A002 - as Stage has it
        """As the engine's own troupe does it, which looks at what it gets."""
        return encode_picture(pixels, format or best_format(pixels))
