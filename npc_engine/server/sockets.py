"""The engine's ROUTER: bound to loopback only, with bounds on what it takes and keeps."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from npc_engine.wire import limits

SEND_MARK: Final = 500  # messages a client may leave unread before its lines wait; 2.5 s of eight lines with pictures
RECEIVE_MARK: Final = 1_000  # messages a client may send ahead of us before its own socket holds them
HEARTBEAT_MS: Final = 2_000  # for half-open TCP only: a process that dies closes its connection at once
HEARTBEAT_TIMEOUT_MS: Final = 10_000
LINGER_MS: Final = 200  # on stop: long enough for the last `cancelled` over loopback


class ServerError(RuntimeError):
    """The server can't start, or could not go on; says why."""


def check_address(address: str) -> None:
    """Raise `ServerError` unless `address` is tcp:// on loopback; a port of `*` takes any free one."""
    match = re.fullmatch(r"tcp://(\[[^\]]+\]|[^:/]+):(\d+|\*)", address)
    if match is None:
        raise ServerError(f"address is {address!r}, expected tcp://HOST:PORT such as tcp://127.0.0.1:7890")
    host, port = match[1].strip("[]"), match[2]
    if port != "*" and not 0 < int(port) < 65536:
        raise ServerError(f"port of {address!r} is {port}, expected 1 to 65535, or * for any that is free")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ServerError(
            f"{address} is not loopback: anyone on the network could make the engine speak. Bind to "
            f"tcp://127.0.0.1:PORT; other addresses need keys, which this release has not"
        )


class Router:
    """The bound ROUTER and the monitor that tells which connections are open."""

    def __init__(self, address: str) -> None:
        check_address(address)
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.ROUTER)
        options = {
            zmq.ROUTER_MANDATORY: 1,  # an error instead of silence for a client that is gone or does not read
            zmq.SNDHWM: SEND_MARK,
            zmq.RCVHWM: RECEIVE_MARK,
            zmq.MAXMSGSIZE: limits.FRAME_BYTES,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.LINGER: LINGER_MS,
            zmq.IPV6: int("[" in address),
        }
        for option, value in options.items():
            self.socket.setsockopt(option, value)
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            hint = ": is another npc-engine running?" if error.errno == zmq.EADDRINUSE else ""
            raise ServerError(f"can't bind to {address}: {error}{hint}") from None
        self.address = str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT))

    def receive(self) -> tuple[bytes, int, list[bytes]] | None:
        """A client's identity, its connection's descriptor, and the frames that it sent; None when there are none."""
        try:
            identity, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        return identity.bytes, int(identity.get(zmq.SRCFD)), [frame.bytes for frame in frames]

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
        self.socket.close()
        self._context.term()


class Unreachable(Exception):  # noqa: N818 - an answer, no fault
    """The client has gone."""
