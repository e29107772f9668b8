"""Who is connected: a client's session and lines, and the connections that may not stay."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from npc_engine.server.metrics import ClientFigures
from npc_engine.server.performing import Performing
from npc_engine.server.sockets import Received, Router
from npc_engine.wire import limits
from npc_engine.wire.messages import WireError
from npc_engine.wire.session import Session

LOG: Final = logging.getLogger(__name__)
CONNECTIONS: Final = 256  # at once, whether they have shown a key or not: two for each line that can be spoken
KEY_CONNECTIONS: Final = 4  # of one key: eight lines each, so one client holds a quarter of the engine's lines at most
GREETING_S: Final = 30.0  # to say hello; a connection that says none costs a descriptor for nothing
TEND_S: Final = 0.5  # from one look at the list of clients to the next: revoked ones are cut off as soon
FLOW_S: Final = 0.1  # from one look at what comes in to the next: a flood over loopback brought 130 MB in it
HEARTBEAT_BYTES_S: Final = 1_000  # far above what heartbeats bring
MESSAGE_BYTES: Final = 8 * limits.FRAME_BYTES  # that may come without being a message; the largest has four frames


class Peer:
    """A client: its session, its performers, and replies that its connection could not take yet."""

    def __init__(self, identity: bytes, descriptor: int, user: str, since: float) -> None:
        self.identity = identity
        self.descriptor = descriptor
        self.user = user  # its public key, "" on loopback without keys
        self.since = since
        self.session = Session()
        self.figures = ClientFigures()
        self.performers: dict[str, Performing] = {}
        self.unsent: deque[list[bytes]] = deque()


class _Door:
    """An open connection, and whose it is once a message has come through it.

    One client's, but for a moment: descriptors are used again, and what a client said last may be read after its
    connection has closed and the next one has got its descriptor. Such a client stands beside the new one until it is
    found out of reach.
    """

    __slots__ = ("heard", "heard_at", "identities", "inflow", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.identities: set[bytes] = set()
        self.heard = False  # whether a message came through it since the last look
        self.heard_at = since  # the last look before which one had come
        self.inflow = 0  # bytes that had come by then


class Clients:
    """The books of connections; only the wire thread uses them. What they return has lost its connection, and why."""

    def __init__(self, router: Router, now: Callable[[], float] = time.monotonic) -> None:
        self._router = router
        self._now = now
        self._peers: dict[bytes, Peer] = {}
        self._doors: dict[int, _Door] = {}  # by descriptor
        self._tend_at = self._flow_at = now()
        self._crowded = 0  # connections that were ended for want of room, since the log was told
        self._version = router.curve.version if router.curve is not None else 0  # of the list, as last acted upon

    @property
    def all(self) -> tuple[Peer, ...]:
        """Those who have said something."""
        return tuple(self._peers.values())

    @property
    def connections(self) -> int:
        """Open ones, of clients and of those who have said nothing yet."""
        return len(self._doors)

    def by(self, identity: bytes) -> Peer | None:
        """The client of this identity."""
        return self._peers.get(identity)

    def of(self, message: Received) -> Peer | None:
        """The client that sent a message, new or known; None for one that is let in no more, or is gone already.

        Raises `WireError` for a connection more than the client's key may have.
        """
        door = self._doors.get(message.descriptor)
        if door is None:  # it has closed behind the message, was one too many, or is none that ZeroMQ tells of
            return None
        if not self._router.admits(message.user):
            self._router.shut(message.descriptor)
            return None
        door.heard = True
        peer = self._peers.get(message.identity)
        if peer is not None:
            return peer if (peer.descriptor, peer.user) == (message.descriptor, message.user) else None
        if message.user and sum(peer.user == message.user for peer in self._peers.values()) >= KEY_CONNECTIONS:
            raise WireError(
                f"{KEY_CONNECTIONS} connections have this key, as many as may: close one, or give each game its key",
                "too-many-connections",
            )
        peer = self._peers[message.identity] = Peer(message.identity, message.descriptor, message.user, self._now())
        door.identities.add(message.identity)
        return peer

    def forget(self, peer: Peer) -> bool:
        """Drop a client from the books; whether it was in them. Its connection has GREETING_S to begin anew."""
        if self._peers.get(peer.identity) is not peer:
            return False
        del self._peers[peer.identity]
        door = self._doors.get(peer.descriptor)
        if door is not None and peer.identity in door.identities:
            door.identities.remove(peer.identity)
            door.since = self._now()
        return True

    def note(self) -> list[tuple[Peer, str]]:
        """Take notice of connections that came and went; the clients that went."""
        gone = []
        for opened, descriptor in self._router.connection_events():
            if opened and len(self._doors) >= CONNECTIONS and not self._make_room():
                self._crowded += 1
                self._router.shut(descriptor)
            elif opened:
                self._doors[descriptor] = _Door(self._now())
            else:
                door = self._doors.pop(descriptor, None)
                gone += [(peer, "its connection closed") for peer in self._behind(door)]
        return gone

    def _behind(self, door: _Door | None) -> list[Peer]:
        """Whose a connection is."""
        return [] if door is None else [self._peers[identity] for identity in door.identities]

    def _make_room(self) -> bool:
        """End the connection that has said nothing for longest; whether there was one.

        So strangers who only hold connections open keep nobody out: a client says hello milliseconds after it connects.
        """
        silent = [(door.since, descriptor) for descriptor, door in self._doors.items() if not door.identities]
        if not silent:
            return False
        _, oldest = min(silent)
        self._router.shut(oldest)
        del self._doors[oldest]
        self._crowded += 1
        return True

    def tend(self) -> list[tuple[Peer, str]]:
        """Every TEND_S: read the list of clients again, and end connections of the revoked and of those without hello.

        Which key a connection has shown that has said nothing yet is not known, so a change of the list ends all such:
        they connect again and are asked anew.
        """
        now = self._now()
        if now < self._tend_at:
            return []
        self._tend_at = now + TEND_S
        if self._crowded:
            LOG.warning("%d connections were ended, because %d are open, as many as may", self._crowded, CONNECTIONS)
            self._crowded = 0
        changed = self._refresh()
        gone = []
        for descriptor, door in self._doors.items():
            peers = self._behind(door)
            revoked = [peer for peer in peers if not self._router.admits(peer.user)]
            gone += [(peer, "its key was revoked") for peer in revoked]
            if peers:
                silent = all(not peer.session.greeted and now - peer.since > GREETING_S for peer in peers)
                over = bool(revoked) or silent
            else:
                over = changed or now - door.since > GREETING_S
            if over:
                self._router.shut(descriptor)
        return gone

    def stem(self) -> None:
        """Every FLOW_S: end connections that bring more and more and never a whole message.

        libzmq bounds frames and messages, but not the frames of a message, and hands over none before the last.
        """
        now = self._now()
        if now < self._flow_at:
            return
        self._flow_at = now + FLOW_S
        for descriptor, door in self._doors.items():
            inflow = self._router.inflow(descriptor)
            if door.heard:
                door.heard, door.heard_at, door.inflow = False, now, inflow
            elif inflow - door.inflow > MESSAGE_BYTES + HEARTBEAT_BYTES_S * (now - door.heard_at):
                LOG.warning("a connection was ended: %d bytes came, and no message", inflow - door.inflow)
                self._router.shut(descriptor)

    def _refresh(self) -> bool:
        curve = self._router.curve
        if curve is None:
            return False
        curve.refresh()
        if curve.version == self._version:
            return False
        self._version = curve.version
        for fault in curve.allowed.faults:
            LOG.error("nobody is let in by a broken file: %s", fault)
        LOG.info(
            "the list of clients has changed; let in: %s", ", ".join(sorted(curve.allowed.names.values())) or "nobody"
        )
        return True
