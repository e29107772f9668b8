"""What a lid needs that its picture does not show: its skin without lashes, and the lashes by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.eye_rims import ASIDE, Rims
from npc_engine.frames.sampling import blurred, enlarged, opaque, read, shrunk, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Lashes: TypeAlias = tuple[npt.NDArray[Any], npt.NDArray[Any], Floats]

REACH: Final = (0.88, 0.72)  # half the width and height of the textures, in eye widths
TALL: Final = 0.37  # height of the lashes' texture over the lid's edge, in eye widths
ROOT: Final = 0.012  # of it, the part below the edge, where lashes fade out
SHORTEST, LONGEST = 0.045, 0.32  # lashes, in eye widths
OUTLINE: Final = 0.12  # the widest outline of a drawn eye, in eye widths
DARK: Final = 0.80  # what is darker than this share of the lid's light may be a lash
GRAIN: Final = 0.03  # the finest of the skin, in eye widths
CORNER: Final = 0.80  # lashes end this far from the middle of an eye, in eye widths
LIGHT: Final = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Around:
    """The part of a source around an eye, in the frame of the eye."""

    rims: Rims
    low: npt.NDArray[np.int64]  # i64[2], its corner in the source
    part: Floats  # f32[h, w, 3], 0..255
    u: npt.NDArray[Any]  # f64[h, w], eye widths
    v: npt.NDArray[Any]  # f64[h, w]
    unit: float  # pixels an eye is wide

    @classmethod
    def cut(cls, rims: Rims, source: Pixels) -> Around:
        """Cut it from a square source."""
        edge = source.shape[0]
        reach = np.array(REACH) * rims.width * edge
        low = np.clip(np.floor(rims.centre * edge - reach), 0, edge - 2).astype(np.int64)
        high = np.clip(np.ceil(rims.centre * edge + reach), low + 2, edge).astype(np.int64)
        part = source[low[1] : high[1], low[0] : high[0], :3].astype(np.float32)
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        uv = rims.local((np.stack([x, y], -1) + 0.5) / edge)
        return cls(rims, low, part, uv[..., 0], uv[..., 1], rims.width * edge)

    def over(self, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A table over u, f[STEPS], at each pixel."""
        return np.asarray(np.interp(self.u, self.rims.u, table))

    def read(self, picture: Floats, u: npt.NDArray[Any], v: npt.NDArray[Any]) -> Floats:
        """`picture` f32[h, w, ...] of this part's size at u and v, which are broadcast."""
        uv = np.stack(np.broadcast_arrays(u, v), -1)
        edge = self.unit / self.rims.width
        return read(picture, self.rims.places(uv) * edge - 0.5 - self.low)


def as_bytes(colours: npt.NDArray[Any]) -> Pixels:
    """Colours f[h, w, 3] as RGBA."""
    return opaque(np.asarray(np.round(np.clip(colours, 0, 255)), np.uint8))


def spread(colours: Floats, weights: npt.NDArray[Any], across: float, along: float) -> tuple[Floats, Floats]:
    """Colours filled in from where `weights` are, and how much weight was near: a normalised blur."""
    weights = weights.astype(np.float32)
    share = blurred(weights, across, along)
    filled = blurred(colours * weights[..., None], across, along) / np.maximum(share, np.float32(1e-5))[..., None]
    return filled, share


def filled(colours: Floats, weights: npt.NDArray[Any], unit: float) -> Floats:
    """Colours filled in from where `weights` are: from as near as there are any."""
    height, width = weights.shape
    coarse = min(1.0, 32 / unit)  # what is that soft needs few pixels
    size = max(2, round(width * coarse)), max(2, round(height * coarse))
    weights = weights.astype(np.float32)
    share = shrunk(weights, *size)
    few = shrunk(colours * weights[..., None], *size) / np.maximum(share, np.float32(1e-6))[..., None]
    total = max(float(share.sum()), 1e-3)
    out = np.broadcast_to((few * share[..., None]).sum((0, 1)) / total, few.shape).astype(np.float32)
    for sigma in (0.3, 0.15, 0.08):
        near, known = spread(few, share, sigma * coarse * unit, sigma * 0.8 * coarse * unit)
        out = out + (near - out) * np.clip(known / 0.06, 0, 1)[..., None]
    return enlarged(out, width, height)


def lash_map(around: Around) -> Lashes:
    """Where lashes are: columns u f64[c], rows of heights over the upper rim h f64[r], and cover f32[r, c] 0..1.

    Lashes are what is darker than the lid and grows from its edge, aslant as it may be.
    """
    rims = around.rims
    step = max(0.01, 1 / around.unit)
    u, h = np.arange(-CORNER, CORNER + step, step), np.arange(-ROOT, LONGEST + 0.04, step)
    edge = np.interp(u, rims.u, rims.upper)
    light = around.read(around.part @ LIGHT, u[None], edge - np.append(h, [0.36, 0.39, 0.42])[:, None])
    usual = np.percentile(light[len(h) // 3 :], 70, axis=0)
    usual = np.maximum(np.convolve(np.pad(usual, 8, mode="edge"), np.ones(17) / 17, "valid"), 1.0)
    dark = light[: len(h)] < DARK * usual
    lash = np.zeros(dark.shape, np.uint8)
    lash[h < 0.02] = np.abs(u) < 0.60  # they all grow from here
    for row in range(1, len(h)):  # upwards and aslant, but not along the fold of the lid
        below = lash[row - 1 : row]
        lash[row] |= dark[row] & (cv2.dilate(below, np.ones((1, 3), np.uint8))[0] > 0)
    # one looks through between two lashes, and their tips are paler than they are dark
    gap, tip = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(k / step) + 1,) * 2) for k in (0.04, 0.035))
    lash = cv2.dilate(cv2.morphologyEx(lash, cv2.MORPH_CLOSE, gap), tip)
    cover = blurred(lash.astype(np.float32), 0.012 / step)
    fold = np.interp(u, rims.u, rims.above)
    cover *= smooth((CORNER - np.abs(u)) / 0.10) * smooth((np.minimum(LONGEST + 0.03, 0.85 * fold) - h[:, None]) / 0.05)
    return u, h, cover.astype(np.float32)


