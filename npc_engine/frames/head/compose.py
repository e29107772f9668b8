"""One picture: texture coordinates and light are drawn, looked up, multiplied and laid over what does not move."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np

from npc_engine.frames.head import light, sheet
from npc_engine.frames.head.asset import Floats, Ints
from npc_engine.frames.head.catchlight import Catchlights
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.frame import Frame
from npc_engine.frames.head.portion import Portion
from npc_engine.frames.head.raster import Window, around, within
from npc_engine.frames.head.scenery import Scenery
from npc_engine.frames.head.smooth import folds, over, smoothed
from npc_engine.moments import Pixels

MARGIN: Final = 3  # pixels drawn around the head, for soft edges
PEEP: Final = 0.012  # of the picture: so far beyond the rim of the lips' lining may something inside be seen


def planes(picture: Floats) -> list[Floats]:
    """The channels of f32[h, w, 3], each f32[h, w]."""
    return [np.asarray(plane, np.float32) for plane in cv2.split(picture)]


def looked_up(texture: Pixels, x: Floats, y: Floats) -> Pixels:
    """Texels RGBA at columns `x` and rows `y`, both f32[h, w], mixed of the four around."""
    # four channels are twice as fast as three
    return np.asarray(cv2.remap(texture, x, y, cv2.INTER_LINEAR), np.uint8)


Canvas: TypeAlias = tuple[Pixels, Pixels, Floats]
"""A window of a picture: RGB u8[h, w, 3], how much covers the scenery, u8[h, w], and depth f32[h, w]."""


class Composer:
    """Draws frames of a figure at one size."""

    def __init__(self, figure: Figure, size: int, background: Pixels | None) -> None:
        self.figure, self.size = figure, size
        self.sheet = sheet.Sheet.of(figure, size)
        self.catchlights = Catchlights(figure, self.sheet, size)
        self.scenery = Scenery(figure, size, background)

    def picture(self, frame: Frame) -> Pixels:
        """The frame as RGB or RGBA u8[size, size, 3 | 4]."""
        out, alpha = self.scenery.smooth.copy(), self.scenery.alpha
        places = self.figure.camera.pixels(frame.seen, self.size)
        window = around(places, MARGIN, self.size, self.size)
        if window:
            part, cover = self._part(frame, places, window)
            # the outermost pixels were smoothed without their neighbours
            core, inner = _core(window, self.size)
            out[core] = part[inner]
            if alpha is not None:
                alpha = alpha.copy()
                alpha[core] = np.maximum(alpha[core], cover[inner])
        return out if alpha is None else np.dstack([out, alpha])

    def _part(self, frame: Frame, places: Floats, window: Window) -> tuple[Pixels, Pixels]:
        """A window of the picture, RGB u8[h, w, 3], and how much of the scenery is covered there, u8[h, w]."""
        portion, locks = frame.portion, frame.portion.locks
        values = self.sheet.places.take(portion.order, axis=0)
        values[:, 2] = frame.light
        mesh = len(values) - (len(locks.points) if locks else 0)
        depth = self.scenery.depth[window].copy()
        coordinates = np.zeros((*depth.shape, 3), np.float32)
        lens = self.figure.camera.lens(self.size, window)
        if locks:  # first, as it hides much of the rest
            lens.draw(coordinates, depth, frame.seen[mesh:], locks.solid, values[mesh:])
        fronts = np.concatenate([portion.fronts, self._through_lips(portion, places)])
        lens.draw_fronts(coordinates, depth, frame.seen[:mesh], fronts, values[:mesh])
        x, y, glow = planes(coordinates)
        there = over(glow, 0)
        out = self.scenery.picture[window].copy()
        cv2.copyTo(lit(looked_up(self.sheet.colour, x, y), glow), there, out)
        corner = window[1].start, window[0].start
        self.catchlights.lay(out, frame, x, y, corner)
        border = np.asarray(cv2.GaussianBlur(there, (3, 3), 0), np.uint8)
        cover = border.copy()
        canvas = out, cover, depth
        if locks:
            self._lay(canvas, window, (frame.seen[mesh:], locks.frayed, values[mesh:]), places[mesh:])
        lashes = [array.take(portion.lash_vertices, axis=0) for array in (frame.seen, values, places)]
        self._lay(canvas, window, (lashes[0], portion.lashes, lashes[1]), lashes[2])
        lips = around(places[portion.lips] - np.array(corner, np.float32), 0, *depth.shape)
        more = (lips, folds(np.ascontiguousarray(y[lips]))) if lips else None
        # strands have drawn their depth: where solid hair frays is no edge
        return smoothed(out, depth, border, more), cover

    def _through_lips(self, portion: Portion, places: Floats) -> Ints:
        """Those triangles inside the mouth that the lips don't hide, whatever the expression."""
        rim, beyond = places[portion.rim], np.float32(PEEP * self.size)
        x, y = places.T
        left, top = rim[:, 0].min() - beyond, rim[:, 1].min() - beyond
        right, low = rim[:, 0].max() + beyond, rim[:, 1].max() + beyond
        # on which sides of the rim a vertex lies; a triangle is hidden whose corners share one
        sides = (x < left) | (x > right) * 2 | (y < top) * 4 | (y > low) * 8
        a, b, c = sides[portion.inside.T]
        return np.asarray(portion.inside[a & b & c == 0], np.int32)

    def _lay(self, canvas: Canvas, window: Window, strands: tuple[Floats, Ints, Floats], places: Floats) -> None:
        """Lay strands over a window of the picture.

        They are vertices in the viewer's frame, triangles and values of the vertices, which lie at `places`.
        """
        box = around(places, 0, self.size, self.size)
        if not box:
            return
        part = within(box, window)
        out, cover, depth = canvas[0][part], canvas[1][part], canvas[2][part]
        coordinates = np.zeros((*depth.shape, 3), np.float32)
        self.figure.camera.lens(self.size, box).draw(coordinates, depth, *strands)
        x, y, glow = planes(coordinates)
        colour = looked_up(self.sheet.colour, x, y)
        mine = cv2.copyTo(cv2.extractChannel(colour, 3), over(glow, 0))
        share = cv2.merge([mine, mine, mine])
        kept = cv2.multiply(out, cv2.bitwise_not(share), scale=1 / 255)
        cv2.add(kept, cv2.multiply(lit(colour, glow), share, scale=1 / 255), out)
        cv2.max(cover, mine, cover)


def lit(colour: Pixels, glow: Floats) -> Pixels:
    """RGB u8[h, w, 3]: the colour RGBA u8[h, w, 4] times stored light f32[h, w]."""
    grey = cv2.convertScaleAbs(glow, alpha=255.0)
    tone = cv2.cvtColor(colour, cv2.COLOR_RGBA2RGB)
    return np.asarray(cv2.multiply(tone, cv2.merge([grey, grey, grey]), scale=light.SCALE / 255), np.uint8)


def _core(window: Window, size: int) -> tuple[Window, Window]:
    """A window without its outermost pixels, unless they are the picture's: in the picture and in the window."""
    edges = [(part.start, part.stop, part.start + (part.start > 0), part.stop - (part.stop < size)) for part in window]
    (a, _, b, c), (d, _, e, f) = edges
    return (slice(b, c), slice(e, f)), (slice(b - a, c - a), slice(e - d, f - d))
