"""The head with an expression: coefficients in, points and their normals out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import SKIN, TONGUE, Asset, Floats, Ints
from npc_engine.frames.head.eyeballs import Eyeballs, eyeballs
from npc_engine.frames.head.mouth import points_of
from npc_engine.frames.head.normals import Fans
from npc_engine.frames.head.shaping import carried
from npc_engine.moments import ANGLES, CHANNEL, EXP50, EYE_LOOKS, FULL_LOOK, Exp

GAIN: Final = {"mouthPucker": (2.0, 1.3, 1.0), "mouthFunnel": (1.7, 1.5, 1.0)}
"""Shapes whose main motion is forward, which a front view does not show, also narrow and raise lips this much more."""
LOWERED: Final = 0.16  # decimetres that the tongue's back sinks further than the jaw when that opens fully
WEIGHTS: Final = tuple(name for name in EXP50[:ANGLES] if name != "tongueUp")


@dataclass(frozen=True)
class Posed:
    """One moment of the head, in the head's own frame (before the viewer's)."""

    points: Floats  # [p, 3]
    balls: Floats  # [2, n, 3], points of the eyeballs
    look: Floats  # [3, 3], how both eyes are turned in the whole
    head: Floats  # [3, 3], how the head is turned
    pivot: Floats  # [3], about what


class Poser:
    """A shaped head that takes expressions."""

    def __init__(self, head: Asset, rest: Floats) -> None:
        self.head, self.rest = head, rest
        self.eyes: Eyeballs = eyeballs(head, rest)
        self.carried = carried(head, rest)
        self.pivot = rest[head.skull].mean(0)
        base_eyes = eyeballs(head, head.points).centres
        # Face Units are made for the base head: on a small one they would overshoot
        scale = np.linalg.norm(self.eyes.centres[0] - self.eyes.centres[1]) / np.linalg.norm(
            base_eyes[0] - base_eyes[1]
        )
        names = [*WEIGHTS, *EYE_LOOKS]
        shapes = [head.shape(f"arkit/{name}") for name in names]
        tongue = points_of(head, TONGUE)
        self.moved = np.unique(np.concatenate([tongue, *(places for places, _ in shapes)]))
        row = np.zeros(len(rest), np.int32)
        row[self.moved] = np.arange(len(self.moved))
        basis = np.zeros((len(names), len(self.moved), 3), np.float32)
        for out, name, (places, moves) in zip(basis, names, shapes, strict=True):
            out[row[places]] = moves * np.float32(scale) * np.array(GAIN.get(name, (1, 1, 1)), np.float32)
        low = rest[tongue, 1].min()
        basis[names.index("jawOpen"), row[tongue], 1] -= (
            LOWERED * scale * (rest[tongue, 1] - low) / (rest[tongue, 1].max() - low)
        )
        self.basis = basis.reshape(len(names), -1)
        self.reach = np.zeros(len(rest), np.float32)  # how far any shape moves a point along an axis
        self.reach[self.moved] = np.maximum(self.basis.max(0), -self.basis.min(0)).reshape(-1, 3).max(1)
        self._channels = np.array([CHANNEL[name] for name in WEIGHTS])
        self._looks = [(CHANNEL[angle], np.float32(sign / FULL_LOOK)) for angle, sign in EYE_LOOKS.values()]
        along = np.clip((rest[tongue, 2] - np.quantile(rest[tongue, 2], 0.3)) / (0.7 * np.ptp(rest[tongue, 2])), 0, 1)
        self._tongue, self._along = tongue, along[:, None] ** 2 * np.array([0, 0.22, -0.10], np.float32) * scale
        self.corners: Ints = head.vertex[head.triangles]
        self._fans = Fans.of(self.corners, np.arange(len(rest), dtype=np.int32))

    def weights(self, exp: Exp) -> Floats:
        """exp50 as the weights f32[52] of the basis."""
        out = np.empty(len(self.basis), np.float32)
        out[: len(WEIGHTS)] = exp[self._channels]
        for k, (channel, scale) in enumerate(self._looks, len(WEIGHTS)):
            out[k] = exp[channel] * scale
        return np.clip(out, 0, 1)

    def pose(self, exp: Exp) -> Posed:
        """The head with the coefficients `exp`, f32[50]."""
        points = self.rest.copy()
        points[self.moved] += self._moves(self.weights(exp)).reshape(-1, 3)
        if exp[CHANNEL["tongueUp"]] > 0:
            points[self._tongue] += self._along * np.float32(min(float(exp[CHANNEL["tongueUp"]]), 1.0))
        pitch, yaw, roll = (float(exp[CHANNEL[name]]) for name in ("headPitch", "headYaw", "headRoll"))
        turn = rotation(pitch, yaw, roll)
        if pitch or yaw or roll:
            points = self.turned(points, turn)
        look = rotation(float(exp[CHANNEL["gazePitch"]]), float(exp[CHANNEL["gazeYaw"]]), 0.0)
        ball = (self.eyes.ball * np.float32(self.eyes.radius)) @ look.T
        balls = np.stack([(c + ball - self.pivot) @ turn.T + self.pivot for c in self.eyes.centres])
        return Posed(points, balls, turn @ look, turn, self.pivot)

    def _moves(self, weights: Floats) -> Floats:
        """The sum of the basis by weights f32[52], most of which are 0."""
        # not one product of matrices: BLAS would split it over threads, whose waiting costs more where cores are busy
        out = np.zeros((1, self.basis.shape[1]), np.float32)
        for k in np.flatnonzero(weights):
            cv2.scaleAdd(self.basis[k : k + 1], float(weights[k]), out, out)
        return np.asarray(out[0], np.float32)

    def turned(self, points: Floats, turn: Floats) -> Floats:
        """Points f32[p, 3] with the head turned by f32[3, 3] on its neck."""
        turned = (points - self.pivot) @ turn.T + self.pivot
        return np.asarray(points + (turned - points) * self.carried[:, None], np.float32)

    def normals(self, points: Floats) -> Floats:
        """Unit normals f32[p, 3] of points."""
        return self._fans.normals(points)


def rotation(pitch: float, yaw: float, roll: float) -> Floats:
    """f32[3, 3]: radians, positive up, to the own left, and tilted to the own left shoulder; roll first, yaw last."""
    cp, sp, cy, sy, cr, sr = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    left = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    tilt = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(left @ up @ tilt, np.float32)


def skin_points(head: Asset) -> Ints:
    """Points of the skin."""
    return np.unique(head.vertex[head.triangles[head.part == SKIN]]).astype(np.int32)
