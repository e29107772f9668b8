"""npc-engine voices: what a person reads who lists, hears, checks and makes voices."""

import importlib.util
import json
import os
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc_engine.cast import Cast, VoiceSpec
from npc_engine.cli import main
from npc_engine.commands import voices_check
from npc_engine.commands.voices_heard import missing, wrong
from npc_engine.commands.voices_new import toml
from npc_engine.commands.voices_speech import (
    Spoken,
    longest_silence,
    loudness,
    pitches,
    samples,
    speak,
    word_faults,
)
from npc_engine.moments import SAMPLE_RATE, Word
from npc_engine.speech.load import VoiceEngines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SECOND = SAMPLE_RATE


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def engines():
    return VoiceEngines()


@pytest.fixture
def measuring():
    """Tests that measure loudness need the library."""
    if importlib.util.find_spec("pyloudnorm") is None:
        reason = "pyloudnorm not installed: pip install 'npc-engine[voices]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def refused(capsys, *argv):
    assert main(["voices", *argv]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def own_voice(root, name="troll", **keys):
    folder = root / "voices" / name
    folder.mkdir(parents=True)
    (folder / "voice.toml").write_text(toml({"engine": "hibari", **keys}), encoding="utf-8")


def test_the_list_shows_every_voice_with_what_there_is_to_know(here, capsys):
    own_voice(here, about="lives under a bridge", licence="CC0", sex="male", language="en-US")
    assert main(["voices"]) == 0
    plain = capsys.readouterr().out
    assert main(["voices", "list"]) == 0
    assert capsys.readouterr().out == plain
    row = next(row for row in plain.splitlines() if row.startswith("troll"))
    assert all(part in row for part in ("hibari", "en-US", "male", "CC0", "yes", "lives under a bridge"))
    assert main(["voices", "list", "--json"]) == 0
    rows = {row["voice"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(Cast.standard().voices())
    assert rows["troll"]["installed"] is True


def test_a_voice_that_needs_more_says_how_to_install_it(here, capsys):
    own_voice(here, "herald", engine="recording", lines={"Open!": "gate.wav"})
    assert main(["voices", "list", "--json"]) == 0
    herald = next(row for row in json.loads(capsys.readouterr().out) if row["voice"] == "herald")
    assert herald["installed"] is False
    assert "gate.wav" in herald["install"]


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_cast_may_stand_before_or_after_the_verb(tmp_path, capsys, order):
    own_voice(tmp_path)
    cast = ["--cast", str(tmp_path)]
    assert main(["voices", *(cast if order == "before" else []), "list", *(cast if order == "after" else [])]) == 0
    assert "troll" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["list", "say", "check", "new"])
def test_every_verb_has_help_with_examples(capsys, verb):
    with pytest.raises(SystemExit) as stop:
        main(["voices", verb, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert f"npc-engine voices {verb}" in said
    assert "examples:" in said


def test_a_sample_is_written_to_the_file_asked_for(here, capsys):
    assert main(["voices", "say", "ogre", "Mind the step!", "--emotion", "angry", "--out", "o.wav"]) == 0
    assert capsys.readouterr().out.startswith("o.wav: ")
    with wave.open("o.wav") as file:
        assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 1)
        assert file.getnframes() > SECOND / 2


def test_without_a_file_a_sample_is_played_or_written_and_said_so(here):
    run = [sys.executable, "-W", "ignore", "-m", "npc_engine.cli", "voices", "say", "woman", "Yes."]
    for driver, played in (("dummy", importlib.util.find_spec("pygame") is not None), ("none such", False)):
        done = subprocess.run(
            run, env={**os.environ, "SDL_AUDIODRIVER": driver}, capture_output=True, text=True, timeout=120, check=True
        )
        assert done.stdout.startswith("played " if played else "woman.wav: "), done.stdout + done.stderr
        assert (here / "woman.wav").exists() is not played


def test_what_cannot_be_said_is_refused_in_plain_words(here, capsys):
    assert "did you mean 'ogre'" in refused(capsys, "say", "ogree")
    assert "ends in .wav" in refused(capsys, "say", "ogre", "--out", "o.mp3")
    assert "no such folder" in refused(capsys, "say", "ogre", "--out", "nowhere/o.wav")
    assert "can't speak" in refused(capsys, "say", "ogre", "你好", "--out", "o.wav")
    assert "did you mean 'ogre'" in refused(capsys, "check", "ogree")
    assert not list(here.iterdir())


def test_a_shipped_voice_passes_its_check(measuring, here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)  # as if not installed: it takes its time
    assert main(["voices", "check", "woman"]) == 0
    said = capsys.readouterr().out
    measures = ("first sound", "tempo", "level", "peak", "word times", "silence", "median pitch", "understood")
    assert all(what in said for what in measures)
    assert "npc-engine[recogniser]" in said
    assert "every measure is as wanted" in said


@pytest.mark.filterwarnings("default")  # the recogniser's packages warn of each other
def test_the_check_listens_with_the_recogniser(engines):
    if missing():
        if os.environ.get("CI"):
            pytest.fail(missing())
        pytest.skip(missing())
    spec = VoiceSpec("hibari")
    line = speak(engines.voice(spec, "plain", Path()), samples(spec)[0])
    (row,) = voices_check.understood(spec, [line])
    assert (row.what, row.verdict) == ("misheard words", "ok")
    (row,) = voices_check.understood(spec, [replace(line, text="Something else was to be said.")])
    assert row.verdict == "too high"


def spoken(voice, spec):
    return [speak(voice, text) for text in samples(spec)[:2]]


def test_a_voice_that_is_off_is_told_what_to_do(measuring, engines):
    spec = VoiceSpec("hibari", gain_db=-12, speed=2.0)
    rows = {r.what: r for r in voices_check.measured(spec, spoken(engines.voice(spec, "hasty", Path()), spec))}
    assert rows["level"].verdict == "too low"
    assert rows["tempo"].verdict == "too high"
    assert rows["tempo"].remedy == "lower speed in voice.toml"
    assert rows["word times"].verdict == "ok"
    gain = float(rows["level"].remedy.removeprefix("set gain_db = ").removesuffix(" in voice.toml"))
    spec = VoiceSpec("hibari", gain_db=gain, speed=2.0)  # who does as told is right
    rows = {r.what: r for r in voices_check.measured(spec, spoken(engines.voice(spec, "hasty", Path()), spec))}
    assert rows["level"].verdict == "ok"


def test_without_the_library_the_check_names_the_extra(monkeypatch, engines):
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    spec = VoiceSpec("hibari")
    rows = {r.what: r for r in voices_check.measured(spec, spoken(engines.voice(spec, "plain", Path()), spec))}
    assert "npc-engine[voices]" in rows["level"].remedy
    assert rows["level"].verdict == ""


def test_a_new_voice_speaks_as_loud_as_the_others(measuring, here, capsys, engines):
    new = ["new", "giantess", "--like", "woman", "--pitch", "0.85", "--speed", "0.9", "--about", 'says "ho"']
    assert main(["voices", *new]) == 0
    said = capsys.readouterr().out
    assert "npc-engine voices say giantess" in said
    spec, folder = Cast.standard().voice("giantess")
    assert folder == here.resolve() / "voices" / "giantess"
    assert (spec.engine, spec.pitch, spec.speed, spec.about) == ("hibari", 0.85, 0.9, 'says "ho"')
    voice = engines.voice(spec, "giantess", folder)
    level = loudness(np.concatenate([speak(voice, text).sound for text in samples(spec)]))
    assert level == pytest.approx(-20, abs=0.5)
    assert "is there already" in refused(capsys, *new)


def test_without_the_library_a_new_voice_is_written_and_says_what_is_missing(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    assert main(["voices", "new", "troll", "--like", "ogre", "--range", "0.5"]) == 0
    assert "npc-engine[voices]" in capsys.readouterr().out
    assert Cast.standard().voice("troll")[0].range == 0.5


def test_a_recording_becomes_a_voice(here, capsys):
    assert main(["voices", "say", "man", "Open the gate!", "--out", "gate.wav"]) == 0
    assert main(["voices", "new", "herald", "--recording", "gate.wav", "--text", "Open the gate!"]) == 0
    assert "hear it" in capsys.readouterr().out
    assert (here / "voices" / "herald" / "gate.wav").read_bytes() == (here / "gate.wav").read_bytes()
    assert main(["voices", "say", "herald", "--out", "again.wav"]) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "one of --like VOICE"),
        (["--like", "woman", "--model", "m.pth"], "one of --like VOICE"),
        (["--like", "wman"], "did you mean 'woman'"),
        (["--like", "woman", "--pitch", "9"], "pitch is 9.0, expected"),
        (["--recording", "a.wav"], "expected one for each"),
        (["--recording", "a.wav", "--text", "Hi"], "a.wav: no such file"),
        (["--model", "m.pth"], "--model needs --config"),
    ],
)
def test_a_voice_that_cannot_be_made_leaves_nothing_behind(here, capsys, options, told):
    assert told in refused(capsys, "new", "troll", *options)
    assert "letters, digits" in refused(capsys, "new", "../troll", *options)
    assert not list(here.iterdir())


@given(
    st.fixed_dictionaries(
        {"engine": st.text(), "pitch": st.floats(allow_nan=False, allow_infinity=False)},
        optional={"about": st.text(), "lines": st.dictionaries(st.text(), st.text(), min_size=1)},
    )
)
def test_whatever_is_in_a_voice_toml_is_read_as_it_was_written(table):
    assert tomllib.loads(toml(table)) == table


@pytest.mark.parametrize("hertz", [70, 120, 203.5, 330, 440])
def test_pitch_is_found(hertz):
    t = np.arange(SECOND) / SECOND
    sound = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 9)).astype(np.float32)
    assert np.median(pitches(sound)) == pytest.approx(hertz, rel=0.005)


