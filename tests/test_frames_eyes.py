"""The eyes of the portrait warp: lids that meet, irises that look about, and nothing left over."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from coefficients import exp

from npc_engine.cast import Cast
from npc_engine.frames.eye_rims import Rims
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_portrait
from npc_engine.frames.pictures import read_picture
from npc_engine.frames.portrait import Portrait
from npc_engine.moments import NEUTRAL

ROOT = Path(__file__).parents[1]
FACES = ("elder", "maren")
SIZE = 512
SIDES = (("Right", (33, 133), (159, 145), 468), ("Left", (362, 263), (386, 374), 473))
BLINKS = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0])


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module", params=FACES)
def portrait(request) -> Portrait:
    return load_portrait(*Cast((ROOT,)).face(request.param))


@pytest.fixture(scope="module")
def first(portrait, finder) -> np.ndarray:
    still = portrait.render(NEUTRAL, SIZE)
    return finder.landmarks(still, finder.find(still)[0])[0]


@pytest.fixture(scope="module")
def turned(finder) -> tuple[Portrait, np.ndarray]:
    """A face seen 30° from the side; its far eye is its own right one."""
    pixels = read_picture(Path(__file__).parent / "pictures" / "three_quarter.jpg")
    points, _ = finder.landmarks(pixels, finder.find(pixels)[0])
    return Portrait(pixels, points), points


def drawing(size: int = 640) -> np.ndarray:
    """A cartoon face with large round eyes, drawn with ellipses: RGB."""
    scale = 4
    picture = np.full((size * scale, size * scale, 3), (190, 205, 225), np.uint8)
    skin, hair, line = (240, 196, 160), (120, 60, 30), (90, 50, 35)

    def ellipse(centre, axes, colour, arc=(0, 360), width=-1) -> None:
        middle, half = (tuple(round(k * scale) for k in pair) for pair in (centre, axes))
        thick = width if width < 0 else round(width * scale)
        cv2.ellipse(picture, middle, half, 0, *arc, colour, thick, cv2.LINE_AA)

    ellipse((320, 300), (215, 240), hair)
    ellipse((320, 640), (230, 150), (70, 110, 160))
    ellipse((320, 540), (70, 90), (225, 178, 142))
    ellipse((320, 330), (165, 205), skin)
    ellipse((320, 165), (170, 90), hair)
    for x in (248, 392):
        ellipse((x, 330), (46, 40), (255, 255, 255))
        ellipse((x, 332), (27, 31), (60, 130, 80))
        ellipse((x, 332), (14, 17), (20, 20, 20))
        ellipse((x - 9, 320), (7, 8), (255, 255, 255))
        ellipse((x, 330), (46, 40), line, (0, 180), 1.5)
        ellipse((x, 331), (47, 42), (40, 20, 15), (190, 350), 6)
        ellipse((x, 258), (48, 16), hair, (200, 340), 8)
    nose = np.array([[318, 345], [302, 405], [330, 412]]) * scale
    cv2.polylines(picture, [nose], isClosed=False, color=(190, 130, 100), thickness=3 * scale, lineType=cv2.LINE_AA)
    ellipse((320, 455), (58, 16), (200, 90, 90))
    ellipse((320, 446), (60, 12), skin)
    ellipse((320, 452), (58, 8), (120, 40, 40), (10, 170), 3)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def gaps(points: np.ndarray) -> list[float]:
    """Opening of the right and the left eye in eye widths."""
    return [
        float(np.linalg.norm(points[u, :2] - points[d, :2]) / np.linalg.norm(points[a, :2] - points[b, :2]))
        for _, (a, b), (u, d), _ in SIDES
    ]


def in_opening(portrait: Portrait, side: int, inset: float = 0.0) -> np.ndarray:
    """Where the drawn picture shows this eye when it is open: bool[SIZE, SIZE]."""
    rims = portrait._eyes[side].rims
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    uv = rims.local((np.stack([x, y], -1) + 0.5) / SIZE)
    upper, lower = (np.interp(uv[..., 0], rims.u, rim, 0.0, 0.0) for rim in (rims.upper, rims.lower))
    return (uv[..., 1] > upper + inset) & (uv[..., 1] < lower - inset)


def irises(finder: FaceFinder, picture: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Both irises as the landmark network sees them, moved from where they were: f32[2, 2] in pixels."""
    points, _ = finder.refine(picture, first)
    centres = [iris for *_, iris in SIDES]
    return points[centres, :2] - first[centres, :2]


