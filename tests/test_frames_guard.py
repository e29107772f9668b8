"""The guard while a face speaks: it fails what is another person, holds it back, and leaves all else alone."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from coefficients import exp
from tiny_arcface import tiny_arcface
from two_persons import ROOT, SIZE, Fading, source

from npc_engine.cast import Cast, IdentitySpec, NeuralSpec
from npc_engine.commands.expression_space import expression_space
from npc_engine.frames.complexion import PLAIN, Complexion
from npc_engine.frames.drawing import breathed, drawn
from npc_engine.frames.guard import FADE, LATER, LEAST, WINDOWS, Guard, Stats, toward
from npc_engine.frames.guarded import Guarded
from npc_engine.frames.identity import THRESHOLD, Identity
from npc_engine.frames.limits import LEAST as LEAST_LIMIT
from npc_engine.frames.limits import alone, find_limits, within
from npc_engine.frames.load import load_face
from npc_engine.frames.pictures import FaceError
from npc_engine.moments import CHANNEL, EXP50, NEUTRAL, Expression, Line, Outputs

SILENCE = np.zeros(480, np.float32)
JAW = CHANNEL["jawOpen"]


def line(expressions, every: int = 1):
    at = Line("x", "maren", "", outputs=Outputs(picture=SIZE, picture_every=every))
    return [Expression(at, tick, SILENCE, e) for tick, e in enumerate(expressions)]


def talk(pictures: int, most: float = 1.0):
    """A jaw that swings between shut and `most` about five times a second."""
    return [exp(jawOpen=most * (0.5 - 0.5 * np.cos(k * 0.6))) for k in range(pictures)]


def pictures_of(moments) -> list[np.ndarray]:
    return [m.picture.pixels for m in moments if m.picture]


@pytest.fixture(scope="module")
def fading():
    return Fading()


@pytest.fixture(scope="module")
def identity(fading):
    return Identity(*fading.source)


def ended() -> None:
    """Wait until no judge is at work, as it must be soon."""
    end = time.monotonic() + 2
    while any(t.name == "identity" for t in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(t.name == "identity" for t in threading.enumerate())


class Looking:
    """A judge that keeps what it was shown; `verdict` says of a picture how good it is."""

    def __init__(self, verdict=lambda pixels: 1.0, delay: float = 0.0) -> None:
        self.verdict, self.delay, self.seen = verdict, delay, []

    def score(self, pixels):
        time.sleep(self.delay)
        self.seen.append(pixels)
        return self.verdict(pixels)


# ── it can fail ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_face_that_becomes_another_person_is_held_back(fading, identity):
    plain = pictures_of(drawn(fading.render, line(talk(120))))
    assert min(identity.score(p) for p in plain[::3]) < THRESHOLD - 0.2, "this face does not lose its identity"
    face = Guarded(fading, Guard(identity))
    moments = list(face.draw(line(talk(120))))
    held = pictures_of(moments)
    assert len(held) == 120
    assert sum(m.picture.damped for m in moments) == face.guard.stats.damped
    scores = [identity.score(p) for p in held]
    first_bad = next(k for k, score in enumerate(scores) if score < THRESHOLD)
    settled = max(WINDOWS[0], first_bad) + LATER + 8
    assert min(scores[settled:]) > THRESHOLD - 0.05, "what passes at one picture passes within a hair at the others"
    stats = face.guard.stats
    assert stats.failed >= 1
    assert stats.damped > 50
    assert stats.lowest < THRESHOLD
    # never black, never frozen: it still talks, and no step is a jump
    assert min(p.mean() for p in held) > 0.8 * plain[0].mean()
    change = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(held)]
    moving = [k for k in range(settled, 119) if abs(talk(120)[k][JAW] - talk(120)[k + 1][JAW]) > 0.1]
    assert min(change[k] for k in moving) > 0.05
    plain_change = max(np.abs(a.astype(int) - b).mean() for a, b in pairwise(plain))
    assert max(change) < 1.1 * plain_change


def test_a_line_is_drawn_the_same_however_fast_the_judge_is(fading, identity):
    class Slow:
        def score(self, pixels):
            time.sleep(0.03)
            return identity.score(pixels)

    once = pictures_of(Guarded(fading, Guard(identity)).draw(line(talk(60))))
    again = pictures_of(Guarded(fading, Guard(Slow())).draw(line(talk(60))))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))


def test_a_face_that_is_itself_is_left_alone(fading, identity):
    mild = talk(100, most=0.1)
    face = Guarded(fading, Guard(identity, Complexion(*fading.source)))
    watched = pictures_of(face.draw(line(mild)))
    plain = pictures_of(drawn(fading.render, line(mild)))
    assert all((a == b).all() for a, b in zip(watched, plain, strict=True))
    assert face.guard.stats == Stats(judged=3, lowest=face.guard.stats.lowest)
    assert face.guard.stats.lowest > 0.6


def test_a_face_that_never_passes_still_moves(fading):
    guard = Guard(Looking(lambda pixels: 0.1))
    given: list[float] = []

    def render(e, size, breath=0.0):
        if threading.current_thread().name != "identity":  # what the judge tries is not shown
            given.append(float(e[JAW]))
        return fading.render(e, size)

    pictures_of(drawn(render, line(talk(120)), guard.watch()))
    late = given[60:]
    assert 0.9 * LEAST < max(late) < 1.4 * LEAST + 0.01
    assert min(late) < 0.01
    assert guard.stats.failed >= 5


def test_it_is_given_more_again_when_all_is_well(fading):
    bad = {"until": 60}

    def verdict(pixels):
        bad["until"] -= 1
        return 0.2 if bad["until"] > 57 else 0.9

    guard, given = Guard(Looking(verdict)), []

    def render(e, size, breath=0.0):
        if threading.current_thread().name != "identity":  # what the judge tries is not shown
            given.append(float(e[JAW]))
        return fading.render(e, size)

    moments = line(talk(600))
    pictures_of(drawn(render, moments, guard.watch()))
    asked = [float(m.exp[JAW]) for m in moments]
    assert guard.stats.damped > 0
    assert given[-40:] == asked[-40:]


# ── which pictures are judged ──────────────────────────────────────────────────────────────────────────────────


def test_about_every_fiftieth_picture_is_judged_and_early_ones_sooner(fading):
    looking = Looking()
    pictures = pictures_of(Guarded(fading, Guard(looking)).draw(line(talk(750, most=0.4))))
    places = [next(k for k, p in enumerate(pictures) if p is seen) for seen in looking.seen]
    assert 16 <= len(places) <= 18
    assert places[0] < WINDOWS[0]
    assert places[1] < sum(WINDOWS[:2])
    assert np.diff(places).max() <= 2 * WINDOWS[-1]


def test_of_each_window_a_far_expression_is_judged(fading):
    rng = np.random.default_rng(2)
    said = [exp(jawOpen=v) for v in rng.uniform(0, 1, 2000)]
    looking = Looking(lambda pixels: 0.9)
    shown: dict[int, float] = {}

    def render(e, size, breath=0.0):
        pixels = fading.render(e, size)
        shown[id(pixels)] = float(e[JAW])
        looking.keep.append(pixels)
        return pixels

    looking.keep = []
    list(drawn(render, line(said), Guard(looking).watch()))
    assert np.mean([shown[id(p)] for p in looking.seen]) > 0.8, "at random it would be 0.5"


def test_silent_lines_and_lines_without_pictures_are_not_judged(fading):
    looking = Looking()
    face = Guarded(fading, Guard(looking))
    at = Line("x", "maren", "", outputs=Outputs(picture=0))
    assert all(m.picture is None for m in face.draw([Expression(at, t, SILENCE, NEUTRAL) for t in range(60)]))
    assert looking.seen == []
    every_other = pictures_of(face.draw(line(talk(24), every=2)))
    ended()
    assert (len(every_other), len(looking.seen)) == (12, 1)


def test_what_a_judge_cannot_do_is_told(fading):
    def broken(pixels):
        raise ValueError("the judge has no eyes")

    with pytest.raises(ValueError, match="the judge has no eyes"):
        list(Guarded(fading, Guard(Looking(broken))).draw(line(talk(60))))


def test_a_line_that_is_dropped_leaves_no_thread_behind(fading):
    looking = Looking(lambda pixels: 0.1, delay=0.02)
    moments = Guarded(fading, Guard(looking)).draw(line(talk(60)))
    while not any(t.name == "identity" for t in threading.enumerate()):
        next(moments)
    moments.close()
    ended()
    assert len(looking.seen) <= 3, "it went on trying though nobody wants the line"


def test_the_log_says_at_a_lines_end_what_was_seen(fading, identity, caplog):
    with caplog.at_level(logging.INFO, "npc_engine.frames.guard"):
        list(Guarded(fading, Guard(identity, name="maren")).draw(line(talk(60))))
    (said,) = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert said.startswith("maren: of 60 pictures ")
    assert "were judged, the worst 0." in said
    caplog.clear()
    with caplog.at_level(logging.INFO, "npc_engine.frames.guard"):
        list(Guarded(fading, Guard(identity)).draw(line([NEUTRAL])))
    assert not caplog.records


def test_counts_add_up():
    some = Stats(3, 1, 20, 5, 0.4) + Stats(2, 0, 0, 0, 0.7)
    assert some == Stats(5, 1, 20, 5, 0.4)
    assert Stats() + Stats(1, 0, 0, 0, 0.9) == Stats(1, 0, 0, 0, 0.9)


# ── how an expression is damped ────────────────────────────────────────────────────────────────────────────────


def test_damping_takes_only_what_goes_beyond_the_last_good_expression():
    good = exp(jawOpen=0.3, mouthSmileLeft=0.5, headYaw=-0.1)
    asked = exp(jawOpen=0.7, mouthSmileLeft=0.4, mouthPucker=0.6, headYaw=0.08, headPitch=-0.1)
    out = toward(good, asked, 0.5)
    assert out == pytest.approx(exp(jawOpen=0.5, mouthSmileLeft=0.4, mouthPucker=0.3, headYaw=0.04, headPitch=-0.05))
    assert (toward(good, asked, 1.0) == asked).all()


def test_lips_still_close_and_so_do_lids():
    good = exp(jawOpen=0.3)
    closed = exp(jawOpen=0.3, mouthClose=0.3, eyeBlinkLeft=1, eyeBlinkRight=1)
    assert toward(good, closed, 0.2) == pytest.approx(closed)
    wide = exp(jawOpen=0.8, mouthClose=0.8)
    out = toward(good, wide, 0.2)
    assert out[JAW] == pytest.approx(0.4)
    assert out[CHANNEL["mouthClose"]] == pytest.approx(out[JAW])


def test_damping_fades_in(fading):
    """From one picture to the next no more than a share `FADE` of the way, so nothing jumps."""
    guard, given = Guard(Looking(lambda pixels: 0.1)), []

    def render(e, size, breath=0.0):
        if threading.current_thread().name != "identity":  # what the judge tries is not shown
            given.append(float(e[JAW]))
        return fading.render(e, size)

    list(drawn(render, line([exp(jawOpen=1.0)] * 60), guard.watch()))
    steps = np.diff(given)
    assert len(given) == 60
    assert steps.min() < -0.1
    assert steps.min() >= -FADE * (1 - LEAST) - 1e-6
    assert given[-1] == pytest.approx(LEAST, abs=0.01)


# ── colours ────────────────────────────────────────────────────────────────────────────────────────────────────


class Tinted:
    """A face whose colours drift, as a network's do."""

    def __init__(self, fading, gains, alpha: bool = False) -> None:
        self.fading, self.gains, self.alpha = fading, np.array(gains), alpha

    def render(self, e, size, breath=0.0):
        pixels = np.clip(self.fading.render(e, size) * self.gains, 0, 255).astype(np.uint8)
        return np.dstack([pixels, np.full(pixels.shape[:2], 77, np.uint8)]) if self.alpha else pixels


