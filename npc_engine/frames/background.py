"""What lies behind the person: seen where a turning head uncovers it.

A picture I is taken apart into a background B and a person's layer P = I - (1 - m)·B with the matte m, so that
P + (1 - m)·B is the picture again, and P and m can move while B stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.sampling import blurred, carried_on, shrunk, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

_SOFT: Final = 256  # edge at which the background is carried on: what is behind a person is out of focus anyway
_CLEAR: Final = 6  # of 255: what the matte covers no more than this is seen as it is
_APART: Final = 0.01  # picture edges of the outline's neighbourhood that are too mixed to learn a background from
_STRAYS: Final = 0.035  # picture edges around the outline in which single hairs fly
_HAIR: Final = (18.0, 40.0)  # levels by which a stray hair differs from what is around it: from, to
_BROAD: Final = 0.012  # picture edges: broader than a hair


@dataclass(frozen=True, slots=True)
class Parted:
    """A picture as two layers."""

    person: Pixels  # RGBA u8[n, n, 4], colours multiplied by the matte that is its alpha
    behind: Pixels  # RGBA u8[n, n, 4], opaque


def behind(picture: Pixels, matte: Pixels) -> tuple[Pixels, Pixels]:
    """The background u8[n, n, 3] of an opaque picture, and the matte u8[n, n] with what flies about the outline.

    There the background passes gently into what is carried on; what it lacks of the picture belongs to the person.
    """
    edge = picture.shape[0]
    clear = (matte <= _CLEAR).astype(np.uint8)
    away = cv2.distanceTransform(clear, cv2.DIST_L2, 5) / edge
    clean = _without_hair(picture, (clear > 0) & (away < _STRAYS))
    share = np.asarray(1 - smooth(away / _STRAYS), np.float32)
    back = np.round(clean + (_carried_on(clean, matte) - clean) * share[..., None]).astype(np.uint8)
    strays = (cv2.absdiff(back, picture).max(-1) > 1) & (clear > 0)
    return back, np.where(strays, np.uint8(1), np.where(clear > 0, np.uint8(0), matte))


def parted(picture: Pixels, matte: Pixels, back: Pixels) -> Parted:
    """The layers of an opaque picture u8[n, n, 3] with its matte u8[n, n] and background u8[n, n, 3]."""
    back = back.copy()
    np.copyto(back, picture, where=(matte == 0)[..., None])
    person = np.dstack([cv2.copyTo(picture, matte), matte])
    mixed = np.flatnonzero((matte > 0) & (matte < 255))
    colour, beneath = (a.reshape(-1, 3)[mixed].astype(np.float32) for a in (picture, back))
    # the least matte that leaves no colour darker than black or brighter than white in the person's layer
    least = np.maximum(1 - colour / np.maximum(beneath, 1), (colour - beneath) / np.maximum(255 - beneath, 1)).max(-1)
    part = np.clip(np.maximum(matte.reshape(-1)[mixed] * np.float32(1 / 255), least), 0, 1)[:, None]
    own = np.clip(colour - (1 - part) * beneath, 0, 255 * part)
    person.reshape(-1, 4)[mixed] = np.round(np.concatenate([own, 255 * part], 1)).astype(np.uint8)
    return Parted(person, np.dstack([back, np.full_like(matte, 255)]))


def _without_hair(picture: Pixels, where: npt.NDArray[np.bool_]) -> Floats:
    """A picture without what is thin, f32[n, n, 3], where that is asked for."""
    edge = picture.shape[0]
    plain = cv2.medianBlur(picture, 2 * max(1, round(_BROAD * edge / 2)) + 1)
    differ = cv2.absdiff(picture, plain).max(-1).astype(np.float32)
    hair = np.where(where, np.clip((differ - _HAIR[0]) / (_HAIR[1] - _HAIR[0]), 0, 1), 0).astype(np.float32)
    hair = np.minimum(1, 1.5 * blurred(hair, edge / 1000))
    return np.asarray(picture + (plain.astype(np.float32) - picture) * hair[..., None], np.float32)


def _carried_on(picture: Floats, matte: Pixels) -> Floats:
    """The background's colours carried on behind the person, the softer the further in: f32[n, n, 3]."""
    edge = picture.shape[0]
    small = min(_SOFT, edge)
    reach = 2 * max(1, round(_APART * small)) + 1
    taken = cv2.dilate(shrunk(matte, small, small), np.ones((reach, reach), np.uint8))
    known = (taken <= _CLEAR).astype(np.float32)
    return np.clip(shrunk(carried_on(shrunk(picture, small, small), known), edge, edge), 0, 255)
