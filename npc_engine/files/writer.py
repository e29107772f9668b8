"""What every writer of moments promises, and which file ending gets which."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import TracebackType
from typing import Protocol

from npc_engine.moments import Moment


class FileError(ValueError):
    """A file that can't be written: says which, and what would do."""


class Writer(Protocol):
    """Takes moments in order and leaves a finished file behind when closed."""

    def add(self, moment: Moment) -> None:
        """Take the next moment."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class Discarding:
    """Context of a writer: finishes the file, or removes the half-written one when an error passes through."""

    def __init__(self, writer: Writer, path: Path) -> None:
        self.writer = writer
        self.path = path

    def __enter__(self) -> Writer:
        return self.writer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.writer.close()
        if error is not None:
            self.path.unlink(missing_ok=True)


ENDINGS = (".mp4", ".wav", ".json", ".npz", ".png", ".jpg")
CURVES = (".json", ".npz")
NEEDS_PICTURES = (".mp4", ".png", ".jpg")


def writer_for(path: Path, *, size: int, every: int, channels: str = "exp50") -> Writer:
    """The writer for the ending of `path`; pictures are `size` px, every `every` ticks, curves are of `channels`.

    Raises `FileError` for an unknown ending, a folder that does not exist or a missing extra.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise FileError(f"{path}: unknown file ending {path.suffix!r}, expected one of {' '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise FileError(f"{path}: no such folder {path.parent}")
    if ending == ".wav":
        from npc_engine.files.sound import WavWriter

        return WavWriter(path)
    if ending in CURVES:
        from npc_engine.files.curves import CurvesWriter

        return CurvesWriter(path, channels)
    if ending == ".mp4":
        need("av", path)
        from npc_engine.files.video import VideoWriter

        return VideoWriter(path, size=size, every=every)
    need("matplotlib", path)
    from npc_engine.files.sheet import SheetWriter

    return SheetWriter(path)


def need(module: str, path: Path) -> None:
    """Raise `FileError` with the remedy when the optional `module` that `path` needs is not installed."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise FileError(
            f"{path}: writing {path.suffix} needs {module} ({error}): pip install 'npc-engine[media]'"
        ) from None
