"""What a living face does beside speaking: blinks, looks, nods, brows with the accents, a head never quite still.

Everything here goes tick by tick on numbers that do not depend on how a line was cut, and draws from sources of chance
that are seeded by the character and the line.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.blinks import Blinks
from npc_engine.expression.gaze import DEGREE, LARGE, TICKS, Gaze, Spring
from npc_engine.expression.gestures import Nods
from npc_engine.expression.looks import PHRASE_ENDS, Looks, Speaking
from npc_engine.expression.style import Style
from npc_engine.expression.swaying import FADE_IN, Swaying
from npc_engine.expression.window import VISEMES
from npc_engine.moments import CHANNEL, EXP50

F32 = npt.NDArray[np.float32]

NOD: Final = 2.0 * DEGREE  # downwards, on the loudest accents
PHRASE_NOD: Final = (0.5, 1.1 * DEGREE, 2.0 * DEGREE, 0.38)  # probability at the end of a phrase, depth, seconds
FOLLOWS: Final = 0.35  # the head's share of a look far aside
STEADY: Final = 0.6  # share of the head's other movements that the eyes undo, so that the look stays on the listener
LIDS_FOLLOW: Final = 2.0 * DEGREE  # by which eyes turn down under falling lids
BLINKS_AT: Final = {"shift": 0.45, "phrase": 0.3}  # probability of a blink with a large gaze shift, at a phrase's end
# Heads come to rest in pauses (Hadar et al. 1983), from this many ticks of quiet on, and so do they where a line ends
CALMS: Final = 3
CALM: Final = 0.25  # share of the sway that is left then
CALM_SPEED: Final = 12.0  # 1/s

# Lips take a shape of their own, a feeling's, only where nothing is said: from 120 ms into a pause, wholly after 320
PAUSE_AFTER, PAUSE_WHOLE = 6, 16
PAUSE_LEAVES: Final = 0.34  # a tick: speech that is seen 60 ms ahead finds the mouth free
SILENT: Final = (0.5, 0.8)  # P of silence at which a pause may be, and surely is
QUIET: Final = 1e-3  # RMS under which there is no sound at all, and a mouth has no reason to move
NOTHING_SAID: Final = 1_000_000  # ticks of quiet: no pause, but a character that does not speak
HUSHED_DB: Final = (-46.0, -22.0)  # loudness of a tick without speech: of full scale, or against the line's own

_SIL: Final = VISEMES.index("sil")
_YAW, _PITCH, _ROLL = CHANNEL["headYaw"], CHANNEL["headPitch"], CHANNEL["headRoll"]
_GAZE_YAW, _GAZE_PITCH = CHANNEL["gazeYaw"], CHANNEL["gazePitch"]
_LEFT_LID, _RIGHT_LID = CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]
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

    def step(self, likely: F32, loudness: F32) -> tuple[F32, F32, F32]:
        """How much each of the next n ticks lies in a pause, how still the mouth must be in it, and what is loud.

        f32[n] each; the first two 0..1, the third is the loudness of speech: all of it, where nothing else sounds.
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
        return pause, still, loudness


class Hushes:
    """How long a line has been silent: the ends of its phrases, heard 140 ms after them, and its hesitations."""

    def __init__(self) -> None:
        self._level_db = -30.0
        self._quiet = PHRASE_ENDS + 1  # ticks; a line begins out of silence that ends no phrase

    def step(self, loudness: F32) -> list[int]:
        """Ticks since speech was heard, 0 while it is, of the next n ticks, given their RMS f32[n]."""
        found = []
        least, below = HUSHED_DB
        for db in (20 * np.log10(np.maximum(loudness, 1e-5))).tolist():
            hushed = db < max(least, self._level_db + below)
            self._quiet = self._quiet + 1 if hushed else 0
            if not hushed:
                self._level_db += (db - self._level_db) / TICKS
            found.append(self._quiet)
        return found


def chance_of(*names: str) -> Random:
    """A source of chance that is the same for the same names, on every machine."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "little"))


class Body:
    """Lids, eyes and head together, tick by tick, whatever moves them.

    `quiet` ticks without speech, NOTHING_SAID where there is none at all, make it calm.
    `sway`: of the head, against that of speech; `blinks`: seconds from blink to blink, against those of the style.
    """

    def __init__(self, chance: Random, looks: Looks, style: Style, *, sway: float = 1.0, blinks: float = 1.0) -> None:
        self._looks = looks
        self._style = style
        self._swaying = Swaying(chance, sway * style.head)
        self.blinks = Blinks(split(chance), style.blink_s * blinks, style.pace)
        self.nods = Nods()
        self._gaze = Gaze(FOLLOWS, style.pace)
        self._calm = Spring(CALM_SPEED)

    def step(self, row: list[float], quiet: int, lean: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        """Add the next tick's to `row`, 50 values; `lean`: pitch, yaw and roll of a head that something else moves."""
        goal = self._looks.step(quiet)
        if goal is not None and self._gaze.look(goal) > LARGE:
            self.blinks.occasion(BLINKS_AT["shift"])
        look, follows = self._gaze.step()
        left, right = self.blinks.step()
        calm = 1 - (1 - CALM) * self._calm.step(float(CALMS <= quiet < NOTHING_SAID))
        pitch, yaw, roll = self._swaying.step()
        pitch, yaw, roll = pitch * calm, yaw * calm, roll * calm
        pitch += lean[0] - self.nods.step() * self._style.head
        yaw += lean[1]
        row[_PITCH] += pitch + follows[1]
        row[_YAW] += yaw + follows[0]
        row[_ROLL] += roll + lean[2]
        row[_GAZE_YAW] += look[0] - follows[0] - STEADY * yaw
        row[_GAZE_PITCH] += look[1] - follows[1] - STEADY * pitch - LIDS_FOLLOW * max(left, right)
        row[_LEFT_LID] += left
        row[_RIGHT_LID] += right


class Life:
    """The movements of one line that is spoken; the same character and line move the same each time."""

    def __init__(self, npc: str, line: str, style: Style) -> None:
        chance = chance_of(npc, line, "life")
        self._style = style
        self._chance = split(chance)
        self._body = Body(chance, Speaking(split(chance), style.pace, style.gaze), style)
        self._tick = 0

    def step(self, accents: F32, hushes: list[int]) -> F32:
        """f32[n, 50] to add on the next n ticks, given their accents f32[n] and how long each has been silent.

        Any cutting gives the same.
        """
        rows = []
        for accent, quiet in zip(accents.tolist(), hushes, strict=True):
            row = [0.0] * len(EXP50)
            if quiet == PHRASE_ENDS:
                self._end_phrase()
            fade = min(self._tick / FADE_IN, 1.0)
            self._body.step(row, quiet, (-NOD * accent * fade * self._style.head, 0.0, 0.0))
            for channel, size in _BROWS.items():
                row[channel] += size * accent * fade * self._style.brows
            rows.append(row)
            self._tick += 1
        return np.array(rows, np.float32).reshape(len(rows), len(EXP50))

    def _end_phrase(self) -> None:
        likely, least, most, seconds = PHRASE_NOD
        if self._chance.random() < likely:
            self._body.nods.add(self._chance.uniform(least, most), seconds / self._style.pace)
        self._body.blinks.occasion(BLINKS_AT["phrase"])


def split(chance: Random) -> Random:
    """A source of its own, so that what one movement draws does not change the others."""
    return Random(chance.getrandbits(64))
