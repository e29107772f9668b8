"""What one face costs, in a process of its own: npc-engine bench faces starts this module and reads its last line."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from npc_engine.cast import Cast
from npc_engine.commands.bench_faces import STANDARD_HEAD
from npc_engine.commands.faces_line import spoken
from npc_engine.commands.faces_speed import speed


def figures(face: str, cast: Cast) -> dict[str, Any]:
    """Milliseconds and pictures a second at 512 and 256 pixels, with the expressions of half a minute of speech."""
    import cv2

    from npc_engine.troupe import Troupe

    cv2.setNumThreads(1)
    expressions = spoken(Troupe(cast), face)
    large = speed(cast, face, expressions)
    small = speed(cast, face, expressions, size=256)
    return large.figures() | {"fps_256": round(small.fps, 1), "pictures": len(expressions)}


def main(options: dict[str, Any]) -> None:
    """Measure and print the figures as one line of JSON."""
    if hasattr(os, "sched_setaffinity"):  # the guard's thread shares the core that draws
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cast = Cast.standard(Path(options["cast"]) if options["cast"] else None)
    name = options["face"]
    if name != STANDARD_HEAD:
        print(json.dumps(figures(name, cast)))
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "faces" / "head"
        made.mkdir(parents=True)
        (made / "face.toml").write_text('engine = "head"\n', encoding="utf-8")
        print(json.dumps(figures("head", Cast((Path(folder), *cast.folders)))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
