"""head.npz, read once a process: the mesh, its shapes, hair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Bytes: TypeAlias = npt.NDArray[np.uint8]

SKIN, MOUTH, UPPER_TEETH, LOWER_TEETH, TONGUE, LASHES, SOCKET = range(7)
"""Parts of the mesh, one a triangle."""

_FILE: Final = Path(__file__).with_name("head.npz")


@dataclass(frozen=True)
class HairMesh:
    """A mesh bound to the head: vertex = Σ weights · three head points + offset · how large this head is."""

    three: Ints  # [n, 3]
    weights: Floats  # [n, 3]
    offset: Floats  # [n, 3], decimetres on the base head
    spans: Ints  # [3, 2] head points whose distance along x, y, z scales the offset
    lengths: Floats  # [3] of these distances on the base head
    vertex: Ints  # [r], where in these n a vertex of the triangles lies
    uv: Floats  # [r, 2], MakeHuman's layout: sheets of hair stand upright in it, strands down along v
    triangles: Ints  # [m, 3] over vertices

    def laid(self, points: Floats) -> Floats:
        """The vertices f32[n, 3] on a shaped head's points f32[p, 3]."""
        scale = [
            abs(float(points[a, k] - points[b, k])) / float(self.lengths[k]) for k, (a, b) in enumerate(self.spans)
        ]
        middle = np.einsum("nk,nkc->nc", self.weights, points[self.three])
        return np.asarray(middle + self.offset * np.array(scale, np.float32), np.float32)


@dataclass(frozen=True)
class Asset:
    """The base head. Decimetres, x to the person's left, y up, z forward. A vertex is a point with a place in UV."""

    points: Floats  # [p, 3]
    vertex: Ints  # [r], the point of each vertex
    uv: Floats  # [r, 2], 0..1, v up
    triangles: Ints  # [m, 3] over vertices, sorted by part
    part: Bytes  # [m]
    eyes: Ints  # [2, 72] points of the left and the right eyeball
    neck: Ints  # points around the joint of neck and chest
    skull: Ints  # points around the joint of head and neck
    marks: dict[str, int]  # nasion, chin …: points on the middle line, and the right mouth corner
    open: Floats  # [p], how much of the sky a point sees
    masks: dict[str, Bytes]  # lips, eyelids, ears: u8[512, 512] over UV, row 0 at the top
    hair: dict[str, HairMesh]
    _names: dict[str, int]
    _starts: Ints
    _places: Ints
    _moves: npt.NDArray[np.int16]
    _steps: Floats

    def shape(self, name: str) -> tuple[Ints, Floats]:
        """Points i32[k] that a shape moves, and by how much, f32[k, 3]; KeyError for an unknown name."""
        k = self._names[name]
        part = slice(self._starts[k], self._starts[k + 1])
        return self._places[part], self._moves[:, part].T * self._steps[k]

    def shapes(self) -> list[str]:
        """Names of all shapes: `arkit/…` and MakeHuman's own."""
        return list(self._names)


@lru_cache(1)
def asset() -> Asset:
    """The asset; one for the whole process, never changed."""
    with np.load(_FILE, allow_pickle=False) as z:
        styles = sorted({name.split("/")[1] for name in z.files if name.startswith("hair/")})
        hair = {
            style: HairMesh(
                z[f"hair/{style}/three"].astype(np.int32),
                z[f"hair/{style}/weights"].astype(np.float32),
                z[f"hair/{style}/offset"].astype(np.float32),
                z[f"hair/{style}/spans"].astype(np.int32),
                z[f"hair/{style}/lengths"],
                z[f"hair/{style}/vertex"].astype(np.int32),
                z[f"hair/{style}/uv"].astype(np.float32),
                z[f"hair/{style}/triangles"].astype(np.int32),
            )
            for style in styles
        }
        return Asset(
            z["points"],
            z["vertex"].astype(np.int32),
            z["uv"],
            z["triangles"].astype(np.int32),
            z["part"],
            z["eyes"].astype(np.int32),
            z["neck"].astype(np.int32),
            z["skull"].astype(np.int32),
            {str(name): int(k) for name, k in zip(z["mark_names"], z["marks"], strict=True)},
            z["open"].astype(np.float32),
            {name: z[f"mask_{name}"] for name in ("lips", "eyelids", "ears")},
            hair,
            {str(name): k for k, name in enumerate(z["shape_names"])},
            z["shape_starts"].astype(np.int32),
            z["shape_places"].astype(np.int32),
            z["shape_moves"],
            z["shape_steps"],
        )
