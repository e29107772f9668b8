"""Parts of the frames package: encoding, the basis, the face finder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.frames import landmarks, topology
from npc_engine.frames.encode import best_format, encode_picture
from npc_engine.frames.pictures import read_picture
from npc_engine.moments import ANGLES, CHANNEL, EXP50

ROOT = Path(__file__).parents[1]


@pytest.fixture
def picture() -> np.ndarray:
    y, x = np.mgrid[0:120, 0:160]
    return np.stack([x + 40, y + 60, 255 - x], -1).astype(np.uint8)


def test_jpeg_keeps_colours_in_their_order(picture):
    data = encode_picture(picture, "jpeg")
    assert data[:3] == b"\xff\xd8\xff"
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - picture).mean() < 4


def test_png_is_exact_with_and_without_transparency(picture):
    for pixels in (picture, np.dstack([picture, picture[..., 0]])):
        data = encode_picture(pixels, "png")
        back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
        assert (cv2.cvtColor(back, order) == pixels).all()


def test_best_format(picture):
    assert best_format(picture) == "jpeg"
    assert best_format(np.dstack([picture, picture[..., 0]])) == "png"


def test_what_can_not_be_encoded(picture):
    with pytest.raises(ValueError, match="picture format 'gif', expected one of jpeg, png"):
        encode_picture(picture, "gif")
    with pytest.raises(ValueError, match="a picture with transparency can't be a jpeg, expected png"):
        encode_picture(np.dstack([picture, picture[..., 0]]), "jpeg")
    with pytest.raises(ValueError, match=r"pixels of shape \(120, 160\) and type uint8, expected u8\[h, w, 3 or 4\]"):
        encode_picture(picture[..., 0], "png")
    with pytest.raises(ValueError, match="type float32"):
        encode_picture(picture.astype(np.float32), "png")


def test_the_basis_says_what_it_is_made_of():
    assert topology.BASIS.stat().st_size < 400_000
    with np.load(topology.BASIS) as file:
        record = json.loads(str(file["record"]))
        assert len(file["names"]) == 52
    assert "CC0" in record["head"]
    assert "Apache-2.0" in record["mesh"]


def test_the_basis_moves_what_its_names_say():
    basis = topology.basis()
    assert basis.delta.shape == (50, 468, 3)
    up, low, chin = 13, 14, 152

    def move(name, point):
        return basis.delta[CHANNEL[name], point]

    assert move("jawOpen", low)[1] < -0.2
    assert move("jawOpen", chin)[1] < -0.15
    assert abs(move("jawOpen", up)[1]) < 0.05
    closed = move("jawOpen", low) + move("mouthClose", low) - move("jawOpen", up) - move("mouthClose", up)
    assert abs(closed[1]) < 0.02, "mouthClose closes what jawOpen opens"
    assert move("mouthSmileLeft", 291)[0] > 0, "to the person's left is x"
    assert move("mouthSmileRight", 61)[0] < 0
    assert move("browInnerUp", 55)[1] > 0
    assert not basis.delta[ANGLES - 1 :].any(), "tongueUp and the angles are not in it"


def test_left_and_right_mirror_one_another():
    basis = topology.basis()
    mirror = {n: n.replace("Left", "#").replace("Right", "Left").replace("#", "Right") for n in EXP50}
    pairs = list(zip(topology.LIP_UPPER, reversed(topology.LIP_UPPER), strict=True))
    for name, other in mirror.items():
        for a, b in pairs:
            one, two = basis.delta[CHANNEL[name], a], basis.delta[CHANNEL[other], b] * [-1, 1, 1]
            assert np.abs(one - two).max() < 0.005, (name, a)


def test_the_networks_are_the_ones_in_the_notice():
    notice = (landmarks.MODELS / "NOTICE").read_text(encoding="utf-8")
    for path in landmarks.MODELS.glob("*.tflite"):
        assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" in notice


def test_faces_are_found_wherever_they_are_and_in_their_number():
    spec, folder = Cast((ROOT,)).face(min(Cast((ROOT,)).faces()))
    face = cv2.resize(read_picture(folder / spec.picture), (300, 300), interpolation=cv2.INTER_AREA)
    finder = landmarks.FaceFinder()
    (one,) = finder.find(face)
    scene = np.full((620, 1000, 3), 100, np.uint8)
    for x, y in ((10, 300), (500, 20)):
        scene[y : y + 300, x : x + 300] = face
    found = sorted(finder.find(scene), key=lambda f: f.box[0])
    assert len(found) == 2
    for f, (x, y) in zip(found, ((10, 300), (500, 20)), strict=True):
        assert np.abs(f.mouth - one.mouth - [x, y]).max() < 0.2 * one.size
    points, sure = finder.landmarks(face, one)
    assert sure > 0.9
    nose, left_eye, right_eye, chin = (points[i, :2] for i in (1, 263, 33, 152))
    assert right_eye[0] < nose[0] < left_eye[0]
    assert left_eye[1] < nose[1] < chin[1]
    again, _ = finder.refine(face, points)
    assert np.abs(again - points)[:, :2].mean() < 0.6
