"""A drawn head as glTF: 52 ARKit shapes, 15 visemes, a bone that turns the head, eyes as nodes of their own.

Metres, y up, looking along +z. The shapes are those the engine draws with; visemes are mixed as in npc_engine.retarget.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.files.gltf import INDICES, Document
from npc_engine.frames.head.asset import LASHES, Floats, Ints
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.garment import Garment
from npc_engine.frames.head.hair import Hair
from npc_engine.frames.head.pose import WEIGHTS
from npc_engine.frames.head.sheet import lash_texture
from npc_engine.moments import ARKIT52, EYE_LOOKS
from npc_engine.retarget.visemes import OCULUS15, exp_of_visemes

METRES: Final = 0.1  # of a decimetre
CLOTH_REPEATS: Final = (5.0, 1.75)
TARGETS: Final[tuple[str, ...]] = (*ARKIT52, *(f"viseme_{name}" for name in OCULUS15))
"""Names of the morph targets, in their order: 52 of ARKit, then 15 of Oculus."""


def head_glb(figure: Figure, name: str) -> bytes:
    """The .glb of a figure, named `name`."""
    document = Document()
    bones, head_bone = _bones(document, figure, name)
    head = _head_mesh(document, figure)
    skin = document.add("skins", bones)
    document.root(document.add("nodes", {"name": "Head", "mesh": head, "skin": skin}))
    if figure.garment:
        document.root(document.add("nodes", {"name": "Clothes", "mesh": _clothes(document, figure.garment)}))
    children = _eyes(document, figure)
    if figure.hair:
        children.append(
            document.add("nodes", {"name": "Hair", "mesh": _hair(document, figure.hair, figure.poser.pivot)})
        )
    document.json["nodes"][head_bone]["children"] = children
    return document.glb()


def displacements(figure: Figure) -> dict[str, Floats]:
    """Name of each morph target → how far it moves the points, f32[p, 3] decimetres."""
    poser = figure.poser
    rows = dict(zip([*WEIGHTS, *EYE_LOOKS], poser.basis, strict=True))
    out: dict[str, Floats] = {}
    for name in ARKIT52:
        full = np.zeros_like(figure.rest)
        full[poser.moved] = rows[name].reshape(-1, 3)
        out[name] = full
    for name, exp in zip(OCULUS15, exp_of_visemes(np.eye(len(OCULUS15), dtype=np.float32)), strict=True):
        out[f"viseme_{name}"] = poser.pose(exp).points - figure.rest
    return out


def _bones(document: Document, figure: Figure, name: str) -> tuple[dict[str, Any], int]:
    """The skin's joints: shoulders that stay, and the head that turns about the top of the neck."""
    pivot = figure.poser.pivot * METRES
    head = document.add("nodes", {"name": "HeadBone", "translation": pivot.tolist()})
    shoulders = document.add("nodes", {"name": name, "children": [head]})
    document.root(shoulders)
    inverse = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    inverse[1, 3, :3] = -pivot  # matrices are stored by columns
    matrices = document.array(inverse.reshape(2, 16), None)
    return {"joints": [shoulders, head], "skeleton": shoulders, "inverseBindMatrices": matrices}, head


def _head_mesh(document: Document, figure: Figure) -> int:
    """Skin, mouth, teeth, tongue and lashes with their morph targets."""
    moves = displacements(figure)
    rest = figure.poser.normals(figure.rest)
    bent = {name: figure.poser.normals(figure.rest + moved) - rest for name, moved in moves.items()}
    lash = figure.head.part == LASHES
    face = _material(document, "Face", figure.texture, rough=0.55)
    lashes = _material(document, "Lashes", lash_texture(figure.spec.seed), rough=0.9)
    primitives = []
    for triangles, material in ((figure.head.triangles[~lash], face), (figure.head.triangles[lash], lashes)):
        used, inverse = np.unique(triangles, return_inverse=True)
        points = figure.head.vertex[used]
        uv = figure.head.uv[used].copy()
        if material == lashes:
            lower = figure.lower_lashes[used]
            uv[lower, 1] = 1 - uv[lower, 1]
        uv[:, 1] = 1 - uv[:, 1]
        share = figure.poser.carried[points]
        weights = np.zeros((len(used), 4), np.float32)
        weights[:, 0], weights[:, 1] = 1 - share, share
        joints = np.where(weights > 0, np.array([0, 1, 0, 0], np.uint8), 0).astype(np.uint8)
        shade = np.clip(0.55 + 0.45 * figure.open[used], 0, 1)
        primitive = _primitive(
            document, figure.rest[points], rest[points], uv, inverse.reshape(-1, 3).astype(np.int32), material
        )
        primitive["attributes"] |= {
            "JOINTS_0": document.array(joints),
            "WEIGHTS_0": document.array(weights),
            "COLOR_0": _shade(document, shade),
        }
        primitive["targets"] = [
            {
                "POSITION": document.array((moves[t][points] * METRES).astype(np.float32), bounds=True),
                "NORMAL": document.array(bent[t][points].astype(np.float32)),
            }
            for t in TARGETS
        ]
        primitives.append(primitive)
    zeros = [0.0] * len(TARGETS)
    return document.add(
        "meshes",
        {"name": "Head", "primitives": primitives, "weights": zeros, "extras": {"targetNames": list(TARGETS)}},
    )


