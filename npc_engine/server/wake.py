"""A bell that any thread may ring and the wire thread polls."""

from __future__ import annotations

import socket
import threading


class Wake:
    """Rings through a socket pair, because a poll of ZeroMQ sockets can wait for nothing else on every system."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._rung = False
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Ring; one byte lies in the pair at most, so this never blocks. Does nothing after `close`."""
        with self._lock:
            if not self._rung and self._writer.fileno() >= 0:
                self._rung = True
                self._writer.send(b"!")

    def clear(self) -> None:
        """Hear the bell, before looking for what it rang for."""
        with self._lock:
            if self._rung:
                self._rung = False
                self._reader.recv(1)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._reader.fileno()

    def close(self) -> None:
        """Release both ends."""
        with self._lock:
            self._reader.close()
            self._writer.close()
