"""The gateway's thread: takes WebSockets, lets in whom the entrance lets in, and carries their messages."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import zmq
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from npc_engine.gateway.bridge import Bridge
from npc_engine.gateway.entrance import Entrance, protocol_of
from npc_engine.gateway.link import Link
from npc_engine.gateway.pages import answer, page_folder, plain, read_pages
from npc_engine.keys import WayIn
from npc_engine.wire import limits

LOG: Final = logging.getLogger(__name__)
TEND_S: Final = 0.5  # from one look at pages that don't read to the next
TELL_S: Final = 10.0  # from one line in the log about strangers to the next: they must not fill the disk
QUEUE_FRAMES: Final = 4  # of a page, read and not yet with the engine: 4 MiB at most
CLOSE_S: Final = 2.0  # for a page to answer that its WebSocket is closed
STOP_S: Final = 1.0  # for what the engine said last to reach the pages


class GatewayError(RuntimeError):
    """The gateway can't start; says why."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the gateway holds at once, and for how long."""

    websockets: int = 64  # open at once: the engine speaks 64 lines
    callers: int = 256  # TCP connections; one that has no WebSocket yet makes room for a newcomer
    open_s: float = 5.0  # from connecting to the end of the request, TLS included
    unread_s: float = 30.0  # that a page may leave a message unread, beyond what the network holds of it
    ping_s: float = 20.0  # from one ping to the next, and for its answer: notices machines that have vanished


class _Caller(ServerConnection):
    """A TCP connection in the gateway's books, from its first moment on."""

    def __init__(self, *arguments: Any, callers: dict[_Caller, bool], most: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._callers = callers  # whether each has a WebSocket; in the order in which they came
        self._most = most

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._callers) >= self._most:
            oldest = next((caller for caller, let_in in self._callers.items() if not let_in), self)
            oldest.transport.abort()
            self._callers.pop(oldest, None)
            if oldest is self:
                return
        self._callers[self] = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.pop(self, None)
        super().connection_lost(exc)


