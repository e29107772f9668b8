"""All textures on one sheet, so that one look-up colours a picture: the head's, the hair's, the lashes'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head import light
from npc_engine.frames.head.asset import LASHES, Floats
from npc_engine.frames.head.eyeballs import BOX
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.layout import COARSE, EDGE, uv_map
from npc_engine.moments import Pixels

FINEST: Final = 512  # picture size at which a texel is about a pixel at zoom 1
LASH: Final = (256, 64)  # texels along a lid and out from it
LOWER: Final = np.array([1, 1, 1, 0.30])  # lower lashes are thin


@dataclass(frozen=True)
class Sheet:
    """Textures for one picture size."""

    colour: Pixels  # RGBA
    places: Floats  # [n, 3] of every vertex: column and row on the sheet, and room for light
    eye: tuple[float, float, float, float]  # left, top, right, low of the eye's texture on the sheet

    @classmethod
    def of(cls, figure: Figure, size: int) -> Sheet:
        """The sheet, shrunk so that a texel is no smaller than half a pixel."""
        scale = float(np.clip(size * figure.spec.zoom / FINEST, 0.125, 1))
        head, hair = figure.head, figure.hair
        lashes = lash_texture(figure.spec.seed)
        pages = [cv2.cvtColor(_tinted(figure), cv2.COLOR_RGB2RGBA)]
        if hair:
            pages.append(hair.texture)
        wide = np.zeros((LASH[1], EDGE, 4), np.uint8)
        wide[:, : LASH[0]] = lashes
        wide[:, LASH[0] : 2 * LASH[0]] = lashes * LOWER
        pages.append(wide)
        tops = np.cumsum([0] + [len(p) for p in pages])
        uv = head.uv
        lash = np.zeros(len(uv), bool)
        lash[np.unique(head.triangles[head.part == LASHES])] = True
        place = np.stack([uv[:, 0] * EDGE, (1 - uv[:, 1]) * EDGE], 1)
        lower = figure.lower_lashes[lash]
        across = uv[lash, 0] * (LASH[0] - 1) + lower * LASH[0] + 0.5
        outwards = np.where(lower, 1 - uv[lash, 1], uv[lash, 1])  # both kinds grow from the eye
        place[lash] = np.stack([across, tops[-2] + (1 - outwards) * (LASH[1] - 3) + 1.5], 1)
        eye_uv = figure.poser.eyes.uv
        eye = np.stack([eye_uv[:, 0] * EDGE, (1 - eye_uv[:, 1]) * EDGE], 1)
        places = [place, eye, eye]
        if hair:
            rows = tops[1] + 1 + hair.uv[:, 1] * (len(hair.texture) - 3)
            places.append(np.stack([hair.uv[:, 0] * (EDGE - 1) + 0.5, rows], 1))
        full = np.concatenate(pages)
        flat = np.concatenate(places) * scale - 0.5
        out = np.concatenate([flat, np.zeros((len(flat), 1))], 1)
        if scale < 1:
            full = cv2.resize(full, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        left, low_v, right, top_v = BOX
        left, top, right, low = (v * EDGE * scale - 0.5 for v in (left, 1 - top_v, right, 1 - low_v))
        return cls(
            np.ascontiguousarray(full),
            np.ascontiguousarray(out, np.float32),
            (left, top, right, low),
        )

    def of_eye(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Which pixels show an eye, of those that look at columns `x` and rows `y`, f32[h, w]."""
        left, top, right, low = self.eye
        return np.asarray((x > left) & (x < right) & (y > top) & (y < low), bool)


def _tinted(figure: Figure) -> Pixels:
    """The head's texture in the colour of the light that falls on each place at rest.

    While it moves only the strength of light is computed: a head turns by a few degrees, its lamps' colours stay.
    """
    head = figure.head
    normals = (figure.poser.normals(figure.rest) @ figure.camera.turn.T)[head.vertex]
    views = np.tile(np.array([0, 0, 1], np.float32), (len(normals), 1))
    falls = {"sun": figure.sun[head.vertex], "gloss": figure.gloss}
    tint = light.skin(light.COLOURED, normals, views, figure.open, **falls)
    tint /= np.maximum(light.skin(light.GREY, normals, views, figure.open, **falls), 1e-3)
    parts = tuple(part for part in range(7) if part != LASHES)  # lashes have a page of their own
    box, found, _ = uv_map(head, np.asarray(tint, np.float32), parts, COARSE)
    wide = np.ones((COARSE, COARSE, 3), np.float32)
    wide[box] = np.clip(found, 0.4, 1.8)
    left, low, right, top = (round(v * COARSE) for v in BOX)
    wide[COARSE - top - 2 : COARSE - low + 2, left - 2 : right + 2] = 1
    large = cv2.resize(wide, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(figure.texture, large, dtype=cv2.CV_8U), np.uint8)


def lash_texture(seed: int) -> npt.NDArray[np.uint8]:
    """Lashes RGBA u8[64, 256, 4]: roots along the last row, tips at the first, curved and of unequal length."""
    rng = np.random.default_rng(seed + 9)
    alpha = np.zeros((LASH[1], LASH[0]), np.uint8)
    for root in np.linspace(6, LASH[0] - 6, 54):
        root_x, high = root + rng.normal() * 1.5, LASH[1] * rng.uniform(0.55, 0.95)
        lean = (root / LASH[0] - 0.45) * 22 + rng.normal() * 5
        t = np.linspace(0, 1, 7)
        points = np.stack([root_x + lean * t**1.6, LASH[1] - high * t], 1)
        for k in range(6):
            ends = np.round(points[k : k + 2] * 16).astype(int)
            thick = 2 if k < 3 else 1
            cv2.line(alpha, ends[0].tolist(), ends[1].tolist(), 225 - 22 * k, thick, cv2.LINE_AA, 4)
    line = np.clip(1.2 - np.arange(LASH[1])[::-1] / 7.0, 0, 1)[:, None] * 235
    out = np.zeros((LASH[1], LASH[0], 4), np.uint8)
    out[..., :3] = (46, 34, 30)
    ends = np.clip(np.minimum(np.arange(LASH[0]), np.arange(LASH[0])[::-1]) / 14, 0, 1)[None]
    out[..., 3] = np.maximum(alpha, line) * ends
    return out
