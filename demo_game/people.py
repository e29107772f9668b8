"""People as sprites of 20x31 pixels, drawn by code: four ways to face, four steps, and a mouth that opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pygame

from demo_game.pixels import Colour, clear, outlined, shade

Facing = Literal["down", "up", "left", "right"]
FACINGS: tuple[Facing, ...] = ("down", "up", "left", "right")
STEPS = 4  # 0 and 2 stand, 1 and 3 stride
MOUTHS = 3  # closed, half open, open
LINE: Colour = (40, 30, 46)
LIPS: Colour = (116, 42, 50)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wears; `hair_style` is short, long, thin or hood."""

    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    hair_style: str = "short"
    beard: Colour | None = None
    apron: Colour | None = None
    skirt: bool = False
    scarf: Colour | None = None
    small: bool = False


LOOKS: dict[str, Look] = {
    "player": Look((236, 190, 156), (110, 70, 52), (62, 106, 128), (84, 70, 84), scarf=(206, 92, 76)),
    "maren": Look((244, 204, 176), (158, 72, 44), (98, 120, 108), (112, 66, 74), "long", apron=(238, 228, 208),
                  skirt=True),
    "elder": Look((224, 178, 150), (214, 210, 210), (112, 92, 80), (86, 74, 76), "thin", beard=(230, 226, 224),
                  apron=(84, 66, 60)),
    "farmer": Look((222, 172, 136), (196, 160, 92), (176, 128, 74), (88, 92, 112), "hood"),
    "girl": Look((244, 204, 172), (224, 180, 104), (190, 112, 140), (150, 90, 128), "long", skirt=True, small=True),
    "weaver": Look((172, 120, 92), (52, 40, 46), (206, 164, 92), (110, 84, 120), "long", skirt=True),
}  # fmt: skip


def _legs(art: Any, look: Look, facing: Facing, step: int) -> None:
    boots = (70, 52, 52)
    stride = {1: 1, 3: -1}.get(step, 0)
    if facing in {"left", "right"}:
        spread = 3 if stride else 0
        for x, lift in ((8 - spread, stride == 1), (8 + spread, stride == -1)):
            pygame.draw.rect(art, shade(look.bottom, 0.85 if x < 8 else 1), (x, 21, 3, 5 - lift))
            pygame.draw.rect(art, boots, (x, 25 - lift, 4, 2))
    else:
        for x, lift in ((6, stride == 1), (9, stride == -1)):
            pygame.draw.rect(art, shade(look.bottom, 1 if x == 6 else 0.86), (x, 21, 3, 5 - lift * 2))
            pygame.draw.rect(art, boots, (x, 25 - lift * 2, 3, 2))
    if look.skirt:
        sway = stride if facing in {"left", "right"} else 0
        hem = [(5, 18), (12, 18), (14 + sway, 24), (13, 25), (4, 25), (3 + sway, 24)]
        pygame.draw.polygon(art, look.bottom, hem)
        pygame.draw.line(art, shade(look.bottom, 0.8), (11, 19), (13 + sway, 24))
        pygame.draw.line(art, shade(look.bottom, 0.72), (4, 25), (13, 25))


def _body(art: Any, look: Look, facing: Facing, step: int) -> None:
    stride = {1: 1, 3: -1}.get(step, 0)
    if facing in {"left", "right"}:
        pygame.draw.rect(art, look.top, (6, 13, 7, 9))
        pygame.draw.rect(art, shade(look.top, 0.8), (6, 13, 2, 9))
        if look.apron:
            pygame.draw.rect(art, look.apron, (11, 15, 2, 9))
        arm = 8 + stride * 2
        pygame.draw.line(art, shade(look.top, 0.72), (9, 14), (arm + 1, 19), 3)
        pygame.draw.rect(art, look.skin, (arm, 19, 3, 2))
    else:
        pygame.draw.rect(art, look.top, (4, 14, 10, 7))
        pygame.draw.rect(art, look.top, (5, 13, 8, 9))
        pygame.draw.rect(art, shade(look.top, 0.8), (11, 14, 2, 8))
        for x, lift in ((2, stride), (13, -stride)):
            pygame.draw.rect(art, shade(look.top, 0.88), (x + (x == 2), 14, 2, 6 + lift))
            pygame.draw.rect(art, look.skin, (x + (x == 2), 19 + lift, 2, 2))
        if look.apron and facing == "down":
            pygame.draw.rect(art, look.apron, (6, 15, 6, 9 if look.skirt else 8))
            pygame.draw.rect(art, shade(look.apron, 0.85), (10, 15, 2, 9 if look.skirt else 8))
            pygame.draw.line(art, shade(look.apron, 0.7), (5, 18), (12, 18))
        elif look.apron:
            pygame.draw.line(art, look.apron, (5, 18), (12, 18))
            pygame.draw.rect(art, look.apron, (8, 18, 2, 4))
    if look.scarf:
        pygame.draw.rect(art, look.scarf, (5, 12, 8, 3))
        pygame.draw.rect(art, shade(look.scarf, 0.8), (10 if facing != "up" else 6, 14, 2, 4))


