"""The npc-engine command."""

from __future__ import annotations

import os

# The matrices here are small and lines run beside each other: one BLAS thread a line. With more, threads that wait for
# their share spin, and on a busy machine a product takes ten times as long. It must be set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Sequence

from npc_engine import __version__
from npc_engine.commands import bench, doctor, drive, faces, keys, say, serve, voices
from npc_engine.commands.common import known_errors

EXAMPLES = """examples:
  npc-engine serve                                      answer games on tcp://127.0.0.1:7890
  npc-engine say "Mind the step!" --voice man --face elder --out line.mp4
  npc-engine drive --mic                                a face says what your microphone hears
  npc-engine faces add portrait.png --name smith        make a face out of a picture
  npc-engine voices                                     who can speak
  npc-engine doctor                                     what is installed, and whether it works
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="npc-engine",
        description="Talking game characters: text in, voice, facial coefficients and pictures out, in step.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"npc-engine {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in (serve, say, drive, faces, voices, keys, doctor, bench):
        command.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the npc-engine command; 0 when it did what was asked, 1 when a check failed, 2 when it could not."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Exception as error:
        if not isinstance(error, known_errors()):  # asked only now: knowing them means loading OpenCV
            raise
        print(f"npc-engine: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