def test_faults_of_word_times_are_found():
    sound = np.sin(np.arange(SECOND) / 9).astype(np.float32)
    sound[SECOND // 2 :] = 0

    def faults(*spans):
        words = tuple(Word(f"w{i}", a, b, 0, 1) for i, (a, b) in enumerate(spans))
        return " ".join(word_faults(Spoken("text", sound, (), words, 0, 0)))

    assert faults((0, 5000), (5000, 11_000)) == ""
    assert "'w1' begins before" in faults((0, 5000), (4000, 11_000))
    assert "'w1' is silent" in faults((0, 5000), (15_000, 20_000))
    assert "'w0' at 0" in faults((0, 30_000))
    assert "no words" in faults()
    assert longest_silence(Spoken("", np.concatenate([sound, sound]), (), (), 0, 0)) == pytest.approx(0.5, abs=0.02)


def test_wrong_words_are_counted_as_they_sound():
    assert wrong("I have 3 coins.", "I have three coins", "en") == (0, 4, "words")
    assert wrong("one two three", "one three four", "en") == (2, 3, "words")
    if importlib.util.find_spec("pypinyin"):
        assert wrong("他在这里。", "她在这里", "zh") == (0, 4, "syllables")
    else:
        assert wrong("他在这里。", "她在这里", "zh") == (1, 4, "letters")