@pytest.mark.parametrize(("channel", "side"), [("eyeBlinkRight", 0), ("eyeBlinkLeft", 1)])
def test_the_opening_that_is_seen_follows_the_blink_that_is_asked(portrait, finder, first, channel, side):
    seen = []
    for asked in BLINKS:
        points, _ = finder.refine(portrait.render(exp(**{channel: asked}), SIZE), first)
        seen.append(gaps(points)[side])
    assert np.corrcoef(1 - BLINKS, seen)[0, 1] >= 0.9
    assert np.diff(seen).max() < 0.012, "the network sees a gap to about a hundredth of an eye's width"
    assert seen[-1] < 0.5 * seen[0], "and never sees an eye quite closed"


@pytest.mark.parametrize("side", [0, 1])
def test_a_closed_eye_shows_skin_and_lashes_and_no_eyeball(portrait, side):
    still = cv2.cvtColor(portrait.render(NEUTRAL, SIZE), cv2.COLOR_RGB2LAB).astype(float)
    shut = cv2.cvtColor(portrait.render(exp(eyeBlink=1.0), SIZE), cv2.COLOR_RGB2LAB).astype(float)
    eye = in_opening(portrait, side)
    wide = cv2.dilate(eye.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    skin = np.median(still[wide & ~eye], axis=0)
    # the white is greyer than skin, the iris has another hue; lashes are darker than half
    visible = shut[eye & (shut[..., 0] > 0.55 * skin[0])]
    tint = np.hypot(*(visible[:, 1:] - skin[1:]).T)
    open_tint = np.hypot(*(still[eye][:, 1:] - skin[1:]).T)
    assert np.percentile(open_tint, 70) > 12, "the eye that was open differs from skin"
    assert (tint > 12).mean() < 0.03


@pytest.mark.parametrize("side", [0, 1])
def test_no_lash_stays_behind(portrait, side):
    shut = portrait.render(exp(eyeBlink=1.0), SIZE).astype(float).mean(-1)
    eye = portrait._eyes[side]
    u = np.linspace(-0.4, 0.4, 81)
    rim, meet = (np.interp(u, eye.rims.u, curve) for curve in (eye.rims.upper, eye.meet))
    # what lies between the rest of the upper lid's edge, lashes included, and the line of the closed lids
    share = np.linspace(0, 1, 12)[:, None]
    v = (rim - 0.12) * (1 - share) + (meet - 0.08) * share
    places = eye.rims.places(np.stack(np.broadcast_arrays(u, v), -1)) * SIZE - 0.5
    lid = cv2.remap(shut.astype(np.float32), places.astype(np.float32), None, cv2.INTER_LINEAR)
    assert (lid < 0.72 * np.median(lid)).mean() < 0.01
    line = eye.rims.places(np.stack([u, meet], -1)) * SIZE - 0.5
    dark = cv2.remap(shut.astype(np.float32), line.astype(np.float32)[None], None, cv2.INTER_LINEAR)
    assert np.median(dark) < 0.6 * np.median(lid), "a dark line where the lids meet"


def test_a_blink_has_no_jump(portrait):
    """From tick to tick the eyes change by the lid's motion, with nothing that appears or goes at once."""
    eyes = np.any([cv2.dilate(in_opening(portrait, s).astype(np.uint8), np.ones((41, 41))) for s in (0, 1)], 0)
    steps = [portrait.render(exp(eyeBlink=b), SIZE)[eyes].astype(int) for b in np.linspace(0, 1, 26)]
    change = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(steps)])
    assert change.max() < 3.5 * np.median(change)


