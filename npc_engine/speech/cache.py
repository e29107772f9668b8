"""Phrases that were spoken before are answered without synthesis: from memory, then from files."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import msgpack
import numpy as np
import platformdirs

from npc_engine import __version__
from npc_engine.speech.cache_files import TakeFiles
from npc_engine.speech.engine import Engine, Take
from npc_engine.text.phrases import Phrase

MEMORY_BYTES: Final = 64 << 20
"""Eleven minutes of speech (96 kB a second)."""

DISK_BYTES: Final = 512 << 20
"""An hour and a half of speech."""

_SHARE: Final = 4  # an entry may fill this part of the room: one endless phrase must not drive out all others


def default_folder() -> Path:
    """Where this user's system wants caches to be."""
    return Path(platformdirs.user_cache_dir("npc_engine", appauthor=False)) / "takes"


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What a cache did and holds."""

    hits: int
    misses: int
    entries: int  # in memory
    memory_bytes: int


class TakeCache:
    """Finished phrases by all that shapes their sound; safe to use from any number of threads and processes at once.

    `memory_bytes` and `disk_bytes` bound what is kept, the least recently used goes first. No `folder`: memory alone.
    A folder that can't be written costs one warning in the log, and lines go on.
    """

    def __init__(
        self, memory_bytes: int = MEMORY_BYTES, folder: Path | None = None, disk_bytes: int = DISK_BYTES
    ) -> None:
        self._memory_bytes = memory_bytes
        self._files = TakeFiles(folder, disk_bytes) if folder and disk_bytes else None
        self._largest = max(memory_bytes, disk_bytes if self._files else 0) // _SHARE
        self._code = _code()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[tuple[Take, ...], int]] = OrderedDict()  # key → takes, bytes; oldest first
        self._filled = 0
        self._hits = 0
        self._misses = 0

    def takes(self, engine: Engine, phrase: Phrase) -> Generator[Take, None, None]:
        """The takes of a phrase, bit for bit as the engine speaks them; only what is new is spoken.

        A phrase is kept when its last take was fetched and the iterator ran out: one that failed or was abandoned is
        spoken anew. An engine without a `key` is never kept. Two lines that ask for a new phrase at once both speak it,
        as waiting would tie a line to the pace of another's listener.
        """
        if not engine.key:
            yield from engine.speak(phrase)
            return
        key = self._key(engine, phrase)
        found = self._found(key)
        if found:
            yield from found
            return
        kept: list[Take] = []
        size = 0
        with closing(engine.speak(phrase)) as spoken:
            for take in spoken:
                yield take
                if size <= self._largest:
                    kept.append(_own(take))
                    size += _size(take)
        if size <= self._largest and kept and kept[-1].last:
            self._keep(key, tuple(kept), size)

    def counts(self) -> CacheCounts:
        """Hits and misses since the start, and what memory holds."""
        with self._lock:
            return CacheCounts(self._hits, self._misses, len(self._kept), self._filled)

    def flush(self) -> None:
        """Wait until everything kept so far has been written."""
        if self._files:
            self._files.flush()

    def _key(self, engine: Engine, phrase: Phrase) -> str:
        """Names all that shapes the sound: the engine, our own code, and the phrase but for its place in the line."""
        shape = (
            self._code,
            engine.key,
            phrase.text,
            phrase.goes_on,
            [(w.first, w.last) for w in phrase.words],
            [
                # an engine may speak up where a run is louder, and make a comma longer
                (r.first, r.last, r.ipa, *astuple(r.prosody))
                for r in phrase.runs
            ],
        )
        return hashlib.sha256(msgpack.packb(shape, unicode_errors="surrogatepass")).hexdigest()

    def _found(self, key: str) -> tuple[Take, ...] | None:
        with self._lock:
            entry = self._kept.get(key)
            if entry:
                self._kept.move_to_end(key)
                self._hits += 1
        if entry:
            if self._files:
                self._files.touch(key)
            return entry[0]
        takes = self._files.read(key) if self._files else None
        with self._lock:
            if takes:
                self._hits += 1
            else:
                self._misses += 1
        if takes:
            self._remember(key, takes, sum(map(_size, takes)))
        return takes

    def _keep(self, key: str, takes: tuple[Take, ...], size: int) -> None:
        if self._remember(key, takes, size) and self._files:
            self._files.write_later(key, takes)

    def _remember(self, key: str, takes: tuple[Take, ...], size: int) -> bool:
        """Put an entry into memory, if it has room there; False where it stands there already."""
        with self._lock:
            if key in self._kept:
                return False
            if size <= self._memory_bytes:
                self._kept[key] = takes, size
                self._filled += size
            while self._filled > self._memory_bytes:
                _, (_, freed) = self._kept.popitem(last=False)
                self._filled -= freed
            return True


def _code() -> str:
    """Our own share in the sound: the release and, where the sources are there, what stands in them."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _own(take: Take) -> Take:
    """A take that nobody can change, and that keeps no larger array alive."""
    samples = np.array(take.samples, np.float32)
    samples.setflags(write=False)
    return Take(samples, tuple(take.phones), tuple(take.words), take.last, take.tail)


def _size(take: Take) -> int:
    """Bytes that a take needs in memory: its samples, and about 200 for each object with times."""
    return int(take.samples.nbytes) + 200 * (1 + len(take.phones) + len(take.words))
