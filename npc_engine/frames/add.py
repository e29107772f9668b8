"""Turn a picture into a face: find it, frame it, write faces/NAME."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.frames.encode import encode_picture
from npc_engine.frames.finding import check, only_face, search
from npc_engine.frames.gate import check_look, look_at
from npc_engine.frames.landmarks import MESH, FaceFinder, FoundFace, Points
from npc_engine.frames.person import write_person
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.sampling import blurred, shrunk
from npc_engine.moments import Pixels

LARGEST: Final = 1024
FRAME: Final = 2.2  # edge of the picture in face heights: head, hair and shoulders
TIGHT, LOOSE = 1.35, 3.2  # a square picture framed between these is kept as it is
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NO_LIMITS: Final = "# [limits]\n# jawOpen = 0.4\n"


def _silent(step: str) -> None:
    pass


def legal_name(stem: str) -> str:
    """A face name made of a file's: small letters without accents, - for what may not stand in a name; "" if none."""
    plain = unicodedata.normalize("NFKD", stem.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:40].rstrip("-_")


def add_face(picture: Path, name: str, faces: Path, told: Callable[[str], None] = _silent) -> Path:
    """Write faces/NAME/{picture.png, landmarks.npz, face.toml} from a picture; gives that folder.

    `told` hears of each step that is done. Raises `FaceError`, which says why a picture can't be a face and what would
    do; nothing is left behind then.
    """
    if not _NAME.fullmatch(name):
        msg = f"face name {name!r}, expected 1 to 40 of a-z, 0-9, _ and -, such as 'smith'"
        raise FaceError(msg)
    folder = faces / name
    if folder.exists():
        msg = f"{folder}: there is a face {name!r} already; choose another name or remove that folder"
        raise FaceError(msg)
    pixels = read_picture(picture)
    told(f"read {pixels.shape[1]}×{pixels.shape[0]} pixels{' with transparency' if pixels.shape[2] == 4 else ''}")
    finder = FaceFinder()
    framed = framed_face(pixels, picture, finder)
    face, points = _located(framed, picture, finder)
    doubts = check_look(look_at(finder, np.ascontiguousarray(framed[..., :3]), face, points), picture)
    across, down = np.ptp(points[:MESH, :2], axis=0)
    for doubt in doubts:
        told(f"careful: {doubt}")
    told(f"found a face of {across:.0f}×{down:.0f} pixels, cut out a square of {framed.shape[0]}")
    work = faces / f".{name}.new"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        (work / "picture.png").write_bytes(encode_picture(framed, "png"))
        np.savez_compressed(work / "landmarks.npz", points=points)
        layers = write_person(work, framed, points)
        told("cut the person out of the background")
        (work / "face.toml").write_text(_toml(picture, layers), encoding="utf-8")
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _toml(picture: Path, layers: Mapping[str, str]) -> str:
    named = "".join(f'{key} = "{name}"\n' for key, name in layers.items())
    return (
        'picture = "picture.png"\n'
        'landmarks = "landmarks.npz"\n'
        f"{named}"
        'about = ""\n'
        'licence = ""\n'
        f"source = {json.dumps(picture.name, ensure_ascii=False)}\n"
        "\n"
        "# The largest weight drawn of a coefficient, where this face looks wrong beyond it:\n"
        f"{_NO_LIMITS}"
    )


def write_limits(folder: Path, limits: Mapping[str, float]) -> None:
    """Put [limits] into the face.toml that `add_face` wrote to `folder`; none leaves it as it is."""
    if not limits:
        return
    path = folder / "face.toml"
    text = path.read_text(encoding="utf-8").removesuffix(_NO_LIMITS)
    rows = "".join(f"{name} = {most:g}\n" for name, most in limits.items())
    path.write_text(f"{text}[limits]\n{rows}", encoding="utf-8")


def framed_face(pixels: Pixels, path: Path, finder: FaceFinder) -> Pixels:
    """The square around the one face of a picture read from `path`; `FaceError` if there is none or another."""
    return _framed(pixels, only_face(finder, pixels, path), finder)


def _framed(pixels: Pixels, face: FoundFace, finder: FaceFinder) -> Pixels:
    """A square around the head, at most 1024 pixels: the picture itself if it is one, else cut, else widened."""
    points, _ = finder.landmarks(np.ascontiguousarray(pixels[..., :3]), face)
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    tall = float(high[1] - low[1])
    height, width = pixels.shape[:2]
    if height == width and TIGHT * tall <= height <= LOOSE * tall:
        square = pixels
    else:
        side = round(min(FRAME * tall, max(min(height, width), TIGHT * tall)))
        x, y = (low + high) / 2 - [side / 2, 0.49 * side]
        left, top = (
            int(np.clip(at, 0, length - side) if length >= side else (length - side) // 2)
            for at, length in ((x, width), (y, height))
        )
        square = _cut(pixels, left, top, side)
    if square.shape[0] > LARGEST:
        square = shrunk(square, LARGEST, LARGEST)
    return np.ascontiguousarray(square)


def _cut(pixels: Pixels, left: int, top: int, side: int) -> Pixels:
    """A square of the picture; what lies outside goes on as its blurred border, or is transparent as the picture is."""
    height, width = pixels.shape[:2]
    pad = [max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)]
    part = pixels[max(0, top) : top + side, max(0, left) : left + side]
    if not any(pad):
        return part
    around = ((pad[0], pad[1]), (pad[2], pad[3]), (0, 0))
    if pixels.shape[2] == 4:
        return np.pad(part, around)
    soft = blurred(np.pad(part, around, mode="edge"), side / 14)
    soft[pad[0] : side - pad[1], pad[2] : side - pad[3]] = part
    return soft


def face_landmarks(framed: Pixels, path: Path, finder: FaceFinder | None = None) -> Points:
    """The landmarks f32[478, 3] of a square picture (read from `path`), in its pixels, or `FaceError`."""
    return _located(framed, path, finder or FaceFinder())[1]


def _located(framed: Pixels, path: Path, finder: FaceFinder) -> tuple[FoundFace, Points]:
    rgb = np.ascontiguousarray(framed[..., :3])
    found = search(finder, rgb)
    if not found:
        msg = (
            f"{path}: the face is lost in a square picture around it, and may be an animal's or a thing; "
            "if it is human-like, a picture with more room around it will do"
        )
        raise FaceError(msg)
    face = max(found, key=lambda f: f.size)
    points, sure = finder.landmarks(rgb, face)
    check(points, sure, path)
    return face, points
