"""Who is let in: the answers to ZeroMQ's question at each handshake (https://rfc.zeromq.org/spec/27, "ZAP").

pyzmq's own ThreadAuthenticator does the same on a thread with an asyncio loop, which on Windows needs tornado and which
ends for good at its first fault. The protocol is one request and one reply, so the wire thread answers; it knows the
list anyway, since it cuts off those who are let in no more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import zmq
from zmq.utils import z85

from npc_engine.server.curve import DOMAIN, Curve

LOG: Final = logging.getLogger(__name__)
ENDPOINT: Final = "inproc://zeromq.zap.01"
ANSWERS_A_ROUND: Final = 32  # a flood of handshakes can't silence the lines
TELL_S: Final = 10.0  # from one line in the log about strangers to the next: they must not fill the disk


class Zap:
    """The socket that libzmq asks; lets in whose key `curve` admits. Made before the socket that it guards is bound."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], curve: Curve, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._curve = curve
        self._now = now
        self.refused = 0  # handshakes, so far
        self._refused = 0  # since the log was told
        self._tell_at = 0.0
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ENDPOINT)

    def answer(self) -> None:
        """Answer the handshakes that wait."""
        self._curve.refresh()  # one who was let in a moment ago need not try twice
        for _ in range(ANSWERS_A_ROUND):
            try:
                request = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.socket.send_multipart(self._reply(request))

    def _reply(self, request: list[bytes]) -> list[bytes]:
        """Version, request id, status, its text, user id and metadata; the user id is the client's key in Z85."""
        if len(request) != 7 or request[0] != b"1.0" or request[2] != DOMAIN or request[5] != b"CURVE":
            LOG.error("libzmq asked what is no ZAP request of ours: %d frames %r", len(request), request[:6])
            return [b"1.0", request[1] if len(request) > 1 else b"", b"500", b"no ZAP request of ours", b"", b""]
        key = z85.encode(request[6])
        name = self._curve.name(key.decode("ascii"))
        if name:
            LOG.info("client %r was let in from %s", name, request[3].decode("ascii", "replace"))
            return [b"1.0", request[1], b"200", b"OK", key, b""]
        self.refused += 1
        self._refused += 1
        if self._now() >= self._tell_at:
            LOG.warning(
                "refused %d handshakes, last of %r from %s: not in the list. npc-engine keys allow NAME KEY lets it in",
                self._refused, key.decode("ascii"), request[3].decode("ascii", "replace"),
            )  # fmt: skip
            self._tell_at, self._refused = self._now() + TELL_S, 0
        return [b"1.0", request[1], b"400", b"this key is not let in", b"", b""]

    def close(self) -> None:
        """Answer no more; from now on nobody is let in."""
        self.socket.close(0)
