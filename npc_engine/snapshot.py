"""A cast as it was read once, and what its files looked like, so that a change of them can be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from npc_engine.cast import Cast, CastError, FaceSpec, NpcSpec, VoiceSpec

MOST_FILES: Final = 10_000  # looked at in one folder; a voice of recorded lines may have thousands

Stamp: TypeAlias = tuple[tuple[str, int, int], ...]
"""Path, time of the last change in ns and size in bytes of some files, in order."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """What the files of a cast look like: every npcs.toml, and the folder of each voice and face by its name."""

    characters: Stamp
    voices: Mapping[str, Stamp]
    faces: Mapping[str, Stamp]


def stamps(cast: Cast) -> Stamps:
    """Look at the files of a cast; one that goes while one looks is left out."""
    return Stamps(
        _stamp(folder / "npcs.toml" for folder in cast.folders),
        {name: _stamp(_inside(path)) for name, path in cast.voices().items()},
        {name: _stamp(_inside(path)) for name, path in cast.faces().items()},
    )


def _inside(toml: Path) -> list[Path]:
    """The files of a voice or face, its toml first."""
    return [toml, *sorted(toml.parent.rglob("*"))[:MOST_FILES]]


def _stamp(paths: Iterable[Path]) -> Stamp:
    rows = []
    for path in paths:
        try:
            if path.is_file():
                seen = path.stat()
                rows.append((str(path), seen.st_mtime_ns, seen.st_size))
        except OSError:  # it went, or may not be looked at: then loading says so
            continue
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Read:
    """A voice.toml or face.toml that was read: where it is and what stood in it, or what is wrong with it."""

    path: Path
    spec: VoiceSpec | FaceSpec | None
    fault: str = ""

    @property
    def voice(self) -> VoiceSpec:
        """What the voice.toml says; raises `CastError` for a broken one."""
        if not isinstance(self.spec, VoiceSpec):
            raise CastError(self.fault)
        return self.spec

    @property
    def face(self) -> FaceSpec:
        """What the face.toml says; raises `CastError` for a broken one."""
        if not isinstance(self.spec, FaceSpec):
            raise CastError(self.fault)
        return self.spec


@dataclass(frozen=True, slots=True)
class Snapshot(Cast):
    """A cast that stays as it was read, whatever becomes of its files. Safe to use from several threads."""

    characters_read: Mapping[str, NpcSpec] | str  # a text says what is wrong with an npcs.toml
    voices_read: Mapping[str, Read]
    faces_read: Mapping[str, Read]

    def voices(self) -> dict[str, Path]:
        """Name → voice.toml of every voice."""
        return {name: read.path for name, read in self.voices_read.items()}

    def faces(self) -> dict[str, Path]:
        """Name → face.toml of every face."""
        return {name: read.path for name, read in self.faces_read.items()}

    def characters(self) -> dict[str, NpcSpec]:
        """Name → spec of every character that an npcs.toml describes; `CastError` where one was broken."""
        if isinstance(self.characters_read, str):
            raise CastError(self.characters_read)
        return dict(self.characters_read)

    def voice(self, name: str) -> tuple[VoiceSpec, Path]:
        """The spec of a voice and its folder; `CastError` names the nearest known voice, or what is broken."""
        path = self._path("voice", name, self.voices())
        return self.voices_read[name].voice, path.parent

    def face(self, name: str) -> tuple[FaceSpec, Path]:
        """The spec of a face and its folder; `CastError` names the nearest known face, or what is broken."""
        path = self._path("face", name, self.faces())
        return self.faces_read[name].face, path.parent


def read_characters(cast: Cast) -> dict[str, NpcSpec] | str:
    """The characters of a cast's npcs.toml files, or what is wrong with them."""
    try:
        return cast.characters()
    except CastError as error:
        return str(error)


def read_voice(cast: Cast, name: str, path: Path) -> Read:
    """A voice of a cast as it stands in its file, `path`."""
    try:
        return Read(path, cast.voice(name)[0])
    except CastError as error:
        return Read(path, None, str(error))


def read_face(cast: Cast, name: str, path: Path) -> Read:
    """A face of a cast as it stands in its file, `path`."""
    try:
        return Read(path, cast.face(name)[0])
    except CastError as error:
        return Read(path, None, str(error))


def snapshot(cast: Cast) -> Snapshot:
    """Read all of a cast; what is broken is told when it is asked for."""
    return Snapshot(
        cast.folders,
        read_characters(cast),
        {name: read_voice(cast, name, path) for name, path in cast.voices().items()},
        {name: read_face(cast, name, path) for name, path in cast.faces().items()},
    )
