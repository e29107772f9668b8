"""hibari's designed voices: what they say, when, how high and how loud."""

import re
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from listening import heights

from npc_engine.cast import Cast, CastError, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.load import VoiceEngines, load_voice
from npc_engine.speech.voice import CastVoice

ROOT = Path(__file__).parents[1]
LINES = [line for line in (ROOT / "tests/npc_lines.txt").read_text(encoding="utf-8").splitlines() if line]
NAMES = ("woman", "man", "child", "ogre")


@pytest.fixture(scope="module")
def voices():
    cast, engines = Cast((ROOT,)), VoiceEngines()
    found = {}
    for name in NAMES:
        spec, folder = cast.voice(name)
        found[name] = engines.voice(spec, name, folder)
        found[name].warm()
    return found


def spoken(voice, text):
    """The line's chunks, checked for gaps, and its sound, phones and words."""
    chunks = list(voice.speak(Line("1", "npc", text)))
    at = 0
    for chunk in chunks:
        assert chunk.start == at
        assert chunk.samples.dtype == np.float32
        at += len(chunk.samples)
    return (
        np.concatenate([c.samples for c in chunks]),
        [p for c in chunks for p in c.phones],
        [w for c in chunks for w in c.words],
    )


def db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_phones_cover_the_sound_and_words_come_in_order(voices, name):
    for text in LINES[:4]:
        sound, phones, words = spoken(voices[name], text)
        assert phones[0].start == 0
        assert phones[-1].end == len(sound)
        assert all(a.end == b.start for a, b in pairwise(phones))
        assert all(p.end > p.start for p in phones)
        assert phones[0].symbol == phones[-1].symbol == "sil"
        assert [text[w.first : w.last] for w in words] == [w.text for w in words]
        assert [w.text for w in words] == re.findall(r"[A-Za-z']+", text)
        assert all(a.start < a.end <= b.start for a, b in pairwise(words))


@pytest.mark.parametrize("name", NAMES)
def test_sound_is_in_the_words_and_silence_in_the_pauses(voices, name):
    for text in LINES[:6]:
        sound, phones, words = spoken(voices[name], text)
        inside = np.concatenate([sound[w.start : w.end] for w in words])
        pauses = np.concatenate([sound[p.start : p.end] for p in phones if p.symbol == "sil"])
        assert db(inside) > db(pauses) + 25
        vowels = np.concatenate([sound[p.start : p.end] for p in phones if p.symbol in "AIOWæɑɛɔ"])
        stops = [sound[p.start : p.end] for p in phones if p.symbol in "pbtdkɡ"]
        closed = [min(db(s[i : i + 240]) for i in range(0, max(len(s) - 240, 1), 60)) for s in stops]
        assert db(vowels) > np.mean(closed) + 12


