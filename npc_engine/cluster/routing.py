"""Which replica performs: one that has the character warm, unless others have much less to do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SPREAD_MS: Final = 20_000  # of sound: so much more may wait where the character is at home than elsewhere


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
