"""The streaming mel against librosa, and against itself cut anywhere."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.expression import mel


def speechlike(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(n) / 24_000
    buzz = sum(np.sin(2 * np.pi * 120 * k * t + k) / k for k in range(1, 60))
    return (0.1 * buzz * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t)) + 0.01 * rng.standard_normal(n)).astype(np.float32)


def test_equal_to_librosa() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import librosa
    sound = speechlike(24_000)
    # librosa centres the 600 samples of the window in its 1536; the padding puts their end at (k + 1) * 240
    margin = (mel.N_FFT - mel.WINDOW) // 2
    padded = np.pad(sound, (mel.HELD + margin, margin))
    theirs = librosa.feature.melspectrogram(
        y=padded, sr=24_000, n_fft=1536, win_length=600, hop_length=240, center=False, n_mels=80, fmin=0, fmax=8000
    )
    theirs = (np.log(theirs.T + mel.FLOOR) - mel.CENTRE) / mel.SPREAD
    ours, _ = mel.step(sound, mel.start())
    assert ours.shape == (100, 80)
    assert np.abs(ours - theirs[:100]).max() < 1e-4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=20))
def test_any_cut_gives_the_same_rows(cuts: list[int]) -> None:
    sound = speechlike(sum(cuts))
    whole, end = mel.step(sound, mel.start())
    state, rows, at = mel.start(), [], 0
    for n in cuts:
        row, state = mel.step(sound[at : at + n], state)
        rows.append(row)
        at += n
    assert np.abs(np.concatenate(rows) - whole).max(initial=0) < 1e-5
    assert np.array_equal(state, end)
    assert len(whole) == sum(cuts) // 240


def test_a_row_hears_nothing_after_its_end() -> None:
    sound = speechlike(4800)
    changed = sound.copy()
    changed[2400:] = 0.5
    before, _ = mel.step(sound, mel.start())
    after, _ = mel.step(changed, mel.start())
    assert np.array_equal(before[:10], after[:10])
    assert np.abs(before[10] - after[10]).max() > 0.01


def test_silence_is_flat() -> None:
    rows, _ = mel.step(np.zeros(2400, np.float32), mel.start())
    assert np.ptp(rows) == 0


def test_many_lines_step_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    sounds = (0.1 * rng.standard_normal((5, 1700))).astype(np.float32)
    states, parts, at = np.stack([mel.start()] * 5), [], 0
    for samples in (480, 100, 620, 500):
        rows, states = mel.step(sounds[:, at : at + samples], states)
        parts.append(rows)
        at += samples
    together = np.concatenate(parts, axis=1)
    assert together.shape == (5, 1700 // mel.HOP, mel.BANDS)
    for line, sound in zip(together, sounds, strict=True):
        assert np.abs(line - mel.step(sound, mel.start())[0]).max() < 1e-6
