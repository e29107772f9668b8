"""The wire thread: reads requests, carries out what the sessions say, and sends what performers have made."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import zmq

from npc_engine.cast import CastError
from npc_engine.logs import about
from npc_engine.moments import NEUTRAL, TICK_MS
from npc_engine.server.admission import Admission
from npc_engine.server.clients import FLOW_S, Clients, Peer
from npc_engine.server.health import Health
from npc_engine.server.metrics import Metrics
from npc_engine.server.performing import Company, Performing
from npc_engine.server.sending import Sender
from npc_engine.server.sockets import Received, Router, Unreachable
from npc_engine.server.stage import Stage
from npc_engine.server.wake import Wake
from npc_engine.server.warmer import WarmFailed
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_request, encode
from npc_engine.wire.effects import AddSound, AddText, Effect, EndText, Prepare, Send, SendList, SendStats, Start, Stop
from npc_engine.wire.messages import (
    ErrorMessage,
    NpcEntry,
    Npcs,
    Reply,
    Speak,
    Stats,
    WireError,
)

LOG: Final = logging.getLogger(__name__)
REQUESTS_A_ROUND = 32  # read between two rounds of sending: cancels come soon, and a flood can't silence the lines
RETRY_MS = 10  # until a client that leaves too much unread is tried again
FINISH_S = 2.0  # for performers to end on stop; a clause takes a fraction of it


class Loop:
    """All that the wire thread owns; only that thread calls `run`."""

    def __init__(
        self,
        router: Router,
        wake: Wake,
        stage: Stage,
        company: Company,
        *,
        metrics: Metrics | None = None,
        health: Health | None = None,
    ) -> None:
        self._router = router
        self._wake = wake
        self._stage = stage
        self._company = company
        self._warmer = company.warmer
        self._clients = Clients(router)
        self._retiring: list[Performing] = []
        self._metrics = metrics or Metrics()
        self._health = health or Health()
        self._admission = Admission()
        self._sender = Sender(router, self._metrics, self._admission, self._carry_out, self._forget)
        self._actions: dict[type[Effect], Callable[[Peer, Any], None]] = {
            Send: lambda peer, send: self._sender.reply(peer, send.message),
            Start: self._start,
            AddText: lambda peer, more: peer.performers[more.line].append(more.text),
            AddSound: lambda peer, more: peer.performers[more.line].hear(more.sound),
            EndText: lambda peer, end: peer.performers[end.line].commit(),
            Stop: self._stop,
            Prepare: self._prepare,
            SendList: lambda peer, _: self._sender.reply(peer, self._npcs()),
            SendStats: lambda peer, _: self._sender.reply(peer, self._stats(peer)),
        }
        self._ends_at: float | None = None  # by the monotonic clock, once no new lines are taken

    def run(self, stopping: Callable[[], bool], draining: Callable[[], float | None] = lambda: None) -> None:
        """Serve until `stopping`, then cut every line and wait for the performers.

        From when on `draining` names a time, new lines are refused; when those that speak have ended, or that time has
        come, it is as if `stopping`.
        """
        poller = zmq.Poller()
        for source in (self._router.socket, self._router.monitor, self._wake.fileno()):
            poller.register(source, zmq.POLLIN)
        if self._router.zap is not None:
            poller.register(self._router.zap.socket, zmq.POLLIN)
        busy = False
        while not stopping() and not self._drained():
            idle_ms = RETRY_MS if self._blocked() else int(1000 * FLOW_S)
            poller.poll(0 if busy else self._admission.within_ms(idle_ms))
            self._health.beat()
            self._ends_at = draining()
            self._wake.clear()
            if self._router.zap is not None:
                self._router.zap.answer()
                self._metrics.counts.strangers = self._router.zap.refused
            self._tend()
            busy = self._read()
            self._note_connections()
            self._tell_warmed()
            self._give_up_late()
            busy = self._sender.round(self._clients.all) or busy
        self.finish()

    def _drained(self) -> bool:
        if self._ends_at is None:
            return False
        speaks = any(not performer.line.attitude for performer in self.performers)
        return time.monotonic() >= self._ends_at or not (speaks or self._blocked())

    @property
    def performers(self) -> list[Performing]:
        """What makes the ticks of all open lines."""
        return [performer for peer in self._clients.all for performer in peer.performers.values()]

    def _blocked(self) -> bool:
        return any(peer.unsent for peer in self._clients.all)

    # ── from games ────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> bool:
        """Handle what has come, up to REQUESTS_A_ROUND; whether there may be more."""
        for _ in range(REQUESTS_A_ROUND):
            received = self._router.receive()
            if received is None:
                return False
            self._metrics.read(received.frames)
            # After receiving and before handling: descriptors are used again, and the end of the connection that had
            # this one before has been reported by now.
            self._note_connections()
            self._admit(received)
        return True

    def _admit(self, received: Received) -> None:
        try:
            peer = self._clients.of(received)
        except WireError as error:
            self._turn_away(received, error)
            return
        if peer is not None:
            self._handle(peer, received.frames)
        else:
            self._metrics.counts.ignored += 1

    def _turn_away(self, received: Received, error: WireError) -> None:
        """Say why nobody listens, once for each message; who does not read it misses it."""
        try:
            self._metrics.counts.errors[error.code] += 1
            self._router.send(received.identity, encode(ErrorMessage(error.code, str(error))))
        except Unreachable:
            return

    def _handle(self, peer: Peer, data: list[bytes]) -> None:
        try:
            message = decode_request(data)
            effects = peer.session.receive(message)
            if isinstance(message, Speak):
                self._metrics.answer(peer.figures, message, effects)
            self._carry_out(peer, effects)
        except WireError as error:
            self._carry_out(peer, peer.session.reject(error))
        except Exception:
            client = peer.session.client
            LOG.exception("a message of client %r failed", client, extra={"client": client})
            fault = WireError("the engine failed on this message", "internal")
            self._carry_out(peer, peer.session.reject(fault))

    def _note_connections(self) -> None:
        for peer, why in self._clients.note():
            self._forget(peer, why)

    def _tend(self) -> None:
        self._metrics.clients, self._metrics.connections = len(self._clients.all), self._clients.connections
        self._clients.stem()
        for peer, why in self._clients.tend():
            self._forget(peer, why)

    def _forget(self, peer: Peer, why: str) -> None:
        """Stop all that a client has asked for; nothing can be said to it any more."""
        if not self._clients.forget(peer):
            return
        client, lines = peer.session.client, len(peer.performers)
        LOG.info("client %r is gone: %s; %d lines stop", client, why, lines, extra={"client": client})
        self._metrics.leave(peer.figures)
        for performer in peer.performers.values():
            self._retire(performer)
        peer.performers.clear()
        self._warmer.forget(peer.identity)

    # ── effects ───────────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, peer: Peer, effects: list[Effect]) -> None:
        for effect in effects:
            self._actions[type(effect)](peer, effect)

    def _stop(self, peer: Peer, stop: Stop) -> None:
        self._admission.forget((peer.identity, stop.line))
        performer = peer.performers.pop(stop.line, None)
        if performer is not None:
            self._retire(performer)

    def _start(self, peer: Peer, start: Start) -> None:
        self._retiring = [performer for performer in self._retiring if not performer.join(0)]
        name, before = start.line.id, peer.performers.get(start.after)
        begin, breath = (NEUTRAL, 0.0) if before is None else before.seen(start.after_tick)
        silent = bool(start.line.attitude)
        if self._ends_at is not None:
            text = "the engine is stopping and begins no line: say it to another one, or when it is back"
            self._refuse(peer, start, "stopping", text)
            return
        lines = sum(bool(performer.line.attitude) == silent for performer in self.performers)
        threads = len(self._retiring) + (0 if silent else lines)
        speaking, silence = self._company.most
        if lines >= (silence if silent else speaking) or threads >= 2 * speaking:  # cut ones finish their last clause
            what = "keeps" if silent else "speaks"
            text = f"the engine {what} {lines} lines, as many as it can at once: try again when some have ended"
            self._refuse(peer, start, "too-many-lines", text)
            return
        if not silent:
            former = self._former(peer, start.line.npc) if start.waits else ()
            refusal = self._admission.refusal(start.line, self.performers, former)
            if refusal is not None:
                self._refuse(peer, start, refusal.code, refusal.text, refusal.wait_ms)
                return
            self._admission.begin((peer.identity, name), start.line)
        try:
            with about(line=name, npc=start.line.npc, client=peer.session.client):
                performer = self._company.performing(replace(start, client=peer.identity), begin, breath)
                performer.begin()
        except Exception as error:  # such as no thread that can be had
            LOG.exception("line %s could not begin", name, extra={"line": name})
            self._refuse(peer, start, "internal", f"the engine can't begin this line: {type(error).__name__}: {error}")
            return
        peer.performers[name] = performer
        self._metrics.begin(peer.figures, start.line, performer.work)

    @staticmethod
    def _former(peer: Peer, npc: str) -> list[Performing]:
        """The lines that a character of a client has to say first."""
        return [one for one in peer.performers.values() if one.line.npc == npc and not one.line.attitude]

    def _give_up_late(self) -> None:
        """Lines whose first moment should have left end."""
        for identity, line in self._admission.missed():
            peer = self._clients.by(identity)
            if peer is not None and line in peer.performers:
                deadline_ms = peer.performers[line].line.deadline_ms
                text = f"its first moment has not left within {deadline_ms} ms, its deadline"
                self._carry_out(peer, peer.session.fail(line, "too-late", text))

    def _refuse(self, peer: Peer, start: Start, code: str, text: str, wait_ms: int = 0) -> None:
        """Say that a line can't begin now."""
        self._metrics.refuse(peer.figures, code, silent=bool(start.line.attitude))
        self._carry_out(peer, peer.session.fail(start.line.id, code, text, wait_ms))

    def _prepare(self, peer: Peer, prepare: Prepare) -> None:
        if self._ends_at is not None:
            text = "the engine is stopping and makes nothing ahead"
            self._carry_out(peer, peer.session.warm_failed(prepare.line.id, "stopping", text))
        elif not self._warmer.add(peer.identity, prepare):
            text = "as many warms wait as the engine takes: go on when some are answered"
            self._carry_out(peer, peer.session.warm_failed(prepare.line.id, "too-many-warms", text))

    def _tell_warmed(self) -> None:
        for identity, done in self._warmer.take():
            peer = self._clients.by(identity)
            if peer is not None:
                effects = (
                    peer.session.warm_failed(done.id, done.code, done.text)
                    if isinstance(done, WarmFailed)
                    else peer.session.warmed(done)
                )
                self._carry_out(peer, effects)

    def _retire(self, performer: Performing) -> None:
        performer.stop()
        self._retiring.append(performer)

    def _stats(self, peer: Peer) -> Stats:
        session, figures = peer.session, peer.figures
        work = figures.work
        return Stats(
            lines=len(session.open_lines),
            waiting=sum(session.waiting(line) for line in session.open_lines),
            queued_ms=figures.queued_ms,
            sent_ms=work.ticks * TICK_MS,
            pictures=work.pictures,
            thinned=work.thinned,
            shrunk=work.shrunk,
            damped=work.damped,
            refused=figures.refused,
            first_moment_ms=figures.first_moment_ms,
            engine_lines=len(self.performers),
            load_percent=round(100 * self._metrics.load()),
        )

    def _npcs(self) -> Reply:
        cast = self._stage.cast
        try:
            entries = tuple(
                NpcEntry(npc["name"], npc["voice"], npc["face"], npc["about"][: limits.NOTE_CHARS])
                for npc in self._stage.npcs()
            )
            return Npcs(entries, tuple(sorted(cast.voices())), tuple(sorted(cast.faces())))
        except CastError as error:
            return ErrorMessage("bad-cast", str(error)[: limits.NOTE_CHARS])

    def finish(self) -> None:
        """Cut every line, tell the games, and wait for the performers."""
        for peer in self._clients.all:
            self._carry_out(peer, peer.session.stop("the engine is stopping"))
        self._warmer.stop()
        self._company.stop()
        end = time.monotonic() + FINISH_S
        for performer in self._retiring:
            performer.join(max(0.0, end - time.monotonic()))
        self._warmer.join(max(0.0, end - time.monotonic()))
        self._company.join(max(0.0, end - time.monotonic()))
