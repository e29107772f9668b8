"""What goes to the games: answers at once, and what performers have made, as credit and turns allow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from npc_engine.server.admission import Admission
from npc_engine.server.clients import Peer
from npc_engine.server.metrics import LineFigures, Metrics
from npc_engine.server.moment import next_ticks, pack_moment
from npc_engine.server.performer import Begun, Complete, Made, MarkHere, Tick
from npc_engine.server.performing import Performing
from npc_engine.server.sockets import Router, Unreachable
from npc_engine.wire import limits
from npc_engine.wire.codec import encode
from npc_engine.wire.effects import Effect, Stop
from npc_engine.wire.messages import Cancelled, End, ErrorMessage, MarkAt, Reply

LOG: Final = logging.getLogger(__name__)
UNSENT_REPLIES = 64  # kept for a client that leaves too much unread, before it is given up


class Sender:
    """The wire thread's way out: `carry_out` does what a session says, `give_up` drops a client, with the reason."""

    def __init__(
        self,
        router: Router,
        metrics: Metrics,
        admission: Admission,
        carry_out: Callable[[Peer, list[Effect]], None],
        give_up: Callable[[Peer, str], None],
    ) -> None:
        self._router = router
        self._metrics = metrics
        self._admission = admission
        self._carry_out = carry_out
        self._give_up = give_up

    def reply(self, peer: Peer, message: Reply) -> None:
        """Answer; the books and the log note what it ends."""
        ended = self._metrics.say(peer.figures, message)
        if ended is not None:
            _log_end(peer, message, ended)
        self._transmit(peer, encode(message))

    def _transmit(self, peer: Peer, data: list[bytes]) -> None:
        """Send, or keep for later behind what waits already; a client that lets too much wait is given up."""
        if peer.unsent or not self._try(peer, data):
            peer.unsent.append(data)
            self._metrics.counts.held += 1
            if len(peer.unsent) > UNSENT_REPLIES:
                self._metrics.counts.given_up += 1
                self._give_up(peer, f"it left {UNSENT_REPLIES} replies unread")

    def _try(self, peer: Peer, data: list[bytes]) -> bool:
        try:
            sent = self._router.send(peer.identity, data)
        except Unreachable:
            self._give_up(peer, "it can't be reached")
            return True
        if sent:
            self._metrics.wrote(data)
        return sent

    def _flush(self, peer: Peer) -> None:
        while peer.unsent and self._try(peer, peer.unsent[0]):
            peer.unsent.popleft()

    def round(self, peers: Sequence[Peer]) -> bool:
        """Send at most one message of each line, the most urgent first, silent ones last; whether any was sent."""
        for peer in peers:
            self._flush(peer)
        lines = [(peer, performer) for peer in peers for performer in peer.performers.values()]
        lines.sort(key=lambda line: (bool(line[1].line.attitude), -line[1].line.priority))
        sent = False
        for peer, performer in lines:
            if (
                not peer.unsent and performer.line.id in peer.performers
            ):  # an earlier one may have found the client gone
                sent = self._send_next(peer, performer) or sent
        return sent

    def _send_next(self, peer: Peer, performer: Performing) -> bool:
        line = performer.line.id
        try:
            return self._send_made(peer, performer)
        except Exception as error:
            LOG.exception("sending line %s failed", line)
            if line in peer.session.open_lines:
                self._carry_out(peer, peer.session.fail(line, "internal", f"the engine failed on this line: {error}"))
            else:
                self._carry_out(peer, [Stop(line)])
            return True

    def _send_made(self, peer: Peer, performer: Performing) -> bool:
        """Send the next message of a line, if it is ready and within its credit; whether it was."""
        line = performer.line.id
        made = performer.peek(1)
        if not made:
            return False
        first = made[0]
        if isinstance(first, (Tick, MarkHere)) and not peer.session.allowance(line):
            return False  # as most lines do most of the time; a mark waits for its tick
        if isinstance(first, Tick):
            return self._send_ticks(peer, performer, performer.peek(limits.MOMENT_MOST_TICKS + 1))
        if isinstance(first, Complete) and not peer.session.speaking(line):
            return False  # its character says another line still
        performer.take(1)
        if isinstance(first, MarkHere):
            self.reply(peer, MarkAt(line, first.name, first.tick))
        elif isinstance(first, Begun):
            self._carry_out(peer, peer.session.ready(line, first.rest))
        elif isinstance(first, Complete):
            self._carry_out(peer, peer.session.complete(line))
        else:
            self._carry_out(peer, peer.session.fail(line, first.code, first.text))
        return True

    def _send_ticks(self, peer: Peer, performer: Performing, made: Sequence[Made]) -> bool:
        line = performer.line.id
        # of live sound each tick leaves as it comes: the next one is 20 ms away
        least = limits.MOMENT_TICKS if performer.line.live is None else 1
        count = next_ticks(made, peer.session.allowance(line), least)
        if not count:
            return False
        began = time.thread_time()
        performer.take(count)
        ticks = [tick for tick in made[:count] if isinstance(tick, Tick)]
        words = [word for tick in ticks for word in tick.words]
        peer.session.sent(line, count, words)
        for data in pack_moment(line, ticks, words if performer.line.outputs.words else ()):
            self._transmit(peer, data)
        self._metrics.sent(peer.figures, line, count, time.thread_time() - began)
        if ticks[0].tick == 0:
            self._admission.first((peer.identity, line), self._metrics.first_s(peer.figures, line))
        return True


def _log_end(peer: Peer, message: Reply, ended: LineFigures) -> None:
    """One line in the log for each line that was begun."""
    how = "ended" if isinstance(message, End) else "was cut" if isinstance(message, Cancelled) else "failed"
    first = None if ended.first_s is None else round(1000 * ended.first_s)
    fields = {
        "line": message.line,
        "npc": ended.npc,
        "client": peer.session.client,
        "outcome": how,
        "code": message.code if isinstance(message, ErrorMessage) else None,
        "ticks": ended.work.ticks,
        "first_moment_ms": first,
    }
    LOG.info("a line %s", how, extra=fields)
