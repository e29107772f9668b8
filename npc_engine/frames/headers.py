"""What a picture file says of itself before it is decoded: PNG, JPEG and WebP."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

KINDS: Final = "expected a PNG, JPEG or WebP picture"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_OTHERS: Final = (
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL ", "JPEG XL"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"8BPS", "Photoshop"),
    (0, b"gimp xcf", "GIMP"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "SVG or XML"),
)
"""Place, first bytes and name of kinds that are not read: a refusal names them, whatever the name of the file says."""
_TURNED: Final = "; save it as one of those"


@dataclass(frozen=True, slots=True)
class Header:
    """Of a picture file that is whole as far as its frame tells."""

    kind: str  # PNG, JPEG or WebP
    width: int
    height: int
    clear: bool  # whether pixels may be transparent
    deep: bool  # whether it holds 16 bits a channel

    @property
    def decoded(self) -> int:
        """Bytes of the pixels as the decoder lays them out, transparency kept."""
        return self.width * self.height * ((8 if self.deep else 4) if self.clear else 3)


def read_header(data: bytes) -> Header:
    """The header of a picture file; `ValueError` says what came instead, and that a file is cut short."""
    try:
        if data.startswith(_PNG):
            header, whole = _png(data), b"IEND" in data[-64:]
        elif data.startswith(_JPEG):
            header, whole = _jpeg(data), b"\xff\xd9" in data[-4096:]
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            header, whole = _webp(data), len(data) >= struct.unpack("<I", data[4:8])[0] + 8
        else:
            raise ValueError(_foreign(data))
    except (struct.error, IndexError):
        whole = False
    if not whole or not header.width or not header.height:
        msg = f"cut short or damaged, its {len(data)} bytes hold no whole picture"
        raise ValueError(msg)
    return header


def _foreign(data: bytes) -> str:
    start = data[:64].lstrip(b"\xef\xbb\xbf \r\n\t") if data[:1] in b"\xef <\r\n\t" else data
    for at, magic, name in _OTHERS:
        if start[at : at + len(magic)] == magic:
            return f"a {name} file, {KINDS}{_TURNED}"
    starts = f"begins with {data[:4].hex(' ')}" if data else "is empty"
    return f"not a picture that we read (it {starts}), {KINDS}"


def _png(data: bytes) -> Header:
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    clear = colour in (4, 6)
    at = 8
    while not clear:
        length, chunk = struct.unpack(">I4s", data[at : at + 8])
        if chunk in (b"IDAT", b"IEND"):
            break
        clear = chunk == b"tRNS"
        at += 12 + length
    return Header("PNG", width, height, clear, depth == 16)


def _jpeg(data: bytes) -> Header:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        # the start-of-frame markers; C4, C8 and CC are tables and extensions
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Header("JPEG", width, height, clear=False, deep=False)
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])


def _webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return Header("WebP", width, height, clear=bool(data[20] & 0x10), deep=False)
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return Header("WebP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), clear=bool(bits >> 28 & 1), deep=False)
    width, height = struct.unpack("<HH", data[26:30])
    return Header("WebP", width & 0x3FFF, height & 0x3FFF, clear=False, deep=False)
