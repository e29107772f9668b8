"""How one face moves: coefficients become displacement fields on a coarse grid, and the fields are turned round.

Everything is in units of the picture's edge, so one `Motion` serves every output size. The skin above the line of
the lips and the skin below it move apart, so each has a field of its own; the two agree away from the lips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.lips import Lips
from npc_engine.moments import ANGLES, CHANNEL, EXP50

Floats: TypeAlias = npt.NDArray[np.float32]

COLUMNS: Final = 96  # nodes across the part of the picture that can move: the mouth spans about fifteen
RINGS: Final = ((1.22, 0.55), (1.5, 0.2), (1.9, 0.0))
"""Size of each ring around the face's outline, and how much of the outline's motion it follows (facts: no tearing)."""
ROUNDS: Final = 5  # of the fixed-point iteration; the residual is below a tenth of a pixel at 512
HEAD: Final = ("headPitch", "headYaw", "headRoll")


@dataclass(frozen=True)
class Layers:
    """Where each grid node of the drawn picture takes its colour from: f32[rows, columns, 2], offset in cells."""

    upper: Floats  # the skin above the lips, carried on below them
    lower: Floats  # the skin below the lips, carried on above them
    whole: Floats  # each where it belongs
    rims: npt.NDArray[Any]  # f64[22, 2], the upper and the lower lip's inner rim as drawn, in picture units


def fit(rest: Floats, points: Floats) -> tuple[float, npt.NDArray[Any], npt.NDArray[Any]]:
    """Scale, rotation and shift that bring the basis onto the landmarks (Umeyama's least squares), y up."""
    lips = {i for row in topology.UPPER_ROWS + topology.LOWER_ROWS for i in row}
    rows = [i for i in range(len(rest)) if i not in lips]  # an open mouth must not tilt the head
    a, b = rest[rows].astype(float), points[rows].astype(float) * [1, -1, -1]
    ma, mb = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((b - mb).T @ (a - ma))
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = u @ np.diag(sign) @ vt
    scale = float((s * sign).sum() / ((a - ma) ** 2).sum())
    return scale, turn, mb - scale * turn @ ma


class Motion:
    """The fields of one face, from its landmarks f32[478, 3] in units of the picture's edge."""

    def __init__(self, points: Floats, lips: Lips) -> None:
        basis = topology.basis()
        self.points, self.lips = points, lips
        mesh = points[:468]
        self.scale, self.turn, _ = fit(basis.rest, mesh)
        delta = np.einsum("ij,kvj->kvi", self.scale * self.turn, basis.delta)[..., :2] * [1, -1]
        self.delta = _fitted(delta)  # f64[50, 468, 2]
        flat = self.flat = mesh[:, :2].astype(float)
        self.closing = _closing(lips)  # f64[468, 2], brings open lips together; zero where they already touch
        near = _neighbours(basis.triangles)
        moves = np.concatenate([self.delta, self.closing[None]])
        upper = _carried(moves, topology.LIP_UPPER, topology.LIP_LOWER, topology.BELOW_LIPS, near)
        lower = _carried(moves, topology.LIP_LOWER, topology.LIP_UPPER, topology.ABOVE_LIPS, near)
        self._lay_grid(flat, basis.triangles)
        head = self.head = self._head_fields()
        at = self._lay_lips()
        fields = []
        for layer, rim, line in zip((upper, lower), lips.rims, (topology.LIP_UPPER, topology.LIP_LOWER), strict=True):
            field = self._exact(self._spread(layer), rim, layer[:, list(line)])
            for i, name in enumerate(HEAD):
                field[CHANNEL[name]] = head[i]
            fields.append(field)
        _join(fields, at / lips.width)
        fields = [f.reshape(len(f), -1) for f in fields]
        self._fields = np.concatenate(fields, 1) / np.float32(self.cell)  # f32[51, 2 layers × rows × columns × 2], in cells

    def _lay_grid(self, flat: npt.NDArray[Any], triangles: npt.NDArray[np.int32]) -> None:
        oval = flat[list(topology.OVAL)]
        low, high = oval.min(0), oval.max(0)
        width, height = high - low
        self.middle, self.size = (low + high) / 2, np.array([width, height])
        left, right = low[0] - 0.75 * width, high[0] + 0.75 * width
        top, bottom = low[1] - 0.75 * height, high[1] + 0.6 * height
        left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0)
        self.cell = float(right - left) / COLUMNS
        self.shape = (int((bottom - top) / self.cell), COLUMNS)
        self.origin = np.array([left, top])  # of the grid's first cell, not of its centre
        self.opposite = self.origin + np.array(self.shape[::-1]) * self.cell
        rows, columns = self.shape
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        self.nodes = np.stack([x, y], -1)  # f32[rows, columns, 2], in cells
        self._vertices = np.concatenate([flat, *(self.middle + (oval - self.middle) * r for r, _ in RINGS)])
        n = len(oval)
        chain = [list(topology.OVAL), *(list(range(468 + k * n, 468 + (k + 1) * n)) for k in range(len(RINGS)))]
        strips = []
        for inner, outer in zip(chain, chain[1:], strict=False):
            for i in range(n):
                j = (i + 1) % n
                strips += [(inner[i], inner[j], outer[i]), (inner[j], outer[j], outer[i])]
        self._corners, self._weights = _rasterised(
            (self._vertices - self.origin) / self.cell - 0.5, np.concatenate([strips, triangles]), self.shape
        )

    def _spread(self, moves: npt.NDArray[Any]) -> Floats:
        """Displacements of the 468 points, f[k, 468, 2], laid over the grid: f32[k, rows, columns, 2]."""
        oval = moves[:, list(topology.OVAL)]
        every = np.concatenate([moves, *(oval * fall for _, fall in RINGS)], 1).astype(np.float32)
        rows, columns = self.shape
        out = np.zeros((len(moves), rows * columns, 2), np.float32)
        for k in range(3):
            out += every[:, self._corners[:, k]] * self._weights[:, k, None]
        stack = np.ascontiguousarray(out.transpose(1, 0, 2)).reshape(rows, columns, -1)
        # the mesh is piecewise linear; blurring by less than a landmark's spacing takes the creases out
        blurred = cv2.GaussianBlur(stack, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(blurred.reshape(rows, columns, -1, 2).transpose(2, 0, 1, 3))

    def _exact(self, field: Floats, places: npt.NDArray[Any], moves: npt.NDArray[Any]) -> Floats:
        """`field` corrected so that it has the displacements f[k, 11, 2] at 11 places on a lip's rim.

        The landmarks of closed lips lie too close together for the mesh to say how their seam parts.
        """
        at = (places - self.origin) / self.cell - 0.5
        broad = 0.16 * self.lips.width / self.cell  # wider than the points are apart, or the rim would ripple
        low = np.clip(np.floor(at.min(0) - 3 * broad), 0, None).astype(int)
        high = np.minimum(np.ceil(at.max(0) + 3 * broad) + 1, self.shape[::-1]).astype(int)
        region = self.nodes[low[1] : high[1], low[0] : high[0]]

        def kernel(where: npt.NDArray[Any]) -> npt.NDArray[Any]:
            away = np.linalg.norm(where[..., None, :] - at, axis=-1) / broad
            return np.asarray(np.exp(-(away**2)))

        mix = np.linalg.solve(kernel(at) + 0.02 * np.eye(len(at)), np.eye(len(at)))
        bump = (kernel(region) @ mix).astype(np.float32)
        for _ in range(3):
            stack = np.ascontiguousarray(field.transpose(1, 2, 0, 3)).reshape(*self.shape, -1)
            now = _sampled(stack, at).reshape(len(at), -1, 2).transpose(1, 0, 2)
            field[:, low[1] : high[1], low[0] : high[0]] += np.einsum("yxn,knc->kyxc", bump, (moves - now).astype(np.float32))
        return field

    def _head_fields(self) -> Floats:
        """Displacement for one radian of headPitch, headYaw and headRoll: f32[3, rows, columns, 2]."""
        mesh = self.points[:468]
        ears = float(mesh[[234, 454], 2].mean())
        depth = np.clip(ears - mesh[:, 2], 0, None).astype(float)  # how far before the ears: what turns the most
        oval = depth[list(topology.OVAL)]
        every = np.concatenate([depth, oval * 0.75, oval * 0.3, oval * 0.0]).astype(np.float32)
        relief = (every[self._corners] * self._weights).sum(1).reshape(self.shape)
        relief = cv2.GaussianBlur(relief, (0, 0), 3.0)
        place = (self.nodes + 0.5) * self.cell + self.origin
        chin = self.points[152, :2].astype(float)
        pivot = np.array([self.middle[0], chin[1] + 0.15 * self.size[1]])
        away = place - pivot
        firm = self._firm(place, float(chin[1]))
        zero = np.zeros_like(relief)
        pitch = np.stack([zero, -relief], -1)
        yaw = np.stack([relief, zero], -1)
        roll = np.stack([-away[..., 1], away[..., 0]], -1) * firm[..., None]
        return np.stack([pitch, yaw, roll]).astype(np.float32)

    def _firm(self, place: npt.NDArray[Any], chin: float) -> npt.NDArray[Any]:
        """1 on the head with its hair, falling to 0 in the background and down the neck: f[rows, columns]."""
        width, height = self.size
        centre = self.middle - [0, 0.12 * height]
        half = np.array([0.66 * width, 0.78 * height])
        r = np.linalg.norm((place - centre) / half, axis=-1)
        around = 1 - _smooth((r - 0.95) / 0.85)
        down = 1 - _smooth((place[..., 1] - chin) / (0.42 * height))
        return np.asarray(around * down)

    def inverse(self, weights: Floats) -> Layers:
        """Where each node comes from, for weights f32[51]: the coefficients as drawn, and how far lips are closed."""
        rows, columns = self.shape
        both = (weights @ self._fields).reshape(2, rows, columns, 2)
        upper, lower = self._turned(both[0]), self._turned(both[1])
        rims = self.lips.rims.reshape(-1, 2) + (weights @ self._rims).reshape(-1, 2)
        whole = np.where(self._below[..., None], lower, upper)
        line = (rims[11:] - self.lips.centre) @ self.lips.axes.T
        near = self._around_lips
        below = self._around_lips_at[:, 1] > np.interp(self._around_lips_at[:, 0], line[:, 0], line[:, 1])
        whole[near] = np.where(below[:, None], lower[near], upper[near])
        return Layers(upper, lower, whole, rims)

    def _turned(self, field: Floats) -> Floats:
        offset = -field
        for _ in range(ROUNDS):
            # BORDER_REPLICATE: what moves in from outside the grid moves like its edge
            at = self.nodes + offset
            moved = cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            offset = 0.25 * offset - 0.75 * moved
        return offset

    def _lay_lips(self) -> npt.NDArray[Any]:
        """Prepare what finds a node's side of the lips' line; gives the nodes' places in the frame of the lips."""
        at = ((self.nodes + 0.5) * self.cell + self.origin - self.lips.centre) @ self.lips.axes.T
        self._below = at[..., 1] > 0
        self._around_lips = (np.abs(at) < 0.8 * self.lips.width).all(-1)
        self._around_lips_at = at[self._around_lips]
        skull = np.zeros((len(EXP50) + 1, 2))
        column, row = ((self.lips.centre - self.origin) / self.cell).astype(int)
        for i, name in enumerate(HEAD):
            skull[CHANNEL[name]] = self.head[i, row, column]
        self.skull = skull  # f64[51, 2], how the skull moves at the mouth
        moves = np.concatenate([self.delta, self.closing[None]])
        self._rims = (moves[:, _RIMS] + skull[:, None]).reshape(len(moves), -1)
        self.jaw = moves[:, list(topology.CHIN)].mean(1) * (np.arange(len(moves)) < 4)[:, None] + skull
        return np.asarray(at)

def _smooth(t: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Smoothstep."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


GAIN: Final = {"mouthPucker": 1.6, "mouthFunnel": 1.25}
"""Shapes whose main motion is forward, which a front view does not show, are drawn wider than they are."""


def _fitted(delta: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The projected basis without what the eyes draw themselves, and with the gains."""
    delta = delta.copy()
    for name, gain in GAIN.items():
        delta[CHANNEL[name]] *= gain
    for name in EXP50:
        if name.startswith(("eyeBlink", "eyeWide")):
            delta[CHANNEL[name]] = 0
    lids = [i for rim in topology.LID_UPPER + topology.LID_LOWER for i in rim]
    delta[:, lids] = 0  # lids slide over the eyeball (eyes.py); the skin's field must not drag it along
    assert not delta[ANGLES:].any()
    return delta


def _neighbours(triangles: npt.NDArray[np.int32]) -> list[list[int]]:
    out: list[set[int]] = [set() for _ in range(468)]
    for t in triangles.tolist():
        for v in t:
            out[v].update(t)
    return [sorted(n - {i}) for i, n in enumerate(out)]


def _closing(lips: Lips) -> npt.NDArray[Any]:
    """What brings the lips of a picture with an open mouth together: f64[468, 2]; zero if they touch."""
    out = np.zeros((468, 2))
    if lips.open:
        seam = 0.4 * lips.rims[0] + 0.6 * lips.rims[1]  # the lower lip does most of it, as a jaw does
        every = ((topology.LIP_UPPER, topology.UPPER_ROWS), (topology.LIP_LOWER, topology.LOWER_ROWS))
        for rim, (line, rows) in zip(lips.rims, every, strict=True):
            move = seam - rim
            out[list(line)] = move
            for k, row in enumerate(rows):
                out[list(row)] = move[1:-1] * (1 - 0.12 * k)
    return out


_RIMS: Final = list(topology.LIP_UPPER + topology.LIP_LOWER)


def _carried(
    moves: npt.NDArray[Any],
    leading: tuple[int, ...],
    following: tuple[int, ...],
    free: tuple[int, ...],
    near: list[list[int]],
) -> npt.NDArray[Any]:
    """`moves` with one lip carried along by the other and the skin around it following (harmonically).

    So each layer's field is smooth across the line of the lips, and its edge can be cut there without a crease.
    """
    out = moves.copy()
    out[:, list(following)] = out[:, list(leading)]
    index = {v: i for i, v in enumerate(free)}
    matrix, right = np.eye(len(free)), np.zeros((len(free), len(moves), 2))
    for v, i in index.items():
        for n in near[v]:
            if n in index:
                matrix[i, index[n]] -= 1 / len(near[v])
            else:
                right[i] += out[:, n] / len(near[v])
    solved = np.linalg.solve(matrix, right.reshape(len(free), -1)).reshape(len(free), len(moves), 2)
    out[:, list(free)] = solved.transpose(1, 0, 2)
    return out


def _join(fields: list[Floats], at: npt.NDArray[Any]) -> None:
    """Make both layers' fields one beyond the corners of the mouth; `at` are the nodes in mouth widths."""
    beside = _smooth((np.abs(at[..., 0]) - 0.43) / 0.08)[..., None].astype(np.float32)
    side = _smooth(at[..., 1] / 0.2 + 0.5)[..., None].astype(np.float32)
    upper, lower = fields
    whole = upper + (lower - upper) * side
    upper += (whole - upper) * beside
    lower += (whole - lower) * beside


def _sampled(stack: Floats, at: npt.NDArray[Any]) -> Floats:
    """A stack f32[rows, columns, n] read between its nodes at f[m, 2]: f32[m, n]."""
    at = np.clip(at, 0, np.array(stack.shape[1::-1]) - 1.001)
    x, y = at.astype(int).T
    fx, fy = (at - at.astype(int)).T[..., None].astype(np.float32)
    top = stack[y, x] * (1 - fx) + stack[y, x + 1] * fx
    bottom = stack[y + 1, x] * (1 - fx) + stack[y + 1, x + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)


def _rasterised(
    vertices: npt.NDArray[Any], triangles: npt.NDArray[Any], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """For each node, the corners i[n, 3] of the triangle over it and its weights f32[n, 3]; zero where there is none."""
    rows, columns = shape
    corners = np.zeros((rows, columns, 3), np.int64)
    weights = np.zeros((rows, columns, 3), np.float32)
    for t in triangles:
        a, b, c = vertices[t]
        x0, y0 = np.maximum(np.floor(np.minimum(np.minimum(a, b), c)), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(np.maximum(np.maximum(a, b), c)), [columns - 1, rows - 1]).astype(int)
        den = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(den) < 1e-12 or x1 < x0 or y1 < y0:
            continue
        x, y = np.meshgrid(np.arange(x0, x1 + 1) - a[0], np.arange(y0, y1 + 1) - a[1])
        u = (x * (c[1] - a[1]) - y * (c[0] - a[0])) / den
        v = (y * (b[0] - a[0]) - x * (b[1] - a[1])) / den
        inside = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6)
        corners[y0 : y1 + 1, x0 : x1 + 1][inside] = t
        weights[y0 : y1 + 1, x0 : x1 + 1][inside] = np.stack([1 - u - v, u, v], -1)[inside]
    return corners.reshape(-1, 3), weights.reshape(-1, 3)
