"""One line on its own thread, made ready tick by tick for the wire thread."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from npc_engine.cast import CastError
from npc_engine.live.source import LiveSource
from npc_engine.live.voice import LiveVoice
from npc_engine.moments import (
    NEUTRAL,
    TICK_MS,
    TICK_SAMPLES,
    Exp,
    Expression,
    Line,
    Moment,
    Sound,
    SpeechChunk,
    Word,
    breathed,
)
from npc_engine.performance import Face, Mouth, NoFace, Npc, Voice, perform
from npc_engine.retarget.targets import TARGETS
from npc_engine.server.faults import cast_code
from npc_engine.server.metrics import Work
from npc_engine.server.pace import Pace, Shortage
from npc_engine.server.stage import Stage
from npc_engine.server.turns import Turns
from npc_engine.speech.errors import SpeechError
from npc_engine.text.open_text import OpenText, TextTimeoutError
from npc_engine.wire.codec import pack_coefficients, pack_sound
from npc_engine.wire.effects import Start
from npc_engine.wire.limits import CREDIT_CAP_MS

LOG: Final = logging.getLogger(__name__)
# Made ready beyond the client's credit, so that new credit is answered at once: a line that has the first number of
# ticks rests until the second is left, because waking a thread costs as much as a tick. Pictures are dear, and a cut
# throws them away.
READY_TICKS: Final = (24, 8)
READY_PICTURED: Final = (10, 6)
BATCH_TICKS: Final = 8  # handed over at once: each time rings the wire thread's bell
LEFT_TICKS: Final = CREDIT_CAP_MS // TICK_MS  # faces that are remembered: of all that a game may have ahead
REST_PICTURES = 32  # faces at rest that are kept encoded: characters × picture sizes of a scene
_SILENCE: Final[Sound] = np.zeros(TICK_SAMPLES, np.float32)


@dataclass(frozen=True, slots=True)
class Begun:
    """The character is there; `rest` is its face at rest, if pictures were asked."""

    rest: bytes | None


@dataclass(frozen=True, slots=True)
class MarkHere:
    """A mark of the text's markup, which the tick that follows reaches."""

    name: str
    tick: int


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick in wire form; what the line's outputs leave out is None. Its words are there, sent or not."""

    tick: int
    sound: bytes | None
    coefficients: bytes | None
    picture: bytes | None
    words: tuple[Word, ...]
    exp: Exp  # f32[50]


@dataclass(frozen=True, slots=True)
class Complete:
    """The line has no more ticks."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The line can't go on; `code` and `text` of the error."""

    code: str
    text: str


Made: TypeAlias = Begun | MarkHere | Tick | Complete | Failed


