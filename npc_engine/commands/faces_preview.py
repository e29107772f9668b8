"""npc-engine faces preview: a sheet of twelve expressions with their scores, and a talking mp4."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command
from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.identity import DRAWN_AT, THRESHOLD, Judge
from npc_engine.moments import Pixels

if TYPE_CHECKING:
    from npc_engine.troupe import Troupe

ABOUT: Final = "draw twelve expressions of a face with their identity scores, and let it talk in an mp4"
EXAMPLES: Final = """  npc-engine faces preview smith                       writes smith.png and smith.mp4
  npc-engine faces preview smith --out looks/smith.png
"""
LINE: Final = (
    "Good morning, traveller! The bread is fresh, the fire is warm, and five silver pieces buy you a very fine bed. "
    "Who are you, and what brings you over the mountains?"
)


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `faces`."""
    parser = command(verbs, "preview", ABOUT, EXAMPLES)
    parser.add_argument("name", help="a face (npc-engine faces list)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the PNG to write, and beside it an mp4 (NAME.png)")
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the sheet and, where PyAV is installed, the video."""
    from npc_engine.commands.faces_judge import judge_of
    from npc_engine.files.writer import FileError, need
    from npc_engine.frames.encode import encode_picture
    from npc_engine.troupe import Troupe

    out = arguments.out or Path(f"{arguments.name}.png")
    check_png(out)
    troupe = Troupe(Cast.standard(arguments.cast))
    face = troupe.face(arguments.name)
    out.write_bytes(encode_picture(judged_sheet(face, judge_of(face)), "png"))
    print(f"{out}: twelve expressions of {arguments.name!r}, with their identity scores (1: the face at rest itself)")
    video = out.with_suffix(".mp4")
    try:
        need("av", video)
    except FileError as error:
        print(f"no video: {error}")
        return 0
    seconds = _write_video(troupe, arguments.name, video)
    print(f"{video}: {seconds:.1f} s of {arguments.name!r} talking")
    return 0


def check_png(path: Path) -> None:
    """`UsageError` for a file that can't become a PNG."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: expected a file that ends in .png")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: no such folder {path.parent}")


def judged_sheet(face: DrawnFace, judge: Judge) -> Pixels:
    """The twelve expressions, each above its name and score: RGB u8; red where it scores as another person would."""
    from npc_engine.frames.preview import EXPRESSIONS, expression, sheet

    pictures, warned = {}, set()
    for name in EXPRESSIONS:
        picture = face.render(expression(name), DRAWN_AT)
        score = judge.score(picture)
        words = f"{name}  {score:.2f}"
        pictures[words] = picture
        if score < THRESHOLD:
            warned.add(words)
    return sheet(pictures, frozenset(warned))


def _write_video(troupe: Troupe, name: str, path: Path) -> float:
    """Write the face saying `LINE` with its character's voice; gives its seconds."""
    from npc_engine.commands.faces_line import spoken, talk
    from npc_engine.files.video import VideoWriter
    from npc_engine.files.writer import Discarding
    from npc_engine.moments import TICK_MS

    progress = Progress("filming")
    expressions = spoken(troupe, name, LINE)
    with Discarding(VideoWriter(path, size=DRAWN_AT, every=2), path) as writer:
        for moment in talk(troupe.face(name), expressions, DRAWN_AT):
            writer.add(moment)
            progress.show(f"{moment.tick * TICK_MS / 1000:.1f} s")
    progress.done()
    return len(expressions) * TICK_MS / 1000
