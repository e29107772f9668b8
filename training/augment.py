"""What happens to sound on its way to the engine: level, noise, rooms, narrow bands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from npc_engine.moments import SAMPLE_RATE, Sound
from training.sounds import read


@dataclass(frozen=True)
class Room:
    """Recorded noises and impulse responses, at 24 kHz."""

    noises: tuple[Sound, ...]
    responses: tuple[Sound, ...]

    def noise(self, rng: np.random.Generator, samples: int) -> Sound:
        """`samples` of noise at an RMS of 1: recorded, white, or falling with frequency."""
        if rng.random() < 0.6:
            source = self.noises[rng.integers(len(self.noises))]
            found = np.take(source, np.arange(samples) + rng.integers(len(source)), mode="wrap").astype(np.float64)
        else:
            spectrum = np.fft.rfft(rng.standard_normal(samples))
            spectrum /= np.maximum(np.arange(len(spectrum)), 20.0) ** rng.uniform(0, 1)
            found = np.fft.irfft(spectrum, samples)
        level: Sound = (found / (np.sqrt((found**2).mean()) + 1e-9)).astype(np.float32)
        return level


def rooms(folder: Path) -> Room:
    """The noises and rooms in `folder`."""
    sounds = {kind: tuple(read(path) for path in sorted(folder.glob(f"{kind}*.wav"))) for kind in ("noise", "rir")}
    if not sounds["noise"] or not sounds["rir"]:
        raise FileNotFoundError(f"{folder} holds no noise*.wav and rir*.wav")
    return Room(sounds["noise"], sounds["rir"])


def damaged(sound: Sound, place: Room, rng: np.random.Generator) -> Sound:
    """`sound` as it may arrive, as long as it was and in step with it: rooms, noise, narrow bands, codecs, clipping."""
    out = sound.astype(np.float64)
    if rng.random() < 0.6:
        out = _in_room(out, place.responses[rng.integers(len(place.responses))], rng.uniform(0.2, 0.8))
    if rng.random() < 0.5:
        level = np.sqrt((out**2).mean()) * 10 ** (-rng.uniform(5, 30) / 20)
        out = out + level * place.noise(rng, len(out))
    if rng.random() < 0.35:
        out = _banded(out, rng)
    if rng.random() < 0.2:
        out = _telephone(out)
    if rng.random() < 0.15:
        loudest = np.abs(out).max() + 1e-9
        out = np.clip(out, -rng.uniform(0.2, 0.8) * loudest, rng.uniform(0.2, 0.8) * loudest)
    if rng.random() < 0.1:
        out = out + rng.uniform(-0.05, 0.05)
    return np.clip(out, -1, 1).astype(np.float32)


def _in_room(sound: npt.NDArray[np.float64], response: Sound, wetness: float) -> npt.NDArray[np.float64]:
    direct = int(np.abs(response).argmax())
    size = 1 << (len(sound) + len(response)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[direct : direct + len(sound)]
    wet *= np.sqrt((sound**2).mean() / ((wet**2).mean() + 1e-12))
    return (1 - wetness) * sound + wetness * wet


def _banded(sound: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum *= 1 / (1 + (hz / rng.uniform(3200, 9000)) ** 8)
    spectrum *= 1 - 1 / (1 + (hz / rng.uniform(40, 300)) ** 4)
    banded: npt.NDArray[np.float64] = np.fft.irfft(spectrum, len(sound))
    return banded


def _telephone(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """8 kHz, 8-bit mu-law (ITU-T G.711) and back."""
    low = soxr.resample(sound, SAMPLE_RATE, 8000)
    pressed = np.sign(low) * np.log1p(255 * np.minimum(np.abs(low), 1)) / np.log(256)
    steps = np.round(pressed * 127) / 127
    restored = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    back = soxr.resample(restored, 8000, SAMPLE_RATE)[: len(sound)]
    wide: npt.NDArray[np.float64] = np.pad(back, (0, len(sound) - len(back)))
    return wide
