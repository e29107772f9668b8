"""Emotions: each face is its own, comes and goes softly, and never at the cost of what the lips say."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.expression import emotion as emotions
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.contacts import Contact, enforced
from npc_engine.expression.emotion import Feeling, pose
from npc_engine.moments import CHANNEL, EMOTIONS, EXP50, TICK_SAMPLES, Line, SpeechChunk
from npc_engine.retarget.visemes import OCULUS15, oculus15
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.metrics import confusion, lips, open_level
from training.teacher import teach

FELT = [e for e in EMOTIONS if e != "neutral"]
SMILE, PUCKER, JAW = CHANNEL["mouthSmileLeft"], CHANNEL["mouthPucker"], CHANNEL["jawOpen"]
# Pauses at commas too: what a face does there must not be taken for a sound
LINES = (
    "My brother put five big maps above the old pool, before Friday.",
    "Never mind the fever; both of my paws are fine, and I feel very well!",
    "Please bring me a bucket of warm water, some bread, and a few soft pears.",
    "You should see the blue moon over the village, it shows the whole valley.",
)
VOICES = (VoiceSpec("hibari"), VoiceSpec("hibari", pitch=0.8), VoiceSpec("hibari", pitch=1.15, speed=1.1))
STRETCH, BLINK, WIDE = CHANNEL["mouthStretchLeft"], CHANNEL["eyeBlinkLeft"], CHANNEL["eyeWideLeft"]


def still(ticks: int, **weights: float) -> np.ndarray:
    exp = np.zeros((ticks, len(EXP50)), np.float32)
    for name, value in weights.items():
        exp[:, CHANNEL[name]] = value
    return exp


def felt(
    emotion: str, exp: np.ndarray, *, strength: float = 1.0, pause: float = 0.0, seal: float = 0.0, accents: float = 0.0
) -> np.ndarray:
    """The face, emotion included, with the contacts in it."""
    n = len(exp)
    contact = Contact(np.full(n, seal, np.float32), np.zeros(n, np.float32))
    feeling = Feeling("smith", "line", emotion, strength)
    stressed, paused = np.full(n, accents, np.float32), np.full(n, pause, np.float32)
    return enforced(feeling.step(exp, stressed, paused, contact), contact)


def test_every_emotion_of_a_line_has_a_face_unlike_the_others() -> None:
    assert tuple(emotions.POSES) == EMOTIONS
    for one, other in combinations(EMOTIONS, 2):
        assert np.abs(pose(one) - pose(other)).max() > 0.3, (one, other)
    for emotion in EMOTIONS:
        for name in emotions.POSES[emotion]:
            assert {name, name + "Left"} & set(CHANNEL), name


def test_faces_show_what_facs_says() -> None:
    faces = {e: felt(e, still(60), pause=1.0)[-1] for e in EMOTIONS}
    assert not faces["neutral"].any()
    for emotion, shown in {
        "happy": ("mouthSmileLeft", "cheekSquintRight"),
        "sad": ("browInnerUp", "mouthFrownLeft"),
        "angry": ("browDownLeft", "eyeSquintRight", "mouthPressLeft"),
        "afraid": ("browInnerUp", "eyeWideLeft", "mouthStretchRight"),
        "surprised": ("browOuterUpLeft", "eyeWideRight", "jawOpen"),
        "disgusted": ("noseSneerLeft", "mouthUpperUpRight"),
    }.items():
        assert all(faces[emotion][CHANNEL[name]] > 0.15 for name in shown), emotion


@pytest.mark.parametrize("emotion", FELT)
def test_in_speech_brows_eyes_cheeks_and_nose_show_all_of_it_and_the_mouth_a_part(emotion: str) -> None:
    said = still(60, jawOpen=0.25, mouthStretchLeft=0.1, mouthStretchRight=0.1)
    paused, speaking = felt(emotion, said, pause=1.0)[-1] - said[-1], felt(emotion, said)[-1] - said[-1]
    for i, name in enumerate(EXP50):
        if name.startswith(("brow", "eye", "cheek", "nose", "head", "gaze", "mouthFrown", "mouthDimple")):
            assert speaking[i] == paused[i], name
        else:
            assert abs(speaking[i]) <= 0.61 * abs(paused[i]) + 1e-6, name
    assert np.abs(speaking).sum() > 0.55 * np.abs(paused).sum()


def test_no_two_emotions_look_alike_beside_the_mouth_in_speech() -> None:
    beside = [i for i, name in enumerate(EXP50) if name.startswith(("brow", "eye", "cheek", "nose"))]
    faces = {e: felt(e, still(60, jawOpen=0.25))[-1, beside] for e in EMOTIONS}
    for one, other in combinations(EMOTIONS, 2):
        assert np.abs(faces[one] - faces[other]).max() > 0.3, (one, other)


@pytest.mark.parametrize("emotion", FELT)
def test_a_face_that_says_nothing_is_read_as_silence_whatever_it_feels(emotion: str) -> None:
    seen = oculus15(felt(emotion, still(400), pause=1.0)).argmax(axis=1)
    assert {OCULUS15[i] for i in seen} == {"sil"}


@pytest.mark.parametrize("emotion", FELT)
def test_an_emotion_comes_in_300_ms_scales_with_its_strength_and_never_stands_dead_still(emotion: str) -> None:
    full = felt(emotion, still(400), pause=1.0)
    size = np.abs(full).sum(axis=1)
    assert 0 < size[0] < 0.1 * size[20]
    assert size[14] > 0.75 * size[30:].mean()
    assert np.abs(np.diff(full, axis=0)).max() < 0.11
    held = size[20:]
    assert 0.02 < np.ptp(held) / held.mean() < 0.35
    half = felt(emotion, still(400), pause=1.0, strength=0.5)
    assert np.abs(full - 2 * half).max() < 1e-5
    assert np.array_equal(felt(emotion, still(40), strength=0.0), still(40))
    flared = felt(emotion, still(400), pause=1.0, accents=1.0)
    assert np.abs(flared[300]).sum() > 1.05 * size[300]


@pytest.mark.parametrize("emotion", FELT)
def test_lips_that_meet_still_meet(emotion: str) -> None:
    shut = still(60, jawOpen=0.15, mouthClose=0.15, mouthRollLower=0.2, mouthRollUpper=0.16)
    assert aperture(felt(emotion, shut, seal=1.0)).max() <= 0
    # a network that closes the lips by itself is not undone either
    assert aperture(felt(emotion, shut)).max() <= 0


@pytest.mark.parametrize("emotion", FELT)
def test_open_and_round_mouths_stay_open_and_round(emotion: str) -> None:
    wide = still(60, jawOpen=0.4)
    assert 0.39 < aperture(felt(emotion, wide))[-1] < 0.5
    rounded = still(60, jawOpen=0.13, mouthFunnel=0.22, mouthPucker=0.55)
    u = felt(emotion, rounded)[-1]
    assert u[PUCKER] == rounded[0, PUCKER]
    assert u[STRETCH] < 0.05
    assert u[SMILE] < 0.3
    assert abs(aperture(u[None])[0] - aperture(rounded[:1])[0]) < 0.02


def test_a_jaw_drops_in_surprise_only_where_nothing_is_said() -> None:
    assert felt("surprised", still(60), pause=1.0)[-1, JAW] > 0.14
    assert felt("surprised", still(60), pause=0.0)[-1, JAW] == 0


def test_wide_eyes_still_blink() -> None:
    blinking = felt("afraid", still(60, eyeBlinkLeft=1.0))
    assert blinking[-1, WIDE] == 0
    assert blinking[-1, BLINK] == 1


def test_a_cut_changes_nothing_and_another_line_feels_another_way() -> None:
    rng = np.random.default_rng(0)
    exp = rng.uniform(0, 0.3, (90, 50)).astype(np.float32)
    accents, pause, free = rng.uniform(0, 1, 90).astype(np.float32), np.zeros(90, np.float32), np.zeros(90, np.float32)
    whole = Feeling("smith", "l", "happy", 1.0).step(exp, accents, pause, Contact(free, free))
    feeling, parts = Feeling("smith", "l", "happy", 1.0), []
    for a, b in ((0, 1), (1, 30), (30, 90)):
        parts.append(feeling.step(exp[a:b], accents[a:b], pause[a:b], Contact(free[a:b], free[a:b])))
    assert np.abs(whole - np.concatenate(parts)).max() < 1e-6
    other = Feeling("smith", "m", "happy", 1.0).step(exp, accents, pause, Contact(free, free))
    assert np.abs(whole - other).max() > 0.01


def test_wrong_emotions_and_strengths_are_named() -> None:
    with pytest.raises(ValueError, match="emotion is 'bored', expected one of neutral, happy, sad"):
        Feeling("n", "l", "bored", 1.0)
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"strength is {strength}, expected 0 to 1"):
            Feeling("n", "l", "happy", strength)


def test_a_line_shows_its_emotion_and_ends_at_rest() -> None:
    engine = Audio2Exp()
    sound = np.zeros(TICK_SAMPLES * 60, np.float32)
    faces = {}
    for emotion, strength in (("neutral", 1.0), ("happy", 1.0), ("happy", 0.0), ("surprised", 1.0)):
        line = Line("l", "n", "", emotion=emotion, strength=strength)
        told = np.stack([e.exp for e in engine.express([SpeechChunk(line, 0, sound)])])
        assert not told[-1].any()
        faces[emotion, strength] = told
    assert np.array_equal(faces["neutral", 1.0], faces["happy", 0.0])
    assert faces["happy", 1.0][50, SMILE] > 0.5
    assert faces["surprised", 1.0][50, JAW] > 0.12


@pytest.mark.parametrize("knows_phones", [True, False])
def test_what_lips_say_is_read_within_3_points_of_neutral_under_every_emotion(knows_phones: bool, capsys) -> None:
    engine, model = Audio2Exp(), HibariModel()
    said, lessons, told = [], [], []
    for spec in VOICES:
        for text in LINES:
            chunks = list(CastVoice(HibariEngine(model, spec, "test"), spec, "test").speak(Line("l", "n", text)))
            said.append(tuple(p for c in chunks for p in c.phones))
            lessons.append(teach(np.concatenate([c.samples for c in chunks]), said[-1]))
            told.append(chunks if knows_phones else [replace(c, phones=()) for c in chunks])
    truths = [aperture(lesson.exp) for lesson in lessons]
    figures = {}
    for emotion in EMOTIONS:
        exps = []
        for chunks, truth in zip(told, truths, strict=True):
            line = replace(chunks[0].line, emotion=emotion)
            whole = np.stack([e.exp for e in engine.express([replace(c, line=line) for c in chunks])])
            exps.append(whole[: len(truth)])
        seen = confusion([oculus15(e).argmax(axis=1).astype(np.uint8) for e in exps], [le.visemes for le in lessons])
        figures[emotion] = lips(exps, said, truths, open_level(truths, said)) | {"shape": seen.figures()["accuracy"]}
    with capsys.disabled():
        print(f"\nphones {knows_phones}:", *figures.items(), sep="\n  ")
    for emotion in FELT:
        for name in ("closure", "vowels_open", "fv_contact", "shape"):
            assert figures[emotion][name] >= figures["neutral"][name] - 0.03, (emotion, name)
