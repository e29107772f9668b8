"""Skin painted by code onto the texture: zones of colour, lips, lids, brows, stubble, freckles, lines and pores."""

from __future__ import annotations

import cv2
import numpy as np

from npc_engine.frames.head.asset import Asset, Floats
from npc_engine.frames.head.layout import COARSE, EDGE, Box, FrontView, Layout, box_of, finer, grain, noise, widened
from npc_engine.head_spec import HAIRS, SKINS, Colour, HeadSpec, colour


def mixed(under: Floats, tone: Colour | Floats, share: Floats) -> Floats:
    """`under` f32[h, w, 3] with `tone` laid over it by `share` f32[h, w], 0..1."""
    weight = np.clip(np.asarray(share, np.float32), 0, 1)
    over = np.empty_like(under)
    over[:] = tone
    return np.asarray(cv2.blendLinear(over, under, weight, 1 - weight), np.float32)


def tinted(base: Colour, red: float, green: float, blue: float) -> Colour:
    """A colour with its channels scaled."""
    return min(base[0] * red, 1.0), min(base[1] * green, 1.0), min(base[2] * blue, 1.0)


def skin_texture(head: Asset, layout: Layout, spec: HeadSpec, scalp: Floats) -> Floats:
    """The skin, sRGB f32[EDGE, EDGE, 3]; `scalp` f32[COARSE, COARSE] says where hair grows, 0..1."""
    rng = np.random.default_rng(spec.seed)
    small = _zones(head, layout, spec, rng)
    out = widened(small)
    _beard(out, head, layout, spec, rng)
    pores = _pores(layout, rng)
    cv2.multiply(out, cv2.merge([pores, pores, pores]), out)
    if spec.freckles > 0:
        _freckles(out, layout, spec, rng)
    where, lines = _lines(layout, spec, rng)
    out[where] *= 1 + np.minimum(lines, 0.35)[..., None] * np.array([-0.9, -1.15, -1.15], np.float32)
    _lips(out, head, layout, spec, rng)
    if scalp.any():
        _roots(out, scalp, spec, rng)
    _brows(out, layout, spec, np.random.default_rng(spec.seed + 3))
    return out


def _zones(head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> Floats:
    """Colour that changes slowly over the face, f32[COARSE, COARSE, 3]."""
    skin = colour(spec.skin, SKINS, "skin")
    layout, size = layout.rough(), COARSE // 2
    out = np.broadcast_to(np.array(skin, np.float32), (size, size, 3)).copy()
    flush, deep, pale = tinted(skin, 1.0, 0.74, 0.71), tinted(skin, 0.80, 0.66, 0.64), tinted(skin, 1.06, 1.07, 1.05)
    marks = layout.marks
    tip, base, chin = marks["nose_tip"], marks["nose_base"], marks["chin"]
    patch = np.clip(1 + 0.14 * noise(size, 7, rng), 0.2, 2)
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
    ears, lids = (head.masks[name][::2, ::2].astype(np.float32) / 255 for name in ("ears", "eyelids"))
    out = mixed(out, flush, (0.35 + 0.5 * spec.flush) * cv2.GaussianBlur(ears, (0, 0), 1))
    out = mixed(out, tinted(skin, 0.86, 0.70, 0.68), 0.45 * cv2.GaussianBlur(lids, (0, 0), 1.3))
    if spec.makeup:
        shadow = layout.both((0.50, 0.12), (0.22, 0.10), -0.1)
        out = mixed(out, tinted(skin, 0.55, 0.42, 0.45), 0.55 * spec.makeup * shadow)
    out = np.asarray(cv2.resize(out, (COARSE, COARSE), interpolation=cv2.INTER_LINEAR), np.float32)
    blotch = 1 + 0.010 * noise(COARSE, 30, rng) + 0.013 * noise(COARSE, 9, rng) + 0.012 * noise(COARSE, 3, rng)
    cv2.multiply(out, cv2.merge([np.sqrt(blotch), blotch, blotch]), out)
    return np.asarray(out, np.float32)


def _roots(out: Floats, scalp: Floats, spec: HeadSpec, rng: np.random.Generator) -> None:
    """Hair's roots where it grows, ragged at its line."""
    box = finer(box_of(scalp > 0, 1))
    root = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32)
    wide, comb = widened(scalp)[box], _combed(box, rng)
    ragged = np.clip((wide - 0.5 + 0.20 * comb) * 2.4 + 0.5, 0, 1) * np.clip(wide * 5, 0, 1)
    shade = np.exp(-0.30 + 0.20 * comb)
    tone = cv2.merge([np.asarray(shade * channel, np.float32) for channel in root])
    out[box] = mixed(out[box], np.asarray(tone, np.float32), np.asarray(ragged * 0.95, np.float32))