class Gateway:
    """Serves WebSockets, and the page that shows what they are for, on `host` and `port` (0 takes any that is free).

    `guest` gives a way into the engine for each WebSocket, under the name that it is called with. `start` it, and stop
    the engine before it, so that what the engine says last reaches the pages.
    """

    def __init__(
        self,
        guest: Callable[[str], AbstractContextManager[WayIn]],
        entrance: Entrance,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._guest = guest
        self._pages = read_pages(page_folder())
        self._entrance = entrance
        self._tls = tls
        self._bounds = bounds or Bounds()
        self._names = itertools.count(1)
        self._callers: dict[_Caller, bool] = {}
        self._bridges: dict[Bridge, ServerConnection] = {}
        self._refused = 0  # since the log was told
        self._tell_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where the page is for this machine, such as http://127.0.0.1:7891/; its WebSocket is at the same place."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - nothing is bound here
        host = f"[{host}]" if ":" in host else host
        return f"http{'s' if self._tls else ''}://{host}:{self.port}/"

    @property
    def websockets(self) -> int:
        """How many are open."""
        return len(self._bridges)

    def start(self) -> None:
        """Listen and serve on a thread, with `port` then exact; raises `GatewayError` where it can't."""
        try:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            listener = socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            raise GatewayError(f"can't listen for WebSockets on {self.host}:{self.port}: {error.strerror}") from None
        self.port = listener.getsockname()[1]
        self._loop = asyncio.SelectorEventLoop()  # Windows' default one watches no files of ZeroMQ
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listener, self._stopping), name="gateway", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close every WebSocket and end; returns when the thread has."""
        if self._loop is None or self._stopping is None or self._thread is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket, stopping: asyncio.Event) -> None:
        asyncio.set_event_loop(loop)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            loop.run_until_complete(self._serve(context, listener, stopping))
        except Exception:
            LOG.exception("the gateway failed: no WebSockets any more")
        finally:
            listener.close()
            context.destroy(0)
            loop.close()

    async def _serve(
        self, context: zmq.Context[zmq.Socket[bytes]], listener: socket.socket, stopping: asyncio.Event
    ) -> None:
        bounds = self._bounds
        server = await serve(
            partial(self._handle, context),
            sock=listener,
            ssl=self._tls,
            process_request=self._judge,
            select_subprotocol=_subprotocol,
            compression=None,  # neither sound nor pictures get smaller, and it costs the engine's cores
            server_header="npc-engine",
            open_timeout=bounds.open_s,
            ping_interval=bounds.ping_s,
            ping_timeout=bounds.ping_s,
            close_timeout=CLOSE_S,
            max_size=limits.FRAME_BYTES,
            max_queue=QUEUE_FRAMES,
            logger=_library_log(),
            create_connection=self._caller,  # type: ignore[arg-type] # a wrapper will do, says its documentation
        )
        LOG.info("listening for WebSockets on %s", self.address)
        while not stopping.is_set():
            self._tend()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stopping.wait(), TEND_S)
        await self._close(server)

    async def _close(self, server: Server) -> None:
        server.close(close_connections=False)
        for bridge in tuple(self._bridges):
            bridge.stop()
        closed = asyncio.ensure_future(server.wait_closed())
        await asyncio.wait([closed], timeout=STOP_S)
        for caller in tuple(self._callers):
            caller.transport.abort()
        await closed

    def _caller(self, *arguments: Any, **options: Any) -> _Caller:
        return _Caller(*arguments, callers=self._callers, most=self._bounds.callers, **options)

    def _tend(self) -> None:
        """End WebSockets of pages that have stopped reading; pings wait behind what they don't read."""
        now = time.monotonic()
        for bridge, page in self._bridges.items():
            if bridge.unread_s(now) > self._bounds.unread_s:
                LOG.warning("a page was given up: it left a message unread for %.0f s", self._bounds.unread_s)
                page.transport.abort()

    # ── one connection ────────────────────────────────────────────────────────────────────────────────────────────

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request: a page or a refusal; None opens a WebSocket."""
        path = request.path.partition("?")[0]
        if "Upgrade" not in request.headers:
            refusal = self._entrance.stray(request.headers)
            if refusal is None and path in self._pages:
                return answer(HTTPStatus.OK, *self._pages[path])
            status, text = (refusal.status, refusal.text) if refusal else (HTTPStatus.NOT_FOUND, "no such page")
            return plain(HTTPStatus(status), text)
        if path != "/":
            return plain(HTTPStatus.NOT_FOUND, "WebSockets are opened at /")
        refusal = self._entrance.refusal(request.headers)
        if refusal is not None:
            self._tell(connection, refusal.text)
            return plain(HTTPStatus(refusal.status), refusal.text)
        if sum(self._callers.values()) >= self._bounds.websockets:
            text = f"{self._bounds.websockets} WebSockets are open, as many as may"
            self._tell(connection, text)
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, text)
        if isinstance(connection, _Caller) and connection in self._callers:
            self._callers[connection] = True
        return None

    def _tell(self, connection: ServerConnection, text: str) -> None:
        """Say in the log who was refused, but not for each of a flood."""
        self._refused += 1
        if time.monotonic() >= self._tell_at:
            host = (connection.remote_address or ("?",))[0]
            LOG.warning("refused %d WebSockets, the last from %s: %s", self._refused, host, text)
            self._tell_at, self._refused = time.monotonic() + TELL_S, 0

    async def _handle(self, context: zmq.Context[zmq.Socket[bytes]], page: ServerConnection) -> None:
        """Serve an open WebSocket until it ends."""
        name = f"websocket {next(self._names)}"
        with self._guest(name) as way:
            link = Link(context, way, asyncio.get_running_loop())
            bridge = Bridge(page, link)
            self._bridges[bridge] = page
            LOG.info("%s opened from %s", name, (page.remote_address or ("?",))[0])
            try:
                ending = await bridge.run()
            finally:
                del self._bridges[bridge]
                link.close()
        LOG.info("%s ended%s", name, f": {ending.reason}" if ending.reason else "")
        try:
            await asyncio.wait_for(page.close(ending.code, ending.reason), 2 * CLOSE_S)
        except asyncio.TimeoutError:
            page.transport.abort()  # it reads nothing, not even that


def _subprotocol(_: ServerConnection, offered: Any) -> Subprotocol | None:
    chosen = protocol_of(offered)
    return None if chosen is None else Subprotocol(chosen)


def _library_log() -> logging.Logger:
    """The log of websockets without what strangers can bring about: a broken request has a trace there each time."""
    log = logging.getLogger(f"{__name__}.library")
    log.setLevel(logging.ERROR)
    if not log.filters:
        log.addFilter(lambda record: not str(record.msg).startswith("opening handshake failed"))
    return log
