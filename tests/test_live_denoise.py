"""Noise is taken out of live sound as it comes: less of it is left, speech stays, any cutting gives the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_expression import syllables

from npc_engine.live.denoise import DELAY, Denoiser

SECONDS = 6
SAMPLES = SECONDS * 24_000


def cleaned(sound: np.ndarray, cuts: list[int] | None = None) -> np.ndarray:
    denoiser = Denoiser()
    return np.concatenate([*map(denoiser.push, np.split(sound, sorted(cuts or []))), denoiser.end()])


def speech() -> np.ndarray:
    """Six seconds: a second of silence, then syllables."""
    said = syllables(SECONDS * 50)[:SAMPLES]
    said[:24_000] = 0
    return said


def noise(kind: str) -> np.ndarray:
    """Of a power of 1: as from a fan, or from a bad microphone."""
    white = np.random.default_rng(5).standard_normal(SAMPLES)
    if kind == "fan":
        spectrum = np.fft.rfft(white)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 300))
        white = np.fft.irfft(spectrum, SAMPLES)
    return (white / white.std()).astype(np.float32)


def snr_db(sound: np.ndarray, clean: np.ndarray) -> float:
    return float(10 * np.log10(np.square(clean).sum() / np.square(sound - clean).sum()))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 9_000), max_size=20))
def test_any_cutting_gives_the_same_samples(cuts: list[int]) -> None:
    sound = (speech()[24_000:33_001] + 0.02 * noise("white")[:9_001]).astype(np.float32)
    assert np.array_equal(cleaned(sound, cuts), cleaned(sound))


@pytest.mark.parametrize("samples", [0, 1, 239, 240, 241, 480, 12_345])
def test_nothing_is_lost_and_all_is_late_by_what_is_told(samples: int) -> None:
    assert len(cleaned(speech()[:samples])) == samples + DELAY


def test_twenty_milliseconds_give_twenty_milliseconds_at_once() -> None:
    denoiser = Denoiser()
    assert [len(denoiser.push(np.zeros(480, np.float32))) for _ in range(4)] == [480] * 4


def test_silence_stays_silence_and_what_leaves_is_finite() -> None:
    assert not cleaned(np.zeros(4_800, np.float32)).any()
    loud = np.sign(noise("white")[:24_000]).astype(np.float32)
    assert np.isfinite(cleaned(loud)).all()


def test_speech_without_noise_passes_nearly_as_it_is() -> None:
    said = speech()
    out = cleaned(said)[DELAY:]
    assert snr_db(out, said) > 15


@pytest.mark.parametrize("kind", ["white", "fan"])
@pytest.mark.parametrize("ratio_db", [10, 0])
def test_less_noise_is_left(kind: str, ratio_db: float) -> None:
    said = speech()
    level = said[24_000:].std() * 10 ** (-ratio_db / 20)
    heard = (said + level * noise(kind)).astype(np.float32)
    out = cleaned(heard)[DELAY:]
    before, after = snr_db(heard, said), snr_db(out, said)
    assert after - before > 3, f"{before:.1f} dB became {after:.1f}"
    quiet = 20 * np.log10(out[12_000:23_000].std() / heard[12_000:23_000].std())
    assert quiet < -10, f"noise alone went down by {-quiet:.1f} dB"
