"""The parts of a picture around both eyes, as arrays that hold one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from npc_engine.frames.layering import lay
from npc_engine.frames.sampling import Places
from npc_engine.moments import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Box: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom in output pixels
Part: TypeAlias = tuple[slice, slice]

EYES: Final = 2


class Windows:
    """Two windows of one size on a drawn picture; what of them lies beyond `box` is left out."""

    def __init__(self, middles: npt.NDArray[Any], reach: Sequence[float], box: Box) -> None:
        """`middles` f64[2, 2] are in output pixels, and so is how far a window reaches to left, top, right, bottom."""
        left, top, right, bottom = reach
        self.width, self.height = int(left + right) + 2, int(top + bottom) + 2
        self._parts: list[tuple[Part, Part, Part]] = []  # of a window, of the box, of the picture
        for x, y in middles.tolist():
            first = int(x - left), int(y - top)
            low = max(first[0], box[0]), max(first[1], box[1])
            high = max(low[0], min(first[0] + self.width, box[2])), max(low[1], min(first[1] + self.height, box[3]))
            self._parts.append(tuple(_part(low, high, origin) for origin in (first, box, (0, 0))))  # type: ignore[arg-type]
        mine = self._parts
        self._whole = all(
            rows.stop - rows.start == self.height and columns.stop - columns.start == self.width
            for (rows, columns), *_ in mine
        )

    def cut(self, where: Places) -> Floats:
        """The windows of a map of the box: f32[2, 2, h · w], the x of both windows and then the y."""
        make = np.empty if self._whole else np.zeros
        out = make((2, EYES, self.height, self.width), np.float32)
        for k, (mine, its, _) in enumerate(self._parts):
            for axis in (0, 1):
                out[axis, k][mine] = where[axis][its]
        return out.reshape(2, EYES, -1)

    def cut_out(self, picture: Pixels) -> Pixels:
        """The windows of a picture RGBA, one below the other."""
        make = np.empty if self._whole else np.zeros
        out = make((EYES, self.height, self.width, 4), np.uint8)
        for k, (mine, _, its) in enumerate(self._parts):
            out[k][mine] = picture[its]
        return out.reshape(-1, self.width, 4)

    def planes(self, place: Floats) -> Places:
        """Places f32[2, 2, h · w] as x and y of both windows, one below the other."""
        x, y = place
        return x.reshape(-1, self.width), y.reshape(-1, self.width)

    def lay(self, windows: Pixels, out: Pixels, drawn: Sequence[bool]) -> None:
        """Put the colours of those windows into a picture that are drawn."""
        both = windows.reshape(EYES, self.height, self.width, 4)
        for window, (mine, _, its), wanted in zip(both, self._parts, drawn, strict=True):
            part = window[mine]
            if wanted and part.size:
                lay(part, out[its])


def _part(low: tuple[int, int], high: tuple[int, int], origin: Sequence[int]) -> Part:
    return slice(low[1] - origin[1], high[1] - origin[1]), slice(low[0] - origin[0], high[0] - origin[0])
