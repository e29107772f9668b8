"""A face.toml that asks for networks of the user's own becomes a face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from npc_engine.cast import FaceSpec
from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.load import load_drawn, load_portrait, read_landmarks
from npc_engine.frames.neural.files import models_folder
from npc_engine.frames.neural.liveportrait import LivePortrait
from npc_engine.frames.neural.restore import Restored


def load_neural(spec: FaceSpec, folder: Path) -> DrawnFace:
    """The face of a face.toml in `folder`, moved or restored by networks; raises `FaceError` naming what is missing."""
    wanted = spec.neural
    models = models_folder(wanted.models, folder)
    face: DrawnFace
    if spec.engine == "liveportrait":
        portrait = load_portrait(spec, folder)
        points = read_landmarks(folder / spec.landmarks, portrait.picture.shape[0])
        face = LivePortrait(portrait, points, models, wanted)
    else:
        face = load_drawn(replace(spec, neural=replace(wanted, restore=0.0)), folder)
    return Restored(face, folder, models, wanted) if wanted.restore else face
