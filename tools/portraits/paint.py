"""Pictures made of numbers: zones of skin seen from the front, wrinkles, an iris. Plain numpy."""

from dataclasses import dataclass

import numpy as np
from face import Face
from numpy.typing import NDArray

Plane = NDArray[np.float64]  # [rows, columns] or [rows, columns, 3], row 0 at the top
Colour = tuple[float, float, float]  # sRGB 0..1 as one picks it


def linear(colour: Colour) -> NDArray[np.float64]:
    """Light from an sRGB colour (IEC 61966-2-1)."""
    c = np.asarray(colour, float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def blur(plane: Plane, sigma: float | tuple[float, float]) -> Plane:
    """Gaussian blur through the Fourier transform, `sigma` in rows and columns; the edges wrap round."""
    down, across = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    fy = np.fft.fftfreq(plane.shape[0])[:, None]
    fx = np.fft.rfftfreq(plane.shape[1])[None]
    kernel = np.exp(-2 * np.pi**2 * ((down * fy) ** 2 + (across * fx) ** 2))
    return np.fft.irfft2(np.fft.rfft2(plane, axes=(0, 1)) * kernel, s=plane.shape, axes=(0, 1))


def noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Plane:
    """Smooth noise of mean 0 and deviation 1 with grains of about `sigma` pixels."""
    plane = blur(rng.normal(size=shape), sigma)
    return (plane - plane.mean()) / plane.std()


@dataclass(frozen=True, slots=True)
class Canvas:
    """A square window of the frontal plane around a face, `size` pixels for 2·`half` decimetres."""

    face: Face
    size: int
    half: float

    @property
    def middle(self) -> tuple[float, float]:
        return 0.0, float(self.face.nose_tip[1] + 0.35 * self.face.unit)

    def mesh(self) -> tuple[Plane, Plane]:
        """x and y of every pixel, in eye distances from the point between the eyes."""
        step = (np.arange(self.size) + 0.5) / self.size * 2 - 1
        x, y = np.meshgrid(step * self.half + self.middle[0], -step * self.half + self.middle[1])
        return x / self.face.unit, (y - self.face.left_eye[1]) / self.face.unit

    def at(self, point: NDArray[np.float64]) -> tuple[float, float]:
        """A landmark in the same measure."""
        return float(point[0] / self.face.unit), float((point[1] - self.face.left_eye[1]) / self.face.unit)

    def blob(self, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Plane:
        """A soft ellipse, 1 in its middle; `tilt` in radians."""
        x, y = self.mesh()
        x, y = x - centre[0], y - centre[1]
        c, s = np.cos(tilt), np.sin(tilt)
        return np.exp(-0.5 * (((c * x + s * y) / radii[0]) ** 2 + ((c * y - s * x) / radii[1]) ** 2))

    def both(self, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Plane:
        """The same soft ellipse on both sides."""
        return self.blob(centre, radii, tilt) + self.blob((-centre[0], centre[1]), radii, -tilt)

    def stroke(self, points: list[tuple[float, float]], width: float) -> Plane:
        """A soft line through points (a Catmull-Rom curve), thin at both ends; `width` in eye distances."""
        knots = np.array([points[0], *points, points[-1]])
        t = np.linspace(0, 1, 40, endpoint=False)[:, None]
        parts = [
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            for a, b, c, d in zip(knots[:-3], knots[1:-2], knots[2:-1], knots[3:], strict=True)
        ]
        line = np.concatenate(parts)
        plane = np.zeros((self.size, self.size))
        x, y = self.mesh()
        lo, hi = line.min(0) - 4 * width, line.max(0) + 4 * width
        columns = np.flatnonzero((x[0] > lo[0]) & (x[0] < hi[0]))
        rows = np.flatnonzero((y[:, 0] > lo[1]) & (y[:, 0] < hi[1]))
        box = np.ix_(rows, columns)
        here, best, taper = np.stack([x[box], y[box]], -1), None, None
        for k, point in enumerate(line):
            near = ((here - point) ** 2).sum(-1)
            end = np.sin(np.pi * (k + 0.5) / len(line)) ** 0.6
            if best is None or taper is None:
                best, taper = near, np.full(near.shape, end)
            else:
                closer = near < best
                best, taper = np.where(closer, near, best), np.where(closer, end, taper)
        if best is not None and taper is not None:
            plane[box] = taper * np.exp(-0.5 * best / width**2)
        return plane

    def strokes(self, points: list[tuple[float, float]], width: float) -> Plane:
        """The same soft line on both sides."""
        return self.stroke(points, width) + self.stroke([(-x, y) for x, y in points], width)


def iris(size: int, inner: Colour, outer: Colour, rng: np.random.Generator) -> Plane:
    """An eye from the front, linear light: pupil, fibres, limbal ring, white with a few veins. Width 2 radii."""
    step = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(step, -step)
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    limbus, pupil = 0.47, 0.185
    place = np.clip((r - pupil) / (limbus - pupil), 0, 1)
    fibres = np.zeros_like(r)
    for count, weight in ((37, 0.5), (71, 0.6), (139, 0.5), (211, 0.35)):
        wobble = rng.uniform(0, 6.28) + rng.normal() * 2.0 * place
        fibres += weight * np.cos(count * angle + wobble + 2.2 * np.sin(angle * rng.integers(3, 9)))
    fibres = fibres * (0.35 + 0.65 * np.sin(np.pi * np.clip(place * 0.9 + 0.1, 0, 1)))
    collarette = np.exp(-0.5 * ((place - 0.28 - 0.04 * np.cos(9 * angle)) / 0.10) ** 2)
    mixed = np.clip(place * 1.15 + 0.06 * fibres, 0, 1)[..., None]
    colour = linear(inner) * (1 - mixed) + linear(outer) * mixed
    colour = colour * (1 + 0.28 * fibres + 0.25 * collarette)[..., None]
    ring = np.clip((place - 0.74) / 0.26, 0, 1) ** 1.6
    colour = colour * (1 - 0.88 * ring)[..., None]
    white = linear((0.86, 0.83, 0.80)) * (1 + 0.02 * noise(r.shape, size / 20, rng))[..., None]
    red = np.clip((np.abs(x) - 0.45) / 0.5, 0, 1) ** 1.5
    veins = np.clip(1.0 - np.abs(noise(r.shape, size / 45, rng)) * 9, 0, 1) * red
    white = white * (1 - (0.25 * red + 0.35 * veins)[..., None] * (0.15, 0.75, 0.7))
    edge = 1 / (1 + np.exp(-(r - limbus) / 0.012))
    eye = colour * (1 - edge[..., None]) + white * edge[..., None]
    hole = 1 / (1 + np.exp(-(r - pupil) / 0.008))
    return np.clip(eye * (0.004 + 0.996 * hole)[..., None], 0.0, 1.0)
