"""Settings of a character: what npcs.toml says reaches its face, and what it says wrongly is named."""

from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import Cast, CastError
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.limits import DEFAULT_SMOOTHING
from npc_engine.expression.settings import Settings
from npc_engine.moments import CHANNEL, TICK_SAMPLES, Line, SpeechChunk
from npc_engine.troupe import Troupe

JAW = CHANNEL["jawOpen"]


def syllables(ticks: int) -> np.ndarray:
    t = np.arange(ticks * TICK_SAMPLES) / 24_000
    buzz = sum(np.sin(2 * np.pi * 110 * k * t) / k * np.exp(-(((110 * k - 700) / 900) ** 2)) for k in range(1, 40))
    return (0.4 * buzz * np.clip(np.sin(2 * np.pi * 4 * t) * 3, 0, 1)).astype(np.float32)


def told(engine: Audio2Exp) -> np.ndarray:
    chunk = SpeechChunk(Line("l", "n", ""), 0, syllables(100))
    return np.stack([e.exp for e in engine.express([chunk])])


def cast(folder: Path, keys: str) -> Cast:
    (folder / "npcs.toml").write_text(f'[smith]\nvoice = "man"\n{keys}\n', encoding="utf-8")
    return Cast.standard(folder)


def test_a_characters_settings_reach_its_face_and_all_share_one_network(tmp_path: Path) -> None:
    troupe = Troupe(cast(tmp_path, 'style = "serious"\nintensity = 0.5\nsmoothing = 1'))
    smith, elder = troupe.npc("smith"), troupe.npc("elder")
    asked = Audio2Exp(style="serious", intensity=0.5, smoothing=1.0)
    assert np.array_equal(told(smith.mouth), told(asked))
    assert np.array_equal(told(elder.mouth), told(Audio2Exp(style="serious")))
    assert troupe.npc("smith").mouth is smith.mouth
    assert smith.mouth._network is elder.mouth._network


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("intensity = 2.5", r"npcs\.toml: \[smith\]: intensity is 2\.5, expected 0\.0 to 2\.0"),
        ("intensity = -1", r"intensity is -1\.0, expected 0\.0 to 2\.0"),
        ("intensity = nan", r"intensity is nan, expected 0\.0 to 2\.0"),
        ("smoothing = 1.1", r"smoothing is 1\.1, expected 0\.0 to 1\.0"),
        ('smoothing = "much"', r"smoothing is 'much' \(str\), expected float"),
        ('style = "livley"', r"style is 'livley', expected one of serious, lively, cartoon, did you mean 'lively'\?"),
        ("smooting = 1", r"unknown key 'smooting', did you mean 'smoothing'\?"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(CastError, match=message):
        cast(tmp_path, keys).npc("smith")


def test_settings_are_checked() -> None:
    assert Settings() == Settings("lively", 1.0, DEFAULT_SMOOTHING)
    for wrong in ({"intensity": 2.1}, {"smoothing": -0.1}, {"intensity": float("nan")}, {"style": "funny"}):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))} is .*, expected"):
            Settings(**wrong)
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))} is .*, expected"):
            Audio2Exp(**wrong)


def test_intensity_moves_the_mouth_more_and_less_and_nothing_else() -> None:
    engine = Audio2Exp()
    usual = told(engine)
    spans = [float(np.ptp(aperture(told(engine.with_settings(Settings(intensity=i)))))) for i in (0.0, 0.5, 1.0, 1.5)]
    assert spans[0] == 0
    assert spans == sorted(spans)
    assert spans[3] > 1.2 * spans[2] > 1.2 * 1.5 * spans[1]
    more = told(engine.with_settings(Settings(intensity=1.5)))
    rest = [i for name, i in CHANNEL.items() if name.startswith(("brow", "eye", "head", "gaze"))]
    assert np.array_equal(usual[:, rest], more[:, rest])


def test_smoothing_calms_the_mouth() -> None:
    engine = Audio2Exp()
    rough, usual, smooth = (
        np.abs(np.diff(told(engine.with_settings(Settings(smoothing=s)))[:-6, JAW], n=2)).mean()
        for s in (0.0, 0.5, 1.0)
    )
    assert smooth < 0.8 * usual
    assert usual <= 1.05 * rough  # a network that hardly trembles leaves little to calm
