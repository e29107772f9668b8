"""Rows of teeth, drawn once: brightness and matte, to be coloured and lit as the picture is."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

FINE: Final = 400  # pixels of a row per mouth width
HALF: Final = 0.56  # rows reach this far to both sides, in mouth widths
UPPER_EDGES: Final = (0.0, 0.165, 0.285, 0.385, 0.455, 0.50, 0.535)
LOWER_EDGES: Final = (0.0, 0.105, 0.215, 0.320, 0.400, 0.455, 0.50)
"""Where one tooth ends and the next begins, in mouth widths from the middle: incisors, canine, teeth seen askew.

A mouth is 50 mm wide; central incisors 8.5 and 5.5 mm, laterals 6.5 and 6, canines 7.5 and 7 (Wheeler's averages).
"""
UPPER_TALL, LOWER_TALL = 0.20, 0.17  # mouth widths


def upper_row() -> Floats:
    """The upper row f32[h, w, 2], its biting edge at the bottom."""
    return _row(UPPER_EDGES, UPPER_TALL, 0.0)


def lower_row() -> Floats:
    """The lower row f32[h, w, 2], its biting edge at the top."""
    return np.ascontiguousarray(_row(LOWER_EDGES, LOWER_TALL, 0.012)[::-1])


def _row(edges: tuple[float, ...], tall: float, uneven: float) -> Floats:
    x = (np.arange(-HALF * FINE, HALF * FINE) + 0.5) / FINE
    y = ((np.arange(round(tall * FINE)) + 0.5) / FINE)[:, None]  # from the gum down
    a, e = np.abs(x), np.array(edges)
    k = np.clip(np.searchsorted(e, a, side="right") - 1, 0, len(e) - 2)
    wide = e[k + 1] - e[k]
    t = np.abs((a - e[k]) / wide * 2 - 1)  # 0 in the middle of a tooth, 1 at its sides
    # the arch rises to the sides, the lateral incisors are shorter, corners are rounded
    lift = 0.10 * a**2 + np.where(k == 1, 0.014, 0) + np.where(k > 2, 0.01, 0) + uneven * (k % 2)
    edge = tall - 0.012 - lift - 0.022 * t**4
    matte = np.clip(0.5 + (edge - y) / 0.008, 0, 1) * (a <= e[-1])
    bulge = 1 - 0.16 * t**3
    groove = 1 - 0.38 * np.exp(-(((1 - t) * wide / 0.007) ** 2))
    arch = np.clip(1 - (a / 0.60) ** 2.2, 0, 1) ** 0.9  # the further back, the darker
    light = bulge * groove * arch * (0.80 + 0.20 * np.clip(y / (0.55 * tall), 0, 1))
    return np.stack([light, matte], -1).astype(np.float32)
