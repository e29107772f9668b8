"""Find the person and the background of faces/NAME/picture.png again, and name the files in face.toml.

python tools/face_masks.py faces/elder faces/maren

Landmarks come first: run tools/face_landmarks.py if the picture was drawn anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from npc_engine.cast import FaceSpec, checked, read_toml
from npc_engine.frames.load import read_landmarks
from npc_engine.frames.person import write_person
from npc_engine.frames.pictures import read_picture


def refresh(folder: Path) -> None:
    """Write mask.png and background.jpg of one face, and their keys above the first table of its face.toml."""
    toml = folder / "face.toml"
    spec = checked(FaceSpec, read_toml(toml), str(toml))
    picture = read_picture(folder / spec.picture)
    keys = write_person(folder, picture, read_landmarks(folder / spec.landmarks, picture.shape[1]))
    text = re.sub(r"^(mask|background) = .*\n", "", toml.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = "".join(f'{key} = "{name}"\n' for key, name in keys.items())
    after = re.search(r"^landmarks = .*\n", text, flags=re.MULTILINE)
    at = after.end() if after else 0
    toml.write_text(text[:at] + lines + text[at:], encoding="utf-8")


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:]):
        refresh(each)
        sizes = (
            f"{n} {(each / n).stat().st_size // 1024} KiB"
            for n in ("mask.png", "background.jpg")
            if (each / n).exists()
        )
        print(f"{each}: {', '.join(sizes)}")
