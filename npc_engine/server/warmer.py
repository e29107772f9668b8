"""Lines made ahead: their speech goes into the cache, and nothing is sent but the answer."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from npc_engine.cast import CastError
from npc_engine.moments import SAMPLE_RATE
from npc_engine.performance import in_style
from npc_engine.server.faults import cast_code
from npc_engine.server.stage import Stage
from npc_engine.speech.errors import SpeechError
from npc_engine.wire.effects import Prepare
from npc_engine.wire.messages import Warmed

LOG: Final = logging.getLogger(__name__)
WAITING: Final = 256  # warms of all clients; eight clients may ask for all that one may


@dataclass(frozen=True, slots=True)
class WarmFailed:
    """A `warm` that can't be carried out; `code` and `text` of the error."""

    id: str
    code: str
    text: str


class Warmer:
    """One worker thread that loads characters and makes speech, in the order asked; `wake` says that one is done.

    One thread and no more: warming must not take the cores of the lines that are being heard.
    """

    def __init__(self, stage: Stage, wake: Callable[[], None]) -> None:
        self._stage = stage
        self._wake = wake
        self._waiting: deque[tuple[bytes, Prepare]] = deque()
        self._done: deque[tuple[bytes, Warmed | WarmFailed]] = deque()
        self._now: bytes | None = None  # whose job is being done
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None  # begun when first needed

    def add(self, client: bytes, prepare: Prepare) -> bool:
        """Put a job behind the others; False when as many wait as may."""
        with self._changed:
            if len(self._waiting) >= WAITING:
                return False
            self._waiting.append((client, prepare))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warmer", daemon=True)
                self._thread.start()
        return True

    def forget(self, client: bytes) -> None:
        """Drop the jobs of a client that is gone; the one that is being done ends at its next clause."""
        with self._changed:
            self._waiting = deque(job for job in self._waiting if job[0] != client)
            self._done = deque(answer for answer in self._done if answer[0] != client)
            if self._now == client:
                self._now = None

    def take(self) -> list[tuple[bytes, Warmed | WarmFailed]]:
        """What has been done since the last call, with the client that asked."""
        with self._changed:
            done = list(self._done)
            self._done.clear()
        return done

    def stop(self) -> None:
        """End at the next clause; returns at once."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._now = None
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._waiting)
                if self._stopped:
                    return
                client, prepare = self._waiting.popleft()
                self._now = client
            answer = self._answer(prepare)
            with self._changed:
                if self._now == client:
                    self._done.append((client, answer))
            self._wake()

    def _answer(self, prepare: Prepare) -> Warmed | WarmFailed:
        name = prepare.line.id
        try:
            return self._prepare(prepare)
        except SpeechError as error:
            return WarmFailed(name, "bad-text", str(error))
        except CastError as error:
            return WarmFailed(name, cast_code(self._stage.cast, prepare.npc, prepare.voice), str(error))
        except BaseException as error:  # a library's sys.exit too: this thread serves all
            LOG.exception("warm %s of %s failed", name, prepare.line.npc)
            return WarmFailed(name, "internal", f"the engine failed on this warm: {type(error).__name__}: {error}")

    def _prepare(self, prepare: Prepare) -> Warmed:
        npc = self._stage.npc(prepare.npc, prepare.voice)
        line = in_style(prepare.line, npc)
        samples = 0
        if line.text.strip():
            for chunk in npc.voice.speak(line):
                samples += len(chunk.samples)
                if self._now is None:  # stopped, or nobody is there to hear of it
                    break
        return Warmed(line.id, prepare.npc, prepare.voice, len(line.text), samples * 1000 // SAMPLE_RATE)
