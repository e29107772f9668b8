"""Clothes round neck and shoulders: surfaces laid over the body by rays from inside the chest, with folds."""

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import build
import materials
import numpy as np
from face import Face
from makehuman import Points
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from paint import Colour, blur
from people import Person

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


def sew(name: str, surface: Points, colours: tuple[Colour, Colour], *, weave: float, sheen: float) -> bpy.types.Object:
    """The surface as cloth."""
    return build.grid_object(name, surface, materials.cloth(name, *colours, weave=weave, sheen=sheen), around=True)


def clothe(face: Face, person: Person, body: bpy.types.Object) -> list[bpy.types.Object]:
    """All clothes of a person, inner to outer."""
    rng = np.random.default_rng(person.seed + 80)
    tree, _, _ = build.surface(body)
    if person.beard_colour:
        shirt = mantle(face, tree, ring(-6, 36, 48), off=0.03, rim=0.02, folds=creases(Folds(0.05, 14, 9), rng))
        cowl = mantle(
            face,
            tree,
            ring(-12, 34, 46),
            off=0.10,
            rim=0.07,
            folds=creases(Folds(0.22, 5, 34, slant=0.5), rng),
            even=9.0,
        )
        return [
            sew("shirt", shirt, ((0.70, 0.63, 0.50), (0.52, 0.45, 0.34)), weave=60, sheen=0.2),
            sew("cowl", cowl, ((0.30, 0.22, 0.15), (0.19, 0.135, 0.09)), weave=46, sheen=0.5),
        ]
    turn = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    pleats = 0.022 * (1 + np.sin(turn * 46 + 1.5 * np.sin(turn * 7)))[None] * np.exp(-np.linspace(0, 4, ROWS))[:, None]
    blouse = mantle(face, tree, ring(14, 33, 46), off=0.03, rim=0.025, folds=pleats + creases(Folds(0.05, 16, 7), rng))
    shawl = mantle(
        face,
        tree,
        ring(-46, 20, 38, sharp=1.6),
        off=0.09,
        rim=0.05,
        folds=creases(Folds(0.14, 7, 30, slant=-0.8), rng),
        even=8.0,
    )
    return [
        sew("blouse", blouse, ((0.80, 0.75, 0.65), (0.66, 0.60, 0.50)), weave=70, sheen=0.2),
        sew("shawl", shawl, ((0.16, 0.26, 0.24), (0.08, 0.14, 0.135)), weave=46, sheen=0.5),
    ]
