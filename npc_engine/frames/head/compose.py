"""One picture: texture coordinates and light are drawn, looked up, multiplied and laid over what does not move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from npc_engine.frames.head import light, sheet
from npc_engine.frames.head.asset import LASHES, MOUTH, Floats, Ints
from npc_engine.frames.head.figure import Figure
from npc_engine.frames.head.layout import box_of
from npc_engine.frames.head.raster import draw, facing
from npc_engine.frames.head.scenery import Scenery
from npc_engine.frames.head.smooth import folds, over, smoothed
from npc_engine.moments import CHANNEL, Exp, Pixels

BREATH: Final = 0.012
"""Radians that the head tips back on a full breath: about a pixel of 512."""


@dataclass(frozen=True)
class Frame:
    """One expression in the viewer's frame, for any picture size. Vertices: the mesh's, both eyes', the hair's."""

    seen: Floats  # [n, 3]
    light: Floats  # [n], stored
    looks: Floats  # [2, 3, 3], how the eyes are turned to the viewer
    eyes: Floats  # [2, 3], their middles

    @classmethod
    def of(cls, figure: Figure, exp: Exp, breath: float = 0.0) -> Frame:
        """The frame of an expression f32[50] and a breath 0..1."""
        tilted = exp.copy()
        tilted[CHANNEL["headPitch"]] += BREATH * breath
        posed = figure.poser.pose(tilted)
        camera, head, hair = figure.camera, figure.head, figure.hair
        spot = camera.seen(posed.points)
        normal = posed.normals @ camera.turn.T
        looks = np.asarray(camera.turn @ posed.looks, np.float32)
        balls = camera.seen(posed.balls.reshape(-1, 3))
        ball_normals = np.concatenate([figure.poser.eyes.ball @ look.T for look in looks])
        ball_normals /= np.linalg.norm(ball_normals, axis=1, keepdims=True)
        parts = [spot[head.vertex], balls]
        skin = light.skin(
            light.GREY,
            normal[head.vertex],
            _views(parts[0]),
            figure.open,
            sun=figure.sun[head.vertex],
            gloss=figure.gloss,
        )
        skin[figure.lashes] = 0.16
        skin[figure.inner] *= figure.inner_light[:, None] * np.float32(figure.lit_mouth(posed.points))
        lights = [skin, _eye_light(ball_normals, figure, posed.points, posed.balls)]
        if hair:
            moved = (hair.points - posed.pivot) @ posed.head.T + posed.pivot
            moved += (hair.points - moved) * figure.hair_still[:, None]
            parts.append(camera.seen(moved.astype(np.float32)))
            turn = camera.turn @ posed.head
            lights.append(
                light.hair(
                    hair.tangents @ turn.T,
                    hair.normals @ turn.T,
                    _views(parts[-1]),
                    figure.hair_open,
                    figure.hair_sun,
                )
            )
        centres = camera.seen(
            np.asarray((figure.poser.eyes.centres - posed.pivot) @ posed.head.T + posed.pivot, np.float32)
        )
        return cls(np.ascontiguousarray(np.concatenate(parts)), np.concatenate(lights)[:, 0], looks, centres)


def planes(picture: Floats) -> list[Floats]:
    """The channels of f32[h, w, 3], each f32[h, w]."""
    return [np.asarray(plane, np.float32) for plane in cv2.split(picture)]


def looked_up(texture: Pixels, x: Floats, y: Floats) -> Pixels:
    """Texels at columns `x` and rows `y`, both f32[h, w], mixed of the four around."""
    return np.asarray(cv2.remap(texture, x, y, cv2.INTER_LINEAR), np.uint8)


def _views(seen: Floats) -> Floats:
    """Unit vectors f32[n, 3] from points in the viewer's frame to the viewer."""
    return np.asarray(-seen / np.sqrt(np.einsum("nc,nc->n", seen, seen))[:, None], np.float32)


