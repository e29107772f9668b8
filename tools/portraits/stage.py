"""Camera, lamps, the place behind, and how Cycles is to draw."""

import math

import bpy
import build
import materials
import numpy as np
from face import Face
from makehuman import Mesh, Points
from mathutils import Matrix, Vector
from people import Person
from places import PLACES, Light

CAMERA_DISTANCE = 13.0  # dm from the nose; nearer makes the nose large


def stage(person: Person, face: Face, resolution: int, samples: int) -> Vector:
    """Everything that is not the person; returns the camera's place."""
    scene = bpy.context.scene
    aim = Vector((0.0, -float(face.nose_tip[2]), float(face.crown - 0.98)))
    eye_level = float(face.left_eye[1] - 0.15)
    place = Vector((0.0, aim.y - CAMERA_DISTANCE, eye_level))
    camera = bpy.data.cameras.new("camera")
    camera.sensor_width = 36.0
    camera.lens = 36.0 * CAMERA_DISTANCE / person.width
    # the upper edge is .36 over the crown, where hair has its place
    middle = float(face.crown) + 0.36 - person.width / 2 + person.rise
    camera.shift_y = (middle - eye_level) / person.width
    thing = build.link("camera", camera)
    thing.location, thing.rotation_euler = place, (math.radians(90), 0, 0)
    scene.camera = thing
    look = PLACES[person.place]
    far = 9.0
    half = 1.22 * person.width * (CAMERA_DISTANCE + far + 1.5) / CAMERA_DISTANCE / 2
    wall = np.array([[[-half, 0, -far], [half, 0, -far]], [[-half, 0, -far], [half, 0, -far]]], float)
    wall[0, :, 1], wall[1, :, 1] = middle - half, middle + half
    uv = [((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))]
    sheet = Mesh(wall.reshape(-1, 3), [(0, 1, 3, 2)], uv, [])
    painted = materials.glow(look.paint(768, person.seed))
    shown = build.mesh_object("wall", sheet, painted, levels=0)
    shown.visible_diffuse = shown.visible_glossy = shown.visible_shadow = False
    lamps(look.light, face)
    if person.turn:
        # the viewer walks round the head with lamps and wall, so that all else can count on a face seen from the front
        pivot = Matrix.Translation((0.0, -float(face.left_eye[2] - 1.3 * face.unit), 0.0))
        walk = pivot @ Matrix.Rotation(math.radians(person.turn), 4, "Z") @ pivot.inverted()
        bpy.context.view_layer.update()
        for moved in (thing, shown, *(o for o in scene.objects if o.type == "LIGHT")):
            moved.matrix_world = walk @ moved.matrix_world
        place = walk @ place
    cycles(resolution, samples, person.seed)
    return place


def lamps(light: Light, face: Face) -> None:
    """Key, fill, two rims, a spark for the eyes and a weak glow from below, around the face."""
    side = -1 if light.mirrored else 1
    key, fill, rim, edge = light.power

    def around(x: float, y: float, z: float) -> Points:
        return np.array([x * side, y, face.left_eye[1] + z])

    centre = around(0, -0.8, -0.3)
    build.area_light(around(-4.9, -6.6, 4.2), centre, key, 3.8, light.key)
    build.area_light(around(5.5, -7.5, 0.5), centre, fill, 6.0, light.fill)
    build.area_light(around(4.2, 4.3, 2.6), centre, rim, 2.5, light.rim)
    build.area_light(around(-4.5, 4.0, 4.0), centre, edge, 2.5, light.edge)
    build.area_light(around(-1.5, -9.5, 1.3), centre, 95, 0.7, (1.0, 0.96, 0.9))  # the spark in the eyes
    build.area_light(around(0, -6.0, -5.0), centre, 40, 5.0, (1.0, 0.85, 0.7))
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (*light.sky, 1)


def cycles(resolution: int, samples: int, seed: int) -> None:
    """A square picture by path tracing with a denoiser, toned as film is."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.seed = samples, seed
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.use_adaptive_sampling, scene.cycles.adaptive_threshold = True, 0.02
    scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 6, 12
    scene.cycles_curves.shape, scene.cycles_curves.subdivisions = "RIBBONS", 2
    scene.render.resolution_x = scene.render.resolution_y = resolution
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    scene.render.image_settings.color_mode, scene.render.image_settings.compression = "RGB", 100


def paint_over(stroke: float) -> None:
    """The finished picture as brush strokes of this many pixels (an anisotropic Kuwahara filter)."""
    scene = bpy.context.scene
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    drawn, brush, out = (tree.nodes.new(f"CompositorNode{kind}") for kind in ("RLayers", "Kuwahara", "Composite"))
    brush.variation = "ANISOTROPIC"
    brush.inputs["Size"].default_value = stroke
    tree.links.new(drawn.outputs["Image"], brush.inputs["Image"])
    tree.links.new(brush.outputs["Image"], out.inputs["Image"])
