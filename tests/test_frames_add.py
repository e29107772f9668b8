"""Pictures that somebody gives us: what becomes a face, and what is refused with which words."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.frames.add import add_face, face_landmarks
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_face
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.moments import NEUTRAL

ROOT = Path(__file__).parents[1]
CAST = Cast((ROOT,))
PORTRAITS = sorted(name for name in CAST.faces() if CAST.face(name)[0].engine == "portrait")
FACE = PORTRAITS[0]


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    """A portrait that ships, BGR as OpenCV writes it."""
    spec, folder = CAST.face(FACE)
    return cv2.imread(str(folder / spec.picture))


def save(path: Path, bgr: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), bgr)
    return path


def loaded(folder: Path):
    """The face in faces/NAME, and its portrait."""
    return load_face(*Cast((folder.parent.parent,)).face(folder.name))


def refused(picture: Path, tmp_path: Path, words: str, name: str = "smith") -> None:
    """Adding says `words`, names the file and leaves nothing behind."""
    faces = tmp_path / "faces"
    with pytest.raises(FaceError, match=words) as error:
        add_face(picture, name, faces)
    assert str(error.value).startswith(str(picture))
    assert not faces.exists() or not list(faces.iterdir())


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_portrait_becomes_a_face(person, tmp_path, kind):
    folder = add_face(save(tmp_path / f"person.{kind}", person), "smith", tmp_path / "faces")
    assert folder == tmp_path / "faces" / "smith"
    files = ["background.jpg", "face.toml", "landmarks.npz", "mask.png", "picture.png"]
    assert sorted(p.name for p in folder.iterdir()) == files
    spec, _ = Cast((tmp_path,)).face("smith")
    assert spec.source == f"person.{kind}"
    assert loaded(folder).render(NEUTRAL, 256).shape == (256, 256, 3)


def test_it_is_found_where_it_is(person, tmp_path):
    """A portrait within a wide picture is cut out around the face, and the landmarks lie on it."""
    small = cv2.resize(person, (400, 400), interpolation=cv2.INTER_AREA)
    scene = np.full((700, 1600, 3), (90, 80, 70), np.uint8)
    scene[200:600, 1000:1400] = small
    folder = add_face(save(tmp_path / "scene.png", scene), "smith", tmp_path / "faces")
    picture = read_picture(folder / "picture.png")
    assert picture.shape[0] == picture.shape[1] < 700
    points = np.load(folder / "landmarks.npz")["points"]
    middle = points[:468, :2].mean(0) / picture.shape[0]
    assert (np.abs(middle - 0.5) < 0.15).all()


def test_a_face_that_fills_its_picture_gets_room(person, tmp_path):
    finder = FaceFinder()
    rgb = np.ascontiguousarray(person[..., ::-1])
    points, _ = finder.landmarks(rgb, finder.find(rgb)[0])
    (x0, y0), (x1, y1) = points[:468, :2].min(0).astype(int) - 10, points[:468, :2].max(0).astype(int) + 10
    folder = add_face(save(tmp_path / "tight.png", person[y0:y1, x0:x1]), "smith", tmp_path / "faces")
    assert read_picture(folder / "picture.png").shape[0] > 1.2 * (y1 - y0)


def test_a_large_picture_is_brought_to_1024(person, tmp_path):
    big = cv2.resize(person, (2600, 2600), interpolation=cv2.INTER_CUBIC)
    folder = add_face(save(tmp_path / "big.jpg", big), "smith", tmp_path / "faces")
    assert read_picture(folder / "picture.png").shape == (1024, 1024, 3)


def test_grey_and_16_bit_and_transparent(person, tmp_path):
    grey = cv2.cvtColor(person, cv2.COLOR_BGR2GRAY)
    deep = person.astype(np.uint16) * 257
    alpha = np.full(person.shape[:2], 255, np.uint8)
    alpha[:, :60] = 0
    clear = np.dstack([person, alpha])
    for name, picture, channels in (("grey", grey, 3), ("deep", deep, 3), ("clear", clear, 4)):
        folder = add_face(save(tmp_path / f"{name}.png", picture), name, tmp_path / "faces")
        assert loaded(folder).render(NEUTRAL, 128).shape == (128, 128, channels)
    assert (read_picture(tmp_path / "deep.png") == person[..., ::-1]).all()
    deep_clear = clear.astype(np.uint16) * 257
    assert read_picture(save(tmp_path / "both.png", deep_clear)).shape[2] == 4


@pytest.mark.parametrize("turn", [6, 3, 8])
def test_exif_orientation(person, tmp_path, turn):
    """A camera's picture that says "turn me" is turned."""
    stored = {6: cv2.ROTATE_90_COUNTERCLOCKWISE, 3: cv2.ROTATE_180, 8: cv2.ROTATE_90_CLOCKWISE}[turn]
    jpeg = cv2.imencode(".jpg", cv2.rotate(person, stored))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, turn, 0) + b"\0\0\0\0"
    path = tmp_path / "camera.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    assert np.abs(read_picture(path).astype(int) - person[..., ::-1]).mean() < 6
    assert add_face(path, "smith", tmp_path / "faces").is_dir()


