"""Takes in a folder: one checked file a phrase, bounded in bytes, shared by any number of processes.

A file is a header (magic, key, checksum and length of the body) and a body in msgpack. It is written under another name
and moved into place, so that a process that dies while writing leaves nothing that could be read; the checksum finds
what a failing disk or another program did.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import msgpack
import numpy as np

from npc_engine.moments import Phone
from npc_engine.speech.engine import Take, WordTime

LOG: Final = logging.getLogger(__name__)

_HEAD: Final = struct.Struct("<8s32s16sQ")  # magic, key, blake2b of the body, bytes of the body
_MAGIC: Final = b"npctake1"
_ENDING: Final = ".take"
_UNFINISHED: Final = ".part"
_WAITING: Final = 16  # phrases that wait to be written; more are not: the disk is slower than speech
_BETWEEN: Final = 16  # files written from one look at the folder to the next, as other processes fill it too
_ABANDONED_S: Final = 600  # a file unfinished for so long was left by a process that died
_ROOM: Final = 0.9  # of the limit, to which a full folder is emptied, so that it is not full again at once


class TakeFiles:
    """The takes in `folder`, at most `limit` bytes of them; nothing here raises `OSError`.

    With several processes at work the folder may pass its limit by what each writes in 16 files.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Condition()
        self._waiting: dict[str, tuple[Take, ...]] = {}  # oldest first
        self._writing = False
        self._complained = False
        self._filled = 0  # bytes in the folder, as far as the writer knows
        self._since = _BETWEEN  # files written since the last look

    def read(self, key: str) -> tuple[Take, ...] | None:
        """The takes of `key`; None where there are none, and where the file is damaged, which is then removed."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                data = file.read(self._limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"can't be read ({error})")
            return None
        try:
            takes = unpacked(data, key)
        except ValueError as error:
            LOG.warning("%s: %s; the phrase is spoken anew", path, error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        self.touch(key)
        return takes

    def touch(self, key: str) -> None:
        """Note that `key` was used now."""
        with contextlib.suppress(OSError):
            os.utime(self._path(key))

    def write_later(self, key: str, takes: tuple[Take, ...]) -> None:
        """Have `takes` written beside the line that goes on; not at all where sixteen others wait.

        The thread lives while there is something to write: the interpreter waits for it at its end, and a cache need
        not be closed.
        """
        with self._lock:
            if key in self._waiting or len(self._waiting) >= _WAITING:
                return
            self._waiting[key] = takes
            if self._writing:
                return
            try:
                threading.Thread(target=self._write_all, name="take-writer").start()
                self._writing = True
            except RuntimeError as error:  # the interpreter is ending, or the system has no thread left
                self._waiting.clear()
                self._complain(f"can't be written ({error})")

    def flush(self) -> None:
        """Wait until nothing is left to write."""
        with self._lock:
            self._lock.wait_for(lambda: not self._writing)

    def _write_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._writing = False
                    self._lock.notify_all()
                    return
                key, takes = next(iter(self._waiting.items()))
            try:
                self._write(key, takes)
            except OSError as error:
                self._complain(f"can't be written ({error})")
            finally:
                with self._lock:
                    self._waiting.pop(key, None)

    def _write(self, key: str, takes: tuple[Take, ...]) -> None:
        path = self._path(key)
        if path.exists():
            return
        data = packed(takes, key)
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._make_room(len(data)):
            return
        handle, name = tempfile.mkstemp(_UNFINISHED, key[:16], self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)  # noqa: PTH105 - what mkstemp gives is a name
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            if path.exists():  # Windows refuses to replace what another process is reading
                return
            raise
        self._filled += len(data)
        self._since += 1

    def _make_room(self, size: int) -> bool:
        """Remove what was used longest ago where `size` more bytes pass the limit; False where they never fit."""
        if size > self._limit:
            return False
        if self._since < _BETWEEN and self._filled + size <= self._limit:
            return True
        files = self._look()
        self._filled = sum(length for _, length, _ in files)
        self._since = 0
        if self._filled + size > self._limit:
            for _, length, path in sorted(files, key=lambda file: file[0]):
                with contextlib.suppress(OSError):  # gone already, or open in another process
                    path.unlink(missing_ok=True)
                    self._filled -= length
                if self._filled + size <= self._limit * _ROOM:
                    break
        return self._filled + size <= self._limit

    def _look(self) -> list[tuple[float, int, Path]]:
        """Last use, bytes and path of every entry; what dead processes left unfinished is removed."""
        found = []
        old = time.time() - _ABANDONED_S
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if path.suffix == _ENDING:
                    stat = path.stat()
                    found.append((stat.st_mtime, stat.st_size, path))
                elif path.suffix == _UNFINISHED and path.stat().st_mtime < old:
                    path.unlink()
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_ENDING}"

    def _complain(self, what: str) -> None:
        """Say once that the folder does not work."""
        if not self._complained:
            self._complained = True
            LOG.warning("%s: finished phrases %s; lines go on without", self._folder, what)


def packed(takes: tuple[Take, ...], key: str) -> bytes:
    """The file that holds `takes` under `key`, 64 hexadecimal digits."""
    rows = [
        (
            take.samples.astype("<f4", copy=False).tobytes(),
            [(p.symbol, int(p.start), int(p.end)) for p in take.phones],
            [(int(w.index), int(w.start), int(w.end)) for w in take.words],
            bool(take.last),
            int(take.tail),
        )
        for take in takes
    ]
    body: bytes = msgpack.packb(rows, unicode_errors="surrogatepass")
    return _HEAD.pack(_MAGIC, bytes.fromhex(key), _sum(body), len(body)) + body


def unpacked(data: bytes, key: str) -> tuple[Take, ...]:
    """The takes in a file's bytes, bit for bit; `ValueError` says what is wrong with any that `packed` did not make."""
    if len(data) < _HEAD.size:
        raise ValueError(f"{len(data)} bytes, expected a header of {_HEAD.size}")
    magic, name, checksum, length = _HEAD.unpack_from(data)
    body = memoryview(data)[_HEAD.size :]
    if magic != _MAGIC:
        raise ValueError(f"begins with {magic!r}, expected {_MAGIC!r}")
    if name.hex() != key:
        raise ValueError(f"holds the phrase {name.hex()}, expected {key}")
    if length != len(body):
        raise ValueError(f"{len(body)} bytes follow the header, which promised {length}")
    if checksum != _sum(body):
        raise ValueError("the bytes do not match their checksum")
    try:
        return tuple(
            Take(
                np.frombuffer(samples, "<f4").astype(np.float32, copy=False),
                tuple(Phone(*phone) for phone in phones),
                tuple(WordTime(*word) for word in words),
                last,
                tail,
            )
            for samples, phones, words, last, tail in msgpack.unpackb(body, unicode_errors="surrogatepass")
        )
    except (TypeError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"does not hold takes ({error})") from None


def _sum(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
