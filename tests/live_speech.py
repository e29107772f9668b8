"""Speech of a shipped voice as a microphone would give it: at any rate, with noise, with pauses."""

import functools

import numpy as np

from npc_engine.cast import VoiceSpec
from npc_engine.moments import TICK_SAMPLES, Line
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice

TEXT = "Have you ever climbed the mountain behind our village?"


@functools.cache
def spoken(text: str = TEXT) -> np.ndarray:
    """A line in whole ticks, f32[n] of 24 kHz whose values are those of PCM16, without silence around it."""
    spec = VoiceSpec("hibari")
    chunks = CastVoice(HibariEngine(HibariModel(), spec, "test"), spec, "test").speak(Line("l", "n", text))
    sound = np.concatenate([chunk.samples for chunk in chunks])
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    sound = sound[loud[0] : loud[-1]]
    sound = sound[: len(sound) // TICK_SAMPLES * TICK_SAMPLES]
    return (np.rint(sound * 32767) / 32767).astype(np.float32)


def silence(ms: int) -> np.ndarray:
    return np.zeros(24 * ms, np.float32)


def noisy(sound: np.ndarray, level_db: float) -> np.ndarray:
    """With the hiss of a room; `level_db` of full scale."""
    hiss = np.random.default_rng(7).standard_normal(len(sound)) * 10 ** (level_db / 20)
    return np.clip(sound + hiss, -1, 1).astype(np.float32)


def at_rate(sound: np.ndarray, rate: int) -> np.ndarray:
    """Whole ticks of 24 kHz at another rate, by way of their spectrum."""
    samples = len(sound) * rate // 24_000
    spectrum = np.fft.rfft(sound)[: samples // 2 + 1]
    wide = np.zeros(samples // 2 + 1, np.complex128)
    wide[: len(spectrum)] = spectrum
    return (np.fft.irfft(wide, samples) * rate / 24_000).astype(np.float32)


def packets(sound: np.ndarray, rate: int = 24_000) -> list[np.ndarray]:
    """20 ms each."""
    size = rate // 50
    return [sound[at : at + size] for at in range(0, len(sound), size)]
