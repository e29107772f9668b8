"""One expression, posed and lit: all that a picture of any size is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from npc_engine.frames.head import light
from npc_engine.frames.head.asset import Floats
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.portion import Locks, Portion
from npc_engine.frames.head.pose import Posed
from npc_engine.moments import CHANNEL, Exp

BREATH: Final = 0.012
"""Radians that the head tips back on a full breath: about a pixel of 512."""
LASH_LIGHT: Final = 0.16


@dataclass(frozen=True)
class Frame:
    """One expression in the viewer's frame. Vertices are those of the portion that is seen."""

    portion: Portion
    seen: Floats  # [n, 3]
    light: Floats  # [n], stored
    look: Floats  # [3, 3], how both eyes are turned to the viewer
    eyes: Floats  # [2, 3], their middles

    @classmethod
    def of(cls, figure: Figure, exp: Exp, breath: float = 0.0) -> Frame:
        """The frame of an expression f32[50] and a breath 0..1."""
        tilted = exp.copy()
        tilted[CHANNEL["headPitch"]] += BREATH * breath
        portion = figure.portion(*(float(tilted[CHANNEL[name]]) for name in ("headPitch", "headYaw", "headRoll")))
        posed = figure.poser.pose(tilted)
        camera = figure.camera
        spots = camera.seen(posed.points.take(portion.points, axis=0))
        normals = portion.fans.normals(posed.points) @ camera.turn.T
        look = np.asarray(camera.turn @ posed.look, np.float32)
        parts = [spots.take(portion.spot, axis=0), camera.seen(posed.balls.reshape(-1, 3))]
        lights = [
            _skin_light(figure, portion, posed, parts[0], normals.take(portion.spot, axis=0)),
            _eye_light(figure, posed, look),
        ]
        if portion.locks:
            moved = figure.swayed(portion.locks.points, portion.locks.still, posed.head)
            parts.append(camera.seen(moved))
            lights.append(_hair_light(portion.locks, parts[-1], camera.turn @ posed.head))
        centres = camera.seen(
            np.asarray((figure.poser.eyes.centres - posed.pivot) @ posed.head.T + posed.pivot, np.float32)
        )
        return cls(portion, np.concatenate(parts), np.concatenate(lights)[:, 0], look, centres)


def _views(seen: Floats) -> Floats:
    """Unit vectors f32[n, 3] from points in the viewer's frame to the viewer."""
    return np.asarray(-seen / np.sqrt(np.einsum("nc,nc->n", seen, seen))[:, None], np.float32)


def _skin_light(figure: Figure, portion: Portion, posed: Posed, seen: Floats, normals: Floats) -> Floats:
    """Stored light f32[v, 1] on the mesh."""
    out = light.skin(light.GREY, normals, _views(seen), portion.open, sun=portion.sun, gloss=portion.gloss)
    out[portion.lash_vertices] = LASH_LIGHT
    out[portion.inner] *= portion.inner_light[:, None] * np.float32(figure.lit_mouth(posed.points))
    return out


def _hair_light(locks: Locks, seen: Floats, turn: Floats) -> Floats:
    """Stored light f32[h, 1] on hair that is turned to the viewer by f32[3, 3]."""
    return light.hair(locks.tangents @ turn.T, locks.normals @ turn.T, _views(seen), locks.open, locks.sun)


def _eye_light(figure: Figure, posed: Posed, look: Floats) -> Floats:
    """Stored light f32[2n, 1] on eyeballs, both turned to the viewer by f32[3, 3].

    They are round as balls are, and shaded by the upper lid above them.
    """
    eyes = figure.poser.eyes
    count = len(eyes.outward)
    ones, views = np.ones(count, np.float32), np.tile(np.array([0, 0, 1], np.float32), (count, 1))
    normals = eyes.outward @ look.T
    base = light.skin(light.GREY, normals, views, 0.72 * ones, sun=0.85 * ones, gloss=0 * ones)
    out = np.concatenate([base, base])
    for side in (0, 1):
        lid = posed.points[figure.upper_lids[side]]
        height = np.interp(posed.balls[side][:, 0], lid[:, 0], lid[:, 1])
        below = (height - posed.balls[side][:, 1]) / eyes.radius
        out[side * count : (side + 1) * count, 0] *= np.clip(0.52 + 1.1 * below, 0.50, 1.0)
    return np.asarray(out, np.float32)
