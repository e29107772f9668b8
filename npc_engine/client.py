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

An engine on another machine asks for keys (docs/security.md):

    client = Client("tcp://192.168.1.5:7890", server_key="server.pub", key="laptop.key")
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeAlias
from uuid import uuid4

from npc_engine.connection import DEFAULT_ADDRESS, ClientError, Connection, Curve
from npc_engine.feed import Feed
from npc_engine.keys import KeyPair, key_pair, public_key
from npc_engine.moments import TICK_MS, Outputs
from npc_engine.playback import Playback
from npc_engine.wire import limits
from npc_engine.wire.messages import (
    ATTITUDE,
    LOST,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    Moments,
    Npcs,
    Ping,
    Reply,
    Request,
    Speak,
    Warm,
    Welcome,
)

Event: TypeAlias = Reply
"""What `Client.poll` gives: Accepted, Moments, Words, MarkAt, End, Cancelled, ErrorMessage, Pong, Warmed, Npcs, and
Welcome when the engine came back after the connection broke."""

REFUSED = "refused"
"""Code of a `ClientError`: the engine is there, and does not let this client in."""
SAY_TIMEOUT_S = 30.0  # the first line of a voice loads its network
IDLE_CREDIT_MS = 200  # of a line that says nothing: no sound may tear, and what is ahead is lost when somebody speaks
GREET_S = 0.05  # from one look for a refusal, which is no event, to the next
PIECES_S = 0.01  # from one look for pieces to the next: far less than a model needs for a word

__all__ = ["DEFAULT_ADDRESS", "Client", "ClientError", "Event", "Playback"]


