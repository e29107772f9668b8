"""Where the engine may be reached from: loopback for everybody, any other address for those whose keys are known."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Final

import zmq

from npc_engine import keys

DOMAIN: Final = b"npc-engine"  # under which the ZAP handler is asked


class ServerError(RuntimeError):
    """The server can't start, or could not go on; says why."""


class Curve:
    """The keys of a server: its own pair, and the folder that says who is let in. Raises `ServerError` without a pair.

    Whom it admits is as of the last `refresh`, so that one message is judged like the next.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        key_file = folder / f"{keys.SERVER}.key"
        if not key_file.is_file():
            raise ServerError(
                f"It needs keys, and there is no {key_file}: make it with `npc-engine keys new`, then let clients in "
                "with `npc-engine keys allow NAME FILE.pub`; see docs/security.md"
            )
        try:
            self._pair = keys.load_pair(key_file)
        except keys.KeysError as error:
            raise ServerError(str(error)) from None
        self._stamp = keys.stamp(folder)
        self.allowed = keys.read_allowed(folder)
        self.version = 0  # counts the changes of `allowed`
        self._guests: dict[str, str] = {}  # names of this process' own connections, by key

    @property
    def public(self) -> str:
        """The server's public key, Z85."""
        return self._pair.public

    def name(self, key: str) -> str:
        """The client whose public key (Z85) this is; "" for one who is not let in."""
        return self.allowed.names.get(key, "") or self._guests.get(key, "")

    def invite(self, name: str) -> keys.KeyPair:
        """New keys that are let in as `name` until they are dismissed; they are nowhere but here. From any thread."""
        public, secret = (key.decode("ascii") for key in zmq.curve_keypair())
        self._guests[public] = name
        return keys.KeyPair(name, public, secret)

    def dismiss(self, guest: keys.KeyPair) -> None:
        """Let in no more whom `invite` has let in. From any thread."""
        self._guests.pop(guest.public, None)

    def refresh(self) -> None:
        """Read again who is let in, if the files have changed."""
        stamp = keys.stamp(self.folder)
        if stamp != self._stamp:
            self._stamp, self.allowed = stamp, keys.read_allowed(self.folder)
            self.version += 1

    def secure(self, socket: zmq.Socket[bytes]) -> None:
        """Let a socket, before it is bound, speak CURVE as the server, and with nobody when no ZAP handler answers."""
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._pair.secret.encode("ascii"))
        socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


def is_loopback(address: str) -> bool:
    """Whether tcp://HOST:PORT can be reached from this machine only; raises `ServerError` for what is no address."""
    match = re.fullmatch(r"tcp://(\[[^\]]+\]|[^:/]+):(\d+|\*)", address)
    if match is None:
        raise ServerError(f"address is {address!r}, expected tcp://HOST:PORT such as tcp://127.0.0.1:7890")
    host, port = match[1].strip("[]"), match[2]
    if port != "*" and not 0 < int(port) < 65536:
        raise ServerError(f"port of {address!r} is {port}, expected 1 to 65535, or * for any that is free")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def local_address(address: str) -> str:
    """Where a server bound to `address` is reached from its own machine: 0.0.0.0 is nothing to connect to."""
    return address.replace("tcp://0.0.0.0:", "tcp://127.0.0.1:").replace("tcp://[::]:", "tcp://[::1]:")


def curve_for(address: str, folder: Path | None) -> Curve | None:
    """The keys in `folder` for a server on `address`; None where no folder is named and none is needed, on loopback.

    Raises `ServerError` that says what to type for an address that needs keys and has none.
    """
    if folder is None and is_loopback(address):
        return None
    why = (
        "" if is_loopback(address) else f"{address} is not loopback: anyone on the network could make the engine speak"
    )
    if folder is None:
        raise ServerError(f"{why}. Name the folder of its keys, or bind to tcp://127.0.0.1:PORT; see docs/security.md")
    try:
        return Curve(folder)
    except ServerError as error:
        raise ServerError(f"{why}. {error}" if why else str(error)) from None
