"""What a living face does beside speaking: blinks, a head never quite still, glances, brows with the accents."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.window import VISEMES
from npc_engine.moments import CHANNEL, EXP50, TICK_MS

F32 = npt.NDArray[np.float32]

DEGREE: Final = float(np.pi / 180)
TICKS: Final = 1000 // TICK_MS  # in a second
FIRST_BLINK: Final = (0.4, 5.0)  # seconds after the line's start; never in the first 300 ms
BLINK_EVERY: Final = (5.0, 8.0)
CLOSING: Final = (4, 5)  # ticks
SHUT: Final = (1, 2)
OPENING: Final = (6, 7)
# speech moves the head by about 3 degrees in yaw and 2 in roll (facts measured on talking people)
SWAY: Final = {"headYaw": 2.6 * DEGREE, "headPitch": 1.1 * DEGREE, "headRoll": 1.7 * DEGREE}
NOD: Final = 2.0 * DEGREE  # downwards, on the loudest accents
GLANCE: Final = (4.0 * DEGREE, 2.0 * DEGREE)  # to the side, up or down
STEADY: Final = 0.6  # share of the head's turn that the eyes undo, so that the look stays on the listener
FADE_IN: Final = 20  # ticks, so that a line begins from rest

# Lips take a shape of their own, a feeling's, only where nothing is said: from 120 ms into a pause, wholly after 320
PAUSE_AFTER, PAUSE_WHOLE = 6, 16
PAUSE_LEAVES: Final = 0.34  # a tick: speech that is seen 60 ms ahead finds the mouth free
SILENT: Final = (0.5, 0.8)  # P of silence at which a pause may be, and surely is
QUIET: Final = 1e-3  # RMS under which there is no sound at all, and a mouth has no reason to move

_SIL: Final = VISEMES.index("sil")
_YAW, _PITCH, _ROLL = CHANNEL["headYaw"], CHANNEL["headPitch"], CHANNEL["headRoll"]
_GAZE_YAW, _GAZE_PITCH = CHANNEL["gazeYaw"], CHANNEL["gazePitch"]
_LIDS = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
_BROWS = {CHANNEL["browInnerUp"]: 0.10, CHANNEL["browOuterUpLeft"]: 0.07, CHANNEL["browOuterUpRight"]: 0.07}


class Accents:
    """Where a line is stressed, by its loudness."""

    def __init__(self) -> None:
        self._slow_db = -30.0
        self._accent = self._nod = 0.0

    def step(self, loudness: F32) -> F32:
        """f32[n], 0..1 where a syllable stands out from the last second, given the RMS f32[n] of the next n ticks.

        Up in 60 ms and down in 240, and a little later, for a head has mass.
        """
        found = np.zeros(len(loudness), np.float32)
        for i, db in enumerate((20 * np.log10(np.maximum(loudness, 1e-3))).tolist()):
            self._slow_db += (db - self._slow_db) / TICKS if db > -50 else 0.0  # a pause is no accent's measure
            out = min(max((db - self._slow_db - 2.0) / 8.0, 0.0), 1.0)
            self._accent += (out - self._accent) / (3 if out > self._accent else 12)
            self._nod += (self._accent - self._nod) / 4
            found[i] = self._nod
        return found


class Pauses:
    """Where a line says nothing; a line begins out of silence."""

    def __init__(self) -> None:
        self._silent = PAUSE_WHOLE  # ticks
        self._pause = self._still = 1.0

    def step(self, likely: F32, loudness: F32) -> tuple[F32, F32]:
        """How much each of the next n ticks lies in a pause, and how still the mouth must be in it: f32[n], 0..1, each.

        Given P f32[n, k, 15] of the visemes in a tick and in those after it, and the RMS f32[n].
        """
        pause, still = np.zeros(len(loudness), np.float32), np.zeros(len(loudness), np.float32)
        silence = likely[:, :, _SIL].min(axis=1).tolist()
        for i, (p, loud) in enumerate(zip(silence, loudness.tolist(), strict=True)):
            sure = min(max((p - SILENT[0]) / (SILENT[1] - SILENT[0]), 0.0), 1.0)
            self._silent = self._silent + 1 if sure > 0 else 0
            long = min(max((self._silent - PAUSE_AFTER) / (PAUSE_WHOLE - PAUSE_AFTER), 0.0), 1.0)
            self._pause = max(sure * long * long * (3 - 2 * long), self._pause - PAUSE_LEAVES)
            self._still = max(self._pause if loud < QUIET else 0.0, self._still - PAUSE_LEAVES)
            pause[i], still[i] = self._pause, self._still
        return pause, still


class Life:
    """The movements of one line; the same character and line move the same each time."""

    def __init__(self, npc: str, line: str) -> None:
        digest = hashlib.blake2b(f"{npc}\0{line}".encode(), digest_size=16).digest()
        # one source of chance each, so that no draw depends on how the ticks were cut
        self._sways, self._blinking, self._looking = np.random.default_rng(int.from_bytes(digest, "little")).spawn(3)
        self._tick = 0
        self._waves = {name: self._wave() for name in SWAY}
        self._blinks: list[tuple[int, F32]] = []
        self._next_blink = int(self._blinking.uniform(*FIRST_BLINK) * TICKS)
        self._glances: list[tuple[int, float, float]] = [(0, 0.0, 0.0)]
        self._next_glance = int(self._looking.uniform(0.6, 2.0) * TICKS)

    def step(self, accents: F32) -> F32:
        """f32[n, 50] to add on the next n ticks, given their accents f32[n]; any cutting gives the same."""
        n = len(accents)
        ticks = np.arange(self._tick, self._tick + n)
        added = np.zeros((n, len(EXP50)), np.float32)
        fade = np.minimum(ticks / FADE_IN, 1.0)
        fade = fade * fade * (3 - 2 * fade)
        for name, size in SWAY.items():
            rates, phases = self._waves[name]
            added[:, CHANNEL[name]] = size * np.sin(ticks[:, None] * rates + phases).mean(axis=1) * 1.6 * fade
        added[:, _PITCH] -= NOD * accents * fade
        for channel, size in _BROWS.items():
            added[:, channel] = size * accents * fade
        lids = self._lids(ticks)
        added[:, _LIDS] = lids[:, None]
        yaw, pitch = self._gaze(ticks)
        added[:, _GAZE_YAW] = yaw - STEADY * added[:, _YAW]
        added[:, _GAZE_PITCH] = pitch - STEADY * added[:, _PITCH] - 2.0 * DEGREE * lids
        self._tick += n
        return added

    def _wave(self) -> tuple[F32, F32]:
        """Four sines of .08 to .5 Hz at random phases: smooth, and never the same twice in a line."""
        hertz = np.array([0.09, 0.17, 0.29, 0.45]) * self._sways.uniform(0.8, 1.2, 4)
        return (hertz * 2 * np.pi / TICKS).astype(np.float32), self._sways.uniform(0, 2 * np.pi, 4).astype(np.float32)

    def _lids(self, ticks: npt.NDArray[np.int64]) -> F32:
        last = int(ticks[-1]) if len(ticks) else -1
        while self._next_blink <= last:
            self._blinks.append((self._next_blink, self._blink()))
            self._next_blink += int(self._blinking.uniform(*BLINK_EVERY) * TICKS)
        lids = np.zeros(len(ticks), np.float32)
        for begin, shape in self._blinks:
            inside = (ticks >= begin) & (ticks < begin + len(shape))
            lids[inside] = shape[ticks[inside] - begin]
        self._blinks = self._blinks[-1:]
        return lids

    def _blink(self) -> F32:
        closing, shut, opening = (int(self._blinking.integers(a, b + 1)) for a, b in (CLOSING, SHUT, OPENING))
        down = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, closing + 1) / closing)
        up = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, opening + 1) / opening)
        return np.concatenate([down, np.ones(shut), up]).astype(np.float32)

    def _gaze(self, ticks: npt.NDArray[np.int64]) -> tuple[F32, F32]:
        last = int(ticks[-1]) if len(ticks) else -1
        while self._next_glance <= last:
            home = self._looking.random() < 0.55  # the eyes come back to the listener
            yaw, pitch = (0.0, 0.0) if home else self._looking.uniform(-1, 1, 2) * GLANCE
            self._glances.append((self._next_glance, float(yaw), float(pitch)))
            self._next_glance += int(self._looking.uniform(0.7, 2.4) * TICKS)
        # a saccade of a few degrees takes about 40 ms
        at = [t for begin, _, _ in self._glances for t in (begin, begin + 2)]
        looks = []
        for axis in (1, 2):
            values = [self._glances[max(i + d, 0)][axis] for i in range(len(self._glances)) for d in (-1, 0)]
            looks.append(np.interp(ticks, at, values).astype(np.float32))
        self._glances = self._glances[-6:]
        return looks[0], looks[1]
