"""Skin painted by code onto the texture: zones of colour, lips, lids, brows, stubble, freckles, lines and pores."""

from __future__ import annotations

import cv2
import numpy as np

from npc_engine.frames.head.asset import Asset, Floats
from npc_engine.frames.head.layout import COARSE, EDGE, FrontView, Layout, noise
from npc_engine.head_spec import HAIRS, SKINS, Colour, HeadSpec, colour


def mixed(under: Floats, tone: Colour | Floats, share: Floats) -> Floats:
    """`under` f32[n, n, 3] with `tone` laid over it by `share` f32[n, n], 0..1."""
    weight = np.clip(share, 0, 1)[..., None]
    return np.asarray(under + (np.asarray(tone, np.float32) - under) * weight, np.float32)


def tinted(base: Colour, red: float, green: float, blue: float) -> Colour:
    """A colour with its channels scaled."""
    return min(base[0] * red, 1.0), min(base[1] * green, 1.0), min(base[2] * blue, 1.0)


def skin_texture(head: Asset, layout: Layout, spec: HeadSpec, scalp: Floats) -> Floats:
    """The skin, sRGB f32[EDGE, EDGE, 3]; `scalp` f32[COARSE, COARSE] says where hair grows, 0..1."""
    rng = np.random.default_rng(spec.seed)
    small = _zones(head, layout, spec, rng)
    out: Floats = np.asarray(cv2.resize(small, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR), np.float32)
    out = _beard(out, head, layout, spec, rng)
    out *= _pores(layout, rng)[..., None]
    if spec.freckles > 0:
        out = _freckles(out, layout, spec, rng)
    out *= 1 + np.minimum(_lines(layout, spec, rng), 0.35)[..., None] * np.array([-0.9, -1.15, -1.15], np.float32)
    out = _lips(out, head, layout, spec, rng)
    root = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32)
    wide = cv2.resize(scalp, (EDGE, EDGE), interpolation=cv2.INTER_LINEAR)
    comb = _combed(rng)
    ragged = np.clip((wide - 0.5 + 0.20 * comb) * 2.4 + 0.5, 0, 1) * np.clip(wide * 5, 0, 1)
    out = mixed(out, root * np.exp(-0.30 + 0.20 * comb)[..., None], np.asarray(ragged * 0.95, np.float32))
    return np.asarray(np.clip(_brows(out, layout, spec, rng), 0, 1), np.float32)


