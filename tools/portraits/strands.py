"""Hair that grows: roots on the skin, a step at a time along a combing direction, never into the head.

All points here are in Blender's frame: x to the model's left, -y to the viewer, z up; decimetres.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from makehuman import Points
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from mathutils.kdtree import KDTree

Field = Callable[[Points, Points, float], Points]  # (points, roots, how far along 0..1) -> directions


def unit(vectors: Points) -> Points:
    """Vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


@dataclass(frozen=True, slots=True)
class Ground:
    """The skin that hair grows on, and all that it slides over (skin and clothes)."""

    skin: BVHTree
    triangles: Points
    normals: Points
    obstacles: BVHTree

    def nearest(self, points: Points) -> tuple[Points, Points]:
        """For each point the nearest place to slide over and the normal there."""
        found = [self.obstacles.find_nearest(Vector(p)) for p in points]
        return np.array([f[0] for f in found]), np.array([f[1] for f in found])

    def roots(
        self, count: int, density: Callable[[Points, Points], Points], rng: np.random.Generator
    ) -> tuple[Points, Points]:
        """About `count` places and normals on the outer skin, drawn with a density 0..1 of (places, normals)."""
        a, b, c = self.triangles.transpose(1, 0, 2)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        middle = (a + b + c) / 3
        weight = area * (density(middle, self.normals) > 0)
        if not weight.any():
            raise ValueError("the density of these roots is 0 everywhere on the skin")
        places, normals, wanted = [], [], count
        while wanted > 0:
            pick = rng.choice(len(weight), 2 * wanted + 64, p=weight / weight.sum())
            u, v = rng.random((2, len(pick), 1))
            over = u + v > 1
            u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
            at = a[pick] + u * (b - a)[pick] + v * (c - a)[pick]
            normal = self.normals[pick]
            keep = rng.random(len(at)) < density(at, normal)
            at, normal = at[keep][:wanted], normal[keep][:wanted]
            # a place inside the mouth or a nostril looks at skin
            free = [
                self.skin.ray_cast(Vector(p + 0.01 * n), Vector(n), 0.25)[0] is None
                for p, n in zip(at, normal, strict=True)
            ]
            places.append(at[free])
            normals.append(normal[free])
            wanted -= len(at)  # counted before the check, or a hopeless density would never end
        return np.concatenate(places), np.concatenate(normals)


def grow(
    ground: Ground,
    roots: tuple[Points, Points],
    lengths: Points,
    field: Field,
    *,
    steps: int,
    lift: float,
    layer: Points,
    cling: float = 0.0,
    stiffness: float = 0.5,
) -> Points:
    """Strands f64[n, steps, 3]. They leave along the normal by `lift`, then follow the field.

    `layer` f64[n] is the distance from the skin that each strand keeps at least; `cling` 0..1 pulls what is
    farther than that back down. `stiffness` 0..1 is how much of its direction a strand keeps at a step.
    """  # fmt: skip
    places, normals = roots
    way = unit(normals * lift + field(places, places, 0.0))
    points = places + normals * 0.003  # a root below the skin would leave a bald strip where hair lies flat
    strands = [points]
    size = (lengths / (steps - 1))[:, None]
    for k in range(1, steps):
        along = k / (steps - 1)
        way = unit(stiffness * way + (1 - stiffness) * unit(field(points, places, along)))
        points = points + size * way
        skin, normal = ground.nearest(points)
        height = ((points - skin) * normal).sum(-1)
        want = np.maximum(layer * min(1.0, 0.25 + 2.5 * along), 0.006)
        near = np.linalg.norm(points - skin, axis=1) < 0.6
        low = np.where(height < want, want - height, 0.0)
        high = np.where((height > want) & near, (want - height) * cling, 0.0)
        points = points + normal * (low + high)[:, None]
        way = unit(points - strands[-1])
        strands.append(points)
    return np.stack(strands, axis=1)


def smooth(strands: Points, times: int) -> Points:
    """Corners of strands rounded off; roots and ends stay."""
    for _ in range(times):
        inner = 0.25 * strands[:, :-2] + 0.5 * strands[:, 1:-1] + 0.25 * strands[:, 2:]
        strands = np.concatenate([strands[:, :1], inner, strands[:, -1:]], axis=1)
    return strands


def clump(
    strands: Points, every: int, pull: float, rng: np.random.Generator, *, power: float = 1.2
) -> tuple[Points, Points]:
    """Strands drawn towards one in `every` of them, more at the ends; also the number of each strand's clump."""
    leaders = rng.choice(len(strands), max(1, len(strands) // every), replace=False)
    tree = KDTree(len(leaders))
    for k, leader in enumerate(leaders):
        tree.insert(Vector(strands[leader, 0]), k)
    tree.balance()
    chosen = np.array([tree.find(Vector(root))[1] for root in strands[:, 0]])
    along = np.linspace(0, 1, strands.shape[1])[None, :, None]
    share = pull * along**power * rng.uniform(0.6, 1.0, (len(strands), 1, 1))
    target = strands[leaders[chosen]]
    return strands * (1 - share) + target * share, chosen


def wave(
    strands: Points, group: Points, size: float, turns: float, rng: np.random.Generator, *, start: float = 0.15
) -> Points:
    """A soft corkscrew of `size` decimetres and `turns` along the strand, the same phase within a group."""
    count = int(group.max()) + 1
    phase, speed = rng.uniform(0, 2 * np.pi, count)[group], rng.uniform(0.75, 1.3, count)[group]
    amount = (rng.uniform(0.4, 1.2, count)[group] * size)[:, None]
    along = np.linspace(0, 1, strands.shape[1])[None]
    angle = phase[:, None] + 2 * np.pi * turns * speed[:, None] * along
    grown = np.clip((along - start) / 0.35, 0, 1)
    way = unit(np.gradient(strands, axis=1))
    across = unit(np.cross(way, np.array([0.0, 1.0, 0.15])))
    outward = np.cross(across, way)
    return strands + (amount * grown)[..., None] * (
        np.cos(angle)[..., None] * across + 0.7 * np.sin(angle)[..., None] * outward
    )


def frizz(strands: Points, size: float, rng: np.random.Generator) -> Points:
    """Each strand its own small wandering, growing from root to end."""
    n, steps, _ = strands.shape
    walk = np.cumsum(rng.normal(size=(n, steps, 3)), axis=1) / np.sqrt(steps)
    walk = smooth(walk, 2) - walk[:, :1]
    wild = (0.3 + 1.2 * rng.random((n, 1, 1)) ** 2) * np.where(rng.random((n, 1, 1)) < 0.025, 2.2, 1.0)
    return strands + size * wild * walk


def shorten(strands: Points, least: float, rng: np.random.Generator) -> list[Points]:
    """Ends cut at random between `least` and the whole length, so that no edge looks trimmed."""
    steps = strands.shape[1]
    ends = np.round(steps * (least + (1 - least) * rng.random(len(strands)) ** 0.6)).astype(int)
    return [strand[: max(3, end)] for strand, end in zip(strands, ends, strict=True)]
