"""`npc-engine drive`: a sound file or a microphone moves a face, with an engine and without."""

import contextlib
import ctypes.util
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from live_speech import at_rate, packets, silence, spoken

from npc_engine.cast import Cast
from npc_engine.cli import main
from npc_engine.client import ClientError
from npc_engine.commands.drive import until
from npc_engine.commands.drive_line import SILENT_S, DrivenLine
from npc_engine.commands.drive_sound import in_time, of_file
from npc_engine.moments import CHANNEL, TICK_SAMPLES
from npc_engine.server.server import Server
from npc_engine.troupe import Troupe
from npc_engine.wire.messages import ErrorMessage

JAW = CHANNEL["jawOpen"]
ALSA = """
</usr/share/alsa/alsa.conf>
pcm.card {{ type file slave.pcm {{ type null }} file "/dev/null" infile "{card}" format "raw" hint {{ show on }} }}
pcm.!default {{ type plug slave {{ pcm "card" rate 48000 format S16_LE channels 1 }} }}
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "speech.wav"
    sound = np.concatenate([spoken(), silence(600), spoken()])
    soundfile.write(path, at_rate(sound, 44_100), 44_100, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def engine():
    server = Server(Troupe(Cast.standard()), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


def test_a_file_becomes_curves_and_sound_without_an_engine(recording, tmp_path, capsys):
    curves, wav = tmp_path / "curves.npz", tmp_path / "back.wav"
    assert main(["drive", str(recording), "--npc", "maren", "-o", str(curves), "-o", str(wav)]) == 0
    assert "× real time" in capsys.readouterr().out
    with np.load(curves) as file:
        jaw = file["exp"][:, JAW]
    pause = len(spoken()) // TICK_SAMPLES
    assert jaw[:pause].max() > 0.2
    assert jaw[pause + 12 : pause + 26].max() < 0.03
    back, rate = soundfile.read(wav, dtype="float32")
    assert rate == 24_000
    assert len(back) == len(jaw) * TICK_SAMPLES
    said = np.concatenate([spoken(), silence(600), spoken()])
    assert np.corrcoef(back[: len(said)], said)[0, 1] > 0.95


def test_the_first_seconds_alone_and_other_channels(recording, tmp_path):
    out = tmp_path / "curves.json"
    asked = ["drive", str(recording), "--seconds", "0.5", "--denoise", "--emotion", "happy", "--channels", "arkit52"]
    assert main([*asked, "--out", str(out)]) == 0
    told = json.loads(out.read_text())
    assert len(told["names"]) == 52
    assert len(told["weights"]) == 26 + 6, "half a second, what the denoiser is late by, and rest"


def test_a_running_engine_is_driven_and_the_delay_told(engine, recording, capsys):
    assert main(["drive", str(recording), "--npc", "elder", "--address", engine.address, "--seconds", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1.12 s came back of 1.00 s; a face follows its sound by ")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([], "say what drives the face: a sound FILE, or --mic, and not both"),
        (["a.wav", "--mic"], "say what drives the face: a sound FILE, or --mic, and not both"),
        (["a.wav", "--device", "1"], "--device is for --mic"),
        (["a.wav", "--style", "livly"], "--style is 'livly', expected serious, lively, cartoon"),
        (["a.wav", "--emotion", "cross"], "--emotion is 'cross', expected neutral"),
        (["a.wav", "--strength", "nan"], "--strength is nan, expected 0 to 1"),
        (["a.wav", "--seconds", "0"], "--seconds is 0.0, expected 0.1 to 86400"),
        (["a.wav", "--size", "9"], "--size is 9, expected 64 to 1024 pixels"),
        (["a.wav", "--channels", "vrm"], "--channels vrm is for .json and .npz files"),
        (["a.wav", "-o", "a.json", "--key", "k"], "--out does without an engine: leave out --address and keys"),
        (["nothing.wav"], "nothing.wav: no such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_plain_words(asked, told, capsys):
    assert main(["drive", *asked]) == 2
    assert told in capsys.readouterr().err


def test_no_engine_is_said_so(recording, capsys):
    assert main(["drive", str(recording), "--address", "tcp://127.0.0.1:1"]) == 2
    assert "no engine answered at tcp://127.0.0.1:1" in capsys.readouterr().err


def test_an_unknown_character_is_the_engines_word(engine, recording, capsys):
    assert main(["drive", str(recording), "--npc", "elderr", "--address", engine.address]) == 2
    assert "did you mean 'elder'" in capsys.readouterr().err


def test_a_file_comes_in_ticks_and_whole(recording):
    pieces = list(of_file(recording))
    assert {len(piece) for piece in pieces[:-1]} == {TICK_SAMPLES}
    assert abs(sum(map(len, pieces)) - 2 * len(spoken()) - len(silence(600))) < 5


def test_a_file_takes_the_time_that_it_is_heard_in():
    clock = [100.0]
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    for _ in in_time(iter(packets(silence(100))), now=lambda: clock[0], sleep=sleep):
        clock[0] += 0.005  # that somebody works between the pieces
    assert clock[0] - 100 == pytest.approx(0.105)
    assert len(slept) == 5


def test_until_cuts_where_it_is_told():
    pieces = [np.zeros(n, np.float32) for n in (480, 480, 480)]
    assert [len(p) for p in until(iter(pieces), 24_000, 0.03)] == [480, 240]
    assert sum(len(p) for p in until(iter(pieces), 24_000, None)) == 1_440


class Engineless:
    """A client whose engine says one thing, or nothing."""

    def __init__(self, *events):
        self.events = list(events)

    def hear(self, line, sound):
        pass

    def commit(self, line):
        pass

    def poll(self, timeout_s):
        events, self.events = self.events, []
        return events


def test_an_engine_that_falls_silent_is_not_waited_for_for_ever():
    clock = [0.0]
    line = DrivenLine(Engineless(), "l", 24_000, denoise=False, now=lambda: clock[0])
    line.send(silence(20))
    line.take(0)
    line.commit()
    clock[0] = SILENT_S + 1
    with pytest.raises(ClientError, match="nothing came back for 30 s after the sound was complete"):
        line.take(0)


def test_what_an_engine_says_against_the_connection_ends_it():
    line = DrivenLine(Engineless(ErrorMessage("internal", "the engine failed")), "l", 24_000, denoise=False)
    with pytest.raises(ClientError, match="the engine failed"):
        line.take(0)


def _portaudio() -> None:
    lacking = []
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        lacking.append(f"sounddevice with PortAudio ({error})")
    if not Path("/usr/share/alsa/alsa.conf").is_file() or not ctypes.util.find_library("asound"):
        lacking.append("ALSA")
    if lacking:
        reason = f"a microphone that is a pipe needs {' and '.join(lacking)}: apt install libportaudio2"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def test_a_microphone_is_heard(tmp_path):
    """PortAudio and ALSA are the real ones; behind them a pipe is the card, and who fills it the clock."""
    _portaudio()
    pipe = tmp_path / "card"
    os.mkfifo(pipe)
    (tmp_path / "alsa.conf").write_text(ALSA.format(card=pipe))
    card = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    over = threading.Event()
    speaker = threading.Thread(target=_play, args=(card, over))
    speaker.start()
    out = tmp_path / "mic.npz"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "npc_engine.cli", "drive", "--mic", "--seconds", "2", "--out", str(out)],
            env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "alsa.conf")},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        over.set()
        speaker.join()
        os.close(card)
    assert done.returncode == 0, done.stderr
    assert "48000 Hz; Ctrl-C ends it" in done.stderr
    with np.load(out) as file:
        sound, jaw = file["sound"][2_400:12_000], file["exp"][:, JAW]  # later, the pipe may have been full
    assert len(jaw) == 101 + 6
    said = np.tile(spoken(), 4)
    match = np.fft.irfft(np.fft.rfft(sound, 2**19) * np.conj(np.fft.rfft(said, 2**19)))
    assert match.max() > 0.9 * np.square(sound).sum(), "it is what was said"
    assert jaw.max() > 0.15


def _play(card: int, over: threading.Event) -> None:
    """Speech into the card, 20 ms in 20 ms; what it can't take is lost, as on a card that nobody listens to."""
    raw = np.rint(at_rate(spoken(), 48_000) * 32767).astype("<i2").tobytes()
    for piece in itertools.cycle(raw[at : at + 1_920] for at in range(0, len(raw), 1_920)):
        with contextlib.suppress(BlockingIOError):
            os.write(card, piece)
        if over.wait(0.02):
            return
