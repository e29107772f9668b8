"""A real, deterministic voice of sine words, with its mouth and face: what the server is tested with.

`python tests/tone.py [ADDRESS]` serves it.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from npc_engine.cast import Cast
from npc_engine.frames.drawing import drawn
from npc_engine.moments import (
    CHANNEL,
    NEUTRAL,
    SAMPLE_RATE,
    TICK_SAMPLES,
    Exp,
    Expression,
    Line,
    Mark,
    Moment,
    Pixels,
    SpeechChunk,
    Word,
)
from npc_engine.performance import Face, NoFace, Npc
from npc_engine.speech.errors import SpeechError
from npc_engine.text.open_text import TextTimeoutError

WORD_SAMPLES = 5 * TICK_SAMPLES  # 100 ms
NPCS = """
[anna]
voice = "low"
face = "disc"
about = "has a face"

[ben]
voice = "high"
"""


class ToneVoice:
    """Says each word as 100 ms of a sine, five words a chunk; ASCII only. Words with a ! bring out faults.

    `#name` is a mark. Open text is spoken as it comes: a chunk leaves when it has its five words.
    """

    def __init__(self, name: str, hertz: float, gate: threading.Semaphore | None = None) -> None:
        self.name = name
        self.hertz = hertz
        self.gate = gate  # is taken for each chunk: a voice as slow as the test wants it

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        start = 0
        for group in grouped(self._read(line)):
            if self.gate is not None and not self.gate.acquire(timeout=30):
                raise TimeoutError("the test lets no clause through")
            sounds, spoken, marks = [], [], []
            begin = start
            for text, at in group:
                if text == "!boom":
                    raise ZeroDivisionError("a fault of the voice")
                if text.startswith("#"):
                    marks.append(Mark(text[1:], begin))
                    continue
                spoken.append(Word(text, begin, begin + WORD_SAMPLES, at, at + len(text)))
                t = np.arange(begin, begin + WORD_SAMPLES)
                sounds.append((0.5 * np.sin(2 * np.pi * self.hertz / SAMPLE_RATE * t)).astype(np.float32))
                begin += WORD_SAMPLES
            samples = np.concatenate([*sounds, np.zeros(0, np.float32)])
            yield SpeechChunk(line, start, samples, (), tuple(spoken), tuple(marks))
            start += len(samples)

    def _read(self, line: Line) -> Iterator[tuple[str, int]]:
        """The words and the characters at which they begin, each as soon as no further text can change it."""
        text, at = "", 0
        late = None
        for piece in itertools.chain([line.text], self._pieces(line), [" "]):
            if isinstance(piece, TextTimeoutError):
                late = piece
                continue
            strange = sorted({c for c in piece if ord(c) > 127})
            if strange:
                raise SpeechError(f"voice {self.name!r} can't speak {''.join(strange)!r}")
            text += piece
            whole, at = at, text.rindex(re.split(r"\s", text[at:])[-1], at)
            for word in re.finditer(r"\S+", text[whole:at]):
                yield word[0], whole + word.start()
        if late:
            raise late

    @staticmethod
    def _pieces(line: Line) -> Iterator[str | TextTimeoutError]:
        try:
            yield from line.more or ()
        except TextTimeoutError as error:
            yield error


def grouped(words: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """Five words together as soon as they are there, with the marks before them."""
    group: list[tuple[str, int]] = []
    late = None
    try:
        for word in words:
            group.append(word)
            if sum(not text.startswith("#") for text, _ in group) == 5:
                yield group
                group = []
    except (TextTimeoutError, SpeechError) as error:
        late = error
    if group:
        yield group
    if late:
        raise late


def ticked(speech: Iterable[SpeechChunk]) -> Iterator[SpeechChunk]:
    """The same sound in whole ticks: live sound comes in pieces of any size, and its last tick is filled up."""
    rest = np.zeros(0, np.float32)
    last = None
    for chunk in speech:
        if chunk.line.live is None:
            yield chunk
            continue
        samples = np.concatenate([rest, chunk.samples])
        whole = len(samples) // TICK_SAMPLES * TICK_SAMPLES
        yield replace(chunk, start=chunk.start - len(rest), samples=samples[:whole])
        last = replace(chunk, start=chunk.start - len(rest) + whole, words=(), marks=())
        rest = samples[whole:]
    if last is not None and len(rest):
        yield replace(last, samples=np.pad(rest, (0, TICK_SAMPLES - len(rest))))


class ToneMouth:
    """Opens the jaw by the loudness of each tick; headYaw holds the tick's number, so that tests can count."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        self.watched.begun += 1
        made = 0
        try:
            for chunk in ticked(speech):
                for at in range(0, len(chunk.samples), TICK_SAMPLES):
                    sound = chunk.samples[at : at + TICK_SAMPLES]
                    tick = (chunk.start + at) // TICK_SAMPLES
                    exp = NEUTRAL.copy()
                    if "!nan" in chunk.line.text:
                        exp[CHANNEL["tongueOut"]] = np.nan
                    exp[CHANNEL["jawOpen"]] = np.sqrt(np.mean(sound**2))
                    exp[CHANNEL["headYaw"]] = tick % 1000 / 1000
                    words = tuple(w for w in chunk.words if tick * TICK_SAMPLES <= w.start < (tick + 1) * TICK_SAMPLES)
                    marks = tuple(m for m in chunk.marks if m.start // TICK_SAMPLES == tick)
                    if "!odd" in chunk.line.text:
                        words = (Word(b"\xff", 0, 2**70, 0, 0),)
                    if "!skip" in chunk.line.text:
                        tick += 1
                    self.watched.made += 1
                    made += 1
                    yield Expression(chunk.line, tick, sound, exp, words, marks)
        finally:
            self.watched.ended_at = time.monotonic()
            self.watched.ended += 1


class DiscFace:
    """A grey disc as bright as the mouth is open."""

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        return drawn(self._render, expressions)

    @staticmethod
    def _render(exp: Exp, size: int, breath: float) -> Pixels:
        pixels = np.full((size, size, 3), 40, np.uint8)
        return cv2.circle(pixels, (20, 20), 10, (int(exp[0] * 255),) * 3, -1)


@dataclass
class Watched:
    """What the mouths have done, for tests of when work stops."""

    begun: int = 0
    made: int = 0
    ended: int = 0
    ended_at: float = field(default=0.0)


class ToneStage:
    """Two voices, one face and two characters in a real cast folder."""

    def __init__(self, folder: Path, gate: threading.Semaphore | None = None) -> None:
        for name, hertz in (("low", 110), ("high", 440)):
            (folder / "voices" / name).mkdir(parents=True, exist_ok=True)
            (folder / "voices" / name / "voice.toml").write_text(
                f'engine = "tone"\nabout = "{hertz} Hz"\n', encoding="utf-8"
            )
        (folder / "faces" / "disc").mkdir(parents=True, exist_ok=True)
        (folder / "faces" / "disc" / "face.toml").write_text('picture = "none"\nlandmarks = "none"\n', encoding="utf-8")
        (folder / "npcs.toml").write_text(NPCS, encoding="utf-8")
        self.cast = Cast((folder,))
        self.careless = False  # lists a character without its voice, as a fault would
        self.watched = Watched()
        self._gate = gate
        self._disc = DiscFace()
        self._lock = threading.Lock()

    def npcs(self) -> list[dict[str, str]]:
        if self.careless:
            return [{"name": "somebody"}]
        return [
            {"name": name, "voice": spec.voice, "face": spec.face, "about": spec.about}
            for name, spec in sorted(self.cast.npcs().items())
        ]

    def npc(self, name: str, voice: str = "", face: str = "") -> Npc:
        spec = self.cast.npc(name) if name else None
        voice = voice or (spec.voice if spec else "")
        face = face or (spec.face if spec else "")
        self.cast.voice(voice)
        drawn: Face = NoFace()
        if face:
            self.cast.face(face)
            drawn = self._disc
        hertz = 110.0 if voice == "low" else 440.0
        return Npc(name or voice, ToneVoice(voice, hertz, self._gate), ToneMouth(self.watched), drawn)

    @staticmethod
    def encode(pixels: Pixels, format: str = "") -> bytes:  # noqa: A002
        done, data = cv2.imencode(f".{format or 'jpg'}", pixels)
        assert done
        return bytes(data)


def main() -> None:
    """Serve until killed; prints the address."""
    from npc_engine.server.server import Server

    address = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:*"
    with tempfile.TemporaryDirectory() as folder:
        server = Server(ToneStage(Path(folder)), address)
        server.start()
        print(server.address, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
