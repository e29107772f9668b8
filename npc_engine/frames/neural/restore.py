"""Any face's pictures, restored by GFPGAN (Wang et al. 2021, arXiv:2101.04061), whose file the user owns."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from npc_engine.cast import NeuralSpec
from npc_engine.frames.add import face_landmarks
from npc_engine.frames.drawing import DrawnFace, drawn
from npc_engine.frames.neural.crops import Matrix, Paste, as_pixels, as_planes, crop_matrix, cut
from npc_engine.frames.neural.files import GFPGAN, OnnxFile
from npc_engine.frames.sizes import Sizes
from npc_engine.moments import NEUTRAL, Exp, Expression, Moment, Pixels

FOUND_AT: Final = 512  # pixels of the picture in which the face is looked for


class Restored:
    """A face whose pictures GFPGAN restores. Safe for several lines at once; the network takes turns."""

    def __init__(self, face: DrawnFace, folder: Path, models: Path, wanted: NeuralSpec) -> None:
        """`folder` is the face's, named in errors.

        Raises `FaceError` for a file in `models` that is missing or not what is expected, and for a face that our
        landmark network does not find in its picture at rest.
        """
        self._face, self._wanted = face, wanted
        self._network = OnnxFile(models, GFPGAN, wanted.device)
        points = face_landmarks(face.render(NEUTRAL, FOUND_AT), folder)
        self._points = (points + 0.5) / FOUND_AT  # f32[478, 3], in picture edges
        self._pastes = Sizes(self._paste)
        self._lock = threading.Lock()

    def draw(self, expressions: Iterable[Expression]) -> Iterator[Moment]:
        """Yield one moment per expression, with a picture on every `picture_every`-th tick of its line."""
        return drawn(self.render, expressions)

    def render(self, exp: Exp, size: int, breath: float = 0.0) -> Pixels:
        """The face with the coefficients `exp`, f32[50], as RGB or RGBA u8[size, size, 3 | 4]."""
        picture = self._face.render(exp, size, breath)
        with self._lock:
            (planes,) = self._network.run(input=as_planes(cut(picture, self._matrix(size))) * 2 - 1)
        return self._pastes.at(size).paste(picture, as_pixels((planes + 1) / 2))

    def _matrix(self, size: int) -> Matrix:
        return crop_matrix(self._points * size - 0.5)

    def _paste(self, size: int) -> Paste:
        return Paste(self._matrix(size), size, self._wanted.blend, self._wanted.restore)
