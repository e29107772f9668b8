"""The demo: people walk, somebody talks, the panel shows it. Time comes in as an argument; nothing here sleeps."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sin
from typing import Any

from demo_game.actors import LEAVE_REACH, TALK_REACH, People, Walker
from demo_game.company import Company
from demo_game.controls import Intent
from demo_game.dialogue import Memory, Talk, Turn
from demo_game.frame import CREAM, GOLD, GREY, Letters, box, key
from demo_game.link import Link
from demo_game.meter import Meter
from demo_game.panel import Panel
from demo_game.pixels import clear
from demo_game.scene import Scene
from demo_game.sound import Speaker
from demo_game.speech import Cushion, Seen, Speech
from demo_game.view import SCREEN, Camera, View, on_screen
from demo_game.world import Place, World
from npc_engine.client import ClientError, Event
from npc_engine.moments import SAMPLE_RATE

SLIDE_S = 0.28  # the panel's way in or out
LINGER_S = 0.35  # it stays so long after a talk, to let the mouth close in sight
TOAST_S = 5.0
TITLE_S = 4.2
LONG_FRAME_S = 0.1  # a frame that took longer was a hitch, not the pace
PANEL_LOWER = 56.0  # pixels of the world that the panel hides: the camera makes up for it
NO_INTENT = Intent()


class Game:
    """The village being played; `view` is painted anew unless one is given, which takes a second."""

    def __init__(self, scene: Scene, link: Link, speaker: Speaker, view: View | None = None) -> None:
        self.scene, self.link, self.speaker = scene, link, speaker
        self.view = view or View(World.built())
        self.world = self.view.world
        self.people = People()
        self.letters = Letters()
        self.panel = Panel(self.letters)
        self.meter = Meter()
        self.camera = Camera()
        self.talk: Talk | None = None
        self.speech: Speech | None = None
        self.seen: Seen | None = None  # what is heard and seen of it
        self.company = Company()
        self.cuts = 0
        self.overlay = False
        self._cushion = Cushion()
        self._memories = {npc: Memory() for npc in scene.characters}
        self._parting: Talk | None = None  # a talk that is over and still to be seen
        self._parted_at = 0.0
        self._opened = 0.0
        self._toast: tuple[str, float] = ("", 0.0)
        self._since: float | None = None
        self._plate = box(560, 84)
        self._band = _band(190)

    @property
    def partner(self) -> Walker | None:
        """Who the player talks to."""
        return self.people.cast[self.talk.character.npc] if self.talk is not None else None

    def step(self, intent: Intent, now: float, dt: float) -> None:
        """Let `dt` seconds pass, up to `now`."""
        self._since = now if self._since is None else self._since
        self.receive(now)
        if intent != NO_INTENT:
            self.company.stir(now)
        if intent.overlay:
            self.overlay = not self.overlay
        typing = self.talk is not None and self.talk.turn is Turn.TYPING
        self.people.update(self.world, (0.0, 0.0) if typing else intent.move, dt)
        if self.talk is None:
            self._offer(intent, now)
        else:
            self._converse(intent, now)
        self._keep_company(now)
        self._listen(now, dt)
        self._slide(now, dt)

    def receive(self, now: float) -> None:
        """Take what the engine has sent."""
        for event in self.link.poll(now):
            self._take(event, now)

    # ── talking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _offer(self, intent: Intent, now: float) -> None:
        near = self.people.near()
        if near is None or not intent.confirm:
            return
        if not self.link.connected:
            heading, _ = self.link.trouble
            self._toast = (f"{heading}: nobody can speak yet", now)
            return
        if self._parting is None or self._parting.character.npc != near.name:
            self.panel.portrait.forget()
        self.talk = Talk(self.scene.characters[near.name], self._memories[near.name])
        self._parting = None
        near.turn_to(self.people.player.at)
        self.people.player.turn_to(near.at)
        self._say(self.talk.begin(), now)

    def _converse(self, intent: Intent, now: float) -> None:
        talk, partner = self.talk, self.partner
        if talk is None or partner is None:
            return
        away = partner.at.distance(self.people.player.at) > LEAVE_REACH
        if away or (intent.leave and talk.turn is not Turn.TYPING):
            talk.leave()
            self._part(now)
        elif talk.turn is Turn.TYPING:
            self._write(talk, intent, now)
        elif talk.turn is Turn.SPEAKING:
            if intent.confirm:
                talk.interrupt()
                self._cut(now)
        else:
            self._choose(talk, intent, now)

    def _choose(self, talk: Talk, intent: Intent, now: float) -> None:
        talk.select(intent.select)
        if intent.write:
            talk.start_typing()
            return
        number = talk.selected if intent.confirm else intent.pick
        text = talk.choose(number) if number is not None else None
        if text is not None:
            self._say(text, now)

    def _write(self, talk: Talk, intent: Intent, now: float) -> None:
        talk.type(intent.typed)
        if intent.erase:
            talk.erase()
        if intent.leave:
            talk.stop_typing()
        elif intent.confirm:
            text = talk.say_typed()
            if text is not None:
                self._say(text, now)

    def _say(self, text: str, now: float) -> None:
        self._cut(now)
        talk, client = self.talk, self.link.client
        if talk is None or client is None:
            return
        try:
            self.speech = Speech(client, self.speaker, talk.character.npc, text, now, cushion=self._cushion)
        except ClientError as error:
            self._refuse(str(error), now)

    def _cut(self, now: float) -> None:
        if self.speech is not None and not self.speech.over and self.speech.cut_at is None:
            self.speech.cut(now)
            self.cuts += 1

    def _part(self, now: float) -> None:
        self._cut(now)
        self.company.leave()
        self._parting, self._parted_at, self.talk = self.talk, now, None

    def _refuse(self, why: str, now: float) -> None:
        self._toast = (why, now)
        if self.talk is not None:
            self.talk.line_over()

    # ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, event: Event, now: float) -> None:
        self.company.take(event)
        speech = self.speech
        if speech is None or event.line != speech.line:
            return
        speech.add(event, now)
        if speech.first_at is not None:
            self.meter.first_moment(speech.line, speech.first_at - speech.asked_at)
        if speech.error is not None and self._toast[0] != speech.error.text:
            self._toast = (speech.error.text, now)

    def _keep_company(self, now: float) -> None:
        """Whoever is talked to lives from the end of one line until the next is heard."""
        talk, speech, client = self.talk, self.speech, self.link.client
        if speech is not None and not speech.over:
            if speech.began:
                self.company.give_way()
        elif talk is not None and client is not None and talk.turn in (Turn.CHOOSING, Turn.TYPING):
            self.company.attend(client, talk.character.npc, now)
        self.company.update(now)

    def _listen(self, now: float, dt: float) -> None:
        for walker in self.people.cast.values():
            walker.jaw, walker.talking = 0.0, False
        speech = self.speech
        if speech is None:
            return
        speech.update(now)
        # a frame stays on the screen about as long as the one before: the face that fits its middle
        self.seen = seen = speech.seen(now, int(min(dt, LONG_FRAME_S) / 2 * SAMPLE_RATE))
        face = self.company.seen() or seen
        self.panel.portrait.show(face, dt)
        walker = self.people.cast[speech.npc]
        walker.jaw, walker.blink = face.jaw, face.blink
        walker.talking = speech.began and seen.closed < 0.5 and speech.cut_at is None and seen.word >= 0
        self.meter.heard(speech, seen, now, dt)
        if speech.over and self.talk is not None and self.talk.turn is Turn.SPEAKING:
            self.talk.line_over()
            if self.talk.last:
                self._part(now)

    def _slide(self, now: float, dt: float) -> None:
        if self.talk is not None:
            self._opened = min(1.0, self._opened + dt / SLIDE_S)
        elif self._parting is not None and now - self._parted_at > LINGER_S:
            self._opened = max(0.0, self._opened - dt / SLIDE_S)
            if self._opened == 0.0:
                self._parting = None
        partner = self.partner
        at = self.people.player.at
        if partner is not None:
            at = Place((at.x + partner.at.x) / 2, (at.y + partner.at.y) / 2)
        self.camera.follow(at, PANEL_LOWER if self.talk is not None else 0.0, dt)

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def draw(self, screen: Any, now: float) -> None:
        """Paint the whole screen as it is at `now` seconds."""
        self.view.draw(screen, self.people.everybody(), self.camera, now)
        shown = self.talk or self._parting
        if shown is None:
            self._prompt(screen)
        else:
            self.panel.draw(screen, shown, self._heard(shown), self._opened, now)
        self._messages(screen, now)
        if self.overlay:
            self.meter.draw(screen, self.letters, self.speech, now)

    def _heard(self, talk: Talk) -> Seen | None:
        """What is heard of the talk's text; nothing when it was refused."""
        return self.seen if self.speech is not None and self.speech.text == talk.text else None

    def _prompt(self, screen: Any) -> None:
        near = self.people.near(TALK_REACH)
        if near is None:
            return
        name = self.scene.characters[near.name].name
        wide = 46 + self.letters.text.width(f"Talk to {name}")
        x, y = on_screen(near.at, self.camera)
        x, y = x - wide // 2, y - 134
        screen.fill((24, 18, 36), (x - 10, y - 6, wide + 20, 38))
        screen.fill(GOLD, (x - 10, y + 32, wide + 20, 2))
        cap = key(self.letters, screen, "E", (x, y))
        self.letters.draw(screen, self.letters.text, f"Talk to {name}", (x + cap + 12, y + 3), CREAM)

    def _messages(self, screen: Any, now: float) -> None:
        letters = self.letters
        since = now - (now if self._since is None else self._since)
        if since < TITLE_S:
            self._title(screen, min(1.0, since / 0.7, (TITLE_S - since) / 0.9))
        heading, advice = self.link.trouble
        text, at = self._toast
        if not heading and text and now - at < TOAST_S:
            heading, advice = text, ""
        if heading and since > 0.4:
            heading, advice = _clipped(heading, letters.text.width), _clipped(advice, letters.small.width)
            wide = max(letters.text.width(heading), letters.small.width(advice)) + 70
            left, top = (SCREEN[0] - wide) // 2, 26
            if self._plate.get_width() != wide:
                self._plate = box(wide, 84)
            screen.blit(self._plate, (left, top))
            y = top + (20 if advice else 32)
            letters.draw(screen, letters.text, heading, (left + (wide - letters.text.width(heading)) // 2, y), GOLD)
            letters.draw(
                screen, letters.small, advice, (left + (wide - letters.small.width(advice)) // 2, top + 48), GREY
            )

    def _title(self, screen: Any, strength: float) -> None:
        letters = self.letters
        self._band.set_alpha(int(255 * max(0.0, strength)))
        screen.blit(self._band, (0, 110))
        for face, text, y, colour in (
            (letters.title, self.scene.village, 150, CREAM),
            (letters.text, self.scene.motto, 236, GOLD),
        ):
            for picture, shift in (
                (letters.picture(face, text, (20, 14, 30)), 3),
                (letters.picture(face, text, colour), 0),
            ):
                picture.set_alpha(int(255 * max(0.0, strength)))
                screen.blit(picture, ((SCREEN[0] - picture.get_width()) // 2 + shift, y + shift))
                picture.set_alpha(255)


def _band(height: int) -> Any:
    """A dark band that fades out above and below, for letters over the village."""
    band = clear(SCREEN[0], height)
    for y in range(height):
        band.fill((18, 12, 30, int(170 * sin(pi * (y + 0.5) / height) ** 0.7)), (0, y, SCREEN[0], 1))
    return band


def _clipped(text: str, width: Callable[[str], int]) -> str:
    """The text, cut where it would leave the screen; an engine's error may be long."""
    while width(text) > SCREEN[0] - 160:
        text = text[: len(text) * 9 // 10] + "…"
    return text
