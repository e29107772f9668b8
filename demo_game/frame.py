"""The dress of what lies over the village: colours, letters, boxes with pixelled corners."""

from __future__ import annotations

from typing import Any

import pygame

from demo_game.pixels import Colour, clear

INK: Colour = (30, 23, 42)
WOOD: Colour = (60, 43, 54)
GOLD: Colour = (226, 178, 98)
DEEP: Colour = (126, 84, 60)
CREAM: Colour = (250, 241, 222)
DIM: Colour = (150, 136, 150)
GREY: Colour = (190, 178, 186)
ALERT: Colour = (240, 140, 120)
STEP = 3  # screen pixels of a pixel of the village


class Type:
    """pygame's own font, which every machine has, at `size` pixels.

    It is drawn at twice the size and halved: at its own size its letters snap to whole pixels and words fall apart.
    """

    def __init__(self, size: int) -> None:
        self._font = pygame.font.Font(None, size * 2)

    def width(self, text: str) -> int:
        """Pixels from the first letter to the last."""
        return (int(self._font.size(_drawable(text))[0]) + 1) // 2

    def drawn(self, text: str, colour: Colour) -> Any:
        """A surface with the text."""
        large = self._font.render(_drawable(text), True, colour)
        w, h = large.get_size()
        return pygame.transform.smoothscale(large.convert_alpha(), ((w + 1) // 2, (h + 1) // 2))


def _drawable(text: str) -> str:
    """A NUL ends a C string, and a lone surrogate is no character: neither can be drawn."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


class Letters:
    """The sizes of type, and pictures of text that were drawn before."""

    def __init__(self) -> None:
        self.tiny = Type(20)
        self.small = Type(24)
        self.text = Type(29)
        self.speech = Type(37)
        self.name = Type(36)
        self.title = Type(100)
        self._drawn: dict[tuple[int, str, Colour], Any] = {}

    def draw(
        self, screen: Any, face: Type, text: str, at: tuple[int, int], colour: Colour, *, shadow: bool = True
    ) -> int:
        """Write `text` with its upper left corner at `at`; returns its width in pixels."""
        if shadow:
            screen.blit(self.picture(face, text, (16, 11, 24)), (at[0] + 1, at[1] + 2))
        screen.blit(self.picture(face, text, colour), at)
        return face.width(text)

    def picture(self, face: Type, text: str, colour: Colour) -> Any:
        """The text as a surface, drawn once."""
        key = (id(face), text, colour)
        if key not in self._drawn:
            if len(self._drawn) > 600:  # typed texts and figures come and go
                self._drawn.clear()
            self._drawn[key] = face.drawn(text, colour)
        return self._drawn[key]


def box(width: int, height: int, *, fill: tuple[int, int, int, int] = (*INK, 238), edge: Colour = GOLD) -> Any:
    """A dark box with a double edge and stepped corners, `width` by `height` screen pixels."""
    art = clear(width, height)
    layers = ((0, INK), (STEP, edge), (2 * STEP, DEEP), (3 * STEP, INK))
    for inset, colour in layers:
        _stepped(art, inset, (*colour, 255))
    _stepped(art, 3 * STEP, fill)
    for x, y in ((5, 5), (5, -7), (-7, 5), (-7, -7)):  # studs
        at = (x * STEP if x > 0 else width + x * STEP, y * STEP if y > 0 else height + y * STEP)
        pygame.draw.rect(art, edge, (*at, 2 * STEP, 2 * STEP))
        pygame.draw.rect(art, CREAM, (*at, STEP, STEP))
    return art


def _stepped(art: Any, inset: int, colour: tuple[int, int, int, int]) -> None:
    w, h = art.get_size()
    for cut in (0, STEP, 2 * STEP):
        a, b = inset + cut, inset + 2 * STEP - cut
        art.fill(colour, (a, b, w - 2 * a, h - 2 * b))


def key(letters: Letters, screen: Any, label: str, at: tuple[int, int]) -> int:
    """A small key cap with a label; returns its width."""
    width = max(26, letters.small.width(label) + 16)
    x, y = at
    pygame.draw.rect(screen, (16, 11, 24), (x, y + 3, width, 24), border_radius=5)
    pygame.draw.rect(screen, CREAM, (x, y, width, 24), border_radius=5)
    pygame.draw.rect(screen, (214, 198, 172), (x, y + 19, width, 5), border_radius=5)
    text = letters.small.width(label)
    letters.draw(screen, letters.small, label, (x + (width - text) // 2, y + 3), INK, shadow=False)
    return width


def hints(letters: Letters, screen: Any, pairs: tuple[tuple[str, str], ...], right: int, y: int) -> None:
    """Keys and what they do, in a row that ends at `right`."""
    widths = [max(26, letters.small.width(k) + 16) + 8 + letters.small.width(what) + 20 for k, what in pairs]
    x = right - sum(widths) + 20
    for (label, what), width in zip(pairs, widths, strict=True):
        cap = key(letters, screen, label, (x, y))
        letters.draw(screen, letters.small, what, (x + cap + 8, y + 4), GREY)
        x += width
