"""The mouth of the portrait warp: what is asked is what the landmark network sees, and what lies between the lips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from coefficients import exp

from npc_engine.cast import Cast
from npc_engine.frames import sprites
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_portrait
from npc_engine.frames.portrait import Portrait
from npc_engine.moments import CHANNEL, NEUTRAL

ROOT = Path(__file__).parents[1]
FACES = sorted(name for name in Cast((ROOT,)).faces() if Cast((ROOT,)).face(name)[0].engine == "portrait")
SIZE = 512
LIGHT = np.array([0.299, 0.587, 0.114])
RAMP = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
MOUTH = [name for name in CHANNEL if name.startswith(("jaw", "mouth", "tongue"))]


def loaded(name: str) -> Portrait:
    return load_portrait(*Cast((ROOT,)).face(name))


@pytest.fixture(scope="module", params=FACES)
def portrait(request) -> Portrait:
    return loaded(request.param)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def seen(portrait, finder):
    """Landmarks that the network finds in a drawn frame."""
    still = portrait.render(NEUTRAL, SIZE)[..., :3]
    first = finder.landmarks(np.ascontiguousarray(still), finder.find(np.ascontiguousarray(still))[0])[0]

    def look(**weights: float) -> np.ndarray:
        drawn = np.ascontiguousarray(portrait.render(exp(**weights), SIZE)[..., :3])
        return finder.refine(drawn, first)[0][:, :2]

    return look


def gap(points: np.ndarray) -> float:
    """Opening between the lips in rest widths of this face's eyes (they do not move)."""
    return float((points[14, 1] - points[13, 1]) / np.linalg.norm(points[33] - points[263]))


def width(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[61] - points[291]) / np.linalg.norm(points[33] - points[263]))


def layers(portrait: Portrait, **weights: float):
    """What is drawn at 512 pixels and where the mouth opens: RGB u8[h, w, 3] and f32[h, w]."""
    drawn = portrait._drawn(exp(**weights))
    at = portrait._sized.at(SIZE)
    mouth = at.mouth
    found = portrait._motion.inverse(drawn)
    low, high = found.rims.min(0) * SIZE - 8, found.rims.max(0) * SIZE + 8
    part = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    maps = mouth._maps((found.upper, found.lower), part)
    lips = mouth._upper[0], mouth._lower[0]
    above, under = (cv2.remap(lip, *at, cv2.INTER_LINEAR)[..., 3] / 255 for lip, at in zip(lips, maps, strict=True))
    pose = mouth._interior.pose(drawn @ portrait._motion.skull, drawn @ portrait._motion.jaw, drawn)
    under = under * (1 - mouth._interior.over(part, pose) / 255)
    frame = portrait.render(exp(**weights), SIZE)[part[1] : part[3], part[0] : part[2], :3]
    return frame, np.clip(1 - above - under, 0, 1)


def inside(portrait: Portrait, **weights: float) -> np.ndarray:
    """The colours f[n, 3] of what lies wholly between the lips."""
    frame, hole = layers(portrait, **weights)
    return frame[hole > 0.95].astype(float)


def test_there_are_faces_to_test():
    assert FACES


def test_opening_follows_the_jaw(seen):
    gaps = [gap(seen(jawOpen=a)) for a in RAMP]
    assert np.corrcoef(RAMP, gaps)[0, 1] >= 0.9


def test_width_follows_smile_stretch_and_pucker(seen):
    asked, found = [], []
    for name, sign in (("mouthSmile", 0.20), ("mouthStretch", 0.12), ("mouthPucker", -0.30)):
        widths = [width(seen(**{name: a})) for a in (0.0, 0.3, 0.6, 0.9)]
        assert abs(np.corrcoef([0.0, 0.3, 0.6, 0.9], widths)[0, 1]) >= 0.85, name  # four places each
        asked += [sign * a for a in (0.0, 0.3, 0.6, 0.9)]
        found += list(np.array(widths) / widths[0] - 1)
    assert np.corrcoef(asked, found)[0, 1] >= 0.9


def test_closing_follows_mouth_close(seen):
    shares = np.linspace(0, 1, 9)  # of fewer, the network's doubts about lips that are nearly closed decide
    gaps = [gap(seen(jawOpen=0.35, mouthClose=0.35 * s)) for s in shares]
    assert np.corrcoef(shares, gaps)[0, 1] <= -0.9


@pytest.mark.parametrize("jaw", [0.05, 0.15, 0.3])
def test_p_b_m_show_closed_lips(portrait, seen, jaw):
    closed = {"jawOpen": jaw, "mouthClose": jaw, "mouthPress": 0.3}
    _, hole = layers(portrait, **closed)
    _, opened = layers(portrait, jawOpen=jaw)
    assert (hole > 0.5).sum() <= 0.03 * (opened > 0.5).sum(), "nothing of the inside is seen"
    assert gap(seen(**closed)) < gap(seen()) + 0.02


