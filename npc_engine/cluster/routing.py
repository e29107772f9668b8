"""Which replica performs: one that has the character warm, unless others have much less to do."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

SPREAD_MS: Final = 20_000  # of sound: so much more may wait where the character is at home than elsewhere
STATS_S: Final = 1.0  # from one report of a replica to the next
PLACED_S: Final = 2 * STATS_S  # after which a report counts what was placed


@dataclass(frozen=True, slots=True)
class Load:
    """A replica as the router knows it."""

    replica: str
    queued_ms: int = 0
    warm: tuple[str, ...] = ()
    late: bool = False  # it has too little time for what it performs


def ranked(npc: str, loads: Sequence[Load], avoid: Sequence[str] = ()) -> list[str]:
    """The replicas, best first, for a line of `npc`; those that are late and those to `avoid`, just lost, come last.

    Of those whose queue is within SPREAD_MS of the shortest, one where the character is warm comes first, then its
    home: rendezvous hashing (Thaler and Ravishankar 1998) names the same one in every gateway, and moves few characters
    when a replica comes or goes.
    """
    least = min((load.queued_ms for load in loads if not load.late), default=0)

    def order(load: Load) -> tuple[bool, bool, bool, int, bool, bytes]:
        far = load.queued_ms > least + SPREAD_MS
        home = hashlib.blake2b(f"{npc}\0{load.replica}".encode(), digest_size=8).digest()
        return load.replica in avoid, load.late, far, load.queued_ms if far else 0, npc not in load.warm, home

    return [load.replica for load in sorted(loads, key=order)]


class Router(RequestRouter):  # type: ignore[misc]
    """Sends what names its `target` there, and else follows `ranked`, for the character `npc`."""

    def initialize_state(self) -> None:
        """Nothing has been placed."""
        self._placed: deque[tuple[float, str, int]] = deque()  # when, where and how many ms, since the last reports

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """The ranks of replicas for a request; Ray tries one after the other."""
        by_name = {_name(replica.replica_id): replica for replica in candidate_replicas}
        asked = pending_request.kwargs if pending_request is not None else {}
        if asked.get("target"):
            found = by_name.get(asked["target"])
            return [[found]] if found is not None else [candidate_replicas]  # any says that it is not meant
        loads = [self._load(name, replica.routing_stats or {}) for name, replica in by_name.items()]
        return [[by_name[name]] for name in ranked(asked.get("npc", ""), loads, asked.get("avoid", ()))]

    def on_request_routed(self, pending_request: PendingRequest, replica_id: ReplicaID, result: Any) -> None:  # noqa: ARG002
        """Count what was placed until the replica reports it."""
        placed = pending_request.kwargs.get("ms", 0)
        if placed:
            self._placed.append((time.monotonic(), _name(replica_id), placed))

    def _load(self, name: str, stats: dict[str, Any]) -> Load:
        now = time.monotonic()
        while self._placed and now - self._placed[0][0] > PLACED_S:
            self._placed.popleft()
        placed = sum(ms for _, where, ms in self._placed if where == name)
        return Load(name, stats.get("queued_ms", 0) + placed, tuple(stats.get("warm", ())), bool(stats.get("late")))


def _name(replica_id: ReplicaID) -> str:
    return str(replica_id.unique_id)
