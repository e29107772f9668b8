"""npc-engine voices new: a voice.toml out of another voice, a recording or a coqui model."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.cast import Cast, VoiceSpec, checked, read_toml
from npc_engine.commands.common import UsageError
from npc_engine.commands.voices_speech import LEVEL_LUFS, loudness, samples, speak

ABOUT: Final = "make a voice out of another one, a recording or a coqui model"
EXAMPLES: Final = """  npc-engine voices new giantess --like woman --pitch 0.8 --formant 0.9 --about "slow and friendly"
  npc-engine voices new herald --recording gate.wav --text "Open the gate!" --recording king.ogg --text "The king!"
  npc-engine voices new smith --model smith.pth --config smith.json --licence "CC0, recorded by us"

Numbers are written into voice.toml as they are given; what is not given stays as it is in the voice it is like.
"""
_NUMBERS: Final = ("pitch", "formant", "speed", "range")
_WORDS: Final = ("about", "licence", "language", "sex", "speaker")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `new` takes."""
    parser.add_argument("name", help="name of the voice: letters, digits, - and _")
    parser.add_argument("--like", default="", metavar="VOICE", help="the voice to begin with")
    parser.add_argument("--pitch", type=float, help="factor on pitch: 0.8 a man, 1.15 a child")
    parser.add_argument("--formant", type=float, help="factor on formants: 0.9 a larger body; 0 goes with the pitch")
    parser.add_argument("--speed", type=float, help="1.2 talks a fifth faster")
    parser.add_argument("--range", type=float, help="how far the pitch moves: 0.2 flat, 1.6 excited")
    parser.add_argument("--about", help="who that is")
    parser.add_argument("--sex", help="shown in lists")
    parser.add_argument("--language", help="what it speaks, such as en-US")
    parser.add_argument("--licence", help="under what it may be used")
    parser.add_argument(
        "--recording", type=Path, action="append", default=[], metavar="FILE", help="a sound file; may be repeated"
    )
    parser.add_argument("--text", action="append", default=[], help="what the recording before it says")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a coqui checkpoint")
    parser.add_argument("--config", type=Path, metavar="FILE", help="its config.json")
    parser.add_argument("--speaker", help="which of the model's speakers")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write voices/NAME/voice.toml, level it, and say how to hear it; nothing stays behind where it can't speak."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", arguments.name):
        raise UsageError(f"name is {arguments.name!r}, expected letters, digits, - and _")
    root = (arguments.cast or Path.cwd()) / "voices"
    folder = root / arguments.name
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another name, or remove it first")
    table, files = described(arguments)
    spec = checked(VoiceSpec, table, "npc-engine voices new")
    folder.mkdir(parents=True)
    try:
        for source, name in files.items():
            shutil.copyfile(source, folder / name)
        (folder / "voice.toml").write_text(toml(table), encoding="utf-8")
        told = levelled(spec, arguments.name, folder, table)
    except BaseException:
        shutil.rmtree(folder)
        raise
    print(f"{folder / 'voice.toml'}: {told}")
    print(f"hear it:  npc-engine voices say {arguments.name}{_cast(arguments)}")
    print(f"check it: npc-engine voices check {arguments.name}{_cast(arguments)}")
    return 0


def _cast(arguments: argparse.Namespace) -> str:
    return f' --cast "{arguments.cast}"' if arguments.cast else ""


def described(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[Path, str]]:
    """The voice.toml that the arguments ask for, and the files that go beside it with their names there."""
    ways = [bool(arguments.like), bool(arguments.recording), bool(arguments.model)]
    if sum(ways) != 1:
        raise UsageError("a new voice is one of --like VOICE, --recording FILE and --model FILE")
    if arguments.like:
        table, files = _like(arguments)
    elif arguments.recording:
        table, files = _recording(arguments)
    else:
        table, files = _model(arguments)
    for path in files:
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
    for key in (*_NUMBERS, *_WORDS):
        if getattr(arguments, key) is not None:
            table[key] = getattr(arguments, key)
    return table, files


def _like(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[Path, str]]:
    spec, folder = Cast.standard(arguments.cast).voice(arguments.like)
    if spec.model or spec.lines:
        raise UsageError(f"{arguments.like!r} is made of files: copy {folder} and change its voice.toml")
    table = read_toml(folder / "voice.toml")
    return {key: value for key, value in table.items() if key not in ("about", "sex")}, {}


def _recording(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[Path, str]]:
    if len(arguments.text) != len(arguments.recording):
        raise UsageError(
            f"{len(arguments.recording)} × --recording and {len(arguments.text)} × --text, expected one for each"
        )
    files: dict[Path, str] = {}
    for number, path in enumerate(arguments.recording):
        files.setdefault(path, path.name if path.name not in files.values() else f"{number}-{path.name}")
    lines = {text: files[path] for text, path in zip(arguments.text, arguments.recording, strict=True)}
    return {"engine": "recording", "lines": lines}, files


def _model(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[Path, str]]:
    if not arguments.config:
        raise UsageError("--model needs --config, the config.json that came with it")
    files = {arguments.model: arguments.model.name, arguments.config: arguments.config.name}
    return {"engine": "coqui", "model": arguments.model.name, "config": arguments.config.name}, files


def levelled(spec: VoiceSpec, name: str, folder: Path, table: dict[str, Any]) -> str:
    """Let it speak, and write the gain that makes it as loud as the others; what was done, for the person."""
    from npc_engine.speech.load import VoiceEngines

    engines = VoiceEngines()
    voice = engines.voice(spec, name, folder)
    sound = np.concatenate([speak(voice, text).sound for text in samples(spec)])
    try:
        level = loudness(sound)
    except UsageError as error:
        return f"written; its level is not measured: {error}"
    if not np.isfinite(level):
        raise UsageError(f"{name}: what it speaks is silent")
    # a few rounds: what is louder than 0.8 is bent, so a decibel of gain gives a little less
    gain = spec.gain_db
    for _ in range(3):
        gain = float(np.clip(gain + LEVEL_LUFS - level, -24, 24))
        table["gain_db"] = round(gain, 1)
        louder = engines.voice(checked(VoiceSpec, table, name), name, folder)
        level = loudness(np.concatenate([speak(louder, text).sound for text in samples(spec)]))
        if abs(level - LEVEL_LUFS) < 0.15:
            break
    (folder / "voice.toml").write_text(toml(table), encoding="utf-8")
    return f"written, with gain_db = {table['gain_db']} it speaks at {level:.1f} LUFS"


def toml(table: dict[str, Any]) -> str:
    """`table` as TOML, keys in the order of `VoiceSpec`, tables last."""
    order = [f.name for f in fields(VoiceSpec)]
    rows = []
    tables = []
    for key in sorted(table, key=order.index):
        value = table[key]
        if isinstance(value, dict):
            tables += ["", f"[{key}]", *(f"{_quoted(k)} = {_value(v)}" for k, v in value.items())]
        else:
            rows.append(f"{key} = {_value(value)}")
    return "\n".join([*rows, *tables]) + "\n"


def _value(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for the control character that JSON lets through."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
