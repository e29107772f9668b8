"""Both eyes at one output size, drawn together: each call costs more than the few pixels of an eye.

A closing lid pulls the skin between it and the brow down with it, column by column; its lashes are a layer of their
own, which turns downwards on the way. What is shut has the roundness of the eyeball beneath.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.eye_rims import ASIDE, STEPS
from npc_engine.frames.eye_textures import ROOT, TALL, Around, bare_lid, colours, lash_map, lashes
from npc_engine.frames.eye_windows import EYES, Box, Windows
from npc_engine.frames.eyeball import DEEP, REFLECTS, SHADE, Eyeball
from npc_engine.frames.eyes import Eye, lids
from npc_engine.frames.layering import lay_over, less, lightest, plus, product, rest, share, times
from npc_engine.frames.sampling import Places, exponential, limited, mixed, put, read_at
from npc_engine.moments import CHANNEL, Pixels

Floats: TypeAlias = npt.NDArray[np.float32]
Reach: TypeAlias = tuple[float, float, float, float]  # to the left, above, to the right and below

SOFT: Final = 1.7 / 512  # width of a lid's edge in picture edges
CHEEK: Final = 0.5  # share of a squint that a raised cheek brings to the lower lid
LOOK_MOST: Final = 0.35  # radians
PULLED, SLOPE = np.float32(0.1), np.float32(8)  # eye widths of skin that a lid pulls, and more for each that it goes
BARE: Final = np.float32(0.5)  # eye widths above a lid, beyond which there is nothing of its lashes
BESIDE: Final = np.float32(0.86)  # and to both sides of an eye's middle
BELOW: Final = np.float32(0.3)  # eye widths of skin that a lower lid pulls at most, unless it goes far
FIRM: Final = 0.10  # of what a lid pulls, the part next to its edge that is moved without stretching
EMERGES: Final = np.float32(0.4)
"""Share of its way that the skin of a closing lid slides: the rest of it comes out of the fold above."""
TURNED: Final = 0.55  # length of lashes that point down, of those that point up: we see them more from their tips
FLAT: Final = 0.16  # of their length, when they point at us
LINE: Final = 0.75  # how much of its lashes' colour the line between closed lids takes
BAG: Final = (48, 40)  # rows and columns of the texture of what a raised lower lid gathers below it
BAG_FROM, BAG_TO = -0.12, 0.42  # eye widths below that lid
BAG_MOST: Final = 0.25  # share of the skin that it covers there
_PER: Final = (STEPS - 1) / (2 * ASIDE)  # columns of a table in an eye's width


@dataclass(frozen=True, slots=True)
class _Lids:
    """The lids over both eyes' windows of h × w pixels: f32[2, h · w], in eye widths unless something else is said."""

    u: Floats
    column: Floats  # of the tables over u, the one of the left eye beside that of the right
    over: Floats  # how far above the edge of the upper lid
    under: Floats  # how far below the edge of the lower lid
    up: Floats  # how far the upper lid has moved down
    down: Floats  # and the lower
    above: Floats  # `over` as a share of the skin that the upper lid stretches, 0 where that begins
    below: Floats  # likewise `under`

    def of(self, table: Floats) -> Floats:
        """A table over u, f32[2, STEPS], at each pixel."""
        return table.take(self.column.astype(np.intp), mode="clip")


