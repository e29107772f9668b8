"""npc-engine faces: turn pictures into faces, list them, check them, look at them, export heads."""

from __future__ import annotations

import argparse
from pathlib import Path

from npc_engine.cast import Cast, CastError, FaceSpec
from npc_engine.commands import faces_add, faces_check, faces_preview
from npc_engine.commands.common import Commands, UsageError, cast_option, command, table
from npc_engine.commands.faces_export import add_export

EXAMPLES = """  npc-engine faces add portrait.png                    writes faces/portrait/ in the working directory
  npc-engine faces list
  npc-engine faces check portrait                      is it still that person while it speaks, and how fast
  npc-engine faces preview portrait                    twelve expressions on one picture, and a talking mp4
  npc-engine say "Mind the step!" --voice man --face portrait --out step.mp4
"""
_LIST = """  npc-engine faces list
  npc-engine faces list --sheet faces.png              all of them on one picture
"""


def add_to(commands: Commands) -> None:
    """Add the sub-command and its own sub-commands."""
    parser = command(commands, "faces", "turn pictures into faces, list them, check them, look at them", EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    faces_add.add_to(verbs)
    listed = command(verbs, "list", "list the faces", _LIST)
    listed.add_argument("--sheet", type=Path, metavar="FILE", help="a PNG to write, with all faces at rest")
    cast_option(listed)
    listed.set_defaults(run=run_list)
    faces_check.add_to(verbs)
    faces_preview.add_to(verbs)
    add_export(verbs)


def run_list(arguments: argparse.Namespace) -> int:
    """Print a table of the faces, and draw them side by side if asked to."""
    cast = Cast.standard(arguments.cast)
    if arguments.sheet:
        faces_preview.check_png(arguments.sheet)
    rows = []
    for name, path in sorted(cast.faces().items()):
        try:
            spec, folder = cast.face(name)
            rows.append((name, spec.engine, _size(spec, folder), spec.licence or "-", spec.about or "-", folder))
        except CastError as error:  # one face that can't be used does not hide the others
            rows.append((name, "-", "-", "-", f"can't be used: {error}", path.parent))
    print(table(rows, ("FACE", "ENGINE", "SIZE", "LICENCE", "ABOUT", "FOLDER")))
    if arguments.sheet:
        _write_sheet(cast, [row[0] for row in rows if row[1] != "-"], arguments.sheet)
    return 0


def _size(spec: FaceSpec, folder: Path) -> str:
    """Pixels of the picture of a face; a 3D head has none."""
    if spec.engine == "head":
        return "any"
    from npc_engine.frames.pictures import picture_size

    width, height = picture_size(folder / spec.picture)
    return f"{width}×{height}"


def _write_sheet(cast: Cast, names: list[str], out: Path) -> None:
    from npc_engine.frames.encode import encode_picture
    from npc_engine.frames.load import load_drawn
    from npc_engine.frames.preview import TILE, sheet
    from npc_engine.moments import NEUTRAL

    if not names:
        raise UsageError("no face to draw on a sheet; npc-engine faces add makes one")
    pictures = {name: load_drawn(*cast.face(name)).render(NEUTRAL, TILE) for name in names}
    out.write_bytes(encode_picture(sheet(pictures), "png"))
    print(f"{out}: {len(names)} faces")
