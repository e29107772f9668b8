"""What makes pictures quick: coarser grids for small ones, layers as bytes, fields summed in pairs, eyes in windows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.frames import layering, portrait
from npc_engine.frames.eye_windows import Windows
from npc_engine.frames.fields import ALIKE, Fields
from npc_engine.frames.grid import FEWER
from npc_engine.frames.load import load_portrait
from npc_engine.frames.motion import PAIRS
from npc_engine.frames.portrait import Portrait
from npc_engine.frames.preview import EXPRESSIONS, expression
from npc_engine.moments import EXP50

ROOT = Path(__file__).parents[1]
FACES = [name for name in sorted(Cast((ROOT,)).faces()) if Cast((ROOT,)).face(name)[0].engine == "portrait"]


@pytest.fixture(scope="module", params=FACES)
def face(request) -> Portrait:
    return load_portrait(*Cast((ROOT,)).face(request.param))


def wild(rng: np.random.Generator) -> np.ndarray:
    """Any legal expression."""
    e = np.zeros(50, np.float32)
    some = rng.choice(45, rng.integers(1, 13), replace=False)
    e[some] = rng.random(len(some))
    e[45:] = rng.uniform(-0.3, 0.3, 5)
    return e


class TestCoarserGrid:
    """Small pictures are drawn by a grid of fewer cells."""

    def test_has_fewer_cells(self, face):
        fine, coarse = face._motion.grid, face._motion.coarser(FEWER).grid
        assert coarse.cell > 1.4 * fine.cell
        assert (coarse.origin == fine.origin).all()

    def test_moves_everything_as_the_fine_one_does(self, face):
        coarse = face._motion.coarser(FEWER)
        for name in list(EXPRESSIONS)[1:]:
            weights = face._drawn(expression(name), 0.5)
            maps = [whole_map(motion, motion.inverse(weights).upper) for motion in (face._motion, coarse)]
            apart = 256 * np.linalg.norm(maps[0] - maps[1], axis=0)
            assert apart.mean() < 0.05, name
            assert np.percentile(apart, 99) < 0.9, f"{name}: pixels of a picture of 256"

    def test_never_folds_the_skin(self, face):
        rng, coarse = np.random.default_rng(5), face._motion.coarser(FEWER)
        for _ in range(300):
            layers = coarse.inverse(face._drawn(wild(rng), float(rng.random())))
            for offset in (layers.upper, layers.lower):
                x, y = np.moveaxis(coarse.grid.planes + offset, 1, 0)
                across, down = np.diff(x, axis=1)[:-1] * np.diff(y, axis=0)[:, :-1], np.diff(y, axis=1)[:-1]
                assert (across - down * np.diff(x, axis=0)[:, :-1]).min() > 0

    def test_draws_what_the_fine_one_draws(self, face, monkeypatch):
        names = list(EXPRESSIONS)[1:]
        small = [face.render(expression(name), 256).astype(int) for name in names]
        monkeypatch.setattr(portrait, "SMALL", 0)
        face._sized.clear()
        for name, coarse in zip(names, small, strict=True):
            differ = np.abs(face.render(expression(name), 256) - coarse).max(-1)
            assert differ.mean() < 0.8, name
            assert (differ > 40).mean() < 0.002, name
        face._sized.clear()


def whole_map(motion, offset: np.ndarray) -> np.ndarray:
    """Where the pixels of a picture of 256 come from that lie well within a grid, f32[2, 256, 256] in picture edges."""
    grid = motion.grid
    at = (np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1) + 0.5) / 256
    x, y = np.moveaxis(grid.cells(at).astype(np.float32), -1, 0)
    read = [cv2.remap(offset[:, k].copy(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for k in (0, 1)]
    return np.stack(read) * grid.cell


class TestFields:
    """Sums of fields, each only where there is any of it."""

    @pytest.fixture
    def parts(self):
        rng = np.random.default_rng(0)
        first, second = rng.normal(size=(4, 12, 2, 15)), rng.normal(size=(4, 7, 9))
        first[0, :5] = 0
        second[1] = 0
        return first.astype(np.float32), second.astype(np.float32)

    @pytest.mark.parametrize(
        "weights", [(0.5, 0.5, 0, 1), (0.5, 0.5 + ALIKE / 2, 0.2, 0), (0.9, 0.1, 0, 0.3), (0, 0.7, 0, 0)]
    )
    def test_are_what_they_are_by_matrices(self, parts, weights):
        weights = np.array(weights, np.float32)
        found = Fields(*parts, pairs=[(0, 1)]).sum(weights)
        for total, part in zip(found, parts, strict=True):
            assert total.shape == part.shape[1:]
            off = np.abs(total - np.tensordot(weights, part, 1)).max()
            assert off <= ALIKE / 2 * np.abs(part).max() * 2 + 1e-5

    def test_pairs_that_differ_are_exact(self, parts):
        weights = np.array([0.4, 0.4 + 2 * ALIKE, 0, 0], np.float32)
        (total, _), (alone, _) = Fields(*parts, pairs=[(0, 1)]).sum(weights), Fields(*parts).sum(weights)
        assert np.abs(total - alone).max() < 1e-6

    def test_read_at_their_own_nodes_are_the_same(self, parts):
        fields, weights = Fields(*parts, pairs=[(0, 1)]), np.array([0.3, 0.3, 0.8, 0.1], np.float32)
        places = [np.stack(np.meshgrid(np.arange(part.shape[-1]), np.arange(part.shape[1])), -1) for part in parts]
        for again, total in zip(fields.at(*places, factor=2.0).sum(weights), fields.sum(weights), strict=True):
            assert np.abs(again - 2 * total).max() < 1e-4

    def test_every_pair_is_of_two_halves(self):
        for left, right in PAIRS:
            assert EXP50[left].replace("Left", "Right") == EXP50[right]
        assert len({i for pair in PAIRS for i in pair}) == 2 * len(PAIRS) > 20


class TestLayers:
    """Layers as bytes are what they are as numbers, to a level or two."""

    @pytest.fixture
    def pictures(self):
        rng = np.random.default_rng(1)
        layer, behind = rng.integers(0, 256, (2, 20, 30, 4)).astype(np.uint8)
        layer[..., :3] = np.minimum(layer[..., :3], layer[..., 3:])
        return layer, behind

    def test_over_what_is_behind(self, pictures):
        layer, behind = pictures
        behind[..., 3] = 255
        asked = layer + behind * (1 - layer[..., 3:] / 255)
        assert np.abs(layering.lay_over(layer.copy(), behind) - asked).max() <= 1

    def test_over_another_layer(self, pictures):
        upper, lower = pictures
        lower[..., :3] = np.minimum(lower[..., :3], lower[..., 3:])
        asked = upper + lower * (1 - upper[..., 3:] / 255)
        assert np.abs(layering.joined(upper.copy(), lower.copy()) - asked).max() <= 1

    def test_shares_of_numbers_end_at_nothing_and_all(self):
        values = np.array([[-3.0, 0.0, 0.25, 1.0, 7.0]], np.float32)
        assert layering.share(values).tolist() == [[0, 0, 64, 255, 255]]
        assert layering.share(values, -1, 1).tolist() == [[255, 255, 191, 0, 0]]
        assert layering.rest(layering.share(values)).tolist() == [[255, 255, 191, 0, 0]]

    def test_shares_and_what_they_leave_give_all(self, pictures):
        picture, other = pictures
        share = other[..., 0].copy()
        both = layering.plus(layering.times(picture, share), layering.times(picture, layering.rest(share)))
        assert np.abs(both[..., :3].astype(int) - picture[..., :3]).max() <= 1

    def test_alpha_stays_where_colours_are_put(self, pictures):
        out, colours = pictures[0].copy(), pictures[1]
        layering.lay(colours[5:9, 5:9], out[5:9, 5:9])
        assert (out[..., 3] == pictures[0][..., 3]).all()
        assert (out[5:9, 5:9, :3] == colours[5:9, 5:9, :3]).all()
        assert (out[:5] == pictures[0][:5]).all()


class TestWindows:
    """Two windows of a picture, of which parts may lie beyond it."""

    @pytest.mark.parametrize("middles", [((20, 20), (40, 22)), ((2, 3), (62, 60)), ((-50, 20), (30, 20))])
    def test_what_is_cut_is_laid_back(self, middles):
        rng = np.random.default_rng(2)
        picture = rng.integers(0, 256, (64, 64, 4)).astype(np.uint8)
        windows = Windows(np.array(middles, float), (6.5, 5.0, 7.0, 8.0), (0, 0, 64, 64))
        cut = windows.cut_out(picture)
        assert cut.shape == (2 * windows.height, windows.width, 4)
        out = picture.copy()
        out[..., :3] = 0
        windows.lay(cut, out, (True, True))
        there = out[..., :3].any(-1)
        assert (out[there] == picture[there]).all()
        x, y = np.array(middles)[-1]
        if 0 < x < 56 and 0 < y < 56:
            assert there[y - 4 : y + 7, x - 5 : x + 6].mean() > 0.99

    def test_places_are_those_of_the_pixels(self):
        y, x = np.mgrid[0:64, 0:64].astype(np.float32)
        windows = Windows(np.array([[20.0, 20.0], [44.0, 20.0]]), (5.0, 5.0, 5.0, 5.0), (0, 0, 64, 64))
        across, down = windows.planes(windows.cut((x, y)))
        assert across[0].tolist() == list(range(15, 27))
        assert across[-1].tolist() == list(range(39, 51))
        assert down[:, 0].tolist() == list(range(15, 27)) * 2

    def test_only_wanted_ones_are_laid(self):
        out = np.zeros((64, 64, 4), np.uint8)
        windows = Windows(np.array([[20.0, 20.0], [44.0, 20.0]]), (5.0, 5.0, 5.0, 5.0), (0, 0, 64, 64))
        windows.lay(np.full((2 * windows.height, windows.width, 4), 9, np.uint8), out, (False, True))
        assert not out[:, :32].any()
        assert out[20, 44].tolist() == [9, 9, 9, 0]
