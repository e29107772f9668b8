"""Everything about one described head that does not change from picture to picture."""

from __future__ import annotations

import threading
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from npc_engine.frames.head import light
from npc_engine.frames.head.asset import (
    LASHES,
    LOWER_TEETH,
    MOUTH,
    SKIN,
    SOCKET,
    TONGUE,
    UPPER_TEETH,
    Asset,
    Floats,
    Ints,
)
from npc_engine.frames.head.garment import Garment, sewn
from npc_engine.frames.head.hair import Hair, grown
from npc_engine.frames.head.inside import paint_inside
from npc_engine.frames.head.layout import COARSE, Layout, uv_map
from npc_engine.frames.head.mouth import lip_rims, lip_vertices, reached
from npc_engine.frames.head.portion import Portion
from npc_engine.frames.head.pose import Poser, rotation
from npc_engine.frames.head.raster import Camera
from npc_engine.frames.head.shaping import shaped
from npc_engine.frames.head.skin import skin_texture
from npc_engine.frames.head.visible import Range, all_seen, seen_within
from npc_engine.head_spec import HeadSpec

DISTANCE: Final = 15.0  # decimetres from the viewer: a portrait lens
HIGH: Final = 3.30  # decimetres that the picture shows of a grown head at zoom 1
PARTED: Final = 0.04  # decimetres between lips from which on light falls in
USUAL: Final = 0.6155  # decimetres between the eyes of the base head
RANGES: Final = (Range(0.06, 0.09, 0.05), Range(0.2, 0.25, 0.15))  # while it speaks, and as far as limits let it turn


