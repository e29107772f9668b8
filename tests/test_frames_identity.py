"""Who a drawn picture shows: the network that ships, a user's ArcFace, and the score that they give."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from drawn_chip import chip
from tiny_arcface import tiny_arcface
from two_persons import in_place_of, source

from npc_engine.cast import Cast, CastError, IdentitySpec
from npc_engine.frames.embedding import ARCFACE, DLIB, ArcFace, embedder
from npc_engine.frames.identity import THRESHOLD, Identity, identity_of
from npc_engine.frames.landmarks import MODELS
from npc_engine.frames.load import load_face, load_portrait
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import NEUTRAL

ROOT = Path(__file__).parents[1]
FACES = sorted(name for name, path in Cast((ROOT,)).faces().items() if (path.parent / "landmarks.npz").is_file())
sys.path.insert(0, str(ROOT / "tools" / "identity"))


@pytest.fixture(scope="module")
def maren():
    return source("maren")


@pytest.fixture(scope="module")
def identity(maren):
    return Identity(*maren)


def test_the_network_is_the_one_that_is_documented():
    file = MODELS / "identity.onnx"
    assert hashlib.sha256(file.read_bytes()).hexdigest() in (MODELS / "NOTICE").read_text(encoding="utf-8")
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["licence"] == "CC0-1.0"
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [("rgb", "tensor(uint8)", [1, 150, 150, 3])]
    assert file.stat().st_size < 12e6


def test_the_network_says_what_dlib_says():
    expected = np.load(ROOT / "tests" / "dlib_embedding.npz")["embedding"]  # by tools/identity/verify.py, with dlib
    assert np.linalg.norm(embedder().embed(chip()) - expected) < 1e-3


@pytest.mark.parametrize("name", FACES)
def test_a_face_at_rest_is_its_source(name):
    face = load_face(*Cast((ROOT,)).face(name))
    for size, least in ((1024, 0.98), (512, 0.97), (256, 0.9)):
        assert least < face.guard.judge.score(face.render(NEUTRAL, size)) <= 1


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda p: (p * 0.6).astype(np.uint8), 0.9),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 3), 0.9),
        (lambda p: np.clip(p * [1.1, 1, 0.8], 0, 255).astype(np.uint8), 0.9),
        (lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1), 0.9),
        (lambda p: np.roll(p, p.shape[0] // 60, (0, 1)), 0.8),
    ],
    ids=["darker", "blurred", "warmer", "compressed", "moved aside"],
)
def test_light_blur_and_a_small_move_make_no_other_person(identity, maren, change, least):
    assert identity.score(change(maren[0])) > least


def test_another_person_is_another_person(identity, maren):
    assert identity.score(in_place_of(source("elder"), maren)) < THRESHOLD - 0.1


def test_a_picture_of_no_face_is_nobody(identity, maren):
    noise = np.random.default_rng(1).integers(0, 255, maren[0].shape, np.uint8)
    assert identity.score(noise) < THRESHOLD
    assert identity.score(np.full_like(maren[0], 120)) < THRESHOLD


def test_transparency_is_no_matter(identity, maren):
    alpha = np.full((*maren[0].shape[:2], 1), 200, np.uint8)
    assert identity.score(np.concatenate([maren[0], alpha], 2)) == identity.score(maren[0])


def test_a_picture_that_is_not_square_is_refused(identity):
    with pytest.raises(ValueError, match=re.escape("a picture of 40×30 pixels was to be judged, expected a square")):
        identity.score(np.zeros((30, 40, 3), np.uint8))


def test_the_network_is_loaded_once_and_serves_several_threads(identity, maren):
    assert embedder() is embedder()
    scores: list[float] = []
    threads = [threading.Thread(target=lambda: scores.append(Identity(*maren).score(maren[0]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scores == [1.0] * 4


def test_any_face_can_be_known_by_how_it_rests(maren):
    portrait = load_portrait(*Cast((ROOT,)).face("maren"))
    assert identity_of(portrait).score(portrait.render(NEUTRAL, 512)) == 1.0
    assert identity_of(portrait).score(maren[0]) > 0.95


@pytest.mark.parametrize("template", [DLIB, ARCFACE], ids=["dlib", "arcface"])
def test_a_chip_holds_the_face_upright_in_its_middle(template, maren):
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])  # a face that leans and is far larger
    leaning = maren[1][:, :2] @ turn.T * 3 + [40, -500]
    for points in (maren[1], leaning):
        placed = points[:, :2] @ template.matrix(points)[:, :2].T + template.matrix(points)[:, 2]
        right, left = placed[[33, 133]].mean(0), placed[[362, 263]].mean(0)
        assert abs(right[1] - left[1]) < 0.03 * template.edge
        assert abs((right[0] + left[0]) / 2 - template.edge / 2) < 0.05 * template.edge
        assert placed[152, 1] > placed[13, 1] > left[1]


# ── a network of the user's ────────────────────────────────────────────────────────────────────────────────────


def test_a_users_arcface_judges_in_place_of_the_one_that_ships(tmp_path, maren):
    judge = Identity(*maren, ArcFace(tiny_arcface(tmp_path / "arcface.onnx")))
    assert judge.score(maren[0]) == pytest.approx(1)
    assert judge.score(255 - maren[0]) == pytest.approx(-1, abs=0.02)  # it reads -1..1, so a negative is the opposite


def test_face_toml_names_it(tmp_path, maren):
    spec, folder = Cast((ROOT,)).face("maren")
    file = tiny_arcface(tmp_path / "mine.onnx")
    face = load_face(replace(spec, identity=IdentitySpec(str(file))), folder)
    assert face.guard.judge.score(maren[0]) == pytest.approx(1)
    assert face.guard.judge.score(255 - maren[0]) < 0


def test_face_toml_with_an_unknown_key(tmp_path):
    folder = tmp_path / "faces" / "x"
    folder.mkdir(parents=True)
    (folder / "face.toml").write_text('[identity]\nnetwrok = "arcface.onnx"\n')
    with pytest.raises(CastError, match=r"identity: unknown key 'netwrok', did you mean 'network'\?"):
        Cast((tmp_path,)).face("x")


EXPECTED = "expected an ArcFace network: one float32 input 1×3×112×112, one float32 output 1×n such as 1×512"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda path: path, "no such file"),
        (lambda path: path.write_bytes(b"not a network"), "not a network that onnxruntime can load"),
        (lambda path: tiny_arcface(path, edge=160), "takes picture tensor(float) n×3×160×160 and gives row"),
        (lambda path: tiny_arcface(path, kind="tensor(float16)"), "takes picture tensor(float16) n×3×112×112"),
        (lambda path: tiny_arcface(path, rows=4), "and gives row tensor(float) 1×3×14×14"),
    ],
    ids=["missing", "no network", "of another size", "of another type", "with another output"],
)
def test_a_network_that_is_none_is_refused_when_the_face_is_loaded(tmp_path, made, said):
    spec, folder = Cast((ROOT,)).face("maren")
    path = tmp_path / "arcface.onnx"
    made(path)
    with pytest.raises(FaceError) as refused:
        load_face(replace(spec, identity=IdentitySpec(str(path))), folder)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)
    assert EXPECTED in str(refused.value)


@pytest.mark.parametrize("factor", [0.0, np.nan])
def test_numbers_that_are_none_are_refused(tmp_path, maren, factor):
    judge = Identity(*maren, ArcFace(tiny_arcface(tmp_path / "arcface.onnx", factor=factor)))
    with pytest.raises(FaceError, match="expected finite numbers that are not all 0"):
        judge.score(maren[0])


# ── dlib's files ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_not_dlibs_network_is_refused(tmp_path):
    from dlib_file import DlibError, read_network

    path = tmp_path / "x.dat"
    for data, said in (
        (b"", "the file ends at byte 0"),
        (b"\x41", "expected the control byte of an integer"),
        (b"\x01\x01\x01\x04nets", "loss 'nets', expected loss_metric_2"),
        (b"\x01\x01\x01\x0dloss_metric_2\x01\x01\x01\x00", "the file ends at byte 21"),
    ):
        path.write_bytes(data)
        with pytest.raises(DlibError, match=said):
            read_network(path)


def test_dlibs_numbers():
    from dlib_file import _Reader

    read = _Reader(b"\x01\x07\x82\x00\x01\x03\x0a\xd7\xa3\x81\x1c\x011")
    assert (read.integer(), read.integer()) == (7, -256)
    assert read.number() == pytest.approx(0.04)
    read.at += 1
    assert read.boolean() is True
