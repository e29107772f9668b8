"""npc-engine faces export: a drawn head as a file that game engines import."""

from __future__ import annotations

import argparse
from pathlib import Path

from npc_engine.cast import Cast, CastError
from npc_engine.commands.common import Commands, UsageError, cast_option, command

EXAMPLES = """  npc-engine faces export head_woman --gltf woman.glb  for Unity (glTFast), Godot and Blender
"""


def add_export(verbs: Commands) -> None:
    """Add `faces export`."""
    export = command(verbs, "export", "write a drawn head as glTF 2.0 with 52 ARKit shapes and 15 visemes", EXAMPLES)
    export.add_argument("name", help='a face with engine = "head" (npc-engine faces list)')
    export.add_argument("--gltf", type=Path, required=True, metavar="FILE", help="the .glb to write")
    cast_option(export)
    export.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write the .glb of a head."""
    out: Path = arguments.gltf
    if out.suffix.lower() != ".glb":
        raise UsageError(f"--gltf {out}: expected a name that ends in .glb: glTF is written as one binary file")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"--gltf {out}: there is no folder {out.resolve().parent}")
    cast = Cast.standard(arguments.cast)
    spec, folder = cast.face(arguments.name)
    if spec.engine != "head":
        raise UsageError(
            f"face {arguments.name!r} is drawn by the engine {spec.engine!r}, from a picture, which has no shape to "
            f'export; a face with engine = "head" has: {", ".join(_heads(cast)) or "there is none"}'
        )
    from npc_engine.files.gltf_head import TARGETS, head_glb
    from npc_engine.frames.head.face import load_head

    data = head_glb(load_head(spec.head, folder, spec.limits).figure, arguments.name)
    out.write_bytes(data)
    print(f"{out}: {arguments.name!r}, {len(TARGETS)} morph targets, {len(data) / 1e6:.1f} MB, metres, y up, facing +z")
    return 0


def _heads(cast: Cast) -> list[str]:
    """Names of the faces that can be exported."""
    found = []
    for name in sorted(cast.faces()):
        try:
            spec, _ = cast.face(name)
        except CastError:  # a face that can't be read can't be exported either
            continue
        if spec.engine == "head":
            found.append(name)
    return found
