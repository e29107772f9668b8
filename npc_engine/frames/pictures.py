"""Read a picture file that somebody gives us: every usual kind, and a clear reason for what can't be used."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.cast import CastError
from npc_engine.frames.headers import Header, read_header
from npc_engine.frames.sampling import shrunk
from npc_engine.moments import Pixels

MOST_PIXELS: Final = 50_000_000  # cameras and painters' scans stay below
MOST_DECODED: Final = 200_000_000  # bytes: 50 megapixels with transparency, or 25 of them with 16 bits
MOST_BYTES: Final = 100_000_000
KEPT: Final = 16_000_000  # pixels; a face that is to be found in more of them has room to spare


class FaceError(CastError):
    """A picture or face that can't be used: says why and what would do."""


def read_picture(path: Path) -> Pixels:
    """The picture in a PNG, JPEG or WebP file, upright, as RGB or (if any of it is transparent) RGBA.

    Grey, palette, CMYK and 16-bit pictures become 8-bit colour, EXIF orientation is applied, of an animation the first
    picture is taken, and what has more than 16 megapixels is shrunk to that: all of it takes less than half a gigabyte.
    Raises `FaceError` for what is no picture, is cut short, or has more than 50 megapixels (before decoding).
    """
    data = _bytes(path)
    header = _header(data, path)
    _check_size(header, path)
    raw = np.frombuffer(data, np.uint8)
    try:
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if header.clear else None
        clear = None if whole is None else _clear(whole)
        del whole
        colour = cv2.imdecode(raw, _how(header))  # applies the orientation, widens grey, narrows 16 bits
    except cv2.error as error:
        msg = f"{path}: can't be decoded ({error.err or error.code})"
        raise FaceError(msg) from None
    if colour is None:
        msg = f"{path}: damaged, its {header.width}×{header.height} pixels can't be decoded"
        raise FaceError(msg)
    upright = _kept(np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2RGB, dst=colour), np.uint8))
    return upright if clear is None else np.dstack([upright, _turned_as(clear, upright)])


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file as stored, which is not decoded; `FaceError` if it is none."""
    header = _header(_bytes(path), path)
    return header.width, header.height


def _header(data: bytes, path: Path) -> Header:
    try:
        return read_header(data)
    except ValueError as error:
        msg = f"{path}: {error}"
        raise FaceError(msg) from None


def _bytes(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device has no end
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "no plain file"
            msg = f"{path}: {what}, expected a picture file"
            raise FaceError(msg)
        if found.st_size > MOST_BYTES:
            msg = f"{path}: {found.st_size / 1e6:.0f} MB, expected at most {MOST_BYTES / 1e6:.0f} MB"
            raise FaceError(msg)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, FaceError):
            raise
        msg = f"{path}: {getattr(error, 'strerror', None) or error}"
        raise FaceError(msg) from None


def _check_size(header: Header, path: Path) -> None:
    """Raise `FaceError` for more pixels than are decoded."""
    pixels = header.width * header.height
    if pixels > MOST_PIXELS or header.decoded > MOST_DECODED:
        most = min(MOST_PIXELS, MOST_DECODED * pixels // header.decoded)
        which = " with transparency and 16 bits a channel" if most < MOST_PIXELS else ""
        msg = (
            f"{path}: {header.width}×{header.height} pixels are {pixels / 1e6:.0f} megapixels{which}, expected at most "
            f"{most / 1e6:.0f}; a smaller copy will do, nothing above 1024×1024 is used"
        )
        raise FaceError(msg)


def _how(header: Header) -> int:
    """OpenCV's way to decode: libjpeg can leave out detail as it goes."""
    if header.kind == "JPEG" and header.width * header.height > KEPT:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_COLOR


def _kept(picture: Pixels) -> Pixels:
    """The picture, shrunk if it has more pixels than are of use."""
    height, width = picture.shape[:2]
    if height * width <= KEPT:
        return picture
    scale = (KEPT / (height * width)) ** 0.5
    return shrunk(picture, max(1, int(width * scale)), max(1, int(height * scale)))


def _clear(whole: npt.NDArray[Any]) -> Pixels | None:
    """Colours and alpha as stored, of at most `KEPT` pixels, RGBA; None if nothing is transparent."""
    if whole.ndim != 3 or whole.shape[2] != 4:
        return None
    if whole[..., 3].min() == np.iinfo(whole.dtype).max:
        return None
    narrow = whole if whole.dtype == np.uint8 else cv2.convertScaleAbs(whole, alpha=1 / 257)
    return np.asarray(cv2.cvtColor(_kept(np.asarray(narrow, np.uint8)), cv2.COLOR_BGRA2RGBA), np.uint8)


def _turned_as(stored: Pixels, upright: Pixels) -> Pixels:
    """The alpha of a picture as stored, turned the way the decoder turned its colours (EXIF has eight ways)."""
    step = max(1, max(upright.shape) // 256)
    best, least = stored[..., 3], np.inf
    for transpose in (False, True):
        for flip in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            turned = (stored.transpose(1, 0, 2) if transpose else stored)[:: flip[0], :: flip[1]]
            if turned.shape[:2] == upright.shape[:2]:
                seen = turned[::step, ::step]
                away = float(np.abs(seen[..., :3].astype(int) - upright[::step, ::step]).mean())
                if away < least:
                    best, least = turned[..., 3], away
    return np.ascontiguousarray(best)
