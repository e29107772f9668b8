"""Files that `say` writes: what goes in comes out, in step, and a failed one leaves nothing behind."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cli import main
from npc_engine.files.writer import Discarding, FileError, writer_for
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_SAMPLES, Line, Mark, Moment, Picture, Word
from npc_engine.retarget.targets import TARGETS

SIZE = 128
FLASHES = (25, 60, 101)  # ticks at which a click sounds and the picture turns white


def moments(ticks=120, every=2):
    line = Line("t", "smith", "tick tock")
    for tick in range(ticks):
        sound = np.zeros(TICK_SAMPLES, np.float32)
        exp = np.zeros(50, np.float32)
        exp[0] = (tick % 50) / 100
        exp[47:50] = 0.1, -0.2, 0.05
        lit = any(f - f % every <= tick < f - f % every + 2 * every for f in FLASHES)
        if tick in FLASHES:
            sound[:] = 0.8 * np.sin(np.arange(TICK_SAMPLES) * 0.4)
        picture = Picture(tick, np.full((SIZE, SIZE, 3), 255 if lit else 0, np.uint8)) if tick % every == 0 else None
        words = (Word("tick", 0, 4800, 0, 4),) if tick == 0 else ()
        marks = (Mark("now", 3 * TICK_SAMPLES),) if tick == 3 else ()
        yield Moment(line, tick, sound, exp, picture, words, marks)


def write(path: Path, every=2, **kw):
    with Discarding(writer_for(path, size=SIZE, every=every), path) as writer:
        for moment in moments(every=every, **kw):
            writer.add(moment)
    return path


def test_wav_holds_every_sample(tmp_path):
    path = write(tmp_path / "a.wav")
    with wave.open(str(path)) as f:
        assert (f.getframerate(), f.getnchannels(), f.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        got = np.frombuffer(f.readframes(f.getnframes()), "<i2") / 32767
    expected = np.concatenate([m.sound for m in moments()])
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() < 1e-4


def test_json_and_npz_hold_curves_and_words(tmp_path):
    expected = np.stack([m.exp for m in moments()])
    table = json.loads(write(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert table["names"] == list(EXP50)
    assert table["text"] == "tick tock"
    assert table["words"] == [{"text": "tick", "start": 0, "end": 4800, "first": 0, "last": 4}]
    assert table["marks"] == [{"name": "now", "start": 3 * TICK_SAMPLES}]
    assert (table["emotion"], table["strength"]) == ("neutral", 1.0)
    assert np.allclose(np.array(table["exp"]), expected, atol=1e-4)
    with np.load(write(tmp_path / "a.npz")) as arrays:
        assert np.array_equal(arrays["exp"], expected)
        assert arrays["sound"].shape == (120 * TICK_SAMPLES,)
        assert list(arrays["names"]) == list(EXP50)


@pytest.mark.parametrize("channels", ["arkit52", "visemes15", "vrm"])
def test_json_and_npz_hold_the_channels_asked_for(tmp_path, channels):
    exps = np.stack([m.exp for m in moments()])
    target = TARGETS[channels]
    expected = target.of(exps)
    assert expected.max() > 0.3
    for ending in ("json", "npz", "NPZ"):
        path = tmp_path / f"a.{ending}"
        with Discarding(writer_for(path, size=SIZE, every=2, channels=channels), path) as writer:
            for moment in moments():
                writer.add(moment)
    table = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (table["channels"], table["names"]) == (channels, list(target.names))
    assert table["head_names"] == ["headPitch", "headYaw", "headRoll"]
    assert "exp" not in table
    assert np.allclose(table["weights"], expected, atol=1e-4)
    assert np.allclose(table["head"], exps[:, 47:50], atol=1e-4)
    for ending in ("npz", "NPZ"):
        with np.load(tmp_path / f"a.{ending}") as arrays:
            assert np.array_equal(arrays["weights"], expected)
            assert np.array_equal(arrays["head"], exps[:, 47:50])
            assert arrays["sound"].shape == (120 * TICK_SAMPLES,)
            assert (str(arrays["channels"]), list(arrays["names"])) == (channels, list(target.names))


def test_say_writes_the_channels_asked_for(tmp_path, capsys):
    out = tmp_path / "a.json"
    assert main(["say", "Mind the step!", "--voice", "man", "--out", str(out), "--channels", "visemes15"]) == 0
    table = json.loads(out.read_text(encoding="utf-8"))
    shown = {table["names"][int(np.argmax(row))] for row in table["weights"]}
    assert {"sil", "PP"} < shown
    assert table["weights"][-1][0] == 1
    wav = tmp_path / "a.wav"
    assert main(["say", "Hi.", "--voice", "man", "--out", str(wav), "--channels", "vrm"]) == 2
    assert "--channels vrm is for .json and .npz files: add --out FILE.json" in capsys.readouterr().err
    assert not wav.exists()


@pytest.mark.parametrize("every", [1, 2])
def test_mp4_keeps_click_and_flash_together(tmp_path, every):
    av = pytest.importorskip("av")
    path = write(tmp_path / "a.mp4", every=every)
    with av.open(str(path)) as file:
        times, light = [], []
        for frame in file.decode(video=0):
            times.append(float(frame.time))
            light.append(frame.to_ndarray(format="gray").mean())
    with av.open(str(path)) as file:
        sound, begins = [], None
        for frame in file.decode(audio=0):
            begins = float(frame.time) if begins is None else begins
            sound.append(frame.to_ndarray()[0])
    sound = np.concatenate(sound)
    assert times[0] == pytest.approx(0, abs=1e-6)
    assert abs(begins - times[0]) <= 0.02
    on = [t for before, now, t in zip(light, light[1:], times[1:], strict=False) if before < 64 <= now]
    loud = np.abs(sound) > 0.3
    clicks = [begins + i / SAMPLE_RATE for i in np.flatnonzero(loud) if not loud[max(0, i - 2400) : i].any()]
    assert len(on) == len(clicks) == len(FLASHES)
    for flash, click, tick in zip(on, clicks, FLASHES, strict=True):
        assert flash == pytest.approx((tick - tick % every) * 0.02, abs=1e-3)
        assert click == pytest.approx(tick * 0.02, abs=0.004)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_sheet_shows_frames_and_curves(tmp_path, ending):
    pytest.importorskip("matplotlib")
    import cv2

    picture = cv2.imread(str(write(tmp_path / f"a.{ending}")))
    assert picture.shape[1] > 1200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


def test_an_error_on_the_way_leaves_no_half_file(tmp_path):
    path = tmp_path / "a.wav"

    def broken():
        yield next(moments())
        raise RuntimeError("voice broke")

    def speak():
        with Discarding(writer_for(path, size=64, every=2), path) as writer:
            for moment in broken():
                writer.add(moment)

    with pytest.raises(RuntimeError, match="voice broke"):
        speak()
    assert not path.exists()


def test_unknown_ending_and_missing_folder_are_named(tmp_path):
    with pytest.raises(FileError, match=r"unknown file ending '\.avi', expected one of \.mp4 \.wav \.json"):
        writer_for(tmp_path / "a.avi", size=64, every=2)
    with pytest.raises(FileError, match="no such folder"):
        writer_for(tmp_path / "no" / "a.wav", size=64, every=2)
