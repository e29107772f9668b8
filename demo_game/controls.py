"""What the player wants, from keyboard and gamepad, as one value a frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pygame

DEAD = 0.3  # of a stick's way, which worn sticks show at rest
PICKS = {getattr(pygame, f"K_{n}"): n - 1 for n in range(1, 7)} | {
    getattr(pygame, f"K_KP{n}"): n - 1 for n in range(1, 7)
}
CONFIRM = {pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_e, pygame.K_SPACE}
PAD_CONFIRM, PAD_LEAVE, PAD_TYPE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Intent:
    """What the player wants in this frame."""

    move: tuple[float, float] = (0.0, 0.0)  # right, down; at most 1 each
    select: int = 0  # steps down the choices
    pick: int | None = None  # a choice by number, from 0
    confirm: bool = False
    leave: bool = False
    write: bool = False  # start to type
    typed: str = ""
    erase: bool = False
    overlay: bool = False
    quit: bool = False


class Controls:
    """Keyboard and gamepads; with `talking` the arrows choose, with `typing` letters are text."""

    def __init__(self) -> None:
        self._pads: dict[int, Any] = {}
        pygame.joystick.init()

    def read(self, events: Iterable[Any], *, talking: bool, typing: bool) -> Intent:
        """The intent in the events since the last frame and the keys that are down."""
        wants: dict[str, Any] = {}
        for event in events:
            if event.type == pygame.QUIT:
                wants["quit"] = True
            elif event.type == pygame.KEYDOWN:
                _key(event.key, wants, typing=typing)
            elif event.type == pygame.TEXTINPUT and typing:
                wants["typed"] = wants.get("typed", "") + event.text
            else:
                self._pad(event, wants)
        if not typing:
            wants["move"] = self._move(talking=talking)
        return Intent(**wants)

    def _pad(self, event: Any, wants: dict[str, Any]) -> None:
        if event.type == pygame.JOYDEVICEADDED:
            pad = pygame.joystick.Joystick(event.device_index)
            self._pads[pad.get_instance_id()] = pad
        elif event.type == pygame.JOYDEVICEREMOVED:
            self._pads.pop(event.instance_id, None)
        elif event.type == pygame.JOYBUTTONDOWN:
            name = {PAD_CONFIRM: "confirm", PAD_LEAVE: "leave", PAD_TYPE: "write"}.get(event.button)
            if name:
                wants[name] = True
        elif event.type == pygame.JOYHATMOTION and event.value[1]:
            wants["select"] = -event.value[1]

    def _move(self, *, talking: bool) -> tuple[float, float]:
        down = pygame.key.get_pressed()
        arrows = not talking
        x = (down[pygame.K_d] or (arrows and down[pygame.K_RIGHT])) - (
            down[pygame.K_a] or (arrows and down[pygame.K_LEFT])
        )
        y = (down[pygame.K_s] or (arrows and down[pygame.K_DOWN])) - (
            down[pygame.K_w] or (arrows and down[pygame.K_UP])
        )
        for pad in self._pads.values():
            if pad.get_numaxes() >= 2:
                sx, sy = pad.get_axis(0), pad.get_axis(1)
                if sx * sx + sy * sy > DEAD * DEAD:
                    return (sx, sy)
            if pad.get_numhats() and arrows and pad.get_hat(0) != (0, 0):
                hat = pad.get_hat(0)
                return (float(hat[0]), float(-hat[1]))
        return (float(x), float(y))


def _key(key: int, wants: dict[str, Any], *, typing: bool) -> None:
    if key == pygame.K_F3:
        wants["overlay"] = True
    elif key == pygame.K_ESCAPE:
        wants["leave"] = True
    elif typing:
        if key in {pygame.K_RETURN, pygame.K_KP_ENTER}:
            wants["confirm"] = True
        elif key == pygame.K_BACKSPACE:
            wants["erase"] = True
    elif key in CONFIRM:
        wants["confirm"] = True
    elif key in {pygame.K_t, pygame.K_TAB}:
        wants["write"] = True
    elif key in PICKS:
        wants["pick"] = PICKS[key]
    elif key in {pygame.K_UP, pygame.K_DOWN}:
        wants["select"] = 1 if key == pygame.K_DOWN else -1
