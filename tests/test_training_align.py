"""Forced alignment: phones of a recording from its words."""

from itertools import pairwise

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.moments import Line, Phone
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.align import AlignmentError, align, boundary_errors, gapless, pronunciation, words
from training.phones import TARGETS

TEXT = "Bob may swim past the old pier, but Vera stays at home."


def spoken(text: str) -> tuple[np.ndarray, tuple[Phone, ...]]:
    spec = VoiceSpec("hibari")
    chunks = list(CastVoice(HibariEngine(HibariModel(), spec, "test"), spec, "test").speak(Line("1", "anna", text)))
    return np.concatenate([c.samples for c in chunks]), tuple(p for c in chunks for p in c.phones)


@pytest.fixture(scope="module")
def said() -> tuple[np.ndarray, tuple[Phone, ...]]:
    return spoken(TEXT)


def test_phones_are_found_where_the_voice_says_them(said) -> None:
    sound, truth = said
    found = align(sound, TEXT)
    errors = np.array(boundary_errors(found, truth))
    assert len(errors) > 0.8 * sum(p.symbol in TARGETS and p.symbol != "sil" for p in truth)
    assert np.median(np.abs(errors)) <= 25
    assert abs(np.median(errors)) <= 15


def test_every_sample_belongs_to_one_phone(said) -> None:
    sound, _ = said
    found = align(sound, TEXT)
    assert found[0].start == 0
    assert found[-1].end == len(sound)
    assert all(a.end == b.start for a, b in pairwise(found))
    assert {p.symbol for p in found} <= set(TARGETS)


def test_a_pause_is_silence_and_no_long_phone(said) -> None:
    sound, truth = said
    found = align(np.concatenate([np.zeros(12_000, np.float32), sound, np.zeros(9600, np.float32)]), TEXT)
    first = next(p for p in truth if p.symbol != "sil").start
    last = [p for p in truth if p.symbol != "sil"][-1].end
    assert found[0].symbol == found[-1].symbol == "sil"
    assert found[0].end == pytest.approx(12_000 + first, abs=1200)
    assert found[-1].start == pytest.approx(12_000 + last, abs=2400)


def test_unknown_words_are_read_by_the_rules() -> None:
    assert pronunciation("blorp") == ["B", "L", "AO", "R", "P"]
    sound, truth = spoken("Blorp wants a zibbet.")
    errors = boundary_errors(align(sound, "Blorp wants a zibbet."), truth)
    assert len(errors) >= 10
    assert np.median(np.abs(errors)) <= 25


def test_silence_has_no_words_in_it() -> None:
    with pytest.raises(AlignmentError, match="no words in '…'"):
        align(np.zeros(24_000, np.float32), "…")
    with pytest.raises(AlignmentError, match=r"not found in 0\.1 s of sound"):
        align(np.zeros(2400, np.float32), "a rather long sentence for a very short time")


def test_what_a_transcript_holds_besides_words() -> None:
    said = words("In 1465, the twenty-one <VOCNOISE> saw 2 of 'em [adif] on the 3rd.")
    assert " ".join(said) == "in fourteen sixty five the twenty one saw two of em adif on the third"


def test_what_no_phone_covers_is_silence() -> None:
    assert gapless([("h", 480, 960), ("i", 960, 1920), ("sil", 1920, 2000)], 2400) == (
        Phone("sil", 0, 480), Phone("h", 480, 960), Phone("i", 960, 1920), Phone("sil", 1920, 2400),
    )  # fmt: skip
