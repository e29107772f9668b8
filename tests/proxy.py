"""A TCP proxy between clients and a server that can fall silent without a word, as networks do, or become slow."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from guarded import endpoint

PIECE = 65_536


class Proxy:
    """Passes connections on to `address`; `rate` bytes a second towards the client at most, 0 for all there are."""

    def __init__(self, address: str, rate: int = 0) -> None:
        self._to = endpoint(address)
        self._rate = rate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[socket.socket] = set()
        self._closed = False
        self.passed = 0  # bytes towards clients
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._rate:  # what waits in the kernel is no slow network
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
                try:
                    far = socket.create_connection(self._to, timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._connections.append((near, far))
                threading.Thread(target=self._pass, args=(near, far, 0), name="proxy", daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, self._rate), name="proxy", daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket, rate: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(min(PIECE, rate // 20) if rate else PIECE):
                if source in self._silent:
                    continue  # it was acknowledged, and lost behind us
                to.sendall(data)
                if source not in (near for near, _ in self._connections):
                    self.passed += len(data)
                if rate:
                    time.sleep(len(data) / rate)
        if source not in self._silent:
            for end in (source, to):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """Nothing of the connections there are gets through any more, and neither end is told; new ones are passed."""
        for pair in self._connections:
            self._silent.update(pair)

    def close(self) -> None:
        """End everything."""
        self._listener.close()
        for pair in self._connections:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def __enter__(self) -> Proxy:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
