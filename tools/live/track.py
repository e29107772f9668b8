"""Speech with pauses under noises that nobody was trained on, and what is known of each tick of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npc_engine.moments import SAMPLE_RATE, TICK_SAMPLES
from training.evaluate_sets import Clip, noises
from training.phones import SILENCE
from training.sounds import read

PAUSE_S = 1.5
NEAR, BEFORE = 10, 5  # ticks after speech, and before it, that are neither speech nor pause: 200 and 100 ms
SECONDS = 20  # of a noise that is made, before it repeats


@dataclass(frozen=True)
class Track:
    """Clips with pauses between them."""

    sound: np.ndarray  # f32[n]
    speech: np.ndarray  # bool[ticks]
    pause: np.ndarray  # bool[ticks]
    level: float  # RMS of what is spoken

    def under(self, noise: np.ndarray, snr_db: float) -> np.ndarray:
        """The sound under a noise of RMS 1."""
        hum = np.resize(noise, len(self.sound)) * self.level * 10 ** (-snr_db / 20)
        return np.clip(self.sound + hum, -1, 1).astype(np.float32)


def track(clips: Sequence[Clip]) -> Track:
    """One track of all clips."""
    sounds, said = [], []
    for clip in clips:
        speech = np.zeros(len(clip.sound) // TICK_SAMPLES, bool)
        for phone in clip.phones:
            if phone.symbol != SILENCE:
                speech[round(phone.start / TICK_SAMPLES) : round(phone.end / TICK_SAMPLES)] = True
        gap = round(PAUSE_S * SAMPLE_RATE) // TICK_SAMPLES
        sounds += [clip.sound, np.zeros(gap * TICK_SAMPLES, np.float32)]
        said += [speech, np.zeros(gap, bool)]
    speech = np.concatenate(said)
    sound = np.concatenate(sounds)
    rising = np.arange(len(speech))
    last = np.maximum.accumulate(np.where(speech, rising, -NEAR))
    following = np.minimum.accumulate(np.where(speech, rising, 10**9)[::-1])[::-1]
    pause = (rising - last > NEAR) & (following - rising > BEFORE)
    level = float(np.sqrt(np.square(sound.reshape(-1, TICK_SAMPLES)[speech]).mean()))
    return Track(sound, speech, pause, level)


def kinds(data: Path) -> dict[str, np.ndarray]:
    """Noises of RMS 1 by name; the recorded ones were heard in training, the others are made here."""
    rng = np.random.default_rng(1)
    n = SECONDS * SAMPLE_RATE
    t = np.arange(n) / SAMPLE_RATE
    pink = np.fft.rfft(rng.standard_normal(n))
    pink = _unit(np.fft.irfft(pink / np.sqrt(np.maximum(np.arange(len(pink)), 1)), n))
    fan = pink + sum(0.5 / k * np.sin(2 * np.pi * 97 * k * t + k) for k in range(1, 8))
    keys, music, voices = 0.01 * rng.standard_normal(n), np.zeros(n), np.zeros(n)
    at = 0.1
    while at < SECONDS - 0.2:
        first = int(at * SAMPLE_RATE)
        keys[first : first + 1500] += (
            rng.uniform(0.3, 1) * rng.standard_normal(1500) * np.exp(-np.arange(1500) / rng.uniform(80, 300))
        )
        at += rng.exponential(0.18)
    beat = SAMPLE_RATE // 2
    for first in range(0, n, beat):
        root = 110 * 2 ** (rng.integers(0, 12) / 12)
        for part in (1, 1.25, 1.5, 2):
            for k in range(1, 6):
                music[first : first + beat] += (
                    np.sin(2 * np.pi * root * part * k * t[:beat]) / k * np.exp(-2 * t[:beat])
                )
    for path in sorted((data / "facegood").glob("2_*.wav")):
        voices += _unit(np.resize(read(path), n))
    made = {"fan": fan, "keyboard": keys, "music": music, "five voices": voices}
    return {"recorded": np.concatenate(noises(data)), **{name: _unit(sound) for name, sound in made.items()}}


def _unit(sound: np.ndarray) -> np.ndarray:
    return (sound / np.sqrt(np.square(sound).mean())).astype(np.float32)