def test_teeth_are_brighter_than_the_cavity_and_no_brighter_than_the_whites_of_the_eyes_allow(portrait):
    teeth, cavity = inside(portrait, jawOpen=0.1, mouthUpperUp=0.7), inside(portrait, jawOpen=0.6)
    bright, dark = np.percentile(teeth @ LIGHT, 80), np.percentile(cavity @ LIGHT, 15)
    assert bright > 2.5 * dark
    tooth = portrait._mouth.interior.colours.tooth
    assert 0.45 * (tooth @ LIGHT) < bright <= 1.08 * (tooth @ LIGHT)


def test_an_open_mouth_is_no_black_hole_and_no_white_bar(portrait):
    colours = inside(portrait, jawOpen=0.6)
    light = colours @ LIGHT
    assert (light < 12).mean() < 0.6
    assert light.std() > 8, "teeth, tongue and cavity differ"
    warm = colours[(light > 20) & (light < 120)].mean(0)
    assert warm[0] > 1.2 * warm[1], "what is not tooth is flesh"
    teeth = inside(portrait, mouthSmile=0.8, mouthUpperUp=0.6, jawOpen=0.25) @ LIGHT
    assert np.percentile(teeth, 90) - np.percentile(teeth, 30) > 15, "teeth have edges, and corners that darken"


def test_teeth_stand_on_the_lip_for_f_and_v(portrait):
    f = {"jawOpen": 0.08, "mouthRollLower": 0.5, "mouthUpperUp": 0.4, "mouthShrugLower": 0.3}
    colours = inside(portrait, **f)
    assert len(colours) > 20
    cavity = np.percentile(inside(portrait, jawOpen=0.6) @ LIGHT, 15)
    assert np.median(colours @ LIGHT) > 2 * cavity


def test_the_tongue_comes_out_over_the_lip_and_up_behind_the_teeth(portrait):
    open_mouth = portrait.render(exp(jawOpen=0.3), SIZE).astype(int)[..., :3]
    out = portrait.render(exp(jawOpen=0.3, tongueOut=1.0), SIZE).astype(int)[..., :3]
    changed = np.abs(out - open_mouth).max(-1) > 15
    _, hole = layers(portrait, jawOpen=0.3)
    assert changed.sum() > 1.1 * (hole > 0.5).sum() * 0.5
    rims = portrait._motion.inverse(portrait._drawn(exp(jawOpen=0.3))).rims * SIZE
    assert np.flatnonzero(changed.any(1)).max() > rims[:, 1].max() + 3, "it hangs over the lower lip"
    up = portrait.render(exp(jawOpen=0.3, tongueUp=0.9), SIZE).astype(int)[..., :3]
    moved = np.flatnonzero((np.abs(up - open_mouth).max(-1) > 8).any(1))
    assert len(moved) > 3
    assert moved.max() < rims[:, 1].max() + 2, "it stays in the mouth"


def test_pucker_opens_a_small_dark_round_hole(portrait):
    frame, hole = layers(portrait, mouthPucker=0.8, jawOpen=0.08)
    columns, rows = np.flatnonzero((hole > 0.5).any(0)), np.flatnonzero((hole > 0.5).any(1))
    mouth = portrait._mouth.lips.width * SIZE
    assert 0.08 * mouth < np.ptp(columns) < 0.62 * mouth
    assert np.ptp(rows) > 1
    around = frame[hole < 0.01].astype(float) @ LIGHT
    # three quarters of what is around, for half of it may be a beard
    assert np.median(frame[hole > 0.5].astype(float) @ LIGHT) < 0.8 * np.percentile(around, 75)


