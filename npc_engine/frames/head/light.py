"""Light on skin, hair and cloth, computed at vertices in the viewer's frame.

Pictures hold sRGB, and what is drawn is texture times light. Both are powers of light in nature, so that the product
of the two is right when light, too, is raised to 1/2.2; `SCALE` leaves room for what is brighter than white paper.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from npc_engine.frames.head.asset import Floats, Ints
from npc_engine.frames.head.raster import Camera, away, canvas

SCALE: Final = 2.0
"""Light stored as 1 is this bright."""
SHADOW: Final = 512  # pixels a side of the picture that the key light has of the figure


def _unit(x: float, y: float, z: float) -> Floats:
    v = np.array([x, y, z], np.float32)
    return np.asarray(v / np.linalg.norm(v), np.float32)


def _rgb(red: float, green: float, blue: float) -> Floats:
    return np.array([red, green, blue], np.float32)


KEY, FILL = _unit(-0.52, 0.60, 0.72), _unit(0.80, 0.12, 0.62)
RIM, RIM_OTHER = _unit(0.72, 0.42, -0.62), _unit(-0.80, 0.25, -0.62)
_HALF: Final = _unit(float(KEY[0]), float(KEY[1]), float(KEY[2]) + 1)
LUMA: Final = _rgb(0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Rig:
    """The colours of the lamps and of the sky, and how skin spreads light; f32[3], or f32[1] without colour."""

    key: Floats
    fill: Floats
    rim: Floats
    other: Floats
    sky: Floats
    ground: Floats
    wrap: Floats  # how far light creeps into the shadow beneath skin: red farthest (d'Eon & Luebke 2007)
    bleed: Floats  # how much of what a shadow or hollow takes comes back through the skin

    def grey(self) -> Rig:
        """The same lamps without colour: a third of the work."""
        return Rig(*(np.array([LUMA @ getattr(self, f.name)], np.float32) for f in fields(self)))


COLOURED: Final = Rig(
    key=_rgb(1.00, 0.945, 0.875) * 0.92,
    fill=_rgb(0.80, 0.92, 1.08) * 0.20,
    rim=_rgb(0.86, 0.95, 1.12) * 0.85,
    other=_rgb(1.1, 0.92, 0.75) * 0.30,
    sky=_rgb(0.94, 1.0, 1.08) * 0.40,
    ground=_rgb(1.08, 0.92, 0.82) * 0.17,
    wrap=_rgb(0.46, 0.26, 0.20),
    bleed=_rgb(0.30, 0.10, 0.06),
)
GREY: Final = COLOURED.grey()


def _stored(light: Floats) -> Floats:
    return np.asarray(np.power(np.maximum(light, 0) / SCALE**2.2, 1 / 2.2), np.float32)


def skin(rig: Rig, normals: Floats, views: Floats, open_: Floats, *, sun: Floats, gloss: Floats) -> Floats:
    """Stored light f32[n, 3] on skin, f32[n, 1] by a rig without colour.

    `normals` and `views` (towards the viewer) f32[n, 3] are unit; `open_` is how much sky, `sun` how much of the key
    light a point sees, and `gloss` how oily it is, all f32[n], 0..1.
    """
    lit = normals @ np.stack([KEY, FILL, RIM, RIM_OTHER, _HALF], 1)
    key = np.clip((lit[:, :1] + rig.wrap) / (1 + rig.wrap), 0, 1)
    through = sun[:, None] + (1 - sun[:, None]) * rig.bleed
    dim = open_[:, None] + (1 - open_[:, None]) * rig.bleed * 0.6
    light = rig.key * (key * np.sqrt(key)) * through
    light += rig.fill * np.clip((lit[:, 1:2] + 0.5) / 1.5, 0, 1) * dim
    light += (rig.ground + (rig.sky - rig.ground) * (0.5 + 0.5 * normals[:, 1:2])) * (dim * (0.35 + 0.65 * dim))
    facing = np.clip(np.einsum("nc,nc->n", normals, views), 0, 1)[:, None]
    edge = (1 - facing) ** 2
    open1 = open_[:, None]
    light += rig.rim * (np.clip(lit[:, 2:3] + 0.12, 0, 1) * (0.25 + 0.75 * edge) * open1)
    light += rig.other * (np.clip(lit[:, 3:4] + 0.12, 0, 1) * (0.25 + 0.75 * edge) * open1)
    shine = np.clip(lit[:, 4:5], 0, 1)
    two = shine * shine
    eight = two * two
    eight = eight * eight
    broad = eight * two * 0.10 + (eight * eight * eight) * 0.26
    light += broad * (gloss[:, None] * sun[:, None]) * (1 + 2 * edge)
    return _stored(light)


def hair(tangents: Floats, normals: Floats, views: Floats, open_: Floats, sun: Floats) -> Floats:
    """Stored light f32[n, 1] on strands along unit `tangents`, with two lobes of shine (Kajiya & Kay 1989)."""
    lit = normals @ np.stack([KEY, FILL, RIM, RIM_OTHER], 1)
    along = tangents @ KEY
    across = np.sqrt(np.clip(1 - along * along, 0, 1))
    key = (0.62 * np.clip((lit[:, 0] + 0.35) / 1.35, 0, 1) + 0.38 * across) * sun
    half = KEY + views
    half /= np.sqrt(np.einsum("nc,nc->n", half, half))[:, None]
    tilt = np.einsum("nc,nc->n", tangents, half)
    front = np.clip(lit[:, 0] + 0.25, 0, 1) * sun
    outer = np.exp(-60 * (tilt - 0.10) ** 2) * front * 0.55
    inner = np.exp(-22 * (tilt + 0.12) ** 2) * front * 0.75
    light = GREY.key * key * 0.95 + GREY.fill * np.clip((lit[:, 1] + 0.5) / 1.5, 0, 1)
    light += (GREY.ground + (GREY.sky - GREY.ground) * (0.5 + 0.5 * normals[:, 1])) * open_
    behind = tangents @ RIM
    light += GREY.rim * 1.1 * np.clip(lit[:, 2] + 0.25, 0, 1) * np.clip(1 - behind * behind, 0, 1) ** 3
    light += GREY.other * 1.4 * np.clip(lit[:, 3] + 0.2, 0, 1)
    return _stored((light * (1 + 1.3 * (inner + outer)) + 0.05 * outer)[:, None])


def cloth(rig: Rig, normals: Floats, views: Floats, open_: Floats, sun: Floats) -> Floats:
    """Stored light f32[n, 3] on matt cloth, a little brighter where its nap is seen from aside."""
    lit = normals @ np.stack([KEY, FILL, RIM, RIM_OTHER], 1)
    light = rig.key * (np.clip((lit[:, :1] + 0.12) / 1.12, 0, 1) * sun[:, None])
    light += rig.fill * np.clip((lit[:, 1:2] + 0.4) / 1.4, 0, 1)
    light += (rig.ground + (rig.sky - rig.ground) * (0.5 + 0.5 * normals[:, 1:2])) * open_[:, None]
    edge = (1 - np.clip(np.einsum("nc,nc->n", normals, views), 0, 1))[:, None] ** 2
    light += rig.rim * np.clip(lit[:, 2:3] + 0.1, 0, 1) * (0.3 + 0.7 * edge)
    light += rig.other * np.clip(lit[:, 3:4] + 0.1, 0, 1) * (0.3 + 0.7 * edge)
    return _stored(light + 0.05 * edge)


class Sun:
    """The key light, with a depth picture of all that throws shadows, taken from it."""

    def __init__(self, points: Floats, casters: Floats, triangles: Ints, turn: Floats) -> None:
        """Looks at `points` f32[n, 3]; `casters` f32[m, 3] with `triangles` throw the shadows.

        `turn` brings all into the viewer's frame, where KEY is.
        """
        side = np.cross([0, 1, 0], KEY)
        side /= np.linalg.norm(side)
        frame = np.stack([side, np.cross(KEY, side), KEY]).astype(np.float32) @ turn
        middle = points.mean(0)
        reach = 2 * float(np.linalg.norm(points - middle, axis=1).max())
        self._camera = Camera(middle, frame, 60.0, reach)
        self._spread = 0.10 / reach * SHADOW  # a lamp with an edge: shadows soften over a centimetre
        _, depth = canvas(SHADOW)
        self._camera.lens(SHADOW).deep(depth, self._camera.seen(casters), triangles)
        self._away = away(depth).ravel()

    def seen(self, points: Floats, normals: Floats, bias: float) -> Floats:
        """How much of the light each of `points` f32[n, 3] with unit normals sees, f32[n], 0..1, soft-edged."""
        spots = self._camera.seen(points + normals * np.float32(0.02))
        at = self._camera.pixels(spots, SHADOW)
        edge = int(self._spread + 1)
        place = np.clip(at, edge, SHADOW - 1 - edge).astype(np.int32) @ np.array([1, SHADOW], np.int32)
        least = -spots[:, 2] - np.float32(bias)
        steps = [round(a * self._spread) for a in (-1.0, -0.5, 0.0, 0.5, 1.0)]
        found = [self._away[place + (b * SHADOW + a)] > least for a in steps for b in steps]
        return np.asarray(np.mean(found, 0, np.float32), np.float32)
