"""The line being heard: events of the engine on one side, a speaker, a face and subtitles on the other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from demo_game.sound import Speaker
from npc_engine.client import Client, Event, Playback
from npc_engine.moments import CHANNEL, SAMPLE_RATE, Outputs, Sound, Word
from npc_engine.playback import Shown
from npc_engine.wire.messages import Accepted, ErrorMessage, Moments

PICTURE = 512  # edge in pixels
PICTURE_EVERY = 2  # ticks: 25 pictures a second
AHEAD_MS = 600  # of sound that the engine may send before it is heard
HUSH = SAMPLE_RATE // 10  # of silence when the line is late: the mouth closes meanwhile
LEAST_MS, MOST_MS = 80, 400  # of sound that must have come before the first sample sounds
_JAW, _BLINK = CHANNEL["jawOpen"], CHANNEL["eyeBlinkLeft"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What belongs to the sample that is heard now."""

    picture: bytes | None  # the newest speaking face, encoded; None before there is one
    rest: bytes | None  # the face at rest, encoded
    closed: float  # 0 speaking … 1 at rest
    jaw: float  # 0..1
    blink: float  # 0..1
    words: tuple[Word, ...]  # words known so far
    word: int  # index of the last word begun; -1 before the first
    picture_tick: int  # tick of `picture`; -1 before there is one
    heard: int  # the sample of the line


@dataclass(slots=True)
class Cushion:
    """Sound that is gathered before a line starts: more after a line that ran dry, less after a smooth one."""

    ms: int = LEAST_MS

    def learn(self, hushes: int) -> None:
        """A line ran dry, or came to its end without (0)."""
        self.ms = min(MOST_MS, self.ms * 2) if hushes else max(LEAST_MS, self.ms * 3 // 4)

    @property
    def samples(self) -> int:
        """The same in samples."""
        return self.ms * SAMPLE_RATE // 1000


class Speech:
    """One line from the asking for it to the mouth's closing; `cushion` is shared by lines of one engine."""

    def __init__(
        self, client: Client, speaker: Speaker, npc: str, text: str, now: float, *, cushion: Cushion | None = None
    ) -> None:
        self.npc, self.text = npc, text
        self.error: ErrorMessage | None = None
        self.asked_at = now
        self.first_at: float | None = None  # when the first moment came
        self.rest: bytes | None = None
        self.hush = 0  # times that the speaker ran dry in the middle of the line
        self._client, self._speaker = client, speaker
        self._cushion = cushion or Cushion()
        self._player = Playback(granted_ms=AHEAD_MS, ahead_ms=AHEAD_MS)
        self._pictures: deque[tuple[int, bytes]] = deque(maxlen=64)
        self._picture: tuple[int, bytes] | None = None
        self._given = self._taken = 0  # samples given to the speaker, with and without silence in the line's middle
        self._silences: list[tuple[int, int]] = []  # (position, length)
        self._starved = False
        self._began = False
        self._complete = False  # all of the line has come
        self.cut_at: float | None = None
        outputs = Outputs(picture=PICTURE, picture_every=PICTURE_EVERY)
        self.line = client.speak(npc, text, outputs=outputs, credit_ms=AHEAD_MS)
        speaker.begin(now)

    def add(self, event: Event, now: float) -> None:
        """Take an event of this line."""
        if isinstance(event, Accepted):
            self.rest = event.rest
        elif isinstance(event, Moments):
            self.first_at = now if self.first_at is None else self.first_at
            if event.picture is not None and event.picture_tick is not None:
                self._pictures.append((event.picture_tick, event.picture))
        elif isinstance(event, ErrorMessage):
            self.error = event
        self._player.add(event)
        if not self._complete and self.line not in self._client.open_lines:
            self._complete = True
            if not self.hush:
                self._cushion.learn(0)

    def update(self, now: float) -> None:
        """Feed the speaker and grant credit; to be called each frame."""
        if not self._began:
            self._began = self._complete or self._ready >= self._cushion.samples
            if not self._began:
                return
        room = self._speaker.room(now)
        while room > 0 and not self.over:
            sound = self._next(room, now)
            if not len(sound):
                break
            self._speaker.put(sound, now)
            room = self._speaker.room(now)
        self._client.credit(self.line, self._player.credit_ms(self._speaker.heard(now)))

    @property
    def _ready(self) -> int:
        return self._player.received_ms * SAMPLE_RATE // 1000 - self._taken

    @property
    def waiting(self) -> bool:
        """Whether the line has been asked for and does not sound yet."""
        return not self._began and self.cut_at is None

    def short(self, samples: int) -> bool:
        """Whether the line sounds, and its next `samples` have not come yet."""
        return self._began and not self._complete and self.cut_at is None and self._ready < samples

    def _next(self, room: int, now: float) -> Sound:
        """The next samples for the speaker; silence when the line is over or late, nothing while it gathers sound."""
        grain = self._speaker.grain
        ready = self._ready
        whole = ready - ready % grain
        if self._complete or self.cut_at is not None:
            count = room
        elif self._starved and ready < self._cushion.samples:
            count = 0  # better one pause than a stutter
        elif whole:
            count = min(room, whole)
            self._starved = False
        elif self._speaker.dry(now):
            count = min(room, -(-HUSH // grain) * grain)
            self._starved = True
            self.hush += 1
            self._cushion.learn(1)
        else:
            count = 0
        silent = count - min(ready, count)
        if silent and not self._complete and self.cut_at is None:
            self._silences.append((self._given + count - silent, silent))
        self._taken += count - silent
        self._given += count
        return self._player.sound(count)

    def _in_line(self, heard: int) -> int:
        """The sample of the line at a position, which also counts the silences in its middle."""
        return heard - sum(min(length, heard - start) for start, length in self._silences if start < heard)

    def cut(self, now: float) -> None:
        """Stop: sound fades, the mouth closes, the engine forgets the line."""
        if self.cut_at is None and not self.over:
            self.cut_at = now
            self._client.cancel(self.line)
            self._player.cut(self._speaker.heard(now))
            self._speaker.cut(now)

    def seen(self, now: float, lead: int = 0) -> Seen:
        """What belongs to the sample that is heard at `now`; `lead` samples of the face come early."""
        if self.waiting:  # moments have come, but nothing sounds yet: the face must not begin without the voice
            return Seen(None, self.rest, 1.0, 0.0, 0.0, tuple(self._player.words), -1, -1, 0)
        heard = self._speaker.heard(now)
        ahead = (
            heard + lead if self._complete or self.cut_at is not None else min(heard + lead, max(heard, self._given))
        )
        shown: Shown = self._player.at(ahead)
        if shown.picture is not None and shown.picture is not self.rest:
            tick = next((tick for tick, data in self._pictures if data is shown.picture), -1)
            self._picture = (tick, shown.picture)
        tick, picture = self._picture or (-1, None)
        jaw, blink = (float(min(1.0, max(0.0, shown.exp[channel]))) for channel in (_JAW, _BLINK))
        return Seen(
            picture,
            self.rest,
            shown.closed,
            jaw,
            blink,
            tuple(self._player.words),
            shown.word,
            tick,
            self._in_line(heard),
        )

    @property
    def buffered_ms(self) -> int:
        """How much has come that was not given to the speaker yet."""
        return self._ready * 1000 // SAMPLE_RATE if self.cut_at is None else 0

    @property
    def began(self) -> bool:
        """Whether the line sounds, or has sounded."""
        return self._began

    @property
    def over(self) -> bool:
        """Whether the line was heard to its end, or cut, and the mouth has closed."""
        return self._player.finished
