"""Recordings as voices: what is played, when its words are said, and what is refused by name."""

import shutil
import sys
import tracemalloc
import wave
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from npc_engine.cast import CastError, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.load import VoiceEngines
from npc_engine.speech.recording import voice_over
from npc_engine.speech.recording_file import pieces, probe
from npc_engine.speech.recording_level import levelling_gain, loudness

LEVEL = pytest.mark.skipif(sys.version_info < (3, 11), reason="av 18, which measures loudness, needs Python 3.11")
TEXT = "Good evening, traveller. The old bridge is broken, so take the path along the river."


@pytest.fixture(scope="module")
def engines():
    return VoiceEngines()


@pytest.fixture(scope="module")
def actor(engines, tmp_path_factory):
    """A line by an actor: sound at 24 kHz with a pause that the text does not tell of, and its words' true times."""
    voice = engines.voice(VoiceSpec("hibari", pitch=0.85, speed=0.85), "actor", tmp_path_factory.mktemp("actor"))
    chunks = list(voice.speak(Line("1", "actor", TEXT)))
    sound = np.concatenate([c.samples for c in chunks])
    words = [(w.text, w.start, w.end) for c in chunks for w in c.words]
    at = next(start for text, start, _ in words if text == "broken")
    pause = SAMPLE_RATE * 6 // 10
    sound = np.concatenate([sound[:at], np.zeros(pause, np.float32), sound[at:]])
    return sound, [(t, a + pause * (a >= at), b + pause * (b > at)) for t, a, b in words]


@pytest.fixture(scope="module")
def evening(actor, tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "evening.ogg"
    soundfile.write(path, actor[0], SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def voice(engines, evening):
    spec = VoiceSpec("recording", lines={TEXT: "evening.ogg"})
    return engines.voice(spec, "maren", evening.parent)


def sweep(rate, seconds=1.0, channels=1):
    """A tone that rises from 200 to 3000 Hz, f32[n, channels]."""
    at = np.arange(round(rate * seconds)) / rate
    tone = 0.5 * np.sin(2 * np.pi * (200 * at + 1400 * at**2 / seconds))
    return np.repeat(tone[:, None], channels, axis=1)


def traced(speech, count):
    """The most memory that the next chunks allocate; a quarter of a second each."""
    tracemalloc.start()
    try:
        assert sum(len(next(speech).samples) for _ in range(count)) == count * SAMPLE_RATE // 4
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def heard(path):
    return np.concatenate(list(pieces(path)))


def alike(sound, truth):
    """Correlation at the best shift within 60 ms: codecs delay."""
    size = min(len(sound), len(truth)) - 2880
    middle = truth[1440 : 1440 + size]
    return max(np.corrcoef(sound[k : k + size], middle)[0, 1] for k in range(2880))


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 8_000, 1, "PCM_16"),
        ("a.wav", 22_050, 2, "PCM_24"),
        ("a.wav", 24_000, 1, "FLOAT"),
        ("a.wav", 44_056, 1, "PCM_16"),
        ("a.wav", 192_000, 2, "DOUBLE"),
        ("a.wav", 11_025, 1, "PCM_U8"),
        ("a.flac", 96_000, 2, "PCM_24"),
        ("a.ogg", 44_100, 2, "VORBIS"),
        ("a.mp3", 44_100, 2, "MPEG_LAYER_III"),
        ("a.mp3", 16_000, 1, "MPEG_LAYER_III"),
    ],
)
def test_any_file_comes_out_as_mono_at_24_khz(tmp_path, name, rate, channels, subtype):
    path = tmp_path / name
    soundfile.write(path, sweep(rate, channels=channels), rate, subtype=subtype)
    sound = heard(path)
    assert sound.dtype == np.float32
    assert len(sound) / SAMPLE_RATE == pytest.approx(1, abs=0.06 if name.endswith("mp3") else 0.001)
    assert alike(sound, sweep(SAMPLE_RATE)[:, 0]) > 0.98


def test_a_wrong_extension_does_not_matter(tmp_path):
    soundfile.write(tmp_path / "a.flac", sweep(24_000), 24_000)
    shutil.copy(tmp_path / "a.flac", tmp_path / "a.wav")
    np.testing.assert_array_equal(heard(tmp_path / "a.wav"), heard(tmp_path / "a.flac"))


def test_an_hour_streams_in_little_memory(tmp_path):
    path = tmp_path / "hour.wav"
    minute = (128 + 100 * sweep(SAMPLE_RATE, 60)[:, 0]).astype(np.uint8).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(SAMPLE_RATE)
        for _ in range(60):
            file.writeframesraw(minute)
    speech = voice_over(path).speak(Line("1", "npc", "A very long story."))
    peaks = [traced(speech, 200)]
    passed = sum(len(next(speech).samples) for _ in range(10_000))
    peaks.append(traced(speech, 200))
    rest = [len(chunk.samples) for chunk in speech]
    assert passed + sum(rest) == (3600 - 100) * SAMPLE_RATE
    assert max(rest) <= SAMPLE_RATE
    assert max(peaks) < 30e6  # the whole would be 345 MB


