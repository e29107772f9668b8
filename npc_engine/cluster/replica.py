"""A replica of the deployment: holds voices, mouth and faces, and performs what gateways ask for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import cv2
from ray import serve

from npc_engine.cluster.desk import Desk
from npc_engine.cluster.orders import Lines, Order, Word
from npc_engine.cluster.part import Part
from npc_engine.server.performing import Local
from npc_engine.server.stage import Stage
from npc_engine.server.warmer import WarmFailed
from npc_engine.wire.effects import Prepare
from npc_engine.wire.messages import Warmed

WARM: Final = 64  # characters last performed, whose voices and faces are in memory: more than a scene has
TEND_S: Final = 1.0  # from one look for gateways that are gone to the next


class Replica:
    """What Ray Serve runs on each machine, once or several times; `make_stage` loads the characters.

    `about` is told to gateways that would make the same. A call that names another replica as its `target` was sent too
    late: that one is gone.
    """

    def __init__(self, make_stage: Callable[[], Stage], text_idle_s: float, about: str) -> None:
        cv2.setNumThreads(1)  # lines run beside each other; OpenCV's own threads would fight them for the cores
        self._id = str(serve.get_replica_context().replica_id.unique_id)
        self._about = about
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the calls, once one has come
        self._rung = False
        self._local = Local(make_stage(), self._ring, text_idle_s)
        self._desks: dict[str, Desk] = {}
        self._warm: OrderedDict[str, None] = OrderedDict()  # characters, last performed last
        self._warming: dict[bytes, asyncio.Future[Warmed | WarmFailed]] = {}
        self._tending: asyncio.Task[None] | None = None

    async def about(self) -> str:
        """How this was made."""
        return self._about

    async def begin(self, order: Order, **_: Any) -> str:
        """Perform a line; who does. What is made leaves by the gateway's `link`."""
        if self._tending is None:
            self._tending = self._running().create_task(self._tend())
        npc = order.start.line.npc
        self._warm[npc] = None
        self._warm.move_to_end(npc)
        if len(self._warm) > WARM:
            self._warm.popitem(last=False)
        performing = self._local.performing(order.start, order.begin, order.breath)
        self._desk(order.gateway).begin(Part(order, performing))
        return self._id

    async def link(self, gateway: str, target: str) -> AsyncIterator[bytes]:
        """What is made for a gateway, as `Desk.frames`, until the gateway closes it."""
        if target == self._id:
            async for frame in self._desk(gateway).frames():
                yield frame

    async def tell(self, gateway: str, words: list[Word | Lines], target: str) -> bool:
        """Hear what a gateway says of its lines; False where this is not the replica that was meant."""
        if target != self._id:
            return False
        self._desk(gateway).hear(words)
        return True

    async def warm(self, key: bytes, prepare: Prepare, **_: Any) -> Warmed | WarmFailed:
        """Load a character or voice, and make speech into the cache."""
        done = self._warming[key] = self._running().create_future()
        try:
            if not self._local.warmer.add(key, prepare):
                return WarmFailed(prepare.line.id, "too-many-warms", "as many warms wait as the replica takes")
            answer: Warmed | WarmFailed = await done
            return answer
        finally:  # also where nobody waits any more
            del self._warming[key]
            self._local.warmer.forget(key)

    def record_routing_stats(self) -> dict[str, Any]:
        """For the router: the queue in ms of sound, who is warm, and whether there is too little time."""
        late = any(part.late for desk in self._desks.values() for part in desk.parts)
        return {"queued_ms": self._queued_ms(), "warm": tuple(self._warm), "late": late}

    def record_autoscaling_stats(self) -> dict[str, float]:
        """For the autoscaler: the queue in ms of sound."""
        return {"queued_ms": float(self._queued_ms())}

    def _queued_ms(self) -> int:
        return sum(part.owed_ms() for desk in self._desks.values() for part in desk.parts)

    def _running(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        return self._loop

    def _desk(self, gateway: str) -> Desk:
        if gateway not in self._desks:
            self._desks[gateway] = Desk()
        return self._desks[gateway]

    def _ring(self) -> None:
        """Something has been made; any thread may call this."""
        if not self._rung and self._loop is not None:
            self._rung = True
            self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._rung = False  # before looking: what is made from now on rings again
        for desk in self._desks.values():
            desk.ring()
        for key, done in self._local.warmer.take():
            if key in self._warming and not self._warming[key].done():
                self._warming[key].set_result(done)

    async def _tend(self) -> None:
        """Stop the lines of gateways that are gone."""
        while True:
            await asyncio.sleep(TEND_S)
            for gateway, desk in tuple(self._desks.items()):
                if desk.abandoned:
                    desk.close()
                if desk.unused:
                    del self._desks[gateway]
