"""The one face of a picture: found wherever it is, or refused with the reason and what would do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.frames import motion, topology
from npc_engine.frames.landmarks import FaceFinder, FoundFace, Points
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import Pixels

NEEDED: Final = 80  # pixels from cheek to cheek: below, a lip is two pixels high
SURE: Final = 0.5  # of the mesh network, that what it sees is a face
LEANING: Final = 30.0  # degrees that a face may be tilted
SIDEWAYS: Final = 40.0  # degrees that a face may be turned from the viewer
COMPANION: Final = 0.35  # a second face of this size of the first counts; smaller ones are passers-by
CUT_OFF: Final = 0.06  # share of the landmarks that may lie beyond the picture
_LONG: Final = 2.0  # a picture longer than this many of its breadths is looked through square by square


def only_face(finder: FaceFinder, pixels: Pixels, path: Path) -> FoundFace:
    """The face of a picture read from `path`; `FaceError` if there is none or another, or it can't be animated."""
    rgb = np.ascontiguousarray(pixels[..., :3])
    found = search(finder, rgb)
    if not found:
        msg = (
            f"{path}: no face found in {rgb.shape[1]}×{rgb.shape[0]} pixels; expected one human-like face, seen "
            "upright from the front with both eyes and the mouth, lit well enough to see them"
        )
        raise FaceError(msg)
    certain = [f for f in found if finder.landmarks(rgb, f)[1] >= SURE]  # a belly is no companion
    largest = max(certain or found, key=lambda f: f.size)
    count = sum(f.size >= COMPANION * largest.size for f in certain)
    if count > 1:
        places = "; ".join(f"{f.size:.0f} pixels at {f.box[0]:.0f}, {f.box[1]:.0f}" for f in certain[:4])
        msg = f"{path}: {count} faces found ({places}), expected one; cut the picture down to the face that is meant"
        raise FaceError(msg)
    points, sure = finder.landmarks(rgb, largest)
    check(points, sure, path)
    beyond = (points[:468, :2] < 0) | (points[:468, :2] > [rgb.shape[1], rgb.shape[0]])
    if beyond.any(1).mean() > CUT_OFF:
        msg = f"{path}: the face is cut off by the edge of the picture; one that shows the whole face will do"
        raise FaceError(msg)
    return largest


def search(finder: FaceFinder, rgb: Pixels) -> list[FoundFace]:
    """Faces in the whole picture; if there are none, in a wider frame (a face that fills it), then in its parts."""
    height, width = rgb.shape[:2]
    if max(height, width) > _LONG * min(height, width):
        found = finder.find(rgb) + _in_parts(finder, rgb, min(height, width), min(height, width))
        return _distinct(found)
    found = finder.find(rgb)
    if not found:
        pad = max(height, width) // 3
        wide = np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), constant_values=127)
        found = [f.moved(-pad, -pad) for f in finder.find(wide)]
    if not found and min(height, width) >= 4 * NEEDED:
        found = _distinct(_in_parts(finder, rgb, height // 2, width // 2))
    return found


def _in_parts(finder: FaceFinder, rgb: Pixels, high: int, wide: int) -> list[FoundFace]:
    """Faces in parts of `high` × `wide` pixels that overlap by half."""
    height, width = rgb.shape[:2]
    found = []
    for y in _starts(height, high):
        for x in _starts(width, wide):
            part = np.ascontiguousarray(rgb[y : y + high, x : x + wide])
            found += [f.moved(x, y) for f in finder.find(part)]
    return found


def _starts(length: int, part: int) -> list[int]:
    step = max(1, part // 2)
    return [*range(0, length - part, step), max(0, length - part)]


def _distinct(found: list[FoundFace]) -> list[FoundFace]:
    """Faces whose middles are apart: neighbouring parts of a picture show the same face twice."""
    kept: list[FoundFace] = []
    for face in sorted(found, key=lambda f: -f.score):
        if all(np.linalg.norm(face.mouth - other.mouth) > 0.5 * other.size for other in kept):
            kept.append(face)
    return kept


def check(points: Points, sure: float, path: Path) -> None:
    """Raise `FaceError` for landmarks that can't be animated."""
    if sure < SURE:
        msg = (
            f"{path}: something like a face, but its parts can't be made out ({sure:.0%} sure): an animal, a "
            "thing, or a face half hidden; expected a human-like one from the front, both eyes and mouth in sight"
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