def test_words_are_where_they_are_said(voice, actor):
    _, truth = actor
    chunks = list(voice.speak(Line("1", "maren", TEXT)))
    words = [w for c in chunks for w in c.words]
    assert [w.text for w in words] == [t for t, _, _ in truth]
    assert [TEXT[w.first : w.last] for w in words] == [w.text for w in words]
    assert all(a.end <= b.start for a, b in pairwise(words))
    starts = np.array([w.start - a for w, (_, a, _) in zip(words, truth, strict=True)]) / SAMPLE_RATE
    ends = np.array([w.end - b for w, (_, _, b) in zip(words, truth, strict=True)]) / SAMPLE_RATE
    assert np.abs(starts).mean() < 0.060, starts
    assert np.abs(ends).mean() < 0.090, ends
    for chunk in chunks:
        end = chunk.start + len(chunk.samples)
        assert all(chunk.start <= w.start < end for w in chunk.words)
    assert [c.ends_clause for c in chunks] == [False] * (len(chunks) - 1) + [True]


def test_phones_follow_one_another(voice):
    chunks = list(voice.speak(Line("1", "maren", TEXT)))
    phones = [p for c in chunks for p in c.phones]
    assert len(phones) > 50
    assert all(a.end <= b.start for a, b in pairwise(phones))


def test_a_line_is_known_by_its_words_whatever_its_case_and_spaces(voice, actor):
    chunks = list(voice.speak(Line("1", "maren", " good EVENING,  traveller.", more=[TEXT[24:]])))
    assert sum(len(c.samples) for c in chunks) == len(actor[0])
    assert chunks[0].words[0].text == "good"


def test_another_text_is_refused_with_the_nearest_line(voice):
    with pytest.raises(SpeechError) as caught:
        next(voice.speak(Line("1", "maren", "Good evening, stranger. The old bridge is gone.")))
    assert str(caught.value) == (
        "voice 'maren' (recording) has no recording of 'Good evening, stranger. The old bridge i'…;"
        f" the nearest that has one is {TEXT!r}"
    )


def test_the_same_line_is_the_same_sound_at_its_gain(engines, evening, voice):
    plain = np.concatenate([c.samples for c in voice.speak(Line("1", "maren", TEXT))])
    again = np.concatenate([c.samples for c in voice.speak(Line("2", "maren", TEXT, emotion="angry"))])
    np.testing.assert_array_equal(plain, again)
    quiet = engines.voice(VoiceSpec("recording", gain_db=-6, lines={TEXT: "evening.ogg"}), "maren", evening.parent)
    half = np.concatenate([c.samples for c in quiet.speak(Line("1", "maren", TEXT))])
    assert np.std(half) / np.std(plain) == pytest.approx(10 ** (-6 / 20), rel=0.02)


@pytest.mark.parametrize("language", ["de-DE", "en-US"])
def test_where_words_cant_be_found_they_are_spread_over_what_sounds(engines, tmp_path, actor, language):
    """A transcript that is not what is said, and a language that hibari does not have."""
    sound = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), actor[0], np.zeros(SAMPLE_RATE, np.float32)])
    soundfile.write(tmp_path / "x.wav", sound, SAMPLE_RATE)
    text = "Zwölf Boxkämpfer jagen Viktor" if language == "de-DE" else "Six quick zebras."
    voice = engines.voice(VoiceSpec("recording", language=language, lines={text: "x.wav"}), "x", tmp_path)
    words = [w for c in voice.speak(Line("1", "x", text)) for w in c.words]
    assert [w.text for w in words] == text.strip(".").split()
    assert 0.9 * SAMPLE_RATE < words[0].start < 1.3 * SAMPLE_RATE
    assert len(sound) - 1.6 * SAMPLE_RATE < words[-1].end < len(sound) - 0.9 * SAMPLE_RATE
    assert all(a.start < a.end <= b.start for a, b in pairwise(words))


def test_voice_over_plays_its_file_for_any_line(evening, actor):
    voice = voice_over(evening, TEXT)
    chunks = list(voice.speak(Line("1", "npc", TEXT)))
    assert sum(len(c.samples) for c in chunks) == len(actor[0])
    assert len([w for c in chunks for w in c.words]) == len(actor[1])
    silent = list(voice_over(evening).speak(Line("1", "npc", "")))
    assert sum(len(c.samples) for c in silent) == len(actor[0])
    assert not any(c.words for c in silent)


def test_closing_a_line_closes_its_file(voice, evening, tmp_path):
    copy = tmp_path / "copy.ogg"
    shutil.copy(evening, copy)
    speech = voice_over(copy).speak(Line("1", "npc", ""))
    next(speech)
    speech.close()
    copy.unlink()  # Windows keeps a file that is open


