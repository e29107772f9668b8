"""Pictures as bytes for the wire and for files."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from npc_engine.moments import Pixels

JPEG_QUALITY: Final = 85
WEBP_QUALITY: Final = 80
FORMATS: Final = ("jpeg", "png", "webp")


def best_format(pixels: Pixels) -> str:
    """The format that suits a picture: png if it has transparency, else jpeg."""
    return "png" if pixels.shape[2] == 4 else "jpeg"


def encode_picture(pixels: Pixels, format: str) -> bytes:  # noqa: A002
    """RGB or RGBA pixels as a "jpeg" (quality 85, 4:2:0, RGB only), "png" or "webp" (quality 80) file.

    Raises `ValueError` for anything else.
    """
    if format not in FORMATS:
        msg = f"picture format {format!r}, expected one of {', '.join(FORMATS)}"
        raise ValueError(msg)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        msg = f"pixels of shape {pixels.shape} and type {pixels.dtype}, expected u8[h, w, 3 or 4]"
        raise ValueError(msg)
    if format == "png":
        # level 1: pictures leave in real time, and deeper levels cost more time than they save bytes
        code, options = ".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]
    elif format == "webp":
        code, options = ".webp", [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY]
    elif pixels.shape[2] == 4:
        msg = "a picture with transparency can't be a jpeg, expected png or webp"
        raise ValueError(msg)
    else:
        code = ".jpg"
        options = [
            cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]  # fmt: skip
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(code, cv2.cvtColor(pixels, order), options)
    if not done:
        msg = f"OpenCV could not write a {format} of shape {pixels.shape}"
        raise ValueError(msg)
    return data.tobytes()
