"""Square crops around a face by five points, and back into the picture: feathered, or by Poisson's equation."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import blurred, mixed, moved, shrunk
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Matrix: TypeAlias = npt.NDArray[np.float64]  # f64[2, 3], pixels of a picture to pixels of a crop

EDGE: Final = 512
FFHQ: Final = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.1936),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
"""Eyes, nose tip and mouth corners in a 512² crop as the public GFPGAN and LivePortrait files expect (FFHQ)."""
FIVE: Final = (468, 473, 4, 61, 291)
"""The same five among our landmarks, the image's left eye first: iris centres, nose tip, mouth corners."""
FEATHER: Final = 0.1  # of a crop's edge, over which it fades into the picture

_cv: Final[Any] = cv2  # its stubs refuse None for an output that it shall make


def crop_matrix(points: npt.NDArray[Any], wider: float = 1.0) -> Matrix:
    """The similarity that brings a face with landmarks f[478, 3] onto a 512² crop, `wider` times as much around it."""
    five = points[list(FIVE), :2].astype(np.float64)
    middle = five.mean(0)
    matrix, _ = _cv.estimateAffinePartial2D(middle + (five - middle) * wider, FFHQ, method=cv2.LMEDS)
    return np.asarray(matrix, np.float64)


def cut(picture: Pixels, matrix: Matrix, edge: int = EDGE) -> Pixels:
    """The crop u8[edge, edge, 3] of a picture; what lies beyond the picture goes on as its border."""
    back = cv2.invertAffineTransform(matrix)
    whole = moved(np.ascontiguousarray(picture[..., :3]), back, EDGE, EDGE, border=cv2.BORDER_REPLICATE)
    return whole if edge == EDGE else shrunk(whole, edge, edge)


def as_planes(crop: Pixels) -> Floats:
    """A crop as a network reads it: f32[1, 3, h, w], 0..1."""
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def as_pixels(planes: npt.NDArray[Any]) -> Pixels:
    """A network's picture f32[1, 3, h, w] of 0..1 as u8[h, w, 3]."""
    return np.ascontiguousarray(np.clip(planes[0].transpose(1, 2, 0) * 255 + 0.5, 0, 255), np.uint8)


class Paste:
    """Lays crops back into pictures of one size."""

    def __init__(self, matrix: Matrix, size: int, blend: str, share: float = 1.0) -> None:
        """`matrix` brings the picture, of `size` pixels, onto the crop; `share` is how much of the crop is taken."""
        self._matrix, self._size, self._poisson = matrix, size, blend == "poisson"
        inner = np.zeros((EDGE, EDGE), np.float32)
        rim = round(FEATHER * EDGE)
        inner[rim:-rim, rim:-rim] = share
        # three of the Gaussian's widths lie between full and nothing: none is left at the crop's own edge
        self._share = cv2.warpAffine(
            blurred(inner, rim / 3), matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        self._mask = np.where(self._share > 0.5 * share, 255, 0).astype(np.uint8)
        self._mask[[0, -1]] = self._mask[:, [0, -1]] = 0  # the equation needs a border that is known

    def paste(self, picture: Pixels, crop: Pixels) -> Pixels:
        """`picture` u8[size, size, 3 | 4] with the crop u8[512, 512, 3] in its place; its transparency is kept."""
        placed = moved(crop, self._matrix, self._size, self._size, border=cv2.BORDER_REPLICATE)
        colour = np.ascontiguousarray(picture[..., :3])
        if self._poisson:
            columns, rows = np.flatnonzero(self._mask.any(0)), np.flatnonzero(self._mask.any(1))
            middle = (int(columns[0] + columns[-1]) // 2, int(rows[0] + rows[-1]) // 2)
            placed = np.asarray(_cv.seamlessClone(placed, colour, self._mask, middle, cv2.NORMAL_CLONE), np.uint8)
        out = mixed(colour, placed, self._share)
        return out if picture.shape[2] == 3 else np.dstack([out, picture[..., 3]])
