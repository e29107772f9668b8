"""Who judges a face: its own guard's judge, or for a 3D head one that knows it from how it is drawn at rest."""

from __future__ import annotations

from npc_engine.frames.guarded import Guarded
from npc_engine.frames.identity import Judge, identity_of


def judge_of(face: Guarded) -> Judge:
    """The judge of a loaded face; `FaceError` for a head in which the landmark network finds no face."""
    return face.guard.judge if face.guard else identity_of(face.face)
