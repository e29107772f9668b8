"""The eyeball under the lids: its white, an iris that moves as a whole, and the light's reflection, which stays.

Lids throw a shadow on an eyeball. It is taken off what the picture shows and laid on again under the lids as drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_rims import Rims
from npc_engine.frames.eye_textures import LIGHT, Around, as_bytes, filled
from npc_engine.frames.sampling import blurred, read, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

LIMBUS: Final = (0.93, 1.10)  # the iris ends softly between these, in its radii
PUPIL: Final = 0.45  # radius of a wide pupil, in radii of the iris
PATCH: Final = 1.25  # half the edge of the iris's texture, in its radii
REFLECTS: Final = 0.4
"""Share of the iris's way that a reflection goes: the cornea's own centre lies 5.6 mm before the eyeball's, the iris 10
to 11 (Gullstrand's eye), and the near light moves it less."""
SHADE, DEEP = 0.35, 0.07  # of the upper lid's shadow: how dark at its edge, and over how many eye widths it ends


def shadow(under: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """How much of the light reaches an eyeball `under` eye widths below the upper lid's edge: 0..1."""
    return np.asarray(1 - np.float32(SHADE) * np.exp(np.maximum(under, 0) * np.float32(-1 / DEEP)))


class Eyeball:
    """One eyeball at one output size: textures of the source's part around the eye, RGBA u8[h, w, 4] each.

    `white` is all of it but the iris; `iris` and its reflection, `glint`, are layers over that, their colours
    multiplied by their mattes.
    """

    def __init__(self, around: Around, iris: npt.NDArray[Any], radius: float) -> None:
        """`iris` f64[2] is its centre in the frame of the eye, `radius` in eye widths."""
        rims, u, v, unit = around.rims, around.u, around.v, around.unit
        under, over = v - around.over(rims.upper), around.over(rims.lower) - v
        lit = (around.part / shadow(under)[..., None]).astype(np.float32)
        shown = np.clip((under - 0.03) / 0.02, 0, 1) * np.clip((over - 0.03) / 0.02, 0, 1)
        shown *= np.clip((0.47 - np.abs(u)) / 0.03, 0, 1)
        r = np.hypot(u - iris[0], v - iris[1]) / radius
        spark = _spark(lit, shown, r)
        # a reflection's rim goes with it
        wide = 2 * max(1, round(0.02 * unit)) + 1
        glint = blurred(cv2.dilate(spark, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))), 0.01 * unit)
        # next to the lids it is their dark line that one sees, but a pupil is as dark
        clear = shown * np.clip((np.minimum(under, over) - np.where(r < PUPIL, 0.02, 0.05)) / 0.03, 0, 1)
        clear *= 1 - np.clip(2 * glint, 0, 1)
        self.white = as_bytes(_white(around, lit, shown, r))
        # the iris as a patch of its own, upright in the source
        middle = rims.places(iris) * unit / rims.width - 0.5
        half = max(3, round(PATCH * radius * unit))
        corner = np.floor(middle).astype(np.int64) - half
        y, x = np.mgrid[0 : 2 * half + 1, 0 : 2 * half + 1]
        at = np.stack([x, y], -1).astype(np.float32) + (corner - around.low).astype(np.float32)
        centre = middle - corner
        r = np.hypot(x - centre[0], y - centre[1]) / (radius * unit)
        weight = read(clear.astype(np.float32), at) * (r < LIMBUS[1] + 0.1)
        colours = read(lit, at)
        whole = _round(colours, weight, centre, half)
        plain = np.clip(colours * weight[..., None] + whole * (1 - weight[..., None]), 0, 255)
        matte = (1 - smooth((r - LIMBUS[0]) / (LIMBUS[1] - LIMBUS[0])))[..., None]
        spark = (read(spark, at) * (r < 1))[..., None]
        self.iris = _within(around, corner, np.dstack([plain * matte, 255 * matte]))
        self.glint = _within(around, corner, np.dstack([np.clip(colours, 0, 255) * spark, 255 * spark]))


def _within(around: Around, corner: npt.NDArray[np.int64], patch: npt.NDArray[Any]) -> Pixels:
    """A patch f[h, w, 4] whose `corner` in the source is given, as a texture of the whole part around the eye."""
    out = np.zeros((*around.part.shape[:2], 4), np.uint8)
    inner = patch[1:-1, 1:-1]  # beyond its border there is nothing
    low = corner + 1 - around.low
    first, last = np.maximum(low, 0), np.minimum(low + inner.shape[1::-1], out.shape[1::-1])
    if (first < last).all():
        (x, y), (right, bottom) = first - low, last - low
        out[first[1] : last[1], first[0] : last[0]] = np.round(inner[y:bottom, x:right])
    return out


