"""Read a picture file that somebody gives us: every usual kind, and a clear reason for what can't be used."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.cast import CastError
from npc_engine.moments import Pixels

MOST_PIXELS: Final = 50_000_000  # decoded it takes 150 MB; cameras and painters' scans stay below
MOST_BYTES: Final = 100_000_000
_KINDS: Final = "expected a PNG, JPEG or WebP picture"


class FaceError(CastError):
    """A picture or face that can't be used: says why and what would do."""


def read_picture(path: Path) -> Pixels:
    """The picture in a PNG, JPEG or WebP file, upright, as RGB or (if any of it is transparent) RGBA.

    Grey and 16-bit pictures become 8-bit colour, EXIF orientation is applied, of an animation the first picture is
    taken. Raises `FaceError` for what is no picture, is cut short, or has more than 50 megapixels (before decoding).
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            msg = f"{path}: {size / 1e6:.0f} MB, expected at most {MOST_BYTES / 1e6:.0f} MB"
            raise FaceError(msg)
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise FaceError(msg) from None
    width, height = _dimensions(data, path)
    if width * height > MOST_PIXELS:
        msg = (
            f"{path}: {width}×{height} pixels are {width * height / 1e6:.0f} megapixels, expected at most "
            f"{MOST_PIXELS / 1e6:.0f}; a smaller copy will do, nothing above 1024×1024 is used"
        )
        raise FaceError(msg)
    raw = np.frombuffer(data, np.uint8)
    try:
        colour = cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB)  # applies the orientation, widens grey, narrows 16 bits
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if colour is not None else None
    except cv2.error as error:
        msg = f"{path}: can't be decoded ({error.err or error.code})"
        raise FaceError(msg) from None
    if colour is None or whole is None:
        msg = f"{path}: damaged, its {width}×{height} pixels can't be decoded"
        raise FaceError(msg)
    upright = np.ascontiguousarray(colour, np.uint8)
    if whole.ndim == 3 and whole.shape[2] == 4:
        alpha = _oriented_alpha(whole, upright)
        if alpha.min() < 255:
            return np.dstack([upright, alpha])
    return upright


def _oriented_alpha(whole: npt.NDArray[Any], colour: Pixels) -> Pixels:
    """The alpha of a picture as stored, turned the way the decoder turned its colours (EXIF has eight ways)."""
    depth = 257.0 if whole.dtype == np.uint16 else 1.0
    eighth = (whole / depth).round().astype(np.uint8)
    best, least = eighth[..., 3], np.inf
    for transpose in (False, True):
        for flip in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            turned = (eighth.transpose(1, 0, 2) if transpose else eighth)[:: flip[0], :: flip[1]]
            if turned.shape[:2] == colour.shape[:2]:
                away = float(np.abs(turned[::7, ::7, 2::-1].astype(int) - colour[::7, ::7]).mean())
                if away < least:
                    best, least = turned[..., 3], away
    return np.ascontiguousarray(best)


def _dimensions(data: bytes, path: Path) -> tuple[int, int]:
    """Width and height as the file's header says, having checked that the file is whole."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            found, whole = struct.unpack(">II", data[16:24]), b"IEND" in data[-64:]
        elif data.startswith(b"\xff\xd8\xff"):
            found, whole = _jpeg(data), b"\xff\xd9" in data[-4096:]
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found, whole = _webp(data), len(data) >= struct.unpack("<I", data[4:8])[0] + 8
        else:
            starts = f"begins with {data[:4].hex(' ')}" if data else "is empty"
            msg = f"{path}: not a picture that we read (it {starts}), {_KINDS}"
            raise FaceError(msg)
    except (struct.error, IndexError):
        found, whole = (0, 0), False
    if not whole or not all(found):
        msg = f"{path}: cut short or damaged, its {len(data)} bytes hold no whole picture"
        raise FaceError(msg)
    return int(found[0]), int(found[1])


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        # the start-of-frame markers; C4, C8 and CC are tables and extensions
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF
