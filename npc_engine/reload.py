"""Voices, faces and characters whose files have changed take the place of the old ones while lines go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from npc_engine.cast import CastError, NpcSpec
from npc_engine.frames.guarded import Guarded
from npc_engine.performance import Voice
from npc_engine.snapshot import Read, Snapshot, Stamp, Stamps, read_characters, read_face, read_voice, stamps
from npc_engine.troupe import Troupe

LOG: Final = logging.getLogger(__name__)
EVERY_S: Final = 2.0  # from one look at the files to the next
LIGHT: Final = frozenset({"hibari", "recording"})
"""Engines whose voices cost little memory: they are loaded when they come; others when they were loaded before."""

T = TypeVar("T")


@dataclass(slots=True)
class Changes:
    """What a look at the files has brought, as `voice anna`, `face anna` or `character anna`."""

    loaded: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Renewed(Generic[T]):
    """Voices or faces from now on, those of them that were loaded for it, and the names of those that leave memory."""

    read: Mapping[str, Read]
    loaded: Mapping[str, T]
    gone: tuple[str, ...]


class Reloader:
    """Looks at the files of a troupe's cast every EVERY_S, on a thread of its own; `changed` hears of what it brought.

    Files that change are taken when they have stayed as they are from one look to the next, so that nothing is read
    that is still being written. What can't be loaded leaves the old one in its place, and the log says why.
    """

    def __init__(self, troupe: Troupe, changed: Callable[[Changes], None] | None = None) -> None:
        self._troupe = troupe
        self._changed = changed
        self._known: Stamps = stamps(troupe.files)  # as it is loaded
        self._seen = self._known  # in the last look
        self._hurried = threading.Event()
        self._stopping = False
        self._fault = ""  # of the last look
        self._thread = threading.Thread(target=self._run, name="reloader", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def hurry(self) -> None:
        """Look at once, and take the files as they are."""
        self._hurried.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Look no more; waits for a look that is going on."""
        self._stopping = True
        self._hurried.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            hurry = self._hurried.wait(EVERY_S)
            self._hurried.clear()
            if self._stopping:
                return
            try:
                self.look(hurry=hurry)
                self._fault = ""
            except Exception as error:
                if str(error) != self._fault:  # once, not every two seconds
                    LOG.exception("the files of the cast can't be looked at; everybody stays as they are")
                self._fault = str(error)

    def look(self, *, hurry: bool = False) -> Changes:
        """Look at the files and take what has changed; with `hurry` even what has changed since the last look."""
        now = stamps(self._troupe.files)
        settled, self._seen = now == self._seen, now
        if now == self._known or not (settled or hurry):
            return Changes()
        changes = self._take(now)
        self._known = now
        if self._changed is not None:
            self._changed(changes)
        return changes

    def _take(self, now: Stamps) -> Changes:
        """Load what has changed beside what is there, then put it in its place."""
        changes = Changes()
        old = self._troupe.cast
        characters, new = self._characters(old, now, changes)
        voices = self._voices(old, now, changes)
        faces = self._faces(old, now, changes)
        self._troupe.swap(
            Snapshot(old.folders, characters, voices.read, faces.read), voices.loaded, faces.loaded,
            gone=voices.gone, gone_faces=faces.gone,
        )  # fmt: skip
        for name in new:
            fault = self._prepare(name)
            if fault:
                LOG.error("character %s can't be loaded and will be refused: %s", name, fault, extra={"npc": name})
                changes.broken.append(f"character {name}")
            else:
                LOG.info("character %s is as npcs.toml has it now", name, extra={"npc": name})
                changes.loaded.append(f"character {name}")
        return changes

    def _prepare(self, name: str) -> str:
        """Load a character; what is wrong with it, "" for nothing."""
        try:
            self._troupe.prepare(name)
        except CastError as error:
            return str(error)
        return ""

    def _characters(
        self, old: Snapshot, now: Stamps, changes: Changes
    ) -> tuple[Mapping[str, NpcSpec] | str, tuple[str, ...]]:
        """The characters from now on, the old ones where an npcs.toml is broken; and which are new or changed."""
        if now.characters == self._known.characters:
            return old.characters_read, ()
        found = read_characters(self._troupe.files)
        known = {} if isinstance(old.characters_read, str) else old.characters_read
        if isinstance(found, str):
            LOG.error("the characters stay as they are: %s", found)
            changes.broken.append("npcs.toml")
            return known or found, ()
        for name in sorted(known.keys() - found.keys()):
            LOG.info("character %s is removed: it is refused from now on", name, extra={"npc": name})
            changes.removed.append(f"character {name}")
        return found, tuple(name for name in sorted(found) if found[name] != known.get(name))

    def _voices(self, old: Snapshot, now: Stamps, changes: Changes) -> _Renewed[Voice]:
        troupe = self._troupe

        def load(name: str, read: Read) -> Voice | None:
            spec = read.voice
            troupe.forget_models(read.path.parent)
            wanted = spec.engine in LIGHT or troupe.is_loaded(voice=name)
            return troupe.load_voice(name, spec, read.path.parent) if wanted else None

        return _renewed(
            "voice", old.voices_read, self._known.voices, now.voices, changes,
            read=lambda name: read_voice(troupe.files, name, troupe.files.voices()[name]),
            load=load,
            is_loaded=lambda name: troupe.is_loaded(voice=name),
        )  # fmt: skip

    def _faces(self, old: Snapshot, now: Stamps, changes: Changes) -> _Renewed[Guarded]:
        troupe = self._troupe
        return _renewed(
            "face", old.faces_read, self._known.faces, now.faces, changes,
            read=lambda name: read_face(troupe.files, name, troupe.files.faces()[name]),
            load=lambda _, read: troupe.load_face(read.face, read.path.parent),
            is_loaded=lambda name: troupe.is_loaded(face=name),
        )  # fmt: skip