def test_a_drift_of_colour_is_brought_back_on_the_face_and_nowhere_else(fading, identity):
    complexion = Complexion(*fading.source)
    tinted = Tinted(fading, (0.88, 1.0, 0.9), alpha=True)
    face = Guarded(tinted, Guard(identity, complexion))
    pictures = pictures_of(face.draw(line([NEUTRAL] * 60)))
    raw = tinted.render(NEUTRAL, SIZE)
    assert (pictures[0] == raw).all()
    assert np.abs(complexion.gains(raw) - 1).max() > 0.1
    assert complexion.gains(pictures[-1]) is PLAIN, "what is left is too little to be corrected"
    changed = (pictures[-1] != raw).any(2)
    assert changed.mean() > 0.08
    assert not changed[:10].any()
    assert not changed[-10:].any()
    assert (pictures[-1][..., 3] == 77).all()
    steps = [np.abs(a.astype(int) - b).max() for a, b in pairwise(pictures)]
    assert 0 < max(steps) < 20
    assert steps[-10:] == [0] * 10
    assert face.guard.stats.recoloured > 30


def test_a_small_drift_is_left(fading):
    complexion = Complexion(*fading.source)
    assert complexion.gains(Tinted(fading, (0.97, 1.0, 1.03)).render(NEUTRAL, SIZE)) is PLAIN


