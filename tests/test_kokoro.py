"""Kokoro's voices: windows that join, times, prosody, blends, mixed text, threads, and what happens without weights."""

import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import Cast, CastError, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech import chinese, japanese, kokoro, kokoro_model
from npc_engine.speech.british import british
from npc_engine.speech.engine import LEAD
from npc_engine.speech.errors import NotInstalled, SpeechError
from npc_engine.speech.kokoro_weights import KOKORO, data_folder, install
from npc_engine.speech.load import VoiceEngines, check_keys
from npc_engine.speech.reading import Reading
from npc_engine.text.phrases import Prosody
from npc_engine.text.reader import read

ROOT = Path(__file__).parents[1]
CAST = Cast((ROOT,))
NAMES = [name for name in CAST.voices() if CAST.voice(name)[0].engine == "kokoro"]
TEXT = "Stop right there, traveller!"


def unable(reason):
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Kokoro's file: the user's own, or under CI one fetched for this run."""
    own = data_folder() / KOKORO.file
    if own.is_file():
        return own
    if not os.environ.get("CI"):
        pytest.skip("Kokoro's weights are not installed: npc-engine voices install kokoro")
    folder = tmp_path_factory.mktemp("kokoro")
    install(folder)
    return folder / KOKORO.file


@pytest.fixture(scope="session")
def engine(weights):
    models = {}

    def load(name, **changes):
        spec, folder = CAST.voice(name)
        return kokoro.load(replace(spec, model=str(weights), **changes), name, folder, models)

    return load


def phrase(text, **prosody):
    (found,) = read(text)
    return replace(found, runs=tuple(replace(run, prosody=Prosody(**prosody)) for run in found.runs))


def spoken(engine, said):
    takes = list(engine.speak(said))
    assert [take.last for take in takes] == [False] * (len(takes) - 1) + [True]
    return np.concatenate([take.samples for take in takes]), takes


def hertz(sound):
    """Median pitch of the voiced frames, by autocorrelation."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, 1440)[::480]
    frames = frames[np.mean(frames**2, axis=1) > 0.2 * np.mean(sound**2)] * np.hanning(1440)
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 4096, axis=1)) ** 2, axis=1)
    return float(np.median(SAMPLE_RATE / (60 + np.argmax(same[:, 60:340], axis=1))))


def test_at_least_twelve_voices_of_women_and_men_in_each_language():
    specs = [CAST.voice(name)[0] for name in NAMES]
    assert len(specs) >= 12
    assert {(s.language, s.sex) for s in specs} == {
        (language, sex) for language in ("en-US", "en-GB", "zh", "ja") for sex in ("female", "male")
    }
    for name in NAMES:
        spec, folder = CAST.voice(name)
        check_keys(spec, folder / "voice.toml")
        style = kokoro.blended(spec.blend, folder, name)
        assert style.vectors.shape == (510, 256)
        assert np.isfinite(style.moments.variance).all()


