"""Live sound of any rate comes to 24 kHz: the same however it is cut, as late as is told, and without aliases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.live.resample import Resampler, delay

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def resampled(sound: np.ndarray, rate: int, cuts: list[int] | None = None) -> np.ndarray:
    resampler = Resampler(rate)
    return np.concatenate([*map(resampler.push, np.split(sound, sorted(cuts or []))), resampler.end()])


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.square(sound).mean() + 1e-20))


@settings(max_examples=60, deadline=None)
@given(rate=st.one_of(st.sampled_from(RATES), st.integers(8_000, 48_000)), cuts=st.lists(st.integers(0, 4_000)))
def test_any_cutting_gives_the_same_samples(rate: int, cuts: list[int]) -> None:
    sound = np.random.default_rng(rate).uniform(-1, 1, 4_000).astype(np.float32)
    assert np.array_equal(resampled(sound, rate, cuts), resampled(sound, rate))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [100, 1_000, 3_000])
def test_a_tone_comes_out_as_it_is_at_the_delay_that_is_told(rate: int, hertz: float) -> None:
    out = resampled(tone(hertz, rate), rate)
    wanted = np.sin(2 * np.pi * hertz * (np.arange(len(out)) - delay(rate)) / 24_000)
    assert len(out) == -(-round(rate / 2) * 24_000 // rate) + delay(rate)
    assert np.abs(out - wanted)[400 : 12_000 - 400].max() < 1e-3
    assert delay(rate) <= 80, "80 samples are 3.3 ms"


def test_sound_of_24_khz_passes_untouched_and_at_once() -> None:
    sound = tone(440, 24_000)
    assert Resampler(24_000).push(sound) is sound
    assert delay(24_000) == 0


@pytest.mark.parametrize("rate", [8_000, 16_000, 32_000, 44_100, 48_000])
def test_twenty_milliseconds_give_twenty_milliseconds_at_once(rate: int) -> None:
    resampler = Resampler(rate)
    assert [len(resampler.push(tone(300, rate, 0.02))) for _ in range(5)] == [480] * 5


@pytest.mark.parametrize(("rate", "hertz"), [(32_000, 12_100), (44_100, 15_000), (44_100, 21_000), (48_000, 12_100)])
def test_what_is_too_high_for_24_khz_is_gone(rate: int, hertz: float) -> None:
    out = resampled(tone(hertz, rate), rate)[400:-400]
    assert level_db(out) - level_db(tone(hertz, rate)) < -60


@pytest.mark.parametrize(("rate", "hertz"), [(8_000, 3_200), (8_000, 3_900), (11_025, 4_400), (16_000, 6_500)])
def test_nothing_is_heard_above_what_the_old_rate_had(rate: int, hertz: float) -> None:
    out = resampled(tone(hertz, rate), rate)[400:-400]
    spectrum = np.abs(np.fft.rfft(out * np.blackman(len(out)))) ** 2
    whole = np.abs(np.fft.rfft(tone(1_000, 24_000)[: len(out)] * np.blackman(len(out)))) ** 2
    image = np.fft.rfftfreq(len(out), 1 / 24_000) > rate / 2
    assert 10 * np.log10(spectrum[image].max() / whole.max()) < -60


@pytest.mark.parametrize("rate", [7_999, 48_001, 0])
def test_rates_that_are_none_of_speech_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=f"rate is {rate}, expected 8000 to 48000"):
        Resampler(rate)
