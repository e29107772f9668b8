"""A face.toml becomes a face that can be drawn."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.cast import FaceSpec, NeuralSpec, near
from npc_engine.frames.add import face_landmarks
from npc_engine.frames.complexion import Complexion
from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.guard import Guard
from npc_engine.frames.guarded import Guarded
from npc_engine.frames.identity import DRAWN_AT, Identity, named_network
from npc_engine.frames.landmarks import LANDMARKS, MESH, Points
from npc_engine.frames.person import read_person
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.portrait import Portrait
from npc_engine.moments import ANGLES, EXP50, NEUTRAL

SMALLEST: Final = 64
INSIDE: Final = 0.85  # share of the landmarks that lie in the picture
NARROWEST: Final = 16  # pixels across a face


def load_face(spec: FaceSpec, folder: Path) -> Guarded:
    """The face of a face.toml in `folder` with its guard; raises `FaceError` naming the file that can't be used."""
    face = load_drawn(spec, folder)
    return Guarded(face, load_guard(spec, folder, face))


def load_guard(spec: FaceSpec, folder: Path, face: DrawnFace) -> Guard | None:
    """What watches `face`, of a face.toml in `folder`, while it speaks; `FaceError` for what can't be used.

    A 3D head has none: it is drawn out of its own shapes, and there is no picture that it could drift from. Where a
    network restores its pictures, the head as it rests without it is what they shall show.
    """
    network = named_network(spec, folder)
    if spec.engine == "head":
        if not spec.neural.restore:
            if network:
                raise FaceError(f"{folder / 'face.toml'}: identity: expected no network, a 3D head is not judged")
            return None
        picture = load_drawn(replace(spec, neural=NeuralSpec()), folder).render(NEUTRAL, DRAWN_AT)
        points = face_landmarks(picture, folder)
    else:
        picture = face.picture if isinstance(face, Portrait) else read_picture(folder / spec.picture)
        points = read_landmarks(folder / spec.landmarks, picture.shape[1])
    return Guard(Identity(picture, points, network), Complexion(picture, points), name=folder.name)


def load_drawn(spec: FaceSpec, folder: Path) -> DrawnFace:
    """The face of a face.toml in `folder` by the engine it names; `FaceError` naming the file that can't be used."""
    if spec.engine == "liveportrait" or spec.neural.restore:
        from npc_engine.frames.neural.load import load_neural  # networks that few have

        return load_neural(spec, folder)
    if spec.engine == "head":
        from npc_engine.frames.head.face import load_head  # a megabyte of meshes that portraits need not

        return load_head(spec.head, folder, spec.limits)
    return load_portrait(spec, folder)


def load_portrait(spec: FaceSpec, folder: Path) -> Portrait:
    """The portrait of a face.toml in `folder`; raises `FaceError` naming the file that can't be used."""
    weights = EXP50[:ANGLES]
    for name, most in spec.limits.items():
        if name not in weights:
            msg = f"{folder / 'face.toml'}: limits: unknown coefficient {name!r}{near(name, weights)}"
            raise FaceError(msg)
        if not 0 <= most <= 1:
            msg = f"{folder / 'face.toml'}: limits: {name} is {most}, expected 0 to 1"
            raise FaceError(msg)
    picture = folder / spec.picture
    pixels = read_picture(picture)
    height, width = pixels.shape[:2]
    if height != width or height < SMALLEST:
        msg = f"{picture}: {width}×{height} pixels, expected a square of at least {SMALLEST}; add the face again"
        raise FaceError(msg)
    points = read_landmarks(folder / spec.landmarks, width)
    return Portrait(pixels, points, spec.limits, read_person(spec, folder, pixels, points))


def read_landmarks(path: Path, width: int) -> Points:
    """The landmarks f32[478, 3] of a picture of `width` pixels; raises `FaceError` for what are none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            points = np.asarray(file["points"], np.float32)
    except FileNotFoundError:
        msg = f"{path}: no such file; add the face again"
        raise FaceError(msg) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path}: not a landmark file ({error}); add the face again"
        raise FaceError(msg) from None
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        msg = f"{path}: landmarks of shape {points.shape}, expected ({LANDMARKS}, 3) finite numbers; add the face again"
        raise FaceError(msg)
    mesh = points[:MESH, :2]
    inside = ((mesh >= 0) & (mesh <= width)).all(1).mean()
    if inside < INSIDE or np.ptp(mesh[:, 0]) < NARROWEST:
        msg = f"{path}: the landmarks are not those of a face in a picture of {width} pixels; add the face again"
        raise FaceError(msg)
    return points
