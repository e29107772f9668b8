"""The client's socket: messages out, messages in, and whether an engine is there. The only I/O of the client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from npc_engine.keys import KeyPair
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_reply, encode
from npc_engine.wire.messages import ErrorMessage, Reply, Request, WireError

DEFAULT_ADDRESS: Final = "tcp://127.0.0.1:7890"
HEARTBEAT_MS: Final = 2_000  # libzmq's I/O thread answers, so a game that stands still for seconds stays connected
HEARTBEAT_TIMEOUT_MS: Final = 10_000
RECONNECT_MS: Final = 50
RECEIVE_MARK: Final = 20_000  # messages waiting to be polled; credit bounds them far lower
LINGER_MS: Final = 200  # a `cancel` sent just before closing still leaves
RECONNECT_MOST_MS: Final = (
    1_000  # the longest wait between two tries: with a wrong key each costs the engine a handshake
)
READ_AT_MOST: Final = 256  # messages that one read hands over, so that a flood can't stop a game's frame


class ClientError(RuntimeError):
    """The engine can't be reached, or it refused a line; `code` and `line` as in the `error` message, if one came."""

    def __init__(self, text: str, code: str = "", line: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class Curve:
    """What a connection needs where the engine asks for keys."""

    server_key: str  # the engine's public key, Z85
    pair: KeyPair  # the client's own


class Connection:
    """A DEALER that connects, and connects again, by itself; raises `ClientError` for an address that is none.

    `refused` says why the engine will never talk to this connection, once it has told so; then it connects no more.
    `trouble` says what may be wrong where no handshake succeeds.
    """

    def __init__(self, address: str, curve: Curve | None = None) -> None:
        self.refused = ""
        self.trouble = ""
        self._curve = curve
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        options = {
            zmq.LINGER: LINGER_MS,
            zmq.RCVHWM: RECEIVE_MARK,
            zmq.RECONNECT_IVL: RECONNECT_MS,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.HEARTBEAT_TTL: HEARTBEAT_TIMEOUT_MS,
            zmq.MAXMSGSIZE: limits.PAYLOAD_BYTES,
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        if curve is not None:
            self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MOST_MS)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, curve.server_key.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, curve.pair.public.encode("ascii"))
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, curve.pair.secret.encode("ascii"))
        self._monitor = self._socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        )
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self.close()
            text = f"can't connect to {address!r}: {error}; expected an address like {DEFAULT_ADDRESS}"
            raise ClientError(text) from None

    def send(self, message: Request) -> bool:
        """Send at once; False if more waits to leave than may."""
        try:
            self._socket.send_multipart(encode(message), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def read(self) -> list[Reply]:
        """What has come, up to READ_AT_MOST messages; what can't be read stands there as an `ErrorMessage`."""
        replies: list[Reply] = []
        for _ in range(READ_AT_MOST):
            try:
                data = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                replies.append(decode_reply(data))
            except WireError as error:
                if error.code != "unknown-kind":  # a newer engine may say more than we know
                    replies.append(ErrorMessage("bad-message", f"the engine sent: {error}", error.line, ends=False))
        return replies

    def changes(self) -> list[bool]:
        """True for each time that an engine was found since the last call, False for each time that it was lost."""
        changes = []
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
            if event in {zmq.EVENT_HANDSHAKE_SUCCEEDED, zmq.EVENT_DISCONNECTED}:
                changes.append(event == zmq.EVENT_HANDSHAKE_SUCCEEDED)
            else:
                self._note_failure(event)
        return changes

    def _note_failure(self, event: int) -> None:
        """What a failed handshake tells; libzmq connects no more after the first two kinds."""
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH and self._curve is not None:
            pair = self._curve.pair
            self.refused = (
                f"it does not let in the key{f' of {pair.name!r}' if pair.name else ''}; on its machine: "
                f"npc-engine keys allow {pair.name or 'NAME'} '{pair.public}'; then make a new Client"
            )
        elif event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            self.refused = (
                "it asks for keys: Client(address, server_key=…, key=…), made by npc-engine keys new --client NAME"
                if self._curve is None
                else "it asks for no keys, but was given some: leave server_key and key out, or start it with --keys"
            )
        elif self._curve is not None:
            self.trouble = "it broke off as keys were exchanged: is server_key that of this engine?"

    def wait(self, timeout_s: float) -> None:
        """Return when something has come or changed, or after `timeout_s`."""
        self._poller.poll(int(timeout_s * 1000) + 1)

    def close(self) -> None:
        """End the connection. May be called twice."""
        if not self._socket.closed:
            self._socket.disable_monitor()
            self._monitor.close(0)
            self._socket.close()
            self._context.term()
