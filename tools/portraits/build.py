"""Blender objects from arrays: meshes, eyeballs, strands, lights. MakeHuman's (x, y, z) is Blender's (x, -z, y)."""

from collections.abc import Sequence

import bpy
import numpy as np
from makehuman import Mesh, Points
from mathutils import Vector
from mathutils.bvhtree import BVHTree


def turned(points: Points) -> Points:
    """MakeHuman's frame to Blender's."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def clear() -> bpy.types.Scene:
    """An empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def link(name: str, data: bpy.types.ID) -> bpy.types.Object:
    """A new object in the scene that shows this data."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def mesh_object(name: str, mesh: Mesh, material: bpy.types.Material, *, levels: int = 2) -> bpy.types.Object:
    """A smooth subdivided mesh of the vertices that the faces use."""
    used = sorted({v for face in mesh.faces for v in face})
    place = {v: k for k, v in enumerate(used)}
    data = bpy.data.meshes.new(name)
    data.from_pydata(turned(mesh.points[used]).tolist(), [], [[place[v] for v in face] for face in mesh.faces])
    uv = data.uv_layers.new(name="UV")
    uv.data.foreach_set("uv", np.array([c for corners in mesh.corner_uv for c in corners], np.float32).ravel())
    data.polygons.foreach_set("use_smooth", np.ones(len(data.polygons), bool))
    data.materials.append(material)
    thing = link(name, data)
    if levels:
        modifier = thing.modifiers.new("smooth", "SUBSURF")
        modifier.levels, modifier.render_levels = min(levels, 2), levels  # hair grows on the coarser one
    return thing


def grid_object(name: str, points: Points, material: bpy.types.Material, *, around: bool) -> bpy.types.Object:
    """A smooth surface of points [rows, columns, 3]; `around` joins the last column to the first."""
    rows, columns = points.shape[:2]
    faces, uv = [], []
    for r in range(rows - 1):
        for c in range(columns if around else columns - 1):
            n = (c + 1) % columns
            faces.append((r * columns + c, (r + 1) * columns + c, (r + 1) * columns + n, r * columns + n))
            u, w, v, x = c / columns, (c + 1) / columns, r / rows, (r + 1) / rows
            uv.append(((u, v), (u, x), (w, x), (w, v)))
    return mesh_object(name, Mesh(points.reshape(-1, 3), faces, uv, []), material, levels=1)


def joined(things: Sequence[bpy.types.Object]) -> BVHTree:
    """One search tree over several evaluated objects, in Blender's frame."""
    corners = np.concatenate([surface(thing)[1] for thing in things]).reshape(-1, 3)
    faces = np.arange(len(corners)).reshape(-1, 3)
    return BVHTree.FromPolygons(corners.tolist(), faces.tolist(), all_triangles=True)


def surface(thing: bpy.types.Object) -> tuple[BVHTree, Points, Points]:
    """The evaluated object in Blender's frame: a search tree, its triangles f64[n, 3, 3] and their normals."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    data = thing.evaluated_get(graph).to_mesh()
    data.calc_loop_triangles()
    corners = np.empty(len(data.loop_triangles) * 3, np.int32)
    data.loop_triangles.foreach_get("vertices", corners)
    places = np.empty(len(data.vertices) * 3, np.float32)
    data.vertices.foreach_get("co", places)
    normals = np.empty(len(data.loop_triangles) * 3, np.float32)
    data.loop_triangles.foreach_get("normal", normals)
    triangles = places.reshape(-1, 3)[corners.reshape(-1, 3)].astype(float)
    tree = BVHTree.FromPolygons(places.reshape(-1, 3).tolist(), corners.reshape(-1, 3).tolist(), all_triangles=True)
    return tree, triangles, normals.reshape(-1, 3).astype(float)


def strands_object(
    name: str, strands: Sequence[Points], material: bpy.types.Material, *, radius: float, tip: float = 0.15
) -> bpy.types.Object:
    """Hair curves through points in Blender's frame, `radius` thick at the root and `tip` of that at the end."""
    data = bpy.data.hair_curves.new(name)
    data.add_curves([len(s) for s in strands])
    data.position_data.foreach_set("vector", np.concatenate(strands).astype(np.float32).ravel())
    taper = [radius * (1 - (1 - tip) * np.linspace(0, 1, len(s)) ** 2) for s in strands]
    data.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", np.concatenate(taper).astype(np.float32))
    data.materials.append(material)
    return link(name, data)


def eyeball(name: str, centre: Points, radius: float, target: Vector, materials: Sequence[bpy.types.Material]) -> None:
    """A white with iris and, a hair wider, a clear cornea; both look from `centre` to `target` (Blender's frame)."""
    for layer, (material, scale) in enumerate(zip(materials, (1.0, 1.012), strict=True)):
        bpy.ops.mesh.primitive_uv_sphere_add(segments=96, ring_count=64, radius=1)
        ball = bpy.context.object
        ball.name = f"{name}{layer}"
        points = np.empty(len(ball.data.vertices) * 3, np.float32)
        ball.data.vertices.foreach_get("co", points)
        points = points.reshape(-1, 3)
        # front is -y; the cornea stands out by 8 % of the radius, the iris behind it is sunk by 4 %
        across = np.hypot(points[:, 0], points[:, 2])
        front = points[:, 1] < 0
        cap = np.clip(1 - (across / 0.52) ** 2, 0, 1) * front
        points[:, 1] += (-0.085 if layer else 0.05) * cap
        ball.data.vertices.foreach_set("co", points.ravel())
        ball.data.polygons.foreach_set("use_smooth", np.ones(len(ball.data.polygons), bool))
        ball.data.materials.append(material)
        ball.location = centre
        ball.scale = (radius * scale,) * 3
        ball.rotation_euler = (target - Vector(centre)).to_track_quat("-Y", "Z").to_euler()


def area_light(place: Points, aim: Points, power: float, size: float, colour: tuple[float, float, float]) -> None:
    """A square lamp of `size` decimetres that shines from `place` to `aim`."""
    lamp = bpy.data.lights.new("lamp", "AREA")
    lamp.energy, lamp.size, lamp.color = power, size, colour
    thing = link("lamp", lamp)
    thing.location = place
    thing.rotation_euler = (Vector(aim) - Vector(place)).to_track_quat("-Z", "Y").to_euler()


def picture(name: str, pixels: Points, *, data: bool = False) -> bpy.types.Image:
    """A Blender image of float pixels [rows, columns, 3], row 0 at the top; `data` means no colour conversion."""
    rows, columns = pixels.shape[:2]
    image = bpy.data.images.new(name, columns, rows, float_buffer=True, is_data=data)
    rgba = np.ones((rows, columns, 4), np.float32)
    rgba[..., :3] = pixels[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.pack()
    return image
