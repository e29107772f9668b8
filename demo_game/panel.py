"""The dialogue panel: a large portrait, the name, subtitles that follow the words, choices and a line to type."""

from __future__ import annotations

import io
from typing import Any

import pygame

from demo_game import frame
from demo_game.dialogue import Talk, Turn
from demo_game.frame import CREAM, DIM, GOLD, GREY, INK, Letters
from demo_game.pixels import Colour
from demo_game.speech import Seen
from demo_game.subtitles import Piece, balanced, pieces, spoken, window

PORTRAIT = 330  # screen pixels
PORTRAIT_AT = (40, 352)
BOX = (24, 474, 1232, 230)  # x, y, width, height
TEXT_X = 410
TEXT_WIDTH = 810
ROWS = 3
ROW = 42  # pixels from row to row
HINT_Y = 664
CLOSE_S = 0.1
COLOURS: dict[str, Colour] = {"said": CREAM, "now": (255, 208, 110), "coming": (128, 114, 134)}


class Portrait:
    """The picture of who speaks: the newest face, dissolving into the face at rest as the mouth closes."""

    def __init__(self) -> None:
        self._source: bytes | None = None
        self._rest_source: bytes | None = None
        self._face: Any = None
        self._rest: Any = None
        self._mix = pygame.Surface((PORTRAIT, PORTRAIT)).convert()
        self.closed = 1.0  # how far the face has gone over into the face at rest
        self.fresh = 0  # pictures shown so far
        self.last: Any = None  # what was drawn last, for tests and for the closing panel

    def forget(self) -> None:
        """Another character is going to speak."""
        self._source = self._rest_source = self._face = self._rest = self.last = None
        self.closed = 1.0

    def show(self, seen: Seen, dt: float) -> None:
        """Take what belongs to this moment, `dt` seconds after the last."""
        if seen.rest is not None and seen.rest is not self._rest_source:
            self._rest_source, self._rest = seen.rest, _decoded(seen.rest)
        if seen.picture is not None and seen.picture is not self._source and seen.closed < 1:
            self._source, self._face = seen.picture, _decoded(seen.picture)
            self.fresh += 1
        # a line that was cut by the next one has no more faces to come: close at the pace at which lines do
        self.closed = seen.closed if seen.picture is not None else min(1.0, self.closed + dt / CLOSE_S)
        if self._face is None or (self.closed >= 1 and self._rest is not None):
            self.last = self._rest
        elif self.closed > 0 and self._rest is not None:
            self._mix.blit(self._face, (0, 0))
            self._rest.set_alpha(int(255 * self.closed))
            self._mix.blit(self._rest, (0, 0))
            self._rest.set_alpha(None)
            self.last = self._mix
        else:
            self.last = self._face


def _decoded(data: bytes) -> Any:
    picture = pygame.image.load(io.BytesIO(data))
    if picture.get_flags() & pygame.SRCALPHA:
        ground = pygame.Surface(picture.get_size())
        ground.fill((58, 48, 66))
        ground.blit(picture, (0, 0))
        picture = ground
    return pygame.transform.smoothscale(picture.convert(), (PORTRAIT, PORTRAIT))


