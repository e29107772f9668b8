"""Figures of an evaluation on curves whose figures are known, and the whole evaluation on two spoken clips."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from npc_engine.cast import VoiceSpec
from npc_engine.expression.network import SHIPPED
from npc_engine.expression.window import BEHIND, VISEMES
from npc_engine.moments import CHANNEL, Line, Phone
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training import evaluate, evaluate_sets
from training.evaluate_sets import Clip, drowned
from training.metrics import Confusion, Lips, lips, match, median_lag, open_level, read_at, stillness, velocity_error
from training.report import plots, table
from training.teacher import teach

TICK = 480
SAID = {"one": "Bob may swim past the old pier.", "two": "Have five fat pigs moved above my farm?"}


def phones(symbols: str, ticks: int = 5) -> tuple[Phone, ...]:
    """Each symbol for 100 ms."""
    names = symbols.split()
    return tuple(Phone(s, i * ticks * TICK, (i + 1) * ticks * TICK) for i, s in enumerate(names))


def curve(*values: float) -> np.ndarray:
    """Each value for 100 ms."""
    return np.repeat(np.array(values, np.float32), 5)


def test_the_open_level_is_the_middle_of_the_open_vowels() -> None:
    said = phones("sil ɑ p æ i ʌ")
    assert open_level([curve(0, 0.4, 0, 0.6, 0.9, 0.5)], [said]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no open vowel in 1 clips"):
        open_level([curve(0, 0.4)], [phones("sil p")])


def test_a_closed_bilabial_is_told_from_an_open_one() -> None:
    said = phones("sil ɑ p ɑ b ɑ sil")
    counted = Lips(0.5)
    counted.add(0, curve(0, 0.5, 0.05, 0.12, 0.07, 0.13, 0), said, curve(0, 0.5, 0, 0.5, 0, 0.5, 0))
    figures = counted.figures()
    assert figures["closure"] == 0.5  # .05 is under 12 % of .5, .07 is not
    assert figures["vowels_open"] == pytest.approx(2 / 3, abs=1e-3)  # .12 is under 25 % of .5
    assert "fv_contact" not in figures
    assert counted.missed == [(0, "ɑ", 0.24), (0, "b", 0.14)]


def test_a_mouth_that_is_always_shut_closes_wrongly() -> None:
    said = phones("sil s ɑ t ɑ k sil")
    shut, open_ = np.zeros(35, np.float32), curve(0, 0.1, 0.5, 0.2, 0.5, 0.2, 0)
    counted = Lips(0.5)
    counted.add(0, shut, said, open_)
    assert counted.figures()["shut_wrongly"] == 1.0
    counted = Lips(0.5)
    counted.add(0, open_, said, open_)
    assert counted.figures()["shut_wrongly"] == 0.0


def test_f_and_v_need_the_lip_at_the_teeth_and_a_mouth_nearly_shut() -> None:
    said = phones("ɑ f ɑ v ɑ f ɑ")
    exp = np.zeros((35, 50), np.float32)
    exp[:, CHANNEL["jawOpen"]] = curve(0.5, 0.06, 0.5, 0.06, 0.5, 0.3, 0.5)
    exp[:, CHANNEL["mouthRollLower"]] = curve(0, 0.4, 0, 0.1, 0, 0.4, 0)  # the v does not bite, the last f is open
    figures = lips([exp], [said], [exp[:, 0]], 0.5)
    assert figures["fv_contact"] == pytest.approx(1 / 3, abs=1e-3)


def test_lag_is_positive_where_the_curve_is_late() -> None:
    true = np.sin(np.arange(200) / 4).astype(np.float32)
    late = np.roll(true, 2)
    assert match([late], [true])["lag_ms"] == 40
    assert match([late], [true])["r_best"] == pytest.approx(1, abs=1e-3)
    assert median_lag([late, late, true], [true, true, true]) == pytest.approx(40, abs=2)
    between = np.sin((np.arange(200) - 0.5) / 4).astype(np.float32)
    assert median_lag([between], [true]) == pytest.approx(10, abs=2)


def test_a_still_mouth_has_all_velocity_error_and_the_teacher_none() -> None:
    true = np.sin(np.arange(100) / 4).astype(np.float32)
    assert velocity_error([true], [true]) == 0
    assert velocity_error([np.zeros_like(true)], [true]) == 1
    assert match([np.zeros_like(true)], [true])["r_best"] == 0


def test_stillness_of_a_mouth_that_twitches() -> None:
    exp = np.zeros((100, 50), np.float32)
    assert stillness([exp]) == {"aperture_mean": 0, "aperture_p99": 0, "jaw_mean": 0, "jaw_p99": 0}
    exp[50:, CHANNEL["jawOpen"]] = 0.2
    assert stillness([exp])["jaw_mean"] == pytest.approx(0.1)
    assert stillness([exp])["aperture_p99"] == pytest.approx(0.2)


@pytest.mark.parametrize("lookahead", [-3, -1, 0, 3, 6])
def test_visemes_are_read_where_the_engine_reads_the_mouth(lookahead: int) -> None:
    # the estimate for tick t, made on tick s, says viseme t % 15 and is surest when it has heard `lookahead` more
    logits = np.zeros((40, 10, 15), np.float32)
    for s in range(40):
        for slot in range(10):
            at = s + slot - BEHIND
            wanted = at % 15 if s - at == lookahead else 0
            logits[s, slot, wanted] = 1
    read = read_at(logits, lookahead)
    inside = slice(max(-lookahead, 0), 40 - max(lookahead, 0))
    assert read[inside].tolist() == (np.arange(40) % 15)[inside].tolist()


def test_accuracy_counts_ticks_and_leaves_unknown_ones_out() -> None:
    counted = Confusion()
    counted.add(np.array([0, 0, 1, 2, 5], np.uint8), np.array([0, 0, 1, 1, 15], np.uint8))
    figures = counted.figures()
    assert figures["accuracy"] == 0.75
    assert figures["accuracy_speaking"] == 0.5
    assert figures["majority"] == 0.5
    assert figures["recall"] == {"sil": 1.0, "PP": 0.5}
    assert counted.counts[1, 2] == 1


def test_noise_lies_at_its_level_under_the_speech() -> None:
    said = phones("sil ɑ sil", 50)
    sound = np.zeros(150 * TICK, np.float32)
    sound[50 * TICK : 100 * TICK] = 0.1
    hum = np.sign(np.sin(np.arange(5000))).astype(np.float32)
    loud = drowned([Clip("a", "b", "en-US", sound, said, teach(sound, said))], [hum], 10)[0].sound
    assert np.sqrt(np.mean(loud[: 50 * TICK] ** 2)) == pytest.approx(0.1 * 10**-0.5, rel=0.01)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> dict:
    """A data folder with two recordings (hibari's), noise, and curves of a face that opens with the sound."""
    folder = tmp_path_factory.mktemp("data")
    spec = VoiceSpec("hibari")
    voice = CastVoice(HibariEngine(HibariModel(), spec, "test"), spec, "test")
    for name in ("mfa_speech", "augment", "facegood"):
        (folder / name).mkdir()
    for name, text in SAID.items():
        chunks = list(voice.speak(Line("1", "anna", text)))
        sound = np.concatenate([c.samples for c in chunks])
        soundfile.write(folder / "mfa_speech" / f"{name}.wav", sound, 24_000)
        (folder / "mfa_speech" / f"{name}.lab").write_text(text, encoding="utf-8")
    rng = np.random.default_rng(1)
    soundfile.write(folder / "augment" / "noise1.wav", 0.1 * rng.standard_normal(24_000), 16_000)
    names = ["mouth_stretch_c", "mouth_oh_c", "mouth_oo_c", "mouth_pucker_l", "mouth_pucker_r"]
    names += [f"mouth_{part}_{side}" for part in ("lipCornerPull", "lipStretch", "lowerLipDepress", "upperLipRaise")
              for side in "lr"]  # fmt: skip
    names += [f"mouth_{part}_{side}" for part in ("funnel", "suck", "press") for side in ("ul", "ur", "dl", "dr")]
    shapes = {"bs_names.npy": np.array(names)}
    for name, text in zip(("3_15", "3_16"), SAID, strict=True):
        shutil.copy(folder / "mfa_speech" / f"{text}.wav", folder / "facegood" / f"{name}.wav")
        sound = soundfile.read(folder / "mfa_speech" / f"{text}.wav")[0]
        frames = np.sqrt(np.mean(sound[: len(sound) // 800 * 800].reshape(-1, 800) ** 2, axis=1))
        shapes[f"bs_{name}.npy"] = np.repeat(np.clip(4 * frames, 0, 1)[:, None], len(names), axis=1)
    for name, array in shapes.items():
        np.save(folder / "facegood" / name, array)
    return {"folder": folder, "cache": tmp_path_factory.mktemp("cache")}


@pytest.mark.slow
def test_the_whole_evaluation_on_two_clips(data, tmp_path) -> None:
    figures = evaluate.evaluate(SHIPPED, data["folder"], data["cache"])
    assert figures["sets"]["recorded"]["clips"] == 2
    assert all("no such file" in why for why in figures["alignment"]["left_out"].values())
    assert 0.3 < figures["viseme_accuracy_recorded"] <= 1
    assert 0.6 < figures["closure"] <= 1
    assert 0.6 < figures["vowels_open"] <= 1
    assert abs(figures["lag_ms"]) <= 40
    assert 0 < figures["ms_per_tick"] < 100
    assert 0.3 < figures["opening_r"] <= 1
    assert figures["still"]["silence"]["aperture_p99"] < 0.05
    assert figures["emotions"]["neutral"]["within_3_points"]
    assert list(figures["sets"]["recorded"]["lookahead"]) == list(evaluate.LOOKAHEADS)
    assert sum(map(sum, figures["sets"]["recorded"]["visemes"]["confusion"])) > 150
    assert len(json.loads((data["cache"] / "alignment.json").read_text(encoding="utf-8"))) == 2
    again = json.loads(json.dumps(figures))  # a record can be written, read and shown
    text = table(again)
    assert "look-ahead 120 ms" in text
    assert all(f" {name} " in text for name in VISEMES)
    plots(again, tmp_path)
    assert (tmp_path / "lookahead.png").stat().st_size > 1000
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_a_recording_whose_words_are_not_in_it_is_left_out_by_name(tmp_path) -> None:
    folder = tmp_path / "mfa_speech"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match="holds no recordings"):
        evaluate_sets.recorded(tmp_path, tmp_path / "alignment.json", 10)
    soundfile.write(folder / "short.wav", np.zeros(2400), 24_000)
    (folder / "short.lab").write_text("a sentence that nobody can say so fast", encoding="utf-8")
    for _ in range(2):  # the second time it is known
        found = evaluate_sets.recorded(tmp_path, tmp_path / "alignment.json", 10)
        assert found.clips == []
        assert "not found in 0.1 s" in found.left_out["short"]
        assert "no such file" in found.left_out["bobby"]