def test_a_correction_stays_gentle(fading):
    gains = Complexion(*fading.source).gains(Tinted(fading, (0.4, 0.4, 0.4)).render(NEUTRAL, SIZE))
    assert gains == pytest.approx([1.15] * 3)


@pytest.fixture
def restored(tmp_path):
    """A function that loads a face whose pictures a tiny GFPGAN makes lighter, or turns into their negative."""
    pytest.importorskip("onnx", reason="onnx builds the tiny files: pip install 'npc-engine[train]'")
    import tiny_networks

    def load(factor: float, lighter: float):
        tiny_networks.gfpgan(tmp_path, factor, lighter)
        spec, folder = Cast((ROOT,)).face("maren")
        return load_face(replace(spec, neural=NeuralSpec(str(tmp_path), "cpu", restore=1.0)), folder)

    return load


def test_a_neural_face_is_watched_too_and_its_colours_brought_back(restored):
    face = restored(1.0, -0.14)
    pictures = pictures_of(face.draw(line([NEUTRAL] * 40)))
    first, last = (face.guard.complexion.gains(p) for p in (pictures[0], pictures[-1]))
    assert np.abs(first - 1).max() > 0.1
    assert last is PLAIN
    assert face.guard.stats.recoloured > 15
    assert face.guard.stats.failed == 0


