"""What an eye needs that its picture does not show: the lid without lashes, and the eyeball beneath the lids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import blurred, opaque
from npc_engine.moments import Pixels

if TYPE_CHECKING:
    from npc_engine.frames.eyes import Eye

Floats: TypeAlias = npt.NDArray[np.float32]

REACH: Final = (0.78, 0.72)  # half the width and height of the textures, in eye widths
BINS: Final = 16  # of an iris's radius
_LIGHT: Final = np.array([0.299, 0.587, 0.114])


def textures(eye: Eye, source: Pixels) -> tuple[Floats, Pixels, Pixels]:
    """The corner f32[2] of both textures in the source, the lid without lashes, and the whole eyeball, RGBA."""
    edge = source.shape[0]
    reach = np.array(REACH) * eye.width * edge
    low = np.clip(np.floor(eye.centre * edge - reach), 0, edge - 2).astype(int)
    high = np.clip(np.ceil(eye.centre * edge + reach), low + 2, edge).astype(int)
    part = source[low[1] : high[1], low[0] : high[0], :3].astype(np.float32)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    uv = eye.local((np.stack([x, y], -1) + 0.5) / edge)
    unit = eye.width * edge
    return low.astype(np.float32), _bytes(_bare_lid(eye, part, uv, unit)), _bytes(_eyeball(eye, part, uv, unit))


def _bytes(colours: npt.NDArray[Any]) -> Pixels:
    return opaque(np.asarray(np.round(np.clip(colours, 0, 255)), np.uint8))


def _spread(colours: Floats, weights: npt.NDArray[Any], across: float, along: float) -> tuple[Floats, Floats]:
    """Colours filled in from where `weights` are, and how much weight was near: a normalised blur."""
    weights = weights.astype(np.float32)
    share = blurred(weights, across, along)
    filled = blurred(colours * weights[..., None], across, along) / np.maximum(share, np.float32(1e-4))[..., None]
    return filled, share


def _bare_lid(eye: Eye, part: Floats, uv: npt.NDArray[Any], unit: float) -> npt.NDArray[Any]:
    """The picture with the lashes taken off the upper lid: a closing lid turns them away from us."""
    above = np.interp(uv[..., 0], eye.u, eye.upper) - uv[..., 1]
    reach = np.interp(uv[..., 0], eye.u, eye.above)
    light = part @ _LIGHT
    lid = (above > 0.05) & (above < reach) & (np.abs(uv[..., 0]) < 0.5)
    usual = max(float(np.median(light[lid])) if lid.any() else 128.0, 1.0)
    # skin is what is nearly as light as most of the lid; lashes, and what lies below the lid's edge, are filled in
    skin = np.clip((light / usual - 0.74) / 0.14, 0, 1) * np.clip((above - 0.02) / 0.03, 0, 1)
    k = max(1, round(0.07 * unit))  # between two lashes it is not skin that one sees
    skin = cv2.erode(skin, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)))
    filled, share = _spread(part, skin, 0.10 * unit, 0.07 * unit)
    inside = (1 - skin) * np.clip((0.8 * reach - above) / 0.08, 0, 1) * np.clip((above + 0.06) / 0.04, 0, 1)
    inside *= np.clip((0.60 - np.abs(uv[..., 0])) / 0.12, 0, 1) * np.clip(share / 0.02, 0, 1)
    return np.asarray(part + blurred(inside, 0.012 * unit)[..., None] * (filled - part))


def _eyeball(eye: Eye, part: Floats, uv: npt.NDArray[Any], unit: float) -> npt.NDArray[Any]:
    """The eyeball: what the picture shows between the lids, its white carried on beneath them, its iris made round."""
    u, v = uv[..., 0], uv[..., 1]
    upper, lower = (np.interp(u, eye.u, rim) for rim in (eye.upper, eye.lower))
    shown = np.clip((v - upper - 0.02) / 0.02, 0, 1) * np.clip((lower - 0.015 - v) / 0.02, 0, 1)
    shown *= np.clip((0.48 - np.abs(u)) / 0.03, 0, 1)
    r = np.hypot(u - eye.iris[0], v - eye.iris[1]) / max(eye.iris_radius, 1e-3)
    white = shown * np.clip((r - 1.08) / 0.12, 0, 1) * np.clip((0.40 - np.abs(u)) / 0.05, 0, 1)
    if white.sum() < 8:  # an iris that fills the opening: the lightest quarter of it must do
        light = part @ _LIGHT
        white = shown * (light >= np.percentile(light[shown > 0.5], 75)) if (shown > 0.5).any() else shown + 1e-3
    near, share = _spread(part, white, 0.10 * unit, 0.05 * unit)
    far = np.asarray((part * white[..., None]).sum((0, 1)) / max(float(white.sum()), 1e-3), np.float32)
    sure = np.clip(share / 0.02, 0, 1)[..., None]
    ball = far + (near - far) * sure
    ball *= (1 - 0.25 * np.clip((upper + 0.03 - v) / 0.10, 0, 1))[..., None]  # the upper lid's shadow goes with it
    at = np.clip((r * BINS).astype(int), 0, BINS)
    profile = np.zeros((BINS + 1, 3))
    for k in range(BINS, -1, -1):
        ring = (at == k) & (shown > 0.6)
        profile[k] = part[ring].mean(0) if ring.any() else profile[min(k + 1, BINS)]
    place = np.clip(r * BINS - 0.5, 0, BINS - 1)
    first = place.astype(int)
    blend = (place - first)[..., None]
    iris = profile[first] * (1 - blend) + profile[np.minimum(first + 1, BINS)] * blend
    ball += np.clip((1.04 - r) / 0.10, 0, 1)[..., None] * (iris - ball)
    return np.asarray(ball + shown[..., None] * (part - ball))
