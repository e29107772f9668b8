"""The frontal colour zones and wrinkles of a face."""

import numpy as np
from face import Face
from paint import Canvas, Plane, linear, noise
from people import Person


def zones(canvas: Canvas, person: Person) -> Plane:
    """Skin colour in linear light: flushed cheeks, nose and chin, pale brow, shaded sockets, blotches."""
    face: Face = canvas.face
    rng = np.random.default_rng(person.seed)
    colour = np.broadcast_to(linear(person.skin), (canvas.size, canvas.size, 3)).copy()

    def lay(mask: Plane, tone: tuple[float, float, float], share: float) -> None:
        nonlocal colour
        weight = np.clip(mask * share, 0, 1)[..., None]
        colour = colour * (1 - weight) + linear(tone) * weight

    eye, tip = canvas.at(face.left_eye)[0], canvas.at(face.nose_tip)
    chin, base = canvas.at(face.chin), canvas.at(face.nose_base)
    patch = 1 + 0.35 * noise((canvas.size, canvas.size), canvas.size / 40, rng)
    lay(canvas.both((eye * 1.42, tip[1] + 0.02), (0.34, 0.25), 0.35) * patch, person.flush, 0.42)
    lay(canvas.blob((0, tip[1]), (0.24, 0.20)) * patch, person.flush, 0.45)
    lay(canvas.both((0.23, base[1] + 0.02), (0.09, 0.10)) * patch, person.flush, 0.45)
    lay(canvas.blob((0, chin[1] + 0.18), (0.28, 0.16)) * patch, person.flush, 0.25)
    dark = tuple(c * s for c, s in zip(person.skin, (0.74, 0.60, 0.60), strict=True))
    lay(canvas.both((eye * 0.98, -0.20), (0.27, 0.09), 0.12), dark, 0.30 + 0.22 * person.age)
    lay(canvas.both((eye * 0.62, -0.02), (0.08, 0.12)), dark, 0.35)
    lay(canvas.both((eye, 0.17), (0.30, 0.08)), dark, 0.28)
    pale = tuple(min(1.0, c * s) for c, s in zip(person.skin, (1.04, 1.06, 1.04), strict=True))
    lay(canvas.blob((0, 0.75), (0.65, 0.30)), pale, 0.5)
    lay(canvas.blob((0, 0.02), (0.09, 0.3)), pale, 0.35)
    if person.age > 0.5:
        spots = np.clip(noise((canvas.size, canvas.size), canvas.size / 95, rng) - 2.05, 0, 1)
        high = canvas.blob((0, 1.0), (1.3, 0.5)) + canvas.both((1.05, 0.1), (0.3, 0.5))
        lay(spots * high * 2, tuple(c * 0.86 for c in person.skin), 0.55)
    if person.freckles:
        lay(
            freckles(canvas, rng),
            tuple(c * k for c, k in zip(person.skin, (0.70, 0.52, 0.42), strict=True)),
            0.72 * person.freckles,
        )
    if person.hide:
        for share, tone in ((0.030, (0.36, 0.40, 0.27)), (0.014, (0.56, 0.58, 0.40)), (0.008, (0.38, 0.30, 0.22))):
            spots = np.clip(noise((canvas.size, canvas.size), canvas.size * share, rng) - 0.4, 0, 1)
            lay(spots, tone, 0.42 * person.hide)
    if person.soot:
        grain = 0.7 * noise((canvas.size, canvas.size), canvas.size / 24, rng)
        fine = noise((canvas.size, canvas.size), canvas.size / 210, rng)
        smears = (((0.78, -0.42), (0.20, 0.10), 0.6), ((-0.86, -0.28), (0.13, 0.07), -0.5),
                  ((-0.42, 0.86), (0.24, 0.09), 0.25), ((0.12, -0.33), (0.06, 0.05), 0.0),
                  ((0.5, -1.25), (0.22, 0.10), 0.8))  # fmt: skip
        for centre, radii, tilt in smears:
            smudge = canvas.blob(centre, radii, tilt) * np.clip(0.75 + grain, 0, 1.4) * np.clip(0.8 + 0.35 * fine, 0, 1)
            lay(smudge, (0.085, 0.07, 0.065), 0.8 * person.soot)
    return colour