def test_the_inside_follows_the_light_of_the_picture(portrait):
    points = cast_points(portrait)
    dim = Portrait((portrait.picture * 0.45).astype(np.uint8), points)
    for weights in ({"jawOpen": 0.5}, {"jawOpen": 0.2, "mouthUpperUp": 0.6, "mouthSmile": 0.6}):
        bright, dark = inside(portrait, **weights), inside(dim, **weights)
        assert 0.35 < dark.mean() / bright.mean() < 0.62, weights
    edge = portrait.picture.shape[1]
    slope = np.linspace(0.45, 1.0, edge)[:, None]
    sided = portrait.picture.copy()
    sided[..., :3] = sided[..., :3] * slope
    grin = {"mouthSmile": 0.8, "mouthUpperUp": 0.6, "jawOpen": 0.2}
    frame, hole = layers(Portrait(sided, points), **grin)
    plain, _ = layers(portrait, **grin)
    ratio = (frame.astype(float) @ LIGHT) / np.maximum(plain.astype(float) @ LIGHT, 1)
    columns = np.flatnonzero((hole > 0.9).any(0))
    first, last = columns[: len(columns) // 4], columns[-len(columns) // 4 :]
    left, right = (ratio[:, part][hole[:, part] > 0.9].mean() for part in (first, last))
    assert right > left, "the side that is lit is brighter between the lips too"


def cast_points(portrait: Portrait) -> np.ndarray:
    """The landmarks of the face whose portrait this is, in pixels of its picture."""
    for name in FACES:
        spec, folder = Cast((ROOT,)).face(name)
        with np.load(folder / spec.landmarks) as file:
            points = np.asarray(file["points"], np.float32)
        edge = portrait.picture.shape[0]
        lips = portrait._mouth.lips
        if np.abs((points[[78, 308], :2].mean(0) + 0.5) / edge - lips.centre).max() < 1e-4:
            return points
    pytest.fail("a portrait of no face that ships")


@pytest.fixture(scope="module")
def toothy(finder) -> Portrait:
    """A picture whose mouth is open and shows teeth: drawn by opening one that ships."""
    open_mouth = exp(jawOpen=0.12, mouthSmile=0.6, mouthUpperUp=0.7, mouthLowerDown=0.5)
    picture = np.ascontiguousarray(loaded("maren" if "maren" in FACES else FACES[0]).render(open_mouth, 768)[..., :3])
    points, _ = finder.landmarks(picture, finder.find(picture)[0])
    return Portrait(picture, points)


def test_an_open_mouth_is_taken_for_one(toothy):
    assert toothy._mouth.lips.open


def test_a_toothy_picture_is_closed_when_silent(toothy):
    _, hole = layers(toothy)
    _, opened = layers(toothy, jawOpen=0.3)
    assert (hole > 0.5).sum() <= 0.02 * (opened > 0.5).sum()
    frame, _ = layers(toothy)
    tooth = toothy._mouth.interior.colours.tooth @ LIGHT
    light = (frame @ LIGHT)[:, frame.shape[1] // 3 : -frame.shape[1] // 3]
    seam = light.argmin(0) + np.arange(-4, 5)[:, None]  # the lips beside it, and no skin
    along = np.take_along_axis(light, seam.clip(0, len(light) - 1), axis=0)
    assert along.max() < 0.95 * tooth, "no tooth shines through the closed lips"


def test_the_closed_lips_of_a_toothy_picture_have_a_seam(toothy):
    frame, _ = layers(toothy)
    column = frame[:, frame.shape[1] // 2 - 3 : frame.shape[1] // 2 + 4].astype(float).mean(1) @ LIGHT
    assert column.min() < 0.85 * np.median(column)


def test_a_toothy_picture_opens_and_shows_its_teeth(toothy):
    light = inside(toothy, jawOpen=0.1, mouthUpperUp=0.7, mouthSmile=0.5) @ LIGHT
    assert np.percentile(light, 75) > 0.5 * (toothy._mouth.interior.colours.tooth @ LIGHT)


def test_no_mouth_expression_folds_the_picture(portrait):
    rng = np.random.default_rng(11)
    nodes = portrait._motion.grid.planes
    for _ in range(80):
        some = rng.choice(len(MOUTH), 6, replace=False)
        e = NEUTRAL.copy()
        e[[CHANNEL[MOUTH[i]] for i in some]] = rng.random(6)
        found = portrait._motion.inverse(portrait._drawn(e))
        for offset in (found.upper, found.lower):
            where = np.moveaxis(nodes + offset, 1, 2)
            dx, dy = np.diff(where, axis=1)[:-1], np.diff(where, axis=0)[:, :-1]
            assert (dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0] > 0).mean() > 0.999


def test_the_asset_says_what_it_is_made_of_and_is_small():
    assert sprites.ASSET.stat().st_size < 300_000
    record = sprites.record()
    assert "CC0 1.0" in record["head"]
    assert record["made_by"] == "tools/mouth/make.py"


def test_sprites_are_coloured_and_lit_as_told():
    def colours(aside: float) -> sprites.Colours:
        plain = [np.array(c, np.float32) for c in ((200, 190, 170), (160, 80, 80), (150, 70, 80), (180, 110, 110))]
        return sprites.Colours(*plain, aside=aside)

    even, right = (sprites.lit("upper", colours(a)).pixels.astype(float) for a in (0.0, 0.3))
    there = even[..., 3] > 250
    half = even.shape[1] // 2
    gain = [
        (right[:, part][there[:, part]] @ [*LIGHT, 0]).mean() / (even[:, part][there[:, part]] @ [*LIGHT, 0]).mean()
        for part in (slice(None, half), slice(half, None))
    ]
    assert gain[1] > 1.1 * gain[0]
    mirrored = even[:, ::-1]
    assert np.abs(mirrored - even)[there].mean() < 6, "a row is as one sees it in a mirror"
    small = sprites.lit("tongue_out", colours(0.0)).at(60, 30)
    assert small.pixels.shape[1] < 100
    assert np.allclose(small.grain, [60, 30], rtol=0.05)
