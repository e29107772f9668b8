"""One WebSocket and its link to the engine: what the page says goes to the engine, what it says to the page, in order.

Each WebSocket has a TCP connection of its own to the engine, over loopback, so the engine's books, limits and isolation
of connections hold for pages as for any game; the gateway keeps none. When either side ends, so does the other.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from npc_engine.gateway.framing import join, split
from npc_engine.gateway.link import Link


@dataclass(frozen=True, slots=True)
class Ending:
    """How a WebSocket is closed, for the page to read."""

    code: int  # RFC 6455, 7.4
    reason: str = ""


NO_ENGINE = Ending(CloseCode.TRY_AGAIN_LATER, "the engine took no connection")
ENGINE_GONE = Ending(CloseCode.SERVICE_RESTART, "the engine ended the connection")
STOPPED = Ending(CloseCode.GOING_AWAY, "the gateway is stopping")
TEXT_CAME = Ending(CloseCode.UNSUPPORTED_DATA, "a text message came, expected a binary one")
PAGE_GONE = Ending(CloseCode.NORMAL_CLOSURE)


class Bridge:
    """Carries messages between an open WebSocket and the engine; `run` it once, and close the link afterwards."""

    def __init__(self, page: ServerConnection, link: Link) -> None:
        self._page = page
        self._link = link
        self._sending_since = 0.0  # when the message was begun that the page has not taken yet; 0 when there is none
        self._silent = ENGINE_GONE  # what it means when nothing more comes of the link

    def unread_s(self, now: float) -> float:
        """For how long the page has not taken what was sent to it, in seconds."""
        return now - self._sending_since if self._sending_since else 0.0

    def stop(self) -> None:
        """Let `run` end when the page has what the engine has said."""
        self._silent = STOPPED
        self._link.leave()

    async def run(self) -> Ending:
        """Carry messages both ways until one side ends, or the page breaks the rules; how."""
        if not await self._link.connected():
            return NO_ENGINE
        ways = (asyncio.ensure_future(self._to_engine()), asyncio.ensure_future(self._to_page()))
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _to_engine(self) -> Ending:
        try:
            async for message in self._page:
                if isinstance(message, str):
                    return TEXT_CAME
                await self._link.send(split(message))
        except ConnectionClosed:
            pass  # without the closing handshake, as when a laptop sleeps
        return PAGE_GONE

    async def _to_page(self) -> Ending:
        try:
            while (frames := await self._link.receive()) is not None:
                self._sending_since = time.monotonic()
                await self._page.send(join(frames))
                self._sending_since = 0.0
                await asyncio.sleep(0)  # else what is sent without waiting holds up the other pages
        except ConnectionClosed:
            return PAGE_GONE
        return self._silent