class EyePair:
    """Both eyes of a face at one output size."""

    def __init__(self, eyes: tuple[Eye, Eye], source: Pixels, size: int, scale: int) -> None:
        """`source` is the picture at `scale` times that size."""
        self._eyes, self._size, self._source = eyes, size, source
        self._unit = max(eye.width for eye in eyes) * size
        self._blinking, self._within = (
            tuple(max(sides) for sides in zip(*each, strict=True))
            for each in ([eye.blinking for eye in eyes], [eye.within for eye in eyes])
        )
        edge = size * scale
        turns = np.stack([eye.axes / (eye.width * edge) for eye in eyes])
        origins = np.stack([turn @ (eye.centre * edge - 0.5) for eye, turn in zip(eyes, turns, strict=True)])
        # u and v of a place: what x and y are multiplied with, and what is added, f32[3, 2, 1] each
        ways = np.concatenate([turns, -origins[..., None]], 2).transpose(1, 2, 0)[..., None]
        self._u, self._v = ways.astype(np.float32)
        self._down = _by_eye([eye.axes[1] * (eye.width * edge) for eye in eyes])
        self._look = (eyes[0].look_axes * edge).astype(np.float32)  # the same for both
        self._soft = np.array([[eye.width / SOFT] for eye in eyes], np.float32)
        self._centres, self._heads = (np.stack([getattr(e, name) for e in eyes]) for name in ("centre", "head"))
        self._rest, self._ways = (np.stack([getattr(e, name) for e in eyes]) for name in ("rest", "ways"))
        tables = [e.rims.above for e in eyes], [e.taper for e in eyes], [e.line for e in eyes]
        self._above, self._taper, self._line = (np.stack(t).astype(np.float32) for t in tables)
        self._first = np.array([[ASIDE * _PER + 0.5], [ASIDE * _PER + 0.5 + STEPS]], np.float32)
        around = [Around.cut(eye.rims, source) for eye in eyes]
        # the textures of both eyes lie side by side
        beside = [0, around[0].part.shape[1]]
        self._corner = _by_eye([a.low - [first, 0] for a, first in zip(around, beside, strict=True)])
        balls = [Eyeball(a, eye.iris, eye.iris_radius) for a, eye in zip(around, eyes, strict=True)]
        self._white, self._iris, self._glint = (
            _beside([getattr(ball, name) for ball in balls]) for name in ("white", "iris", "glint")
        )
        self._glints = bool(self._glint.any())
        maps = [lash_map(a) for a in around]
        bare = [bare_lid(*each) for each in zip(around, maps, strict=True)]
        self._bare = _beside(bare)
        sheets = [lashes(*each) for each in zip(around, bare, maps, strict=True)]
        self._lashes = _beside(sheets)
        rows, columns = (np.array([[s.shape[axis] - 1.0] for s in sheets], np.float32) for axis in (0, 1))
        self._lash_row = rows / np.float32(TALL + ROOT)
        self._lash_column = columns / np.float32(2 * ASIDE)
        self._lash_first = np.array([[0], [sheets[0].shape[1]]], np.float32)
        every = [colours(*each) for each in zip(around, bare, strict=True)]
        self._lash, self._shaded, self._lit = (np.stack(both) for both in zip(*every, strict=True))
        self._bag = _beside([_bag(c[1], c[2], eye) for c, eye in zip(every, eyes, strict=True)])

    def paint(self, out: Pixels, where: Places, box: Box, weights: Floats) -> None:
        """Draw lids and gaze over the RGBA `out`; `where` is the map by which `box` of it was read."""
        asked = [[float(weights[i]) for i in eye.channels] for eye in self._eyes]
        blink, wide = ([each[k] for each in asked] for k in (0, 1))
        squint = [min(1.0, each[2] + CHEEK * each[3]) for each in asked]
        pitch, yaw = (min(max(float(weights[CHANNEL[n]]), -LOOK_MOST), LOOK_MOST) for n in ("gazePitch", "gazeYaw"))
        # fades the whole eyeball in
        moved = [min(1.0, max(abs(pitch), abs(yaw)) / 0.03 + w / 0.1) for w in wide]
        drawn = [any(each) for each in zip(blink, squint, moved, strict=True)]
        if not any(drawn):
            return
        look = np.float32(np.sin(yaw)) * self._look[0] - np.float32(np.sin(pitch)) * self._look[1]
        look_down = (look[0] * self._v[0, :, 0] + look[1] * self._v[1, :, 0]).tolist()
        states = zip(self._eyes, blink, wide, squint, look_down, strict=True)
        going = np.array([eye.going(*state) for eye, *state in states], np.float32)
        tables = lids(self._rest, self._ways, going)
        pulled = [PULLED + SLOPE * np.abs(table) for table in tables[2:]]
        reach = self._blinking if any(blink) else self._reach(*pulled, squints=any(squint))
        head = weights[CHANNEL["headPitch"] : CHANNEL["headRoll"] + 1] @ self._heads
        windows = Windows((self._centres + head) * self._size, [self._unit * r for r in reach], box)
        place = windows.cut(where)
        over = self._lids(place, tables, pulled)
        skin = self._skin(place, over, blink, windows)
        seen = windows.cut_out(out) if min(moved) < 1 else None
        picture = self._eyeballs(place, over, (look, moved), skin, seen)
        if any(squint):
            picture = self._bags(picture, over, squint)
        if any(blink):
            picture = self._edges(picture, over, np.array(blink, np.float32)[:, None])
        windows.lay(picture, out, drawn)

    def _reach(self, up: Floats, down: Floats, *, squints: bool) -> Reach:
        """How far what is drawn may reach around an eye that does not blink, in eye widths."""
        left, top, right, bottom = self._within
        above, below = float(up.max()), float(BELOW) if squints else float(down.max())
        return left, min(top + above, self._blinking[1]), right, min(bottom + below, self._blinking[3])

    def _lids(self, place: Floats, tables: tuple[Floats, ...], pulled: list[Floats]) -> _Lids:
        x, y = place
        u, v = (x * way[0] + y * way[1] + way[2] for way in (self._u, self._v))
        column = u * np.float32(_PER) + self._first
        *_, up, down = tables
        firm = np.float32(1 / (1 - FIRM))
        way = np.abs(down)
        every = np.stack([
            *tables,
            firm / (np.minimum(self._above, pulled[0]) + np.maximum(up, 0)),
            firm / np.maximum(np.minimum(BELOW, pulled[1]), np.float32(2.2) * way),  # less would fold
        ])  # fmt: skip
        at = every.reshape(len(every), -1).take(column.astype(np.intp), axis=1, mode="clip")
        over, under = at[0] - v, v - at[1]
        begins = np.float32(FIRM / (1 - FIRM))
        return _Lids(u, column, over, under, at[2], at[3], over * at[4] - begins, under * at[5] - begins)

    def _skin(self, place: Floats, over: _Lids, blink: list[float], windows: Windows) -> Pixels:
        """The lids' skin, slid over the eyeball: RGBA of both windows."""
        # the upper lid pulls what is nearer to it
        upper, way, stretched = over.over > over.under, over.down.copy(), over.below.copy()
        put(over.up, upper, way)
        put(over.above, upper, stretched)
        slid = place - (way * _fade(stretched)) * self._down
        skin = read_at(self._source, *windows.planes(slid))
        if any(blink):
            slid = place - self._corner - (over.up * _fade(over.above) * EMERGES) * self._down
            emerged = read_at(self._bare, *windows.planes(slid))
            between = (over.over - over.under) * (np.float32(0.3) * self._soft) + np.float32(0.5)
            # the bare lid ends below the brow, which the picture itself shows, and before the other eye's
            lid = limited(between) * limited((BARE - over.over) * np.float32(8))
            lid *= limited((BESIDE - np.abs(over.u)) * np.float32(12))
            lid *= np.minimum(12 * np.array(blink, np.float32)[:, None], 1)
            skin = mixed(skin, emerged, lid.reshape(skin.shape[:2]))
        return skin

    def _eyeballs(
        self, place: Floats, over: _Lids, looking: tuple[Floats, list[float]], skin: Pixels, seen: Pixels | None
    ) -> Pixels:
        """The eyeballs with their lids' shadow beneath `skin`.

        `looking` is the way the irises go, f32[2] in pixels of the source, and how much of each is drawn; `seen` is
        what the picture shows there.
        """
        look, moved = looking
        place = place - self._corner
        shape = skin.shape[:2]
        ball = read_at(self._white, *_planes(place, shape))
        ball = lay_over(read_at(self._iris, *_planes(place - look[:, None, None], shape)), ball)
        if self._glints:
            at = place - (np.float32(REFLECTS) * look)[:, None, None]
            # a reflection never darkens what it falls upon
            ball = lightest(ball, lay_over(read_at(self._glint, *_planes(at, shape)), ball))
        # the share of a pixel that neither lid covers
        shown = less(share(over.over * self._soft, -1, 0.5), rest(share(over.under * self._soft, -1, 0.5)))
        dark = exponential(np.minimum(over.over, 0) * np.float32(1 / DEEP))
        if seen is None:
            light = product(shown, share(dark, -SHADE, 1))
            return plus(times(skin, rest(shown).reshape(shape)), times(ball, light.reshape(shape)))
        part = np.array(moved, np.float32)[:, None]
        lit = 1 - np.float32(SHADE) * dark
        # the picture has its own shadow
        own = 1 - np.float32(SHADE) * exponential(np.minimum(over.over - over.up, 0) * np.float32(1 / DEEP))
        own = np.minimum(lit / own, 1)
        model, picture = product(shown, share(lit * part)), product(shown, share(own * (1 - part)))
        both = plus(times(ball, model.reshape(shape)), times(seen, picture.reshape(shape)))
        return plus(times(skin, rest(shown).reshape(shape)), both)

    def _bags(self, picture: Pixels, over: _Lids, squint: list[float]) -> Pixels:
        """What a raised lower lid gathers below it."""
        rows, columns = BAG
        x = over.column * np.float32(columns / STEPS) - np.float32(0.5)
        y = (over.under - np.float32(BAG_FROM)) * np.float32((rows - 1) / (BAG_TO - BAG_FROM))
        bags = read_at(self._bag, x.reshape(picture.shape[:2]), y.reshape(picture.shape[:2]))
        for bag, strong in zip(np.split(bags, EYES), squint, strict=True):
            cv2.convertScaleAbs(bag, dst=bag, alpha=BAG_MOST * strong)
        return lay_over(bags, picture)

    def _edges(self, picture: Pixels, over: _Lids, blink: Floats) -> Pixels:
        """The roundness of closing lids, their lashes, and the line between closed lids; `blink` is f32[2, 1]."""
        shape = picture.shape[:2]
        line, above = over.of(self._line), over.over
        # the eyeball's bulge is lighter, the fold above it and the lid's margin are darker
        upper = np.minimum(np.maximum(above * np.float32(1 / 0.03), 0), blink)
        fold = above - np.float32(0.7) * over.of(self._above) - np.float32(0.4) * over.up
        dark = np.float32(0.22) * _hill(fold, 0, 0.07)
        dark += np.float32(0.30) * np.exp(np.maximum(above, 0) * np.float32(-1 / 0.05))
        dark *= upper * over.of(self._taper)
        picture = mixed(picture, _all(self._shaded, shape), dark.reshape(shape))
        light = np.float32(0.22) * upper * _hill(above, 0.145, 0.18) * _hill(over.u, 0, 0.28)
        picture = mixed(picture, _all(self._lit, shape), light.reshape(shape))
        turn = np.cos(np.pi * np.clip((blink - 0.1) / 0.75, 0, 1))
        length = np.copysign(np.maximum(np.abs(turn) * np.where(turn > 0, 1, TURNED), FLAT), turn).astype(np.float32)
        x = (over.u + np.float32(ASIDE)) * self._lash_column + self._lash_first
        y = (above / length + np.float32(ROOT)) * self._lash_row
        lash = read_at(self._lashes, x.reshape(shape), y.reshape(shape))
        grown = (1 + np.minimum(2 * blink, 1) * (line - 1)) * (blink > 0)
        picture = mixed(picture, lash, lash[..., 3] * np.float32(1 / 255) * grown.reshape(shape))
        closed = np.float32(LINE) * np.minimum(np.float32(1.4) * blink, 1) * line * _hill(above, 0, 0.024)
        return mixed(picture, _all(self._lash, shape), closed.reshape(shape))


