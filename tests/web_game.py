"""What tests of the gateway share: a game on a WebSocket, the gateway beside a server, and raw callers."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import time

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from npc_engine.gateway.entrance import Entrance
from npc_engine.gateway.framing import join, split
from npc_engine.gateway.gateway import Bounds, Gateway
from npc_engine.wire.codec import decode_reply, encode
from npc_engine.wire.messages import Hello

WAIT_S = 20.0


@contextlib.contextmanager
def gateway_to(guest, entrance=None, **options):
    """A gateway on a free port of loopback, until the block ends."""
    gateway = Gateway(guest, entrance or Entrance(), **options)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


class WebGame:
    """A game on a WebSocket; `url` as Gateway.address gives it."""

    def __init__(self, url, hello=True, **options):
        self._open = contextlib.ExitStack()
        address = url.replace("http", "ws", 1)
        self.socket = self._open.enter_context(connect(address, max_size=None, open_timeout=WAIT_S, **options))
        if hello:
            self.send(Hello(1, "web game"))
            assert self.receive().kind == "welcome"

    def send(self, message):
        frames = message if isinstance(message, list) else encode(message)
        self.socket.send(join(frames))

    def raw(self, timeout_s=WAIT_S):
        """The frames of the next message."""
        return split(self.socket.recv(timeout=timeout_s))

    def receive(self, timeout_s=WAIT_S):
        return decode_reply(self.raw(timeout_s))

    def until(self, *kinds):
        """Messages up to the first of these kinds."""
        messages = [self.receive()]
        while messages[-1].kind not in kinds:
            messages.append(self.receive())
        return messages

    def closing(self):
        """Messages until the WebSocket is closed, and its code and reason; both empty where it broke."""
        messages = []
        try:
            while True:
                messages.append(self.receive())
        except ConnectionClosed as closed:
            return messages, (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "")

    def close(self):
        self._open.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Caller:
    """A TCP connection to a gateway that says what it likes."""

    def __init__(self, gateway):
        self.host = f"{gateway.host}:{gateway.port}"
        self.socket = socket.create_connection((gateway.host, gateway.port), WAIT_S)

    def ask(self, *headers, path="/", host=None):
        """Send a request for a WebSocket with more headers; the status of the answer."""
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = (
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        return self.request(*upgrade, *headers, path=path, host=host)

    def request(self, *headers, path="/", host=None):
        """Send a request; the status of the answer, 0 for none. Its head and body are then in `answer`."""
        lines = (f"GET {path} HTTP/1.1", f"Host: {self.host if host is None else host}", *headers, "", "")
        self.socket.sendall("\r\n".join(lines).encode())
        self.answer = b""
        try:
            while b"\r\n\r\n" not in self.answer:
                if not (piece := self.socket.recv(4096)):
                    return 0
                self.answer += piece
        except ConnectionError:
            return 0
        return int(self.answer.split()[1])

    def body(self):
        """The rest of the answer."""
        while piece := self.socket.recv(65_536):
            self.answer += piece
        return self.answer.partition(b"\r\n\r\n")[2]

    def send(self, message):
        """A message of the wire on the WebSocket that was opened."""
        self.socket.sendall(Frame(Opcode.BINARY, join(encode(message))).serialize(mask=True))

    def is_ended(self, timeout_s=WAIT_S):
        """Whether the gateway ends the connection within a time; what came before is dropped."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self.socket.recv(65_536):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


SMALL = Bounds(websockets=3, callers=6, open_s=1.0, unread_s=1.0, ping_s=0.3)


def wait_for(happened, timeout_s=WAIT_S):
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)