@LEVEL
def test_files_are_levelled_by_one_gain(tmp_path, actor):
    sound = actor[0]
    for name, factor in (("loud.wav", 1.0), ("soft.wav", 0.1)):
        soundfile.write(tmp_path / name, factor * sound, SAMPLE_RATE, subtype="FLOAT")
    loud, soft = loudness([tmp_path / "loud.wav"]), loudness([tmp_path / "soft.wav"])
    assert loud - soft == pytest.approx(20, abs=0.3)
    gain = levelling_gain([tmp_path / "soft.wav"])
    voice = voice_over(tmp_path / "soft.wav", gain_db=gain)
    played = np.concatenate([c.samples for c in voice.speak(Line("1", "npc", ""))])
    soundfile.write(tmp_path / "played.wav", played, SAMPLE_RATE, subtype="FLOAT")
    assert loudness([tmp_path / "played.wav"]) == pytest.approx(-20, abs=0.3)


@LEVEL
def test_silence_has_no_loudness(tmp_path):
    soundfile.write(tmp_path / "still.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(SpeechError, match=r"still.wav: silent, or shorter than 0.4 s"):
        levelling_gain([tmp_path / "still.wav"])


def bad_file(folder, fault):
    path = folder / f"{fault}.wav"
    if fault == "text":
        path.write_text("Good evening, traveller.", encoding="utf-8")
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "no samples":
        soundfile.write(path, np.zeros(0), 24_000)
    elif fault == "32 channels":
        soundfile.write(path, sweep(24_000, channels=32), 24_000)
    elif fault == "slow rate":
        soundfile.write(path, sweep(24_000), 50)
    elif fault in {"nan", "inf"}:
        sound = sweep(24_000)[:, 0]
        sound[12_000] = float(fault)
        soundfile.write(path, sound, 24_000, subtype="FLOAT")
    elif fault == "truncated":
        soundfile.write(path, sweep(24_000), 24_000)
        path.write_bytes(path.read_bytes()[:20_000])
    elif fault.startswith("truncated"):
        path = folder / f"{fault}.{fault.split()[1]}"
        soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 96_000), 24_000)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    return path


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("text", r"text\.wav: can't be read as sound \(.*\); expected a WAV, FLAC, OGG or MP3 file"),
        ("empty", r"empty\.wav: can't be read as sound"),
        ("missing", r"missing\.wav: no such file"),
        ("no samples", r"no samples\.wav: no sample in it"),
        ("32 channels", r"32 channels\.wav: 32 channels, expected at most 8: mix it down first"),
        ("slow rate", r"slow rate\.wav: a rate of 50 Hz, expected 4000 to 400000"),
        ("nan", r"nan\.wav: the sample at 0\.500 s is no finite number"),
        ("inf", r"inf\.wav: the sample at 0\.500 s is no finite number"),
        ("truncated", r"truncated\.wav: cut off: its header promises 48000 bytes of sound, 19956 are there"),
        ("truncated flac", r"truncated flac\.flac: (broken at|cut off after)"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path, fault, message):
    path = bad_file(tmp_path, fault)
    with pytest.raises(SpeechError, match=message):
        heard(path)


@pytest.mark.parametrize("kind", ["ogg", "mp3"])
def test_a_truncated_stream_plays_what_is_there_or_says_so(tmp_path, kind):
    """These formats' headers promise no length, so a file that ends early is as good as a shorter one."""
    path = bad_file(tmp_path, f"truncated {kind}")
    try:
        sound = heard(path)
    except SpeechError as error:
        assert path.name in str(error)  # noqa: PT017 - either is right
    else:
        assert 0.5 * SAMPLE_RATE < len(sound) < 4 * SAMPLE_RATE


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({}, r'no lines; expected lines = \{ "Good evening." = "evening.ogg" \}'),
        ({"Hello.": "../other/evening.ogg"}, "'../other/evening.ogg' leads out of the voice's folder"),
        ({"Hello.": "/etc/hello.ogg"}, "'/etc/hello.ogg' is an absolute path, expected a file beside voice.toml"),
        ({"Hello.": "C:\\hello.ogg"}, "is an absolute path, expected a file beside voice.toml"),
        ({"Hello.": "nothing.ogg"}, r"lines: 'Hello.': .*nothing.ogg: no such file"),
        ({"Hello.": "evening.ogg", "HELLO.": "evening.ogg"}, "'HELLO.' is the same line as 'Hello.'"),
        ({"": "evening.ogg"}, "'' has nothing to speak"),
        ({"Hello.": "link.ogg"}, "'link.ogg' leads out of the voice's folder"),
    ],
)
def test_a_wrong_table_is_refused_when_it_is_loaded(engines, evening, tmp_path, lines, message):
    folder = tmp_path / "maren"
    folder.mkdir()
    shutil.copy(evening, folder / "evening.ogg")
    if "link.ogg" in lines.values():
        try:
            (folder / "link.ogg").symlink_to(evening)
        except OSError:
            pytest.skip("this machine lets nobody make links")
    with pytest.raises(CastError, match=message):
        engines.voice(VoiceSpec("recording", lines=lines), "maren", folder)


def test_the_length_is_known_before_a_sample_is_read(evening, actor):
    assert probe(evening) == pytest.approx(len(actor[0]) / SAMPLE_RATE, abs=0.001)