def _combed(box: Box, rng: np.random.Generator) -> Floats:
    """Streaks f32[h, w] that run away from the face's middle, as hair is combed, of mean 0 and deviation 1."""
    rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    y, x = np.meshgrid(rows - np.float32(EDGE * 0.36), columns - np.float32(EDGE / 2), indexing="ij")
    away, turn = cv2.cartToPolar(-y, x)  # from the crown, 0..2π
    ring = cv2.GaussianBlur(rng.standard_normal((64, 2048), np.float32), (0, 0), sigmaX=1.1, sigmaY=6)
    turn = np.asarray(turn, np.float32) * np.float32(2047 / (2 * np.pi))
    out = cv2.remap(ring, turn, np.asarray(away, np.float32) * np.float32(63 / EDGE), cv2.INTER_LINEAR)
    return np.asarray((out - out.mean()) / out.std(), np.float32)


def _beard(out: Floats, head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> None:
    """The shadow of a beard that was shaved, or its first days."""
    if not spec.stubble:
        return
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
    hair = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32) * 0.55
    hair = 0.6 * hair + 0.4 * np.array([0.33, 0.34, 0.36], np.float32)
    box = box_of(zone > 0, 1)
    wide = finer(box)
    dots = np.clip(0.55 + 0.32 * grain(1.3, rng)[wide] + 0.10 * noise(EDGE, 5, rng)[wide], 0.1, 1.3)
    share = widened((zone * zone * (3 - 2 * zone)).astype(np.float32))[wide] * dots
    out[wide] = mixed(out[wide], hair, np.float32(0.66 * spec.stubble) * share)


