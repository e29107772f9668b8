"""A portrait moved by LivePortrait's networks (Guo et al. 2024, arXiv:2407.03168), whose files the user owns.

LivePortrait describes a face by 21 points: x = scale · (points · Rᵀ + expression) + translation. It knows nothing of
our coefficients, so the portrait warp teaches it each face's: the warp draws the picture with one coefficient at a
time, and the motion extractor says how its expression differs. Hence one face moves alike in both engines.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.cast import NeuralSpec
from npc_engine.frames.drawing import drawn
from npc_engine.frames.landmarks import Points
from npc_engine.frames.neural.crops import Paste, as_pixels, as_planes, crop_matrix, cut
from npc_engine.frames.neural.files import FEATURES, GENERATOR, MOTION, STITCHER, OnnxFile
from npc_engine.frames.portrait import Portrait
from npc_engine.frames.sizes import Sizes
from npc_engine.moments import ANGLES, CHANNEL, EXP50, NEUTRAL, Exp, Expression, Moment, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

WIDER: Final = 1.5  # a crop shows this much more than FFHQ's: hair and chin move with the face
PROBE: Final = 0.6  # a weight that the warp draws well and the extractor sees
PARTED: Final = 0.35  # jawOpen beneath what is seen only in an open mouth
IN_MOUTH: Final = ("mouthClose", "tongueOut", "tongueUp")
GAZE: Final = ("gazePitch", "gazeYaw")
HEAD: Final = ("headPitch", "headYaw", "headRoll")
TURN: Final = 0.12  # radians of a probe
SEEN: Final = 2.0  # degrees for each radian of the warp's turn, beneath which the extractor has not seen it
TAUGHT_AT: Final = 512  # pixels of the pictures that the extractor is shown

log = logging.getLogger(__name__)


class _Pose(NamedTuple):
    """What the motion extractor says of a picture."""

    angles: Floats  # f32[3]: pitch, yaw, roll in degrees
    scale: float
    translation: Floats  # f32[1, 3]
    expression: Floats  # f32[21, 3]
    points: Floats  # f32[21, 3]

    def placed(self, angles: Floats, expression: Floats) -> Floats:
        """The 21 points f32[1, 21, 3] with other angles and expression."""
        return (self.scale * (self.points @ rotation(angles).T + expression) + self.translation)[None]


def rotation(angles: npt.NDArray[Any]) -> Floats:
    """Roll · yaw · pitch about the fixed axes z, y, x, from degrees f32[3] of pitch, yaw, roll: f32[3, 3]."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(z @ y @ x, np.float32)


class LivePortrait:
    """One face by LivePortrait. Safe for several lines at once; the networks take turns."""

    def __init__(self, portrait: Portrait, points: Points, models: Path, wanted: NeuralSpec) -> None:
        """`portrait` is the same face as a warp, `points` f32[478, 3] its landmarks in pixels of its picture.

        Raises `FaceError` for a file in `models` that is missing or not what is expected.
        """
        files = [OnnxFile(models, signature, wanted.device) for signature in (FEATURES, MOTION, STITCHER, GENERATOR)]
        features, self._motion, self._stitcher, self._generator = files
        self._portrait, self._blend = portrait, wanted.blend
        self._edge = portrait.picture.shape[0]
        self._matrix = crop_matrix(points, WIDER)
        self._pastes = Sizes(self._paste)
        self._lock = threading.Lock()
        began = time.perf_counter()
        (self._volume,) = features.run(input=as_planes(cut(portrait.picture, self._matrix, 256)))
        self._rest = self._read(portrait.picture)
        self._at_rest = self._rest.placed(self._rest.angles, self._rest.expression)
        self._moves, self._turns = self._taught()
        log.info("LivePortrait learnt a face on %s in %.1f s", wanted.device, time.perf_counter() - began)

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        return drawn(self.render, expressions)

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4]; the warp breathes."""
        around = self._portrait.render(NEUTRAL, size, breath)
        angles = self._rest.angles + exp[[CHANNEL[n] for n in HEAD]] @ self._turns
        weights = np.append(np.clip(exp[:ANGLES], 0, 1), exp[[CHANNEL[n] for n in GAZE]]).astype(np.float32)
        edited = self._rest.placed(angles, self._rest.expression + np.tensordot(weights, self._moves, 1))
        with self._lock:
            (stitched,) = self._stitcher.run(source=edited, target=self._at_rest)
            (planes,) = self._generator.run(feature_volume=self._volume, source=stitched, target=self._at_rest)
        return self._pastes.at(size).paste(around, as_pixels(planes))

    def _paste(self, size: int) -> Paste:
        return Paste(_scaled(self._matrix, size / self._edge), size, self._blend)

    def _read(self, picture: Pixels) -> _Pose:
        matrix = _scaled(self._matrix, picture.shape[0] / self._edge)
        pitch, yaw, roll, scale, translation, expression, points = self._motion.run(
            input=as_planes(cut(picture, matrix, 256))
        )
        angles = np.array([float(a.reshape(-1)[0]) for a in (pitch, yaw, roll)], np.float32)
        return _Pose(angles, float(scale.reshape(-1)[0]), translation, expression[0], points[0])

    def _taught(self) -> tuple[Floats, Floats]:
        """How the expression moves per weight and glance, f32[47, 21, 3], and the angles per `HEAD`, f32[3, 3]."""
        seen = self._seen
        rest, parted = seen({}), seen({"jawOpen": PARTED})
        moves = []
        for name in EXP50[:ANGLES]:
            beneath = {"jawOpen": PARTED} if name in IN_MOUTH else {}
            amount = PARTED if name == "mouthClose" else PROBE
            before = parted if beneath else rest
            moves.append((seen({**beneath, name: amount}).expression - before.expression) / amount)
        moves += [(seen({n: TURN}).expression - seen({n: -TURN}).expression) / (2 * TURN) for n in GAZE]
        turns = np.zeros((3, 3), np.float32)
        for axis, name in enumerate(HEAD):
            slope = (seen({name: TURN}).angles[axis] - seen({name: -TURN}).angles[axis]) / (2 * TURN)
            # a warp turns less than it says; its sense is what is learnt
            turns[axis, axis] = np.degrees(1.0) * np.sign(slope) if abs(slope) > SEEN else 0.0
        return np.stack(moves).astype(np.float32), turns

    def _seen(self, weights: dict[str, float]) -> _Pose:
        """What the extractor says of the warp's picture with these coefficients."""
        exp = NEUTRAL.copy()
        for name, value in weights.items():
            exp[CHANNEL[name]] = value
        return self._read(self._portrait.render(exp, TAUGHT_AT))


def _scaled(matrix: npt.NDArray[np.float64], size: float) -> npt.NDArray[np.float64]:
    """A crop's matrix for the same picture at `size` times its edge; it is pixels' middles that stay in place."""
    return np.column_stack([matrix[:, :2] / size, matrix[:, 2] + matrix[:, :2] @ np.full(2, 0.5 / size - 0.5)])
