"""Pictures in layers, and shares of them, as bytes: OpenCV weighs bytes by bytes in a quarter of the time of floats.

A share is u8[h, w], 255 for all of it. Pictures are RGBA u8[h, w, 4]; a layer's colours are multiplied by its matte.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Share: TypeAlias = npt.NDArray[np.uint8]

# OpenCV's stubs give every result the type of any array
_cv: Final[Any] = cv2


def share(values: Floats | Share, factor: float = 1.0, plus: float = 0.0) -> Share:
    """`values` h × w · `factor` + `plus`, as a share: what is below 0 is 0, what is above 1 is 1."""
    one = 1 if values.dtype == np.uint8 else 255
    out: Share = _cv.addWeighted(values, one * factor, values, 0, 255 * plus, dtype=cv2.CV_8U)
    return out


def share_of(layer: Pixels, times_as_opaque: float = 1.0) -> Share:
    """The matte of a layer, times as opaque."""
    matte: Share = _cv.extractChannel(layer, 3)
    return matte if times_as_opaque == 1 else scaled_by(matte, times_as_opaque)


def spread_down(row: Share, height: int) -> Share:
    """A row u8[w] as a share h × w."""
    return np.repeat(row[None], height, 0)


def rest(of: Share) -> Share:
    """What a share leaves."""
    return _cv.bitwise_not(of)  # type: ignore[no-any-return]


def less(of: Share, taken: Share) -> Share:
    """A share without another, and no less than nothing."""
    return _cv.subtract(of, taken)  # type: ignore[no-any-return]


def difference(one: Share, first: float, other: Share, second: float) -> Share:
    """`one` · `first` - `other` · `second`, and no less than nothing."""
    return _cv.addWeighted(one, first, other, -second, 0)  # type: ignore[no-any-return]


def averaged(of: Share, edge: int, above: int) -> Share:
    """A share's mean over squares of `edge` pixels, of whose rows so many lie above a pixel; beyond it is nothing."""
    anchor = edge // 2, above
    return _cv.blur(of, (edge, edge), anchor=anchor, borderType=cv2.BORDER_CONSTANT)  # type: ignore[no-any-return]


def product(one: Share, other: Share) -> Share:
    """A share of a share."""
    return _cv.multiply(one, other, scale=1 / 255)  # type: ignore[no-any-return]


def times(picture: Pixels, of: Share) -> Pixels:
    """The colours of a picture times a share; its alpha stays."""
    four = _cv.cvtColor(of, cv2.COLOR_GRAY2RGBA)
    return _cv.multiply(picture, four, dst=four, scale=1 / 255)  # type: ignore[no-any-return]


def scaled_by(bytes_: Pixels | Share, factor: float) -> Pixels | Share:
    """A layer or share times a number, in place."""
    return _cv.convertScaleAbs(bytes_, dst=bytes_, alpha=factor)  # type: ignore[no-any-return]


def looked_up(of: Share, table: Pixels) -> Pixels:
    """The picture that a table u8[1, 256, 4] has for a share."""
    four = _cv.cvtColor(of, cv2.COLOR_GRAY2RGBA)
    return _cv.LUT(four, table)  # type: ignore[no-any-return]


def shaded(layer: Pixels, light: Pixels) -> Pixels:
    """A layer times the shares in RGBA `light`, in place."""
    return _cv.multiply(layer, light, dst=layer, scale=1 / 255)  # type: ignore[no-any-return]


def plus(one: Pixels, other: Pixels) -> Pixels:
    """The sum of two layers, in place of the first."""
    return _cv.add(one, other, dst=one)  # type: ignore[no-any-return]


def lightest(one: Pixels, other: Pixels) -> Pixels:
    """What is lighter of two pictures, in place of the first."""
    return _cv.max(one, other, dst=one)  # type: ignore[no-any-return]


def darken(picture: Pixels, by: Pixels) -> None:
    """Take a picture from another, in place."""
    _cv.subtract(picture, by, dst=picture)


def without_less(of: Share, least: int) -> Share:
    """A share that is nothing where it is no more than `least`."""
    return _cv.threshold(of, least, 0, cv2.THRESH_TOZERO)[1]  # type: ignore[no-any-return]


def lay_over(layer: Pixels, behind: Pixels) -> Pixels:
    """A layer over what is behind it and opaque, in place of the layer."""
    return plus(layer, times(behind, rest(share_of(layer))))


def joined(upper: Pixels, lower: Pixels) -> Pixels:
    """A layer over another as one layer, in place of the upper one."""
    left = rest(share_of(upper))
    return plus(upper, shaded(lower, _cv.merge((left, left, left, left))))


def lay(colours: Pixels, out: Pixels) -> None:
    """Put the RGB of RGBA `colours` into the part `out` of an RGBA picture, whose alpha stays."""
    cv2.mixChannels([colours], [out], [0, 0, 1, 1, 2, 2])  # a fifth of what numpy takes