class Figure:
    """A shaped head with its textures, hair and clothes at rest."""

    def __init__(self, head: Asset, spec: HeadSpec) -> None:
        self.head, self.spec = head, spec
        self.rest = shaped(head, spec)
        self.poser = Poser(head, self.rest)
        eyes = self.poser.eyes
        layout = Layout.of(head, self.rest, eyes)
        self.unit = layout.unit
        skull = self.rest[head.skull].mean(0)
        self.centre = np.array(
            [0, layout.origin[1] + 0.25 * self.unit, 0.5 * (skull[2] + layout.origin[2])], np.float32
        )
        self.hair: Hair | None = grown(head, self.rest, eyes.centres, self.centre, spec)
        self.garment: Garment | None = sewn(head, self.rest, self.poser.carried, spec)
        self.scalp = self._scalp(layout)
        box, found, _ = uv_map(head, np.repeat(self.scalp[head.vertex][:, None], 3, 1), (SKIN,), COARSE)
        scalp = np.zeros((COARSE, COARSE), np.float32)
        scalp[box] = found[..., 0]
        texture = skin_texture(head, layout, spec, scalp)
        paint_inside(texture, head, self.rest, spec)
        self.texture: npt.NDArray[np.uint8] = np.asarray(
            cv2.convertScaleAbs(np.maximum(texture, 0), alpha=255), np.uint8
        )
        self.gloss = self._gloss(layout)
        self.camera = self._camera(layout)
        self.open = self._openness()
        self.lashes = self.lash_vertices()
        below = self.rest[head.vertex][:, 1] < layout.origin[1]
        self.lower_lashes = self.lashes & below
        lip = list(lip_rims(head))
        self.lip_vertices = lip_vertices(head, self.rest)
        self.inner, self.inner_light = reached(head, self.rest)
        self.lips, self.lips_apart = lip, float(np.linalg.norm(self.rest[lip[0]] - self.rest[lip[1]]))
        self.upper_lids = self._upper_lids()
        self._shadows()
        if self.hair:
            low = self.centre[1] - self.hair.points[:, 1]
            self.hair_open = np.asarray(np.clip(1.15 - 0.28 * np.maximum(low, 0), 0.35, 1), np.float32)
            chin = self.rest[head.marks["chin"], 1]
            self.hair_still = np.asarray(np.clip((chin - self.hair.points[:, 1]) / 1.6, 0, 0.85), np.float32)
        self._portions: dict[Range | None, Portion] = {}
        self._lock = threading.Lock()
        self.portion(0, 0, 0)

    def portion(self, pitch: float, yaw: float, roll: float) -> Portion:
        """What can be seen of the figure with its head turned by these angles: cut out once for each range of them."""
        turns = next((one for one in RANGES if one.holds(pitch, yaw, roll)), None)
        with self._lock:
            if turns not in self._portions:
                self._portions[turns] = Portion.of(self, seen_within(self, turns) if turns else all_seen(self))
            return self._portions[turns]

    def swayed(self, points: Floats, still: Floats, turn: Floats) -> Floats:
        """Points f32[n, 3] of hair with the head turned by f32[3, 3]; `still` f32[n] is how much they stay behind."""
        pivot = self.poser.pivot
        moved = (points - pivot) @ turn.T + pivot
        return np.asarray(moved + (points - moved) * still[:, None], np.float32)

    def lit_mouth(self, points: Floats) -> float:
        """How much of its light falls into a mouth with these points, 0..1: little between lips that touch."""
        upper, lower = (points[k] for k in self.lips)
        parted = (float(np.linalg.norm(upper - lower)) - self.lips_apart) / PARTED
        return 0.40 + 0.60 * min(max(parted, 0.0), 1.0)

    def _openness(self) -> Floats:
        """How much sky each vertex sees, f32[r]: of the base head, as its shape changes that little."""
        head = self.head
        out = np.clip(head.open[head.vertex] * 1.12, 0, 1)
        teeth = np.unique(head.triangles[np.isin(head.part, (UPPER_TEETH, LOWER_TEETH))])
        out[teeth] = np.maximum(out[teeth], 0.85)  # they shine through one another, and lips part before them
        lining = np.unique(head.triangles[head.part == MOUTH])
        out[lining] *= 0.55
        return np.asarray(out, np.float32)

    def _upper_lids(self) -> tuple[Ints, Ints]:
        """Points along the margins of the left and the right upper lid, from the negative to the positive x side.

        The lashes of a lid stand on its margin: of each, the point nearest to the eye's middle.
        """
        eyes, head = self.poser.eyes, self.head
        points = np.unique(head.vertex[head.triangles[head.part == LASHES]])
        out = []
        for side, middle in enumerate(eyes.centres):
            mine = points[(np.sign(self.rest[points, 0]) == (1, -1)[side])]
            near = np.linalg.norm(self.rest[mine] - middle, axis=1)
            above = mine[(self.rest[mine, 1] > middle[1]) & (near < np.quantile(near, 0.5))]
            out.append(above[np.argsort(self.rest[above, 0])])
        return out[0], out[1]

    def _camera(self, layout: Layout) -> Camera:
        spec = self.spec
        scale = self.unit / USUAL
        target = np.array([0, layout.origin[1] - 0.20 * scale, self.centre[2]], np.float32)
        turn = rotation(float(np.radians(-spec.pitch)), 0, 0) @ rotation(0, float(np.radians(spec.yaw)), 0)
        return Camera(target, turn.astype(np.float32), DISTANCE, HIGH * scale / spec.zoom)

    def _scalp(self, layout: Layout) -> Floats:
        """Where hair grows on the skin, f32[p], 0..1: above a line from the forehead over the ears to the nape."""
        if self.spec.hair == "none":
            return np.zeros(len(self.rest), np.float32)
        p = (self.rest - layout.origin) / self.unit
        front = layout.marks["hairline"][1]
        edge = np.interp(
            p[:, 2], [-2.7, -1.9, -1.35, -0.95, -0.35, 0.1], [-0.75, -0.35, 0.15, 0.12, 0.72, front - 0.13]
        )
        away = p[:, 1] - edge
        ear = (p[:, 2] > -2.0) & (np.abs(p[:, 0]) > 1.33) & (p[:, 1] < 0.45)
        return np.asarray(np.where(ear, 0, np.clip(0.5 + away / 0.36, 0, 1)), np.float32)

    def _gloss(self, layout: Layout) -> Floats:
        """How oily the skin is at each vertex, f32[r], 0..1: nose, brow and lips more, hair and neck less."""
        head = self.head
        p = (self.rest[head.vertex] - layout.origin) / self.unit
        tip, lip = layout.marks["nose_tip"], layout.marks["lip_line"]
        nose = np.exp(-0.5 * ((p[:, 0] / 0.2) ** 2 + ((p[:, 1] - tip[1] - 0.1) / 0.3) ** 2))
        lips = np.exp(-0.5 * ((p[:, 0] / 0.35) ** 2 + ((p[:, 1] - lip[1]) / 0.10) ** 2)) * (p[:, 2] > 0.2)
        brow = np.exp(-0.5 * ((p[:, 0] / 0.5) ** 2 + ((p[:, 1] - 0.7) / 0.3) ** 2))
        out = np.clip(0.45 + 0.45 * nose + 0.6 * lips + 0.25 * brow, 0, 1.1) * np.clip(p[:, 1] + 2.2, 0.15, 1)
        out *= 1 - 0.85 * self.scalp[head.vertex]
        wet = np.zeros(len(head.vertex), bool)
        wet[np.unique(head.triangles[np.isin(head.part, (MOUTH, TONGUE, SOCKET))])] = True
        return np.asarray(np.where(wet, 0.9, out), np.float32)

    def _shadows(self) -> None:
        """How much of the key light each part sees at rest."""
        head = self.head
        skin = head.vertex[head.triangles[np.isin(head.part, (SKIN,))]]
        parts, triangles, count = [self.rest], [skin], len(self.rest)
        if self.hair:
            parts.append(self.hair.points)
            triangles.append(self.hair.solid + count)
            count += len(self.hair.points)
        if self.garment:
            parts.append(self.garment.points)
            triangles.append(self.garment.triangles + count)
        casters = np.concatenate(parts)
        every = np.ascontiguousarray(np.concatenate(triangles), np.int32)
        lamp = light.Sun(self.rest, casters, every, self.camera.turn)
        self.sun = lamp.seen(self.rest, self.poser.normals(self.rest), 0.04)
        inner = np.unique(head.vertex[head.triangles[np.isin(head.part, (MOUTH, UPPER_TEETH, LOWER_TEETH, TONGUE))]])
        self.sun[inner] = 0.45  # where lips part, some light falls in
        self.hair_sun = self.garment_sun = np.ones(0, np.float32)
        if self.hair:
            self.hair_sun = lamp.seen(self.hair.points, self.hair.normals, 0.10)
        if self.garment:  # it reaches further
            wide = light.Sun(self.garment.points, casters, every, self.camera.turn)
            self.garment_sun = wide.seen(self.garment.points, self.garment.normals, 0.06)

    def lash_vertices(self) -> npt.NDArray[np.bool_]:
        """Which vertices belong to lashes."""
        out = np.zeros(len(self.head.vertex), bool)
        out[np.unique(self.head.triangles[self.head.part == LASHES])] = True
        return out
