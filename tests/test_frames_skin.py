"""Skin, head and background of the portrait warp: what is asked moves, folds and grows dark, and nothing else does."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from coefficients import exp

from npc_engine.cast import Cast, FaceSpec, checked, read_toml
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_portrait, read_landmarks
from npc_engine.frames.mask import Person, outlined, sketched
from npc_engine.frames.person import read_person, write_person
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.portrait import Portrait
from npc_engine.moments import CHANNEL, NEUTRAL

ROOT = Path(__file__).parents[1]
PORTRAITS = [name for name in sorted(Cast((ROOT,)).faces()) if Cast((ROOT,)).face(name)[0].engine == "portrait"]
SIZE = 512
SQUARES = 32  # pixels of the pattern behind a person


@pytest.fixture(scope="module", params=PORTRAITS)
def source(request):
    """Picture, landmarks and person of a face."""
    spec, folder = Cast((ROOT,)).face(request.param)
    picture = read_picture(folder / spec.picture)
    points = read_landmarks(folder / spec.landmarks, picture.shape[1])
    return picture, points, outlined(picture, points)


@pytest.fixture(scope="module")
def portrait(source) -> Portrait:
    picture, points, person = source
    return Portrait(picture, points, None, person)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def first(portrait, finder) -> np.ndarray:
    still = portrait.render(NEUTRAL, SIZE)
    return finder.landmarks(still, finder.find(still)[0])[0]


@pytest.fixture(scope="module")
def patterned(source) -> tuple[Portrait, np.ndarray]:
    """The person before a chequered wall, which is known, and that wall at `SIZE`."""
    picture, points, person = source
    n = picture.shape[0]
    y, x = np.mgrid[0:n, 0:n] * SIZE // (n * SQUARES)
    wall = np.where(((x + y) % 2)[..., None] > 0, (210, 190, 120), (60, 90, 150)).astype(np.uint8)
    share = person.matte[..., None] / 255
    before = np.round(picture[..., :3] * share + wall * (1 - share)).astype(np.uint8)
    known = Person(person.matte, person.clothes, wall)
    wall = cv2.resize(wall, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return Portrait(before, points, None, known), wall


def test_there_are_portraits_to_test():
    assert PORTRAITS


class TestPerson:
    """Who in the picture is the person."""

    def test_the_face_is_inside_and_the_corners_are_not(self, source):
        picture, points, person = source
        n = picture.shape[0]
        x, y = np.clip(np.round(points[:468, :2]).astype(int), 0, n - 1).T
        assert (person.matte[y, x] > 250).mean() > 0.98
        assert person.matte[: n // 16, : n // 16].max() == 0
        assert person.matte[: n // 16, -n // 16 :].max() == 0
        assert 0.2 < (person.matte > 127).mean() < 0.9

    def test_a_sketch_says_nearly_the_same(self, source):
        picture, points, person = source
        quick = sketched(picture, points)
        assert ((quick.matte > 127) == (person.matte > 127)).mean() > 0.95

    def test_shoulders_stay_and_the_face_is_no_cloth(self, source):
        picture, points, person = source
        x, y = np.clip(np.round(points[:468, :2]).astype(int), 0, picture.shape[0] - 1).T
        assert person.clothes[y, x].max() < 128
        body = person.matte > 127
        assert person.clothes[-8:][body[-8:]].max(initial=0) > 200, "what is at the picture's lower border is cloth"

    def test_somebody_the_network_does_not_see_has_head_and_shoulders(self, source):
        _, points, _ = source
        n = 256
        small = points * (n / source[0].shape[0])
        plain = np.full((n, n, 3), 128, np.uint8)
        person = outlined(plain, small)
        x, y = np.clip(np.round(small[:468, :2]).astype(int), 0, n - 1).T
        assert (person.matte[y, x] > 200).mean() > 0.95

    def test_files_hold_what_was_found(self, source, tmp_path):
        picture, points, person = source
        keys = write_person(tmp_path, picture, points)
        again = read_person(FaceSpec(**keys), tmp_path, picture, points)
        assert (again.matte == person.matte).all()
        assert (again.clothes == person.clothes).all()
        assert np.abs(again.behind.astype(int) - person.behind).mean() < 3
        assert sum(p.stat().st_size for p in tmp_path.iterdir()) < 250_000

    def test_files_that_do_not_fit(self, source, tmp_path):
        picture, points, _ = source
        keys = write_person(tmp_path, picture, points)
        cv2.imwrite(str(tmp_path / "small.png"), np.zeros((50, 60, 3), np.uint8))
        with pytest.raises(FaceError, match=r"small.png: 60×50 pixels, expected the picture's \d+×\d+; add the face"):
            read_person(FaceSpec(mask="small.png", background=keys["background"]), tmp_path, picture, points)
        with pytest.raises(
            FaceError, match=r"face.toml: a mask without a background; name a picture of what is behind"
        ):
            read_person(FaceSpec(mask=keys["mask"]), tmp_path, picture, points)
        with pytest.raises(FaceError, match=r"nothing.png: No such file"):
            read_person(FaceSpec(mask="nothing.png"), tmp_path, picture, points)

    def test_the_tool_names_its_files_once(self, tmp_path, monkeypatch):
        spec, folder = Cast((ROOT,)).face(PORTRAITS[0])
        face = tmp_path / "face"
        shutil.copytree(folder, face)
        monkeypatch.syspath_prepend(str(ROOT / "tools"))
        import face_masks

        for _ in range(2):
            face_masks.refresh(face)
            found = checked(FaceSpec, read_toml(face / "face.toml"), "face.toml")
            assert (found.mask, found.background, found.about) == ("mask.png", "background.jpg", spec.about)
        load_portrait(found, face).render(NEUTRAL, 64)


class TestBackground:
    """What is behind a head that turns."""

    @pytest.mark.parametrize("turn", [{"headYaw": 0.15}, {"headYaw": -0.3}, {"headPitch": 0.15}, {"headRoll": -0.2}])
    def test_a_straight_wall_stays_straight(self, patterned, source, turn):
        portrait, wall = patterned
        rest, drawn = (portrait.render(e, SIZE).astype(int) for e in (NEUTRAL, exp(**turn)))
        matte = cv2.resize(source[2].matte, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        # the head went there, so what it left is seen: all but its reach has to be the wall as it was
        reach = np.ones((2 * round(0.09 * SIZE) + 1,) * 2, np.uint8)
        away = cv2.dilate(matte, reach) == 0
        assert away.any()
        assert (drawn == rest)[away].all()
        around = (matte == 0) & ~away
        off = np.abs(drawn - wall).max(-1) > 40
        assert off[around].mean() < 0.3, "beside the head the wall is seen, or the head itself"
        uncovered = (np.abs(rest - wall).max(-1) > 40) & (np.abs(drawn - wall).max(-1) <= 3)
        assert uncovered.sum() > 50, "what the head has left is the wall"

    def test_a_background_that_is_found_is_the_picture_where_it_is_seen(self, source):
        picture, _, person = source
        open_ = person.matte == 0
        assert np.abs(person.behind.astype(int) - picture[..., :3])[open_].max() <= 1

    def test_transparency_stays(self, source):
        picture, points, person = source
        cut = np.dstack([picture[..., :3], person.matte])
        portrait = Portrait(cut, points, None, outlined(cut, points))
        for e in (NEUTRAL, exp(headYaw=0.2, jawOpen=0.4)):
            drawn = portrait.render(e, 256, 1.0)
            assert drawn.shape == (256, 256, 4)
            assert drawn[:12, :12, 3].max() == 0
            assert drawn[128, 128, 3] == 255

    def test_hair_moves_with_the_skull(self, portrait, source):
        """The top of the head goes where a lean of the head takes it, as one piece."""
        still, leaned = (portrait.render(e, SIZE).astype(np.float32).mean(-1) for e in (NEUTRAL, exp(headRoll=0.2)))
        _, points, person = source
        scale = SIZE / source[0].shape[0]
        top = np.flatnonzero((person.matte > 127).any(1))[0] * scale
        brow, x = float(points[10, 1]) * scale, float(points[10, 0]) * scale
        box = [int(v) for v in (max(0, top), (top + brow) / 2 + 12, x - 50, x + 50)]
        part = still[box[0] : box[1], box[2] : box[3]]
        area = leaned[max(0, box[0] - 15) : box[1] + 15, box[2] - 60 : box[3] + 60]
        seen = cv2.matchTemplate(area, part, cv2.TM_CCOEFF_NORMED)
        _, _, _, (aside, _) = cv2.minMaxLoc(seen)
        assert aside - 60 > 12, "the hair leans to the own left, the picture's right"


class TestBreath:
    """Shoulders rise and fall."""

    def test_shoulders_rise_and_what_is_behind_stays(self, portrait, source):
        _, _, person = source
        rest, full = (portrait.render(NEUTRAL, SIZE, b).astype(int) for b in (0.0, 1.0))
        matte = cv2.resize((person.matte > 0) * np.uint8(255), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        away = cv2.dilate(matte, np.ones((9, 9), np.uint8)) == 0
        assert not (rest != full)[away].any()
        body = cv2.erode(matte, np.ones((9, 9), np.uint8)) == 255
        body[: int(0.85 * SIZE)] = False
        assert (rest != full).any(-1)[body].mean() > 0.2

    def test_by_pixels_that_nobody_notices(self, portrait):
        full, rest = (portrait._motion.inverse(portrait._drawn(NEUTRAL, b)).whole for b in (1.0, 0.0))
        risen = np.percentile(np.abs(full - rest), 99) * portrait._motion.grid.cell
        assert 0.002 < risen < 0.0045, "of the picture's edge"

    def test_it_is_continuous_and_the_same_twice(self, portrait):
        steps = [portrait.render(NEUTRAL, 256, b).astype(int) for b in (0.50, 0.52, 0.50)]
        assert np.abs(steps[0] - steps[1]).max() < 30
        assert (steps[0] == steps[2]).all()


class TestSkin:
    """Brows, cheeks and folds."""

    def test_brows_move_so_that_one_sees_it(self, portrait, finder, first):
        def moved(**weights):
            p = finder.refine(portrait.render(exp(**weights), SIZE), first)[0][:, :2] - first[:, :2]
            face = np.ptp(first[:468, 1])
            return p[[55, 285], 1].mean() / face, p[[46, 276], 1].mean() / face

        inner, outer = moved(browDown=1.0)
        assert inner > 0.015
        assert inner > outer, "anger lowers the inner ends"
        inner, outer = moved(browInnerUp=1.0)
        assert inner < -0.015
        assert inner < outer - 0.01, "sorrow raises the inner ends"
        inner, outer = moved(browOuterUp=1.0)
        assert outer < -0.012

    @pytest.mark.parametrize(
        ("fold", "weights"),
        [
            ((9, 55, 107), {"browDown": 1.0}),  # between the brows
            ((203, 206), {"mouthSmile": 0.7}),  # nose to lip
            ((423, 426), {"mouthSmile": 0.7}),
            ((196, 188), {"noseSneer": 1.0}),  # beside the nose
            ((230, 119), {"cheekSquint": 1.0}),  # below the eye
        ],
    )
    def test_a_fold_is_a_shadow_beside_light(self, portrait, first, fold, weights):
        gain = shown_gain(portrait, exp(**weights))
        near = around(portrait, gain, first, fold)
        assert near.min() < 0.975, "darker in the fold"
        assert near.max() > near.min() + 0.03, "than beside it"

    def test_the_other_half_of_the_face_does_not_fold(self, portrait, first):
        gain = shown_gain(portrait, exp(noseSneerLeft=1.0))
        left, right = (around(portrait, gain, first, place) for place in ((423, 426), (203, 206)))
        assert np.ptp(left) > 2 * np.ptp(right)

    def test_puffed_cheeks_grow_light_above_and_dark_below(self, portrait):
        gain = shown_gain(portrait, exp(cheekPuff=1.0))
        assert gain.max() > 1.03
        assert gain.min() < 0.985

    def test_light_changes_by_no_more_than_a_little(self, portrait):
        rng = np.random.default_rng(3)
        for _ in range(20):
            gain = shown_gain(portrait, rng.random(50).astype(np.float32))
            assert 0.69 < gain.min() <= gain.max() < 1.31

    def test_a_face_at_rest_has_the_picture_s_light(self, portrait):
        weights = portrait._drawn(NEUTRAL)
        assert portrait._shading.change(portrait._motion.inverse(weights).whole, weights) is None

    def test_light_is_read_from_the_picture(self, source):
        """A picture lit from one side is shaded from that side."""
        picture, points, person = source
        n = picture.shape[0]
        x0, wide = points[:468, 0].mean(), np.ptp(points[:468, 0])
        ramp = np.clip(1 + 0.9 * (np.arange(n) - x0) / wide, 0.3, 1.7)[None, :, None]
        right, left = (
            Portrait(np.clip(picture[..., :3] * r * 0.7, 0, 255).astype(np.uint8), points, None, person)._shading.light
            for r in (ramp, 2 - ramp)
        )
        assert right[0] > left[0] + 0.3


def shown_gain(portrait: Portrait, e: np.ndarray) -> np.ndarray:
    """How much brighter the portrait draws its window."""
    weights = portrait._drawn(e)
    change = portrait._shading.change(portrait._motion.inverse(weights).whole, weights)
    assert change is not None
    return 1 + change


def around(portrait: Portrait, gain: np.ndarray, points: np.ndarray, landmarks: tuple[int, ...]) -> np.ndarray:
    """The gain near the middle of some landmarks; `points` are those at rest, at `SIZE`."""
    left, top, right, bottom = portrait._shading.box(SIZE)
    at = (points[list(landmarks), :2].mean(0) - [left, top]) / [right - left, bottom - top] * gain.shape[::-1]
    column, row = at.astype(int)
    return gain[max(0, row - 9) : row + 10, max(0, column - 9) : column + 10]


def test_no_expression_folds_the_skin(portrait):
    """The map of the drawn face never runs backwards, over 2,000 random legal expressions."""
    rng = np.random.default_rng(11)
    motion, began = portrait._motion, time.monotonic()
    for _ in range(2000):
        e = np.zeros(50, np.float32)
        some = rng.choice(45, rng.integers(1, 13), replace=False)
        e[some] = rng.random(len(some))
        e[45:] = rng.uniform(-0.3, 0.3, 5)
        layers = motion.inverse(portrait._drawn(e, float(rng.random())))
        for offset in (layers.upper, layers.lower):
            where = np.moveaxis(motion.grid.planes + offset, 1, 2)
            across, down = where[:-1, 1:] - where[:-1, :-1], where[1:, :-1] - where[:-1, :-1]
            area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
            assert area.min() > 0, {n: float(e[i]) for n, i in CHANNEL.items() if e[i]}
    assert time.monotonic() - began < 60


def test_a_collar_is_not_dragged_by_the_jaw(portrait, source):
    _, _, person = source
    rest, opened = (portrait.render(e, SIZE).astype(int) for e in (NEUTRAL, exp(jawOpen=1.0)))
    cloth = cv2.erode(cv2.resize(person.clothes, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.ones((9, 9), np.uint8))
    assert (cloth == 255).any()
    assert np.abs(opened - rest)[cloth == 255].max() <= 6


def test_nothing_flickers(portrait):
    for e in (NEUTRAL, exp(mouthSmile=0.6, headYaw=0.05)):
        assert (portrait.render(e, SIZE, 0.3) == portrait.render(e, SIZE, 0.3)).all()
    near = portrait.render(exp(headYaw=0.0005), SIZE).astype(int)
    assert np.abs(near - portrait.render(NEUTRAL, SIZE)).mean() < 0.5, "a head that begins to turn does not jump"


def test_brows_stay_whole_above_lids_that_droop(portrait, first):
    rest, drooping = (portrait.render(e, SIZE).astype(int) for e in (NEUTRAL, exp(eyeBlink=0.16)))
    for pair in ((105, 52), (63, 53), (334, 282), (293, 283)):
        x, y = np.round(first[list(pair), :2].mean(0)).astype(int)
        assert np.abs(drooping - rest)[y - 2 : y + 3, x - 3 : x + 4].mean() < 6
