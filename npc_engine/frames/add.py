"""Turn a picture into a face: find it, frame it, write faces/NAME."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.frames import motion, topology
from npc_engine.frames.encode import encode_picture
from npc_engine.frames.landmarks import FaceFinder, FoundFace, Points
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.sampling import blurred, shrunk
from npc_engine.moments import Pixels

NEEDED: Final = 80  # pixels from cheek to cheek: below, a lip is two pixels high
LARGEST: Final = 1024
SURE: Final = 0.5  # of the mesh network, that what it sees is a face
LEANING: Final = 30.0  # degrees that a face may be tilted
SIDEWAYS: Final = 40.0  # degrees that a face may be turned from the viewer
COMPANION: Final = 0.35  # a second face of this size of the first counts; smaller ones are passers-by
CUT_OFF: Final = 0.06  # share of the landmarks that may lie beyond the picture
FRAME: Final = 2.2  # edge of the picture in face heights: head, hair and shoulders
TIGHT, LOOSE = 1.35, 3.2  # a square picture framed between these is kept as it is
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def add_face(picture: Path, name: str, faces: Path) -> Path:
    """Write faces/NAME/{picture.png, landmarks.npz, face.toml} from a picture; gives that folder.

    Raises `FaceError`, which says why a picture can't be a face and what would do; nothing is left behind then.
    """
    if not _NAME.fullmatch(name):
        msg = f"face name {name!r}, expected 1 to 40 of a-z, 0-9, _ and -, such as 'smith'"
        raise FaceError(msg)
    folder = faces / name
    if folder.exists():
        msg = f"{folder}: there is a face {name!r} already; choose another name or remove that folder"
        raise FaceError(msg)
    pixels = read_picture(picture)
    finder = FaceFinder()
    framed = _framed(pixels, _only_face(finder, pixels, picture), finder)
    points = face_landmarks(framed, picture, finder)
    work = faces / f".{name}.new"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        (work / "picture.png").write_bytes(encode_picture(framed, "png"))
        np.savez_compressed(work / "landmarks.npz", points=points)
        (work / "face.toml").write_text(_toml(picture), encoding="utf-8")
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _toml(picture: Path) -> str:
    return (
        'picture = "picture.png"\n'
        'landmarks = "landmarks.npz"\n'
        'about = ""\n'
        'licence = ""\n'
        f"source = {json.dumps(picture.name, ensure_ascii=False)}\n"
        "\n"
        "# The largest weight drawn of a coefficient, where this face looks wrong beyond it:\n"
        "# [limits]\n"
        "# jawOpen = 0.4\n"
    )


def _only_face(finder: FaceFinder, pixels: Pixels, path: Path) -> FoundFace:
    rgb = np.ascontiguousarray(pixels[..., :3])
    found = _search(finder, rgb)
    if not found:
        msg = (
            f"{path}: no face found in {rgb.shape[1]}×{rgb.shape[0]} pixels; expected one human-like face, seen "
            "upright from the front with both eyes and the mouth, lit well enough to see them"
        )
        raise FaceError(msg)
    largest = max(found, key=lambda f: f.size)
    count = sum(f.size >= COMPANION * largest.size for f in found)
    if count > 1:
        places = "; ".join(f"{f.size:.0f} pixels at {f.box[0]:.0f}, {f.box[1]:.0f}" for f in found[:4])
        msg = f"{path}: {count} faces found ({places}), expected one; cut the picture down to the face that is meant"
        raise FaceError(msg)
    points, sure = finder.landmarks(rgb, largest)
    _check(points, sure, path)
    beyond = (points[:468, :2] < 0) | (points[:468, :2] > [rgb.shape[1], rgb.shape[0]])
    if beyond.any(1).mean() > CUT_OFF:
        msg = f"{path}: the face is cut off by the edge of the picture; one that shows the whole face will do"
        raise FaceError(msg)
    return largest


def _search(finder: FaceFinder, rgb: Pixels) -> list[FoundFace]:
    """Faces in the whole picture; if there are none, in a wider frame (a face that fills it), then in its quarters."""
    found = finder.find(rgb)
    height, width = rgb.shape[:2]
    if not found:
        pad = max(height, width) // 3
        wide = np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), constant_values=127)
        found = [f.moved(-pad, -pad) for f in finder.find(wide)]
    if not found and min(height, width) >= 4 * NEEDED:
        for y in (0, height // 4, height // 2):
            for x in (0, width // 4, width // 2):
                part = np.ascontiguousarray(rgb[y : y + height // 2, x : x + width // 2])
                found += [f.moved(x, y) for f in finder.find(part)]
        found = _distinct(found)
    return found


def _distinct(found: list[FoundFace]) -> list[FoundFace]:
    """Faces whose middles are apart: neighbouring parts of a picture show the same face twice."""
    kept: list[FoundFace] = []
    for face in sorted(found, key=lambda f: -f.score):
        if all(np.linalg.norm(face.mouth - other.mouth) > 0.5 * other.size for other in kept):
            kept.append(face)
    return kept


def _check(points: Points, sure: float, path: Path) -> None:
    """Raise `FaceError` for landmarks that can't be animated."""
    if sure < SURE:
        msg = (
            f"{path}: something like a face, but its parts can't be made out ({sure:.0%} sure); expected a face from "
            "the front with both eyes and the mouth uncovered"
        )
        raise FaceError(msg)
    eyes = points[263, :2] - points[33, :2]
    lean = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    if abs(lean) > LEANING:
        how = "by half a turn" if abs(lean) > 135 else "counter-clockwise" if lean > 0 else "clockwise"
        msg = f"{path}: the face leans by {abs(lean):.0f}°, expected at most {LEANING:.0f}°; turn the picture {how}"
        raise FaceError(msg)
    _, turn = motion.fit(topology.basis().rest, points[:468])
    aside = float(np.degrees(np.arctan2(turn[0, 2], turn[2, 2])))
    if abs(aside) > SIDEWAYS:
        msg = (
            f"{path}: the face is turned {abs(aside):.0f}° to the side, expected at most {SIDEWAYS:.0f}°; "
            "a picture that shows both eyes and the whole mouth will do"
        )
        raise FaceError(msg)
    wide = float(np.linalg.norm(points[454, :2] - points[234, :2]))
    if wide < NEEDED:
        msg = (
            f"{path}: the face is {wide:.0f} pixels wide, expected at least {NEEDED} (better 250); "
            "a larger or closer picture will do"
        )
        raise FaceError(msg)


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
    finder = finder or FaceFinder()
    rgb = np.ascontiguousarray(framed[..., :3])
    found = _search(finder, rgb)
    if not found:
        msg = f"{path}: the face is lost in a square picture around it; a picture with more room around it will do"
        raise FaceError(msg)
    points, sure = finder.landmarks(rgb, max(found, key=lambda f: f.size))
    _check(points, sure, path)
    return points
