"""What the commands share: options, errors, a progress line."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - typeshed's only name


class UsageError(ValueError):
    """A command that can't be carried out as it was typed."""


def known_errors() -> tuple[type[Exception], ...]:
    """The errors whose text is written for the person at the keyboard; anything else is a bug and keeps its trace."""
    from npc_engine.cast import CastError
    from npc_engine.client import ClientError
    from npc_engine.files.writer import FileError
    from npc_engine.frames.pictures import FaceError
    from npc_engine.keys import KeysError
    from npc_engine.server.sockets import ServerError
    from npc_engine.speech.errors import SpeechError

    return (UsageError, CastError, ClientError, FileError, FaceError, KeysError, ServerError, SpeechError)


def command(commands: Commands, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    """A sub-command with its one-line description and its examples."""
    return commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def cast_option(parser: argparse.ArgumentParser) -> None:
    """--cast, the folder of the game's own voices and faces."""
    parser.add_argument(
        "--cast",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder with your own voices/, faces/ and npcs.toml (default: the working directory)",
    )


class Progress:
    """One line on a terminal that is rewritten in place; silent where nobody watches."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty()
        self._last = 0.0

    def show(self, text: str) -> None:
        """Rewrite the line, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now - self._last > 0.1:
            self._last = now
            print(f"\r{self._what} {text}\x1b[K", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Clear the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def table(rows: list[tuple[Any, ...]], head: tuple[str, ...]) -> str:
    """Rows as aligned columns under a head."""
    cells = [tuple(str(c) for c in row) for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
