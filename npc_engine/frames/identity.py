"""How much a drawn picture still is the person of its source: one number.

No landmark network runs for it. Where a face lies is known from its source, and neither a warp nor a head's turn of at
most 0.15 rad takes it from there by more than the network that judges bears.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np

from npc_engine.cast import FaceSpec
from npc_engine.frames.add import face_landmarks
from npc_engine.frames.drawing import DrawnFace
from npc_engine.frames.embedding import Embedder, Floats, embedder
from npc_engine.frames.landmarks import Points
from npc_engine.frames.sampling import moved, shrunk
from npc_engine.moments import NEUTRAL, Pixels

THRESHOLD: Final = 0.45
"""Score under which a picture no longer is that person.

Pairs of other persons lie under it: all of 26 persons' photographs, 97 % of 58 drawn portraits. Pictures of one person
lie above: photographs, copies of one painting, and 1,109 of 1,110 expressions of the faces that ship. It does not part
heads of one 3D model from each other: 64 % of such pairs lie above (tools/identity/calibrate.py prints the table).
"""
DRAWN_AT: Final = 512  # pixels of the picture in which the face of any engine is looked for


class Judge(Protocol):
    """Says how much a drawn picture still is the person it shall be. Safe for several threads."""

    def score(self, pixels: Pixels) -> float:
        """1 for the source itself, about 0 for another person, of RGB or RGBA u8[n, n, 3 | 4]."""
        ...


class Identity:
    """The judge of one face; its network loads, and looks at the source, at the first score."""

    def __init__(self, source: Pixels, landmarks: Points, network: Embedder | None = None) -> None:
        """`source` is square, `landmarks` f32[478, 3] in its pixels; `network` is the one that ships unless told."""
        self._source = source
        self._edge = source.shape[0]
        self._landmarks = landmarks
        self._network = network
        self._known: Floats | None = None
        self._loading = threading.Lock()

    def score(self, pixels: Pixels) -> float:
        """How much a drawn picture, framed as the source is, shows the person of the source: 1 … about 0."""
        network, known = self._ready()
        return network.likeness(known, network.embed(self._chip(pixels, network)))

    def _ready(self) -> tuple[Embedder, Floats]:
        with self._loading:
            network = self._network = self._network or embedder()
            if self._known is None:
                self._known = network.embed(self._chip(self._source, network))
            return network, self._known

    def _chip(self, pixels: Pixels, network: Embedder) -> Pixels:
        """The face as the network reads it; a picture far larger than the chip is averaged first."""
        edge = pixels.shape[0]
        if pixels.shape[1] != edge:
            raise ValueError(f"a picture of {pixels.shape[1]}×{edge} pixels was to be judged, expected a square")
        template = network.template
        scale = float(np.linalg.norm(template.matrix(self._landmarks)[:, 0])) * self._edge / edge
        if scale < 0.5:
            edge = round(2 * scale * edge)
            pixels = shrunk(pixels, edge, edge)
        # pixels' middles stay in place when a picture is scaled
        there = (self._landmarks[:, :2] + 0.5) * (edge / self._edge) - 0.5
        back = cv2.invertAffineTransform(template.matrix(there))
        colours = np.ascontiguousarray(pixels[..., :3])
        return moved(colours, back, template.edge, template.edge, border=cv2.BORDER_REPLICATE)


def named_network(spec: FaceSpec, folder: Path) -> Embedder | None:
    """The user's network if [identity] names one, relative to `folder`; `FaceError` for one that can't be used."""
    return embedder(folder / spec.identity.network) if spec.identity.network else None


def identity_of(face: DrawnFace, network: Embedder | None = None) -> Identity:
    """The judge of any face, from how it is drawn at rest; `FaceError` if no face is found there."""
    rest = face.render(NEUTRAL, DRAWN_AT)
    return Identity(rest, face_landmarks(rest, Path("the face at rest")), network)
