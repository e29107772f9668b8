"""Ray Serve's way of asking which replica gets a request. Its interface for that is new (alpha, since 2.49)."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from npc_engine.cluster.routing import Load, ranked

STATS_S: Final = 1.0  # from one report of a replica to the next
PLACED_S: Final = 2 * STATS_S  # after which a report counts what was placed


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
