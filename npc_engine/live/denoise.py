"""Takes noise out of live sound as it comes, 10 ms late: short-time spectra under a gain that follows the noise.

The noise's power is tracked by how likely speech is in each bin (Gerkmann and Hendriks, "Unbiased MMSE-based noise
power estimation with low complexity and low tracking delay", 2012); the gain is Ephraim and Malah's of the logarithmic
amplitude (1985), its signal-to-noise ratio estimated by their decision-directed rule (1984).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import Sound

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

WINDOW: Final = 480  # samples of a spectrum: 20 ms
HOP: Final = 240
DELAY: Final = WINDOW - HOP  # samples by which the sound comes out late
LEAST_GAIN: Final = 10 ** (-15 / 20)  # noise is turned down, not cut out: cut, what is left of it would warble
SPEECH_RATIO: Final = 10 ** (15 / 10)  # over noise, of a bin in which there is speech (Gerkmann and Hendriks)
SLOW: Final = 0.9  # share of a bin's odds of speech that stays, from spectrum to spectrum
FOLLOWS: Final = 0.8  # share of the noise's power that does
STUCK: Final = 0.99  # mean odds over which a bin may be held for speech for ever
DIRECTED: Final = 0.96  # share of the last spectrum in the ratio's estimate
LEAST_RATIO: Final = 10 ** (-20 / 10)
FIRST: Final = 6  # spectra that begin the estimate: 60 ms, in which a microphone hears the room

_SURE: Final = SPEECH_RATIO / (1 + SPEECH_RATIO)
_SHAPE: Final = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def _tabled() -> tuple[F64, F64]:
    """exp(E1(v) / 2) over log(v): the factor by which the gain of the logarithmic amplitude exceeds Wiener's."""
    fine = np.linspace(np.log(1e-6), np.log(60.0), 20_001)
    v = np.exp(fine)
    # E1(v) = integral of exp(-u) / u from v on = of exp(-u) over log(u), summed from the far end
    slices = 0.5 * (np.exp(-v[1:]) + np.exp(-v[:-1])) * np.diff(fine)
    integral = np.concatenate([np.cumsum(slices[::-1])[::-1], [0.0]])
    return fine[::20], np.exp(0.5 * integral[::20])


_LOG_V, _FACTOR = _tabled()


class Denoiser:
    """One stream of sound at 24 kHz; any cutting of it into pieces gives the same samples, DELAY late."""

    def __init__(self) -> None:
        self._waits: Sound = np.zeros(WINDOW - HOP, np.float32)  # of the next spectrum
        self._rest: Sound = np.zeros(WINDOW - HOP, np.float32)  # of the last one, that the next is added to
        self._seen = 0
        self._noise: F64 = np.zeros(WINDOW // 2 + 1)  # power in each bin
        self._odds: F64 = np.full(WINDOW // 2 + 1, 0.5)
        self._before: F64 = np.zeros(WINDOW // 2 + 1)  # power of the last cleaned spectrum

    def push(self, piece: Sound) -> Sound:
        """The cleaned samples that `piece` f32[n] completes."""
        heard = np.concatenate([self._waits, piece])
        count = (len(heard) - (WINDOW - HOP)) // HOP
        out = np.zeros(count * HOP, np.float32)
        for k in range(count):
            out[k * HOP : (k + 1) * HOP] = self._cleaned(heard[k * HOP : k * HOP + WINDOW])
        self._waits = heard[count * HOP :].copy()
        return out

    def end(self) -> Sound:
        """What is left when the stream has ended: DELAY samples more than have come, in all."""
        left = len(self._waits) - (WINDOW - HOP)  # of a hop that has begun
        return self.push(np.zeros(HOP + (HOP - left) % HOP, np.float32))[: left + DELAY]

    def _cleaned(self, window: Sound) -> Sound:
        """The next HOP samples."""
        spectrum = np.fft.rfft(window * _SHAPE)
        power: F64 = spectrum.real**2 + spectrum.imag**2
        self._follow(power)
        gain = self._gain(power)
        self._before = gain * gain * power
        shaped: F32 = np.fft.irfft(spectrum * gain, WINDOW).astype(np.float32) * _SHAPE
        done: Sound = self._rest + shaped[:HOP]
        self._rest = shaped[HOP:]
        return done

    def _follow(self, power: F64) -> None:
        self._seen += 1
        if self._seen <= FIRST:
            self._noise += (power - self._noise) / self._seen
            return
        likely = 1 / (1 + (1 + SPEECH_RATIO) * np.exp(-np.minimum(power / (self._noise + 1e-12), 200.0) * _SURE))
        self._odds = SLOW * self._odds + (1 - SLOW) * likely
        likely = np.where(self._odds > STUCK, np.minimum(likely, STUCK), likely)
        self._noise = FOLLOWS * self._noise + (1 - FOLLOWS) * (likely * self._noise + (1 - likely) * power)

    def _gain(self, power: F64) -> F64:
        noise = self._noise + 1e-12
        after = np.minimum(power / noise, 1e4)
        ratio = np.maximum(DIRECTED * self._before / noise + (1 - DIRECTED) * np.maximum(after - 1, 0), LEAST_RATIO)
        wiener = ratio / (1 + ratio)
        factor = np.interp(np.log(np.maximum(wiener * after, 1e-6)), _LOG_V, _FACTOR)
        gain: F64 = np.clip(wiener * factor, LEAST_GAIN, 1.0)
        return gain