class TestRefusals:
    """Each says why, and what would do."""

    def test_no_face(self, tmp_path):
        blank = save(tmp_path / "blank.png", np.full((400, 400, 3), 128, np.uint8))
        refused(
            blank,
            tmp_path,
            "no face found in 400×400 pixels; expected one human-like face, seen upright from the front",
        )
        noise = np.random.default_rng(0).integers(0, 256, (500, 300, 3), np.uint8)
        refused(save(tmp_path / "noise.png", noise), tmp_path, "no face found in 300×500 pixels")

    def test_two_faces(self, person, tmp_path):
        two = save(tmp_path / "two.png", np.hstack([person, person]))
        refused(two, tmp_path, r"2 faces found \(.* pixels at .*\), expected one; cut the picture down to the face")

    def test_a_face_too_small(self, person, tmp_path):
        scene = np.full((400, 400, 3), 120, np.uint8)
        scene[100:260, 100:260] = cv2.resize(person, (160, 160), interpolation=cv2.INTER_AREA)
        small = save(tmp_path / "small.png", scene)
        refused(
            small, tmp_path, r"the face is [4-7]\d pixels wide, expected at least 80 \(better 250\); a larger or closer"
        )

    @pytest.mark.parametrize(
        ("turn", "words"),
        [
            (cv2.ROTATE_90_COUNTERCLOCKWISE, r"leans by \d+°, expected at most 30°; turn the picture clockwise"),
            (cv2.ROTATE_90_CLOCKWISE, r"leans by \d+°, expected at most 30°; turn the picture counter-clockwise"),
        ],
    )
    def test_a_face_on_its_side(self, person, tmp_path, turn, words):
        refused(save(tmp_path / "lying.png", cv2.rotate(person, turn)), tmp_path, words)

    def test_a_face_cut_off_or_turned_away(self, person, tmp_path):
        half = save(tmp_path / "half.png", person[:, person.shape[1] // 2 :])
        refused(half, tmp_path, "cut off by the edge of the picture|no face found|can't be made out|turned")

    def test_not_a_picture(self, tmp_path):
        text = tmp_path / "letter.png"
        text.write_text("Dear smith", encoding="utf-8")
        refused(text, tmp_path, "not a picture that we read .* expected a PNG, JPEG or WebP picture")
        text.write_bytes(b"")
        refused(text, tmp_path, r"not a picture that we read \(it is empty\)")
        refused(tmp_path / "nothing.png", tmp_path, "No such file")
        refused(tmp_path, tmp_path, "a directory, expected a picture file")

    @pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
    def test_cut_short(self, person, tmp_path, kind):
        path = save(tmp_path / f"half.{kind}", person)
        whole = path.read_bytes()
        for share in (0.5, 0.9):
            path.write_bytes(whole[: int(len(whole) * share)])
            refused(path, tmp_path, "cut short or damaged")
        path.write_bytes(whole[:20])
        refused(path, tmp_path, "cut short or damaged")

    def test_damaged_inside(self, person, tmp_path):
        path = save(tmp_path / "bad.png", person)
        data = bytearray(path.read_bytes())
        data[100:5000] = bytes(4900)
        path.write_bytes(data)
        refused(path, tmp_path, "damaged|decoded")

    def test_more_than_50_megapixels_before_decoding(self, tmp_path):
        header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 20_000, 20_000, 8, 2, 0, 0, 0)
        path = tmp_path / "huge.png"
        path.write_bytes(header + b"\0\0\0\0" + b"\0\0\0\0IEND\xaeB`\x82")
        refused(path, tmp_path, "20000×20000 pixels are 400 megapixels, expected at most 50; a smaller copy will do")
        jpeg = b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 30_000, 30_000) + bytes(12) + b"\xff\xd9"
        path.write_bytes(jpeg)
        refused(path, tmp_path, "30000×30000 pixels are 900 megapixels")
        webp = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" * 2
        path.write_bytes(webp)
        refused(path, tmp_path, "16384×16384 pixels are 268 megapixels")

    def test_one_pixel(self, tmp_path):
        refused(save(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8)), tmp_path, "no face found in 1×1 pixels")
        refused(save(tmp_path / "line.png", np.zeros((3, 900, 3), np.uint8)), tmp_path, "no face found in 900×3")

    @pytest.mark.parametrize("name", ["", "Smith", "../smith", "a b", "x" * 41, ".hidden", "schmied ", "ärger"])
    def test_names(self, person, tmp_path, name):
        picture = save(tmp_path / "person.png", person)
        with pytest.raises(FaceError, match=re.escape(f"face name {name!r}, expected 1 to 40 of a-z, 0-9, _ and -")):
            add_face(picture, name, tmp_path / "faces")

    def test_a_name_that_is_taken(self, person, tmp_path):
        picture = save(tmp_path / "person.png", person)
        folder = add_face(picture, "smith", tmp_path / "faces")
        before = (folder / "landmarks.npz").read_bytes()
        with pytest.raises(FaceError, match="there is a face 'smith' already; choose another name or remove"):
            add_face(picture, "smith", tmp_path / "faces")
        assert (folder / "landmarks.npz").read_bytes() == before


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_landmarks_that_ship_are_those_of_their_picture(name):
    """tools/face_landmarks.py was run after the picture was drawn."""
    spec, folder = CAST.face(name)
    found = face_landmarks(read_picture(folder / spec.picture), folder / spec.picture)
    shipped = np.load(folder / spec.landmarks)["points"]
    assert np.abs(found - shipped)[:, :2].max() < 1.5
