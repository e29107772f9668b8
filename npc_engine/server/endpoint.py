"""/healthz and /metrics over HTTP, for those who watch the engine: read only, and nobody can hold it."""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from npc_engine.server.curve import ServerError
from npc_engine.server.health import Health

LOG: Final = logging.getLogger(__name__)
PATIENCE_S: Final = 5.0  # for a whole request and its answer; then the connection is ended
AT_ONCE: Final = 8  # requests that are answered at once, each on a thread; others are turned away

Page = Callable[[], tuple[HTTPStatus, str, bytes]]
"""Status, content type and body of an answer, made for each request."""


def health_page(health: Health) -> Page:
    """`ok`, or why not, as JSON; 200 or 503."""

    def page() -> tuple[HTTPStatus, str, bytes]:
        fault = health.fault()
        body = {"status": fault or "ok", "state": health.state, "characters": health.characters}
        status = HTTPStatus.SERVICE_UNAVAILABLE if fault else HTTPStatus.OK
        return status, "application/json", json.dumps(body).encode() + b"\n"

    return page


def host_and_port(text: str) -> tuple[str, int]:
    """`[HOST:]PORT`, on loopback where no host is named; raises `ServerError` for anything else."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ServerError(f"--metrics is {text!r}, expected [HOST:]PORT such as 9464 or 0.0.0.0:9464")
    return host, int(port)


class Endpoint:
    """Serves `pages` by path on a thread; `start` binds, with `port` then exact."""

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self.host = host
        self.port = port
        self._pages = pages
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve; raises `ServerError` where it can't."""
        try:
            self._server = _Server(self.host, self.port, self._pages)
        except (OSError, OverflowError) as error:
            raise ServerError(f"can't serve metrics on {self.host}:{self.port}: {error}") from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Serve no more, and end open connections."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Ends connections that take longer than PATIENCE_S, however slowly they go on, and those that are too many."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = AT_ONCE

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self.address_family = socket.AF_INET6 if _is_v6(host) else socket.AF_INET
        self.pages = pages
        self._open: dict[socket.socket, float] = {}  # since when
        self._changing = threading.Lock()
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changing:
            room = len(self._open) < AT_ONCE
            if room:
                self._open[request] = time.monotonic()
        if room:
            super().process_request(request, client_address)
        else:
            super().shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._changing:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called by `serve_forever` between requests, and five times a second when there are none."""
        late = time.monotonic() - PATIENCE_S
        with self._changing:
            for request, since in self._open.items():
                if since < late:
                    _end(request)

    def server_close(self) -> None:
        super().server_close()
        with self._changing:
            for request in self._open:
                _end(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's signature
        """Called by the base inside its `except`: who asked has gone, or took too long."""
        LOG.debug("a request was not answered: %s", sys.exc_info()[1])


def _end(request: socket.socket) -> None:
    """Wake the thread that reads or writes it; that thread closes it."""
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:  # a name
        return False


class _Handler(BaseHTTPRequestHandler):
    """Answers one request a connection."""

    server: _Server
    timeout = PATIENCE_S

    def version_string(self) -> str:
        return "npc-engine"

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            paths = " ".join(sorted(self.server.pages))
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", f"nothing here; try {paths}\n".encode())
            return
        try:
            answer = page()
        except Exception:
            LOG.exception("%s could not be made", self.path)
            answer = (
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                b"a fault of the engine, see its log\n",
            )
        self._answer(*answer)

    do_HEAD = do_GET  # noqa: N815 - likewise

    def _refuse(self) -> None:
        body = b"read only: GET or HEAD\n"
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", body, {"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse  # noqa: N815 - likewise

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store", **(more or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        LOG.debug("http %s: " + format, self.address_string(), *args)  # noqa: G003 - the base's format