def test_a_neural_face_that_is_nobody_is_told(restored, caplog):
    face = restored(-1.0, 0.0)
    list(face.draw(line([NEUTRAL] * 40)))
    assert face.guard.stats.failed >= 2
    assert face.guard.stats.lowest < THRESHOLD
    assert any(r.levelno == logging.WARNING and "maren: scores" in r.getMessage() for r in caplog.records)


# ── limits, while a face is added ──────────────────────────────────────────────────────────────────────────────


def space():
    return {name: alone(name) for name in EXP50[:45]} | {"both": exp(jawOpen=0.9, mouthSmileLeft=0.9)}


def test_the_limit_of_a_face_that_becomes_another_person_is_found(fading, identity):
    told: list[tuple[int, int]] = []
    found = find_limits(fading, identity, space(), lambda done, of: told.append((done, of)))
    assert list(found.limits) == ["jawOpen"]
    most = found.limits["jawOpen"]
    assert LEAST_LIMIT <= most < 1
    assert identity.score(fading.render(exp(jawOpen=most), 512)) >= THRESHOLD
    assert identity.score(fading.render(exp(jawOpen=most + 0.2), 512)) < THRESHOLD
    assert min(found.scores.values()) == found.worst.score >= THRESHOLD
    assert found.worst.name in ("jawOpen", "both")
    assert found.worst.pixels.shape == (512, 512, 3)
    assert found.mean > 0.95
    assert told == [(k + 1, 46) for k in range(46)]


def test_a_face_that_stays_itself_has_no_limits():
    face = Fading("maren", "maren")
    found = find_limits(face, Identity(*source("maren")), space())
    assert found.limits == {}
    assert found.worst.score > 0.95


def test_limits_do_not_go_below_what_still_speaks(fading):
    found = find_limits(fading, Looking(lambda pixels: 0.1), {"jawOpen": alone("jawOpen")})
    assert found.limits == {"jawOpen": LEAST_LIMIT}
    assert found.worst.score == 0.1


def test_nothing_to_search_is_told(fading, identity):
    with pytest.raises(ValueError, match="expected at least one"):
        find_limits(fading, identity, {})


def test_within_limits_lips_close_what_the_jaw_opens():
    out = within(exp(jawOpen=0.8, mouthClose=0.8, mouthPucker=0.9), {"jawOpen": 0.4, "mouthPucker": 0.5})
    assert out == pytest.approx(exp(jawOpen=0.4, mouthClose=0.4, mouthPucker=0.5))


def test_the_space_covers_weights_visemes_emotions_and_more():
    every = expression_space()
    assert {"jawOpen", "preview smile", "angry aa", "random 7"} <= every.keys()
    assert len(every) > 200
    assert all(((e[:45] >= 0) & (e[:45] <= 1)).all() and e.dtype == np.float32 for e in every.values())
    again = expression_space()
    assert all((every[name] == again[name]).all() for name in every)


# ── breath ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_begins_breathed_out_and_breathes_four_times_in_sixteen_seconds():
    rise = np.array([breathed(tick) for tick in range(800)])
    assert rise[0] == 0
    assert 0 <= rise.min() <= rise.max() <= 1
    assert ((rise[1:-1] > rise[:-2]) & (rise[1:-1] >= rise[2:])).sum() == 4
    given = []

    def render(e, size, breath):
        given.append(breath)
        return np.zeros((size, size, 3), np.uint8)

    list(drawn(render, line([NEUTRAL] * 60, every=2)))
    assert given == [breathed(tick) for tick in range(0, 60, 2)]


def test_a_drawn_head_is_not_judged_and_needs_no_network(tmp_path):
    folder = tmp_path / "faces" / "x"
    folder.mkdir(parents=True)
    (folder / "face.toml").write_text('engine = "head"\n')
    spec, folder = Cast((tmp_path,)).face("x")
    assert load_face(spec, folder).guard is None
    mine = tiny_arcface(folder / "arcface.onnx")
    with pytest.raises(FaceError, match="identity: expected no network, a 3D head is not judged"):
        load_face(replace(spec, identity=IdentitySpec(mine.name)), folder)