def test_phones_are_where_they_sound(voices):
    """Two stops and a sibilant that are plain to find in the sound: times within 40 ms."""
    sound, phones, _ = spoken(voices["woman"], "I saw a sea of ice.")
    frames = sound[: len(sound) // 120 * 120].reshape(-1, 120)
    spectra = np.abs(np.fft.rfft(frames * np.hanning(120), axis=1)) ** 2
    hissing = spectra[:, 20:].sum(axis=1) > 2 * spectra[:, :10].sum(axis=1)
    loud = spectra.sum(axis=1) > 1e-3 * spectra.sum(axis=1).max()
    steps = np.flatnonzero(np.diff(np.concatenate([[0], (hissing & loud).astype(int), [0]]))).reshape(-1, 2)
    heard = [run[0] * 120 for run in steps if run[1] - run[0] > 8]  # longer than 40 ms
    named = [p.start for p in phones if p.symbol == "s"]
    assert len(heard) == len(named) == 3
    assert max(abs(a - b) for a, b in zip(heard, named, strict=True)) < 0.040 * SAMPLE_RATE


def test_a_word_read_as_many_is_one_word(voices):
    text = "It costs $20.50 at 7:30 pm, Dr. No, in St. Ives."
    sound, _, words = spoken(voices["woman"], text)
    assert [w.text for w in words] == ["It", "costs", "$20.50", "at", "7:30", "pm", "Dr", "No", "in", "St", "Ives"]
    price = words[2]
    assert price.end - price.start > 0.8 * SAMPLE_RATE  # "twenty dollars and fifty cents"
    assert words[3].end - words[3].start < 0.4 * SAMPLE_RATE
    assert words[-1].end < len(sound)


def test_words_keep_their_place_in_the_text_as_it_came(voices):
    text = "\t“Cafe\u0301”\x00 🙂 ｆｕｌｌ,\r\n na\u00efve — so\u00adft!"
    _, _, words = spoken(voices["woman"], text)
    assert [w.text for w in words] == ["Cafe\u0301", "ｆｕｌｌ", "na\u00efve", "so\u00adft"]
    assert [text[w.first : w.last] for w in words] == [w.text for w in words]


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_a_short_breath_apart_and_the_end_is_silent(voices, name):
    sound, phones, _ = spoken(voices[name], "The bridge is gone. We must swim.")
    (pause,) = [(a.start, b.end) for a, b in pairwise(phones) if a.symbol == b.symbol == "sil"]
    assert 0.15 <= (pause[1] - pause[0]) / SAMPLE_RATE <= 0.3
    assert phones[-1].end - phones[-1].start >= 0.06 * SAMPLE_RATE
    assert np.abs(sound[-int(0.06 * SAMPLE_RATE) :]).max() < 0.003
    assert np.abs(sound[: int(0.03 * SAMPLE_RATE)]).max() < 0.003


def test_the_same_text_gives_the_same_samples_on_any_thread(voices):
    jobs = [(name, text) for name in NAMES for text in LINES[:2]]
    alone = [spoken(voices[name], text)[0] for name, text in jobs]
    together = [None] * len(jobs)

    def work(i):
        together[i] = spoken(voices[jobs[i][0]], jobs[i][1])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_sentence_sounds_the_same_wherever_it_stands(voices):
    first, _, _ = spoken(voices["woman"], LINES[0])
    both, _, _ = spoken(voices["woman"], f"{LINES[2]} {LINES[0]}")
    np.testing.assert_array_equal(both[-len(first) :], first)


def test_pitch_is_as_designed(voices):
    cast = Cast((ROOT,))
    found = {
        name: np.median(heights(np.concatenate([spoken(voice, text)[0] for text in LINES[:5]])))
        for name, voice in voices.items()
    }
    base = found["woman"] / cast.voice("woman")[0].pitch
    for name, height in found.items():
        assert height / base == pytest.approx(cast.voice(name)[0].pitch, rel=0.05), found
    assert found["ogre"] < found["man"] < found["woman"] < found["child"]


def test_a_flat_and_a_lively_voice_move_their_pitch_as_asked():
    engines = VoiceEngines()
    widths = {}
    for factor in (0.3, 1.0, 1.5):
        voice = engines.voice(VoiceSpec("hibari", range=factor), "test", Path())
        low, high = np.percentile(np.log(heights(spoken(voice, LINES[4])[0])), [15, 85])
        widths[factor] = high - low
    assert widths[0.3] < 0.6 * widths[1.0]
    assert widths[1.0] < 0.8 * widths[1.5]


def test_speed_is_as_asked():
    engines = VoiceEngines()
    lengths = [
        len(spoken(engines.voice(VoiceSpec("hibari", speed=s), "test", Path()), LINES[2])[0]) for s in (0.8, 1.0, 1.25)
    ]
    assert lengths[0] > 1.1 * lengths[1] > 1.2 * lengths[2]


def test_voices_are_equally_loud_and_never_clip(voices):
    levels = {}
    for name, voice in voices.items():
        levels[name] = []
        for text in LINES[:5]:
            sound, _, words = spoken(voice, text)
            levels[name].append(db(np.concatenate([sound[w.start : w.end] for w in words])))
            assert np.abs(sound).max() < 1
    means = {name: np.mean(level) for name, level in levels.items()}
    assert max(means.values()) - min(means.values()) < 1.5, means


def test_even_an_absurd_gain_stays_below_full_scale():
    voice = load_voice(VoiceSpec("hibari", gain_db=24), "loud", Path())
    sound, _, _ = spoken(voice, LINES[0])
    assert 0.9 < np.abs(sound).max() <= 1.0


def test_sound_comes_in_pieces_and_a_clause_end_is_told(voices):
    chunks = list(voices["woman"].speak(Line("1", "npc", "The old bridge is broken, so take the path. Good luck.")))
    assert len(chunks[0].samples) < 0.6 * SAMPLE_RATE
    assert [c.ends_clause for c in chunks].count(True) == 2
    assert chunks[-1].ends_clause
    for chunk in chunks:
        end = chunk.start + len(chunk.samples)
        assert all(p.start < end for p in (*chunk.phones, *chunk.words))
        # a silence may be told late: a pause that the line asks for may cut it
        assert all(chunk.start <= p.start for p in (*chunk.phones, *chunk.words) if getattr(p, "symbol", "") != "sil")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to speak in '': expected at least one letter or digit"),
        (" \n\t ", "nothing to speak in ' \\n\\t ': expected at least one letter or digit"),
        ("?!...", "nothing to speak in '?!...': expected at least one letter or digit"),
        ("🙂🎉", "nothing to speak in '🙂🎉': expected at least one letter or digit"),
        (
            "Hello 你好",
            "voice 'woman' (hibari) speaks en-US and can't speak '你' (U+4F60), '好' (U+597D) in 'Hello 你好'",
        ),
        (
            "Go! Ёжикобус",
            (
                "voice 'woman' (hibari) speaks en-US and can't speak 'Ё' (U+0401), 'ж' (U+0436), 'и' (U+0438),"
                " 'к' (U+043A), 'о' (U+043E) and 3 more in 'Ёжикобус'"
            ),
        ),
        ("abc שלום", None),
        ("عربي ٣", None),
        ("こんにちは", None),
        ("∑ of all", "voice 'woman' (hibari) speaks en-US and can't speak '∑' (U+2211) in '∑ of all'"),
        ("x" * 50 + "ж", f"voice 'woman' (hibari) speaks en-US and can't speak 'ж' (U+0436) in '{'x' * 40}'…"),
        ("lone \ud800 surrogate", None),
    ],
)
def test_what_cant_be_spoken_is_said_before_any_sound(voices, text, message):
    with pytest.raises(SpeechError) as caught:
        next(voices["woman"].speak(Line("1", "npc", text)))
    if message is not None:
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 2000, 50),
        ("9" * 300, 300),
        ("OK 🙂 go", 2),
        ("naïve Ångström façade Łódź", 4),
        ("[click](/here/) *now* #1 <b>", 4),
        ("Hmm. Shh! Grrr. Zzz...", 4),
        ("$ £ €", 3),
        ("don't y'all 'tis", 3),
        ("Aaargh!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", 1),
        ("x\x00y\x1bz", 3),
    ],
)
def test_odd_text_is_spoken_whole(voices, text, count):
    _, _, words = spoken(voices["woman"], text)
    assert len(words) == count
    assert all(w.end > w.start for w in words), words


