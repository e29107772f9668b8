"""The engine's log: text for people or JSON for machines, each record with the line, character and client it is about.

What a record is about comes from the context that it is logged in: `with about(line="l1", npc="anna")` tells all that
is logged inside, also from threads begun there under `contextvars.copy_context`. Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import MappingProxyType
from typing import Final, TextIO

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
FILE_BYTES: Final = 10_000_000  # of a log file, then it is renamed to FILE.1
FILES: Final = 5  # renamed ones that are kept: 60 MB in all
FIELDS: Final = ("line", "npc", "client", "outcome", "code", "ticks", "first_moment_ms", "voice", "face")
"""What a record may be about, in the order in which it is written; numbers beside names."""

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_ABOUT: ContextVar[Mapping[str, object]] = ContextVar("npc_engine_log", default=_NOTHING)


@contextlib.contextmanager
def about(**fields: object) -> Iterator[None]:
    """Tell what is logged inside what it is about; empty values are left out, inner ones hide outer ones."""
    known = {name: value for name, value in fields.items() if value not in {"", None}}
    token = _ABOUT.set({**_ABOUT.get(), **known})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def told(record: logging.LogRecord) -> dict[str, object]:
    """What a record is about: by its own `extra`, else by the context that it was logged in."""
    context = _ABOUT.get()
    found = {name: getattr(record, name, context.get(name)) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


class TextFormatter(logging.Formatter):
    """Time, level and message, then what it is about: `… INFO listening [line='l1' npc='anna']`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, and the lines of its exception; what came over the wire is quoted."""
        fields = " ".join(f"{name}={value!r}" for name, value in told(record).items())
        first, newline, rest = super().format(record).partition("\n")
        return f"{first} [{fields}]{newline}{rest}" if fields else f"{first}{newline}{rest}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII, so that nothing from the wire can break it."""

    def format(self, record: logging.LogRecord) -> str:
        """`time` (ISO 8601, UTC), `level`, `logger`, `message`, what it is about, and `exception` with its trace."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        row: dict[str, object] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **told(record),
        }
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps(row, default=str)


class BoundedFile(RotatingFileHandler):
    """A log file that is renamed when it is full, FILES of them kept; a full disk is told once and stops nobody.

    What can't be written is lost, and counted; the file is tried again with each record.
    """

    def __init__(self, path: Path, *, size: int = FILE_BYTES, files: int = FILES, stderr: TextIO | None = None) -> None:
        """Opens the file: raises `OSError` where that can't be done."""
        super().__init__(path, maxBytes=size, backupCount=files, encoding="utf-8")
        self.lost = 0  # records, since the last that could be written
        self._stderr = stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or tell once that it can't be."""
        before = self.lost
        super().emit(record)
        if before and self.lost == before:
            self.lost = 0
            self._tell(f"npc-engine: {self.baseFilename} is written again; {before} records were lost")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that `logging` calls
        """Called by `logging` inside the `except` of what went wrong."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self._drop()
        self.lost += 1
        if self.lost == 1:
            self._tell(f"npc-engine: can't write {self.baseFilename}: {error}; the log is lost until it can be")

    def _drop(self) -> None:
        """Close the file with what it holds back, or each later record would fail for its sake; the next one opens."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # stderr may lie on the same disk
            print(text, file=self._stderr or sys.stderr, flush=True)


def set_up(*, level: str, form: str, path: Path | None = None) -> logging.Handler:
    """Log from `level` on, in the form `text` or `json`, to stderr or to the file `path`; gives the handler.

    Raises `OSError` for a file that can't be opened.
    """
    handler = logging.StreamHandler() if path is None else BoundedFile(path)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    return handler
