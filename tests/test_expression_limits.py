"""Limits: whatever a network says, what leaves is in range, no faster than a face, and lips don't cross."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from npc_engine.expression import limits
from npc_engine.expression.aperture import aperture
from npc_engine.expression.limits import Limiter, Smoother, advance_ticks, delay_ms, ease
from npc_engine.moments import CHANNEL, EXP50, TICK_MS

ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)


def one(name: str, values: list[float]) -> np.ndarray:
    exp = np.zeros((len(values), len(EXP50)), np.float32)
    exp[:, CHANNEL[name]] = values
    return exp


@settings(max_examples=50, deadline=None)
@given(npst.arrays(np.float32, (12, 50), elements=ANY))
def test_anything_in_finite_and_bounded_out(said: np.ndarray) -> None:
    left = Limiter().step(said)
    assert np.isfinite(left).all()
    assert (left >= limits.LOW).all()
    assert (left <= limits.HIGH).all()
    assert (left[:, CHANNEL["mouthClose"]] <= left[:, CHANNEL["jawOpen"]]).all()
    assert (left[:, CHANNEL["mouthRollLower"]] + left[:, CHANNEL["mouthRollUpper"]] <= 1.2 + 1e-6).all()
    assert (left[:, CHANNEL["mouthFunnel"]] + left[:, CHANNEL["mouthPucker"]] <= 1.2 + 1e-6).all()


def test_nothing_moves_faster_than_its_limit() -> None:
    rng = np.random.default_rng(0)
    said = rng.normal(0.3, 1.0, (500, 50)).astype(np.float32)
    moved = np.abs(np.diff(np.vstack([np.zeros((1, 50)), Limiter().step(said)]), axis=0))
    followers = {CHANNEL[n] for n in ("mouthFunnel", "mouthPressLeft", "mouthPressRight", "jawRight")}
    free = [i for i in range(50) if i not in followers]
    assert (moved[:, free] <= limits.SPEED[free] + 1e-6).all()
    assert (moved <= 0.51).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_a_cut_changes_nothing(smoothing: float) -> None:
    said = np.random.default_rng(1).normal(0.2, 0.4, (60, 50)).astype(np.float32)
    whole = Limiter().step(Smoother(smoothing).step(said))
    smoother, limiter = Smoother(smoothing), Limiter()
    cut = np.vstack([limiter.step(smoother.step(said[a:b])) for a, b in ((0, 0), (0, 1), (1, 30), (30, 60))])
    assert np.abs(whole - cut).max() < 1e-6


def test_quick_closures_are_not_late_and_trembling_is_smoothed() -> None:
    wanted = [0.1, 0.2, 0.3, 0.2, 0.05, 0.05]
    closing = Limiter().step(Smoother().step(one("jawOpen", wanted)))[:, CHANNEL["jawOpen"]]
    assert np.abs(closing - wanted).max() < 1e-6
    tremble = Smoother().step(one("jawOpen", [0.3, 0.31] * 20))[10:, CHANNEL["jawOpen"]]
    assert np.ptp(tremble) < 0.006


def test_no_smoothing_is_none_and_more_is_more() -> None:
    rng = np.random.default_rng(2)
    jaw = 0.3 + 0.1 * np.sin(np.arange(200) * 0.15) + rng.normal(0, 0.008, 200)
    said = one("jawOpen", jaw.tolist())
    assert np.array_equal(Smoother(0.0).step(said), said)
    restless = [float(np.abs(np.diff(Smoother(s).step(said)[50:, 0], n=2)).mean()) for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert restless == sorted(restless, reverse=True)
    assert restless[-1] < 0.4 * restless[0]


def lag_ms(late: np.ndarray, curve: np.ndarray) -> float:
    """By how much `late` follows `curve`, both of one slow sine: from their phases."""
    wave = np.exp(-2j * np.pi * np.arange(len(curve)) * HERTZ * TICK_MS / 1000)
    turn = np.angle((curve * wave).sum() / (late * wave).sum())
    return float(turn / (2 * np.pi * HERTZ) * 1000)


HERTZ = 0.5


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_the_delay_is_the_declared_one_and_whole_ticks_of_it_are_read_ahead(smoothing: float) -> None:
    ticks = np.arange(1100)
    curve = 0.3 + 0.03 * np.sin(2 * np.pi * HERTZ * ticks * TICK_MS / 1000)  # slower than what stirs
    moved = Limiter().step(Smoother(smoothing).step(one("jawOpen", curve.tolist())))[:, CHANNEL["jawOpen"]]
    late = lag_ms(moved[100:], curve[100:])
    assert abs(late - delay_ms(smoothing)) < 4
    early = moved[100 + advance_ticks(smoothing) :]
    assert -4 < lag_ms(early[:1000], curve[100 : 100 + len(early[:1000])]) < TICK_MS


def test_a_jaw_that_comes_up_too_slowly_is_made_up_for_by_the_lips() -> None:
    said = one("jawOpen", [0.7] * 8 + [0.15] * 6)
    said[8:, CHANNEL["mouthClose"]] = 0.15
    seal = np.array([0] * 8 + [1] * 6, np.float32)
    left = Limiter().step(said, seal)
    shut = aperture(left)
    assert shut[10] < 0.10
    assert shut[11:].max() <= 1e-6


def test_lips_that_meet_still_meet_at_every_opening_of_the_jaw() -> None:
    for jaw in (0.0, 0.1, 0.4, 1.0):
        exp = one("jawOpen", [jaw] * 20)
        exp[:, CHANNEL["mouthClose"]] = 1.0
        assert aperture(Limiter().step(exp)).max() <= 1e-6


@given(ticks=st.integers(0, 12))
def test_ease_leads_to_neutral(ticks: int) -> None:
    begin = np.linspace(-0.1, 1, 50).astype(np.float32)
    left = ease(begin, ticks)
    assert left.shape == (ticks, 50)
    assert left.dtype == np.float32
    if ticks:
        assert not left[-1].any()
        assert (np.abs(np.diff(np.vstack([begin, left]), axis=0)) <= np.abs(begin) * 1.6 / ticks + 1e-6).all()