def _eyes(document: Document, figure: Figure) -> list[int]:
    """A node for each eye, turned by its own rotation; both show one mesh, with the face's material."""
    eyes = figure.poser.eyes
    normals = eyes.ball / np.linalg.norm(eyes.ball, axis=1, keepdims=True)
    uv = eyes.uv * [1, -1] + [0, 1]
    primitive = _primitive(document, eyes.ball * np.float32(eyes.radius), normals, uv, eyes.triangles, 0)
    mesh = document.add("meshes", {"name": "Eye", "primitives": [primitive]})
    places = (eyes.centres - figure.poser.pivot) * METRES
    return [
        document.add("nodes", {"name": name, "mesh": mesh, "translation": place.tolist()})
        for name, place in zip(("EyeLeft", "EyeRight"), places, strict=True)
    ]


def _hair(document: Document, hair: Hair, pivot: Floats) -> int:
    material = _material(document, "Hair", hair.texture, rough=0.45)
    points = hair.points - pivot
    triangles = np.concatenate([hair.solid, hair.frayed])
    return document.add(
        "meshes",
        {"name": "Hair", "primitives": [_primitive(document, points, hair.normals, hair.uv, triangles, material)]},
    )


def _clothes(document: Document, garment: Garment) -> int:
    material = _material(document, "Cloth", garment.texture, rough=0.9)
    uv = garment.uv * np.array(CLOTH_REPEATS)
    primitive = _primitive(document, garment.points, garment.normals, uv, garment.triangles, material)
    primitive["attributes"]["COLOR_0"] = _shade(document, garment.open)
    return document.add("meshes", {"name": "Clothes", "primitives": [primitive]})


def _shade(document: Document, shade: Floats) -> int:
    """Grey vertex colours f32[n], 0..1: hollows are darker."""
    grey = np.full((len(shade), 4), 255, np.uint8)
    grey[:, :3] = (np.clip(shade, 0, 1) * 255)[:, None]
    return document.array(grey, normalised=True)


def _primitive(  # noqa: PLR0917, what makes a mesh
    document: Document, points: Floats, normals: Floats, uv: npt.NDArray[Any], triangles: Ints, material: int
) -> dict[str, Any]:
    """Triangles over points f[n, 3] in decimetres."""
    unit = np.where(np.linalg.norm(normals, axis=1, keepdims=True) > 0.5, normals, [0, 1, 0])
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    return {
        "attributes": {
            "POSITION": document.array((points * METRES).astype(np.float32), bounds=True),
            "NORMAL": document.array(unit.astype(np.float32)),
            "TEXCOORD_0": document.array(uv.astype(np.float32)),
        },
        "indices": document.array(triangles.astype(np.uint16).reshape(-1), INDICES),
        "material": material,
    }


def _material(document: Document, name: str, pixels: npt.NDArray[np.uint8], rough: float) -> int:
    """A material with a texture RGB, or RGBA that is blended and seen from both sides."""
    see_through = pixels.shape[2] == 4
    if see_through:
        _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
    else:
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    texture = document.texture(name, encoded.tobytes(), "image/png" if see_through else "image/jpeg")
    material: dict[str, Any] = {
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorTexture": {"index": texture},
            "metallicFactor": 0.0,
            "roughnessFactor": rough,
        },
    }
    if see_through:
        material |= {"alphaMode": "BLEND", "doubleSided": True}
    elif name == "Cloth":
        material["doubleSided"] = True
    return document.add("materials", material)
