"""Faces by networks that the user owns, with tiny files of the same signatures in the real runtime."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx builds the tiny files: pip install 'npc-engine[train]'")
import tiny_networks
from coefficients import exp

from npc_engine.cast import Cast, CastError, NeuralSpec
from npc_engine.cuda_provider import missing_cuda
from npc_engine.frames.load import load_drawn, load_face, load_portrait, read_landmarks
from npc_engine.frames.neural.crops import FFHQ, FIVE, Paste, crop_matrix
from npc_engine.frames.neural.liveportrait import LivePortrait, rotation
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import CHANNEL, NEUTRAL, Expression, Line, Outputs

ROOT = Path(__file__).parents[1]
SIZE = 256


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_networks.live_portrait(folder)
    tiny_networks.gfpgan(folder, -1.0)
    return folder


@pytest.fixture(scope="module")
def maren():
    return Cast((ROOT,)).face("maren")


def spec_of(maren, models, **neural):
    return replace(maren[0], neural=NeuralSpec(models=str(models), device="cpu", **neural))


@pytest.fixture(scope="module")
def live(maren, models):
    return load_drawn(replace(spec_of(maren, models), engine="liveportrait"), maren[1])


@pytest.fixture(scope="module")
def warp(maren):
    return load_portrait(*maren)


def test_the_picture_around_the_face_is_the_portraits(live, warp):
    drawn, still = live.render(exp(jawOpen=0.6), SIZE), warp.render(NEUTRAL, SIZE)
    share = live._pastes.at(SIZE)._share
    assert share[128, 128] > 0.99
    assert (drawn[share > 0.99] != still[share > 0.99]).mean() > 0.8
    away = share < 0.1
    assert away.any()
    assert np.abs(drawn[away].astype(int) - still[away]).max() <= 26, "a tenth of all there is"


def test_at_rest_the_face_is_where_it_was(live, warp):
    """The tiny generator gives back an eighth of the resolution; placed a pixel aside it would correlate less."""
    drawn, still = (f.render(NEUTRAL, SIZE).astype(float).mean(-1) for f in (live, warp))
    y, x = slice(70, 190), slice(70, 190)
    here = np.corrcoef(drawn[y, x].ravel(), still[y, x].ravel())[0, 1]
    assert here > 0.9
    for dy, dx in ((0, 4), (4, 0), (0, -4), (-4, 0)):
        aside = still[70 + dy : 190 + dy, 70 + dx : 190 + dx]
        assert np.corrcoef(drawn[y, x].ravel(), aside.ravel())[0, 1] < here


def test_what_is_asked_reaches_the_generator(live):
    """The tiny generator darkens by how far the points have moved: more for more of a coefficient."""
    for name in ("jawOpen", "mouthPucker", "eyeBlinkLeft", "browInnerUp"):
        light = [live.render(exp(**{name: w}), SIZE)[80:180, 80:180].mean() for w in (0.0, 0.3, 0.6, 1.0)]
        assert np.all(np.diff(light) < 0), name
    assert (
        live.render(exp(headYaw=0.2), SIZE)[80:180, 80:180].mean() < live.render(NEUTRAL, SIZE)[80:180, 80:180].mean()
    )


def test_one_coefficients_lesson_is_what_the_extractor_saw(live):
    rest, seen = live._seen({}), live._seen({"mouthFunnel": 0.6})
    move = live._moves[CHANNEL["mouthFunnel"]] * 0.6
    assert np.abs(move).max() > 1e-4
    assert np.allclose(rest.expression + move, seen.expression, atol=1e-6)


@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_the_head_turns_the_way_this_extractor_counts(maren, warp, tmp_path, sense):
    tiny_networks.live_portrait(tmp_path, yaw_sense=sense)
    points = read_landmarks(maren[1] / maren[0].landmarks, warp.picture.shape[0])
    live = LivePortrait(warp, points, tmp_path, NeuralSpec(device="cpu"))
    slope = live._seen({"headYaw": 0.12}).angles[1] - live._seen({"headYaw": -0.12}).angles[1]
    assert abs(slope) > 0.5
    assert live._turns[1, 1] == pytest.approx(np.degrees(1.0) * np.sign(slope))


def test_angles_turn_about_fixed_axes():
    assert np.allclose(rotation(np.zeros(3)), np.eye(3))
    assert np.allclose(rotation(np.array([0, 0, 90.0])) @ [1, 0, 0], [0, 1, 0], atol=1e-6)
    assert np.allclose(rotation(np.array([0, 90.0, 0])) @ [0, 0, 1], [1, 0, 0], atol=1e-6)
    assert np.allclose(rotation(np.array([90.0, 0, 0])) @ [0, 1, 0], [0, 0, 1], atol=1e-6)
    both = rotation(np.array([30.0, 0, 0])), rotation(np.array([0, 0, 20.0]))
    assert np.allclose(rotation(np.array([30.0, 0, 20.0])), both[1] @ both[0], atol=1e-6)


def test_a_line_is_drawn_as_by_any_face(live):
    line = Line("1", "maren", "Hello!", outputs=Outputs(picture=128, picture_every=2))
    sound = np.zeros(480, np.float32)
    moments = list(live.draw(Expression(line, t, sound, exp(jawOpen=t / 20)) for t in range(5)))
    assert [m.tick for m in moments if m.picture] == [0, 2, 4]
    assert moments[0].picture.pixels.shape == (128, 128, 3)


def test_lines_at_once_draw_what_one_draws(live):
    alone, wrong = live.render(exp(jawOpen=0.4), 128), []

    def draw():
        wrong.extend(1 for _ in range(4) if (live.render(exp(jawOpen=0.4), 128) != alone).any())

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_restored_pictures_are_the_networks_own_in_the_middle(maren, warp, models):
    restored = load_face(spec_of(maren, models, restore=1.0), maren[1])
    still, drawn = warp.render(NEUTRAL, SIZE).astype(int), restored.render(NEUTRAL, SIZE).astype(int)
    assert (drawn[:8] == still[:8]).all()
    middle = np.s_[120:150, 110:150]  # the tiny restorer turns the picture into its negative
    assert np.abs(255 - still[middle] - drawn[middle]).mean() < 12


def test_poissons_equation_takes_the_light_of_the_picture(maren, warp, tmp_path):
    tiny_networks.gfpgan(tmp_path, 1.0, 0.3)  # a restorer that makes all lighter
    still = warp.render(NEUTRAL, SIZE).astype(int)
    feathered, solved = (
        load_face(spec_of(maren, tmp_path, restore=1.0, blend=b), maren[1]).render(NEUTRAL, SIZE).astype(int)
        for b in ("feather", "poisson")
    )
    middle = np.s_[120:150, 110:150]
    assert (feathered - still)[middle].mean() > 25
    assert abs((solved - still)[middle].mean()) < 8


def test_a_share_of_the_restoration(maren, warp, models):
    half = load_face(spec_of(maren, models, restore=0.5), maren[1]).render(NEUTRAL, SIZE).astype(int)
    assert np.abs(half[120:150, 110:150] - 127).mean() < 8, "half the picture and half its negative"


def test_liveportrait_is_restored_too(maren, live, models):
    both = load_face(replace(spec_of(maren, models, restore=1.0), engine="liveportrait"), maren[1])
    middle = np.s_[120:150, 110:150]
    negative = 255 - live.render(NEUTRAL, SIZE).astype(int)[middle]
    assert np.abs(both.render(NEUTRAL, SIZE).astype(int)[middle] - negative).mean() < 12


def test_transparency_is_kept():
    paste = Paste(np.array([[2.0, 0, 0], [0, 2.0, 0]]), 256, "feather")
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[:, :100, 3] = 255
    out = paste.paste(picture, np.full((512, 512, 3), 200, np.uint8))
    assert (out[..., 3] == picture[..., 3]).all()
    assert (out[128, 128, :3] == 200).all()
    assert not out[0, :, :3].any()


def test_five_points_come_where_the_networks_expect_them(maren):
    points = read_landmarks(maren[1] / maren[0].landmarks, 768)
    matrix = crop_matrix(points)
    placed = points[list(FIVE), :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - FFHQ).max() < 30
    eyes = crop_matrix(points, 1.5)
    assert np.linalg.norm(eyes[:, 0]) == pytest.approx(np.linalg.norm(matrix[:, 0]) / 1.5, rel=0.01)


class TestFaults:
    """What is missing or unlike is named, with what was expected."""

    def load(self, maren, models, **neural):
        return load_face(replace(spec_of(maren, models, **neural), engine="liveportrait"), maren[1])

    def test_a_missing_file(self, maren, tmp_path):
        expected = r"live_portrait_feature_extractor.onnx: no such file; expected .* takes input float32 1×3×256×256"
        with pytest.raises(FaceError, match=expected):
            self.load(maren, tmp_path)
        with pytest.raises(FaceError, match=r"gfpgan_1.4.onnx: no such file; .* input float32 1×3×512×512"):
            load_face(spec_of(maren, tmp_path, restore=1.0), maren[1])

    def test_a_file_that_is_no_network(self, maren, tmp_path):
        tiny_networks.live_portrait(tmp_path)
        (tmp_path / "live_portrait_generator.onnx").write_bytes(b"hello")
        with pytest.raises(
            FaceError, match=r"generator.onnx: not a network .* takes feature_volume float32 1×32×16×64×64"
        ):
            self.load(maren, tmp_path)

    def test_another_network_under_the_name(self, maren, tmp_path):
        tiny_networks.live_portrait(tmp_path)
        other = (tmp_path / "live_portrait_stitcher.onnx").read_bytes()
        (tmp_path / "live_portrait_motion_extractor.onnx").write_bytes(other)
        with pytest.raises(
            FaceError, match=r"motion_extractor.onnx: takes source .*1×21×3.* gives 1 outputs, expected"
        ):
            self.load(maren, tmp_path)

    def test_a_network_that_gives_no_numbers(self, maren, tmp_path):
        tiny_networks.gfpgan(tmp_path, float("nan"))
        face = load_face(spec_of(maren, tmp_path, restore=1.0), maren[1])
        with pytest.raises(FaceError, match=r"gfpgan_1.4.onnx: output 0 has numbers that are not finite"):
            face.render(NEUTRAL, 128)

    @pytest.mark.skipif(not missing_cuda(), reason="this machine's onnxruntime has CUDA")
    def test_a_gpu_that_is_not_there_is_not_replaced(self, maren, models):
        spec = replace(maren[0], engine="liveportrait", neural=NeuralSpec(models=str(models)))
        with pytest.raises(FaceError, match=r"no CUDA provider: .*onnxruntime-gpu.*or device = \"cpu\" in \[neural\]"):
            load_face(spec, maren[1])

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('engine = "liveportait"', "engine is 'liveportait', .* did you mean 'liveportrait'"),
            ('[neural]\nblend = "poison"', "blend is 'poison', .* did you mean 'poisson'"),
            ('[neural]\nmodel = "x"', r"neural: unknown key 'model', did you mean 'models'"),
            ("[neural]\nrestore = 2.0", "restore is 2.0, expected 0 to 1"),
            ("neural = 3", "neural is 3 .* expected NeuralSpec"),
        ],
    )
    def test_a_face_toml_with_a_fault(self, tmp_path, text, said):
        folder = tmp_path / "faces" / "x"
        folder.mkdir(parents=True)
        (folder / "face.toml").write_text(text, encoding="utf-8")
        with pytest.raises(CastError, match=said):
            Cast((tmp_path,)).face("x")
