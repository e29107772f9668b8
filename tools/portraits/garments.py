"""What clothes are made of: surfaces laid over the body by rays from inside the chest, with folds; cords and fur."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bpy
import build
import numpy as np
from face import Face
from makehuman import Points
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from paint import blur
from strands import Ground, clump, frizz, shorten, smooth, unit

ROWS, COLUMNS = 120, 480
Edge = Callable[[Points], Points]  # turn round the neck, 0 in front, radians → height of the edge, degrees


@dataclass(frozen=True, slots=True)
class Folds:
    """Random creases of one cloth."""

    depth: float  # decimetres
    down: float  # size of the grain from neck to shoulder, rows
    round: float  # size of the grain round the neck, columns
    slant: float = 0.0  # columns a row


def creases(folds: Folds, rng: np.random.Generator) -> Points:
    """Heights [rows, columns] of soft rounded creases, 0 and more."""
    raw = rng.normal(size=(ROWS * 2, COLUMNS))
    long = blur(raw, (folds.down, folds.round))[:ROWS]
    long = long / long.std()
    ridged = 1 - np.abs(np.tanh(long * 0.9))
    small = blur(rng.normal(size=(ROWS * 2, COLUMNS)), (folds.down * 0.45, folds.round * 0.45))[:ROWS]
    height = ridged + 0.30 * small / small.std()
    if folds.slant:
        height = np.stack([np.roll(row, int(folds.slant * k)) for k, row in enumerate(height)])
    return folds.depth * (height - height.min()) / np.ptp(height)


def mantle(
    face: Face,
    tree: BVHTree,
    edge: Edge,
    *,
    off: float,
    rim: float,
    folds: Points,
    low: float = -48.0,
    even: float = 6.0,
) -> Points:
    """A surface f64[rows, columns, 3] (MakeHuman's frame) from its upper edge down over the shoulders.

    It keeps `off` from the body; its edge is a roll of `rim` decimetres turned in towards the neck. `even` rows and
    columns are smoothed together, as stiff cloth bridges hollows.
    """
    turn = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    top = edge(turn)
    share = np.linspace(0, 1, ROWS)[:, None]
    height = np.radians(top[None] * (1 - share) + low * share)
    middle = np.array([0.0, face.neck[1] - 0.45, face.neck[2] + 0.12])
    way = np.stack([np.cos(height) * np.sin(turn), np.sin(height), np.cos(height) * np.cos(turn)], -1)
    start = build.turned(middle)
    reach = np.array([
        [tree.ray_cast(Vector(start), Vector(d), 3.0)[3] or 3.0 for d in row] for row in build.turned(way)
    ])  # fmt: skip
    tall = np.concatenate([reach, reach[::-1]])
    flat = blur(tall, (even, even))[:ROWS]
    reach = np.maximum(flat, reach)
    roll = np.exp(-((share / 0.05) ** 2))
    fade = 1 - np.exp(-((share / 0.06) ** 2))
    points = middle + way * (reach + off + folds * fade)[..., None]
    # the roll: the first rows go back in and under
    points += way * (rim * np.sin(np.clip(share / 0.07, 0, 1) * np.pi))[..., None]
    points[..., 1] += rim * 0.8 * roll
    inner = points[:1] - way[:1] * np.array([[[1.6 * rim]]]) - np.array([0, 1.2 * rim, 0])
    deeper = inner - way[:1] * 0.5 * rim - np.array([0, 2.0 * rim, 0])
    return np.concatenate([deeper, inner, points])


def ring(front: float, side: float, back: float, *, sharp: float = 1.0) -> Edge:
    """An edge round the neck that is `front`, `side` and `back` degrees high; `sharp` above 1 makes a narrow V."""

    def edge(turn: Points) -> Points:
        ahead = np.clip(np.cos(turn), 0, 1) ** sharp
        behind = np.clip(-np.cos(turn), 0, 1)
        return side + (front - side) * ahead + (back - side) * behind

    return edge


def sew(name: str, cloth: Points, material: bpy.types.Material) -> bpy.types.Object:
    """A whole mantle."""
    return build.grid_object(name, cloth, material, around=True)


def panel(
    name: str, cloth: Points, turn: tuple[float, float], material: bpy.types.Material, thick: float
) -> bpy.types.Object:
    """The part of a mantle between two turns in degrees (0 in front, positive to the person's left), `thick`."""
    degrees = np.linspace(-180, 180, COLUMNS, endpoint=False)
    keep = (degrees >= turn[0]) & (degrees <= turn[1])
    thing = build.grid_object(name, cloth[:, keep], material, around=False)
    modifier = thing.modifiers.new("thick", "SOLIDIFY")
    modifier.thickness, modifier.offset = thick, 1.0
    return thing


def on(cloth: Points, turn: float, share: float, off: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Points:
    """The place on a mantle at a turn in degrees and a share 0..1 of the way from its edge down, MakeHuman's frame.

    `off` is added, decimetres.
    """
    column = round((turn + 180) / 360 * COLUMNS) % COLUMNS
    return cloth[2 + round(share * (ROWS - 1)), column] + np.array(off)


def cord(
    name: str, points: Sequence[Points], material: bpy.types.Material, radius: float, *, closed_end: float = 1.0
) -> None:
    """A string through points of MakeHuman's frame, rounded off, as thick at its end as `closed_end` says."""
    knots = np.array(points)
    t = np.linspace(0, 1, len(knots))
    fine = np.linspace(0, 1, 12 * len(knots))
    line = np.stack([np.interp(fine, t, knots[:, k]) for k in range(3)], 1)
    build.strands_object(name, [build.turned(smooth(line[None], 30)[0])], material, radius=radius, tip=closed_end)


def fur(
    thing: bpy.types.Object, count: int, length: float, material: bpy.types.Material, rng: np.random.Generator
) -> None:
    """Thick hair on a garment, lying outwards and down, in tufts."""
    tree, triangles, normals = build.surface(thing)
    ground = Ground(tree, triangles, normals, tree)

    def everywhere(places: Points, normals: Points) -> Points:  # noqa: ARG001
        return np.ones(len(places))

    roots = ground.roots(count, everywhere, rng)
    ways = roots[1] + np.array([0, 0, -0.55]) + 0.35 * rng.normal(size=roots[0].shape)
    sizes = length * rng.uniform(0.5, 1.2, (len(ways), 1, 1))
    along = np.linspace(0, 1, 8)[None, :, None]
    strands = roots[0][:, None] + unit(ways)[:, None] * sizes * along
    strands = strands + np.array([0, 0, -0.35]) * sizes * along**2
    strands, _ = clump(strands, 40, 0.75, rng)
    strands = frizz(strands, 0.05, rng)
    build.strands_object("fur", shorten(strands, 0.6, rng), material, radius=0.0042)