class Rests:
    """Encoded faces at rest, of the characters last asked for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._kept: OrderedDict[tuple[int, int, str], tuple[weakref.ref[Face], bytes | None]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, npc: Npc, line: Line) -> bytes | None:
        """The face of `npc` at rest, in the size and format that `line` asks for."""
        key = (id(npc.face), line.outputs.picture, line.outputs.picture_format)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0]() is npc.face:  # an id may be used again
                self._kept.move_to_end(key)
                return kept[1]
        still = Expression(line, 0, _SILENCE, NEUTRAL)
        picture = next(iter(npc.face.draw([still]))).picture
        encoded = None if picture is None else self._stage.encode(picture.pixels, line.outputs.picture_format)
        with self._lock:
            self._kept[key] = (weakref.ref(npc.face), encoded)  # a face that was loaded anew shall leave memory
            if len(self._kept) > REST_PICTURES:
                self._kept.popitem(last=False)
        return encoded


class _Enduring:
    """A voice whose faults let what was spoken before them reach the mouth's end: `fault` is told of them.

    What it makes is counted in `work`.
    """

    def __init__(self, voice: Voice, fault: Callable[[Failed], None], work: Work) -> None:
        self._voice = voice
        self._fault = fault
        self._work = work

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        try:
            with closing(self._work.speech(self._voice.speak(line))) as chunks:
                for chunk in chunks:
                    self._work.samples += len(chunk.samples)
                    yield chunk
        except SpeechError as error:
            self._fault(Failed("bad-text", str(error)))
        except TextTimeoutError as error:
            self._fault(Failed("text-timeout", str(error)))


class _Counted:
    """A mouth whose work is counted in `work`."""

    def __init__(self, mouth: Mouth, work: Work) -> None:
        self._mouth = mouth
        self._work = work

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        return self._work.expression(self._mouth.express(speech))


def prepared(start: Start, stage: Stage, rests: Rests) -> tuple[Npc, Begun]:
    """The character of a line, loaded, and what to say of it; raises `CastError` where there is no such character."""
    npc = stage.npc(start.npc, start.voice, start.face)
    if not start.line.outputs.picture:
        return npc, Begun(None)
    if isinstance(npc.face, NoFace):
        raise NoFaceError(f"{start.line.npc!r} has no face: name one, or ask for no pictures")
    return npc, Begun(rests.of(npc, start.line))


def wired(tick: int, moment: Moment, stage: Stage) -> Tick:
    """The moment in wire form; raises `ValueError` for one that no game could play, or that is not of `tick`."""
    if moment.tick != tick or len(moment.sound) != TICK_SAMPLES:
        raise ValueError(
            f"moment of tick {moment.tick} and {len(moment.sound)} samples, expected {tick} and {TICK_SAMPLES}"
        )
    if not (np.isfinite(moment.sound).all() and np.isfinite(moment.exp).all()):
        raise ValueError(f"tick {tick} holds a value that is not finite")
    outputs = moment.line.outputs
    return Tick(
        tick,
        pack_sound(moment.sound) if outputs.sound else None,
        packed_face(moment.exp, outputs.coefficients),
        stage.encode(moment.picture.pixels, outputs.picture_format) if moment.picture is not None else None,
        moment.words,
        moment.exp,
    )


def counted(tick: int, moment: Moment, stage: Stage, work: Work) -> Tick:
    """The moment in wire form, as `wired` gives it, and the work for that counted."""
    began = time.thread_time()
    made = wired(tick, moment, stage)
    work.encode_s += time.thread_time() - began
    work.pictures += made.picture is not None
    work.damped += moment.picture is not None and moment.picture.damped
    return made


def packed_face(exp: Exp, coefficients: str) -> bytes | None:
    """The face f32[50] as the `coefficients` that were asked, in wire form; None where none were."""
    return None if coefficients == "none" else pack_coefficients(TARGETS[coefficients].of(exp))


def failed(start: Start, stage: Stage, error: BaseException) -> Failed:
    """What to say of a line that `error` has ended; one that nobody expected is logged."""
    if isinstance(error, NoFaceError):
        return Failed("unknown-face", str(error))
    if isinstance(error, CastError):
        return Failed(cast_code(stage.cast, start.npc, start.voice, start.face), str(error))
    LOG.error("line %s of %s failed", start.line.id, start.line.npc, exc_info=error)
    return Failed("internal", f"the engine failed on this line: {type(error).__name__}: {error}")


class NoFaceError(Exception):
    """Pictures were asked of a character that has none."""


class _StoppedError(Exception):
    """The line was stopped while its voice waited for text."""


class Performer:
    """Performs a line, at most READY_TICKS ahead of what the wire thread has taken; `wake` says that there is more.

    It computes when it is its turn, by `turns`. `text_idle_s`: how long a line whose text is open waits for more of it;
    what has come is spoken then. `shortage` is told when there is too little time. `begin` f32[50]: the face that it
    begins with, and its `breath`, 0..1.
    """

    def __init__(
        self,
        start: Start,
        stage: Stage,
        rests: Rests,
        wake: Callable[[], None],
        turns: Turns,
        *,
        text_idle_s: float,
        shortage: Shortage | None = None,
        begin: Exp = NEUTRAL,
        breath: float = 0.0,
    ) -> None:
        self._text = OpenText(text_idle_s) if start.open else None
        self._sound = LiveSource(start.line.sound_rate, text_idle_s) if start.live else None
        self._awaits_more = start.open or start.live  # of the text or sound; waiting for that is no want of time
        self._ends_early: Failed | None = None
        self.work = Work()
        self._pace = Pace(start.line.outputs, shortage or Shortage(), self.work, undrawn=start.undrawn)
        line = replace(start.line, pace=self._pace.edge)
        self.line = line
        if self._text is not None:
            self.line = replace(line, more=self._following(self._text))
        elif self._sound is not None:
            self.line = replace(line, live=turns.unhurried(iter(self._sound)))
        self._start = start
        self._stage = stage
        self._faces_at_rest = rests
        self._wake = wake
        self._turns = turns
        self._begin = begin, breath
        self._most, self._fewest = READY_PICTURED if start.line.outputs.picture else READY_TICKS
        self._made: deque[Made] = deque()  # the wire thread takes from its left
        self._batch: list[Made] = []  # not handed over yet
        self._ticks = 0  # made, those of the batch included
        self._rests = False  # until few are left
        self._left: deque[tuple[int, Exp]] = deque(maxlen=LEFT_TICKS)  # ticks that were taken, with their faces
        self._changed = threading.Condition()
        self._stopped = False
        # in the context of who makes this one, which tells the log what it is about
        name, run = f"performer {start.line.id}", copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name=name, daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Drop what is ready and end at the next tick; returns at once."""
        with self._changed:
            self._stopped = True
            self._made.clear()
            self._changed.notify_all()
        self._turns.stop()
        for more in (self._text, self._sound):
            if more is not None:
                more.close()

    def append(self, text: str) -> None:
        """More of an open line's text; raises `ValueError` for a line that was not opened, or is committed."""
        self._open_text().append(text)

    def hear(self, sound: Sound) -> None:
        """More of a live line's sound; raises `ValueError` for one that is not live, is committed, or has too much."""
        if self._sound is None:
            raise ValueError(f"line {self.line.id!r} was not begun for live sound")
        self._sound.add(sound)

    def commit(self) -> None:
        """An open line's text, or a live line's sound, is complete; raises `ValueError` for any other line."""
        (self._sound or self._open_text()).commit()
        self._awaits_more = False

    def _open_text(self) -> OpenText:
        if self._text is None:
            raise ValueError(f"line {self.line.id!r} was not opened for more text")
        return self._text

    def _following(self, text: OpenText) -> Iterator[str]:
        """The pieces of the text; after `stop` nobody wants what the voice still holds back of them."""
        yield from self._turns.unhurried(iter(text))
        if self._stopped:
            raise _StoppedError

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def peek(self, most: int) -> list[Made]:
        """The first things that are ready, at most `most` of them."""
        return [self._made[i] for i in range(min(most, len(self._made)))]  # only the caller's thread removes any

    def take(self, count: int) -> None:
        """Remove the first `count`; the performer makes as many more, when few are left."""
        for _ in range(count):
            made = self._made.popleft()
            if isinstance(made, Tick):
                self._left.append((made.tick, made.exp))
        if self._rests and len(self._made) <= self._fewest:
            with self._changed:
                self._changed.notify_all()

    def seen(self, tick: int) -> tuple[Exp, float]:
        """The face f32[50] in a tick that was taken, or in the nearest one that is remembered, and its breath, 0..1."""
        if not self._left:
            return self._begin
        first, last = self._left[0][0], self._left[-1][0]
        at = min(max(tick, first), last)
        return self._left[at - first][1], breathed(at)

    @property
    def late(self) -> bool:
        """Whether what is heard of it comes too late."""
        return self._pace.late

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """The voice is waited for: what is ready leaves, and others compute."""
        self._hand_over()
        began = time.monotonic()
        with self._turns.face.paused():
            yield
            if self._awaits_more:
                self._pace.wait(time.monotonic() - began)

    def _keep(self, made: Made) -> bool:
        """Hand over, at once or with what follows; whether to go on."""
        self._batch.append(made)
        waits = isinstance(made, Tick) and made.tick and made.picture is None and len(self._batch) < BATCH_TICKS
        return not self._stopped if waits else self._hand_over()

    def _hand_over(self) -> bool:
        """Hand the batch over, let others compute who need it more, and wait while enough is ready."""
        if self._batch:
            with self._changed:
                if self._stopped:
                    return False
                self._made += self._batch
            self._batch.clear()
            self._wake()
            self._turns.made(self._ticks)
        return self._turns.face.offer() if len(self._made) < self._most else self._rest()

    def _rest(self) -> bool:
        """Wait until few are left; whether to go on."""
        with self._turns.face.paused():
            began = time.monotonic()
            with self._changed:
                self._rests = True
                self._changed.wait_for(lambda: self._stopped or len(self._made) <= self._fewest)
                self._rests = False
            self._pace.wait(time.monotonic() - began)
            self._turns.waited(self._ticks, len(self._made))
        return not self._stopped

    def _run(self) -> None:
        try:
            self._perform()
        except _StoppedError:
            return
        except BaseException as error:  # noqa: BLE001 - `failed` logs what nobody expected, a library's sys.exit too
            self._keep(failed(self._start, self._stage, error))
        finally:
            self._turns.face.end()
            self._turns.ended()
            self._pace.close()

    def _perform(self) -> None:
        npc, begun = prepared(self._start, self._stage, self._faces_at_rest)
        if not self._keep(begun) or not self._turns.face.begin():
            return
        work = self.work
        voice = LiveVoice() if self._sound is not None else npc.voice
        voice = self._turns.speaking(_Enduring(voice, self._end_early, work))
        npc = replace(npc, voice=voice, mouth=_Counted(npc.mouth, work))
        with closing(perform(self.line, npc, *self._begin, self._waiting)) as moments:
            for moment in work.drawing(moments) if self.line.outputs.picture else moments:
                made = counted(self._ticks, moment, self._stage, work)
                self._pace.made()
                if not all(self._keep(MarkHere(mark.name, self._ticks)) for mark in moment.marks):
                    return
                self._ticks += 1
                if not self._keep(made):
                    return
        if self._ends_early is None and not self._ticks and self._sound is None:
            self._ends_early = Failed("bad-text", "nothing to speak: expected at least one letter or digit")
        self._keep(self._ends_early or Complete())

    def _end_early(self, failed: Failed) -> None:
        self._ends_early = failed
