"""The engine's ROUTER: on loopback, or for known keys only, with bounds on what it takes and keeps."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket as tcp
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from npc_engine.server.curve import Curve, ServerError, is_loopback
from npc_engine.server.zap import Zap
from npc_engine.wire import limits

__all__ = ["Received", "Router", "ServerError", "Unreachable"]

LOG: Final = logging.getLogger(__name__)
SEND_MARK: Final = 500  # messages a client may leave unread before its lines wait; 2.5 s of eight lines with pictures
RECEIVE_MARK: Final = 100  # messages a client may send ahead of us before its own socket holds them; 100 MiB at most
HEARTBEAT_MS: Final = 2_000  # for half-open TCP only: a process that dies closes its connection at once
HEARTBEAT_TIMEOUT_MS: Final = 10_000
HANDSHAKE_MS: Final = 5_000  # to greet as ZeroMQ does and, where keys are needed, to show one's own
CURVE_BYTES: Final = 33  # by which encryption makes a frame longer (https://rfc.zeromq.org/spec/26): 8 + 8 + 16 + 1
BACKLOG: Final = 64  # connections that the system may hold for us before they are accepted
NO_CONNECTION: Final = -1  # the descriptor of a message whose connection is not known: nobody hears it
LINGER_MS: Final = 200  # on stop: long enough for the last `cancelled` over loopback

_TCP_INFO_BYTES: Final = 136  # of Linux' struct tcp_info, as far as it is read
_TCP_INFO_RECEIVED: Final = 128  # where its tcpi_bytes_received stands, a u64 (include/uapi/linux/tcp.h)


@dataclass(frozen=True, slots=True)
class Received:
    """A message: its client's identity, its connection's descriptor, the key (Z85) that it showed or "", and frames."""

    identity: bytes
    descriptor: int
    user: str
    frames: list[bytes]


class Router:
    """The bound ROUTER and the monitor that tells which connections are open."""

    def __init__(self, address: str, curve: Curve | None = None) -> None:
        if curve is None and not is_loopback(address):
            raise ServerError(f"{address} is not loopback: anyone on the network could make the engine speak")
        self.curve = curve
        self._told_of_old = False  # once is enough: anyone could fill the log
        self._context = zmq.Context()
        self.zap = None if curve is None else Zap(self._context, curve)
        self.socket = self._context.socket(zmq.ROUTER)
        options = {
            zmq.ROUTER_MANDATORY: 1,  # an error instead of silence for a client that is gone or does not read
            zmq.SNDHWM: SEND_MARK,
            zmq.RCVHWM: RECEIVE_MARK,
            zmq.MAXMSGSIZE: limits.FRAME_BYTES + (0 if curve is None else CURVE_BYTES),
            zmq.HANDSHAKE_IVL: HANDSHAKE_MS,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.HEARTBEAT_TTL: HEARTBEAT_TIMEOUT_MS,
            zmq.BACKLOG: BACKLOG,
            zmq.LINGER: LINGER_MS,
            zmq.IPV6: int("[" in address),
        }
        for option, value in options.items():
            self.socket.setsockopt(option, value)
        if curve is not None:
            curve.secure(self.socket)
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            hint = ": is another npc-engine running?" if error.errno == zmq.EADDRINUSE else ""
            raise ServerError(f"can't bind to {address}: {error}{hint}") from None
        self.address = str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT))
        self._port = int(self.address.rpartition(":")[2])

    def admits(self, user: str) -> bool:
        """Whether one who showed the key `user` is let in, as of the last reading of the list."""
        return self.curve is None or bool(self.curve.name(user))

    def receive(self) -> Received | None:
        """The next message; None when there is none."""
        try:
            identity, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        descriptor = _descriptor(identity)
        if descriptor == NO_CONNECTION and not self._told_of_old:
            self._told_of_old = True
            LOG.warning("a client speaks ZMTP 1 or 2 and is not heard: its ZeroMQ is older than 4.0")
        user = "" if self.curve is None or descriptor == NO_CONNECTION else str(identity.get("User-Id"))
        return Received(identity.bytes, descriptor, user, [frame.bytes for frame in frames])

    def shut(self, descriptor: int) -> None:
        """End a connection; its end comes as one of `connection_events`. Nothing happens where it has ended.

        ZeroMQ has no call for that, so TCP is told.
        """
        with contextlib.suppress(OSError), self._connection(descriptor) as connection:
            connection.shutdown(tcp.SHUT_RDWR)

    def inflow(self, descriptor: int) -> int:
        """Bytes that have come over a connection so far; 0 where the system does not tell (all but Linux)."""
        if sys.platform != "linux":
            return 0
        with contextlib.suppress(OSError, struct.error), self._connection(descriptor) as connection:
            told = connection.getsockopt(tcp.IPPROTO_TCP, tcp.TCP_INFO, _TCP_INFO_BYTES)
            return int(struct.unpack_from("=Q", told, _TCP_INFO_RECEIVED)[0])
        return 0

    @contextlib.contextmanager
    def _connection(self, descriptor: int) -> Iterator[tcp.socket]:
        """The TCP socket of a connection; raises `OSError` where that has ended.

        The descriptor may be another's by now: the port says whether it is one of ours. A client of ours that is taken
        for the one before, and ended, connects again.
        """
        connection = tcp.socket(fileno=descriptor)
        try:
            if connection.getsockname()[1:2] != (self._port,):
                raise OSError(errno.EBADF, "the connection has ended")
            yield connection
        finally:
            connection.detach()

    def send(self, identity: bytes, frames: list[bytes]) -> bool:
        """Send to a client; False while it leaves too much unread. Raises `Unreachable` when it is gone."""
        try:
            self.socket.send_multipart([identity, *frames], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                raise Unreachable from None
            raise
        return True

    def connection_events(self) -> list[tuple[bool, int]]:
        """Connections (opened?, descriptor) that came and went since the last call, in order."""
        events = []
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor)
            events.append((event["event"] == zmq.EVENT_ACCEPTED, int(event["value"])))
        return events

    def close(self) -> None:
        """Close, giving the last messages LINGER_MS to leave."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        if self.zap is not None:
            self.zap.close()
        self.socket.close()
        self._context.term()


def _descriptor(frame: zmq.Frame) -> int:
    """Of a frame's connection; NO_CONNECTION for peers with ZMTP before 3, of which libzmq keeps none."""
    try:
        return int(frame.get(zmq.SRCFD))
    except zmq.ZMQError:
        return NO_CONNECTION


class Unreachable(Exception):  # noqa: N818 - an answer, no fault
    """The client has gone."""
