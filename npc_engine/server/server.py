"""The engine as a server: games speak to it over ZeroMQ."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from npc_engine.keys import WayIn
from npc_engine.server.curve import Curve, curve_for, local_address
from npc_engine.server.health import Health
from npc_engine.server.loop import Loop
from npc_engine.server.metrics import Metrics
from npc_engine.server.performing import Assemble, Local
from npc_engine.server.sockets import Router, ServerError
from npc_engine.server.stage import Stage
from npc_engine.server.wake import Wake
from npc_engine.text.open_text import IDLE_S

__all__ = ["DEFAULT_ADDRESS", "Server", "ServerError"]

LOG: Final = logging.getLogger(__name__)
DEFAULT_ADDRESS: Final = "tcp://127.0.0.1:7890"
STOP_S: Final = 5.0  # longer than all that the wire thread waits for on its way out


class Server:
    """Serves the characters of `stage` on `address`; a port of `*` takes any free one.

    Games must show a key that the folder `keys` lets in, as `npc-engine keys` makes it; without one, `address` must be
    loopback. The folder is read again as it changes: those let in may come, those revoked are cut off.

    One thread owns the socket and each line has a performer; `start` returns once games can connect. A line whose text
    is open waits `text_idle_s` seconds for more of it, then it speaks what it has and ends. Lines are performed in this
    process, unless `company` says by whom. `metrics` and `health` tell how it is doing.
    """

    def __init__(
        self,
        stage: Stage,
        address: str = DEFAULT_ADDRESS,
        *,
        keys: Path | None = None,
        text_idle_s: float = IDLE_S,
        company: Assemble | None = None,
        metrics: Metrics | None = None,
        health: Health | None = None,
    ) -> None:
        self.address = address
        self.metrics = metrics or Metrics()
        self.health = health or Health()
        self._keys = keys
        self._stage = stage
        self._assemble = company or (lambda wake: Local(stage, wake, text_idle_s))
        self._changing = threading.Lock()  # start and stop, from whichever threads
        self._stopping = threading.Event()
        self._drained_by: float | None = None  # by the monotonic clock
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._curve: Curve | None = None
        self._wake: Wake | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve on a thread, with `address` then exact; raises `ServerError` where it can't, or needs keys."""
        with self._changing:
            if self._thread is not None:
                raise ServerError("the server was started already")
            self._curve = curve_for(self.address, self._keys)
            router = Router(self.address, self._curve)
            self._wake = Wake()
            thread = threading.Thread(target=self._run, args=(router, self._wake), name="wire", daemon=True)
            thread.start()
            self._thread = thread
            self.address = router.address
        LOG.info("listening on %s", self.address)

    @contextmanager
    def guest(self, name: str) -> Iterator[WayIn]:
        """A way in for one connection of this process, while the block lasts; `name` stands in the log."""
        address = local_address(self.address)
        if self._curve is None:
            yield WayIn(address)
            return
        pair = self._curve.invite(name)
        try:
            yield WayIn(address, self._curve.public, pair)
        finally:
            self._curve.dismiss(pair)

    def drain(self, seconds: float) -> None:
        """Refuse new lines, finish those that speak, then stop; after so many seconds cut what still speaks.

        Returns at once; `wait` tells when it has come to that. Lines that say nothing are cut then.
        """
        self.health.drain()
        self._drained_by = time.monotonic() + seconds
        with self._changing:
            if self._wake is not None:
                self._wake()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the wire thread; whether it has ended. Raises `ServerError` where it failed."""
        ended = self._ended.wait(timeout_s)
        if self._error is not None:
            raise ServerError(f"the wire thread failed: {self._error!r}") from self._error
        return ended

    def stop(self) -> None:
        """Cut every line, tell the games, and end; returns when all threads of the server have. May be called twice."""
        self._stopping.set()
        with self._changing:
            if self._wake is None or self._thread is None:
                return
            self._wake()
        self._thread.join(STOP_S)

    def serve_forever(self) -> None:
        """Serve until `stop` is called or Ctrl-C is pressed; raises `ServerError` when the wire thread fails."""
        if self._thread is None:
            self.start()
        try:
            while not self._ended.wait(0.5):  # with a limit, because Windows hears no Ctrl-C in an endless wait
                pass
        except KeyboardInterrupt:
            LOG.info("interrupted")
        finally:
            self.stop()
        self.wait(0)

    def _run(self, router: Router, wake: Wake) -> None:
        try:
            loop = Loop(router, wake, self._stage, self._assemble(wake), metrics=self.metrics, health=self.health)
            loop.run(self._stopping.is_set, lambda: self._drained_by)
        except BaseException as error:  # kept for serve_forever, which raises it
            LOG.exception("the wire thread failed")
            self._error = error
        finally:
            wake.close()
            router.close()
            self.health.stop()
            self._ended.set()
