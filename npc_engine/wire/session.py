"""One client's side of the engine as tables of states: messages in, effects out. No sockets, threads or clocks.

The server carries out the effects in order, and tells the session what the performers have made ready.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from npc_engine import __version__
from npc_engine.moments import ARKIT52, EXP50, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, VISEMES15, Line, Word
from npc_engine.wire import limits
from npc_engine.wire.checks import check_speak, check_text, check_warm
from npc_engine.wire.effects import (
    AddSound,
    AddText,
    Effect,
    EndText,
    Prepare,
    Send,
    SendList,
    SendStats,
    Start,
    Stop,
)
from npc_engine.wire.lines import Books, Lines, State, Step
from npc_engine.wire.messages import (
    ATTITUDE,
    HEARD,
    REQUESTS,
    Accepted,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    LiveSound,
    Ping,
    Playhead,
    Pong,
    Reply,
    Report,
    Request,
    Speak,
    Warm,
    Warmed,
    Welcome,
    WireError,
)

CAPABILITIES: Final = (*REQUESTS, ATTITUDE, HEARD)
UNKNOWN_KINDS: Final = 64  # that are answered, once each; a client that invents more is not answered


class Session:
    """What one client may do and has asked for; its lines' ids mean nothing to any other client's session."""

    def __init__(self) -> None:
        self.greeted = False
        self.client = ""
        self._lines = Lines()
        self._answers: dict[type[Request], Callable[[Any], list[Effect]]] = {
            Hello: self._hello,
            Speak: self._speak,
            Append: self._append,
            LiveSound: self._sound,
            Commit: self._commit,
            Credit: self._credit,
            Playhead: self._playhead,
            Cancel: self._cancel,
            Warm: self._warm,
            Ping: lambda ping: [Send(Pong(ping.mark))],
            List: lambda _: [SendList()],
            Report: lambda _: [SendStats()],
        }
        self._warming: set[str] = set()  # ids of `warm` that have not been answered
        self._unknown: set[str] = set()  # kinds that were answered as such

    # ── from the game ─────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, message: Request) -> list[Effect]:
        """What a message of the game brings about; faults of the game come back as `error`, never as an exception."""
        if not self.greeted and not isinstance(message, Hello):
            return self._refuse(WireError(f"{message.kind} before hello", "not-greeted"), message)
        try:
            return self._answers[type(message)](message)
        except WireError as error:
            return self._refuse(error, message)

    def _refuse(self, error: WireError, message: Request) -> list[Effect]:
        name = message.id if isinstance(message, Warm) else ""
        return self.reject(WireError(str(error), error.code, message.line, name))

    def reject(self, error: WireError) -> list[Effect]:
        """The answer to a message that could not be read or carried out; what it names and is open goes on.

        A kind that is unknown is answered once.
        """
        text = str(error)[: limits.NOTE_CHARS]
        if error.code == "unknown-kind":
            if text in self._unknown or len(self._unknown) >= UNKNOWN_KINDS:
                return []
            self._unknown.add(text)
        ends = error.line not in self._lines and error.id not in self._warming
        return [Send(ErrorMessage(error.code, text, error.line, ends, error.id))]

    def _hello(self, hello: Hello) -> list[Effect]:
        if hello.version != limits.WIRE_VERSION:
            older = "the game's npc_engine client" if hello.version < limits.WIRE_VERSION else "the engine"
            raise WireError(
                f"the game speaks wire version {hello.version}, this engine {limits.WIRE_VERSION}: update {older}",
                "bad-version",
            )
        self.greeted, self.client = True, hello.client
        welcome = Welcome(
            limits.WIRE_VERSION,
            __version__,
            EXP50,
            CAPABILITIES,
            SAMPLE_RATE,
            TICK_MS,
            limits.OPEN_LINES,
            limits.TEXT_CHARS,
            limits.CREDIT_CAP_MS,
            ARKIT52,
            VISEMES15,
        )
        return [Send(welcome)]

    def _speak(self, speak: Speak) -> list[Effect]:
        known = self._lines.known(speak)
        if known is not None:
            return self._again(speak.line, known)
        check_speak(speak)
        npc = speak.npc or speak.voice
        gives_way = [
            name
            for name, books in self._lines.of(npc)
            if books.silent or (speak.turn == "replace" and not books.beside)
        ]
        self._check_room(silent=bool(speak.attitude), leaving=gives_way)
        # the face that is seen, if any: of the line that has begun
        after = next((name for name in gives_way if self._lines[name].state is State.SPEAKING), "".join(gives_way[:1]))
        after_tick = self._face_tick(after) if after else 0
        line = Line(
            speak.line, npc, speak.text, speak.style, speak.emotion, speak.outputs, speak.priority, speak.strength,
            attitude=speak.attitude, lasts_ms=speak.lasts_ms, deadline_ms=speak.deadline_ms,
            sound_rate=speak.sound_rate, denoise=speak.denoise,
        )  # fmt: skip
        start = Start(
            line,
            speak.npc,
            speak.voice,
            speak.face,
            speak.open,
            after,
            after_tick,
            speak.live,
            waits=speak.turn == "wait",
        )
        self._lines.add(speak)
        return [start, *(effect for name in gives_way for effect in self._give_way(name))]

    def _again(self, line: str, known: Books | Reply) -> list[Effect]:
        """The answer to a `speak` that came before, on this connection."""
        if not isinstance(known, Books):
            return [Send(known)]
        return [] if known.state is State.ASKED else [Send(Accepted(line, None, self._lines.before(line)))]

    def _face_tick(self, line: str) -> int:
        """The tick whose face is seen: the last sent of a line that says nothing, the heard one of another."""
        books = self._lines[line]
        return books.ticks - 1 if books.silent else books.heard // TICK_SAMPLES

    def _give_way(self, line: str) -> list[Effect]:
        if self._lines[line].silent:
            return self._end(line, Step.YIELD)
        return self._cut(line, "another line took its place")

    def _check_room(self, *, silent: bool, leaving: Sequence[str]) -> None:
        """`leaving`: lines that end as the new one begins."""
        lines = self._lines.count(silent=silent) - sum(self._lines[name].silent == silent for name in leaving)
        most, what = (limits.IDLE_LINES, " without text") if silent else (limits.OPEN_LINES, "")
        if lines >= most:
            raise WireError(
                f"{lines} lines{what} are open, as many as a client may have: cancel one or wait for its end",
                "too-many-lines",
            )

    def _append(self, append: Append) -> list[Effect]:
        line = self._lines.find(append.line)
        if line is None or not append.text:
            return []
        self._check_open(append, line)
        if line.live_rate:
            raise WireError(f"append: line {append.line!r} says live sound, no text", "not-open")
        check_text(line.chars + len(append.text))
        line.write(append.text)
        return [AddText(append.line, append.text)]

    def _sound(self, message: LiveSound) -> list[Effect]:
        line = self._lines.find(message.line)
        if line is None or message.sound is None:
            return []
        if not line.live_rate:
            raise WireError(f"sound: line {message.line!r} was not begun with live", "not-live")
        if not line.writable:
            raise WireError(f"sound: the sound of line {message.line!r} is complete", "not-live")
        ms = 1000 * len(message.sound) // line.live_rate
        if ms > limits.SOUND_MS:
            raise WireError(f"sound of {ms} ms in one message, expected at most {limits.SOUND_MS}", "too-much-sound")
        waiting = 1000 * (line.live_samples + len(message.sound)) // line.live_rate - line.ticks * TICK_MS
        if waiting > limits.SOUND_AHEAD_MS:
            raise WireError(
                f"sound: {waiting} ms of line {message.line!r} would wait, expected at most {limits.SOUND_AHEAD_MS}: "
                "send it as it sounds, and grant credit as it is heard",
                "too-much-sound",
            )
        line.live_samples += len(message.sound)
        return [AddSound(message.line, message.sound)]

    def _commit(self, commit: Commit) -> list[Effect]:
        line = self._lines.find(commit.line)
        if line is None:
            return []
        self._check_open(commit, line)
        line.writable = False
        return [EndText(commit.line)]

    @staticmethod
    def _check_open(message: Append | Commit, line: Books) -> None:
        if not line.writable:
            what = "sound" if line.live_rate else "text"
            raise WireError(f"{message.kind}: the {what} of line {message.line!r} is complete", "not-open")

    def _warm(self, warm: Warm) -> list[Effect]:
        if warm.id in self._warming:
            raise WireError(f"warm {warm.id!r} waits for its answer already")
        check_warm(warm)
        if len(self._warming) >= limits.WARMS:
            raise WireError(
                f"{len(self._warming)} warms wait, as many as a client may have: go on when some are answered",
                "too-many-warms",
            )
        self._warming.add(warm.id)
        line = Line(warm.id, warm.npc or warm.voice, warm.text, warm.style, warm.emotion, strength=warm.strength)
        return [Prepare(line, warm.npc, warm.voice)]

    def _credit(self, credit: Credit) -> list[Effect]:
        line = self._lines.find(credit.line)
        if line is not None:
            if line.credit_ms + credit.ms > limits.CREDIT_CAP_MS:
                raise WireError(
                    f"credit: {line.credit_ms} ms unused and {credit.ms} more exceed the {limits.CREDIT_CAP_MS} allowed"
                )
            line.grant(credit.ms)
        return []

    def _playhead(self, playhead: Playhead) -> list[Effect]:
        line = self._lines.find(playhead.line)
        if line is not None:
            line.play(playhead.sample)
        return []

    def _cancel(self, cancel: Cancel) -> list[Effect]:
        named = [
            what for what, is_named in (("line", cancel.line), ("npc", cancel.npc), ("all", cancel.all)) if is_named
        ]
        if len(named) != 1:
            raise WireError(f"cancel: {' and '.join(named) or 'nothing'} named, expected one of line, npc and all")
        if cancel.all:
            lines = self._lines.open
        elif cancel.npc:
            lines = [name for name, _ in self._lines.of(cancel.npc)]
        else:
            lines = [] if self._lines.find(cancel.line) is None else [cancel.line]
        return [effect for line in lines for effect in self._cut(line, "the game asked")]

    # ── from the engine ───────────────────────────────────────────────────────────────────────────────────────

    def ready(self, line: str, rest: bytes | None) -> list[Effect]:
        """The line's voice and face are there; `rest` is the encoded face at rest, if pictures were asked."""
        place = self._lines.before(line)
        self._lines.step(line, Step.QUEUE if place else Step.READY)
        return [Send(Accepted(line, rest, place))]

    def speaking(self, line: str) -> bool:
        """Whether it is a line's turn to be sent."""
        return self._lines[line].state is State.SPEAKING

    def waiting(self, line: str) -> bool:
        """Whether a line is ready, and its character says another one still."""
        return self._lines[line].state is State.WAITING

    def allowance(self, line: str) -> int:
        """How many ticks of a line may be sent now, by its credit and its turn."""
        return self._lines[line].credit_ms // TICK_MS if self.speaking(line) else 0

    def sent(self, line: str, ticks: int, words: Sequence[Word] = ()) -> None:
        """Ticks of a line have left, in which `words` begin; raises `ValueError` beyond its credit."""
        if ticks > self.allowance(line):
            raise ValueError(f"line {line!r}: {ticks} ticks sent, credit covers {self.allowance(line)}")
        self._lines.step(line, Step.SEND).send(ticks, words)

    def complete(self, line: str) -> list[Effect]:
        """The last tick of a line has left."""
        return self._end(line, Step.COMPLETE)

    def fail(self, line: str, code: str, text: str, wait_ms: int = 0) -> list[Effect]:
        """The engine can't go on with a line."""
        self._lines.step(line, Step.FAIL)
        return self._close(line, ErrorMessage(code, text[: limits.NOTE_CHARS], line, wait_ms=wait_ms))

    def warmed(self, warmed: Warmed) -> list[Effect]:
        """A `warm` has been carried out."""
        self._warming.remove(warmed.id)
        return [Send(warmed)]

    def warm_failed(self, name: str, code: str, text: str) -> list[Effect]:
        """A `warm` can't be carried out."""
        self._warming.remove(name)
        return [Send(ErrorMessage(code, text[: limits.NOTE_CHARS], id=name))]

    def stop(self, reason: str) -> list[Effect]:
        """Cut every open line."""
        return [effect for line in self._lines.open for effect in self._cut(line, reason)]

    @property
    def open_lines(self) -> Sequence[str]:
        """Ids of the lines that have not ended, oldest first."""
        return self._lines.open

    def _end(self, line: str, step: Step) -> list[Effect]:
        books = self._lines.step(line, step)
        return self._close(line, End(line, books.ticks))

    def _cut(self, line: str, reason: str) -> list[Effect]:
        books = self._lines.step(line, Step.CANCEL)
        return self._close(line, Cancelled(line, books.ticks, reason, *books.heard_text()))

    def _close(self, line: str, answer: Reply) -> list[Effect]:
        npc = self._lines[line].npc
        self._lines.close(line, answer)
        for name in tuple(self._lines.next_turns(npc)):
            self._lines.step(name, Step.TURN)
        return [Stop(line), Send(answer)]
