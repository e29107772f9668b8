"""What of a figure pictures show while its head turns within some range, cut out: all that is computed and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from npc_engine.frames.head.asset import (
    LASHES,
    LOWER_TEETH,
    MOUTH,
    SKIN,
    SOCKET,
    TONGUE,
    UPPER_TEETH,
    Floats,
    Ints,
)
from npc_engine.frames.head.mouth import points_of
from npc_engine.frames.head.normals import Fans
from npc_engine.frames.head.visible import Seen

if TYPE_CHECKING:
    from npc_engine.frames.head.figure import Figure
    from npc_engine.frames.head.hair import Hair


@dataclass(frozen=True)
class Locks:
    """The hair that is drawn; its vertices numbered anew."""

    points: Floats  # [h, 3], at rest
    normals: Floats  # [h, 3]
    tangents: Floats  # [h, 3]
    open: Floats  # [h], how much of the sky they see
    sun: Floats  # [h], and of the key light
    still: Floats  # [h], how much they stay behind when the head turns
    solid: Ints  # [m, 3] triangles that cover what lies beneath, nearest first
    frayed: Ints  # [k, 3] triangles that strands cover in part


@dataclass(frozen=True)
class Portion:
    """Some triangles of a figure, and all that their vertices need; vertices are numbered anew.

    First come v of the mesh, then both eyes', then h of the hair.
    """

    order: Ints  # [n] the figure's number of each vertex
    points: Ints  # [q] points of the mesh
    fans: Fans  # of these
    spot: Ints  # [v] which of the q points each vertex of the mesh is
    open: Floats  # [v]
    sun: Floats  # [v]
    gloss: Floats  # [v]
    lash_vertices: Ints
    inner: Ints  # vertices inside the mouth
    inner_light: Floats  # the share of light that an open mouth lets in to each
    lips: Ints  # vertices
    rim: Ints  # vertices of the loop within the lips where the lining of the mouth begins
    locks: Locks | None
    fronts: Ints  # [m, 3], of which one side is seen: skin, eyes, tongue
    inside: Ints  # [j, 3], likewise: what is only seen through `rim`, teeth and the lining of the mouth
    lashes: Ints  # [k, 3], over `lash_vertices`

    @classmethod
    def of(cls, figure: Figure, seen: Seen) -> Portion:
        """The portion with the triangles that are seen."""
        head, eyes = figure.head, figure.poser.eyes
        outside, lining, teeth, lashes = (
            head.triangles[seen.mesh & np.isin(head.part, parts)]
            for parts in ((SKIN, SOCKET, TONGUE), (MOUTH,), (UPPER_TEETH, LOWER_TEETH), (LASHES,))
        )
        # the lining of the mouth is thin: through a wide mouth's corner its outer side is seen
        inside = np.concatenate([teeth, lining, lining[:, ::-1]])
        used = np.unique(np.concatenate([outside, inside, lashes]))
        place = np.zeros(len(head.vertex), np.int32)
        place[used] = np.arange(len(used))
        points, spot = np.unique(head.vertex[used], return_inverse=True)
        balls = len(used) + np.concatenate([eyes.triangles, eyes.triangles + len(eyes.ball)])
        order = [used, len(head.vertex) + np.arange(2 * len(eyes.ball))]
        locks = None
        if figure.hair:
            hairs = np.unique(np.concatenate([figure.hair.solid[seen.solid], figure.hair.frayed[seen.frayed]]))
            order.append(len(head.vertex) + 2 * len(eyes.ball) + hairs)
            hair_place = np.zeros(len(figure.hair.points), np.int32)
            hair_place[hairs] = np.arange(len(hairs))
            solid, frayed = (
                np.ascontiguousarray(hair_place[_nearest_first(figure, figure.hair, part)])
                for part in (figure.hair.solid[seen.solid], figure.hair.frayed[seen.frayed])
            )
            hair = figure.hair
            locks = Locks(
                hair.points[hairs], hair.normals[hairs], hair.tangents[hairs], figure.hair_open[hairs],
                figure.hair_sun[hairs], figure.hair_still[hairs], solid, frayed,
            )  # fmt: skip
        rim = np.intersect1d(points_of(head, SKIN), points_of(head, MOUTH))
        inner = np.isin(figure.inner, used)
        lash_vertices = np.flatnonzero(figure.lashes[used]).astype(np.int32)
        return cls(
            np.concatenate(order).astype(np.int32),
            points,
            Fans.of(figure.poser.corners, points),
            spot.astype(np.int32),
            figure.open[used],
            figure.sun[head.vertex[used]],
            figure.gloss[used],
            lash_vertices,
            place[figure.inner[inner]],
            figure.inner_light[inner],
            place[figure.lip_vertices],
            np.flatnonzero(np.isin(points[spot], rim)).astype(np.int32),
            locks,
            np.concatenate([place[outside], balls]).astype(np.int32),
            place[inside],
            np.searchsorted(lash_vertices, place[lashes]).astype(np.int32),
        )


def _nearest_first(figure: Figure, hair: Hair, triangles: Ints) -> Ints:
    """Triangles of the hair from near to far: what is hidden at once costs less."""
    away = -figure.camera.seen(hair.points)[:, 2]
    return triangles[np.argsort(away[triangles].mean(1), kind="stable")]
