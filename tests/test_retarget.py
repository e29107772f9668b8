"""What games drive faces with: ARKit's shapes, visemes and VRM expressions say what the 50 coefficients say."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.frames.preview import expression
from npc_engine.moments import ANGLES, ARKIT52, CHANNEL, EXP50, NEUTRAL, TICK_SAMPLES, Line
from npc_engine.retarget.arkit import FULL_LOOK, arkit52, exp50, head
from npc_engine.retarget.mix import Mixer
from npc_engine.retarget.targets import TARGETS
from npc_engine.retarget.visemes import MOUTHS, OCULUS15, SHAPES, exp_of_visemes, oculus15
from npc_engine.retarget.vrm import FEELINGS, VRM_EXPRESSIONS, exp_of_vrm, vrm
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice

LINES = (
    "My brother put five big maps above the old pool before Friday.",
    "Move the boom, Bob, before you book a room by Monday.",
)
CLOSED = 0.036  # 12 % of the opening in clear vowels, as the model card has it


@pytest.fixture(scope="module")
def spoken():
    """Lines as (exp f32[n, 50], phones)."""
    spec = VoiceSpec("hibari")
    voice, mouth = CastVoice(HibariEngine(HibariModel(), spec, "test"), spec, "test"), Audio2Exp()
    lines = []
    for i, text in enumerate(LINES):
        for style in ("lively", "cartoon"):
            chunks = list(voice.speak(Line(f"l{i}", "n", text, style=style)))
            exps = np.stack([e.exp for e in mouth.express(chunks)])
            lines.append((exps, [p for c in chunks for p in c.phones]))
    return lines


def face(**values):
    exp = NEUTRAL.copy()
    for name, value in values.items():
        for channel in (name, name + "Left", name + "Right"):
            if channel in CHANNEL:
                exp[CHANNEL[channel]] = value
    return exp


def faces(n, seed=5):
    """n faces with every weight and angle somewhere in its range."""
    rng = np.random.default_rng(seed)
    exps = rng.random((n, 50), np.float32)
    exps[:, ANGLES:] = rng.uniform(-0.5, 0.5, (n, 5))
    return exps


def of(names, weights):
    return dict(zip(names, np.round(weights, 6).tolist(), strict=True))


def test_every_channel_is_named_once():
    for name, target in TARGETS.items():
        assert len(set(target.names)) == len(target.names), name
        assert target.of(faces(3)).shape == (3, len(target.names))
    assert len(ARKIT52) == 52
    assert {n for n in ARKIT52 if not n.startswith("eyeLook")} == set(EXP50[:44])


@pytest.mark.parametrize("name", TARGETS)
def test_a_face_at_rest_is_at_rest_everywhere(name):
    weights = TARGETS[name].of(NEUTRAL)
    assert of(TARGETS[name].names, weights) == {n: float(n == "sil") for n in TARGETS[name].names}


@pytest.mark.parametrize("name", ["arkit52", "visemes15", "vrm"])
def test_a_line_gives_what_its_ticks_give(name, spoken):
    exps = spoken[0][0][:60]
    whole = TARGETS[name].of(exps)
    assert np.allclose(whole, np.stack([TARGETS[name].of(exp) for exp in exps]), atol=1e-6)
    assert np.array_equal(whole.reshape(3, 20, -1), TARGETS[name].of(exps.reshape(3, 20, 50)))
    assert whole.dtype == np.float32
    assert (whole >= 0).all()
    assert (whole <= 1).all()


def test_wrong_lengths_are_named():
    with pytest.raises(ValueError, match=r"exp50 of shape \(52,\), expected \[\.\.\., 50\]: jawOpen jawForward"):
        oculus15(np.zeros(52))
    for function, what in (
        (exp50, "ARKit weights"), (exp_of_visemes, "viseme weights"), (exp_of_vrm, "VRM weights"),
        (arkit52, "exp50"), (vrm, "exp50"), (head, "exp50"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=what):
            function(np.zeros((4, 3), np.float32))
    with pytest.raises(ValueError, match="head pose of shape"):
        exp50(np.zeros(52), np.zeros(2))


def test_values_that_are_no_face_are_refused_or_bounded():
    broken = faces(2)
    broken[1, :2] = np.nan, np.inf
    for target in TARGETS.values():
        with pytest.raises(ValueError, match="exp50: 2 values are not finite"):
            target.of(broken)
    for scale in (-3, 100, 1e9, 1e30):
        for name in ("arkit52", "visemes15", "vrm"):
            weights = TARGETS[name].of(faces(50) * np.float32(scale))
            assert (weights >= 0).all()
            assert (weights <= 1 + 1e-6).all()


def test_arkit_carries_all_but_the_tongue_tip_and_the_head():
    exps = faces(200)
    back = exp50(arkit52(exps), head(exps))
    exps[:, CHANNEL["tongueUp"]] = 0
    assert np.abs(back - exps).max() < 1e-6
    assert np.abs(exp50(arkit52(exps))[:, [CHANNEL[n] for n in ("headPitch", "headYaw", "headRoll")]]).max() == 0
    weights = arkit52(exps)  # eyes that look the same way
    assert np.abs(arkit52(exp50(weights)) - weights).max() < 1e-6


def test_both_eyes_look_where_the_gaze_goes():
    left = of(ARKIT52, arkit52(face(gazeYaw=FULL_LOOK / 2, gazePitch=-FULL_LOOK)))
    assert {n: v for n, v in left.items() if v} == {
        "eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0,
    }  # fmt: skip
    up = of(ARKIT52, arkit52(face(gazeYaw=-1.0, gazePitch=FULL_LOOK / 4)))
    assert {n: v for n, v in up.items() if v} == {
        "eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0, "eyeLookUpLeft": 0.25, "eyeLookUpRight": 0.25,
    }  # fmt: skip
    crossed = np.zeros(52, np.float32)
    crossed[[ARKIT52.index("eyeLookInLeft"), ARKIT52.index("eyeLookInRight")]] = 1
    assert exp50(crossed)[CHANNEL["gazeYaw"]] == pytest.approx(0, abs=1e-7)


def test_the_mixer_finds_the_best_of_all_mixes():
    rng = np.random.default_rng(2)
    shapes, ridge = rng.random((4, 6)), 0.01
    mixer = Mixer(shapes, ridge)
    grid = np.array([w for w in itertools.product(np.linspace(0, 1, 21), repeat=4) if sum(w) <= 1])
    for goal in rng.uniform(-0.3, 1.2, (40, 6)):
        costs = ((goal - grid @ shapes) ** 2).sum(axis=1) + ridge * (grid**2).sum(axis=1)
        found = mixer.mix(goal[None])[0]
        cost = ((goal - found @ shapes) ** 2).sum() + ridge * (found**2).sum()
        assert found.min() >= 0
        assert found.sum() <= 1 + 1e-9
        # the sum is held softly, so a bound that pulls hard costs a little
        assert cost <= costs.min() + 0.01


@pytest.mark.parametrize("viseme", OCULUS15)
def test_a_pure_viseme_comes_back_as_itself(viseme):
    weights = np.eye(15, dtype=np.float32)[OCULUS15.index(viseme)]
    assert oculus15(exp_of_visemes(weights))[OCULUS15.index(viseme)] >= 0.9


def test_mixes_of_visemes_come_back():
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.full(15, 0.3), 1000)
    back = oculus15(exp_of_visemes(weights))
    assert np.abs(back.sum(axis=1) - 1).max() < 1e-5
    # 15 shapes of 14 coefficients are not independent: the weights may differ where the mouth does not
    assert np.abs(back - weights).mean() < 0.03
    shapes, again = exp_of_visemes(weights), exp_of_visemes(back)
    assert np.percentile(np.abs(again - shapes).max(axis=1), 99) < 0.02
    opened = np.maximum(aperture(again), 0) - np.maximum(aperture(shapes), 0)
    assert np.abs(opened).max() < 0.03


def test_lips_that_are_together_are_pp_whatever_the_mouth_does_else():
    pressed = {"mouthRollLower": 0.2, "mouthRollUpper": 0.16, "mouthPress": 0.28}
    for name in ("aa", "O", "U", "CH", "E"):
        shape = MOUTHS[OCULUS15.index(name)].astype(np.float32)
        exp = face(**pressed)
        for channel in ("jawOpen", "mouthFunnel", "mouthPucker", "mouthStretchLeft", "mouthStretchRight"):
            exp[CHANNEL[channel]] = 0.6 * shape[CHANNEL[channel]]
        exp[CHANNEL["mouthClose"]] = exp[CHANNEL["jawOpen"]]
        weights = of(OCULUS15, oculus15(exp))
        assert max(weights, key=weights.get) == "PP", name
        assert sum(weights[n] for n in ("aa", "E", "I", "O", "U")) < 0.15, name


def test_p_b_m_of_a_spoken_line_stay_closed(spoken):
    closures = 0
    for exps, phones in spoken:
        weights, mouths = oculus15(exps), vrm(exps)[:, :5]
        back, models = aperture(exp_of_visemes(weights)), aperture(exp_of_vrm(vrm(exps)))
        for phone in (p for p in phones if p.symbol in "pbm"):
            first, last = phone.start // TICK_SAMPLES - 1, phone.end // TICK_SAMPLES + 2
            at = first + int(aperture(exps[first:last]).argmin())
            if aperture(exps[at]) > CLOSED / 2:
                continue  # the network's own affair
            closures += 1
            assert OCULUS15[int(weights[at].argmax())] == "PP"
            assert back[at] < CLOSED
            assert models[at] < CLOSED
            assert mouths[at].sum() < 0.15
    assert closures > 30


def test_a_mouth_driven_by_visemes_opens_as_the_face_does(spoken):
    for exps, _ in spoken:
        opened, driven = aperture(exps), aperture(exp_of_visemes(oculus15(exps)))
        assert np.corrcoef(opened, driven)[0, 1] > 0.95
        assert (driven - np.maximum(opened, 0)).max() < 0.055  # 0.01, and 0.04 of FF's own


def test_weights_do_not_jump(spoken):
    exps = spoken[0][0]
    between = np.linspace(0, 1, 40, endpoint=False)[:, None]
    slowly = np.concatenate([a + between * (b - a) for a, b in itertools.pairwise(exps[20:80])]).astype(np.float32)
    for function, most in ((oculus15, 20), (vrm, 10)):
        moved = np.abs(np.diff(function(slowly), axis=0)).max(axis=1)
        faced = np.abs(np.diff(slowly[:, :ANGLES], axis=0)).max(axis=1)
        assert (moved <= most * faced + 1e-5).all()


@pytest.mark.parametrize("viseme", ["sil", "PP", "FF", "CH", "nn", "aa", "O", "U"])
def test_a_smile_under_the_speech_is_no_viseme(viseme):
    exp = MOUTHS[OCULUS15.index(viseme)].astype(np.float32) + face(mouthSmile=0.5, cheekSquint=0.4)
    weights = oculus15(exp)
    assert OCULUS15[int(weights.argmax())] == viseme
    assert of(VRM_EXPRESSIONS, vrm(exp))["happy"] > 0.2


def test_vrm_has_lids_looks_and_mouths():
    lids = face(eyeBlinkLeft=1.0, eyeBlinkRight=0.25, gazeYaw=FULL_LOOK / 2, gazePitch=-FULL_LOOK / 4)
    found = {n: v for n, v in of(VRM_EXPRESSIONS, vrm(lids)).items() if v}
    assert found == {"blink": 0.25, "blinkLeft": 0.75, "lookDown": 0.25, "lookLeft": 0.5}
    for vowel, viseme in (("aa", "aa"), ("ih", "I"), ("ou", "U"), ("ee", "E"), ("oh", "O")):
        weights = of(VRM_EXPRESSIONS, vrm(MOUTHS[OCULUS15.index(viseme)]))
        assert weights[vowel] >= 0.9
        assert sum(weights[v] for v in ("aa", "ih", "ou", "ee", "oh")) <= 1 + 1e-6
    assert vrm(expression("m b p"))[:5].sum() < 0.05


def test_vrm_mouth_and_eyes_come_back():
    rng = np.random.default_rng(4)
    weights = np.zeros((300, len(VRM_EXPRESSIONS)), np.float32)
    weights[:, :5] = rng.dirichlet(np.ones(6), 300)[:, :5]
    weights[:, 5] = rng.uniform(0, 0.5, 300)
    weights[:, 6] = rng.uniform(0, 0.5, 300)
    weights[:, 8] = rng.random(300)
    weights[:, 11] = rng.random(300)
    back = vrm(exp_of_vrm(weights))
    assert np.abs(back[:, 5:] - weights[:, 5:]).max() < 1e-6
    assert np.abs(back[:, :5] - weights[:, :5]).max() < 0.1


@pytest.mark.parametrize(("shown", "felt"), [("smile", "happy"), ("frown", "angry"), ("surprise", "surprised")])
def test_vrm_names_what_a_face_feels(shown, felt):
    weights = of(VRM_EXPRESSIONS, vrm(expression(shown)))
    feelings = {n: weights[n] for n in ("happy", "angry", "sad", "relaxed", "surprised")}
    assert feelings.pop(felt) > 0.6
    assert not any(feelings.values())


def test_vrm_knows_sorrow_and_ease():
    sad = of(VRM_EXPRESSIONS, vrm(face(browInnerUp=0.8, mouthFrown=0.6)))
    assert sad["sad"] > 0.6
    relaxed = of(VRM_EXPRESSIONS, vrm(face(eyeSquint=0.6, mouthSmile=0.45)))
    assert relaxed["relaxed"] > 0.3
    assert relaxed["happy"] == relaxed["sad"] == 0


def test_speech_alone_is_no_feeling(spoken):
    for exps, _ in spoken:
        assert vrm(exps)[:, 12:].max() == 0


def test_the_page_shows_the_shapes_there_are_and_its_python_runs(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "retarget.md").read_text(encoding="utf-8")
    for viseme, shape in SHAPES.items():
        written = next(row for row in page.splitlines() if row.startswith(f"| `{viseme}` |")).split("|")[3]
        assert dict(re.findall(r"(\w+) (\.\d+)", written)) == {n: f"{v:.2f}".lstrip("0") for n, v in shape.items()}
    for felt, (mix, floor) in FEELINGS.items():
        written = next(row for row in page.splitlines() if row.startswith(f"| `{felt}` |")).split("|")
        shown = {n: float(v.replace("−", "-")) for n, v in re.findall(r"(\w+) (−?\.\d+)", written[2])}
        assert (shown, float(written[3])) == (mix, floor)
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
