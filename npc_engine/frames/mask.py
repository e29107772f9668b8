"""Which part of a picture is the person, and which part of the person are clothes, that no jaw pulls along.

MediaPipe's selfie segmentation (`models/`, Apache-2.0, see NOTICE there) says roughly where the person is; GrabCut
(Rother et al. 2004) finds the outline in the picture's own colours; a guided filter (He et al. 2010) gives it hair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.background import behind
from npc_engine.frames.landmarks import MODELS
from npc_engine.frames.sampling import blurred, shrunk, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

# OpenCV's stubs refuse None for a rectangle that the mask stands for, and for labels that nobody knows
_cv: Final[Any] = cv2

_EDGE: Final = 256  # of the network's input, and of what is decided about clothes
_CUT: Final = 448  # GrabCut's cost grows with the area: half a second at this edge
_ROUNDS: Final = 3
_DOUBT: Final = 0.016  # picture edges to both sides of the network's outline within which GrabCut decides
_ADJOINING: Final = 0.17  # picture edges from the network's outline in which there may be more of a person
_PART: Final = 1e-4  # of the picture's area that such a part covers at least
_FOCUS: Final = 1.3  # how much more detail a person shows than a background that is out of focus
_FINE: Final = 0.008  # radius of the guided filter in picture edges: a strand of hair
_EDGES: Final = 2e-3  # variance in 0..1 colours below which the guided filter sees no edge
SEES: Final = 0.9  # share of the face that the network has to call a person to be believed
SEEDS: Final = 40  # of 256² pixels from which colours are learnt


@dataclass(frozen=True, slots=True)
class Person:
    """Where the person is in a square picture."""

    matte: Pixels  # u8[n, n], 255 on the person, between in a soft edge
    clothes: Pixels  # u8[n, n], 255 where clothes or what lies on them stay as the head moves
    behind: Pixels | None = None  # u8[n, n, 3], the background without the person; None behind a transparent picture


def outlined(picture: Pixels, points: Floats) -> Person:
    """The person in a square picture u8[n, n, 3 | 4] whose landmarks f32[478, 3] are in pixels: careful, a second."""
    if picture.shape[2] == 4:
        return _of_alpha(picture, points)
    return _person(picture, points, _cut(picture, _likely(picture, points)))


def sketched(picture: Pixels, points: Floats) -> Person:
    """What `outlined` gives without GrabCut: a tenth of a second, for faces whose mask was not stored."""
    if picture.shape[2] == 4:
        return _of_alpha(picture, points)
    return _person(picture, points, (_likely(picture, points) > 0.5).astype(np.float32))


def _of_alpha(picture: Pixels, points: Floats) -> Person:
    matte = np.ascontiguousarray(picture[..., 3])
    return Person(matte, _clothes(picture, points, matte))


def _person(picture: Pixels, points: Floats, cut: Floats) -> Person:
    """The person from a hard outline f32[m, m]."""
    solid = _matted(picture, _solid(cut, points * (cut.shape[0] / picture.shape[0])))
    back, matte = behind(picture, solid)
    return Person(matte, _clothes(picture, points, solid), back)


def _likely(picture: Pixels, points: Floats) -> Floats:
    """How likely each part of a picture is the person: f32[256, 256]."""
    network = cv2.dnn.readNetFromTFLite(str(MODELS / "selfie_segmentation.tflite"), cv2.dnn.ENGINE_CLASSIC)
    small = shrunk(picture, _EDGE, _EDGE)
    network.setInput(np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) * np.float32(1 / 255))
    seen = network.forward().reshape(_EDGE, _EDGE)
    face = _drawn(points * (_EDGE / picture.shape[0]), topology.OVAL, _EDGE)
    if seen[face > 0].mean() >= SEES:
        return np.asarray(seen, np.float32)
    return _bust(points * (_EDGE / picture.shape[0]))


def _bust(points: Floats) -> Floats:
    """Head and shoulders as most people have them, where the network sees nobody: f32[256, 256]."""
    oval = points[list(topology.OVAL), :2]
    low, high = oval.min(0), oval.max(0)
    (width, height), (x0, _) = high - low, (low + high) / 2
    y, x = np.mgrid[0:_EDGE, 0:_EDGE].astype(np.float32)
    head = np.hypot((x - x0) / (0.68 * width), (y - (low[1] + 0.36 * height)) / (0.78 * height))
    down = (y - high[1]) / height
    shoulders = np.abs(x - x0) / width - np.where(down < 0.18, 0.34, 0.34 + 3.5 * (down - 0.18))
    return np.asarray((np.minimum(head - 1, np.where(down > -0.1, shoulders, 9)) < 0), np.float32)


def _drawn(points: Floats, outline: Sequence[int], edge: int) -> Pixels:
    mask = np.zeros((edge, edge), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(outline), :2]).astype(np.int32)], (255,))
    return mask


def _cut(picture: Pixels, likely: Floats) -> Floats:
    """The outline that GrabCut finds near the likely one: 0 or 1, f32[m, m]."""
    edge = min(_CUT, picture.shape[0])
    small = np.ascontiguousarray(shrunk(picture, edge, edge)[..., ::-1])
    seen = (shrunk(likely, edge, edge) > 0.5).astype(np.uint8)
    doubt = _disc(_DOUBT * edge)
    around = cv2.dilate(seen, doubt)
    more = _large((_with_sharp(small, seen) > 0) & (around == 0), _PART * edge**2)
    trimap = np.where(seen, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[cv2.erode(seen, doubt, borderValue=1) > 0] = cv2.GC_FGD
    trimap[(around == 0) & (cv2.dilate(more, doubt) == 0)] = cv2.GC_BGD
    trimap[more > 0] = cv2.GC_FGD
    if (trimap == cv2.GC_BGD).any():  # a head that fills its picture has no background to learn from
        cv2.setRNGSeed(1)
        _cv.grabCut(small, trimap, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


def _large(parts: npt.NDArray[np.bool_], least: float) -> Pixels:
    """Of what is true, the connected parts of at least so many pixels: u8, 0 or 1."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(parts.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    return np.asarray(kept[label], np.uint8)


