"""Who performs the lines of a gateway: replicas, but for lines that say nothing and show nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from npc_engine.cast import Cast, CastError
from npc_engine.cluster.links import Links
from npc_engine.cluster.remote import Remote
from npc_engine.moments import Exp, Expression, Line, Pixels, SpeechChunk
from npc_engine.performance import NoFace, Npc
from npc_engine.server.idling import Idler, Idling
from npc_engine.server.performer import Rests
from npc_engine.server.performing import Performing
from npc_engine.server.warmer import WAITING, WarmFailed
from npc_engine.snapshot import snapshot, stamps
from npc_engine.wire.effects import Prepare, Start
from npc_engine.wire.messages import Warmed

LOOK_S: Final = 2.0  # as replicas look at theirs


class _Elsewhere:
    """A voice or mouth that only replicas have."""

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        raise AssertionError(f"line {line.id!r} was to be spoken in the gateway")

    def express(self, speech: Iterable[SpeechChunk]) -> Iterator[Expression]:
        raise AssertionError(f"{speech!r} was to be heard in the gateway")


class Names:
    """The stage of a gateway: it knows who there is from the cast's files, and loads neither voices nor faces.

    The files are looked at again when somebody asks, LOOK_S later at the earliest.
    """

    def __init__(self, cast: Cast) -> None:
        self.cast: Cast = snapshot(cast)
        self._files = cast
        self._stamps = stamps(cast)
        self._looked_at = time.monotonic()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        seen = stamps(self._files)
        if seen != self._stamps:
            self._stamps, self.cast = seen, snapshot(self._files)

    def npcs(self) -> list[dict[str, Any]]:
        """Name, voice, face and description of every character."""
        self._look()
        return [
            {"name": name, "voice": spec.voice, "face": spec.face, "about": spec.about}
            for name, spec in sorted(self.cast.npcs().items())
        ]

    def npc(self, name: str, voice: str = "", face: str = "") -> Npc:
        """The character `name` as far as it needs no voice and no face; raises `CastError` for names there are not."""
        self._look()
        spec = self.cast.npc(name) if name else None
        voice = voice or (spec.voice if spec else "")
        face = face or (spec.face if spec else "")
        if not voice:
            raise CastError("neither a character nor a voice was named, expected one of them")
        self.cast.voice(voice)
        if face:
            self.cast.face(face)
        return Npc(name or voice, _Elsewhere(), _Elsewhere(), NoFace(), spec.style if spec else "lively")

    def encode(self, pixels: Pixels, picture_format: str = "") -> bytes:
        """Nothing is drawn in a gateway."""
        raise AssertionError(f"a picture of {pixels.shape} was to be encoded as {picture_format!r} in the gateway")


class RemoteWarmer:
    """Has replicas make speech ahead, each a line after the other; `wake` says that one is done."""

    def __init__(self, links: Links, wake: Callable[[], None]) -> None:
        self._links = links
        self._wake = wake
        self._lock = threading.Lock()
        self._asked: dict[int, tuple[bytes, Callable[[], None]]] = {}  # number → client, and what ends it
        self._done: deque[tuple[bytes, Warmed | WarmFailed]] = deque()
        self._number = 0

    def add(self, client: bytes, prepare: Prepare) -> bool:
        """Ask for a job; False when as many are asked for as may."""
        with self._lock:
            if len(self._asked) >= WAITING:
                return False
            self._number += 1
            number = self._number
            self._asked[number] = client, lambda: None
        end = self._links.warm(prepare, lambda answer: self._finish(number, answer))
        with self._lock:
            if number in self._asked:
                self._asked[number] = client, end
        return True

    def forget(self, client: bytes) -> None:
        """Drop the jobs of a client that is gone."""
        with self._lock:
            ending = [(number, end) for number, (asker, end) in self._asked.items() if asker == client]
            for number, _ in ending:
                del self._asked[number]
            self._done = deque(answer for answer in self._done if answer[0] != client)
        for _, end in ending:
            end()

    def take(self) -> list[tuple[bytes, Warmed | WarmFailed]]:
        """What has been done since the last call, with the client that asked."""
        with self._lock:
            done = list(self._done)
            self._done.clear()
        return done

    def stop(self) -> None:
        """End; returns at once."""
        with self._lock:
            ending = [end for _, end in self._asked.values()]
            self._asked.clear()
        for end in ending:
            end()

    def join(self, timeout_s: float) -> bool:  # noqa: ARG002 - it has no thread
        """Nothing is to be waited for."""
        return True

    def _finish(self, number: int, answer: Warmed | WarmFailed) -> None:
        with self._lock:
            client, _ = self._asked.pop(number, (b"", None))
            if not client:
                return
            self._done.append((client, answer))
        self._wake()


class Cluster:
    """The company of a gateway.

    A line that says nothing and shows no picture needs neither a voice nor a face, and a message of Ray costs as much
    as twenty of its ticks: it is performed here.
    """

    most = 512, 1024  # more than one wire thread can send: what replicas and it have time for is told by `late`

    def __init__(self, handle: Any, stage: Names, wake: Callable[[], None]) -> None:
        self.links = Links(handle)
        self.warmer = RemoteWarmer(self.links, wake)
        self._stage = stage
        self._wake = wake
        self._rests = Rests(stage)
        self._idler = Idler(wake)

    def performing(self, start: Start, begin: Exp, breath: float) -> Performing:
        """A line, not begun yet."""
        if start.line.attitude and not start.line.outputs.picture:
            return Idling(start, self._stage, self._rests, self._idler, begin=begin, breath=breath)
        return Remote(start, begin, breath, self.links, self._wake)

    def stop(self) -> None:
        """The server ends."""
        self._idler.stop()
        self.links.stop()

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads of the links and of lines that say nothing."""
        until = time.monotonic() + timeout_s
        return self.links.join(timeout_s) and self._idler.join(max(0.0, until - time.monotonic()))
