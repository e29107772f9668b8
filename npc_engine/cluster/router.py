"""Ray Serve's way of asking which replica gets a request. Its interface for that is new (alpha, since 2.49)."""

from __future__ import annotations

import time
from typing import Any, Final

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from npc_engine.cluster.routing import Load, ranked

STATS_S: Final = 1.0  # from one report of a replica to the next
PLACED_S: Final = 2 * STATS_S  # after which a report counts what was placed


class Router(RequestRouter):  # type: ignore[misc]
    """Sends what names its `target` there, and else follows `ranked`, for the character `npc`."""

    def initialize_state(self) -> None:
        """Nothing has been placed."""
        self._placed: dict[str, tuple[float, str, int]] = {}  # by order: when, where and how many ms

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
        ranks = ranked(asked.get("npc", ""), loads, asked.get("avoid", ()))
        if pending_request is not None and ranks:  # at once: of lines that come together each counts for the next
            self._place(pending_request, ranks[0])
        return [[by_name[name]] for name in ranks]

    def on_request_routed(self, pending_request: PendingRequest, replica_id: ReplicaID, result: Any) -> None:  # noqa: ARG002
        """Note where a line went, where that is not the first choice."""
        self._place(pending_request, _name(replica_id))

    def _place(self, request: PendingRequest, replica: str) -> None:
        """Count what was placed until the replica reports it."""
        if request.kwargs.get("ms"):
            self._placed[request.args[0].key] = time.monotonic(), replica, request.kwargs["ms"]

    def _load(self, name: str, stats: dict[str, Any]) -> Load:
        past = time.monotonic() - PLACED_S
        self._placed = {key: placed for key, placed in self._placed.items() if placed[0] > past}
        placed = sum(ms for _, where, ms in self._placed.values() if where == name)
        return Load(name, stats.get("queued_ms", 0) + placed, tuple(stats.get("warm", ())), bool(stats.get("late")))


def _name(replica_id: ReplicaID) -> str:
    return str(replica_id.unique_id)
