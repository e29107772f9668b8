"""What comes over TCP that is no ZeroMQ, or only half of it (https://rfc.zeromq.org/spec/37)."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Final

GREETING: Final = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16) + b"\x00" + bytes(31)
READY: Final = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
KEPT: Final = 20  # connections that are left standing at once


def _changed(rng: random.Random) -> bytes:
    """A handshake with wrong bytes: now and then one of another ZMTP version."""
    data = bytearray(GREETING + READY)
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _of_an_older_version(rng: random.Random) -> bytes:
    """ZMTP 1 (https://rfc.zeromq.org/spec/13) or 2 (spec/15), with a message or two."""
    body = rng.randbytes(rng.randint(0, 20))
    if rng.random() < 0.5:
        return b"\x01\x00" + (bytes((len(body) + 1, rng.choice((0, 0, 1, 255)))) + body) * 2
    return GREETING[:10] + b"\x01" + bytes((rng.choice((5, 5, 6, 3, 99)),)) + b"\0\0" + bytes((0, len(body))) + body


def _command(rng: random.Random) -> bytes:
    """Heartbeats that are wrong, and commands that nobody knows, after the handshake."""
    body = rng.choice((b"\x04PING", b"\x04PING\x00\x00" + b"x" * 40, b"\x04PONG", b"\x05ERROR\xff", b"\x06CANCEL"))
    return GREETING + READY + bytes((0x04, len(body))) + body


NOISE: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    lambda rng: GREETING[: rng.randrange(len(GREETING))],
    lambda rng: GREETING + rng.randbytes(rng.randint(1, 300)),
    lambda rng: rng.randbytes(rng.randint(0, 2_000)),
    lambda rng: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * rng.randint(1, 3),
    _changed,
    _of_an_older_version,
    # a frame of a size that never comes
    lambda rng: GREETING + READY + b"\x02" + struct.pack(">Q", rng.choice((2**20, 2**31, 2**62, 2**63, 2**64 - 1))),
    lambda rng: GREETING + READY + b"\x01\x01x" * rng.randint(1, 2_000),  # a message without an end
    _command,
    lambda rng: GREETING + READY + bytes((0, rng.randrange(256))) + rng.randbytes(rng.randint(0, 255)),
)
"""What the bytes of one connection may be."""


class Strangers:
    """Connections that say noise; the oldest of KEPT is closed for the next, half of them without a farewell."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        self._to = host, int(port)
        self._open: deque[socket.socket] = deque()
        self.count = 0

    def visit(self, rng: random.Random) -> None:
        """Connect and say something; the server may end it whenever it likes."""
        if len(self._open) >= KEPT:
            self._leave(self._open.popleft(), abruptly=rng.random() < 0.5)
        stranger = socket.create_connection(self._to, timeout=30)
        self.count += 1
        self._open.append(stranger)
        data = rng.choice(NOISE)(rng)
        cut = rng.randrange(len(data) + 1)
        with contextlib.suppress(OSError):
            stranger.sendall(data[:cut])
            stranger.sendall(data[cut:])

    @staticmethod
    def _leave(stranger: socket.socket, *, abruptly: bool) -> None:
        if abruptly:  # RST instead of FIN
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stranger.close()

    def close(self) -> None:
        """Leave with all of them."""
        while self._open:
            self._leave(self._open.popleft(), abruptly=False)