def _eye_light(normals: Floats, figure: Figure, points: Floats, balls: Floats) -> Floats:
    """Stored light f32[2n, 1] on eyeballs: round as balls are, shaded by the upper lid above them."""
    count = len(figure.poser.eyes.ball)
    ones = np.ones(len(normals), np.float32)
    views = np.tile(np.array([0, 0, 1], np.float32), (len(normals), 1))
    base = light.skin(light.GREY, normals, views, 0.72 * ones, sun=0.85 * ones, gloss=0 * ones)
    for side in (0, 1):
        lid = points[figure.upper_lids[side]]
        height = np.interp(balls[side][:, 0], lid[:, 0], lid[:, 1])
        below = (height - balls[side][:, 1]) / figure.poser.eyes.radius
        shade = np.clip(0.52 + 1.1 * below, 0.50, 1.0)
        base[side * count : (side + 1) * count] *= shade[:, None]
    return np.asarray(base, np.float32)


class Composer:
    """Draws frames of a figure at one size."""

    def __init__(self, figure: Figure, size: int, background: Pixels | None) -> None:
        self.figure, self.size = figure, size
        head, hair = figure.head, figure.hair
        self.sheet = sheet.Sheet.of(figure, size)
        self.scenery = Scenery(figure, size, background)
        count, ball = len(head.vertex), len(figure.poser.eyes.ball)
        eye = figure.poser.eyes.triangles
        skin = head.triangles[(head.part != LASHES) & (head.part != MOUTH) & figure.visible]
        self.turned = np.ascontiguousarray(np.concatenate([skin, eye + count, eye + count + ball]), np.int32)
        start = count + 2 * ball
        lashes = head.triangles[head.part == LASHES]
        solid = hair.solid[figure.hair_visible[: len(hair.solid)]] if hair else np.zeros((0, 3), np.int32)
        loose = hair.frayed[figure.hair_visible[len(hair.solid) :]] if hair else np.zeros((0, 3), np.int32)
        # the lining of the mouth is thin: through a wide mouth's corner its outer side is seen
        lining = head.triangles[head.part == MOUTH]
        self.solid: Ints = np.ascontiguousarray(np.concatenate([lining, solid + start]), np.int32)
        self.frayed: Ints = np.ascontiguousarray(np.concatenate([lashes, loose + start]), np.int32)
        self.loose = np.unique(self.frayed)  # their vertices

    def picture(self, frame: Frame) -> Pixels:
        """The frame as RGB or RGBA u8[size, size, 3 | 4]."""
        values = self.sheet.places.copy()
        values[:, 2] = frame.light
        coordinates = np.zeros((self.size, self.size, 3), np.float32)
        depth = self.scenery.depth.copy()
        triangles = np.concatenate([self.solid, facing(frame.seen, self.turned)])
        draw(coordinates, depth, frame.seen, triangles, values, self.figure.camera.field)
        x, y, glow = planes(coordinates)
        there = over(glow, 0)
        drawn = box_of(there, 0)
        out = self.scenery.picture.copy()
        shaded = self._lit(looked_up(self.sheet.colour, x[drawn], y[drawn]), glow[drawn])
        out[drawn] = cv2.copyTo(shaded, there[drawn], out[drawn])
        self._catchlights(out, frame, x, y)
        strands = self._fray(out, frame, depth, values)
        box = self._mouth(frame)
        out = smoothed(
            out, depth, there, (box, folds(np.ascontiguousarray(y[box])))
        )  # strands have drawn their depth: where solid hair frays is no edge
        if self.scenery.alpha is None:
            return out
        soft = cv2.GaussianBlur(there, (3, 3), 0)
        return np.dstack([out, np.maximum(np.maximum(self.scenery.alpha, soft), strands)])

    def _mouth(self, frame: Frame) -> tuple[slice, slice]:
        """The box around the lips."""
        places = self.figure.camera.pixels(frame.seen[self.figure.lip_vertices], self.size)
        left, top = np.clip(np.floor(places.min(0)).astype(int), 0, self.size - 1)
        right, low = np.clip(np.ceil(places.max(0)).astype(int), 1, self.size)
        return np.s_[top : max(low, top + 1), left : max(right, left + 1)]

    @staticmethod
    def _lit(colour: Pixels, glow: Floats) -> Pixels:
        """Colour u8[h, w, 3] times stored light f32[h, w]."""
        grey = cv2.convertScaleAbs(glow, alpha=255.0)
        return np.asarray(cv2.multiply(colour, cv2.merge([grey, grey, grey]), scale=light.SCALE / 255), np.uint8)

    def _fray(self, out: Pixels, frame: Frame, depth: Floats, values: Floats) -> Pixels:
        """Lay loose strands and lashes over the picture; gives how much they cover, u8[size, size]."""
        whole = np.zeros((self.size, self.size), np.uint8)
        places = self.figure.camera.pixels(frame.seen[self.loose], self.size)
        left, top = np.clip(np.floor(places.min(0)).astype(int), 0, self.size)
        right, low = np.clip(np.ceil(places.max(0)).astype(int) + 1, 0, self.size)
        if right <= left or low <= top:
            return whole
        coordinates = np.zeros((self.size, self.size, 3), np.float32)
        draw(coordinates, depth, frame.seen, self.frayed, values, self.figure.camera.field)
        box = np.s_[top:low, left:right]
        x, y, glow = planes(coordinates[box])
        strand = looked_up(self.sheet.frayed, x, y)
        cover = cv2.copyTo(cv2.extractChannel(strand, 3), over(glow, 0))
        shaded = self._lit(np.asarray(cv2.cvtColor(strand, cv2.COLOR_RGBA2RGB), np.uint8), glow)
        share = cv2.merge([cover, cover, cover])
        kept = cv2.multiply(out[box], cv2.bitwise_not(share), scale=1 / 255)
        out[box] = cv2.add(kept, cv2.multiply(shaded, share, scale=1 / 255))
        whole[box] = cover
        return whole

    def _catchlights(self, out: Pixels, frame: Frame, x: Floats, y: Floats) -> None:
        """Add the lamp's and the window's mirror image on the cornea, which bulges round a nearer middle."""
        camera, radius = self.figure.camera, self.figure.poser.eyes.radius
        scale = self.size * camera.distance / camera.high
        for middle, look in zip(frame.eyes, frame.looks, strict=True):
            cornea = middle + look[:, 2] * np.float32(0.52 * radius)
            bulge = 0.62 * radius
            for way, size, strength in ((light.KEY, 0.105, 1.0), (light.FILL, 0.09, 0.22)):
                half = way + np.array([0, 0, 1], np.float32)
                spot = cornea + half / np.linalg.norm(half) * np.float32(bulge)
                px, py = camera.pixels(spot[None], self.size)[0]
                wide = max(size * radius * scale / camera.distance, 0.55)
                self._spot(out, (x, y), (float(px), float(py)), wide, strength)

    def _spot(
        self, out: Pixels, texels: tuple[Floats, Floats], middle: tuple[float, float], wide: float, strength: float
    ) -> None:
        """A bright window of `wide` pixels on what shows texels of the eye."""
        reach = int(3 * wide + 2)
        left, top = (max(round(c) - reach, 0) for c in middle)
        right, low = (min(round(c) + reach + 1, self.size) for c in middle)
        if right <= left or low <= top:
            return
        rows, columns = np.ogrid[top:low, left:right]
        away = np.maximum(np.abs(columns - middle[0]), np.abs(rows - middle[1]) * 0.85) / wide
        u, v = (plane[top:low, left:right] for plane in texels)
        eye_left, eye_top, eye_right, eye_low = self.sheet.eye
        eye = (u > eye_left) & (u < eye_right) & (v > eye_top) & (v < eye_low)
        bright = np.clip(1.5 - away, 0, 1) * strength * eye
        box = out[top:low, left:right]
        box[:] = box + (255 - box) * bright[..., None]
