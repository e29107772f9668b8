"""The teacher: what a mouth does for known phones."""

import numpy as np
import pytest

from npc_engine.expression.aperture import aperture
from npc_engine.expression.window import VISEMES
from npc_engine.moments import ANGLES, CHANNEL, Phone
from training.phones import TARGETS
from training.teacher import Lesson, teach


def said(phones: str, ms: int = 100) -> tuple[np.ndarray, tuple[Phone, ...]]:
    """A steady buzz in which `phones` follow one another, silence before and after."""
    step = 24 * ms
    spans = [Phone("sil", 0, 4800)]
    for symbol in phones.split():
        spans.append(Phone(symbol, spans[-1].end, spans[-1].end + step))
    spans.append(Phone("sil", spans[-1].end, spans[-1].end + 12_000))
    t = np.arange(spans[-1].end) / 24_000
    sound = 0.2 * np.sign(np.sin(2 * np.pi * 140 * t))
    sound[:4800] = sound[-12_000:] = 0
    return sound.astype(np.float32), tuple(spans)


def at(lesson: Lesson, phones: tuple[Phone, ...], index: int, name: str) -> float:
    phone = phones[index]
    return float(lesson.exp[(phone.start + phone.end) // 2 // 480, CHANNEL[name]])


def test_bilabials_seal_between_any_vowels() -> None:
    for vowel in ["ɑ", "æ", "i", "u", "O", "I"]:
        for lips in ["p", "b", "m"]:
            sound, phones = said(f"{vowel} {lips} {vowel}", 80)
            lesson = teach(sound, phones)
            middle = (phones[2].start + phones[2].end) // 2 // 480
            assert aperture(lesson.exp)[middle - 1 : middle + 2].min() <= 0, (vowel, lips)
            assert lesson.sealed[middle - 1 : middle + 2].any()
            assert at(lesson, phones, 2, "mouthPressLeft") > 0.1


def test_lip_meets_teeth_and_sibilants_narrow() -> None:
    sound, phones = said("ɑ f ɑ s ɑ")
    lesson = teach(sound, phones)
    assert at(lesson, phones, 2, "mouthRollLower") > 0.3
    assert at(lesson, phones, 2, "mouthUpperUpLeft") > 0.12
    assert at(lesson, phones, 2, "jawOpen") < 0.12
    assert at(lesson, phones, 4, "jawOpen") < 0.45 * at(lesson, phones, 3, "jawOpen")


def test_vowels_differ_as_they_look() -> None:
    sound, phones = said("ɑ i u ɔ", 160)
    lesson = teach(sound, phones)
    jaw = [at(lesson, phones, i, "jawOpen") for i in range(1, 5)]
    assert jaw[0] > 0.35
    assert jaw[0] > jaw[3] > jaw[1]
    assert at(lesson, phones, 2, "mouthSmileLeft") > 0.15
    assert at(lesson, phones, 3, "mouthPucker") > 0.35
    assert at(lesson, phones, 1, "mouthPucker") < 0.1


def test_tongue_only_phones_leave_the_lips_to_their_neighbours() -> None:
    sound, phones = said("u t u", 80)
    lesson = teach(sound, phones)
    assert at(lesson, phones, 2, "mouthPucker") > 0.8 * at(lesson, phones, 1, "mouthPucker")
    assert at(lesson, phones, 2, "tongueUp") > 0.3


def test_rounding_starts_before_its_vowel() -> None:
    sound, phones = said("s u")
    lesson = teach(sound, phones)
    assert at(lesson, phones, 1, "mouthPucker") > 0.15


def test_silence_rests_and_sides_are_the_same() -> None:
    sound, phones = said("m ɑ n i v O")
    lesson = teach(sound, phones)
    assert np.abs(lesson.exp[-8:]).max() < 0.02
    for name, index in CHANNEL.items():
        if name.endswith("Left") and name[:-4] + "Right" in CHANNEL and not name.startswith("jaw"):
            assert np.array_equal(lesson.exp[:, index], lesson.exp[:, CHANNEL[name[:-4] + "Right"]]), name
    assert VISEMES[lesson.visemes[-1]] == "sil"
    assert lesson.exp[:, :ANGLES].min() >= 0
    assert lesson.exp.max() <= 1


def test_loud_speech_opens_wider() -> None:
    sound, phones = said("ɑ t ɑ t ɑ", 120)
    sound[: phones[3].start] *= 0.2
    lesson = teach(sound, phones)
    assert at(lesson, phones, 5, "jawOpen") > 1.1 * at(lesson, phones, 1, "jawOpen")


def test_every_phone_has_a_viseme_and_an_unknown_one_is_named() -> None:
    assert {t.viseme for targets in TARGETS.values() for t in targets} == set(VISEMES)
    with pytest.raises(ValueError, match="phone 'Ω' has no target"):
        teach(np.zeros(4800, np.float32), [Phone("Ω", 0, 4800)])