def freckles(canvas: Canvas, rng: np.random.Generator) -> Plane:
    """Some hundred small spots, 0..1, crowded over the nose and the upper cheeks."""
    face: Face = canvas.face
    eye, tip = canvas.at(face.left_eye)[0], canvas.at(face.nose_tip)[1]
    where = canvas.both((eye * 1.15, tip + 0.10), (0.36, 0.20)) + canvas.blob((0, tip + 0.14), (0.20, 0.16))
    where = np.clip(where, 0, 1) + 0.10 * canvas.blob((0, 0.7), (0.7, 0.35)) + 0.05 * canvas.blob((0, -0.9), (0.9, 0.5))
    x, y = canvas.mesh()
    plane = np.zeros_like(x)
    pick = rng.choice(where.size, 620, p=where.ravel() / where.sum())
    step = float(x[0, 1] - x[0, 0])
    for index in pick:
        row, column = divmod(int(index), canvas.size)
        size, tilt = 0.0055 + 0.0105 * rng.random() ** 1.7, rng.uniform(0.75, 1.3)
        reach = int(4 * size / step) + 2
        box = np.s_[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach]
        near = ((x[box] - x[row, column]) / (size * tilt)) ** 2 + ((y[box] - y[row, column]) * tilt / size) ** 2
        spot = rng.uniform(0.2, 0.9) / (1 + np.exp(2.0 * (near - 1.1)))
        plane[box] = np.maximum(plane[box], spot)
    return plane


def relief(canvas: Canvas, person: Person) -> Plane:
    """Height of the skin, 0 flat, -1 a deep wrinkle; nearly nothing on a young face."""
    face: Face = canvas.face
    rng = np.random.default_rng(person.seed + 1)
    height = np.zeros((canvas.size, canvas.size))
    eye, base, corner = canvas.at(face.left_eye)[0], canvas.at(face.nose_base), canvas.at(face.corner)
    brow, chin = canvas.at(face.brow_ridge), canvas.at(face.chin)

    def fold(points: list[tuple[float, float]], width: float, depth: float) -> None:
        """A dark valley with a low swollen edge beside it."""
        nonlocal height
        points = [(x + rng.normal() * 0.006, y + rng.normal() * 0.006) for x, y in points]
        height -= depth * canvas.stroke(points, width)
        height += 0.35 * depth * canvas.stroke([(x * 1.02, y + 1.9 * width) for x, y in points], 1.5 * width)

    def folds(points: list[tuple[float, float]], width: float, depth: float) -> None:
        fold(points, width, depth)
        fold([(-x, y) for x, y in points], width, depth)

    old = person.age
    for k, y in enumerate((0.30, 0.42, 0.55, 0.67)):  # forehead
        reach = 0.78 - 0.07 * k + 0.06 * rng.normal()
        wave = [
            (t * reach, brow[1] + y - 0.10 * (abs(t) - 0.4) ** 2 + 0.028 * rng.normal()) for t in np.linspace(-1, 1, 9)
        ]
        fold(wave[: 9 - k % 2 * 2], 0.017, old * (0.48 - 0.07 * k))
    folds([(0.10, brow[1] - 0.12), (0.115, brow[1] + 0.04), (0.085, brow[1] + 0.20)], 0.018, 0.5 * old)
    for k, slope in enumerate((0.16, 0.03, -0.10, -0.22)):  # crow's feet
        start = eye + 0.40 + 0.015 * k
        folds(
            [(start, -0.02 + 0.25 * slope), (start + 0.13, 0.6 * slope - 0.01), (start + 0.28, 1.25 * slope - 0.03)],
            0.012,
            0.5 * old,
        )
    for k in range(2):  # under the eyes
        drop = -0.20 - 0.075 * k
        folds(
            [(eye - 0.30 + 0.02 * k, drop + 0.04), (eye - 0.05, drop - 0.05), (eye + 0.26, drop + 0.03)],
            0.016,
            (0.36 - 0.1 * k) * old,
        )
    folds(
        [(0.27, base[1] + 0.16), (0.36, base[1] - 0.02), (-corner[0] + 0.10, corner[1] + 0.06)],
        0.030,
        0.25 + 0.65 * old,
    )
    folds([(-corner[0] + 0.04, corner[1] - 0.02), (-corner[0] + 0.06, corner[1] - 0.20)], 0.02, 0.12 + 0.4 * old)
    fold([(-0.14, chin[1] + 0.30), (0, chin[1] + 0.33), (0.14, chin[1] + 0.30)], 0.03, 0.15 * old)
    if person.hide:
        rough = noise((canvas.size, canvas.size), canvas.size / 90, rng)
        height += person.hide * (0.10 * rough + 0.05 * noise((canvas.size, canvas.size), canvas.size / 230, rng))
        warts = np.clip(noise((canvas.size, canvas.size), canvas.size / 120, rng) - 2.4, 0, 1)
        height += 1.1 * person.hide * warts
    height += 0.035 * old * noise((canvas.size, canvas.size), canvas.size / 160, rng)
    return height