def _by_eye(pairs: list[npt.NDArray[Any]]) -> Floats:
    """Two x and y, one of each eye: f32[2, 2, 1], the x of both first."""
    return np.stack(pairs, 1)[..., None].astype(np.float32)


def _beside(textures: list[Pixels]) -> Pixels:
    """Textures u8[h, w, 4] side by side; the last row of a lower one goes on."""
    height = max(len(t) for t in textures)
    return np.hstack([np.pad(t, ((0, height - len(t)), (0, 0), (0, 0)), mode="edge") for t in textures])


def _planes(place: Floats, shape: tuple[int, ...]) -> Places:
    """Places f32[2, 2, h · w] as x and y of a picture f32[2 h, w]."""
    x, y = place
    return x.reshape(shape), y.reshape(shape)


def _bag(shaded: Pixels, lit: Pixels, eye: Eye) -> Pixels:
    """What a raised lower lid gathers below it, over u and the way below that lid: a soft roll, and a fold under that.

    A layer in which 1 stands for `BAG_MOST`; `shaded` and `lit` u8[4] are the colours of fold and roll.
    """
    rows, columns = BAG
    below = np.linspace(BAG_FROM, BAG_TO, rows, dtype=np.float32)[:, None]
    taper = np.interp((np.arange(columns) + 0.5) * STEPS / columns, np.arange(STEPS), eye.taper)
    fold, roll = (
        (most * taper * _hill(below, middle, wide))[..., None]
        for most, middle, wide in ((0.20, 0.19, 0.06), (0.14, 0.08, 0.05))
    )
    ends = np.ones((rows, 1, 1))
    ends[[0, -1]] = 0  # beyond them there is nothing
    layer = (shaded * fold * (1 - roll) + lit * roll) * ends / BAG_MOST
    return np.asarray(np.round(np.clip(layer, 0, 255)), np.uint8)


def _hill(x: Floats, middle: float, wide: float) -> Floats:
    """A Gaussian of height 1."""
    return np.asarray(np.exp(-(((x - np.float32(middle)) * np.float32(1 / wide)) ** 2)), np.float32)


def _all(colour: Pixels, shape: tuple[int, ...]) -> Pixels:
    """A picture of both windows in one colour each, u8[2, 4]."""
    out = np.empty((EYES, shape[0] // EYES * shape[1]), np.uint32)  # NumPy is slow on a last axis of four bytes
    out[:] = colour.view(np.uint32)
    return out.view(np.uint8).reshape(*shape, 4)


def _fade(t: Floats) -> Floats:
    """Smoothly down from 1 at 0 to 0 at 1."""
    t = limited(t)
    fade = 2 * t
    fade -= 3
    fade *= t
    fade *= t
    fade += 1
    return fade
