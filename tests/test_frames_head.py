"""The drawn head: what is asked is what is seen, from every side, and a wrong description is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from coefficients import exp

from npc_engine.cast import Cast, CastError
from npc_engine.frames.head.asset import LOWER_TEETH, TONGUE, UPPER_TEETH, asset
from npc_engine.frames.head.face import Head, load_head
from npc_engine.frames.head.mouth import points_of
from npc_engine.frames.head.pose import Poser, rotation
from npc_engine.frames.head.shaping import mixture, shaped
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.load import load_face
from npc_engine.frames.pictures import FaceError
from npc_engine.frames.preview import expression
from npc_engine.head_spec import STYLES, HeadSpec
from npc_engine.moments import ANGLES, CHANNEL, NEUTRAL, Expression, Line, Outputs

ROOT = Path(__file__).parents[1]
HEADS = [name for name in sorted(Cast((ROOT,)).faces()) if Cast((ROOT,)).face(name)[0].engine == "head"]
SIZE = 384


@pytest.fixture(scope="module", params=HEADS)
def head(request) -> Head:
    spec, folder = Cast((ROOT,)).face(request.param)
    return load_head(spec.head, folder, {})


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def tracked(finder: FaceFinder, picture: np.ndarray) -> dict[str, float]:
    """Mouth opening and width in face heights, and the opening of each eye in its widths, as the network sees them."""
    points = finder.landmarks(picture, finder.find(picture)[0])[0][:, :2]

    def far(a: int, b: int) -> float:
        return float(np.linalg.norm(points[a] - points[b]))

    tall = far(10, 152)
    return {
        "open": far(13, 14) / tall,
        "width": far(61, 291) / tall,
        "right": far(159, 145) / far(33, 133),
        "left": far(386, 374) / far(362, 263),
    }


def follows(finder: FaceFinder, head: Head, what: str, asked: list[float], make) -> float:
    """Correlation of what was asked with what is tracked."""
    seen = [tracked(finder, head.render(make(value), SIZE))[what] for value in asked]
    return float(np.corrcoef(asked, seen)[0, 1])


STEPS = [0.0, 0.1, 0.2, 0.3, 0.45, 0.6]


def test_the_jaw_is_seen_to_open(head, finder) -> None:
    assert follows(finder, head, "open", STEPS, lambda w: exp(jawOpen=w)) > 0.9


def test_the_lips_are_seen_to_close_an_open_jaw(head, finder) -> None:
    assert follows(finder, head, "open", STEPS, lambda w: exp(jawOpen=0.5, mouthClose=0.5 - w * 0.8)) > 0.9
    shut = tracked(finder, head.render(exp(jawOpen=0.08, mouthClose=0.08, mouthPress=0.3), SIZE))["open"]
    assert shut < tracked(finder, head.render(exp(jawOpen=0.15), SIZE))["open"]


def test_the_mouth_is_seen_to_widen_and_narrow(head, finder) -> None:
    smile = follows(finder, head, "width", STEPS, lambda w: exp(mouthSmile=w))
    pucker = follows(finder, head, "width", STEPS, lambda w: exp(mouthPucker=w))
    assert smile > 0.9
    assert pucker < -0.9


def test_lips_are_rounded_and_narrow_for_oo(head, finder) -> None:
    still, oo = (tracked(finder, head.render(expression(name), SIZE)) for name in ("neutral", "oo"))
    assert oo["width"] < 0.85 * still["width"]


def test_an_open_mouth_shows_upper_teeth_before_a_dark_hollow(head) -> None:
    e, figure = expression("ah"), head.figure
    points = figure.poser.pose(e).points
    upper = points[points_of(asset(), UPPER_TEETH)]
    lower = points[points_of(asset(), LOWER_TEETH)]
    edge, below = (rows[np.abs(rows[:, 0]) < 0.08] for rows in (upper, lower))
    front, floor = edge[edge[:, 1].argmin()], below[below[:, 1].argmax()]
    middle = (front + floor) / 2
    assert middle[1] < front[1]  # the rows of teeth are apart
    assert points[points_of(asset(), TONGUE), 1].max() < front[1]  # and the tongue lies below the upper one
    picture = cv2.cvtColor(head.render(e, 512)[..., :3].copy(), cv2.COLOR_RGB2GRAY)

    def seen(point: np.ndarray) -> float:
        x, y = np.round(figure.camera.pixels(figure.camera.seen(point[None]), 512)[0]).astype(int)
        return float(picture[y, x - 2 : x + 3].mean())

    hollow = seen(middle)
    assert hollow < 70
    assert seen(front + np.array([0, 0.02, 0], np.float32)) > hollow + 50


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_eye_is_seen_to_blink(head, finder, side) -> None:
    name = f"eyeBlink{side.capitalize()}"
    assert follows(finder, head, side, [0, 0.2, 0.4, 0.6, 0.8, 1.0], lambda w: exp(**{name: w})) < -0.9


def test_the_head_turns_the_way_it_is_told(head, finder) -> None:
    def nose(e: np.ndarray) -> np.ndarray:
        picture = head.render(e, SIZE)
        points = finder.landmarks(picture, finder.find(picture)[0])[0][:, :2]
        return (points[1] - (points[234] + points[454]) / 2) / np.linalg.norm(points[234] - points[454])

    still = nose(NEUTRAL)
    assert nose(exp(headYaw=0.25))[0] > still[0] + 0.05  # the person's left is the viewer's right
    assert nose(exp(headYaw=-0.25))[0] < still[0] - 0.05
    assert nose(exp(headPitch=0.25))[1] < still[1] - 0.03


def test_eyes_turn_without_the_head(head) -> None:
    figure = head.figure
    left = figure.poser.pose(exp(gazeYaw=0.4))
    still = figure.poser.pose(NEUTRAL)
    assert left.balls[0][0, 0] > still.balls[0][0, 0] + 0.3 * figure.poser.eyes.radius
    shoulders = figure.poser.carried == 0
    assert np.abs(left.points[shoulders] - still.points[shoulders]).max() == 0


def test_a_head_that_turns_leaves_shoulders_and_background_alone(head) -> None:
    still, turned = head.render(NEUTRAL, SIZE), head.render(exp(headYaw=0.3, headRoll=0.1), SIZE)
    changed = np.abs(still.astype(int) - turned).max(2)
    assert changed[-12:, 165:220].max() <= 2  # the chest; long hair beside it sways
    assert changed[:, :6].max() <= 2
    assert changed.max() > 60


def test_the_same_expression_is_the_same_picture_for_many_lines_at_once(head) -> None:
    wanted = head.render(exp(jawOpen=0.3, headYaw=0.1), 256)
    found: list[np.ndarray] = []

    def draw() -> None:
        found.extend(head.render(exp(jawOpen=0.3, headYaw=0.1), 256) for _ in range(3))

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 9
    assert all(np.array_equal(picture, wanted) for picture in found)


def test_every_weight_moves_the_head_and_angles_only_turn_it(head) -> None:
    poser = head.figure.poser
    still = poser.pose(NEUTRAL).points
    for name, channel in CHANNEL.items():
        moved = np.abs(poser.pose(exp(**{name: 0.5})).points - still).max()
        assert (moved > 0.005) or name.startswith("gaze"), name
        assert np.isfinite(moved)
        assert channel < ANGLES or moved < 1.5, name


def test_skin_never_turns_inside_out_in_legal_expressions(head) -> None:
    poser = head.figure.poser
    rng = np.random.default_rng(3)
    for _ in range(60):
        e = NEUTRAL.copy()
        chosen = rng.choice(ANGLES, 6, replace=False)
        e[chosen] = rng.uniform(0, 0.6, 6)
        posed = poser.pose(e)
        assert np.isfinite(posed.points).all()
        assert np.linalg.norm(poser.normals(posed.points), axis=1).max() < 1.001


@pytest.mark.parametrize("style", STYLES)
def test_every_hair_style_is_drawn_and_leaves_the_face_free(style, finder) -> None:
    head = Head(HeadSpec(hair=style, yaw=0))
    picture = head.render(NEUTRAL, 320)
    found = finder.find(picture)
    assert len(found) == 1
    assert finder.landmarks(picture, found[0])[1] > 0.9


@pytest.mark.parametrize("yaw", [-70, -35, 35, 70])
def test_it_is_drawn_from_any_side(yaw) -> None:
    picture = Head(HeadSpec(yaw=yaw, hair="short")).render(NEUTRAL, 256)
    assert picture.shape == (256, 256, 3)
    assert picture[60:200, 60:200].std() > 20


@pytest.mark.parametrize(
    "change",
    [
        {"sex": "male"}, {"age": 80.0}, {"age": 10.0}, {"ancestry": {"african": 1.0}}, {"ancestry": {"asian": 1.0}},
        {"weight": 0.8}, {"ears": "long"}, {"size": 1.15}, {"shape": {"nose/nose-hump-incr": 1.0}},
    ],
)  # fmt: skip
def test_what_is_described_shapes_the_head(change) -> None:
    usual = shaped(asset(), HeadSpec())
    other = shaped(asset(), HeadSpec(**change))
    assert np.abs(usual - other).max() > 0.02
    assert sum(mixture(HeadSpec(**change)).values()) == pytest.approx(2)  # one for the ancestry, one for the body


def test_lids_meet_in_a_blink_for_every_kind_of_head(finder) -> None:
    for spec in (HeadSpec(), HeadSpec(sex="male", age=70), HeadSpec(ancestry={"asian": 1.0}, age=10)):
        head = Head(replace(spec, hair="none"))
        seen = tracked(finder, head.render(exp(eyeBlink=1), SIZE))
        assert max(seen["left"], seen["right"]) < 0.13


def test_a_transparent_background_is_transparent(tmp_path) -> None:
    picture = Head(HeadSpec(background="transparent")).render(NEUTRAL, 256)
    assert picture.shape == (256, 256, 4)
    assert picture[4, 4, 3] == 0
    assert picture[128, 128, 3] == 255
    assert 0 < (picture[..., 3] % 255 > 0).mean() < 0.1  # hair and outlines are soft


def test_a_picture_lies_behind(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "sky.png"), np.full((300, 400, 3), (200, 40, 10), np.uint8))
    (tmp_path / "face.toml").touch()
    picture = load_head(HeadSpec(background="sky.png"), tmp_path, {}).render(NEUTRAL, 256)
    assert np.abs(picture[3, 3].astype(int) - (10, 40, 200)).max() <= 2


def test_a_limit_holds(head) -> None:
    spec, _ = Cast((ROOT,)).face(HEADS[0])
    capped = load_head(spec.head, ROOT / "faces" / HEADS[0], {"jawOpen": 0.0})
    assert np.array_equal(capped.render(exp(jawOpen=0.7), 256), capped.render(NEUTRAL, 256))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('hair = "bobb"', "hair is 'bobb', expected one of none, afro"),
        ('eyes = "hazle"', "eyes is 'hazle', expected #rrggbb or one of brown.*did you mean 'hazel'"),
        ("age = 3", "age is 3, expected 8 to 90"),
        ("haircolour = 1", "unknown key 'haircolour', did you mean 'hair_colour'"),
        ("ancestry = { asia = 1 }", "ancestry: 'asia', expected shares of.*did you mean 'asian'"),
        ("ancestry = { asian = 0 }", "ancestry: no share is above 0"),
        ('skin = "#12345"', "skin is '#12345', expected #rrggbb"),
    ],
)
def test_a_wrong_description_is_told(tmp_path, text, told) -> None:
    folder = tmp_path / "faces" / "wrong"
    folder.mkdir(parents=True)
    (folder / "face.toml").write_text(f'engine = "head"\n[head]\n{text}\n', encoding="utf-8")
    with pytest.raises(CastError, match=told):
        Cast((tmp_path,)).face("wrong")


def test_an_unknown_feature_and_a_missing_picture_are_told(tmp_path) -> None:
    with pytest.raises(FaceError, match=r"shape: unknown 'nose/nose-humb-incr', did you mean 'nose/nose-hump-incr'"):
        load_head(HeadSpec(shape={"nose/nose-humb-incr": 1.0}), tmp_path, {})
    with pytest.raises(FaceError, match=r"wood\.png"):
        load_head(HeadSpec(background="wood.png"), tmp_path, {})
    with pytest.raises(FaceError, match="unknown coefficient 'jawOpne', did you mean 'jawOpen'"):
        load_head(HeadSpec(), tmp_path, {"jawOpne": 0.5})


def test_a_size_that_is_none_is_told(head) -> None:
    with pytest.raises(ValueError, match="a picture of 8 pixels was asked for, faces are drawn at 32 to 2048"):
        head.render(NEUTRAL, 8)


def test_a_head_speaks_like_every_face() -> None:
    face = load_face(*Cast((ROOT,)).face(HEADS[0]))
    line = Line("1", "npc", "hello", outputs=Outputs(picture=128, picture_every=2))
    sound = np.zeros(480, np.float32)
    moments = list(face.draw(Expression(line, tick, sound, exp(jawOpen=0.1 * tick)) for tick in range(5)))
    assert [m.picture is not None for m in moments] == [True, False, True, False, True]
    assert moments[4].picture.pixels.shape[:2] == (128, 128)


def test_angles_turn_to_the_persons_own_left_and_up() -> None:
    ahead = np.array([0, 0, 1], np.float32)
    assert (rotation(0, 0.3, 0) @ ahead)[0] > 0.2
    assert (rotation(0.3, 0, 0) @ ahead)[1] > 0.2
    assert (rotation(0, 0, 0.3) @ np.array([0, 1, 0], np.float32))[0] > 0.2


def test_small_heads_move_less() -> None:
    grown, child = (Poser(asset(), shaped(asset(), HeadSpec(age=age))) for age in (25.0, 10.0))
    assert np.abs(child.basis).max() < np.abs(grown.basis).max()
