"""By what factors a designed voice's pitch and formants are moved, found from its sound alone.

The voice and the same voice undesigned say the same text and so the same phones; pitch is compared phone by phone.
The smooth spectral envelope in the middle of each voiced phone is taken of both, and the formant factor is that which,
stretching the frequency axis of the one, makes it most like the other: no peak is picked, so none can be missed or
taken for its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from npc_engine.commands.voices_speech import Spoken, pitches
from npc_engine.moments import SAMPLE_RATE, Phone

VOICED = "aeiouɑæʌɔəɛɜɪʊɐᵻɒAIWOYyøɨɯɤʉlmnŋɹrwj"
WINDOW = SAMPLE_RATE * 40 // 1000
PITCH_WINDOW = SAMPLE_RATE * 60 // 1000
FFT = 2048
SMOOTH = 48  # cepstral coefficients: 2 ms, shorter than a period at 400 Hz
LOW, HIGH = 250.0, 4_500.0  # Hz of the designed voice
FACTORS = np.exp(np.arange(np.log(0.5), np.log(1.7), 0.005))


def factors(designed: Iterable[Spoken], plain: Iterable[Spoken]) -> tuple[float, float, int]:
    """Pitch and formant factor of `designed` over `plain`, lines of the same texts, and how many phones tell."""
    ours, theirs, steps = [], [], []
    for a, b in zip(designed, plain, strict=True):
        if [p.symbol for p in a.phones] != [p.symbol for p in b.phones]:
            continue
        for p, q in zip(a.phones, b.phones, strict=True):
            if p.symbol[0] not in VOICED:
                continue
            if (own := middle(a, p)) is not None and (other := middle(b, q)) is not None:
                ours.append(own)
                theirs.append(other)
            if (high := pitch(a, p)) and (low := pitch(b, q)):
                steps.append(high / low)
    if not ours or not steps:
        return float("nan"), float("nan"), 0
    own, other = envelopes(np.array(ours)), envelopes(np.array(theirs))
    hertz = np.linspace(LOW, HIGH, 200)
    bins = hertz * FFT / SAMPLE_RATE
    read = _centred(_at(own, bins))
    alike = np.array([np.mean(np.sum(read * _centred(_at(other, bins / f)), axis=1)) for f in FACTORS])
    best = int(np.clip(np.argmax(alike), 1, len(FACTORS) - 2))
    left, top, right = alike[best - 1 : best + 2]
    shift = 0.5 * (left - right) / (left - 2 * top + right)
    return float(np.median(steps)), float(FACTORS[best] * np.exp(0.005 * shift)), len(ours)


def pitch(line: Spoken, phone: Phone) -> float:
    """Hz in the middle of a phone; 0 where none is heard."""
    middle_at = (phone.start + phone.end) // 2
    found = pitches(line.sound[max(middle_at - PITCH_WINDOW // 2, 0) :][:PITCH_WINDOW])
    return float(found[0]) if len(found) else 0.0


def middle(line: Spoken, phone: Phone) -> npt.NDArray[np.float64] | None:
    """The 40 ms in the middle of a phone; None where it is shorter than that, or at the edge of the line."""
    begin = (phone.start + phone.end - WINDOW) // 2
    if phone.end - phone.start < WINDOW or begin < 0 or begin + WINDOW > len(line.sound):
        return None
    return line.sound[begin : begin + WINDOW].astype(np.float64)


def envelopes(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log envelopes f64[n, FFT / 2 + 1] over the harmonics ("true envelope", Röbel and Rodet 2005)."""
    spectrum = np.log(np.abs(np.fft.rfft(frames * np.hanning(WINDOW), FFT)) + 1e-7)
    shape = spectrum
    for _ in range(40):
        cepstrum = np.fft.irfft(np.maximum(spectrum, shape))
        cepstrum[:, SMOOTH : FFT - SMOOTH + 1] = 0
        shape = np.fft.rfft(cepstrum).real
    return shape


def _at(shape: npt.NDArray[np.float64], bins: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    low = bins.astype(int)
    part = bins - low
    return shape[:, low] * (1 - part) + shape[:, low + 1] * part


def _centred(shape: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Without mean and tilt, of length 1: what is left are the peaks."""
    line = np.linspace(-1, 1, shape.shape[1])
    shape = shape - shape.mean(axis=1, keepdims=True)
    shape = shape - (shape @ line / (line @ line))[:, None] * line
    return shape / np.linalg.norm(shape, axis=1, keepdims=True)
