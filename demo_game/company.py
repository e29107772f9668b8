"""Whoever is talked to lives while nothing is said: listens while the player chooses, looks about after a while."""

from __future__ import annotations

from demo_game.speech import PICTURE, PICTURE_EVERY, Seen
from npc_engine.client import Client, ClientError, Event, Playback
from npc_engine.moments import CHANNEL, SAMPLE_RATE, Outputs
from npc_engine.wire.messages import Accepted, End, ErrorMessage

AHEAD_MS = 200  # that the engine may send before it is shown: what is ahead is lost when somebody speaks
CUSHION_MS = 80  # that must have come before the first is shown
WAITS_S = 14.0  # without a stir of the player, until a listener loses interest
_JAW, _BLINK = CHANNEL["jawOpen"], CHANNEL["eyeBlinkLeft"]


class Presence:
    """One line without a text, played by the game's own clock, since nothing sounds."""

    def __init__(self, client: Client, npc: str, attitude: str) -> None:
        self.npc, self.attitude = npc, attitude
        self.ended = False  # by the engine: another line of the character begins
        self._rest: bytes | None = None
        self._client = client
        self._player = Playback(granted_ms=AHEAD_MS, ahead_ms=AHEAD_MS)
        self._began_at: float | None = None
        self._given = 0  # samples of silence that have passed
        self._cut = False
        outputs = Outputs(sound=False, words=False, picture=PICTURE, picture_every=PICTURE_EVERY)
        self.line = client.idle(npc, attitude, outputs=outputs, credit_ms=AHEAD_MS)

    def add(self, event: Event) -> None:
        """Take an event of this line."""
        if isinstance(event, Accepted):
            self._rest = event.rest
        self.ended = self.ended or isinstance(event, End)
        if not isinstance(event, (End, ErrorMessage)):  # the last face stays until the next line has one
            self._player.add(event)

    def update(self, now: float) -> None:
        """Let time pass, and grant credit; to be called each frame."""
        if self._began_at is None:
            if self._player.received_ms < CUSHION_MS:
                return
            self._began_at = now
        due = int((now - self._began_at) * SAMPLE_RATE)
        late = due - self._received
        if late > 0 and not self._cut:  # it waits in the pose that it has
            self._began_at += late / SAMPLE_RATE
            due = self._received
        self._player.sound(max(0, due - self._given))
        self._given = max(due, self._given)
        self._client.credit(self.line, self._player.credit_ms(self._given))

    def cut(self) -> None:
        """Ease into rest."""
        if not self._cut:
            self._cut = True
            self._client.cancel(self.line)
            self._player.cut(self._given)

    def short(self, samples: int) -> bool:
        """Whether the next `samples` have not come yet, and will."""
        waits = self.line in self._client.open_lines and not self._cut
        return waits and self._received - self._given < samples

    @property
    def _received(self) -> int:
        return self._player.received_ms * SAMPLE_RATE // 1000

    def seen(self) -> Seen | None:
        """What is seen now; nothing before the first picture has come."""
        shown = self._player.at(self._given)
        if self._began_at is None or shown.picture is None:
            return None
        jaw, blink = (float(min(1.0, max(0.0, shown.exp[channel]))) for channel in (_JAW, _BLINK))
        return Seen(shown.picture, self._rest, shown.closed, jaw, blink, (), -1, -1, 0)


class Company:
    """The presence of the one who is talked to, if any: begun, changed and left as the talk goes."""

    def __init__(self) -> None:
        self.presence: Presence | None = None
        self._stirred_at = 0.0
        self._mute = False  # the engine is too old for it

    def stir(self, now: float) -> None:
        """The player does something."""
        self._stirred_at = now

    def attend(self, client: Client, npc: str, now: float) -> None:
        """The player's turn has come, or goes on."""
        attitude = "listening" if now - self._stirred_at < WAITS_S else "idle"
        there = self.presence
        if self._mute or (there is not None and not there.ended and (there.npc, there.attitude) == (npc, attitude)):
            return
        try:
            self.presence = Presence(client, npc, attitude)
        except ClientError as error:
            self._mute = error.code == "unknown-kind"

    def take(self, event: Event) -> None:
        """Take an event of any line."""
        if self.presence is not None and event.line == self.presence.line:
            self.presence.add(event)

    def update(self, now: float) -> None:
        """Let time pass; to be called each frame."""
        if self.presence is not None:
            self.presence.update(now)

    def give_way(self) -> None:
        """A line is heard: it has the face from now on."""
        if self.presence is not None:
            self.presence.cut()
        self.presence = None

    def leave(self) -> None:
        """The talk is over."""
        if self.presence is not None:
            self.presence.cut()

    def short(self, samples: int) -> bool:
        """Whether what is seen next has not come yet."""
        return self.presence is not None and self.presence.short(samples)

    def seen(self) -> Seen | None:
        """What is seen of it now; nothing where there is nobody."""
        return self.presence.seen() if self.presence is not None else None
