"""Where the lids of an eye lie: the landmarks, moved to the edges that the picture shows near them.

The landmark network is off by a few hundredths of an eye's width, and most at the outer corner, which it sees too far
inside: enough to leave a sliver of white under a closed lid.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.eye_drawn import drawn_opening
from npc_engine.frames.lab import lab
from npc_engine.frames.lips import curve
from npc_engine.frames.sampling import blurred, read, smooth
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

STEPS: Final = 384  # columns of the tables over u, a third of a pixel wide at 512
ASIDE: Final = 0.88  # the tables reach this far to both sides, in eye widths
NEAR: Final = 0.06  # eye widths that a lid's edge may lie from its landmarks
OUTWARD, INWARD = 0.17, 0.12  # eye widths that the outer corner may lie outside, the inner inside of its landmark
FAR: Final = 1.8  # times that the far eye of a turned face looks narrower, at most
BESIDE: Final = 0.05  # eye widths compared on both sides of what may be a corner
LEAST: Final = 0.12  # a corner is where this much less is strange outside
CHROMA, DARKER, LIGHTER = 14.0, 0.35, 0.40  # differences in colour and light that make a pixel no skin at all


class Rims:
    """The rims of one eye as curves in its frame: u along the line from corner to corner, v below it, eye widths.

    `upper` and `lower` f64[STEPS] are heights over `u`; beyond the corners both are 0. `above` f64[STEPS] is how much
    skin lies over the upper rim, up to the brow.
    """

    def __init__(self, picture: Pixels, points: Floats, side: int) -> None:
        """`points` f32[478, 3] are in picture edges; side 0 is the person's right eye."""
        self.side = side
        drawn = drawn_opening(picture, points, side)
        self.drawn = drawn is not None  # an eye much larger than its landmarks
        if drawn is not None:
            rims = list(drawn)
        else:
            rims = [points[list(r[side]), :2].astype(float) for r in (topology.LID_UPPER, topology.LID_LOWER)]
            self._frame(rims[0])
            other = points[[topology.LID_UPPER[1 - side][k] for k in (0, -1)], :2]
            # the far eye of a turned face looks narrower, and its landmarks are off by as much as the near one's
            self._refine(picture, rims, float(np.clip(np.linalg.norm(other[1] - other[0]) / self.width, 1, FAR)))
        self._frame(rims[0])
        u = self.u = np.linspace(-ASIDE, ASIDE, STEPS)
        inside = np.abs(u) < 0.5
        upper, lower = (np.where(inside, curve(_forward(self.local(rim)), u), 0.0) for rim in rims)
        self.upper, self.lower = upper, np.maximum(upper, lower)
        fold = self.local(points[list(topology.LID_FOLD[side]), :2])
        self.above = np.clip(self.upper - np.interp(u, fold[:, 0], fold[:, 1]), 0.18, 0.46)

    def _frame(self, rim: npt.NDArray[Any]) -> None:
        left, right = rim[0], rim[-1]
        self.centre = (left + right) / 2
        self.width = max(float(np.linalg.norm(right - left)), 1e-6)
        along = (right - left) / self.width
        self.axes = np.stack([along, [-along[1], along[0]]])

    def local(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Picture units f[..., 2] to eye widths along and below the line from corner to corner."""
        return np.asarray((places - self.centre) @ self.axes.T / self.width)

    def places(self, uv: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The way back from `local`."""
        return np.asarray(self.centre + self.width * (uv @ self.axes))

    def _refine(self, picture: Pixels, rims: list[npt.NDArray[Any]], narrow: float) -> None:
        """Move both rims, f64[9, 2] in picture edges, in place; this eye looks `narrow` times too narrow."""
        edge = picture.shape[0]
        colour, low = self._around(picture)
        soft = blurred(colour, max(0.4, 0.012 * self.width * edge))
        colours = lab(soft)

        def seen(u: npt.NDArray[Any], v: npt.NDArray[Any]) -> Floats:
            uv = np.stack(np.broadcast_arrays(u, v), -1)
            return read(colours, self.places(uv) * edge - 0.5 - low)

        local = [_forward(self.local(rim)) for rim in rims]
        u = np.linspace(-0.5, 0.5, 61)
        lower = curve(local[1], u)
        cheek = seen(u[6:-6, None], lower[6:-6, None] + np.linspace(0.09, 0.2, 8)).reshape(-1, 3)
        skin = np.median(cheek, axis=0)
        outward = -1 if self.side == 0 else 1
        for sign, least, most in ((outward, 0.5, 0.5 + narrow * OUTWARD), (-outward, 0.5 - INWARD, 0.5 + BESIDE)):
            corner = _corner(seen, skin, sign, np.arange(least, most + 0.005, 0.01))
            for rim in local:
                share = smooth((sign * rim[:, 0] - 0.1) / 0.4)
                rim[:, 0] += sign * corner[0] * share
                rim[:, 1] += corner[1] * share
        u = np.linspace(local[0][0, 0], local[0][-1, 0], 61)
        steps = narrow * np.linspace(-NEAR, NEAR, 25)
        free = np.clip((1 - np.abs(np.linspace(-1, 1, 61))) / 0.12, 0.02, 1)[:, None]
        for rim, way in zip(local, (-1, 1), strict=True):
            at = curve(rim, u)[:, None] + steps
            if way > 0:  # the lower lid ends where skin begins
                outer, inner = _strange(seen(u[:, None], at + 0.02), skin), _strange(seen(u[:, None], at - 0.02), skin)
                gain = inner - outer
            else:  # the upper lid ends where its dark line gives way to the eyeball
                gain = (seen(u[:, None], at + 0.02) - seen(u[:, None], at - 0.02))[..., 0] / 30
            cost = 0.7 * (steps / (narrow * NEAR)) ** 2 / free - np.clip(gain, 0, 1)
            off = steps[_cheapest(cost, 0.5)] * np.minimum(1, 2 * free[:, 0])
            off = np.convolve(np.pad(off, 4, mode="edge"), np.ones(9) / 9, "valid")
            off *= np.clip((1 - np.abs(np.linspace(-1, 1, 61))) / 0.1, 0, 1)
            rim[:, 1] += np.interp(rim[:, 0], u, off)
        for rim, at in zip(rims, local, strict=True):
            rim[:] = self.places(at)

    def _around(self, picture: Pixels) -> tuple[Floats, npt.NDArray[np.int64]]:
        """The picture around the eye, f32 0..1, and its corner in pixels."""
        edge = picture.shape[0]
        low = np.clip(np.floor((self.centre - self.width) * edge), 0, edge - 2).astype(int)
        high = np.clip(np.ceil((self.centre + self.width) * edge), low + 2, edge).astype(int)
        part = picture[low[1] : high[1], low[0] : high[0], :3]
        return np.ascontiguousarray(part, np.float32) * np.float32(1 / 255), low


def _corner(seen: Any, skin: npt.NDArray[Any], sign: int, places: npt.NDArray[Any]) -> tuple[float, float]:
    """How far a corner lies outside of its landmark, and how far below it, in eye widths; one of `places` it is at."""
    step = 0.01
    k = round(BESIDE / step)
    out = np.arange(places[0] - BESIDE, places[-1] + BESIDE + step / 2, step)
    v = np.linspace(-0.06, 0.06, 13)
    colours = seen(sign * out[:, None], v[None])
    strange = _strange(colours, skin)
    # skin in shadow keeps its hue
    hue = colours[..., 1:] * (skin[0] / np.maximum(colours[..., :1], 1.0)) - skin[1:]
    black = (0.65 - colours[..., 0] / max(float(skin[0]), 1.0)) / 0.25
    grey = np.clip(np.maximum(np.hypot(hue[..., 0], hue[..., 1]) / CHROMA, black), 0, 1)
    # where what is strange has no end, as with hair, a crease or the background beside a turned face, the white has
    white = strange * (colours[..., 0] > 0.8 * skin[0])
    best_gain, found = LEAST, (0.0, 0.0)
    for signal in (strange, grey, white):
        if signal is white and best_gain > LEAST:
            break
        strong = np.sort(signal, axis=1)[:, -6:].mean(1)
        total = np.concatenate([[0], np.cumsum(strong)])
        mean = (total[k:] - total[:-k]) / k
        fall = (mean[:-k] - mean[k:])[: len(places)]  # what is inside of a place against what is outside of it
        gain = fall - 0.5 * np.abs(places[: len(fall)] - 0.5)
        best = int(gain.argmax())
        if gain[best] > best_gain:
            near = (out < places[best]) & (out > places[best] - 0.05)
            weight = signal[near].sum(0) + 1e-3
            below = float(np.clip((weight * v).sum() / weight.sum(), -0.05, 0.05))
            best_gain, found = float(gain[best]), (float(places[best] - 0.5), below)
    return found


def _forward(rim: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A rim f64[9, 2] whose points run along u, as those of a turned eye may not."""
    rim[:, 0] = np.maximum.accumulate(rim[:, 0]) + np.arange(len(rim)) * 1e-3
    return rim


def _strange(colours: Floats, skin: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """How surely colours f32[..., 3] are not of the skin around the eye: 0..1."""
    chroma = np.hypot(colours[..., 1] - skin[1], colours[..., 2] - skin[2]) / CHROMA
    light = colours[..., 0] / max(float(skin[0]), 1.0) - 1
    return np.asarray(np.clip(np.maximum.reduce([chroma, -light / DARKER, light / LIGHTER]), 0, 1))


def _cheapest(cost: npt.NDArray[Any], climb: float) -> npt.NDArray[np.int64]:
    """The column taken in each row of `cost` by the cheapest way down, on which a step aside costs `climb`."""
    step = np.arange(cost.shape[1])
    jump = climb * np.abs(step[:, None] - step)
    best, back = cost[0].copy(), np.zeros(cost.shape, np.int64)
    for i in range(1, len(cost)):
        total = best + jump
        back[i] = total.argmin(1)
        best = total.min(1) + cost[i]
    path = np.zeros(len(cost), np.int64)
    path[-1] = best.argmin()
    for i in range(len(cost) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path
