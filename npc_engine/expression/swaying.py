"""A head that is never quite still: slow waves and breath."""

from __future__ import annotations

from math import pi
from random import Random
from typing import Final

import numpy as np

from npc_engine.expression.gaze import DEGREE, TICKS

# speech moves the head by about 3 degrees in yaw and 2 in roll (facts measured on talking people)
SWAY: Final = {"headYaw": 2.4 * DEGREE, "headPitch": 1.0 * DEGREE, "headRoll": 1.6 * DEGREE}
WAVES_HZ: Final = (0.09, 0.17, 0.29, 0.45)  # that a sway is made of
BREATH_HZ: Final = 0.25
BREATH: Final = {"headPitch": 0.30 * DEGREE, "headRoll": 0.10 * DEGREE}  # with each breath, at any style
FADE_IN: Final = 20  # ticks, so that a line begins from rest
AT_ONCE: Final = 64  # ticks that are computed together, which costs a tenth of what they cost one by one


class Swaying:
    """The sway of one line, `size` times as large as that of speech: four slow waves each way, never the same twice."""

    def __init__(self, chance: Random, size: float) -> None:
        drawn = {name: [(hz * chance.uniform(0.8, 1.2), chance.uniform(0, 2 * pi)) for hz in WAVES_HZ] for name in SWAY}
        waves = np.array([drawn[name] for name in ("headPitch", "headYaw", "headRoll")])
        self._rates, self._phases = 2 * pi * waves[:, :, 0], waves[:, :, 1]  # f64[3, 4], radians a second and at 0
        self._sizes = np.array([SWAY[name] for name in ("headPitch", "headYaw", "headRoll")])
        self._sizes *= size * 1.6 / len(WAVES_HZ)
        self._breath = np.array([BREATH["headPitch"], 0.0, BREATH["headRoll"]])
        self._ticks = 0  # computed
        self._ready: list[list[float]] = []  # pitch, yaw and roll of ticks to come, the next one last

    def step(self) -> tuple[float, float, float]:
        """Pitch, yaw and roll of the next tick, radians."""
        if not self._ready:
            self._ready = self._following()
        pitch, yaw, roll = self._ready.pop()
        return pitch, yaw, roll

    def _following(self) -> list[list[float]]:
        ticks = np.arange(self._ticks, self._ticks + AT_ONCE)
        self._ticks += AT_ONCE
        seconds = ticks / TICKS
        fade = np.minimum(ticks / FADE_IN, 1.0)
        fade = fade * fade * (3 - 2 * fade)
        waves = np.sin(self._rates * seconds[:, None, None] + self._phases).sum(axis=2)
        breath = np.sin(2 * pi * BREATH_HZ * seconds)[:, None] * self._breath
        found: list[list[float]] = (waves * self._sizes * fade[:, None] + breath)[::-1].tolist()
        return found