class Panel:
    """Draws a talk over the village. `opened` 0..1 says how far the panel has slid in."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters
        self.portrait = Portrait()
        self._box = frame.box(BOX[2], BOX[3])
        edge = PORTRAIT + 30
        self._frame = frame.box(edge, edge)
        self._frame.fill((0, 0, 0, 0), (15, 15, PORTRAIT, PORTRAIT))
        self._empty = pygame.Surface((PORTRAIT, PORTRAIT)).convert()
        self._empty.fill((46, 38, 56))
        for radius, tone in ((150, (54, 45, 64)), (110, (62, 52, 72)), (70, (70, 58, 80))):
            pygame.draw.circle(self._empty, tone, (PORTRAIT // 2, PORTRAIT // 2 + 20), radius)
        self._rows: tuple[str, list[Piece]] = ("", [])

    def draw(self, screen: Any, talk: Talk, seen: Seen | None, opened: float, now: float) -> None:
        """Draw the talk as it is; `seen` is the line being heard, nothing before its first."""
        drop = int((1 - opened) ** 2 * 390)
        x, y, width, _ = BOX
        screen.blit(self._box, (x, y + drop))
        px, py = PORTRAIT_AT[0], PORTRAIT_AT[1] + drop
        picture = self.portrait.last or self._empty
        screen.blit(picture, (px, py))
        screen.blit(self._frame, (px - 15, py - 15))
        if self.portrait.last is None:
            dots = "." * (1 + int(now * 3) % 3)
            self._letters.draw(
                screen, self._letters.title, dots, (px + PORTRAIT // 2 - 40, py + PORTRAIT // 2 - 50), DIM
            )
        self._name(screen, talk, drop)
        if drop > 60:
            return
        if talk.turn is Turn.SPEAKING or talk.turn is Turn.OVER:
            self._subtitles(screen, talk, seen, drop)
            keys = (("Enter", "cut in"), ("Esc", "walk away")) if talk.turn is Turn.SPEAKING else ()
        elif talk.turn is Turn.CHOOSING:
            self._choices(screen, talk, drop)
            keys = (("T", "make them say anything"), ("Esc", "walk away"))
        else:
            self._typing(screen, talk, drop, now)
            keys = (("Enter", "say it"), ("Esc", "back"))
        frame.hints(self._letters, screen, keys, x + width - 34, HINT_Y + drop)

    def _name(self, screen: Any, talk: Talk, drop: int) -> None:
        letters, who = self._letters, talk.character
        wide = letters.name.width(who.name) + letters.small.width(who.role) + 58
        plate = pygame.Rect(TEXT_X - 22, BOX[1] - 24 + drop, wide, 44)
        pygame.draw.rect(screen, INK, plate.inflate(6, 6), border_radius=6)
        pygame.draw.rect(screen, GOLD, plate, border_radius=4)
        pygame.draw.rect(screen, (74, 44, 52), plate.inflate(-6, -6), border_radius=3)
        letters.draw(screen, letters.name, who.name, (TEXT_X, plate.y + 10), (255, 226, 160))
        letters.draw(screen, letters.small, who.role, (TEXT_X + letters.name.width(who.name) + 14, plate.y + 15), GREY)

    def _subtitles(self, screen: Any, talk: Talk, seen: Seen | None, drop: int) -> None:
        letters, y = self._letters, BOX[1] + 38 + drop
        if talk.player:
            letters.draw(screen, letters.small, f"You:  {talk.player}", (TEXT_X, y), GREY)
        y += 30
        if self._rows[0] != talk.text:
            self._rows = (talk.text, balanced(talk.text, TEXT_WIDTH, letters.speech.width))
        rows = self._rows[1]
        over = seen is not None and seen.closed >= 1 and seen.word >= 0
        first, last = spoken(seen.words, seen.word, len(talk.text), over) if seen else (0, 0)
        top = window(rows, max(first, last - 1), ROWS)
        for row in rows[top : top + ROWS]:
            x = TEXT_X
            for text, state in pieces(row, first, last):
                letters.draw(screen, letters.speech, text, (x, y), COLOURS[state])
                x += letters.speech.width(text)
            y += ROW

    def _choices(self, screen: Any, talk: Talk, drop: int) -> None:
        letters = self._letters
        step = 27 if len(talk.options) > 5 else 31
        y = BOX[1] + 32 + drop
        for number, option in enumerate(talk.options):
            chosen = number == talk.selected
            if chosen:
                bar = pygame.Rect(TEXT_X - 12, y - 4, TEXT_WIDTH + 20, step - 2)
                pygame.draw.rect(screen, (84, 58, 62), bar, border_radius=4)
                pygame.draw.rect(screen, GOLD, bar, 1, border_radius=4)
            asked = number in talk.memory.asked
            letters.draw(screen, letters.text, f"{number + 1}", (TEXT_X, y), GOLD if chosen else (176, 136, 84))
            colour = CREAM if chosen else DIM if asked else GREY
            letters.draw(screen, letters.text, option, (TEXT_X + 28, y), colour)
            y += step

    def _typing(self, screen: Any, talk: Talk, drop: int, now: float) -> None:
        letters, y = self._letters, BOX[1] + 42 + drop
        letters.draw(screen, letters.text, f"{talk.character.name} says whatever you type:", (TEXT_X, y), GREY)
        field = pygame.Rect(TEXT_X - 8, y + 36, TEXT_WIDTH + 16, 52)
        pygame.draw.rect(screen, (18, 13, 27), field, border_radius=5)
        pygame.draw.rect(screen, GOLD, field, 2, border_radius=5)
        shown = talk.typed
        while shown and letters.speech.width(shown) > TEXT_WIDTH - 20:
            shown = shown[1:]
        wide = letters.draw(screen, letters.speech, shown, (TEXT_X + 4, y + 49), CREAM) if shown else 0
        if now % 1 < 0.55:
            pygame.draw.rect(screen, GOLD, (TEXT_X + 6 + wide, y + 46, 3, 30))
