"""The portrait warp on the faces that ship: what is asked is what is seen, and the rest stays as it is."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from coefficients import exp

from npc_engine.cast import Cast, CastError, FaceSpec
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_face, load_portrait
from npc_engine.frames.pictures import FaceError
from npc_engine.frames.portrait import Portrait
from npc_engine.frames.preview import EXPRESSIONS, expression, preview_sheet
from npc_engine.moments import NEUTRAL, Expression, Line, Outputs

ROOT = Path(__file__).parents[1]
FACES = [name for name in sorted(Cast((ROOT,)).faces()) if Cast((ROOT,)).face(name)[0].engine == "portrait"]
SIZE = 512


@pytest.fixture(scope="module", params=FACES)
def portrait(request) -> Portrait:
    return load_portrait(*Cast((ROOT,)).face(request.param))


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def first(portrait, finder) -> np.ndarray:
    still = portrait.render(NEUTRAL, SIZE)
    return finder.landmarks(still, finder.find(still)[0])[0]


def mouth_gap(points: np.ndarray) -> float:
    """Opening between the lips in mouth widths."""
    return float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.linalg.norm(points[78, :2] - points[308, :2]))


def eye_gap(points: np.ndarray, upper=(159, 386), lower=(145, 374), corners=((33, 133), (362, 263))) -> list[float]:
    """Opening of the right and the left eye in eye widths."""
    return [
        float(np.linalg.norm(points[u, :2] - points[d, :2]) / np.linalg.norm(points[a, :2] - points[b, :2]))
        for u, d, (a, b) in zip(upper, lower, corners, strict=True)
    ]


def test_there_are_faces_to_test():
    assert FACES


def test_mouth_opening_follows_jaw_open(portrait, finder, first):
    asked = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]
    seen = [mouth_gap(finder.refine(portrait.render(exp(jawOpen=a), SIZE), first)[0]) for a in asked]
    assert np.corrcoef(asked, seen)[0, 1] >= 0.9
    assert np.diff(seen).min() > -0.03, "the network sees a bearded mouth to about two hundredths of its width"
    assert seen[-1] - seen[0] > 0.13


def test_smile_widens_and_pucker_narrows(portrait, finder, first):
    def width(**weights):
        p, _ = finder.refine(portrait.render(exp(**weights), SIZE), first)
        return np.linalg.norm(p[61, :2] - p[291, :2])

    rest = width()
    assert width(mouthSmile=0.8) > 1.08 * rest
    assert width(mouthPucker=0.8) < 0.92 * rest


@pytest.mark.parametrize("jaw", [0.05, 0.15, 0.3])
def test_lips_close_on_m_whatever_the_jaw_does(portrait, finder, first, jaw):
    rest = mouth_gap(first)
    closed, _ = finder.refine(portrait.render(exp(jawOpen=jaw, mouthClose=jaw), SIZE), first)
    opened, _ = finder.refine(portrait.render(exp(jawOpen=jaw), SIZE), first)
    assert mouth_gap(closed) < rest + 0.03
    assert mouth_gap(opened) > mouth_gap(closed)


@pytest.mark.parametrize(("channel", "eye"), [("eyeBlinkRight", 0), ("eyeBlinkLeft", 1)])
def test_a_blink_hides_this_eye_and_not_the_other(portrait, first, channel, eye):
    still = portrait.render(NEUTRAL, SIZE).astype(int)
    closed = portrait.render(exp(**{channel: 1.0}), SIZE).astype(int)
    changed = np.abs(still - closed).max(-1) > 25
    for side, iris in enumerate((468, 473)):
        centre, radius = first[iris, :2], np.linalg.norm(first[iris + 1, :2] - first[iris, :2])
        y, x = np.mgrid[0:SIZE, 0:SIZE]
        # the pupil's surroundings below the upper lid's rest: what was iris becomes lid
        inside = np.hypot(x - centre[0], y - centre[1]) < 0.6 * radius
        assert changed[inside].mean() > 0.7 if side == eye else not changed[inside].any()


def test_a_blink_closes_the_opening(portrait, finder, first):
    closed, _ = finder.refine(portrait.render(exp(eyeBlink=1.0), SIZE), first)
    for before, after in zip(eye_gap(first), eye_gap(closed), strict=True):
        assert after < 0.5 * before, "the landmark network never sees an eye quite closed"


def test_brows_and_gaze_move_as_asked(portrait, finder, first):
    def points(**weights):
        return finder.refine(portrait.render(exp(**weights), SIZE), first)[0][:, :2]

    brow = [105, 334]
    up, down = points(browInnerUp=1.0, browOuterUp=1.0), points(browDown=1.0)
    assert (up[brow, 1] < first[brow, 1] - 2).all()
    assert (down[brow, 1] > first[brow, 1] + 1).all()
    iris = [468, 473]
    assert (points(gazeYaw=0.3)[iris, 0] > first[iris, 0] + 1.5).all(), "to the own left is to the picture's right"
    assert (points(gazePitch=0.25)[iris, 1] < first[iris, 1] - 0.5).all()


def test_the_head_turns_the_way_the_angles_say(portrait, finder, first):
    nose, chin, top = 1, 152, 10

    def points(**weights):
        return finder.refine(portrait.render(exp(**weights), SIZE), first)[0][:, :2]

    assert points(headYaw=0.12)[nose, 0] > first[nose, 0] + 5
    assert points(headYaw=-0.12)[nose, 0] < first[nose, 0] - 5
    assert points(headPitch=0.12)[nose, 1] < first[nose, 1] - 5
    tilted = points(headRoll=0.08)
    assert tilted[top, 0] - tilted[chin, 0] > first[top, 0] - first[chin, 0] + 8


def test_the_background_does_not_move_with_the_face(portrait, first):
    still = portrait.render(NEUTRAL, SIZE)
    low, high = first[:468, :2].min(0), first[:468, :2].max(0)
    middle, half = (low + high) / 2, (high - low) / 2
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    away = np.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1])
    for name in EXPRESSIONS:
        if name != "turn":
            change = np.abs(portrait.render(expression(name), SIZE).astype(int) - still).max(-1)
            assert not change[away > 2.2].any(), name
            assert change[away > 2.1].max() <= 2, name


def test_a_still_face_is_the_same_picture_every_time(portrait):
    e = expression("oh")
    assert (portrait.render(e, SIZE) == portrait.render(e, SIZE)).all()
    assert (portrait.render(NEUTRAL, SIZE) == portrait.render(NEUTRAL, SIZE)).all()


def test_a_face_at_rest_is_its_picture(portrait):
    still = portrait.render(NEUTRAL, SIZE).astype(int)
    source = cv2.resize(portrait.picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(still - source).mean() < 2.0


def test_small_changes_stay_small(portrait):
    for name in EXPRESSIONS:
        e = expression(name)
        step = np.abs(portrait.render(e, 256).astype(int) - portrait.render(e * 0.98, 256).astype(int))
        assert step.mean() < 1.0, name
        assert np.percentile(step, 99.5) < 30, name


def test_the_twelve_expressions_differ_from_rest(portrait):
    rest = portrait.render(NEUTRAL, 320).astype(int)
    for name in list(EXPRESSIONS)[1:]:
        changed = np.abs(portrait.render(expression(name), 320) - rest).max(-1) > 12
        assert changed.sum() > 60, name
    sheet = preview_sheet(portrait)
    assert sheet.shape == (1044, 1280, 3)


def test_random_expressions_never_tear(portrait):
    """The map of the drawn face never runs backwards: no fold-over, over legal expressions."""
    rng = np.random.default_rng(7)
    motion = portrait._motion
    for _ in range(120):
        e = np.zeros(50, np.float32)
        some = rng.choice(45, 10, replace=False)
        e[some] = rng.random(10) * 0.7
        e[45:] = rng.uniform(-0.12, 0.12, 5)
        layers = motion.inverse(portrait._drawn(e))
        for offset in (layers.upper, layers.lower):
            where = np.moveaxis(motion.grid.planes + offset, 1, 2)
            dx, dy = np.diff(where, axis=1)[:-1], np.diff(where, axis=0)[:, :-1]
            turn = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
            assert (turn > 0).mean() > 0.999


@pytest.mark.parametrize("size", [32, 97, 256, 640, 768])
def test_any_size(portrait, size):
    picture = portrait.render(expression("surprise"), size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10


@pytest.mark.parametrize("size", [0, 31, 4096])
def test_a_size_that_is_not_drawn(portrait, size):
    with pytest.raises(ValueError, match=f"{size} pixels was asked for, faces are drawn at 32 to 2048"):
        portrait.render(NEUTRAL, size)


def test_values_out_of_range_are_drawn_as_the_nearest_legal(portrait):
    wild = exp(jawOpen=3.0, mouthSmile=-2.0, headYaw=9.0)
    assert (portrait.render(wild, 128) == portrait.render(exp(jawOpen=1.0, headYaw=9.0), 128)).all()


def test_many_lines_at_once_draw_what_one_draws():
    portrait = load_portrait(*Cast((ROOT,)).face(FACES[0]))
    names = list(EXPRESSIONS)
    alone = {n: portrait.render(expression(n), 192) for n in names}
    wrong = []

    def line(shift):
        for i in range(24):
            n = names[(i + shift) % len(names)]
            if (portrait.render(expression(n), 192) != alone[n]).any():
                wrong.append(n)

    threads = [threading.Thread(target=line, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_pictures_come_on_the_ticks_that_were_asked(portrait):
    line = Line("1", "smith", "Mind the step!", outputs=Outputs(picture=64, picture_every=3))
    sound = np.zeros(480, np.float32)
    moments = list(portrait.draw(Expression(line, t, sound, exp(jawOpen=t / 20)) for t in range(8)))
    assert [m.tick for m in moments if m.picture] == [0, 3, 6]
    assert [m.picture.tick for m in moments if m.picture] == [0, 3, 6]
    assert all(m.picture is None or m.picture.pixels.shape == (64, 64, 3) for m in moments)
    quiet = Line("2", "smith", "…")
    assert next(iter(portrait.draw([Expression(quiet, 0, sound, NEUTRAL)]))).picture is None


def test_transparency_stays_and_moves_with_the_head(portrait, first):
    picture = portrait.picture
    n = picture.shape[0]
    points = first.copy()
    points[:, :2] = (points[:, :2] + 0.5) * n / SIZE - 0.5
    points[:, 2] *= n / SIZE
    middle, half = points[:468, :2].mean(0), np.ptp(points[:468, :2], axis=0) * 0.8
    y, x = np.mgrid[0:n, 0:n]
    alpha = (np.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1]) < 1).astype(np.uint8) * 255
    cut = Portrait(np.dstack([picture * (alpha[..., None] > 0), alpha]), points)
    still, turned = cut.render(NEUTRAL, 256), cut.render(exp(headRoll=0.08), 256)
    assert still.shape == (256, 256, 4)
    assert still[0, 0, 3] == 0
    assert still[128, 128, 3] == 255
    assert (turned[..., 3] != still[..., 3]).any()
    edge = (still[..., 3] > 100) & (still[..., 3] < 200)
    assert still[edge][:, :3].mean() > 15, "no dark fringe from what lies beneath the transparency"


def test_limits_cap_what_is_drawn(portrait):
    spec, folder = Cast((ROOT,)).face(FACES[0])
    capped = load_face(FaceSpec(picture=spec.picture, landmarks=spec.landmarks, limits={"jawOpen": 0.2}), folder)
    assert (capped.render(exp(jawOpen=0.9), 128) == capped.render(exp(jawOpen=0.2), 128)).all()


class TestLoading:
    """A face.toml that can't be used names its file."""

    @pytest.fixture
    def face(self, tmp_path):
        spec, folder = Cast((ROOT,)).face(FACES[0])
        for name in (spec.picture, spec.landmarks):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        return spec, tmp_path

    def test_limits_are_checked(self, face):
        spec, folder = face
        with pytest.raises(
            FaceError, match=r"face.toml: limits: unknown coefficient 'jawopen', did you mean 'jawOpen'"
        ):
            load_face(FaceSpec(picture=spec.picture, landmarks=spec.landmarks, limits={"jawopen": 0.2}), folder)
        with pytest.raises(FaceError, match=r"face.toml: limits: jawOpen is 2.0, expected 0 to 1"):
            load_face(FaceSpec(picture=spec.picture, landmarks=spec.landmarks, limits={"jawOpen": 2.0}), folder)

    def test_missing_files(self, face):
        spec, folder = face
        with pytest.raises(CastError, match=r"nothing.png: No such file"):
            load_face(FaceSpec(picture="nothing.png", landmarks=spec.landmarks), folder)
        with pytest.raises(FaceError, match=r"nothing.npz: no such file; add the face again"):
            load_face(FaceSpec(picture=spec.picture, landmarks="nothing.npz"), folder)

    def test_landmarks_that_are_none(self, face):
        spec, folder = face
        path = folder / spec.landmarks
        path.write_bytes(b"hello")
        with pytest.raises(FaceError, match="not a landmark file"):
            load_face(spec, folder)
        np.savez(path, other=np.zeros(3))
        with pytest.raises(FaceError, match="not a landmark file"):
            load_face(spec, folder)
        np.savez(path, points=np.zeros((68, 2)))
        with pytest.raises(FaceError, match=r"landmarks of shape \(68, 2\), expected \(478, 3\)"):
            load_face(spec, folder)
        np.savez(path, points=np.full((478, 3), np.nan))
        with pytest.raises(FaceError, match="finite"):
            load_face(spec, folder)
        for value in (9999.0, 300.0):
            np.savez(path, points=np.full((478, 3), value))
            with pytest.raises(FaceError, match=r"not those of a face in a picture of \d+ pixels; add the face"):
                load_face(spec, folder)

    def test_a_picture_that_is_not_square(self, face):
        spec, folder = face
        picture = cv2.imread(str(folder / spec.picture))
        cv2.imwrite(str(folder / spec.picture), picture[:300])
        with pytest.raises(FaceError, match=r"×300 pixels, expected a square"):
            load_face(spec, folder)
