"""Life: lids that blink as lids do, eyes that look away and come back, heads that nod; a line lives the same twice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.expression.gaze import DEGREE, Gaze, Spring
from npc_engine.expression.idle import Idle
from npc_engine.expression.life import Accents, Hushes, Life
from npc_engine.expression.style import found
from npc_engine.moments import ATTITUDES, CHANNEL, STYLES, Line

LIDS = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
YAW, ROLL, PITCH = CHANNEL["headYaw"], CHANNEL["headRoll"], CHANNEL["headPitch"]
GAZE, GAZE_UP = CHANNEL["gazeYaw"], CHANNEL["gazePitch"]


def talk(ticks: int, seed: int = 0) -> np.ndarray:
    """Loudness of phrases of one to four seconds, of four syllables a second, with short pauses and some long ones."""
    rng = np.random.default_rng(seed)
    out: list[float] = []
    while len(out) < ticks:
        t = np.arange(rng.integers(50, 200))
        out += list(0.1 * (0.55 + 0.45 * np.sin(t * 0.5)) * (1 + (t % 60 < 8)))
        out += [1e-4] * int(rng.choice([9, 12, 16, 30]))
    return np.array(out[:ticks], np.float32)


def lived(npc: str, line: str, loudness: np.ndarray, style: str = "lively") -> np.ndarray:
    return Life(npc, line, found(style)).step(Accents().step(loudness), Hushes().step(loudness))


def spoken(style: str, lines: int = 20, ticks: int = 3000) -> list[np.ndarray]:
    return [lived("smith", f"line {i}", talk(ticks, i), style) for i in range(lines)]


def rested(
    attitude: str, style: str = "lively", lines: int = 20, ticks: int = 3000, **line: object
) -> list[np.ndarray]:
    return [Idle(Line(f"line {i}", "smith", "", style, attitude=attitude, **line)).step(ticks) for i in range(lines)]


class Blinks:
    """What lids do in lines f32[n, 50] each, but for what is cut off by their ends."""

    def __init__(self, lines: list[np.ndarray]) -> None:
        self.first, self.apart_s, self.falls_ms, self.rises_ms, self.apart_lids = [], [], [], [], []
        self.count = self.double = 0
        for moves in lines:
            lids = moves[:, LIDS]
            edges = np.flatnonzero(np.diff(np.concatenate([[0], lids.max(axis=1) > 0, [0]]).astype(int))).reshape(-1, 2)
            self.first.append(int(edges[0, 0]))
            begins = [int(a) for a, _ in edges]
            gaps = np.diff(begins)
            self.count += len(begins)
            self.double += int((gaps < 25).sum())
            self.apart_s += (gaps[gaps >= 25] / 50).tolist()
            for a, b in edges[:-1]:
                self._measure(lids[a - 1 : b + 1])

    def _measure(self, lids: np.ndarray) -> None:
        """Times between 5 % and 95 %, to the fraction of a tick."""
        halves = []
        for lid in lids.T:
            assert lid.max() > 0.97, "lids meet"
            top = int(lid.argmax())
            falls = np.interp([0.05, 0.5, 0.95], lid[: top + 1], np.arange(top + 1))
            rises = np.interp([0.05, 0.95], lid[top:][::-1], np.arange(len(lid) - 1, top - 1, -1))
            self.falls_ms.append((falls[2] - falls[0]) * 20)
            self.rises_ms.append((rises[0] - rises[1]) * 20)
            halves.append(falls[1])
        self.apart_lids.append(abs(halves[0] - halves[1]))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("what", ["speaking", *ATTITUDES])
def test_lids_fall_fast_and_rise_slowly_every_few_seconds(what: str, style: str, capsys) -> None:
    read = Blinks(spoken(style) if what == "speaking" else rested(what, style))
    mean, spread = float(np.mean(read.apart_s)), float(np.std(read.apart_s))
    with capsys.disabled():
        print(
            f"\n{what}, {style}: {read.count} blinks, every {mean:.1f} s (deviation {spread:.1f}, "
            f"{min(read.apart_s):.1f} to {max(read.apart_s):.1f}), {read.double / read.count:.0%} doubled; lids fall "
            f"in {np.mean(read.falls_ms):.0f} ms and rise in {np.mean(read.rises_ms):.0f}, "
            f"{np.mean(read.apart_lids) * 20:.0f} ms apart, at most {max(read.apart_lids) * 20:.0f}"
        )
    low, high = {"serious": (5.8, 8.2), "lively": (5.0, 7.5), "cartoon": (4.0, 6.0)}[style]
    assert low <= mean <= high
    assert spread > 0.28 * mean, "no metronome"
    assert min(read.apart_s) >= 0.5
    assert max(read.apart_s) <= 15.3
    assert 0.03 < read.double / read.count < 0.22
    assert 55 <= np.mean(read.falls_ms) <= 90
    assert 1.4 * np.mean(read.falls_ms) < np.mean(read.rises_ms) < 190
    assert np.mean(read.apart_lids) > 0
    assert max(read.apart_lids) <= 1
    assert min(read.first) >= 15, "never in the first 300 ms"


def test_styles_blink_more_and_less() -> None:
    rates = [Blinks(spoken(style)).count for style in ("serious", "lively", "cartoon")]
    assert 1.1 * rates[0] < rates[1] < rates[2] / 1.1


def test_blinks_come_with_large_shifts_and_at_the_ends_of_phrases() -> None:
    with_shift = by_chance = ends = nowhere = 0
    for i, moves in enumerate(spoken("lively", 40)):
        begins = np.flatnonzero(
            np.diff(moves[:, LIDS].max(axis=1) > 0, prepend=False) & (moves[:, LIDS].max(axis=1) > 0)
        )
        jumps = np.abs(np.diff(moves[:, GAZE], append=0)) > 2.5 * DEGREE
        quiet = np.array(Hushes().step(talk(3000, i)))
        near = np.convolve(jumps, np.ones(5), "same") > 0
        late = (quiet >= 7) & (quiet <= 8)
        with_shift += int(near[begins].sum())
        by_chance += near.mean() * len(begins)
        ends += int(late[begins].sum())
        nowhere += late.mean() * len(begins)
    assert with_shift > 1.5 * by_chance
    assert ends > 2.5 * nowhere


def test_the_same_line_lives_the_same_and_others_differently() -> None:
    once, again = (lived("smith", "a", talk(500)) for _ in range(2))
    assert np.array_equal(once, again)
    for npc, line in (("smith", "b"), ("elder", "a"), ("smitha", "")):
        assert np.abs(lived(npc, line, talk(500)) - once).max() > 0.01
    for attitude in ATTITUDES:
        (idle,), (other,) = (rested(attitude, lines=1, ticks=500) for _ in range(2))
        assert np.array_equal(idle, other)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8), st.sampled_from(STYLES))
def test_a_cut_changes_nothing(cuts: list[int], style: str) -> None:
    whole, loudness = lived("n", "l", talk(1000), style), talk(1000)
    life, accents, hushes = Life("n", "l", found(style)), Accents(), Hushes()
    edges = [0, *itertools.accumulate(cuts), 1000]
    parts = []
    for a, b in itertools.pairwise(min(e, 1000) for e in edges):
        parts.append(life.step(accents.step(loudness[a:b]), hushes.step(loudness[a:b])))
    assert np.array_equal(np.vstack(parts), whole)


def test_the_head_moves_within_what_speech_does() -> None:
    moves = np.concatenate(spoken("lively", 10, 1500))
    degrees = np.degrees(np.abs(moves[:, [YAW, ROLL, PITCH]]).max(axis=0))
    assert 1.5 < degrees[0] < 6.5
    assert 1.0 < degrees[1] < 3.5
    assert 1.0 < degrees[2] < 5.5
    assert np.degrees(np.abs(np.diff(moves[:1500, [YAW, ROLL, PITCH]], axis=0))).max() < 0.9, "no jerks"
    for line in spoken("cartoon", 10, 50):
        assert not line[0, [YAW, ROLL, PITCH, GAZE, GAZE_UP, *LIDS]].any(), "a line begins from rest"


def test_speakers_look_away_as_they_begin_and_back_at_the_listener() -> None:
    look = np.stack([np.hypot(m[:, GAZE] + 0.6 * m[:, YAW], m[:, GAZE_UP]) for m in spoken("lively", 60, 1500)])
    away = np.degrees(look) > 4
    assert away[:, 20:45].any(axis=1).mean() > 0.35, "where they think of what to say"
    assert away[:, 20:45].mean() > 1.5 * away[:, 100:].mean()
    assert 0.02 < away[:, 100:].mean() < 0.35, "and now and then"
    assert np.degrees(look).max() < 14


def test_after_a_phrase_the_eyes_come_back() -> None:
    loudness = np.concatenate([np.full(150, 0.1), np.full(21, 1e-4)]).astype(np.float32)
    before, after = [], []
    for i in range(200):
        moves = lived("n", str(i), loudness)
        look = np.degrees(np.hypot(moves[:, GAZE] + 0.6 * moves[:, YAW], moves[:, GAZE_UP] + 0.6 * moves[:, PITCH]))
        before.append(look[145] > 2.5)
        after.append(look[170] > 2.5)
    assert np.mean(before) > 0.05
    assert np.mean(after) < 0.6 * np.mean(before)


def test_who_hesitates_looks_away() -> None:
    loudness = np.concatenate([np.full(150, 0.1), np.full(60, 1e-4)]).astype(np.float32)
    away = [np.abs(lived("n", str(i), loudness)[170:, GAZE]).max() > 3 * DEGREE for i in range(100)]
    assert 0.4 < np.mean(away) < 0.95


def test_loud_accents_nod() -> None:
    quiet = np.full(300, 0.02, np.float32)
    accent = quiet.copy()
    accent[150:165] = 0.3
    nod = np.degrees(lived("n", "l", accent)[:, PITCH] - lived("n", "l", quiet)[:, PITCH])
    assert nod.min() < -0.7
    assert nod.max() <= 1e-5
    assert 150 < int(nod.argmin()) < 175


def test_ends_of_phrases_nod_some_of_the_time() -> None:
    spoken_on, stops = np.full(200, 0.1, np.float32), np.full(200, 0.1, np.float32)
    stops[150:162] = 1e-4
    dips = []
    for i in range(60):
        one, other = lived("n", str(i), stops), lived("n", str(i), spoken_on)
        accents = (Accents().step(stops) - Accents().step(spoken_on)) * 2
        dips.append(float((np.degrees(one[:, PITCH] - other[:, PITCH]) + accents)[155:185].min()))
    assert 0.3 < np.mean(np.array(dips) < -0.6) < 0.75


@pytest.mark.parametrize("degrees", [1, 3, 5, 10, 15])
def test_saccades_keep_to_the_main_sequence(degrees: float) -> None:
    gaze = Gaze(0.0)
    gaze.step()
    assert gaze.look((degrees * DEGREE, 0.0)) == pytest.approx(degrees * DEGREE)
    took = next(i for i in range(1, 20) if gaze.step()[0][0] >= 0.999 * degrees * DEGREE)
    assert took == -(-(23 + 2.7 * degrees) // 20)


def test_the_head_takes_over_what_is_far_aside_and_the_look_stays() -> None:
    gaze = Gaze(0.4)
    gaze.look((12 * DEGREE, 0.0))
    steps = [gaze.step() for _ in range(60)]
    assert steps[3][0][0] == pytest.approx(12 * DEGREE), "the eyes are there at once"
    head = np.degrees([h[0] for _, h in steps])
    assert head[3] < 1.2
    assert head[-1] == pytest.approx(0.4 * 12, rel=0.02)
    assert np.abs(np.diff(head)).max() < 0.5
    near = Gaze(0.4)
    near.look((2 * DEGREE, 0.0))
    assert not any(near.step()[1][0] for _ in range(30))


def test_a_spring_arrives_without_going_beyond() -> None:
    spring = Spring(9.0)
    way = [spring.step(1.0) for _ in range(100)]
    assert way == sorted(way)
    assert way[-1] == pytest.approx(1.0, abs=1e-3)
    assert way[25] > 0.9


def test_styles_change_how_far_and_how_quickly() -> None:
    reach, quick = [], []
    for style in ("serious", "lively", "cartoon"):
        moves = np.concatenate(rested("idle", style, 10))
        reach.append(
            (np.abs(moves[:, YAW]).mean(), np.abs(moves[:, GAZE]).mean(), moves[:, CHANNEL["browInnerUp"]].max())
        )
        quick.append((np.abs(np.diff(moves[:, YAW])).mean(), (np.abs(np.diff(moves[:, GAZE])) > DEGREE).mean()))
    for one, more in itertools.pairwise(reach):
        assert (np.array(more) > 1.15 * np.array(one)).all()
    for one, more in itertools.pairwise(quick):
        assert (np.array(more) > 1.15 * np.array(one)).all()


def test_who_listens_looks_at_the_speaker_and_nods_and_who_waits_does_not() -> None:
    listening, idle = (np.concatenate(rested(attitude)) for attitude in ("listening", "idle"))
    shares = [
        (np.degrees(np.hypot(m[:, GAZE] + 0.6 * m[:, YAW], m[:, GAZE_UP] + 0.6 * m[:, PITCH])) < 3).mean()
        for m in (listening, idle)
    ]
    assert shares[0] > 0.75
    assert shares[1] < 0.55
    assert np.percentile(listening[:, CHANNEL["browInnerUp"]], 2) > 0.08, "attentive brows"
    nods = []
    for moves in (listening, idle):  # dips that come back within half a second
        pitch = np.degrees(moves[:, PITCH])
        dip = np.minimum(pitch[:-24], pitch[24:]) - pitch[12:-12]
        nods.append(int(((dip > 0.8) & (dip >= np.maximum(np.roll(dip, 1), np.roll(dip, -1)))).sum()))
    minutes = len(listening) / 3000
    assert 8 < nods[0] / minutes < 40
    assert nods[1] < nods[0] / 4
    assert np.abs(listening[:, CHANNEL["jawOpen"]]).max() == 0


def test_idle_faces_stir_and_feel() -> None:
    for emotion, shows in (("happy", "mouthSmileLeft"), ("sad", "mouthFrownLeft"), ("angry", "browDownLeft")):
        with_it, without = (np.concatenate(rested("idle", emotion=e, lines=4)) for e in (emotion, "neutral"))
        assert with_it[100:, CHANNEL[shows]].mean() > without[100:, CHANNEL[shows]].mean() + 0.15, emotion
        weak = np.concatenate(rested("idle", emotion=emotion, strength=0.3, lines=4))
        assert weak[100:, CHANNEL[shows]].mean() < 0.6 * with_it[100:, CHANNEL[shows]].mean()
    press = np.concatenate(rested("idle"))[:, CHANNEL["mouthPressLeft"]]
    assert 0.2 < press.max() < 0.6
    assert 0.01 < (press > 0.1).mean() < 0.3, "now and then"


def test_what_an_attitude_may_be_is_said() -> None:
    with pytest.raises(ValueError, match="attitude is 'bored', expected one of listening, idle"):
        Idle(Line("l", "n", "", "lively", attitude="bored"))