def _with_sharp(bgr: Pixels, inside: Pixels) -> Pixels:
    """What is seen of the person, u8[m, m], and what adjoins it and is as sharp, where the background is out of focus.

    The network does not know horns, long ears and hairpins.
    """
    edge = inside.shape[0]
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    detail = blurred(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), 1.2)
    far = cv2.dilate(inside, _disc(_ADJOINING * edge)) == 0
    if not far.any() or not inside.any():
        return inside
    soft, sharp = float(np.percentile(detail[far], 99)), float(np.median(detail[inside > 0]))
    if sharp < _FOCUS * soft:
        return inside  # all of the picture is in focus: this tells nothing
    near = (detail > max(2 * soft, 0.7 * sharp)) & ~far
    whole = cv2.morphologyEx((near | (inside > 0)).astype(np.uint8), cv2.MORPH_CLOSE, _disc(0.012 * edge))
    whole = np.maximum(cv2.erode(whole, _disc(0.005 * edge)), inside)  # detail is seen a little beyond where it is
    _, parts = cv2.connectedComponents(whole)
    return np.asarray(np.isin(parts, np.unique(parts[inside > 0])) & (whole > 0), np.uint8)


def _disc(radius: float) -> npt.NDArray[Any]:
    edge = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge))


def _solid(cut: Floats, points: Floats) -> Floats:
    """The part that holds the face, without holes."""
    edge = cut.shape[0]
    face = _drawn(points, topology.OVAL, edge) > 0
    person = (cut > 0.5) | face
    person = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_OPEN, _disc(0.004 * edge)) > 0
    _, parts = cv2.connectedComponents((person | face).astype(np.uint8))
    middle = parts[face]
    person = parts == np.bincount(middle[middle > 0]).argmax()
    # what can't be reached from the picture's border is a hole; a person's lower border is none
    outside = np.pad(~person, ((1, 0), (1, 1)), constant_values=True).astype(np.uint8)
    _, parts = cv2.connectedComponents(outside)
    return np.asarray(parts[1:, 1:-1] != parts[0, 0], np.float32)