def _renewed(
    kind: str,
    old: Mapping[str, Read],
    before: Mapping[str, Stamp],
    now: Mapping[str, Stamp],
    changes: Changes,
    *,
    read: Callable[[str], Read],
    load: Callable[[str, Read], T | None],
    is_loaded: Callable[[str], bool],
) -> _Renewed[T]:
    """Voices or faces from now on, by what their files looked like `before` and look like `now`."""
    found = {name: one for name, one in old.items() if name in now}
    loaded: dict[str, T] = {}
    gone = []
    for name in sorted(old.keys() - now.keys()):
        LOG.info("%s %s is removed: it is refused from now on", kind, name, extra={kind: name})
        changes.removed.append(f"{kind} {name}")
        gone.append(name)
    for name in (name for name, stamp in now.items() if stamp != before.get(name)):
        one = read(name)
        fresh, fault = _tried(load, name, one)
        if fault is not None:
            kept = is_loaded(name)
            text = "%s %s can't be loaded, %s: %s"
            what = "the old one stays" if kept else "it is refused"
            trace = None if isinstance(fault, CastError) else fault  # what nobody expected
            LOG.error(text, kind, name, what, fault, extra={kind: name}, exc_info=trace)
            changes.broken.append(f"{kind} {name}")
            if not kept:
                found[name] = one
            continue
        found[name] = one
        if fresh is not None:
            loaded[name] = fresh
        LOG.info("%s %s is loaded %s", kind, name, "anew" if name in old else "and new", extra={kind: name})
        changes.loaded.append(f"{kind} {name}")
    return _Renewed(found, loaded, tuple(gone))


def _tried(load: Callable[[str, Read], T | None], name: str, read: Read) -> tuple[T | None, Exception | None]:
    """What `load` gives, or what is wrong: whatever is in the files, the engine goes on with what it has."""
    try:
        return load(name, read), None
    except Exception as error:  # noqa: BLE001 - logged by the caller, with its trace where nobody expected it
        return None, error