def _zones(head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    """Colour that changes slowly over the face, f32[COARSE, COARSE, 3]."""
    skin = colour(spec.skin, SKINS, "skin")
    out = np.broadcast_to(np.array(skin, np.float32), (COARSE, COARSE, 3)).copy()
    flush, deep, pale = tinted(skin, 1.0, 0.74, 0.71), tinted(skin, 0.80, 0.66, 0.64), tinted(skin, 1.06, 1.07, 1.05)
    marks = layout.marks
    tip, base, chin = marks["nose_tip"], marks["nose_base"], marks["chin"]
    patch = np.clip(1 + 0.14 * noise(COARSE, 14, rng), 0.2, 2)
    red = spec.flush * 1.15
    out = mixed(out, pale, 0.5 * layout.blob((0, 0.85), (0.6, 0.28)) + 0.35 * layout.both((0.5, -0.42), (0.2, 0.1)))
    out = mixed(out, pale, 0.30 * layout.blob((0, -0.15), (0.08, 0.35)))
    out = mixed(out, flush, red * patch * 0.60 * layout.both((0.70, tip[1] - 0.02), (0.30, 0.24), -0.35))
    out = mixed(out, flush, red * patch * 0.65 * layout.blob((0, tip[1] + 0.02), (0.20, 0.16)))
    out = mixed(out, flush, red * patch * 0.55 * layout.both((0.22, base[1] + 0.05), (0.09, 0.10)))
    out = mixed(out, flush, red * patch * 0.35 * layout.blob((0, chin[1] + 0.28), (0.25, 0.14)))
    out = mixed(out, deep, (0.32 + 0.004 * spec.age) * layout.both((0.48, 0.0), (0.26, 0.15)))
    out = mixed(out, deep, 0.42 * layout.both((0.25, 0.02), (0.09, 0.14)))
    out = mixed(out, deep, (0.22 + 0.003 * spec.age) * layout.both((0.46, -0.22), (0.24, 0.07), -0.12))
    out = mixed(out, deep, 0.25 * layout.both((0.36, base[1] + 0.02), (0.06, 0.16), 0.5))
    ears, lids = (head.masks[name].astype(np.float32) / 255 for name in ("ears", "eyelids"))
    out = mixed(out, flush, (0.35 + 0.5 * spec.flush) * cv2.GaussianBlur(ears, (0, 0), 2))
    out = mixed(out, tinted(skin, 0.86, 0.70, 0.68), 0.45 * cv2.GaussianBlur(lids, (0, 0), 2.5))
    if spec.makeup:
        shadow = layout.both((0.50, 0.12), (0.22, 0.10), -0.1)
        out = mixed(out, tinted(skin, 0.55, 0.42, 0.45), 0.55 * spec.makeup * shadow)
    blotch = 1 + 0.010 * noise(COARSE, 30, rng) + 0.013 * noise(COARSE, 9, rng) + 0.012 * noise(COARSE, 3, rng)
    out *= np.stack([blotch ** np.float32(0.6), blotch, blotch], -1)
    return np.asarray(out, np.float32)


def _combed(rng: np.random.Generator) -> Floats:
    """Streaks f32[EDGE, EDGE] that run away from the face's middle, as hair is combed, of mean 0 and deviation 1."""
    y, x = np.mgrid[0:EDGE, 0:EDGE].astype(np.float32)
    x, y = x - EDGE / 2, y - EDGE * 0.36
    turn = np.arctan2(x, -y) / (2 * np.pi) + 0.5
    ring = cv2.GaussianBlur(rng.standard_normal((64, 2048), np.float32), (0, 0), sigmaX=1.1, sigmaY=6)
    out = cv2.remap(ring, turn * 2047, np.hypot(x, y) / EDGE * 63, cv2.INTER_LINEAR)
    return np.asarray((out - out.mean()) / out.std(), np.float32)


def _beard(out: Floats, head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    """The shadow of a beard that was shaved, or its first days."""
    if not spec.stubble:
        return out
    base, lip, chin = (layout.marks[k] for k in ("nose_base", "lip_line", "chin"))
    corner = abs(layout.marks["corner"][0])
    across = np.abs(layout.x)
    edge = np.interp(
        across, [0, corner * 0.7, 0.75, 1.15, 1.35], [base[1] - 0.06, base[1] - 0.10, lip[1] - 0.02, 0.0, 0.2]
    )
    zone = np.clip((edge + 0.1 - layout.y) / 0.34, 0, 1) * np.clip((layout.y - chin[1] + 0.55) / 0.4, 0, 1)
    zone *= np.clip((layout.z + 1.5) / 0.4, 0, 1)
    bare = layout.both((corner * 1.25, lip[1] + 0.02), (0.10, 0.06)) + layout.both((0.2, lip[1] - 0.26), (0.09, 0.06))
    zone *= np.clip(1 - 0.5 * bare, 0, 1) * (cv2.dilate(head.masks["ears"], np.ones((9, 9))) < 40)
    dots = np.clip(0.55 + 0.32 * noise(EDGE, 1.3, rng) + 0.10 * noise(EDGE, 5, rng), 0.1, 1.3)
    hair = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32) * 0.55
    hair = 0.6 * hair + 0.4 * np.array([0.33, 0.34, 0.36], np.float32)
    share = cv2.resize((zone * zone * (3 - 2 * zone)).astype(np.float32), (EDGE, EDGE)) * dots
    return mixed(out, hair, 0.66 * spec.stubble * share)


def _pores(layout: Layout, rng: np.random.Generator) -> Floats:
    """Fine light and dark of the skin's grain, f32[EDGE, EDGE] about 1; coarser on nose and cheeks."""
    rough = cv2.resize(
        0.6 + 0.7 * layout.blob((0, -0.6), (0.35, 0.35)) + 0.4 * layout.both((0.55, -0.5), (0.3, 0.3)), (EDGE, EDGE)
    )
    fine = noise(EDGE, 1.2, rng)
    holes = np.maximum(noise(EDGE, 1.9, rng) - 1.3, 0)
    return np.asarray(1 + rough * (0.013 * fine - 0.040 * holes), np.float32)


def _freckles(out: Floats, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    where = layout.both((0.52, -0.42), (0.42, 0.22)) + layout.blob((0, -0.35), (0.3, 0.2)) + 0.25
    where *= layout.z > -1.2
    spots = np.clip((noise(EDGE, 3.2, rng) - 1.45) * 1.8, 0, 1) + 0.7 * np.clip((noise(EDGE, 2.0, rng) - 1.8) * 2, 0, 1)
    tone = tinted(colour(spec.skin, SKINS, "skin"), 0.74, 0.60, 0.50)
    return mixed(out, tone, 0.62 * spec.freckles * spots * cv2.resize(where, (EDGE, EDGE)))


def _lips(out: Floats, head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    skin = colour(spec.skin, SKINS, "skin")
    sharp = cv2.resize(head.masks["lips"], (EDGE, EDGE), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    mask = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 4.0), np.float32)
    red = 0.75 if spec.sex == "female" else 0.45
    tone = np.array(tinted(skin, 0.93 - 0.07 * red, 0.70 - 0.14 * red, 0.70 - 0.12 * red), np.float32)
    painted = np.array([0.62, 0.10, 0.14], np.float32)
    tone = tone + (painted - tone) * np.float32(0.55 * spec.makeup)
    grooves = cv2.resize(noise(EDGE, 1.5, rng)[:128], (EDGE, EDGE), interpolation=cv2.INTER_LINEAR)
    shade = 1 + 0.035 * grooves
    line = cv2.resize(layout.blob((0, layout.marks["lip_line"][1]), (0.5, 0.035)), (EDGE, EDGE))
    return mixed(out, np.asarray(tone * (shade - 0.22 * line)[..., None], np.float32), mask * np.float32(0.95))


def _lines(layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    """Lines of age, f32[EDGE, EDGE], 0 none; nearly nothing on a young face."""
    old = float(np.clip((spec.age - 24) / 50, 0, 1))
    view = FrontView(layout)
    marks = layout.marks
    brow, base, corner = marks["brow_ridge"][1], marks["nose_base"][1], marks["corner"]
    mouth = abs(corner[0])

    def both(points: list[tuple[float, float]], width: float, depth: float) -> None:
        jitter = [(x + rng.normal() * 0.006, y + rng.normal() * 0.006) for x, y in points]
        for side in (1, -1):
            view.stroke([(side * x, y) for x, y in jitter], width, depth)

    for k, rise in enumerate((0.30, 0.43, 0.56)):
        wave = [(t * 0.62, brow + rise + 0.03 * rng.normal() - 0.06 * t * t) for t in np.linspace(-1, 1, 7)]
        view.stroke(wave, 0.014, old * (0.24 - 0.05 * k))
    both([(0.09, brow - 0.08), (0.10, brow + 0.04), (0.08, brow + 0.16)], 0.014, 0.22 * old)
    for slope in (0.16, 0.0, -0.14):
        start = 0.82
        both([(start, 0.2 * slope), (start + 0.1, 0.6 * slope), (start + 0.22, 1.25 * slope)], 0.011, 0.22 * old)
    both([(0.24, -0.13), (0.42, -0.24), (0.66, -0.18)], 0.022, 0.05 + 0.20 * old)
    both([(0.26, base + 0.17), (0.36, base + 0.0), (mouth + 0.09, corner[1] + 0.08)], 0.028, 0.05 + 0.24 * old)
    both([(mouth + 0.02, corner[1] + 0.01), (mouth + 0.05, corner[1] - 0.16)], 0.022, 0.04 + 0.14 * old)
    return view.laid(EDGE)


def _brows(out: Floats, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    """Brows hair by hair: rising at the inner end, lying down towards the outer."""
    if not spec.brows:
        return out
    male = spec.sex == "male"
    ridge = layout.marks["brow_ridge"][1]
    view = FrontView(layout)
    count = int((330 if male else 260) * min(spec.brows, 1.6))
    thick = (0.115 if male else 0.078) * spec.brows
    strands: list[Floats] = []
    shades: list[float] = []
    for side in (1, -1):
        t = rng.beta(1.15, 1.25, count)
        x = 0.185 + 0.66 * t
        middle = ridge + np.interp(
            t, [0, 0.3, 0.62, 1], [-0.02, 0.03, 0.075, -0.03] if male else [0.045, 0.075, 0.12, 0.0]
        )
        spread = np.clip(rng.normal(0, 0.30, count), -0.55, 0.55)
        y = middle + spread * thick * np.interp(t, [0, 0.25, 0.6, 1], [0.75, 1, 0.85, 0.25])
        rise = np.interp(t, [0, 0.12, 0.4, 1], [1.25, 0.85, 0.25, -0.32]) - 0.7 * spread + rng.normal(0, 0.16, count)
        length = np.interp(t, [0, 0.3, 1], [0.07, 0.095, 0.075]) * rng.uniform(0.6, 1.1, count) * (1.15 if male else 1)
        for k in range(count):
            step = np.linspace(0, 1, 4)[:, None]
            bend = rise[k] - 0.5 * step
            way = np.concatenate([np.cos(bend), np.sin(bend)], 1) * length[k] * step
            strands.append(np.asarray((np.array([[x[k], y[k]]]) + way) * [side, 1], np.float32))
            shades.append(float(rng.uniform(0.55, 1.0)))
    view.strands(strands, shades, 2)
    soft = cv2.GaussianBlur(view.picture, (0, 0), 9)
    view.picture = np.clip(0.55 * view.picture + 0.34 * soft, 0, 0.82)
    hair = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32)
    skin = np.array(colour(spec.skin, SKINS, "skin"), np.float32)
    tone = np.minimum(hair * 0.72, skin * 0.72) if hair.mean() < 0.62 else hair * 0.8
    return mixed(out, tone, view.laid(EDGE))
