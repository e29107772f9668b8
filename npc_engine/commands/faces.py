"""npc-engine faces: turn portraits into faces, list them, look at them."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, cast_option, command, table

EXAMPLES = """  npc-engine faces add portrait.png --name smith        writes faces/smith/ in the working directory
  npc-engine faces list
  npc-engine faces preview smith --out smith.png        twelve expressions on one picture
  npc-engine say "Mind the step!" --voice man --face smith --out smith.mp4
"""


def add_to(commands: Commands) -> None:
    """Add the sub-command and its own sub-commands."""
    parser = command(commands, "faces", "turn portraits into faces, list them, look at them", EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="make a face out of a portrait picture")
    add.add_argument("picture", type=Path, help="PNG, JPEG or WebP with one face, looking at the viewer")
    add.add_argument("--name", required=True, help="name of the face: letters, digits, - and _")
    cast_option(add)
    add.set_defaults(run=run_add)
    listed = verbs.add_parser("list", help="list the faces")
    cast_option(listed)
    listed.set_defaults(run=run_list)
    preview = verbs.add_parser("preview", help="draw twelve expressions of a face on one picture")
    preview.add_argument("name", help="a face (npc-engine faces list)")
    preview.add_argument("--out", type=Path, default=None, help="the PNG to write (default: NAME.png)")
    cast_option(preview)
    preview.set_defaults(run=run_preview)


def run_add(arguments: argparse.Namespace) -> int:
    """Make a face and its preview sheet."""
    from npc_engine.frames.add import add_face

    began = time.perf_counter()
    root = (arguments.cast or Path.cwd()) / "faces"
    folder = add_face(arguments.picture, arguments.name, root)
    sheet = folder / "preview.png"
    _write_sheet(arguments.name, Cast.standard(arguments.cast), sheet)
    print(f"{folder}: face {arguments.name!r} made in {time.perf_counter() - began:.1f} s; look at {sheet}")
    print(f'hear it: npc-engine say "Good morning!" --voice man --face {arguments.name} --out {arguments.name}.mp4')
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Print a table of the faces."""
    cast = Cast.standard(arguments.cast)
    rows = []
    for name in sorted(cast.faces()):
        spec, folder = cast.face(name)
        rows.append((name, spec.licence or "-", spec.about or "-", folder))
    print(table(rows, ("FACE", "LICENCE", "ABOUT", "FOLDER")))
    return 0


def run_preview(arguments: argparse.Namespace) -> int:
    """Write the preview sheet of a face."""
    out = arguments.out or Path(f"{arguments.name}.png")
    _write_sheet(arguments.name, Cast.standard(arguments.cast), out)
    print(f"{out}: twelve expressions of {arguments.name!r}")
    return 0


def _write_sheet(name: str, cast: Cast, out: Path) -> None:
    from npc_engine.frames.encode import encode_picture
    from npc_engine.frames.load import load_face
    from npc_engine.frames.preview import preview_sheet

    spec, folder = cast.face(name)
    out.write_bytes(encode_picture(preview_sheet(load_face(spec, folder)), "png"))
