"""A face's files that tell the person from what is behind: written when it is added, read when it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.cast import FaceSpec
from npc_engine.frames.encode import encode_picture
from npc_engine.frames.landmarks import Points
from npc_engine.frames.mask import Person, outlined, sketched
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.moments import Pixels

MASK: Final = "mask.png"
"""RGB: red is the person's matte, green are the clothes that stay as the head moves."""
BACKGROUND: Final = "background.jpg"


def write_person(folder: Path, picture: Pixels, points: Points) -> dict[str, str]:
    """Write who and what is behind the face of `picture` to `folder`; gives the keys that face.toml shall name.

    Takes about a second. A transparent picture has no background, and its mask is its own transparency.
    """
    person = outlined(picture, points)
    layers = np.dstack([person.matte, person.clothes, np.zeros_like(person.matte)])
    (folder / MASK).write_bytes(encode_picture(layers, "png"))
    if person.behind is None:
        return {"mask": MASK}
    # not exact, but only what is hidden in the picture is ever taken from it
    (folder / BACKGROUND).write_bytes(encode_picture(person.behind, "jpeg"))
    return {"mask": MASK, "background": BACKGROUND}


def read_person(spec: FaceSpec, folder: Path, picture: Pixels, points: Points) -> Person:
    """The person of a face.toml in `folder`; looked for if no mask is named. `FaceError` for files that can't be used.

    A background may be one's own picture of the place without the person.
    """
    if not spec.mask:
        return sketched(picture, points)
    layers = _layer(folder / spec.mask, picture)
    behind = None
    if picture.shape[2] == 3:
        if not spec.background:
            msg = f"{folder / 'face.toml'}: a mask without a background; name a picture of what is behind, or no mask"
            raise FaceError(msg)
        behind = _layer(folder / spec.background, picture)
    return Person(np.ascontiguousarray(layers[..., 0]), np.ascontiguousarray(layers[..., 1]), behind)


def _layer(path: Path, picture: Pixels) -> Pixels:
    """An RGB file of the picture's size, u8[n, n, 3]."""
    pixels = read_picture(path)
    if pixels.shape[:2] != picture.shape[:2]:
        (height, width), (rows, columns) = pixels.shape[:2], picture.shape[:2]
        msg = f"{path}: {width}×{height} pixels, expected the picture's {columns}×{rows}; add the face again"
        raise FaceError(msg)
    return np.ascontiguousarray(pixels[..., :3])
