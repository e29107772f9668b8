"""The training data: what is spoken, what is held out, how sound is damaged, what a shard holds."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

try:
    import librosa  # noqa: F401
    import soundfile
    import tqdm  # noqa: F401
except ImportError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"training needs the extra 'train': {missing}", allow_module_level=True)

import itertools

from npc_engine.expression import mel
from npc_engine.moments import Phone
from training import takes
from training.augment import damaged, rooms
from training.data import HUMAN, STILL, build, load, rows
from training.mel_augment import augmented, logs, powers
from training.takes import Amounts, held_out, held_out_takes, plan, read, record
from training.teacher import teach
from training.voices import HELD_OUT_FLITE, HELD_OUT_PITCH, HELD_OUT_STYLES

FEW = Amounts(hibari=1, flite=0, kokoro_en=0, kokoro_zh=0, kokoro_ja=0)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(f"Sentence {i} is about the number {i}." for i in range(120)), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "augment"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    soundfile.write(folder / "noise1.wav", 0.1 * rng.standard_normal(24_000), 24_000)
    soundfile.write(folder / "rir1.wav", np.exp(-np.arange(6000) / 900) * rng.standard_normal(6000), 24_000)
    return folder.parent


def test_the_plan_is_the_same_each_time_and_trains_on_nothing_that_is_held_out(text: Path) -> None:
    jobs = [job for shard in plan(text, Amounts()).values() for job in shard]
    assert jobs == [job for shard in plan(text, Amounts()).values() for job in shard]
    assert len({job.id for job in jobs}) == len(jobs)
    training, tests = [j for j in jobs if not j.held], [j for j in jobs if j.held]
    assert not {j.text for j in training if j.language[:2] == "en"} & {j.text for j in tests}
    assert not any(held_out(j.text) for j in training)
    for job in training:
        assert job.voice not in HELD_OUT_FLITE
        assert not HELD_OUT_STYLES & set(job.spec.get("blend", {}))
        if job.engine == "hibari":
            assert not any(low < job.spec["pitch"] < high for low, high in HELD_OUT_PITCH)
    assert {j.language for j in training} == {"en-US", "en-GB", "zh", "ja"}
    assert {j.engine for j in tests if j.held == "voice"} == {"hibari", "flite", "kokoro"}
    assert 0.25 < sum(j.emotion != "neutral" for j in training if j.engine == "hibari") / 2600 < 0.55


def test_takes_are_recorded_once_taught_and_told_in_a_manifest(
    text: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes, "TEST_SENTENCES", 0)
    out = tmp_path / "takes"
    record(text, out, replace(FEW, hibari=2), processes=1)
    (path,) = out.glob("hibari-*.npz")
    first, second = read(path)
    assert first.text != second.text
    assert first.phones[0].symbol == "sil"
    assert first.phones[-1].end <= len(first.sound)
    written = path.stat().st_mtime_ns
    record(text, out, replace(FEW, hibari=2), processes=1)
    assert path.stat().st_mtime_ns == written, "what is there is not spoken again"
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert told["takes"] == 2
    assert abs(told["seconds"] - (len(first.sound) + len(second.sound)) / 24_000) < 1
    assert set(told["engine"]) == {"hibari"}
    with pytest.raises(FileNotFoundError, match="holds no test-"):
        held_out_takes(out)

    with pytest.raises(FileNotFoundError):
        build(out, data / "nowhere", tmp_path / "none", 1)
    monkeypatch.setattr("training.data.STILL_CLIPS", 3)
    monkeypatch.setattr("training.facegood.TRAINING", ())
    build(out, data, tmp_path / "shards", 1)
    shards = load(tmp_path / "shards")
    ticks = sum(len(t.sound) // 480 for t in (first, second))
    assert (shards["kind"] != STILL).sum() == ticks
    assert (shards["kind"] != HUMAN).all()
    assert len(shards["begins"]) == 5
    spoken = shards["kind"] != STILL
    assert shards["exp"][~spoken].max() == 0
    assert np.corrcoef(shards["mel"][spoken].mean(1), shards["damaged"][spoken].mean(1))[0, 1] > 0.6


def test_flite_tells_the_end_of_every_phone() -> None:
    from training.voices import Job, Speakers

    if shutil.which("flite") is None and not os.environ.get("CI"):
        pytest.skip("flite is not installed: apt-get install flite")
    job = Job("x", "flite", "slt", "en-US", "Big maps.", {"duration_stretch": 1.2})
    sound, phones = Speakers().speak(job)
    assert [p.symbol for p in phones] == ["sil", "b", "ɪ", "ɡ", "m", "æ", "p", "s", "sil"]
    assert all(a.end == b.start for a, b in itertools.pairwise(phones))
    assert abs(phones[-1].end - len(sound)) < 2400
    vowel = phones[5]
    middle, closed = (vowel.start + vowel.end) // 2, (phones[6].start + phones[6].end) // 2
    assert np.abs(sound[middle - 240 : middle + 240]).max() > 5 * np.abs(sound[closed - 240 : closed]).max()


def test_damaged_sound_stays_in_step_and_in_range(data: Path) -> None:
    place = rooms(data / "augment")
    rng = np.random.default_rng(3)
    speech = (np.repeat(rng.random(50) > 0.5, 960) * rng.standard_normal(48_000) * 0.1).astype(np.float32)
    level = rows(speech).mean(1)
    for seed in range(12):
        heard = damaged(speech, place, np.random.default_rng(seed))
        assert heard.shape == speech.shape
        assert np.abs(heard).max() <= 1
        scores = [np.corrcoef(np.roll(level, lag)[5:-5], rows(heard).mean(1)[5:-5])[0, 1] for lag in range(-3, 4)]
        assert int(np.argmax(scores)) - 3 in (-1, 0, 1), seed


def test_mel_survives_its_powers_and_augmentation_stays_finite() -> None:
    rng = np.random.default_rng(0)
    heard, _ = mel.step((0.1 * rng.standard_normal(24_000)).astype(np.float32), mel.start())
    assert np.abs(logs(powers(heard)) - heard).max() < 1e-3
    for seed in range(40):
        out = augmented(heard, powers(heard), np.random.default_rng(seed))
        assert out.shape == heard.shape
        assert np.isfinite(out).all()
        assert np.abs(out).max() < 4


def test_mandarin_and_japanese_have_tables_of_their_own() -> None:
    sound = np.zeros(24_000, np.float32)

    def shape(symbol: str, language: str, name: str) -> float:
        from npc_engine.moments import CHANNEL

        phones = [Phone("sil", 0, 4800), Phone(symbol, 4800, 12_000), Phone("sil", 12_000, 24_000)]
        return float(teach(sound, phones, language=language).exp[17, CHANNEL[name]])

    assert shape("y", "zh", "mouthPucker") > 0.35
    assert shape("ɯ", "ja", "mouthPucker") < 0.6 * shape("u", "en-US", "mouthPucker")
    assert shape("ɕ", "zh", "mouthSmileLeft") > 0.05 > shape("ʂ", "zh", "mouthSmileLeft")
    assert shape("ɸ", "ja", "mouthRollLower") < 0.1 < shape("f", "ja", "mouthRollLower")
    with pytest.raises(ValueError, match="language 'fi' has no phone table, expected one of en, zh, ja"):
        teach(sound, [], language="fi")
    with pytest.raises(ValueError, match="phone 'ʂ' has no target in en-US"):
        shape("ʂ", "en-US", "jawOpen")


def test_american_r_coloured_vowels_are_one_sound() -> None:
    from npc_engine.expression.window import VISEMES

    phones = [Phone("sil", 0, 4800), Phone("ɜ", 4800, 9600), Phone("ɹ", 9600, 12_000), Phone("sil", 12_000, 24_000)]
    said = teach(np.zeros(24_000, np.float32), phones, language="en-US").visemes
    british = teach(np.zeros(24_000, np.float32), phones, language="en-GB").visemes
    assert VISEMES[said[14]] == "RR"
    assert VISEMES[british[14]] == "E"


def test_brows_rise_in_a_question_and_the_head_goes_down_after_a_statement() -> None:
    from npc_engine.moments import CHANNEL

    def asked(first: float, last: float) -> np.ndarray:
        hz = np.concatenate([np.full(24_000, 150.0), np.linspace(first, last, 12_000), np.zeros(12_000)])
        sound = 0.3 * np.sign(np.sin(2 * np.pi * np.cumsum(hz) / 24_000)) * (hz > 0)
        phones = [Phone("sil", 0, 480), Phone("ɑ", 480, 36_000), Phone("sil", 36_000, 48_000)]
        return teach(sound.astype(np.float32), phones).exp

    question, statement = asked(150, 260), asked(150, 110)
    brow, pitch = CHANNEL["browInnerUp"], CHANNEL["headPitch"]
    assert question[60:80, brow].max() > statement[60:80, brow].max() + 0.1
    assert statement[60:80, pitch].min() < -0.008
