"""npc-engine voices: who can speak."""

from __future__ import annotations

import argparse

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, cast_option, command, table

EXAMPLES = """  npc-engine voices
  npc-engine say "Good evening." --voice ogre --out ogre.wav
"""


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "voices", "list the voices", EXAMPLES)
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the voices."""
    cast = Cast.standard(arguments.cast)
    rows = []
    for name in sorted(cast.voices()):
        spec, _ = cast.voice(name)
        rows.append((name, spec.engine, spec.language, spec.sex or "-", spec.licence or "-", spec.about))
    print(table(rows, ("VOICE", "ENGINE", "LANGUAGE", "SEX", "LICENCE", "ABOUT")))
    return 0
