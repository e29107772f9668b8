"""OpenCV's resampling, with the types and defaults that the portrait needs."""

from __future__ import annotations

from typing import Any, Final, TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = tuple[Floats, Floats]  # x and y of each pixel, f32[h, w] each
Array = TypeVar("Array", bound=npt.NDArray[Any])

# OpenCV's stubs give every result the type of any array and refuse None for a missing second map
_cv: Final[Any] = cv2


def read(source: Array, where: npt.NDArray[Any]) -> Array:
    """`source` h×w[×c] read at `where` f[..., 2] (x, y), linearly; beyond its border the border goes on."""
    at = np.asarray(where, np.float32)  # OpenCV reads a window of a map without copying it
    return _cv.remap(source, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[no-any-return]


def read_at(source: Array, x: Floats, y: Floats) -> Array:
    """`source` h×w[×c] read at `x` and `y` f32[h, w], as `read` does; of one or four channels that is much faster."""
    return _cv.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[no-any-return]


def read_to(source: Array, x: Floats, y: Floats, target: Array) -> None:
    """What `read_at` gives, written into `target`."""
    _cv.remap(source, x, y, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REPLICATE)


def enlarged(field: Array, width: int, height: int) -> Array:
    """`field` stretched linearly to width × height; cells, not their centres, meet at the borders."""
    return _cv.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[no-any-return]


def enlarged_by(field: Array, factor: float) -> Array:
    """`field` stretched linearly by exactly `factor`, and cut to whole pixels at its right and lower border."""
    return _cv.resize(field, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)  # type: ignore[no-any-return]


def framed(field: Array) -> Array:
    """`field` with its border repeated once on all sides."""
    return _cv.copyMakeBorder(field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)  # type: ignore[no-any-return]


def shrunk(picture: Array, width: int, height: int) -> Array:
    """`picture` at another size: averaged if smaller, cubic if larger."""
    smaller = width < picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return _cv.resize(picture, (width, height), interpolation=how)  # type: ignore[no-any-return]


def moved(source: Array, matrix: npt.NDArray[Any], width: int, height: int, *, border: int) -> Array:
    """The width × height picture whose pixel (x, y) is `source` at `matrix` f[2, 3] · (x, y, 1), linearly."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return _cv.warpAffine(source, matrix, (width, height), flags=flags, borderMode=border)  # type: ignore[no-any-return]


def opaque(picture: Pixels) -> Pixels:
    """`picture` with an alpha channel, of its own or full: OpenCV reads four channels in half the time of three."""
    return picture if picture.shape[2] == 4 else _cv.cvtColor(picture, cv2.COLOR_RGB2RGBA)


def without_alpha(picture: Pixels) -> Pixels:
    """The RGB of an RGBA picture."""
    return _cv.cvtColor(picture, cv2.COLOR_RGBA2RGB)  # type: ignore[no-any-return]


def add(one: Array, other: Array) -> Array:
    """The sum of two arrays of one shape."""
    return _cv.add(one, other)  # type: ignore[no-any-return]


def product(one: Floats, other: Floats) -> Floats:
    """The product of two arrays of one shape, in place of the first."""
    return _cv.multiply(one, other, dst=one)  # type: ignore[no-any-return]


def weighed_sum(one: Floats, first: float, other: Floats, second: float) -> Floats:
    """`one` · `first` + `other` · `second`, in one pass."""
    return _cv.addWeighted(one, first, other, second, 0)  # type: ignore[no-any-return]


def chosen(source: Floats, where: npt.NDArray[np.bool_], target: Floats) -> None:
    """Copy `source` f32[h, w, c] to `target` where `where` bool[h, w] says so."""
    _cv.copyTo(source, where.view(np.uint8), dst=target)


def put(source: Floats, where: npt.NDArray[np.bool_], target: Floats) -> None:
    """Copy `source` to `target` where `where` says so, all [h, w]; numpy takes five times as long."""
    _cv.copyTo(source, where.view(np.uint8), dst=target)


def limited(values: Floats) -> Floats:
    """`values` f32[h, w] within 0..1."""
    _, values = _cv.threshold(values, 1, 0, cv2.THRESH_TRUNC)
    return _cv.threshold(values, 0, 0, cv2.THRESH_TOZERO, dst=values)[1]  # type: ignore[no-any-return]


def exponential(values: Floats) -> Floats:
    """The exponentials of `values` f32[h, w], in place of them."""
    return _cv.exp(values, dst=values)  # type: ignore[no-any-return]


def scale_add(array: Floats, factor: float, total: Floats) -> None:
    """Add `array` f32[h, w] · `factor` to `total` f32[h, w], in one pass."""
    _cv.scaleAdd(array, factor, total, dst=total)


def largest(array: Floats) -> float:
    """The largest magnitude in a contiguous array f32[..., w]."""
    return _cv.norm(array.reshape(-1, array.shape[-1]), cv2.NORM_INF)  # type: ignore[no-any-return]


def scaled(array: Floats, factor: float, plus: Floats) -> Floats:
    """`array` · `factor` + `plus`, both of one shape, in one pass."""
    return _cv.scaleAdd(array, factor, plus).reshape(array.shape)  # type: ignore[no-any-return]


def mixed(first: Pixels, second: Pixels, share: npt.NDArray[Any]) -> Pixels:
    """`first` where `share` f[h, w] is 0, `second` where it is 1."""
    share = np.asarray(share, np.float32)
    return _cv.blendLinear(first, second, 1 - share, share)  # type: ignore[no-any-return]


def weighed(first: Pixels, second: Pixels, one: Floats, two: Floats) -> Pixels:
    """`first` and `second` in the proportion of `one` and `two` f32[h, w]; black where both are 0."""
    return _cv.blendLinear(first, second, one, two)  # type: ignore[no-any-return]


def blurred(array: Array, across: float, along: float | None = None) -> Array:
    """`array` under a Gaussian of `across` pixels in x and `along` in y (the same unless told)."""
    x, y = max(across, 0.3), max(across if along is None else along, 0.3)
    # beyond 32 channels OpenCV wants a plain border
    return _cv.GaussianBlur(array, (0, 0), sigmaX=x, sigmaY=y, borderType=cv2.BORDER_REPLICATE)  # type: ignore[no-any-return]


def carried_on(values: Floats, known: Floats) -> Floats:
    """`values` f32[h, w, c] where `known` f32[h, w] is 1, and around it their means over ever wider squares."""
    height, width = known.shape
    if min(height, width) <= 2 or known.min() >= 1:
        mean = (values * known[..., None]).sum((0, 1)) / max(float(known.sum()), 1e-3)
        return np.where(known[..., None] > 0, values, mean).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    weight = shrunk(known, *half)
    mean = shrunk(values * known[..., None], *half).reshape(half[1], half[0], -1)
    mean /= np.maximum(weight, np.float32(1e-3))[..., None]
    wide = shrunk(carried_on(mean, np.minimum(1, 4 * weight)), width, height).reshape(values.shape)
    return values * known[..., None] + blurred(wide, 0.8).reshape(values.shape) * (1 - known[..., None])


def smooth(t: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Smoothstep: 0 up to 0, 1 from 1 on."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