def _matted(picture: Pixels, cut: Floats) -> Pixels:
    """The outline's soft edge after the picture's colours, by a guided filter: u8[n, n]."""
    edge = picture.shape[0]
    guide = picture[..., :3].astype(np.float32) / 255
    hard = shrunk(blurred(cut, 0.7), edge, edge)
    radius = 2 * max(1, round(_FINE * edge)) + 1

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return cv2.blur(values, (radius, radius), borderType=cv2.BORDER_REPLICATE)

    colour, share = mean(guide), mean(hard)
    with_share = mean(guide * hard[..., None]) - colour * share[..., None]
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    spread = np.empty((edge, edge, 3, 3), np.float32)
    for i, j in pairs:
        spread[..., i, j] = spread[..., j, i] = mean(guide[..., i] * guide[..., j]) - colour[..., i] * colour[..., j]
    spread += np.float32(_EDGES) * np.eye(3, dtype=np.float32)
    # the filter matters in the outline's neighbourhood alone
    near = (share > 0.001) & (share < 0.999)
    slope = np.zeros_like(guide)
    slope[near] = np.linalg.solve(spread[near], with_share[near][..., None])[..., 0]
    level = share - (slope * colour).sum(-1)
    matte = (mean(slope) * guide).sum(-1) + mean(level)
    # what is nearly on one side is on it, and beyond the filter's reach of the outline nothing is soft
    return np.round(255 * smooth((matte - 0.08) / 0.84)).astype(np.uint8)


def _clothes(picture: Pixels, points: Floats, matte: Pixels) -> Pixels:
    """What lies below the chin and has the shoulders' colours rather than the head's, and all below it: u8[n, n]."""
    edge = _EDGE
    at = points * (edge / picture.shape[0])
    person = shrunk(matte, edge, edge) > 127
    face = _drawn(at, topology.OVAL, edge) > 0
    oval = at[list(topology.OVAL), :2]
    (x0, chin), (width, height) = [(oval[:, 0].min() + oval[:, 0].max()) / 2, oval[:, 1].max()], np.ptp(oval, axis=0)
    y, x = np.mgrid[0:edge, 0:edge].astype(np.float32)
    down, aside = (y - chin) / height, np.abs(x - x0) / width
    head = person & (face | (down < -0.12) | ((aside < 0.2) & (down < 0.06)))
    shoulders = person & (down > 0.1) & (aside > 0.75)
    if min(head.sum(), shoulders.sum()) < SEEDS:
        return np.zeros_like(matte)  # nothing but a head
    colours = cv2.cvtColor(shrunk(picture[..., :3].astype(np.float32) / 255, edge, edge), cv2.COLOR_RGB2LAB)
    unlike = [
        np.min([np.linalg.norm(colours - tone, axis=-1) for tone in _tones(colours[of])], 0) for of in (head, shoulders)
    ]
    cloth = smooth((unlike[0] - unlike[1] - 4) / 16 + 0.5) * (person & (down > 0))
    # what lies beside the head and lower than the chin is shoulder, whatever its colour
    cloth = np.maximum(cloth, person * smooth((aside - 0.65) / 0.2) * smooth(down / 0.15))
    still = np.maximum.accumulate(cv2.medianBlur((cloth * 255).astype(np.uint8), 17), axis=0)
    return np.asarray(shrunk(blurred(still, 1.0), *picture.shape[1::-1]))


def _tones(colours: Floats) -> Floats:
    """Six colours that stand for many f32[n, 3]: f32[6, 3], by k-means."""
    cv2.setRNGSeed(1)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    return np.asarray(
        _cv.kmeans(colours[:: max(1, len(colours) // 2000)], 6, None, criteria, 1, cv2.KMEANS_PP_CENTERS)[2]
    )
