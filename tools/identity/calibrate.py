"""Prints how the score parts the same person from others: the table behind THRESHOLD and APART.

PYTHONPATH=. python tools/identity/calibrate.py --heads 24 --others photographs=DIR --same copies=DIR

Of the faces that ship: at rest, in other light, mirrored, over the whole expression space, and one against another.
--heads N draws as many random 3D heads, each from the front and from other sides.
--others NAME=DIR adds a folder of pictures in which every face is another person, --same NAME=DIR one whose sub-folders
each hold pictures of one person (the largest face of each counts). Pictures for it lie in packages, and none is kept:
photographs in the npm package @vladmandic/face-api (demo/sample3 to 6.jpg), in face_recognition's tests and in
InsightFace; drawn portraits in Debian's wesnoth-1.16-data; copies of one painting of Raphael's in PyPI's unraphael.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from npc_engine.cast import Cast
from npc_engine.commands.expression_space import expression_space
from npc_engine.frames.embedding import DLIB, Floats, embedder
from npc_engine.frames.head.face import load_head
from npc_engine.frames.identity import THRESHOLD, identity_of
from npc_engine.frames.landmarks import FaceFinder, Points
from npc_engine.frames.load import load_face
from npc_engine.frames.pictures import FaceError, read_picture
from npc_engine.frames.sampling import shrunk
from npc_engine.head_spec import ANCESTRIES, HAIRS, IRISES, SEXES, SKINS, STYLES, HeadSpec
from npc_engine.moments import NEUTRAL, Pixels

ROOT = Path(__file__).parents[2]
SIZE = 512
SMALLEST = 55  # pixels of a face
SURE = 0.6
LARGEST = 1600
TURNS = (9.0, 20.0)  # degrees: as far as a portrait turns, and a three-quarter view

CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "darker": lambda p: (p * 0.6).astype(np.uint8),
    "lighter": lambda p: np.clip(p * 1.4, 0, 255).astype(np.uint8),
    "blurred": lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 3), np.uint8),
    "warmer": lambda p: np.clip(p * [1.1, 1, 0.8], 0, 255).astype(np.uint8),
    "lit from a side": lambda p: (p * np.linspace(0.5, 1.0, p.shape[1])[None, :, None]).astype(np.uint8),
    "compressed": lambda p: np.asarray(cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)),
}


def chip(rgb: Pixels, points: Points) -> Pixels:
    """The face as the network reads it."""
    matrix = DLIB.matrix(points)
    smaller = max(1, int(0.5 / np.linalg.norm(matrix[:, 0])))
    matrix[:, :2] *= smaller
    small = shrunk(rgb, rgb.shape[1] // smaller, rgb.shape[0] // smaller)
    return np.asarray(cv2.warpAffine(small, matrix, (DLIB.edge, DLIB.edge), borderMode=cv2.BORDER_REPLICATE))


def faces_in(path: Path, finder: FaceFinder) -> Iterator[tuple[float, Floats]]:
    """Size and embedding of each face in a picture, those of its quarters too."""
    try:
        pixels = read_picture(path)
    except FaceError as error:
        print(f"left out: {error}")
        return
    if pixels.shape[2] == 4:
        share = pixels[..., 3:] / 255
        pixels = (pixels[..., :3] * share + 110 * (1 - share)).astype(np.uint8)
    if max(pixels.shape) > LARGEST:
        scale = LARGEST / max(pixels.shape)
        pixels = shrunk(pixels, round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    rgb = np.ascontiguousarray(pixels)
    height, width = rgb.shape[:2]
    found = finder.find(rgb)
    for y in (0, height // 4, height // 2):
        for x in (0, width // 4, width // 2):
            part = np.ascontiguousarray(rgb[y : y + height // 2, x : x + width // 2])
            found += [f.moved(x, y) for f in finder.find(part)]
    kept: list[tuple[float, Points]] = []
    for face in sorted(found, key=lambda f: -f.score):
        points, sure = finder.landmarks(rgb, face)
        apart = all(np.linalg.norm(points[1, :2] - other[1, :2]) > face.size / 2 for _, other in kept)
        if face.size >= SMALLEST and sure > SURE and apart:
            kept.append((face.size, points))
            yield face.size, embedder().embed(chip(rgb, points))


def pictures(folder: Path) -> list[Path]:
    """All files under a folder."""
    return sorted(p for p in folder.rglob("*") if p.is_file())


def row(name: str, scores: list[float]) -> None:
    """One line of the table."""
    low, one, five, middle, high, top = np.percentile(scores, [0, 1, 5, 50, 99, 100])
    share = np.mean(np.array(scores) >= THRESHOLD)
    print(
        f"| {name} | {len(scores)} | {low:.2f} | {one:.2f} | {five:.2f} | {middle:.2f} | {high:.2f} | {top:.2f} "
        f"| {share:.1%} |"
    )


def between(embeddings: list[Floats]) -> list[float]:
    """The score of each pair."""
    return [embedder().likeness(a, b) for a, b in combinations(embeddings, 2)]


def shipped() -> dict[str, Floats]:
    """The rows of the faces that ship, and the embedding of each at rest."""
    rest: dict[str, Floats] = {}
    rows: dict[str, list[float]] = {"at rest": [], "mirrored": [], "other light, blur, JPEG": [], "expressions": []}
    finder, space = FaceFinder(), expression_space()
    cast = Cast((ROOT,))
    for name in sorted(cast.faces()):
        face = load_face(*cast.face(name))
        judge = face.guard.judge if face.guard else identity_of(face)
        still = np.ascontiguousarray(face.render(NEUTRAL, SIZE)[..., :3])
        rows["at rest"].append(judge.score(still))
        rows["other light, blur, JPEG"] += [judge.score(change(still)) for change in CHANGES.values()]
        rows["expressions"] += [judge.score(face.render(exp, SIZE)) for exp in space.values()]
        points, _ = finder.landmarks(still, finder.find(still)[0])
        mirrored = np.ascontiguousarray(still[:, ::-1])
        there, _ = finder.landmarks(mirrored, finder.find(mirrored)[0])
        rest[name] = embedder().embed(chip(still, points))
        rows["mirrored"].append(embedder().likeness(rest[name], embedder().embed(chip(mirrored, there))))
    for name, scores in rows.items():
        row(f"the same: {len(rest)} faces that ship, {name}", scores)
    return rest


def heads(count: int) -> list[Floats]:
    """The row of random heads seen from the front against the same from other sides; the embeddings of the former."""
    rng, finder = np.random.default_rng(3), FaceFinder()
    fronts, turned = [], {yaw: [] for yaw in TURNS}
    for k in range(count):
        ancestry = dict(zip(ANCESTRIES, rng.dirichlet([0.4] * 3).tolist(), strict=True))
        someone = HeadSpec(
            sex=SEXES[k % 2],
            age=float(rng.uniform(18, 75)),
            ancestry=ancestry,
            weight=float(rng.uniform(-0.8, 0.8)),
            muscle=float(rng.uniform(0, 1)),
            skin=str(rng.choice(list(SKINS)[:8])),
            eyes=str(rng.choice(list(IRISES)[:6])),
            hair=str(rng.choice(STYLES)),
            hair_colour=str(rng.choice(list(HAIRS)[:11])),
            seed=k,
        )
        seen = {}
        for yaw in (0.0, *TURNS):
            picture = load_head(replace(someone, yaw=yaw), ROOT, {}).render(NEUTRAL, SIZE)
            rgb = np.ascontiguousarray(picture[..., :3])
            found = finder.find(rgb)
            if found:
                seen[yaw] = embedder().embed(chip(rgb, finder.landmarks(rgb, found[0])[0]))
        if 0.0 in seen:
            fronts.append(seen[0.0])
            for yaw in TURNS:
                if yaw in seen:
                    turned[yaw].append(embedder().likeness(seen[0.0], seen[yaw]))
    for yaw, scores in turned.items():
        row(f"the same: {count} drawn heads, front against {yaw:.0f}°", scores)
    return fronts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--others", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--heads", type=int, default=0, metavar="N")
    parser.add_argument("--same", action="append", default=[], metavar="NAME=DIR")
    arguments = parser.parse_args()
    finder = FaceFinder()
    print(f"| pairs | count | lowest | 1 % | 5 % | median | 99 % | highest | ≥ {THRESHOLD} |")
    print("|---|---|---|---|---|---|---|---|---|")
    groups = {"faces that ship": list(shipped().values())}
    if arguments.heads:
        groups["drawn heads"] = heads(arguments.heads)
    for given in arguments.same:
        name, _, folder = given.partition("=")
        scores = []
        for person in sorted(p for p in Path(folder).iterdir() if p.is_dir()):
            largest = [max(found)[1] for path in pictures(person) if (found := list(faces_in(path, finder)))]
            scores += between(largest)
        row(f"the same: {name}", scores)
    for given in arguments.others:
        name, _, folder = given.partition("=")
        groups[name] = [face for path in pictures(Path(folder)) for _, face in faces_in(path, finder)]
    every: list[float] = []
    for name, faces in groups.items():
        if len(faces) > 1:
            row(f"others: {len(faces)} {name}", between(faces))
            every += between(faces)
    for (one, these), (other, those) in combinations(groups.items(), 2):
        scores = [embedder().likeness(a, b) for a in these for b in those]
        row(f"others: {one} against {other}", scores)
        every += scores
    row("others: all", every)


if __name__ == "__main__":
    main()
