"""What is not skin, painted onto the texture: eyes, teeth, gums, tongue, the lining of mouth and sockets."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head.asset import LOWER_TEETH, MOUTH, SOCKET, TONGUE, UPPER_TEETH, Asset, Floats
from npc_engine.frames.head.eyeballs import BOX, IRIS, SEEN
from npc_engine.frames.head.layout import EDGE, grain, noise, uv_map
from npc_engine.head_spec import IRISES, HeadSpec, colour

TEETH: Final = 0.066  # decimetres along the arch's middle from tooth to tooth, 8.5 mm on its front
FLESH: Final = np.array([0.56, 0.24, 0.23], np.float32)


def paint_inside(picture: Floats, head: Asset, rest: Floats, spec: HeadSpec) -> None:
    """Paint the inside of the mouth, sockets and the eye into the texture `picture`, sRGB f32[EDGE, EDGE, 3]."""
    rng = np.random.default_rng(spec.seed + 5)
    rough = grain(3, rng)
    for part, painter in (
        (MOUTH, _lining),
        (SOCKET, _socket),
        (TONGUE, _tongue),
        (UPPER_TEETH, _upper),
        (LOWER_TEETH, _lower),
    ):
        box, p, there = uv_map(head, rest[head.vertex], (part,), EDGE)
        near = cv2.dilate(there, np.ones((9, 9), np.uint8)) > 0
        inside = there > 0
        low, high = p[inside].min(0), p[inside].max(0)
        picture[box][near] = painter(p, low, high, rough[box])[near]
    left, low_v, right, top = (round(v * EDGE) for v in BOX)
    picture[EDGE - top : EDGE - low_v, left:right] = eye(right - left, top - low_v, spec)


def _lining(p: Floats, low: Floats, high: Floats, rough: Floats) -> Floats:
    """The lining of the mouth: darker the further back."""
    back = np.clip((high[2] - p[..., 2]) / (high[2] - low[2]) * 1.6, 0, 1)[..., None]
    return np.asarray(FLESH * (1 - 0.80 * back) * (1 + 0.04 * rough[..., None]), np.float32)


def _socket(p: Floats, _low: Floats, high: Floats, rough: Floats) -> Floats:
    """The wet rim of the lids."""
    deep = np.clip((high[2] - p[..., 2]) / 0.10, 0, 1)[..., None]
    rim = np.array([0.74, 0.46, 0.42], np.float32)
    return np.asarray(rim * (1 - 0.5 * deep) * (1 + 0.02 * rough[..., None]), np.float32)


def _tongue(p: Floats, low: Floats, high: Floats, rough: Floats) -> Floats:
    """Pink, paler on the rough back of the tongue, with a furrow along the middle."""
    furrow = np.exp(-0.5 * (p[..., 0] / 0.018) ** 2)[..., None]
    back = np.clip((high[2] - p[..., 2]) / (high[2] - low[2]), 0, 1)[..., None]
    tone = np.array([0.64, 0.33, 0.32], np.float32) * (1 - 0.5 * back**2)
    return np.asarray(tone * (1 - 0.22 * furrow) * (1 + 0.05 * rough[..., None]), np.float32)


def _teeth(p: Floats, gum: Floats, width: float, rough: Floats) -> Floats:
    """Teeth along the arch; `gum` is 1 where a tooth ends in the gum."""
    along = np.arctan2(p[..., 0], np.maximum(p[..., 2] - 1.08, 0.02)) * 0.30
    place = along / width
    gap = np.abs(place - np.round(place))  # teeth stand between whole numbers: a gap in the middle
    tone = np.array([0.93, 0.90, 0.84], np.float32) * (1 + 0.015 * rough[..., None])
    # the gum rises between teeth, and each tooth is a little darker towards its sides
    bow = gum + 0.22 * (0.5 - gap) * 2 - 0.12
    between = np.clip(1 - gap / 0.05, 0, 1)[..., None]
    side = np.clip((0.30 - gap) / 0.30, 0, 1)[..., None] ** 2
    tone = tone * (1 - 0.20 * between) * (1 - 0.10 * side)
    red = np.clip((bow - 0.52) * 9, 0, 1)[..., None]
    pink = np.array([0.70, 0.38, 0.37], np.float32) * (1 + 0.05 * rough[..., None])
    return np.asarray(tone * (1 - red) + pink * red, np.float32)


def _towards_front(p: Floats, low: Floats, high: Floats) -> Floats:
    """1 in front, dark at the back, where cheeks keep the light off molars."""
    light = np.clip((p[..., 2:] - low[2]) / (0.80 * (high[2] - low[2])), 0.20, 1)
    # the deeper, the redder: what light there is has come off the flesh around
    return np.asarray(light ** np.array([1.0, 1.35, 1.40], np.float32), np.float32)


def _upper(p: Floats, low: Floats, high: Floats, rough: Floats) -> Floats:
    return _teeth(p, (p[..., 1] - low[1]) / (high[1] - low[1]), TEETH, rough) * _towards_front(p, low, high)


def _lower(p: Floats, low: Floats, high: Floats, rough: Floats) -> Floats:
    return _teeth(p, (high[1] - p[..., 1]) / (high[1] - low[1]), TEETH * 0.70, rough) * _towards_front(p, low, high)


def eye(width: int, height: int, spec: HeadSpec) -> Floats:
    """An eye from the front, sRGB f32[height, width, 3]: pupil, fibres, dark rim, white with a few veins."""
    rng = np.random.default_rng(spec.seed + 6)
    scale = 2  # fibres are finer than a texel
    x, y = np.meshgrid(np.linspace(-1, 1, width * scale), np.linspace(1, -1, height * scale))
    x, y = x.astype(np.float32), y.astype(np.float32)
    away, turn = np.hypot(x, y) * np.float32(SEEN), np.arctan2(y, x)
    limbus, pupil = IRIS, IRIS * 0.36
    place = np.clip((away - pupil) / (limbus - pupil), 0, 1)
    fibres = np.zeros_like(away)
    for count, weight in ((29, 0.5), (53, 0.5), (97, 0.45)):
        wobble = rng.uniform(0, 6.28) + rng.normal() * 1.6 * place
        fibres += np.float32(weight) * np.cos(count * turn + wobble + 2.0 * np.sin(turn * rng.integers(3, 8)))
    fibres *= 0.3 + 0.7 * np.sin(np.pi * np.clip(place * 0.9 + 0.1, 0, 1))
    outer = np.array(colour(spec.eyes, IRISES, "eyes"), np.float32)
    inner = np.clip(outer * 1.15 + np.array([0.16, 0.09, -0.01], np.float32), 0, 1)
    share = np.clip(place * 1.25 + 0.10 * fibres, 0, 1)[..., None]
    iris = inner * (1 - share) + outer * share
    iris *= (1.12 + 0.16 * fibres + 0.16 * np.exp(-0.5 * ((place - 0.26) / 0.1) ** 2))[..., None]
    iris *= (1 - 0.72 * np.clip((place - 0.70) / 0.30, 0, 1) ** 1.5)[..., None]
    white = np.broadcast_to(np.array([0.885, 0.860, 0.835], np.float32), iris.shape).copy()
    red = np.clip((np.abs(x) * SEEN - 0.75) / 0.8, 0, 1) ** 1.3
    veins = np.clip(1 - np.abs(cv2.resize(noise(256, 6, rng), (width * scale, height * scale))) * 8, 0, 1) * red
    white *= 1 - (0.30 * red + 0.22 * veins)[..., None] * np.array([0.12, 0.62, 0.58], np.float32)
    edge = 1 / (1 + np.exp(-(away - limbus) / 0.022))[..., None]
    out = iris * (1 - edge) + white * edge
    hole = 1 / (1 + np.exp(-(away - pupil) / 0.014))[..., None]
    out = np.clip(out * (0.03 + 0.97 * hole), 0, 1)
    return np.asarray(cv2.resize(out, (width, height), interpolation=cv2.INTER_AREA), np.float32)
