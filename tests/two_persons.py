"""Pictures of the faces that ship, one laid into another's frame: what a face looks like that loses its identity."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from npc_engine.cast import Cast
from npc_engine.frames.embedding import DLIB
from npc_engine.frames.load import read_landmarks
from npc_engine.frames.pictures import read_picture
from npc_engine.moments import CHANNEL, Exp, Pixels

ROOT = Path(__file__).parents[1]
SIZE = 256


def source(name: str) -> tuple[Pixels, np.ndarray]:
    """A face's picture in RGB and its landmarks."""
    spec, folder = Cast((ROOT,)).face(name)
    picture = np.ascontiguousarray(read_picture(folder / spec.picture)[..., :3])
    return picture, read_landmarks(folder / spec.landmarks, picture.shape[1])


def in_place_of(other: tuple[Pixels, np.ndarray], one: tuple[Pixels, np.ndarray]) -> Pixels:
    """The picture `other`, moved and scaled so that its face lies where that of `one` does."""
    there, back = DLIB.matrix(other[1]), cv2.invertAffineTransform(DLIB.matrix(one[1]))
    matrix = np.vstack([back, [0, 0, 1]]) @ np.vstack([there, [0, 0, 1]])
    edge = one[0].shape[0]
    return cv2.warpAffine(other[0], matrix[:2], (edge, edge), borderMode=cv2.BORDER_REPLICATE)


class Fading:
    """A face that becomes another person as its jaw opens, and whose lower half goes dark with it, as a mouth would."""

    def __init__(self, one: str = "maren", other: str = "elder") -> None:
        self.source = source(one)
        pictures = (self.source[0], in_place_of(source(other), self.source))
        self._pictures = [cv2.resize(p, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for p in pictures]

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        assert size in (SIZE, 512)
        share = float(np.clip(exp[CHANNEL["jawOpen"]], 0, 1))
        mixed = cv2.addWeighted(self._pictures[0], 1 - share, self._pictures[1], share, breath * 0)
        return mixed if size == SIZE else cv2.resize(mixed, (size, size), interpolation=cv2.INTER_CUBIC)
