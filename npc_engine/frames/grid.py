"""A coarse grid over the part of a picture that can move, and the face mesh laid over it.

Places are in units of the picture's edge unless they are said to be in cells; node (0, 0) is the middle of the first
cell.
"""

from __future__ import annotations

import itertools
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames import topology
from npc_engine.frames.sampling import blurred

Floats: TypeAlias = npt.NDArray[np.float32]

_SHIFT: Final = 6  # bits of a node's fraction that triangles are drawn with
ACROSS: Final = 48  # cells across a face: the mouth spans about fifteen
FEWER: Final = 32  # and across one in a small picture
FINEST: Final = 128  # cells across a picture at most, where a face is small in it
RINGS: Final = ((1.22, 0.45), (1.45, 0.08), (1.7, 0.0))
"""Size of each ring around the face's outline, and how much of the outline's motion it follows: nothing tears."""
ASIDE, OVER, UNDER = 0.5, 0.66, 0.45  # what can move beyond the face's outline, in its widths and heights
AROUND: Final = 0.08  # picture edges around a person that a turning head can reach


class Grid:
    """The grid of one face."""

    def __init__(
        self, flat: npt.NDArray[Any], person: npt.NDArray[np.bool_] | None = None, across: int = ACROSS
    ) -> None:
        """`flat` f64[468, 2] are the landmarks; `person`, of any size, is where the person is, if that is known.

        There are `across` cells across the face, or fewer if it is small.
        """
        oval = flat[list(topology.OVAL)]
        low, high = oval.min(0), oval.max(0)
        self.middle, self.size = (low + high) / 2, high - low  # of the face
        width, height = self.size
        first = low - np.array([ASIDE * width, OVER * height])
        last = high + np.array([ASIDE * width, UNDER * height])
        if person is not None:  # all of whom can move
            for axis in (0, 1):
                there = np.flatnonzero(person.any(axis)) / person.shape[1 - axis]
                first[axis], last[axis] = min(first[axis], there[0] - AROUND), max(last[axis], there[-1] + AROUND)
        (left, top), (right, bottom) = np.maximum(first, 0.0), np.minimum(last, 1.0)
        columns = int(np.ceil((right - left) / max(width / across, ACROSS / across / FINEST)))
        self.cell = float(right - left) / columns
        self.shape = (int(np.ceil((bottom - top) / self.cell)), columns)
        self.origin = np.array([left, top])  # the upper left corner of the first cell
        self.opposite = self.origin + np.array(self.shape[::-1]) * self.cell  # by less than a cell beyond the picture
        y, x = np.mgrid[0 : self.shape[0], 0 : self.shape[1]].astype(np.float32)
        self.nodes: Floats = np.stack([x, y], -1)  # f32[rows, columns, 2], in cells
        self.planes: Floats = np.stack([x, y], 1)  # f32[rows, 2, columns], the same
        self.places = (self.nodes + 0.5) * self.cell + self.origin  # f64[rows, columns, 2]
        vertices = np.concatenate([flat, *(self.middle + (oval - self.middle) * r for r, _ in RINGS)])
        triangles = np.concatenate([strips(len(oval)), topology.basis().triangles])
        self._corners, self._weights = covered(self.cells(vertices), triangles, self.shape)

    def cells(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Places in cells, from the first node."""
        return np.asarray((places - self.origin) / self.cell - 0.5)

    def window(self, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[slice, slice]:
        """The rows and columns of the nodes from one place to another, and of those next to them."""
        first = np.clip(np.floor(self.cells(low)), 0, None).astype(int)
        last = np.minimum(np.ceil(self.cells(high)) + 1, self.shape[::-1]).astype(int)
        return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))

    def nearest(self, place: npt.NDArray[Any]) -> tuple[int, int]:
        """Row and column of the node at a place."""
        column, row = np.clip(np.round(self.cells(place)), 0, np.array(self.shape[::-1]) - 1).astype(int)
        return int(row), int(column)

    def spread(self, moves: npt.NDArray[Any]) -> Floats:
        """Displacements of the landmarks, f[k, 468, 2], laid over the grid: f32[rows, columns, k, 2]."""
        oval = moves[:, list(topology.OVAL)]
        every = np.concatenate([moves, *(oval * fall for _, fall in RINGS)], 1)
        rows = np.ascontiguousarray(every.transpose(1, 0, 2), np.float32).reshape(every.shape[1], -1)
        out = self._weights[:, :1] * rows[self._corners[:, 0]]
        for k in (1, 2):
            out += self._weights[:, k : k + 1] * rows[self._corners[:, k]]
        # the mesh is piecewise linear; blurring by less than a landmark's spacing takes the creases out
        soft = blurred(out.reshape(*self.shape, -1), 0.8)
        return soft.reshape(*self.shape, len(moves), 2)

    def relief(self, depth: npt.NDArray[Any]) -> Floats:
        """The landmarks' depth f[468] over the grid, ending beyond the face as a head does: f32[rows, columns]."""
        oval = depth[list(topology.OVAL)]
        every = np.concatenate([depth, oval * 0.75, oval * 0.3, oval * 0.0]).astype(np.float32)
        return blurred((every[self._corners] * self._weights).sum(1).reshape(self.shape), 3.0)


def sampled(stack: npt.NDArray[Any], at: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A stack f[rows, columns, ...] read between its nodes at `at` f[n, 2], in cells: f[n, ...]."""
    at = np.clip(at, 0, np.array(stack.shape[1::-1]) - 1.001)
    x, y = at.astype(int).T
    fx, fy = ((at - at.astype(int)).T).reshape(2, -1, *[1] * (stack.ndim - 2))
    top = stack[y, x] * (1 - fx) + stack[y, x + 1] * fx
    bottom = stack[y + 1, x] * (1 - fx) + stack[y + 1, x + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)


def strips(n: int) -> npt.NDArray[np.int32]:
    """The triangles between the face's outline and the rings around it."""
    chain = [list(topology.OVAL), *(list(range(468 + k * n, 468 + (k + 1) * n)) for k in range(len(RINGS)))]
    out = []
    for inner, outer in itertools.pairwise(chain):
        for i in range(n):
            j = (i + 1) % n
            out += [(inner[i], inner[j], outer[i]), (inner[j], outer[j], outer[i])]
    return np.array(out, np.int32)


def covered(
    vertices: npt.NDArray[Any], triangles: npt.NDArray[Any], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """For each node, the corners i[n, 3] of a triangle over it and its weights f32[n, 3]; zero if there is none."""
    over = np.full(shape, -1, np.int32)  # the triangle over each node
    fixed = np.round(vertices[triangles] * (1 << _SHIFT)).astype(np.int32)
    for k, corners in enumerate(fixed):
        cv2.fillConvexPoly(over, corners, (k,), shift=_SHIFT)
    found = np.flatnonzero(over >= 0)
    mine = triangles[over.reshape(-1)[found]]
    a, b, c = (vertices[mine[:, k]] for k in range(3))
    ab, ac = b - a, c - a
    to = np.stack([found % shape[1], found // shape[1]], -1) - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    u = (to[:, 0] * ac[:, 1] - to[:, 1] * ac[:, 0]) / area
    v = (ab[:, 0] * to[:, 1] - ab[:, 1] * to[:, 0]) / area
    # a triangle is filled to its border's nodes, which can lie a little beyond it
    share = np.clip(np.stack([1 - u - v, u, v], -1), 0, 1)
    corners, weights = np.zeros((over.size, 3), np.int64), np.zeros((over.size, 3), np.float32)
    corners[found], weights[found] = mine, share / share.sum(1, keepdims=True)
    return corners, weights
