"""The parts of hibari's voices: the network cut in two, the vocoder, the stretch, and readings."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hibari import Hibari, dsp
from hibari.voices import voice_path
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.speech.hibari_model import HibariModel, Plan
from npc_engine.speech.hibari_times import timed
from npc_engine.speech.onnx_parts import OnnxFileError, part
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.vocoder import BEFORE, HOP, SETTLING, Spectra, sound
from npc_engine.text.words import words

TEXT = "The old bridge is broken, so take the path along the river."


@pytest.fixture(scope="module")
def model():
    return HibariModel()


@pytest.fixture(scope="module")
def plan(model):
    (reading,) = model.read(TEXT, words(TEXT))
    return model.plan(reading, np.ones(len(reading.symbols) + 2, np.float32))


def test_the_two_parts_of_the_network_give_what_the_whole_gives(model, plan):
    hibari = Hibari()
    (phonemes,) = hibari.phonemize(TEXT)
    assert plan.reading.symbols == phonemes
    whole = hibari.sess.run(None, {"ids": np.array([hibari.ids(phonemes)]), "speed": np.ones(1, np.float32)})
    ids = np.array([hibari.ids(phonemes)])
    lengths, first, second = model._time.run(None, {"ids": ids})
    given = dict(zip([i.name for i in model._plan.get_inputs()], (None, first, second), strict=True))
    durations = np.maximum(np.round(lengths), 1).ravel()  # as the network rounds them; we keep what rounding takes
    f0, loudness, hidden = model._plan.run(None, {**given, "/Clip_output_0": durations})
    assert abs(durations.sum() - plan.durations.sum()) < 0.1 * durations.sum()
    plan = Plan(plan.reading, plan.speeds, durations, f0[0], loudness[0], hidden)
    frames = plan.frames
    assert frames == whole[0].shape[2] == plan.durations.sum() * 2
    np.testing.assert_allclose(plan.f0, whole[5][0], atol=1e-3)
    drawn = model.spectra(plan, 0, frames)
    pieces = [model.spectra(plan, a, min(a + 50, frames)) for a in range(0, frames, 50)]
    for name, expected in zip(("harmonic", "noise", "free"), (whole[0], whole[2], whole[3]), strict=True):
        assert np.abs(getattr(drawn, name) - expected[0]).mean() < 0.05, name
        cut = np.concatenate([getattr(p, name) for p in pieces], axis=1)
        assert cut.shape == expected[0].shape
        # int8 rounding depends on what is computed together; 0.15 is 1.3 dB
        assert np.abs(cut - expected[0]).mean() < 0.15, name


def test_a_part_holds_only_what_it_needs():
    whole = Path(voice_path("heart")).read_bytes()
    small = part(whole, [], ["/Clip_output_0"])
    assert len(small) < len(whole) / 2
    session = ort.InferenceSession(small, providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["ids", "speed"]
    assert [o.name for o in session.get_outputs()] == ["/Clip_output_0"]


def test_a_value_that_is_not_there_is_named():
    with pytest.raises(OnnxFileError, match="no value '/Clip_output_9' to cut at"):
        part(Path(voice_path("heart")).read_bytes(), [], ["/Clip_output_9"])


@pytest.mark.parametrize("broken", [b"\x0f\x01", b"\xff" * 12, b"\x3a\xff\x01ab", b"PK\x03\x04 no model"])
def test_bytes_that_are_no_model_are_refused(broken):
    with pytest.raises(OnnxFileError):
        part(broken, [], ["x"])


def test_a_truncated_model_is_refused():
    whole = Path(voice_path("heart")).read_bytes()
    with pytest.raises(OnnxFileError, match=r"bytes at byte .* bytes are left"):
        part(whole[: len(whole) // 2], [], ["f0"])


def quiet(spectra):
    return Spectra(spectra.harmonic, spectra.angle, np.full_like(spectra.noise, -40), spectra.free, spectra.phase)


def test_the_vocoder_sounds_as_hibaris_own(model, plan):
    s = quiet(model.spectra(plan, 0, plan.frames))
    noise = np.zeros((601, 512), np.complex64)
    ours = np.concatenate(list(sound([s], plan.f0, 0, noise)))[BEFORE:]
    theirs = dsp.synth(s.harmonic, s.angle, s.noise, s.free, s.phase, plan.f0, np.random.default_rng(0))
    inner = slice(SETTLING, len(theirs) - SETTLING)
    assert np.abs(ours[inner] - theirs[inner]).max() < 1e-3 * np.abs(theirs).max()


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(1, 320), max_size=6, unique=True))
def test_any_cutting_into_pieces_gives_the_same_sound(model, plan, cuts):
    s = model.spectra(plan, 0, plan.frames)
    edges = [0, *sorted(cuts), plan.frames]
    pieces = [Spectra(*(getattr(s, f)[:, a:b] for f in Spectra.__slots__)) for a, b in pairwise(edges)]
    whole = np.concatenate(list(sound([s], plan.f0, 0, model.noise)))
    cut = np.concatenate(list(sound(pieces, plan.f0, 0, model.noise)))
    assert len(whole) == len(cut) == plan.frames * HOP + SETTLING
    np.testing.assert_allclose(cut, whole, atol=2e-4)


def tone(hz, samples):
    return np.sin(2 * np.pi * hz * np.arange(samples) / 24_000).astype(np.float32)


@pytest.mark.parametrize("pitch", [0.5, 0.6, 0.72, 0.8, 1.15, 1.2, 1.6])
def test_a_stretched_tone_is_a_tone_at_the_new_pitch(pitch):
    stretch = Stretch(ratio(pitch))
    out = np.concatenate([stretch.push(tone(1000, 24_000)), stretch.end()])
    assert len(out) == int(24_000 / ratio(pitch))
    expected = tone(1000 * float(ratio(pitch)), len(out))
    assert np.abs(out - expected)[500:-500].max() < 1e-4


def test_what_would_alias_is_taken_out():
    stretch = Stretch(ratio(1.2))
    out = stretch.push(tone(11_500, 24_000))  # would be 13.8 kHz, heard as 10.2 kHz
    assert np.abs(out[500:-500]).max() < 1e-3


def test_no_change_of_pitch_keeps_the_samples():
    x = tone(440, 1000)
    stretch = Stretch(Fraction(1))
    np.testing.assert_allclose(np.concatenate([stretch.push(x), stretch.end()]), x, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    pitch=st.sampled_from([0.5, 0.6, 0.72, 1.0, 1.15, 1.2]),
    pieces=st.lists(st.integers(0, 900), min_size=1, max_size=9),
)
def test_a_stretched_stream_equals_the_whole(pitch, pieces):
    x = np.random.default_rng(1).standard_normal(sum(pieces), dtype=np.float32)
    whole, stream = Stretch(ratio(pitch)), Stretch(ratio(pitch))
    expected = np.concatenate([whole.push(x), whole.end()])
    parts = [stream.push(p) for p in np.split(x, np.cumsum(pieces)[:-1])]
    got = np.concatenate([*parts, stream.end()])
    assert len(got) == int(len(x) / ratio(pitch))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def read(model, text):
    return model.read(text, words(text))


def test_readings_know_their_words(model):
    (reading,) = read(model, "Dr. No owes $5 at 7:30 pm.")
    said = {}
    for symbol, word in zip(reading.symbols, reading.words, strict=True):
        said[word] = said.get(word, "") + symbol
    assert said[0] == "dˈɑktəɹ"
    assert said[3] == "fˈIv dˈɑləɹz"
    assert said[5].startswith("sˈɛvən θˈɜɹ")
    assert said[6].count("ɛm") == 1


def test_long_readings_come_in_parts_of_whole_words(model):
    text = "9" * 12 + " and " + " ".join(["seventeen thousand"] * 25)
    parts = read(model, text)
    assert len(parts) > 1
    assert all(len(p.symbols) <= 400 for p in parts)
    order = [w for p in parts for w in p.words if w >= 0]
    assert order == sorted(order)
    assert set(order) == set(range(len(words(text))))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60))
def test_any_ascii_text_can_be_read(model, text):
    for reading in read(model, text):
        assert len(reading.symbols) == len(reading.words) <= 400
        order = [w for w in reading.words if w >= 0]
        assert order == sorted(order)


@settings(max_examples=25, deadline=None)
@given(text=st.text(alphabet="abcdefgi .,?!-;:'\"", min_size=1, max_size=50).filter(words), speed=st.floats(0.4, 3.0))
def test_times_are_contiguous_whatever_is_read(model, text, speed):
    for reading in read(model, text):
        plan = model.plan(reading, np.full(len(reading.symbols) + 2, speed, np.float32))
        found = timed(plan)
        assert found[0].start == 0
        assert found[-1].end == plan.frames * HOP
        assert found[0].symbol == found[-1].symbol == "sil"
        assert all(a.end == b.start for a, b in pairwise(found))
        assert all(t.end > t.start for t in found)
