"""How many replicas there are: by the queue, in ms of sound that is still to be made."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

QUEUE_MS: Final = 60_000  # of one replica: about 24 lines in the middle of five seconds, what a core speaks with room


def replicas_wanted(context: Any) -> tuple[int, dict[str, Any]]:
    """The number of replicas for the queues that they report; Ray keeps it within its bounds, and delays changes.

    `context` is Ray Serve's AutoscalingContext; the second value is a state, of which there is none.
    """
    queues = (context.aggregated_metrics or {}).get("queued_ms", {})
    return max(1, ceil(sum(queues.values()) / QUEUE_MS)), {}
