"""Things painted over the mouths of faces: masks, hands, a scarf, a microphone, bars."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

CHEEKS = [205, 425, 50, 280]


class Place:
    """Where the mouth is: width of the face, middle of the lips, and the directions along and down the face."""

    def __init__(self, points: np.ndarray) -> None:
        self.points = points[:, :2].astype(float)
        self.width = float(np.linalg.norm(self.points[454] - self.points[234]))
        self.mouth = (self.points[13] + self.points[14]) / 2
        across = self.points[263] - self.points[33]
        self.along = across / np.linalg.norm(across)
        self.down = np.array([-self.along[1], self.along[0]])

    def at(self, along: float, down: float) -> np.ndarray:
        """A place in face widths from the middle of the lips."""
        return self.mouth + self.width * (along * self.along + down * self.down)

    def ellipse(self, along: float, down: float, *, below: float = 0.0) -> np.ndarray:
        return np.array([self.at(along * np.cos(t), below + down * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)])

    def grid(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel, how far it is along and down from the lips, in face widths."""
        y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
        away = np.stack([x - self.mouth[0], y - self.mouth[1]], -1) / self.width
        return away @ self.along, away @ self.down


def painted(rgb: np.ndarray, outline: np.ndarray, colour: object, soft: float = 1.2) -> np.ndarray:
    """`colour`, one or a picture of them, within an outline."""
    share = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(share, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(share, (0, 0), soft)[..., None] / 255
    return (rgb * (1 - share) + np.asarray(colour, float) * share).clip(0, 255).astype(np.uint8)


def grain(rgb: np.ndarray, size: float, strength: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=rgb.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), size)
    return (noise / noise.std() * strength)[..., None]


def skin(rgb: np.ndarray, place: Place) -> np.ndarray:
    x, y = np.round(place.points[CHEEKS]).astype(int).T
    return np.median(rgb[y.clip(0, rgb.shape[0] - 1), x.clip(0, rgb.shape[1] - 1)], axis=0)


def mask(colour: tuple[int, int, int]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A surgical mask with folds, from the bridge of the nose to the chin."""

    def cover(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
        jaw = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454]
        outline = points[[227, *jaw, 447, 346, 195, 117], :2].astype(float)
        outline = outline.mean(0) + 1.03 * (outline - outline.mean(0))
        along, down = Place(points).grid(rgb)
        light = np.clip(1.05 - 1.2 * along**2, 0.5, 1.1)[..., None]
        folds = 8 * np.sin(down * 2 * np.pi / 0.16)[..., None]
        return painted(rgb, outline, np.array(colour) * light + folds + grain(rgb, 2, 3), 1.5)

    return cover


def hand(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Four fingers across the lips."""
    place = Place(points)
    tone = skin(rgb, place)
    look = tone * 0.92 + grain(rgb, 3, 5)
    for k in range(4):
        row, half = -0.14 + 0.11 * k, 0.062
        tip = -(0.28 - 0.03 * abs(k - 1.5))
        round_tip = [place.at(tip - 0.06 * np.sin(t), row + half * np.cos(t)) for t in np.linspace(np.pi, 0, 8)]
        outline = np.array([place.at(0.75, row - 0.1 + half), place.at(0.75, row - 0.1 - half), *round_tip])
        rgb = painted(rgb, outline, look - 6 * k)
        ends = [tuple(np.round(p).astype(int).tolist()) for p in (outline[0], outline[-1])]
        cv2.line(rgb, *ends, tuple((tone * 0.55).tolist()), max(1, int(place.width / 110)), cv2.LINE_AA)
    return rgb


def fist(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    place = Place(points)
    along, _ = place.grid(rgb)
    knuckles = 14 * np.cos(along * 2 * np.pi / 0.17)[..., None]
    look = skin(rgb, place) * 0.85 + grain(rgb, 3, 5) + knuckles
    return painted(rgb, place.ellipse(0.34, 0.27, below=0.12), look, 2)


def scarf(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    place = Place(points)
    along, down = place.grid(rgb)
    checks = (np.sin(along * 40) * np.sin(down * 40) > 0)[..., None]
    look = np.where(checks, (150.0, 30.0, 40.0), (40.0, 40.0, 90.0)) + grain(rgb, 1.5, 10)
    corners = ((-0.7, -0.16), (0, -0.2), (0.7, -0.16), (0.8, 0.9), (-0.8, 0.9))
    return painted(rgb, np.array([place.at(*c) for c in corners]), look, 1.5)


def microphone(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    place = Place(points)
    along, down = place.grid(rgb)
    mesh = 25 * np.sin(along * 2 * np.pi / 0.03) * np.sin(down * 2 * np.pi / 0.03)
    ball = 60 + 90 * np.clip(1 - np.hypot(along, down - 0.05) / 0.17, 0, 1) + mesh
    rgb = painted(rgb, place.ellipse(0.17, 0.17, below=0.05), ball[..., None] * np.ones(3), 1)
    grip = ((0.0, 0.22), (0.13, 0.16), (0.67, 1.35), (0.54, 1.41))
    return painted(rgb, np.array([place.at(*c) for c in grip]), (25, 25, 28))


def bar(colour: tuple[int, int, int]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def cover(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
        place = Place(points)
        corners = ((-0.33, -0.12), (0.33, -0.12), (0.33, 0.12), (-0.33, 0.12))
        return painted(rgb, np.array([place.at(*c) for c in corners]), colour, 0.8)

    return cover


def no_lips(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Skin where the lips were."""
    place = Place(points)
    return painted(rgb, place.ellipse(0.3, 0.16), skin(rgb, place) + grain(rgb, 2, 3), 0.05 * place.width)


COVERS = {
    "blue mask": mask((150, 190, 215)),
    "black mask": mask((40, 40, 45)),
    "white mask": mask((225, 225, 228)),
    "hand": hand,
    "fist": fist,
    "scarf": scarf,
    "microphone": microphone,
    "black bar": bar((0, 0, 0)),
    "grey bar": bar((128, 128, 128)),
    "no lips": no_lips,
}
