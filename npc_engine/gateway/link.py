"""A DEALER to the engine for an asyncio loop: sends and receives without a thread, and knows when the engine has gone.

zmq.asyncio would do, but for the end: a `recv` that is cancelled because the engine has gone may hold its last message.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from npc_engine.keys import WayIn
from npc_engine.wire import limits

SEND_MARK: Final = 16  # messages of a page that wait for the engine; then the WebSocket is not read
RECEIVE_MARK: Final = 16  # messages for a page that does not read; what more there is waits in the engine
CONNECT_S: Final = 5.0  # for the engine to take a connection
LAST_WORDS_S: Final = 0.05  # libzmq tells that a connection has ended just before it hands over what came last
_NEVER_MS: Final = 86_400_000  # to reconnect: to the engine that would be somebody else. -1 drops messages not yet read
_OPENED: Final = zmq.EVENT_HANDSHAKE_SUCCEEDED
_ENDED: Final = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED  # nobody listens there
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Link:
    """One connection to the engine; all but the constructor on the loop's thread. `close` it."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], way: WayIn, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._gone = False
        self._connected = asyncio.Event()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._socket = context.socket(zmq.DEALER)
        options = {
            zmq.LINGER: 0,  # whoever left hears no answer, so nothing need be asked for it any more
            zmq.SNDHWM: SEND_MARK,
            zmq.RCVHWM: RECEIVE_MARK,
            zmq.RECONNECT_IVL: _NEVER_MS,
            zmq.MAXMSGSIZE: limits.PAYLOAD_BYTES,
            zmq.IPV6: int("[" in way.address),
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        if way.pair is not None:
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, way.server_key.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, way.pair.public.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, way.pair.secret.encode("ascii"))
        self._monitor = self._socket.get_monitor_socket(_OPENED | _ENDED)
        self._files = ((self._socket.FD, self._stir), (self._monitor.FD, self._note))
        for file, call in self._files:
            loop.add_reader(file, call)
        self._socket.connect(way.address)
        self._note()

    async def connected(self) -> bool:
        """Wait for the engine to take the connection, CONNECT_S at most; whether it did."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._connected.wait(), CONNECT_S)
        return self._connected.is_set() and not self._gone

    async def send(self, frames: list[bytes]) -> None:
        """Send a message, as soon as fewer than SEND_MARK wait to leave."""
        while True:
            self._writable.clear()
            try:
                self._socket.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                await self._writable.wait()
            else:
                self._readable.set()  # libzmq may have noted on the way that something came, and tells it once
                return

    async def receive(self) -> list[bytes] | None:
        """The next message, in order; None when the engine has gone and all that it said was received."""
        last = False
        while True:
            self._readable.clear()
            with contextlib.suppress(zmq.Again):
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
                self._writable.set()
                return frames
            if last:
                return None
            if not self._gone:
                await self._readable.wait()
            else:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._readable.wait(), LAST_WORDS_S)
                last = True

    def _stir(self) -> None:
        """Something has changed about the socket: whoever waits for it tries again."""
        self._socket.getsockopt(zmq.EVENTS)  # else its file stays readable
        self._readable.set()
        self._writable.set()

    def _note(self) -> None:
        """Take notice of what has become of the connection."""
        while self._monitor.poll(0):
            if recv_monitor_message(self._monitor)["event"] == _OPENED:
                self._connected.set()
            else:
                self.leave()

    def leave(self) -> None:
        """Take the engine for gone: `receive` gives what has come already, then None."""
        self._gone = True
        self._connected.set()
        self._readable.set()

    def close(self) -> None:
        """End the connection: the engine stops its lines."""
        for file, _ in self._files:
            self._loop.remove_reader(file)
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()