def test_ten_thousand_characters_start_at_once_and_stop_when_closed(voices):
    text = " ".join(LINES * 20)[:10_000]
    begin = time.perf_counter()
    speech = voices["man"].speak(Line("1", "npc", text))
    first = next(speech)
    waited = time.perf_counter() - begin
    assert len(first.samples) > 0
    assert waited < 1  # the whole takes about 10 s
    begin = time.perf_counter()
    speech.close()
    assert time.perf_counter() - begin < 0.1
    assert list(speech) == []


def test_ten_thousand_characters_without_a_stop_start_at_once_too(voices):
    speech = voices["man"].speak(Line("1", "npc", "word and " * 1111))
    begin = time.perf_counter()
    next(speech)
    assert time.perf_counter() - begin < 1
    speech.close()


def test_an_unknown_engine_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(CastError) as caught:
        VoiceEngines().voice(VoiceSpec("hibary"), "x", tmp_path)
    expected = f"{tmp_path / 'voice.toml'}: unknown engine 'hibary', did you mean 'hibari'?; known: hibari, kokoro"
    assert str(caught.value).startswith(expected)


def test_voices_share_one_model(voices):
    assert all(isinstance(v, CastVoice) for v in voices.values())
    assert len({id(v.engine._model) for v in voices.values()}) == 1