@pytest.mark.parametrize("glance", [("gazeYaw", 0, 1), ("gazePitch", 1, -1)])
def test_the_irises_go_where_they_are_asked_to_and_both_alike(portrait, finder, first, glance):
    channel, axis, sign = glance
    asked = np.linspace(-0.25, 0.25, 11)
    seen = np.array(
        [irises(finder, portrait.render(exp(**{channel: a}), SIZE), first)[:, axis] for a in asked]
    )  # f32[11, 2]
    for side, eye in enumerate(portrait._eyes):
        assert np.corrcoef(sign * asked, seen[:, side])[0, 1] >= 0.95
        # an eyeball's radius is four tenths of an eye's width; of pitch the network, which knows lids, sees half
        way = np.polyfit(sign * np.sin(asked), seen[:, side], 1)[0] / (0.4 * eye.width * SIZE)
        assert 0.35 < way < 1.4
    assert np.corrcoef(*seen.T)[0, 1] >= 0.95
    assert np.abs(seen[:, 0] - seen[:, 1]).max() <= 2.6, "both look the same way, as well as the network can tell"


def test_both_eyes_turn_by_the_same_way(portrait):
    right, left = (eye.look_axes for eye in portrait._eyes)
    assert (right == left).all()


def test_a_glance_moves_the_iris_as_a_whole(portrait):
    """The drawn iris at a glance is the iris at rest, moved by the sine of the angle: sampled on its lower half."""
    pictures = {yaw: portrait.render(exp(gazeYaw=yaw), SIZE).astype(np.float32) for yaw in (0.04, 0.2, -0.2)}
    for eye in portrait._eyes:
        angle, radius = np.meshgrid(np.radians(np.arange(20, 161, 10)), [0.35, 0.5, 0.65])
        uv = eye.iris + eye.iris_radius * np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        colours = {}
        for yaw, picture in pictures.items():
            places = eye.rims.places(uv) + np.sin(yaw) * eye.look_axes[0]
            local = eye.rims.local(places)
            shown = local[..., 1] < np.interp(local[..., 0], eye.rims.u, eye.rims.lower) - 0.05
            at = (places * SIZE - 0.5).astype(np.float32)
            colours[yaw] = cv2.remap(picture, at, None, cv2.INTER_LINEAR), shown
        rest, seen = colours.pop(0.04)
        for moved, there in colours.values():
            both = seen & there
            assert both.sum() > 8
            assert np.median(np.abs(rest - moved)[both]) < 8


@pytest.mark.parametrize("side", [0, 1])
def test_a_glance_leaves_the_white_clean(portrait, side):
    """Where the iris was there is white: nothing is left of its colour, and nothing is lighter than the white was."""
    still = portrait.render(NEUTRAL, SIZE).astype(float)
    eye = portrait._eyes[side]
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    uv = eye.rims.local((np.stack([x, y], -1) + 0.5) / SIZE) - eye.iris
    opening = in_opening(portrait, side, 0.06)
    for yaw in (0.3, -0.3):
        looking = portrait.render(exp(gazeYaw=yaw), SIZE).astype(float)
        centre = np.sign(yaw) * 0.4 * np.sin(0.3)
        left_behind = opening & (np.hypot(uv[..., 0], uv[..., 1]) < 0.95 * eye.iris_radius)
        left_behind &= np.hypot(uv[..., 0] - centre, uv[..., 1]) > 1.12 * eye.iris_radius
        assert left_behind.sum() > 12
        white = opening & (np.hypot(uv[..., 0], uv[..., 1]) > 1.15 * eye.iris_radius)
        usual = np.percentile(still[white].mean(1), [25, 95])
        now = looking[left_behind].mean(1)
        assert np.median(now) > 0.8 * usual[0]
        assert now.max() < 1.15 * usual[1]
        saturation = np.ptp(looking[left_behind], axis=1)
        assert np.median(saturation) < np.percentile(np.ptp(still[white], axis=1), 75) + 8


def test_the_upper_lid_follows_the_gaze(portrait):
    for eye in portrait._eyes:
        up, rest, down = (eye.lids(0, 0, 0, d)[0].min() for d in (-0.1, 0.0, 0.1))
        assert up < rest < down
        assert (eye.lids(0, 1, 0, -0.14)[0] <= eye.lids(0, 0, 0, 0)[0] + 1e-6).all()


def test_wide_eyes_show_more_and_squinting_less(portrait, finder, first):
    rest, wide, squint = (
        np.array(gaps(finder.refine(portrait.render(e, SIZE), first)[0]))
        for e in (NEUTRAL, exp(eyeWide=1.0), exp(eyeSquint=1.0))
    )
    assert (wide > rest + 0.01).all()
    assert (squint < rest - 0.01).all()