def _pores(layout: Layout, rng: np.random.Generator) -> Floats:
    """Fine light and dark of the skin's grain, f32[EDGE, EDGE] about 1; coarser on nose and cheeks."""
    rough = widened(0.6 + 0.7 * layout.blob((0, -0.6), (0.35, 0.35)) + 0.4 * layout.both((0.55, -0.5), (0.3, 0.3)))
    fine = noise(COARSE, 1.2, rng)
    holes = np.maximum(noise(COARSE, 1.9, rng) - 1.3, 0)
    mixed = np.tile(cv2.addWeighted(fine, 0.013, holes, -0.040, 0), (EDGE // COARSE,) * 2)  # too fine to see it repeat
    return np.asarray(cv2.multiply(rough, mixed) + np.float32(1), np.float32)


def _freckles(out: Floats, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> None:
    where = layout.both((0.52, -0.42), (0.42, 0.22)) + layout.blob((0, -0.35), (0.3, 0.2)) + 0.25
    where *= layout.z > -1.2
    box = finer(box_of(where > 0, 1))
    large, small = noise(EDGE, 3.2, rng)[box], grain(2.0, rng)[box]
    spots = np.clip((large - 1.45) * 1.8, 0, 1) + np.float32(0.7) * np.clip((small - 1.8) * 2, 0, 1)
    tone = tinted(colour(spec.skin, SKINS, "skin"), 0.74, 0.60, 0.50)
    out[box] = mixed(out[box], tone, np.float32(0.62 * spec.freckles) * spots * widened(where)[box])


def _lips(out: Floats, head: Asset, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> None:
    skin = colour(spec.skin, SKINS, "skin")
    near = box_of(head.masks["lips"], 8)
    box = finer(near)
    wide, tall = box[1].stop - box[1].start, box[0].stop - box[0].start
    sharp = cv2.resize(head.masks["lips"][near], (wide, tall), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    mask = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 4.0), np.float32)
    red = 0.75 if spec.sex == "female" else 0.45
    tone = np.array(tinted(skin, 0.93 - 0.07 * red, 0.70 - 0.14 * red, 0.70 - 0.12 * red), np.float32)
    painted = np.array([0.62, 0.10, 0.14], np.float32)
    tone = tone + (painted - tone) * np.float32(0.55 * spec.makeup)
    # each groove is eight times as long as it is wide
    grooves = cv2.resize(grain(1.5, rng)[: tall // 8 + 1, :wide], (wide, tall), interpolation=cv2.INTER_LINEAR)
    shade = 1 + 0.035 * grooves
    line = cv2.resize(layout.blob((0, layout.marks["lip_line"][1]), (0.5, 0.035))[near], (wide, tall))
    lips = np.asarray(tone * (shade - 0.22 * line)[..., None], np.float32)
    out[box] = mixed(out[box], lips, mask * np.float32(0.95))


def _lines(layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> tuple[Box, Floats]:
    """Lines of age in a box of the texture, f32[h, w], 0 none; nearly nothing on a young face."""
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
    return view.laid()


def _brows(out: Floats, layout: Layout, spec: HeadSpec, rng: np.random.Generator) -> None:
    """Brows hair by hair: rising at the inner end, lying down towards the outer."""
    if not spec.brows:
        return
    male = spec.sex == "male"
    ridge = layout.marks["brow_ridge"][1]
    view = FrontView(layout)
    count = int((330 if male else 260) * min(spec.brows, 1.6))
    thick = (0.115 if male else 0.078) * spec.brows
    strands: list[Floats] = []
    shades: list[Floats] = []
    for side in (1, -1):
        t = rng.beta(1.15, 1.25, count)
        x = 0.185 + 0.66 * t
        middle = ridge + np.interp(
            t, [0, 0.3, 0.62, 1], [-0.02, 0.03, 0.075, -0.03] if male else [0.045, 0.075, 0.12, 0.0]
        )
        spread = np.clip(rng.normal(0, 0.30, count), -0.42, 0.55)  # lower down, the lid's fold would draw hairs long
        y = middle + spread * thick * np.interp(t, [0, 0.25, 0.6, 1], [0.75, 1, 0.85, 0.25])
        rise = np.interp(t, [0, 0.12, 0.4, 1], [1.25, 0.85, 0.25, -0.32]) - 0.7 * spread + rng.normal(0, 0.16, count)
        length = np.interp(t, [0, 0.3, 1], [0.07, 0.095, 0.075]) * rng.uniform(0.6, 1.1, count) * (1.15 if male else 1)
        step = np.linspace(0, 1, 4)
        bend = rise[:, None] - 0.5 * step
        way = np.stack([np.cos(bend), np.sin(bend)], -1) * (length[:, None] * step)[..., None]
        strands.append(np.asarray((np.stack([x, y], 1)[:, None] + way) * [side, 1], np.float32))
        shades.append(np.asarray(rng.uniform(0.55, 1.0, count), np.float32))
    view.strands(np.concatenate(strands), np.concatenate(shades), 2)
    box = box_of(view.picture > 0, 27)
    drawn = view.picture[box]
    view.picture[box] = np.clip(0.55 * drawn + 0.34 * cv2.GaussianBlur(drawn, (0, 0), 9), 0, 0.82)
    hair = np.array(colour(spec.hair_colour, HAIRS, "hair_colour"), np.float32)
    skin = np.array(colour(spec.skin, SKINS, "skin"), np.float32)
    tone = np.minimum(hair * 0.72, skin * 0.72) if hair.mean() < 0.62 else hair * 0.8
    box, share = view.laid()
    out[box] = mixed(out[box], tone, share)
