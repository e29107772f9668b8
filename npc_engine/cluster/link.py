"""A replica that performs lines of a gateway, and calls to it that end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, Final

from npc_engine.cluster.orders import Lines, Word
from npc_engine.cluster.remote import Remote

ALIVE_S: Final = 2.0  # after which a replica is told that the gateway lives, and which lines it has


class Link:
    """A replica that performs lines of this gateway."""

    def __init__(self, replica: str) -> None:
        self.replica = replica
        self.lines: dict[str, Remote] = {}  # by key
        self.words: list[Word | Lines] = []  # to be told
        self.late = False  # whether it has too little time for them
        self.urgent = asyncio.Event()
        self.telling: asyncio.Task[None] | None = None
        self.listening: asyncio.Task[None] | None = None
        self.alive_at = self.busy_at = time.monotonic()  # when it was last told of all lines, and had one

    def due(self) -> bool:
        """Whether it shall hear that the gateway lives."""
        return time.monotonic() - self.alive_at > ALIVE_S


async def answered(response: Any, seconds: float) -> Any:
    """The answer to a call; cancelled where it does not come in time."""
    try:
        return await asyncio.wait_for(response, seconds)
    except BaseException:
        response.cancel()
        raise


async def within(work: Awaitable[object], seconds: float) -> None:
    """Wait for something, so long at most."""
    try:
        await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        return