def _spark(lit: Floats, shown: npt.NDArray[Any], r: npt.NDArray[Any]) -> Floats:
    """How surely each pixel is a reflection on the iris: what is much lighter than most of its ring."""
    light = lit @ LIGHT
    usual = np.full(light.shape, 255.0)
    edges = np.linspace(0, 1.0, 6)
    for low, high in itertools.pairwise(edges):
        ring = (r >= low) & (r < high)
        if (ring & (shown > 0.5)).any():
            usual[ring] = np.percentile(light[ring & (shown > 0.5)], 60)
    found = np.clip((light - usual - 28) / 50, 0, 1) * (shown > 0.2) * np.clip((0.9 - r) / 0.1, 0, 1)
    return np.asarray(found * shown, np.float32)


def _white(around: Around, lit: Floats, shown: npt.NDArray[Any], r: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The eyeball without its iris: the white that is seen, carried on behind iris and lids."""
    u, v, unit = around.u, around.v, around.unit
    light = lit @ LIGHT
    beside = shown * np.clip((r - 1.08) / 0.1, 0, 1)
    candidates = beside > 0.5
    if candidates.sum() < 6:  # an iris that fills the opening: the lightest of it must do
        candidates = shown > 0.5 if (shown > 0.5).any() else np.ones(shown.shape, bool)
        beside = candidates.astype(float)
    bright = float(np.percentile(light[candidates], 85))
    sure = beside * np.clip((light / max(bright, 1.0) - 0.62) / 0.2, 0, 1)
    sure = sure if sure.sum() > 1 else beside
    near = filled(lit, sure * np.clip((0.42 - np.abs(u)) / 0.06, 0.15, 1), unit)
    best = candidates & (light >= np.percentile(light[candidates], 45))
    clean = lit[best].mean(0)
    turned = np.clip(np.hypot(u, 0.8 * v) / 0.6, 0, 1)[..., None]
    model = clean * (1 - 0.22 * turned**2)  # a ball turns away from the light towards its sides
    ball = 0.55 * near + 0.45 * model
    under, over = v - around.over(around.rims.upper), around.over(around.rims.lower) - v
    aside = smooth((np.abs(u) - 0.40) / 0.06)
    kept = np.maximum(np.clip((under - 0.03) / 0.02, 0, 1), aside) * np.clip((over + 0.05) / 0.02, 0, 1)
    kept *= smooth((r - 1.08) / 0.5) * np.maximum(np.clip((light / max(bright, 1.0) - 0.35) / 0.2, 0, 1), aside)
    # of an iris that is no circle, as a far eye's is, nothing stays
    strange = np.linalg.norm(lit - ball, axis=-1)
    kept *= np.maximum(np.clip((80 - strange) / 40, 0, 1), np.maximum(aside, np.clip((0.06 - over) / 0.03, 0, 1)))
    # the corners keep what they show, the red of the inner one above all
    kept = blurred(kept.astype(np.float32), 0.006 * unit)
    return np.asarray(ball + kept[..., None] * (lit - ball))


def _round(colours: Floats, weight: npt.NDArray[Any], centre: npt.NDArray[Any], half: int) -> Floats:
    """The whole iris from the part of it that is seen: each ring goes on around the pupil."""
    size = (max(8, half), 128)  # radii and angles of the polar picture
    far = 1.5 * half
    middle = (float(centre[0]), float(centre[1]))
    weighed = np.dstack([colours * weight[..., None], weight]).astype(np.float32)
    polar = cv2.warpPolar(weighed, size, middle, far, cv2.WARP_POLAR_LINEAR | cv2.WARP_FILL_OUTLIERS)
    ring = polar.mean(0, keepdims=True)
    known = max(int(np.flatnonzero(ring[0, :, 3] > 0.02).max(initial=0)), 1)
    ring[:, known + 1 :] = ring[:, known : known + 1]
    three = np.concatenate([polar] * 3)
    soft = blurred(three, 0.3, 9.0)[size[1] : 2 * size[1]]
    total = soft + ring * np.float32(0.25)
    ringed = (total[..., :3] / np.maximum(total[..., 3:], 1e-4)).astype(np.float32)
    empty = total[..., 3] < 1e-3
    if empty.any():
        ringed[empty] = ringed[~empty].mean(0) if (~empty).any() else colours.mean((0, 1))
    flags = cv2.WARP_POLAR_LINEAR | cv2.WARP_INVERSE_MAP | cv2.WARP_FILL_OUTLIERS
    # a row more on both ends, or the seam at angle 0 shows
    back = cv2.warpPolar(ringed, colours.shape[1::-1], middle, far, flags)
    return np.asarray(back, np.float32)


def iris_of(rims: Rims, picture: Pixels, points: Floats) -> tuple[npt.NDArray[Any], float]:
    """Centre f64[2] and radius of the iris in the frame of the eye: the landmarks', moved to where its edge is."""
    first = topology.IRIS[rims.side]
    centre = rims.local(points[first, :2].astype(float))
    rim = rims.local(points[first + 1 : first + 5, :2].astype(float))
    radius = float(np.clip(np.linalg.norm(rim - centre, axis=1).mean(), 0.06, 0.45))
    edge = picture.shape[0]
    low = np.clip(np.floor((rims.centre - rims.width) * edge), 0, edge - 2).astype(int)
    high = np.clip(np.ceil((rims.centre + rims.width) * edge), low + 2, edge).astype(int)
    grey = picture[low[1] : high[1], low[0] : high[0], :3].astype(np.float32) @ LIGHT
    grey = blurred(grey, max(0.4, 0.01 * rims.width * edge))

    def light(u: npt.NDArray[Any], v: npt.NDArray[Any]) -> Floats:
        return read(grey, rims.places(np.stack([u, v], -1)) * edge - 0.5 - low)

    if rims.drawn:
        tries = np.meshgrid(np.linspace(-0.3, 0.3, 13), np.linspace(-0.3, 0.3, 13), np.linspace(0.12, 0.4, 8))
        centre, radius = _darkest_disc(rims, light, np.zeros(2), np.stack([k.ravel() for k in tries], -1))
    else:
        aside = np.linspace(-0.24, 0.24, 13)
        near = np.column_stack([aside, np.zeros_like(aside), np.full_like(aside, radius)])
        centre, radius = _darkest_disc(rims, light, centre, near)
    # its sides and what is seen of its lower half: the upper lid crosses it above
    angle = np.radians(np.concatenate([np.arange(-45, 80, 5), np.arange(225, 100, -5)]))
    way = np.stack([np.cos(angle), np.sin(angle)], -1)
    dx, dy, grow = (
        k.ravel()[:, None]
        for k in np.meshgrid(np.linspace(-0.05, 0.05, 11), np.linspace(-0.08, 0.04, 7), np.arange(0.9, 1.31, 0.05))
    )
    u, v = centre[0] + dx + radius * grow * way[:, 0], centre[1] + dy + radius * grow * way[:, 1]
    inside = (v > np.interp(u, rims.u, rims.upper) + 0.03) & (v < np.interp(u, rims.u, rims.lower) - 0.03)
    inner, outer = (light(u + k * way[:, 0], v + k * way[:, 1]) for k in (-0.025, 0.025))
    step = (inside * np.clip(outer - inner, -40, 60)).reshape(len(dx), 2, -1).sum(2)
    sides = step / np.maximum(inside.reshape(len(dx), 2, -1).sum(2), 0.2 * len(angle))
    gain = 2 * sides.min(1) + sides.max(1)
    gain -= (2 * ((dx / 0.05) ** 2 + (dy / 0.05) ** 2) + 12 * np.abs(grow - 1))[:, 0]
    best = int(gain.argmax())
    return centre + np.array([dx[best, 0], dy[best, 0]]), float(radius * grow[best, 0])


def _darkest_disc(
    rims: Rims,
    light: Callable[[npt.NDArray[Any], npt.NDArray[Any]], Floats],
    centre: npt.NDArray[Any],
    tries: npt.NDArray[Any],
) -> tuple[npt.NDArray[Any], float]:
    """The disc that best parts the dark of the opening from the light, of `tries` f64[n, 3].

    Those are ways from `centre`, f64[2], and radii. The middle one is as good as any if no disc does.
    """
    low, high = float(rims.upper.min()), float(rims.lower.max())
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 61), np.linspace(low, high, 37))
    inside = (v > np.interp(u, rims.u, rims.upper) + 0.03) & (v < np.interp(u, rims.u, rims.lower) - 0.03)
    places = np.stack([u[inside], v[inside]], -1)
    middle = tries[len(tries) // 2]
    best, found = 0.0, (centre + middle[:2], float(middle[2]))
    if len(places) < 20:
        return found  # an eye that is nearly closed in the picture
    seen = light(*places.T[:, None])[0]
    seen = np.minimum(seen, np.percentile(seen, 90))
    for x, y, radius in tries:
        disc = np.hypot(*(places - centre - [x, y]).T) < radius
        share = float(disc.mean())
        if 0.05 < share < 0.95:  # Otsu's between-class variance, as a difference in levels
            apart = 2 * np.sqrt(share * (1 - share)) * (seen[~disc].mean() - seen[disc].mean())
            apart -= 50 * np.hypot(x, y)
            if apart > best:
                best, found = float(apart), (centre + np.array([x, y]), float(radius))
    return found