class Client:
    """A connection to an engine, owned by the thread that made it: no thread hides in here, nothing is thread-safe.

    Connects and greets within `timeout_s`, or raises `ClientError`. When the connection breaks, each open line ends
    with an `ErrorMessage` of code "disconnected"; the client connects again by itself, as long as it is polled.

    An engine that asks for keys needs both: its own public one as `server_key`, a path of its server.pub or 40
    characters, and the client's `key`, a path of the file that `npc-engine keys new --client NAME` has made, or the
    secret one. Raises `KeysError` for what is none. One whose key is revoked is "disconnected" and not let in again:
    what it asks raises `ClientError` of code "refused".
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        timeout_s: float = 5.0,
        name: str = "python",
        *,
        server_key: str | Path = "",
        key: str | Path | KeyPair = "",
    ) -> None:
        self.address = address
        self.welcome: Welcome
        self._timeout_s = timeout_s
        self._name = name
        self._open: set[str] = set()
        self._greeted = False
        self._waiting: deque[Event] = deque()  # came while `say` or `npcs` waited for something else
        if bool(server_key) != bool(key):
            given, lacking = ("server_key", "key") if server_key else ("key", "server_key")
            raise ClientError(f"{given} came without {lacking}: an engine that asks for keys needs both")
        self._connection = Connection(address, Curve(public_key(server_key), key_pair(key)) if key else None)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        end = time.monotonic() + self._timeout_s
        while not self._greeted:
            self._check_refused()
            left = end - time.monotonic()
            if left <= 0:
                hint = self._connection.trouble or "start one with `npc-engine serve`"
                raise ClientError(f"no engine answered at {self.address} in {self._timeout_s:g} s; {hint}")
            for event in self._receive(min(left, GREET_S)):
                if isinstance(event, ErrorMessage):
                    raise ClientError(f"the engine at {self.address} refused: {event.text}", event.code)

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
    ) -> str:
        """Ask for a line and return its id at once; `npc` may be "" when a `voice` is named.

        The engine sends `credit_ms` of sound and then waits for `credit`. With `open`, `text` is the beginning:
        `append` adds to it, `commit` ends it. Raises `ClientError` when no engine is there, or one that takes no open
        text.
        """
        if open:
            self._need(Append.kind)
        line = line or uuid4().hex[:16]
        self._send(
            Speak(
                line, text, npc, voice, face, style, emotion, priority, credit_ms, outputs or Outputs(), strength, open
            )
        )
        self._open.add(line)
        return line

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
        line = line or uuid4().hex[:16]
        self._send(
            Speak(
                line, "", npc, voice, face, style, emotion,
                credit_ms=credit_ms, outputs=outputs or Outputs(sound=False, words=False, picture=picture),
                strength=strength, attitude=attitude, lasts_ms=round((seconds or 0) * 1000),
            )
        )  # fmt: skip
        self._open.add(line)
        return line

    def append(self, line: str, text: str) -> None:
        """Add to the text of a line that was opened; nothing happens for "", or for a line that is not open any more.

        Any cutting gives the same speech: pass on the tokens of a language model as they come. Raises `ClientError`
        when the text can't leave.
        """
        if text and line in self._open:
            self._send(Append(line, text))

    def commit(self, line: str) -> None:
        """The text of an opened line is complete: the rest is spoken. Lines that are not open are let be."""
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
        name = uuid4().hex[:16]
        self._send(Warm(name, text, npc, voice, style, emotion, strength))
        return name

    def _need(self, kind: str) -> None:
        if self._greeted and kind not in self.welcome.capabilities:
            raise ClientError(
                f"the engine at {self.address}, release {self.welcome.engine}, knows no {kind!r}: update it",
                "unknown-kind",
            )

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

    def cancel(self, line: str) -> None:
        """Stop a line; its `Cancelled` follows, or an `End` that crossed it. Lines that are not open are let be."""
        if line in self._open:
            self._connection.send(Cancel(line))

    def ping(self, mark: int = 0) -> None:
        """Ask for a `Pong` with this mark."""
        self._send(Ping(mark))

    @property
    def open_lines(self) -> frozenset[str]:
        """Ids of the lines that have not ended, as far as events were polled."""
        return frozenset(self._open)

    @property
    def connected(self) -> bool:
        """Whether an engine is there and has answered the greeting, as far as events were polled."""
        return self._greeted

    def close(self) -> None:
        """End the connection; the engine stops what it was saying. May be called twice."""
        self._connection.close()

    def __enter__(self) -> Client:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
                priority=priority, outputs=outputs, voice=voice, face=face, open=feed is not None,
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
        self._send(List())
        end = time.monotonic() + timeout_s
        while True:
            for event in self._receive(max(0.0, end - time.monotonic())):
                if isinstance(event, Npcs):
                    return event
                if isinstance(event, ErrorMessage) and not event.line and not event.id:
                    raise ClientError(event.text, event.code)
                self._waiting.append(event)
            if time.monotonic() >= end:
                raise ClientError(f"the engine at {self.address} sent no list within {timeout_s:g} s")

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

    # ── connection ────────────────────────────────────────────────────────────────────────────────────────────

    def _check_refused(self) -> None:
        if self._connection.refused:
            raise ClientError(f"the engine at {self.address} refused: {self._connection.refused}", REFUSED)

    def _send(self, message: Request) -> None:
        self._check_refused()
        if not self._greeted or not self._connection.send(message):
            raise ClientError(f"no engine at {self.address}; start one with `npc-engine serve`", LOST)

    def _receive(self, timeout_s: float) -> list[Event]:
        """The events that are here; waits for the first."""
        events: list[Event] = []
        end = time.monotonic() + timeout_s
        while True:
            self._take(events)
            for connected in self._connection.changes():
                if connected:
                    self._connection.send(Hello(limits.WIRE_VERSION, self._name))
                else:
                    self._lose(events)
            left = end - time.monotonic()
            if events or left <= 0:
                return events
            self._connection.wait(left)

    def _take(self, events: list[Event]) -> bool:
        """Add what has come and is of interest; whether there may be more."""
        replies = self._connection.read()
        events += [reply for reply in replies if self._note(reply)]
        return bool(replies)

    def _note(self, event: Event) -> bool:
        """Keep the books of open lines; whether the event is of interest."""
        line = event.line
        if isinstance(event, Welcome):
            self.welcome, self._greeted = event, True
        elif isinstance(event, ErrorMessage):
            if event.ends:
                self._open.discard(line)
        elif line and line not in self._open:
            return False  # of a line that a broken connection has ended
        elif isinstance(event, (End, Cancelled)):
            self._open.discard(line)
        return True

    def _lose(self, events: list[Event]) -> None:
        """End the open lines of a connection that broke."""
        while self._take(events):  # what the engine said before it went
            pass
        self._greeted = False
        events += [ErrorMessage(LOST, f"the engine at {self.address} is gone", line) for line in sorted(self._open)]
        self._open.clear()
