"""What tests hear in sound: its level, the height of its voice, and how far its formants are from another's."""

import numpy as np

from npc_engine.moments import SAMPLE_RATE

_VOWELS = "AIOWYæɑɔəɛɜɪiuʊʌᵊᵻ"


def level_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12)


def heights(samples):
    """Pitch in Hz of the voiced frames, by normalised autocorrelation."""
    size, hop = 1440, 480
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop].astype(np.float64)
    frames = frames[np.mean(frames**2, axis=1) > 0.05 * np.mean(samples**2)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size)
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 4096)) ** 2)[: size // 2]
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 4096, axis=1)) ** 2, axis=1)[:, : size // 2]
    same /= same[:, :1] * (window / window[0])
    low, high = SAMPLE_RATE // 450, SAMPLE_RATE // 70
    lags = low + np.argmax(same[:, low:high], axis=1)
    strength = same[np.arange(len(lags)), lags]
    return SAMPLE_RATE / lags[strength > 0.8]


def envelopes(samples, phones):
    """Smooth log spectra at the middles of the vowels, f64[vowels, 1025], 0 to 12 kHz."""
    found = []
    for phone in phones:
        if phone.symbol in _VOWELS:
            middle = (phone.start + phone.end) // 2
            frame = samples[middle - 600 : middle + 600].astype(np.float64)
            power = np.abs(np.fft.rfft(frame * np.hanning(1200), 2048)) ** 2
            cepstrum = np.fft.irfft(np.log(power + 1e-10))
            cepstrum[50:-49] = 0  # finer than 480 Hz: harmonics
            found.append(np.fft.rfft(cepstrum).real)
    return np.array(found)


def formant_factor(designed, plain):
    """The factor by which formants of `designed` lie above those of `plain`: where the shapes are most alike.

    Both are `envelopes` of the same words, 250 to 4,500 Hz of them is compared.
    """
    hertz = np.fft.rfftfreq(2048, 1 / SAMPLE_RATE)
    grid = np.geomspace(250, 4500, 300)
    factors = np.exp(np.arange(-0.7, 0.5, 0.005))
    theirs = np.array([np.interp(grid, hertz, e) for e in plain])
    alike = []
    for factor in factors:
        ours = np.array([np.interp(grid * factor, hertz, e) for e in designed])
        alike.append(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs, strict=True)]))
    return factors[int(np.argmax(alike))]
