"""Replicas as a gateway sees them: lines go out, frames come in, and what a lost replica performed goes to another."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final

from npc_engine.cluster.link import Link, answered, within
from npc_engine.cluster.orders import SILENCE_S, Frame, Lines, Order, Stopped, Word
from npc_engine.cluster.remote import Remote
from npc_engine.server.warmer import WarmFailed
from npc_engine.wire.effects import Prepare
from npc_engine.wire.messages import Warmed

LOG: Final = logging.getLogger(__name__)
OPEN_S: Final = 10.0  # for the first frame of a link, and for a line to be placed: a replica may be loading a voice
GIVE_UP_S: Final = 30.0  # without any replica that performs a line
RETRY_S: Final = 0.05  # between attempts
AVOID_S: Final = 10.0  # that a lost replica is avoided: Ray may still list it
TELL_S: Final = 0.1  # between what a replica is told, unless it is urgent: a call costs three ms of this processor
IDLE_S: Final = 10.0  # until a link without lines is closed, so that a replica may be taken away
END_S: Final = 1.0  # for the last words at the end
GAPS: Final = 1000  # that are remembered


class Links:
    """All that talks to the deployment `handle`, on one thread with an event loop.

    `gaps`: seconds that passed from the loss of a replica until another one went on with a line, of the last ones.
    """

    def __init__(self, handle: Any) -> None:
        from ray.exceptions import RayError, RayTaskError
        from ray.serve.exceptions import RayServeException

        self.gaps: list[float] = []
        self._trouble = (RayError, RayServeException, asyncio.TimeoutError, ConnectionError)
        self._fault = RayTaskError  # of our own code in a replica: another one would fail alike
        self._handle = handle
        self._gateway = uuid.uuid4().hex
        self._keys = (f"{self._gateway}/{number}" for number in itertools.count())
        self._lines: dict[str, Remote] = {}  # by key, of what is performed or about to be
        self._links: dict[str, Link] = {}  # by replica
        self._lost: dict[str, float] = {}  # replica → when
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="links", daemon=True)
        self._thread.start()

    # ── any thread ────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, line: Remote) -> None:
        """Have a line performed."""
        self._soon(self._begin, line)

    def tell(self, line: Remote, word: Word, *, urgent: bool) -> None:
        """Tell the replica that performs the line; nobody, where none does at the moment."""
        self._soon(self._tell, line, word, urgent)

    def drop(self, line: Remote) -> None:
        """Nobody wants the rest of the line."""
        self._soon(self._drop, line)

    def warm(self, prepare: Prepare, done: Callable[[Warmed | WarmFailed], None]) -> Callable[[], None]:
        """Have speech made ahead; `done` hears of it on the links' thread. What is given ends it early."""
        future = asyncio.run_coroutine_threadsafe(self._warm(prepare, done), self._loop)
        return lambda: None if future.done() else self._soon(future.cancel)

    def stop(self) -> None:
        """End; returns at once. Replicas stop the lines that they are not told of."""
        self._soon(self._end)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _soon(self, call: Callable[..., Any], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(
                call, *arguments, context=Context()
            )  # the log's: one task is about many lines

    # ── the thread of the links ───────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _end(self) -> None:
        async def end() -> None:
            telling = [link.telling for link in self._links.values() if link.telling is not None]
            if telling:  # that lines have been stopped
                await asyncio.wait(telling, timeout=END_S)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._loop.stop()

        self._ending = self._loop.create_task(end())

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOG.error("talking to the replicas failed", exc_info=task.exception())

    def _begin(self, line: Remote) -> None:
        self._spawn(self._place(line))

    async def _place(self, line: Remote) -> None:
        """Find a replica that performs the line, for GIVE_UP_S at most."""
        until = time.monotonic() + GIVE_UP_S
        while not line.stopped:
            order = line.order(next(self._keys), self._gateway)
            self._lines[order.key] = line  # before the replica knows it: its first frame may overtake its answer
            try:
                replica = await answered(
                    self._handle.begin.remote(order, npc=line.line.npc, ms=line.owes_ms, avoid=self._avoided()), OPEN_S
                )
            except self._trouble as error:
                del self._lines[order.key]
                if isinstance(error, self._fault) or time.monotonic() > until:
                    LOG.exception("line %s can't be placed", line.line.id, extra=_about(line))
                    line.fail("internal", f"no replica performs this line: {type(error).__name__}")
                    break
                await asyncio.sleep(RETRY_S)
            else:
                self._placed(line, order, replica)
                return
        line.gone()

    def _placed(self, line: Remote, order: Order, replica: str) -> None:
        link = self._links.get(replica)
        if link is None:
            link = self._links[replica] = Link(replica)
            link.listening = self._spawn(self._listen(link))
        link.busy_at = time.monotonic()
        if line.stopped:
            self._lines.pop(order.key, None)
            link.words.append(Stopped(order.key))
            line.gone()
        else:
            link.lines[order.key] = line
            link.words += line.placed(order)
        if link.words:
            self._say(link, urgent=True)

    def _tell(self, line: Remote, word: Word, urgent: bool) -> None:
        link = self._performing(line)
        if link is not None and word.key == line.key:
            link.words.append(word)
            self._say(link, urgent=urgent)

    def _drop(self, line: Remote) -> None:
        link = self._performing(line)
        if link is not None:
            self._lines.pop(line.key, None)
            del link.lines[line.key]
            link.busy_at = time.monotonic()
            link.words.append(Stopped(line.key))
            self._say(link, urgent=True)
            line.gone()
        elif line.key not in self._lines:
            line.gone()

    def _performing(self, line: Remote) -> Link | None:
        return next((link for link in self._links.values() if line.key in link.lines), None)

    def _avoided(self) -> tuple[str, ...]:
        now = time.monotonic()
        self._lost = {replica: at for replica, at in self._lost.items() if now - at < AVOID_S}
        return tuple(self._lost)

    # ── one replica ───────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, link: Link, *, urgent: bool) -> None:
        if urgent:
            link.urgent.set()
        if link.telling is None:
            link.telling = self._spawn(self._say_all(link))

    async def _say_all(self, link: Link) -> None:
        """One call after the other, TELL_S apart where nothing is urgent."""
        try:
            while link.words or link.due():
                if link.due():
                    link.alive_at = time.monotonic()
                    link.words.append(Lines(frozenset(self._lines)))
                words, link.words = link.words, []
                link.urgent.clear()
                call = self._handle.tell.remote(self._gateway, words, target=link.replica)
                if not await answered(call, OPEN_S):
                    self._lose(link, "Ray lists it no more")
                    return
                if not link.words or not link.urgent.is_set():
                    await within(link.urgent.wait(), TELL_S)
        except self._trouble as error:  # what was said may be lost
            self._lose(link, f"it hears nothing: {type(error).__name__}")
        finally:
            link.telling = None

    async def _listen(self, link: Link) -> None:
        """Receive frames until the replica is lost, or has had nothing to do for a while."""
        frames = self._handle.options(stream=True).link.remote(self._gateway, target=link.replica)
        why = "its stream ended"
        try:
            wait = OPEN_S
            while True:
                frame: Frame = pickle.loads(await asyncio.wait_for(frames.__anext__(), wait))  # noqa: S301 - Ray's own way
                wait = SILENCE_S
                self._received(link, frame)
                now = time.monotonic()
                if link.lines:
                    link.busy_at = now
                elif now - link.busy_at > IDLE_S and link.telling is None:
                    why = ""
                    break
                if link.due():
                    self._say(link, urgent=False)
        except StopAsyncIteration:
            pass
        except self._trouble as error:
            why = f"{type(error).__name__}"
        finally:
            frames.cancel()
        if why:
            self._lose(link, why)
        else:
            self._links.pop(link.replica)

    def _received(self, link: Link, frame: Frame) -> None:
        link.late = bool(frame.late)
        everywhere = all(other.late for other in self._links.values() if other.lines)  # else a new line goes elsewhere
        for key, line in link.lines.items():
            line.late = everywhere and key in frame.late
        for key, first, made in frame.made:
            known = self._lines.get(key)
            if known is None:
                continue
            if not known.receive(first, made):
                text = "line %s came from %d on, out of order: it is performed anew"
                LOG.warning(text, known.line.id, first, extra=_about(known))
                link.words.append(Stopped(key))
                self._again(link, key, known)
            elif known.lost_at:
                gap, known.lost_at = time.monotonic() - known.lost_at, 0.0
                self.gaps = [*self.gaps[1 - GAPS :], gap]
                text = "line %s goes on, %.0f ms after its replica was lost"
                LOG.info(text, known.line.id, 1000 * gap, extra=_about(known))

    def _lose(self, link: Link, why: str) -> None:
        """Have all lines of a lost replica performed on by others."""
        if self._links.get(link.replica) is not link:
            return
        del self._links[link.replica]
        if link.listening is not None and link.listening is not asyncio.current_task():
            link.listening.cancel()
        self._lost[link.replica] = time.monotonic()
        if link.lines:
            LOG.warning("replica %s is lost (%s): %d lines go to others", link.replica, why, len(link.lines))
        for key, line in tuple(link.lines.items()):
            self._again(link, key, line)

    def _again(self, link: Link, key: str, line: Remote) -> None:
        link.lines.pop(key, None)
        self._lines.pop(key, None)
        if line.stopped or line.finished:
            line.gone()
        elif line.begun_live:
            line.fail(
                "internal", "the machine that performed this line is lost, and its sound was not kept: say it anew"
            )
            line.gone()
        else:
            line.lost()
            self._spawn(self._place(line))

    async def _warm(self, prepare: Prepare, done: Callable[[Warmed | WarmFailed], None]) -> None:
        key = next(self._keys).encode()
        try:
            answer = await self._handle.warm.remote(key, prepare, npc=prepare.line.npc)
        except self._trouble as error:
            answer = WarmFailed(prepare.line.id, "internal", f"no replica could warm this: {type(error).__name__}")
        done(answer)


def _about(line: Remote) -> dict[str, str]:
    """What the log shall know of a line."""
    return {"line": line.line.id, "npc": line.line.npc}
