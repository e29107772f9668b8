"""The Python client: lines of text to an engine, sound, coefficients, pictures and words back.

A game loop uses the polling face, which never blocks and needs no thread:

    client = Client()
    line = client.speak("elder", "Mind the step!")
    player = Playback()
    while not player.finished:
        for event in client.poll():
            if event.line == line:
                player.add(event)
        ...                                           # play player.sound(n), show player.at(samples_heard)
        client.credit(line, player.credit_ms(samples_heard))

A script uses the blocking face: `for event in client.say("elder", "Mind the step!"): ...`

Text that is still being written is spoken clause by clause, as it comes:

    line = client.speak("elder", "", open=True)
    client.append(line, "Mind the st")
    client.append(line, "ep! The old bridge is wet.")
    client.commit(line)

or, with whatever yields strings, such as the tokens of a language model:

    for event in client.say("elder", tokens): ...

Between lines a character lives in silence, until it is cancelled or says something:

    line = client.idle("elder", attitude="listening", picture=512)

Who interrupts, by cancelling or by another line of `turn="replace"`, is told what was heard:

    client.cancel(line, heard=player.heard_sample)    # … Cancelled(heard="Mind the", heard_chars=8)

An engine on another machine asks for keys (docs/security.md):

    client = Client("tcp://192.168.1.5:7890", server_key="server.pub", key="laptop.key")
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from typing import TypeVar
from uuid import uuid4

import numpy as np

from npc_engine.connection import DEFAULT_ADDRESS, ClientError
from npc_engine.feed import Feed
from npc_engine.link import Event, Link
from npc_engine.moments import SAMPLE_RATE, TICK_MS, Outputs, Sound
from npc_engine.playback import Playback
from npc_engine.wire import limits
from npc_engine.wire.messages import (
    ATTITUDE,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    List,
    LiveSound,
    Moments,
    Npcs,
    Ping,
    Playhead,
    Report,
    Request,
    Speak,
    Stats,
    Warm,
)

R = TypeVar("R", Npcs, Stats)


SAY_TIMEOUT_S = 30.0  # the first line of a voice loads its network
IDLE_CREDIT_MS = 200  # of a line that says nothing: no sound may tear, and what is ahead is lost when somebody speaks
PIECES_S = 0.01  # from one look for pieces to the next: far less than a model needs for a word

__all__ = ["DEFAULT_ADDRESS", "Client", "ClientError", "Event", "Playback"]


class Client(Link):
    """A connection to an engine, owned by the thread that made it: no thread hides in here, nothing is thread-safe.

    Connects and greets within `timeout_s`, or raises `ClientError`. When the connection breaks, each open line ends
    with an `ErrorMessage` of code "disconnected"; the client connects again by itself, as long as it is polled.

    An engine that asks for keys needs both: its own public one as `server_key`, a path of its server.pub or 40
    characters, and the client's `key`, a path of the file that `npc-engine keys new --client NAME` has made, or the
    secret one. Raises `KeysError` for what is none. One whose key is revoked is "disconnected" and not let in again:
    what it asks raises `ClientError` of code "refused".
    """

    # ── polling face ──────────────────────────────────────────────────────────────────────────────────────────

    def speak(
        self,
        npc: str,
        text: str,
        *,
        line: str = "",
        style: str = "",
        emotion: str = "neutral",
        strength: float = 1.0,
        priority: int = 0,
        outputs: Outputs | None = None,
        voice: str = "",
        face: str = "",
        credit_ms: int = limits.CREDIT_MS,
        open: bool = False,  # noqa: A002 - the wire's word
        turn: str = "wait",
        deadline_ms: int = 0,
    ) -> str:
        """Ask for a line and return its id at once; `npc` may be "" when a `voice` is named.

        The engine sends `credit_ms` of sound and then waits for `credit`. With `open`, `text` is the beginning:
        `append` adds to it, `commit` ends it. `turn` says what becomes of the character's lines that are open: "wait"
        lets them end first, "replace" cuts them, "beside" lets both sound. A line whose first moment can't leave within
        `deadline_ms` is refused. Raises `ClientError` when no engine is there, or one that takes no open text.
        """
        if open:
            self._need(Append.kind)
        if turn != "wait":
            self._need(Playhead.kind)
        return self._ask(
            Speak(
                line or _new_id(), text, npc, voice, face, style, emotion, priority, credit_ms, outputs or Outputs(),
                strength, open, turn=turn, deadline_ms=deadline_ms,
            )
        )  # fmt: skip

    def _ask(self, speak: Speak) -> str:
        self._send(speak)
        self._open.add(speak.line)
        return speak.line

    def live(
        self,
        npc: str,
        *,
        rate: int = SAMPLE_RATE,
        denoise: bool = False,
        line: str = "",
        style: str = "",
        emotion: str = "neutral",
        strength: float = 1.0,
        priority: int = 0,
        outputs: Outputs | None = None,
        voice: str = "",
        face: str = "",
        credit_ms: int = limits.CREDIT_MS,
        turn: str = "wait",
    ) -> str:
        """Let a character say live sound, of a microphone or voice chat, and return the line's id at once.

        The sound follows by `hear`, at `rate` samples a second, and `commit` ends it; moments come back as for a text.
        With `denoise` the engine takes noise out of it. Raises `ClientError` when no engine is there, or one that
        takes no live sound.
        """
        self._need(LiveSound.kind)
        return self._ask(
            Speak(
                line or _new_id(), "", npc, voice, face, style, emotion, priority, credit_ms, outputs or Outputs(),
                strength, turn=turn, live=True, sound_rate=rate, denoise=denoise,
            )
        )  # fmt: skip

    def hear(self, line: str, sound: Sound) -> None:
        """More sound of a live line, f32[n], -1..1, at its rate; lines that are not open are let be.

        Send what a microphone gives as it comes, 10 to 40 ms at a time. Raises `ClientError` when it can't leave.
        """
        if line in self._open and len(sound):
            self._send(LiveSound(line, np.asarray(sound, np.float32)))

    def idle(
        self,
        npc: str,
        attitude: str = "idle",
        *,
        picture: int = 0,
        seconds: float | None = None,
        line: str = "",
        style: str = "",
        emotion: str = "neutral",
        strength: float = 1.0,
        outputs: Outputs | None = None,
        voice: str = "",
        face: str = "",
        credit_ms: int = IDLE_CREDIT_MS,
    ) -> str:
        """Let a character live without a text, "idle" or "listening", and return the line's id at once.

        It goes on for `seconds`, then eases into rest and ends; without them until `cancel`, or until the character's
        next line begins: that ends it, and begins with the face that this one has left. `outputs` say what is sent; by
        default coefficients, and pictures of `picture` pixels. Credit works as for `speak`: the less of it is ahead,
        the better the next line joins. Raises `ClientError` when no engine is there, or one that knows no attitudes.
        """
        self._need(ATTITUDE)
        if seconds is not None and not TICK_MS / 1000 <= seconds <= limits.LASTS_MS / 1000:
            raise ValueError(f"seconds is {seconds}, expected {TICK_MS / 1000} to {limits.LASTS_MS / 1000:g}, or None")
        return self._ask(
            Speak(
                line or _new_id(), "", npc, voice, face, style, emotion,
                credit_ms=credit_ms, outputs=outputs or Outputs(sound=False, words=False, picture=picture),
                strength=strength, attitude=attitude, lasts_ms=round((seconds or 0) * 1000),
            )
        )  # fmt: skip

    def append(self, line: str, text: str) -> None:
        """Add to the text of a line that was opened; nothing happens for "", or for a line that is not open any more.

        Any cutting gives the same speech: pass on the tokens of a language model as they come. Raises `ClientError`
        when the text can't leave.
        """
        if text and line in self._open:
            self._send(Append(line, text))

    def commit(self, line: str) -> None:
        """The text or the live sound of a line is complete: the rest is spoken. Lines that are not open are let be."""
        if line in self._open:
            self._send(Commit(line))

    def warm(
        self,
        npc: str,
        text: str = "",
        *,
        style: str = "",
        emotion: str = "neutral",
        strength: float = 1.0,
        voice: str = "",
    ) -> str:
        """Have a character loaded and, with `text`, its speech made into the engine's cache; nothing is sent of it.

        Returns an id at once: a `Warmed` with it follows, or an `ErrorMessage`. A game warms what will be said soon:

            for text in ("Halt! Who goes there?", "You may pass."):
                client.warm("elder", text)
        """
        self._need(Warm.kind)
        name = _new_id()
        self._send(Warm(name, text, npc, voice, style, emotion, strength))
        return name

    def poll(self, timeout_s: float = 0.0) -> list[Event]:
        """What has come since the last call, in order; waits up to `timeout_s` for the first event, by default not.

        Never raises for what the engine sends: faults come as `ErrorMessage`.
        """
        if self._waiting:
            timeout_s = 0.0
        held = [self._waiting.popleft() for _ in range(len(self._waiting))]
        return held + self._receive(timeout_s)

    def credit(self, line: str, ms: int) -> None:
        """Let the engine send `ms` more of a line; nothing happens for 0, or for a line that is not open."""
        if ms > 0 and line in self._open:
            self._connection.send(Credit(line, min(ms, limits.CREDIT_CAP_MS)))

    def cancel(self, line: str = "", *, npc: str = "", heard: int | None = None) -> None:
        """Stop a line, or all of a character `npc`; without either, all lines of this client.

        A `Cancelled` of each follows, or an `End` that crossed it, and tells which text was heard; `heard`, the sample
        of the line that is heard now (`Playback.heard_sample`), makes that exact. Lines that are not open are let be.
        """
        if line and heard is not None:
            self.playhead(line, heard)
        if not line or line in self._open:
            self._connection.send(Cancel(line, npc, all=not line and not npc))

    def playhead(self, line: str, sample: int) -> None:
        """Tell which sample of a line is heard now; lines that are not open are let be."""
        if line in self._open and Playhead.kind in self.welcome.capabilities:
            self._connection.send(Playhead(line, max(0, sample)))

    def ping(self, mark: int = 0) -> None:
        """Ask for a `Pong` with this mark."""
        self._send(Ping(mark))

    def __enter__(self) -> Client:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    # ── blocking face ─────────────────────────────────────────────────────────────────────────────────────────

    def say(
        self,
        npc: str,
        text: str | Iterable[str],
        *,
        style: str = "",
        emotion: str = "neutral",
        strength: float = 1.0,
        priority: int = 0,
        outputs: Outputs | None = None,
        voice: str = "",
        face: str = "",
        turn: str = "wait",
        deadline_ms: int = 0,
        timeout_s: float = SAY_TIMEOUT_S,
    ) -> Generator[Event, None, None]:
        """Speak a line and yield its events up to and with `End`; credit is granted as fast as moments are taken.

        `text` may be an iterable of pieces, which is read on a thread of its own while what has come is spoken:

            for event in client.say("elder", (token.text for token in model.stream(prompt))):
                ...

        Raises `ClientError` when the engine refuses the line, cancels it, or sends nothing for `timeout_s` after its
        text was complete, and what reading the pieces raises. Closing the iterator cancels the line. Events of other
        lines wait for the next `poll`.
        """
        feed = None if isinstance(text, str) else Feed(text)
        try:
            line = self.speak(
                npc, text if isinstance(text, str) else "", style=style, emotion=emotion, strength=strength,
                priority=priority, outputs=outputs, voice=voice, face=face, open=feed is not None, turn=turn,
                deadline_ms=deadline_ms,
            )  # fmt: skip
            yield from self._said(line, feed, timeout_s)
        finally:
            if feed is not None:
                feed.close()

    def _said(self, line: str, feed: Feed | None, timeout_s: float) -> Generator[Event, None, None]:
        try:
            while True:
                event = self._next_of(line, feed, timeout_s)
                if isinstance(event, ErrorMessage):
                    raise ClientError(event.text, event.code, line)
                if isinstance(event, Cancelled):
                    raise ClientError(f"line {line!r} was cancelled: {event.reason}", "cancelled", line)
                yield event
                if isinstance(event, End):
                    return
                if isinstance(event, Moments):
                    self.credit(line, event.ticks * self.welcome.tick_ms)
        finally:
            self.cancel(line)

    def _feed(self, line: str, feed: Feed) -> None:
        self.append(line, feed.take())
        if feed.complete:
            self.commit(line)

    def npcs(self, timeout_s: float = 5.0) -> Npcs:
        """Who can speak, and the voices and faces there are."""
        return self._answered(List(), Npcs, timeout_s)

    def stats(self, timeout_s: float = 5.0) -> Stats:
        """How this client is served, and how busy the engine is; a game loop sends `ask_stats` and polls."""
        self._need(Report.kind)
        return self._answered(Report(), Stats, timeout_s)

    def ask_stats(self) -> None:
        """Ask for `Stats`, which come as an event."""
        self._need(Report.kind)
        self._send(Report())

    def _answered(self, request: Request, kind: type[R], timeout_s: float) -> R:
        self._send(request)
        end = time.monotonic() + timeout_s
        while True:
            for event in self._receive(max(0.0, end - time.monotonic())):
                if isinstance(event, kind):
                    return event
                if isinstance(event, ErrorMessage) and not event.line and not event.id:
                    raise ClientError(event.text, event.code)
                self._waiting.append(event)
            if time.monotonic() >= end:
                raise ClientError(f"the engine at {self.address} sent no {request.kind} within {timeout_s:g} s")

    def _next_of(self, line: str, feed: Feed | None, timeout_s: float) -> Event:
        """The next event of a line, while its text is fed; the time limit begins when the text is complete."""
        end = time.monotonic() + timeout_s
        while True:
            if feed is not None and not feed.complete:
                self._feed(line, feed)
                end = time.monotonic() + timeout_s
            for held in self._waiting:
                if held.line == line:
                    self._waiting.remove(held)
                    return held
            left = end - time.monotonic()
            if left <= 0:
                raise ClientError(f"line {line!r}: nothing came for {timeout_s:g} s", "", line)
            self._waiting += self._receive(left if feed is None or feed.complete else PIECES_S)


def _new_id() -> str:
    return uuid4().hex[:16]
