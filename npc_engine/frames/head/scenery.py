"""What does not move: the background and the clothes, drawn once for each size with smooth edges."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head import light
from npc_engine.frames.head.asset import Floats
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.garment import Garment
from npc_engine.frames.head.raster import canvas
from npc_engine.frames.head.smooth import smoothed
from npc_engine.head_spec import GROUNDS, TRANSPARENT, colour
from npc_engine.moments import Pixels

FINER: Final = 2  # clothes are drawn this much larger and shrunk


class Scenery:
    """Picture and depth on which a head is drawn; `smooth` is the picture with the edges of clothes softened."""

    def __init__(self, figure: Figure, size: int, background: Pixels | None) -> None:
        self.picture = _behind(figure, size, background)
        self.alpha: npt.NDArray[np.uint8] | None = (
            np.zeros((size, size), np.uint8) if figure.spec.background == TRANSPARENT else None
        )
        _, self.depth = canvas(size)
        if figure.garment:
            self._dress(figure, figure.garment, size)
        self.smooth = smoothed(self.picture.copy(), self.depth, np.zeros((size, size), np.uint8))

    def _dress(self, figure: Figure, garment: Garment, size: int) -> None:
        camera = figure.camera
        seen = camera.seen(garment.points)
        normals = garment.normals @ camera.turn.T
        views = -seen / np.linalg.norm(seen, axis=1, keepdims=True)
        glow = light.cloth(light.COLOURED, normals, views, garment.open, figure.garment_sun)
        places = np.concatenate([garment.uv, np.ones((len(seen), 1), np.float32)], 1).astype(np.float32)
        large = size * FINER
        lens = camera.lens(large)
        coordinates, depth = canvas(large)
        lens.draw(coordinates, depth, seen, garment.triangles, places)
        lit, depth = canvas(large)
        lens.draw(lit, depth, seen, garment.triangles, glow)
        rows = np.flatnonzero(coordinates[..., 2].any(1)) // FINER
        if not len(rows):
            return  # seen from so near that no cloth is in the picture
        part = np.s_[int(rows[0]) :]
        coordinates, lit = (plane[part.start * FINER :] for plane in (coordinates, lit))
        repeat = 5.0 * size / 512 * figure.spec.zoom  # a thread is two pixels
        edge = garment.texture.shape[0]
        tall = repeat * 0.35
        x = coordinates[..., 0] * np.float32(repeat * edge) % np.float32(edge - 1)
        y = coordinates[..., 1] * np.float32(tall * edge) % np.float32(edge - 1)
        cloth = cv2.remap(garment.texture, x, y, cv2.INTER_LINEAR)
        shown = cv2.multiply(cloth, lit, scale=light.SCALE, dtype=cv2.CV_8U)  # what no cloth covers has no light
        cover = np.asarray(coordinates[..., 2] > 0.5, np.float32)
        small_size = (size, size - part.start)
        share = cv2.resize(cover, small_size, interpolation=cv2.INTER_AREA)[..., None]
        small = cv2.resize(shown, small_size, interpolation=cv2.INTER_AREA)
        self.picture[part] = self.picture[part] * (1 - share) + small
        if self.alpha is not None:
            self.alpha[part] = share[..., 0] * 255
        camera.lens(size).deep(self.depth, seen, garment.triangles)


def _behind(figure: Figure, size: int, background: Pixels | None) -> Pixels:
    """The background RGB u8[size, size, 3]: a picture, or a colour that is lighter behind the head."""
    if background is not None:
        edge = min(background.shape[:2])
        top, left = ((n - edge) // 2 for n in background.shape[:2])
        square = np.ascontiguousarray(background[top : top + edge, left : left + edge, :3])
        return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    spec = figure.spec
    if spec.background == TRANSPARENT:
        return np.zeros((size, size, 3), np.uint8)
    tone: Floats = np.array(colour(spec.background, GROUNDS, "background"), np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    glow = np.exp(-(((x - 0.42) / 0.55) ** 2 + ((y - 0.38) / 0.55) ** 2))[..., None]
    grain = np.random.default_rng(1).uniform(-0.5, 0.5, (size, size, 1))  # keeps the gradient from banding
    return np.asarray(np.clip(tone * (0.66 + 0.62 * glow) * 255 + grain + 0.5, 0, 255), np.uint8)