def _at(u: npt.NDArray[Any], h: npt.NDArray[Any], lash: Lashes) -> Floats:
    """The lash map read at u and h, broadcast; nothing beyond it."""
    columns, rows, cover = lash
    x, y = ((k - axis[0]) / (axis[1] - axis[0]) for k, axis in ((u, columns), (h, rows)))
    inside = (x >= 0) & (x <= len(columns) - 1) & (y <= len(rows) - 1)
    return np.asarray(read(cover, np.stack(np.broadcast_arrays(x, y), -1)) * inside, np.float32)


def bare_lid(around: Around, lash: Lashes) -> Pixels:
    """The picture with upper lid skin where its lashes and its eye are: RGBA u8[h, w, 4]."""
    rims, part, u, v, unit = around.rims, around.part, around.u, around.v, around.unit
    above, below = around.over(rims.upper) - v, v - around.over(rims.lower)
    fold = around.over(rims.above)
    cover = np.maximum(_at(u, above, lash), smooth((SHORTEST + 0.03 - above) / 0.03) * smooth((0.6 - np.abs(u)) / 0.08))
    if rims.drawn:  # an outline stands beside a round eye, too
        outside = ((above > 0) | (below > 0)).astype(np.uint8)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / unit
        cover = np.maximum(cover, smooth((OUTLINE + 0.04 - away) / 0.04) * (v < 0))
    cover = cover * smooth((0.025 - below) / 0.02)
    light = part @ LIGHT
    lid = (cover < 0.1) & (above > 0) & (above < fold) & (np.abs(u) < 0.5)
    skin = (above > 0) * np.clip((1.15 * fold - above) / 0.1, 0, 1) * smooth((0.87 - np.abs(u)) / 0.1)
    skin = np.maximum(skin, 0.3 * np.clip((below - 0.10) / 0.05, 0, 1) * (below < 0.3))
    skin *= np.clip(1 - 3 * cover, 0, 1)
    # a stray lash or hair is darker than what is around it, as a shadow is not
    around_it, _ = spread(light[..., None].repeat(3, -1), skin, 0.12 * unit, 0.12 * unit)
    skin *= np.clip((light / np.maximum(around_it[..., 0], 1) - 0.78) / 0.12, 0, 1)
    skin = skin if skin.sum() > 4 else lid + 1e-3
    new = filled(part, skin, unit)
    fine = part - blurred(part, GRAIN * unit)
    # the cheek has the same pores, or brush strokes, as the lid
    mirrored = around.read(fine, u, around.over(rims.lower) + 0.12 + np.clip(around.over(rims.lower) - v, 0, 0.45))
    new = new + np.clip(mirrored, -6, 6)
    return as_bytes(part + cover[..., None] * (new - part))


def lashes(around: Around, bare: Pixels, lash: Lashes) -> Pixels:
    """The lashes as a texture of columns over u and rows over height, RGBA u8[rows, columns, 4] with their cover.

    Laid over the bare lid they give the picture again, row 0 being `ROOT` below the lid's edge.
    """
    rims = around.rims
    u = np.linspace(-ASIDE, ASIDE, max(8, round(2 * ASIDE * around.unit)))
    h = np.linspace(-ROOT, TALL, max(4, round((TALL + ROOT) * around.unit)))[:, None]
    at = np.interp(u, rims.u, rims.upper) - h
    seen = around.read(around.part, u[None], at)
    skin = around.read(bare[..., :3].astype(np.float32), u[None], at)
    light, usual = seen @ LIGHT, np.maximum(skin @ LIGHT, 1.0)
    darkest = max(float(np.percentile(light[h[:, 0] > 0], 2)) * 0.8, 1.0)
    cover = np.clip((usual - light) / np.maximum(usual - darkest, 8.0), 0, 1) * _at(u[None], h, lash)
    cover *= np.clip(h / ROOT + 1, 0, 1)
    colour = skin + (seen - skin) / np.maximum(cover, 0.05)[..., None]
    out = as_bytes(colour)
    out[..., 3] = np.round(cover * 255)
    out[[0, -1], :, 3] = 0
    out[:, [0, -1], 3] = 0
    return out


def colours(around: Around, bare: Pixels) -> npt.NDArray[np.uint8]:
    """Three colours as RGBA u8[3, 4]: the lashes', the lid's in shadow and the lid's in light.

    The lashes' is the darkest of what lies along the upper lid.
    """
    rims = around.rims
    u = np.linspace(-0.42, 0.42, 40)[:, None]
    edge = np.interp(u, rims.u, rims.upper)
    seen = around.read(around.part, u, edge + np.linspace(-0.06, 0.03, 9)).reshape(-1, 3)
    darkest = seen[np.argsort(seen.sum(1))[: len(seen) // 10]].mean(0) * 0.9
    lid = np.median(around.read(bare[..., :3].astype(np.float32), u, edge + np.array([-0.04, 0.0, 0.04])), axis=(0, 1))
    most = max(float(lid.max()), 1.0)
    shaded, lit = 0.5 * most * (lid / most) ** 1.5, np.minimum(lid * 1.5, 255)  # shadows on skin are redder
    return np.column_stack([np.stack([darkest, shaded, lit]), np.full(3, 255)]).astype(np.uint8)