def test_every_way_to_draw_lids_keeps_their_order(portrait):
    rng = np.random.default_rng(5)
    for eye in portrait._eyes:
        for _ in range(200):
            blink, wide, squint = rng.random(3)
            upper, lower, up, down = eye.lids(blink, wide, squint, rng.uniform(-0.14, 0.14))
            assert (upper <= lower).all()
            assert np.isfinite([up, down]).all()
        upper, lower, *_ = eye.lids(1, 0, 0, 0)
        assert np.abs(upper - lower).max() < 1e-6, "closed lids meet all along"


def test_the_far_eye_of_a_turned_face_closes(turned, finder):
    portrait, points = turned
    scaled = points * np.float32(SIZE / portrait.picture.shape[0])
    rest = gaps(finder.refine(portrait.render(NEUTRAL, SIZE), scaled)[0])
    seen = np.array([gaps(finder.refine(portrait.render(exp(eyeBlink=b), SIZE), scaled)[0]) for b in BLINKS])
    for side in (0, 1):
        assert np.corrcoef(1 - BLINKS, seen[:, side])[0, 1] >= 0.9
        assert seen[-1, side] < 0.6 * rest[side]
        shut = portrait.render(exp(eyeBlink=1.0), SIZE).astype(int)
        eye = in_opening(portrait, side)
        white = np.ptp(portrait.render(NEUTRAL, SIZE)[eye].astype(int), axis=1) < 30
        assert white.mean() > 0.2, "an open eye shows grey: its white and its lashes"
        light, grey = shut[eye].mean(1), np.ptp(shut[eye], axis=1) < 30
        assert (grey & (light > 110)).mean() < 0.02, "nothing of the white is left"


def test_rims_found_in_the_picture_mend_landmarks_that_are_off():
    """Landmarks moved aside by two pixels of 512 give nearly the same rims."""
    spec, folder = Cast((ROOT,)).face("maren")
    picture = read_picture(folder / spec.picture)
    with np.load(folder / spec.landmarks) as file:
        points = file["points"].astype(np.float32) / picture.shape[0]
    points[:, :2] += np.float32(0.5 / picture.shape[0])
    for side in (0, 1):
        true = Rims(picture, points, side)
        off = points.copy()
        off[:, 1] += np.float32(2 / 512)
        found = Rims(picture, off, side)
        inside = np.abs(true.u) < 0.4
        middle = found.places(np.stack([found.u, found.lower], -1))[inside]
        height = true.local(middle)
        error = np.abs(height[:, 1] - np.interp(height[:, 0], true.u, true.lower)) * true.width * 512
        assert error.mean() < 1.3, "two pixels before"


def test_large_round_eyes_of_a_drawing_are_found_and_close(finder):
    """The landmark network believes them half as high as they are."""
    picture = drawing()
    points, _ = finder.landmarks(picture, finder.find(picture)[0])
    portrait = Portrait(picture, points)
    open_, shut = (portrait.render(e, SIZE).astype(int) for e in (NEUTRAL, exp(eyeBlink=1.0)))
    looking = portrait.render(exp(gazeYaw=0.25), SIZE).astype(int)
    for side, x in enumerate((248, 392)):
        eye = portrait._eyes[side]
        assert eye.rims.drawn
        scale = SIZE / 640
        centre = eye.rims.places(eye.iris) * SIZE
        assert np.abs(centre - np.array([x, 332]) * scale).max() < 4
        y, x_ = np.mgrid[0:SIZE, 0:SIZE]
        inside = np.hypot((x_ - x * scale) / 40, (y - 330 * scale) / 34) < 0.8
        white = (open_[inside] > 235).all(1)
        green = np.ptp(open_[inside], axis=1) > 50
        assert white.mean() > 0.2
        assert (shut[inside] > 235).all(1).mean() < 0.01
        assert (shut[inside][:, 1] > shut[inside][:, 0]).mean() < 0.02, "no green of the iris"
        assert green.mean() > 0.2
        iris = (looking[..., 1] - looking[..., 0] > 40) & inside
        assert x_[iris].mean() > x * scale + 4


def test_eyes_of_people_are_where_their_landmarks_are(portrait, turned):
    assert not any(eye.rims.drawn for face in (portrait, turned[0]) for eye in face._eyes)
