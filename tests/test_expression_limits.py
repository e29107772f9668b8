"""Limits: whatever a network says, what leaves is in range, no faster than a face, and lips don't cross."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from npc_engine.expression import limits
from npc_engine.expression.aperture import aperture
from npc_engine.expression.limits import Limiter, ease
from npc_engine.moments import CHANNEL, EXP50

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


def test_a_cut_changes_nothing() -> None:
    said = np.random.default_rng(1).normal(0.2, 0.4, (60, 50)).astype(np.float32)
    whole, parts = Limiter().step(said), Limiter()
    cut = np.vstack([parts.step(said[a:b]) for a, b in ((0, 0), (0, 1), (1, 30), (30, 60))])
    assert np.array_equal(whole, cut)


def test_quick_closures_are_not_late_and_trembling_is_smoothed() -> None:
    closing = Limiter().step(one("jawOpen", [0.1, 0.2, 0.3, 0.2, 0.05, 0.05]))[:, CHANNEL["jawOpen"]]
    assert np.abs(closing - [0.1, 0.2, 0.3, 0.2, 0.05, 0.05]).max() < 1e-6
    tremble = Limiter().step(one("jawOpen", [0.3, 0.31] * 20))[10:, CHANNEL["jawOpen"]]
    assert np.ptp(tremble) < 0.006


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
