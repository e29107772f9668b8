"""The contact sheets of docs/: every shipped face, and pictures that the engine has never seen.

python tools/faces/sheets.py            writes docs/pictures/face_NAME.jpg and prints the table for docs/faces.md
python tools/faces/sheets.py ogre elder only these

Each sheet shows the preview's twelve expressions, every one with its identity score. The table's scores are those of
`npc-engine faces check`: of ten pictures a second over half a minute of speech, drawn as for a game. Takes about a
minute a face.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import cv2

from npc_engine.cast import Cast
from npc_engine.cli import main
from npc_engine.commands.faces_check import over_space
from npc_engine.commands.faces_judge import judge_of
from npc_engine.commands.faces_line import judged, speaker, spoken
from npc_engine.commands.faces_preview import judged_sheet
from npc_engine.frames.sampling import shrunk
from npc_engine.moments import Pixels
from npc_engine.troupe import Troupe

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "pictures"
UNSEEN = {
    "hopper": "photograph, glasses",
    "madonna": "oil painting, three-quarter view, lowered eyes",
    "princess": "cartoon in flat colours, teeth",
    "handel": "cartoon in outlines",
    "laughing": "3D render, dark skin, laughs with an open mouth",
    "aside": "3D render, turned by 27°",
    "astronaut": "photograph, small, a smile with teeth",
}
"""In tests/pictures/, by what they show; nothing was tuned on them but the mouth, with the last one in sight."""
WIDTH = 960  # pixels of a sheet


def write(sheet: Pixels, path: Path) -> None:
    small = shrunk(sheet, WIDTH, round(sheet.shape[0] * WIDTH / sheet.shape[1]))
    assert cv2.imwrite(str(path), small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


def row(troupe: Troupe, name: str, what: str) -> str:
    """Draw the sheet of a face; its row of the table."""
    face = troupe.face(name)
    judge = judge_of(face)
    path = OUT / f"face_{name}.jpg"
    write(judged_sheet(face, judge), path)

    def told(done: int, of: int) -> None:
        print(f"\r{name}: {done} of {of} \x1b[K", end="", file=sys.stderr)

    seen = judged(face, judge, spoken(troupe, name), told)
    space = over_space(face, judge, told)
    print("\r\x1b[K", end="", file=sys.stderr)
    voice, _ = speaker(troupe.cast, name)
    return (
        f"| [{name}](pictures/{path.name}) | {what} | {voice} | {seen.mean:.2f} | {seen.least:.2f} "
        f"| {space.mean:.2f} | {space.worst.score:.2f} {space.worst.name} |"
    )


def sheets(only: set[str]) -> None:
    OUT.mkdir(exist_ok=True)
    print("| face | what | voice | mean over a line | lowest | mean over 222 expressions | lowest |")
    print("|---|---|---|---|---|---|---|", flush=True)
    shipped = Troupe(Cast((ROOT,)))
    for name in sorted(n for n in shipped.cast.faces() if n in only or not only):
        spec, _ = shipped.cast.face(name)
        print(row(shipped, name, spec.about), flush=True)
    asked = {n: what for n, what in UNSEEN.items() if n in only or not only}
    with tempfile.TemporaryDirectory() as folder:
        for name in asked:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = main(["faces", "add", str(ROOT / "tests" / "pictures" / f"{name}.jpg"), "--cast", folder])
            assert code == 0, said.getvalue()
        unseen = Troupe(Cast((Path(folder), ROOT)))
        for name, what in asked.items():
            print(row(unseen, name, f"never seen: {what}"), flush=True)


if __name__ == "__main__":
    sheets(set(sys.argv[1:]))