def test_a_line_has_sound_phones_and_words_in_order(engine):
    said = phrase(TEXT)
    sound, takes = spoken(engine("rosa"), said)
    assert 1.0 < len(sound) / SAMPLE_RATE < 4.0
    assert len(takes[0].samples) < len(sound) / 2
    assert np.abs(sound[: LEAD // 2]).max() < 0.02
    assert 0.1 < np.abs(sound).max() < 1.5
    phones = [p for take in takes for p in take.phones]
    assert phones[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(phones))
    assert phones[-1].end == len(sound)
    words = [w for take in takes for w in take.words]
    assert [w.index for w in words] == [0, 1, 2, 3]
    assert all(0 < a.start < a.end <= b.start for a, b in pairwise(words))
    loud = np.abs(sound[words[0].start : words[0].end]).max()
    assert loud > 10 * np.abs(sound[: words[0].start - 480]).max(initial=0)


def test_pieces_join_to_what_is_drawn_at_once(engine, monkeypatch):
    voice, said = engine("rosa"), phrase(TEXT)
    pieces, _ = spoken(voice, said)
    monkeypatch.setattr(kokoro_model, "_FIRST_PIECE", 10_000)
    whole, takes = spoken(voice, said)
    assert len(takes) == 1
    # in a hiss, which 8 bits round differently; vowels are equal to the last bits
    assert np.sqrt(np.mean((pieces - whole) ** 2)) < 0.06 * np.sqrt(np.mean(whole**2))
    assert np.abs(pieces - whole)[len(whole) // 4 :].max() < 0.01


def test_four_at_once_say_what_each_says_alone(engine):
    voices = [engine(name) for name in ("rosa", "bram", "edith", "alaric")]
    said = phrase("Stop.")
    alone = [spoken(voice, said)[0] for voice in voices]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda voice: spoken(voice, said)[0], voices))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    assert not np.array_equal(alone[0], alone[2])


def test_prosody_and_design_move_pitch_and_tempo(engine):
    voice = engine("rosa")
    plain, _ = spoken(voice, phrase(TEXT))
    fast, _ = spoken(voice, phrase(TEXT, rate=1.4))
    high, _ = spoken(voice, phrase(TEXT, pitch=1.25))
    assert 0.6 < (len(fast) - 6000) / (len(plain) - 6000) < 0.85
    assert 1.15 < hertz(high) / hertz(plain) < 1.35
    giant, _ = spoken(engine("rosa", pitch=0.8), phrase(TEXT))
    assert 0.72 < hertz(giant) / hertz(plain) < 0.88
    assert 0.8 < len(giant) / len(plain) < 1.25


def test_styles_blend_by_their_shares(tmp_path):
    one, other = (kokoro.blended({name: 1.0}, tmp_path, "here") for name in ("af_heart", "am_onyx"))
    mixed = kokoro.blended({"af_heart": 3, "am_onyx": 1}, tmp_path, "here")
    assert np.allclose(mixed.vectors, 0.75 * one.vectors + 0.25 * other.vectors, atol=1e-5)
    with pytest.raises(CastError, match=r"here: blend: unknown style 'af_hart', did you mean 'af_heart'\?"):
        kokoro.blended({"af_hart": 1.0}, tmp_path, "here")
    with pytest.raises(CastError, match="the share of af_heart is 0"):
        kokoro.blended({"af_heart": 0}, tmp_path, "here")


@pytest.mark.parametrize(
    ("name", "text", "needs", "words"),
    [("mei", "OK吗？", chinese.NEEDS, ["OK", "吗"]), ("hana", "OKですか？", japanese.NEEDS, ["OK", "ですか"])],
)
@pytest.mark.filterwarnings("default")  # dictionaries' packages warn at import
def test_mixed_text_is_spoken_whole(engine, name, text, needs, words):
    absent = [module for module in needs if importlib.util.find_spec(module) is None]
    if absent:
        unable(f"{', '.join(absent)} not installed: pip install 'npc-engine[chinese,japanese]'")
    said = phrase(text)
    sound, takes = spoken(engine(name), said)
    times = [w for take in takes for w in take.words]
    assert [said.words[w.index].text for w in times] == words
    for time in times:
        assert np.abs(sound[time.start : time.end]).max() > 0.05


def test_letters_of_another_language_are_refused(engine):
    with pytest.raises(SpeechError, match=r"voice 'rosa' \(kokoro\) speaks en-US and can't speak '吗' \(U\+5417\)"):
        engine("rosa").check("OK吗")


def test_british_vowels():
    words = ["car", "ask", "dog", "go", "very", "water"]
    said = ["kˈɑɹ", "ˈæsk", "dˈɔɡ", "ɡˈO", "vˈɛɹi", "wˈɔTəɹ"]
    symbols = ", ".join(said)
    owner, index = [], 0
    for symbol in symbols:
        index += symbol == ","
        owner.append(-1 if symbol in ", " else index)
    heard = british(Reading(symbols, tuple(owner)), words)
    assert heard.symbols == "kˈɑː, ˈɑːsk, dˈɒɡ, ɡˈQ, vˈɛɹi, wˈɔːtə"
    assert len(heard.words) == len(heard.symbols)


def test_a_voice_without_weights_says_how_to_install(tmp_path):
    spec = VoiceSpec("kokoro", blend={"af_heart": 1.0}, model="none.onnx")
    assert kokoro.missing(spec, tmp_path) == "npc-engine voices install kokoro"
    with pytest.raises(
        NotInstalled, match=r"voice 'x' \(kokoro, en-US\) is not installed: run npc-engine voices install"
    ):
        VoiceEngines().voice(spec, "x", tmp_path)


def test_damaged_weights_are_named(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    spec = VoiceSpec("kokoro", blend={"af_heart": 1.0}, model="bad.onnx")
    with pytest.raises(NotInstalled, match=r"bad\.onnx: damaged, its SHA-256 is"):
        VoiceEngines().voice(spec, "x", tmp_path)


def test_a_line_comes_through_the_cast(weights):
    spec, folder = CAST.voice("alaric")
    voice = VoiceEngines().voice(replace(spec, model=str(weights)), "alaric", folder)
    chunks = list(voice.speak(Line("1", "alaric", "Stop. Who goes there?")))
    assert [w.text for chunk in chunks for w in chunk.words] == ["Stop", "Who", "goes", "there"]
