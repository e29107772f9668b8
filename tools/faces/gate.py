"""What the gate of `faces add` makes of pictures: let through, refused and why, and with their mouths covered.

PYTHONPATH=tests python tools/faces/gate.py faces/*/picture.png tests/pictures/*.jpg
PYTHONPATH=tests python tools/faces/gate.py --plain photographs/of/animals/*.jpg     as they are, without covers

The weights in npc_engine/frames/gate.py were fitted to 100 portraits (these, those of Battle for Wesnoth, and what the
Debian packages gcompris-qt-data and openclipart-png and PyPI's unraphael hold) against 95 animals, things and icons in
which the networks see a face, and against the same portraits under tests/covers.py.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from covers import COVERS

from npc_engine.frames.add import framed_face
from npc_engine.frames.finding import search
from npc_engine.frames.gate import check_look, look_at
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.moments import Pixels


def verdict(finder: FaceFinder, rgb: Pixels) -> str:
    """What the gate says to a framed picture."""
    found = search(finder, rgb)
    if not found:
        return "no face"
    face = max(found, key=lambda f: f.size)
    points, sure = finder.landmarks(rgb, face)
    if sure < 0.5:
        return "unsure"
    look = look_at(finder, rgb, face, points)
    try:
        doubts = check_look(look, Path("it"))
    except FaceError as error:
        said = str(error)
        return "hidden" if "hidden" in said else "closed eyes" if "eyes are closed" in said else "strange"
    return "doubtful" if doubts else "passes"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--plain", action="store_true")
    arguments = parser.parse_args()
    finder = FaceFinder()
    counts: dict[str, Counter[str]] = {}
    for path in arguments.pictures:
        try:
            framed = framed_face(read_picture(path), path, finder)
        except FaceError as error:
            print(f"{path.name}: {str(error).removeprefix(f'{path}: ')[:100]}")
            continue
        rgb = np.ascontiguousarray(framed[..., :3])
        said = {"as it is": verdict(finder, rgb)}
        if not arguments.plain:
            points, _ = finder.landmarks(rgb, max(search(finder, rgb), key=lambda f: f.size))
            said |= {name: verdict(finder, cover(rgb, points)) for name, cover in COVERS.items()}
        for name, what in said.items():
            counts.setdefault(name, Counter())[what] += 1
        print(f"{path.parent.name}/{path.name}: {', '.join(f'{n} {w}' for n, w in said.items())}", flush=True)
    for name, count in counts.items():
        print(f"{name:12} {', '.join(f'{what} {n}' for what, n in count.most_common())}")