def _mouth(art: Any, look: Look, x: int, y: int, opened: int) -> None:
    if opened == 0:
        pygame.draw.rect(art, shade(look.skin, 0.66), (x, y, 2, 1))
    else:
        pygame.draw.rect(art, LIPS, (x, y, 2, opened))


def _face(art: Any, look: Look, facing: Facing, opened: int, blink: bool) -> None:
    eye = shade(look.skin, 0.64) if blink else (46, 34, 44)
    eyes = (6, 11) if facing == "down" else (12,)
    for x in eyes:
        pygame.draw.rect(art, eye, (x, 9 + blink, 1, 1 if blink else 2))
    for x in (4, 13) if facing == "down" else (10,):
        art.set_at((x, 11), (232, 142, 128))
    if facing != "down":
        art.set_at((15, 10), look.skin)
    if look.beard:
        wide = (4, 12, 10, 3) if facing == "down" else (8, 12, 7, 3)
        pygame.draw.rect(art, look.beard, wide)
        pygame.draw.rect(art, look.beard, (wide[0] + 1, 14, wide[2] - 2, 3))
        pygame.draw.rect(art, shade(look.beard, 0.86), (wide[0] + wide[2] - 4, 14, 2, 4))
        for x in eyes:
            pygame.draw.rect(art, look.beard, (x - 1 + (x == 11), 7, 2, 1))
    _mouth(art, look, 8 if facing == "down" else 13, 12 if not look.beard else 13, opened)


def _head(art: Any, look: Look, facing: Facing, opened: int, blink: bool) -> None:
    hair, dark, bright = look.hair, shade(look.hair, 0.74), shade(look.hair, 1.22)
    side, style = facing in {"left", "right"}, look.hair_style
    pygame.draw.rect(art, look.skin, (4, 4, 10, 11))
    pygame.draw.rect(art, look.skin, (3, 6, 12, 7))
    pygame.draw.rect(art, shade(look.skin, 0.86), (4, 14, 10, 1))
    if facing != "up":
        _face(art, look, facing, opened, blink)
    if style == "thin":
        pygame.draw.rect(art, hair, (5, 3, 8, 2))
        pygame.draw.rect(art, hair, (4, 4, 2, 3))
        pygame.draw.rect(art, hair, (12, 4, 2, 3))
        if facing == "up":
            pygame.draw.rect(art, hair, (3, 5, 12, 9))
            pygame.draw.rect(art, dark, (4, 13, 10, 3))
        for x in (2, 3) if side else (2, 15):
            pygame.draw.rect(art, hair, (x, 6, 1 + side * 4, 9))
        return
    pygame.draw.rect(art, hair, (5, 3, 8, 2))
    pygame.draw.rect(art, hair, (4, 4, 10, 3))
    pygame.draw.rect(art, hair, (3, 5, 12, 3 if facing != "up" else 8))
    pygame.draw.rect(art, bright, (6, 4, 5, 1))
    low = 11 if style == "long" else 4
    if side:
        pygame.draw.rect(art, hair, (3, 6, 6, low + 2))
        pygame.draw.rect(art, dark, (3, 6 + low, 5, 2))
    elif facing == "down":
        pygame.draw.rect(art, dark, (5, 7, 4, 1))
        pygame.draw.rect(art, look.skin, (9, 7, 3, 1))
        for x in (3, 14):
            pygame.draw.rect(art, hair, (x, 7, 1, low))
    else:
        pygame.draw.rect(art, hair, (4, 13, 10, 2 if style != "long" else 5))
        pygame.draw.rect(art, dark, (4, 13 if style != "long" else 16, 10, 2))
    if style == "hood":
        straw: Colour = (226, 196, 122)
        pygame.draw.ellipse(art, straw, (0, 4, 18, 5))
        pygame.draw.rect(art, straw, (5, 1, 8, 5))
        pygame.draw.line(art, (170, 84, 70), (5, 5), (12, 5))
        pygame.draw.line(art, shade(straw, 0.8), (2, 8), (15, 8))


def drawn(look: Look, facing: Facing, step: int, opened: int, blink: bool) -> Any:
    """One sprite; `step` is 0..3, `opened` 0..2."""
    turned: Facing = "right" if facing == "left" else facing
    body, head = clear(18, 30), clear(18, 22)
    _legs(body, look, turned, step)
    _body(body, look, turned, step)
    _head(head, look, turned, opened, blink)
    art = clear(18, 30)
    if look.small:  # a child: a grown-up's head on less body
        body = pygame.transform.scale(body, (18, 26))
    art.blit(body, (0, 3 if not look.small else 7))
    art.blit(head, (0, (step % 2) + (5 if look.small else 2)))  # the head sinks by a pixel in each stride
    if facing == "left":
        art = pygame.transform.flip(art, flip_x=True, flip_y=False)
    return outlined(art, LINE)


def sheet(look: Look) -> dict[tuple[Facing, int, int, bool], Any]:
    """All sprites of a look by (facing, step, mouth, blink)."""
    return {
        (facing, step, opened, blink): drawn(look, facing, step, opened, blink)
        for facing in FACINGS
        for step in range(STEPS)
        for opened in range(MOUTHS)
        for blink in (False, True)
    }
