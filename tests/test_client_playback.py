"""Playback: the sound is the clock, whatever the network and the machine do in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.client import Playback
from npc_engine.moments import CHANNEL, NEUTRAL, Word
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, MarkAt, Moments, Words

TICK = 480
JAW = CHANNEL["jawOpen"]
MS = 24


def ramp(ticks):
    """Sound whose value is its own sample's number, so that order and loss can be seen."""
    return (np.arange(ticks * TICK) / 1e6).astype(np.float32)


def jaw(tick):
    """A jaw that opens and closes twice a second."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * tick / 25)


def moments(first, ticks, picture=None, sound=True):
    exp = np.zeros((ticks, 50), np.float32)
    exp[:, JAW] = jaw(np.arange(first, first + ticks))
    samples = ramp(first + ticks)[first * TICK :] if sound else None
    return Moments("a", first, ticks, first if picture else None, samples, exp, picture)


def filled(ticks=50, end=True):
    player = Playback()
    for first in range(0, ticks, 2):
        player.add(moments(first, 2, b"picture %d" % first))
    if end:
        player.add(End("a", ticks))
    return player


def test_sound_comes_in_order_in_any_portions():
    player = filled()
    got = np.concatenate([player.sound(n) for n in (1, 479, 480, 481, 1000, 7, 0, 20_000)])
    assert np.array_equal(got[: len(got)], ramp(50)[: len(got)])
    rest = player.sound(24_000)
    assert np.array_equal(rest[: 24_000 - len(got)], ramp(50)[len(got) :])
    assert not rest[24_000 - len(got) :].any()
    assert player.missing == 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["add", "sound"]), st.integers(1, 1500)), max_size=80),
    st.integers(1, 20),
)
def test_no_sample_is_lost_or_doubled_and_the_face_belongs_to_the_sample(steps, ticks):
    player = Playback()
    given_out = []
    added = 0
    for what, number in steps:
        if what == "add" and added < ticks:
            player.add(moments(added, 1))
            added += 1
        elif what == "sound":
            given_out.append(player.sound(number))
    while added < ticks:
        player.add(moments(added, 1))
        added += 1
    player.add(End("a", ticks))
    given_out.append(player.sound(ticks * TICK))
    everything = np.concatenate(given_out)
    line = ramp(ticks)
    assert np.array_equal(everything[everything > 0], line[line > 0])
    for position in np.flatnonzero(everything > 0)[::97]:
        shown = player.at(int(position))
        sample = int(np.round(everything[position] * 1e6))
        tick = min(sample / TICK, ticks - 1)
        low = int(tick)
        expected = jaw(low) + (tick - low) * (jaw(low + 1) - jaw(low)) if low + 1 < ticks else jaw(low)
        assert shown.exp[JAW] == pytest.approx(expected * (1 - shown.closed), abs=1e-4)


@pytest.mark.parametrize("rate", [30, 60, 144])
def test_the_shown_face_is_that_of_the_heard_sample_with_jitter_and_a_stall(rate):
    """A second of sound; packets are late by up to 80 ms, frames jitter, and everything stalls for 300 ms once."""
    random = np.random.default_rng(rate)
    ticks = 100
    player = Playback()
    arrival = np.maximum.accumulate(np.arange(0, ticks, 2) * 0.02 - 0.6 + random.uniform(0, 0.08, ticks // 2))
    arrival[arrival > 0.5] += 0.3
    arrived = 0
    now = 0.0
    device = np.zeros(10 * 24_000, np.float32)
    latency = 1024
    pulled = 0
    checked = 0
    while not player.finished:
        now += max(0.001, random.normal(1 / rate, 0.2 / rate)) + (0.3 if 0.9 < now < 0.9 + 1.5 / rate else 0.0)
        assert now < 10
        while arrived < ticks // 2 and arrival[arrived] <= now:
            player.add(moments(arrived * 2, 2))
            arrived += 1
            if arrived == ticks // 2:
                player.add(End("a", ticks))
        while pulled < now * 24_000 + latency:  # the device asks for its next buffer
            device[pulled : pulled + 256] = player.sound(256)
            pulled += 256
        heard = int(now * 24_000)
        shown = player.at(heard)
        if device[heard] > 0 and shown.closed == 0.0:
            sample = device[heard] * 1e6
            whole = int(sample // TICK)
            if whole + 1 < ticks:
                checked += 1
                into = sample / TICK - whole
                assert shown.exp[JAW] == pytest.approx(jaw(whole) * (1 - into) + jaw(whole + 1) * into, abs=2e-3)
    assert checked > rate
    line = ramp(ticks)
    assert np.array_equal(device[device > 0], line[line > 0])
    assert player.at(int(now * 24_000)).exp[JAW] == 0


def test_pictures_and_words_follow_the_heard_sample():
    player = Playback()
    player.add(Accepted("a", b"rest"))
    assert player.at(0).picture == b"rest"
    player.add(Words("a", (Word("one", 0, 960, 0, 3), Word("two", 2400, 4800, 4, 7))))
    for first in range(0, 10, 2):
        player.add(moments(first, 2, b"%d" % first))
    player.sound(4800)
    seen = [(player.at(s).picture, player.at(s).word) for s in (0, 959, 960, 2399, 2400, 4799)]
    assert seen == [(b"0", 0), (b"0", 0), (b"2", 0), (b"4", 0), (b"4", 1), (b"8", 1)]


def test_the_mouth_closes_in_100_ms_after_the_end():
    player = filled(ticks=13)  # the jaw is wide open on tick 12
    player.add(Accepted("a", b"rest"))
    end = 13 * TICK
    player.sound(end + 4800)
    assert player.at(end - TICK).exp[JAW] > 0.95
    assert player.at(end + 50 * MS).exp[JAW] == pytest.approx(0.5 * jaw(12), abs=0.02)
    assert not player.finished
    shown = player.at(end + 100 * MS)
    assert shown.exp[JAW] == 0
    assert (shown.closed, shown.picture) == (1.0, b"rest")
    assert player.finished


def test_a_cut_stops_the_sound_without_a_click_and_closes_the_mouth():
    player = filled(ticks=40, end=False)
    player.add(Accepted("a", b"rest"))
    player.sound(14 * TICK)
    heard = 12 * TICK
    opened = player.at(heard).exp[JAW]
    assert opened > 0.95
    player.cut(heard)
    after = player.sound(2400)
    assert np.abs(np.diff(after)).max() < 1e-3
    assert after[0] > 0
    assert not after[120:].any()
    eased = [player.at(heard + ms * MS).exp[JAW] for ms in (0, 25, 50, 75, 100, 500)]
    assert eased == pytest.approx([opened * f for f in (1, 0.75, 0.5, 0.25, 0, 0)], abs=1e-3)
    assert player.at(heard + 60 * MS).picture == b"rest"
    assert player.finished
    assert player.credit_ms(heard) == 0


def test_the_engines_cancelled_cuts_where_the_game_listens():
    player = filled(ticks=40, end=False)
    player.sound(20 * TICK)
    player.at(10 * TICK)
    player.add(Cancelled("a", 40, "the engine is stopping"))
    assert player.cancelled_at == 10 * TICK
    player.add(moments(40, 2))  # what was on its way is dropped
    player.sound(480)
    assert not player.sound(480).any()


def test_a_broken_connection_plays_out_what_has_come():
    player = filled(ticks=20, end=False)
    player.add(ErrorMessage("disconnected", "the engine is gone", "a"))
    assert player.sound(20 * TICK).any()
    assert not player.sound(TICK).any()
    player.at(20 * TICK + 100 * MS)
    assert player.finished
    assert player.error.code == "disconnected"


def test_a_refused_line_is_finished_at_once():
    player = Playback()
    player.sound(2400)
    player.at(2400)
    player.add(ErrorMessage("bad-text", "text is empty", "a"))
    shown = player.at(2400)
    assert np.array_equal(shown.exp, NEUTRAL)
    assert player.finished
    assert player.missing == 0


def test_an_underrun_is_counted_eases_the_mouth_and_recovers():
    player = filled(ticks=12, end=False)
    player.sound(12 * TICK + 4800)  # 200 ms more than there is
    assert player.missing == 4800
    assert player.at(12 * TICK - 1).exp[JAW] > 0.9
    assert player.at(12 * TICK + 4799).exp[JAW] == 0
    player.add(moments(12, 28))
    player.add(End("a", 40))
    assert np.array_equal(player.sound(28 * TICK), ramp(40)[12 * TICK :])
    assert player.at(12 * TICK + 4800 + 1).closed > 0.9
    heard = 12 * TICK + 4800 + 2 * TICK
    assert player.at(heard).exp[JAW] == pytest.approx(jaw(14), abs=0.01)  # 40 ms later it talks again
    player.at(40 * TICK + 4800 + 100 * MS)
    assert player.finished
    assert player.missing == 4800


def test_an_end_that_comes_late_leaves_no_twitch():
    player = filled(ticks=13, end=False)
    player.sound(13 * TICK + 4800)
    before = [player.at(13 * TICK + ms * MS).exp[JAW] for ms in range(0, 60, 10)]
    player.add(End("a", 13))
    player.sound(4800)
    after = [player.at(13 * TICK + ms * MS).exp[JAW] for ms in range(60, 200, 10)]
    assert all(np.diff(before + after) <= 1e-6)
    assert player.finished
    assert player.missing == 0


def test_credit_keeps_the_engine_ahead_of_the_heard_sample():
    player = Playback(granted_ms=600, ahead_ms=600)
    granted = 600
    assert player.credit_ms(0) == 0
    for first in range(0, 200, 2):
        player.add(moments(first, 2))
        player.sound(960)
        granted += player.credit_ms(first * TICK)
        assert first * 20 + 600 - 120 < granted <= first * 20 + 600
    player.add(End("a", 200))
    assert player.credit_ms(100 * TICK) == 0


def test_credit_without_a_position_counts_what_was_given_out():
    player = filled(ticks=40, end=False)
    player.sound(10 * TICK)
    assert player.credit_ms() == 200
    assert player.credit_ms() == 0
    assert player.received_ms == 800


def test_a_line_without_sound_follows_the_games_own_count():
    player = Playback()
    player.add(moments(0, 20, sound=False))
    player.add(End("a", 20))
    assert player.at(12 * TICK).exp[JAW] == pytest.approx(jaw(12), abs=1e-4)
    player.at(20 * TICK + 2400)
    assert player.finished


def test_a_long_line_keeps_one_second_of_the_past():
    player = Playback()
    for first in range(0, 2_000, 50):
        player.add(moments(first, 50, b"x" * 100))
        player.sound(50 * TICK)
        player.at(first * TICK)
    assert len(player._exps) <= 50 + 102
    assert len(player._pictures) <= 4
    assert len(player._sound) <= 1


def test_events_fed_twice_or_out_of_order_are_refused():
    player = filled(ticks=4, end=False)
    with pytest.raises(ValueError, match="moment of tick 2, expected 4: add each event once"):
        player.add(moments(2, 2))
    with pytest.raises(ValueError, match="ahead_ms is 0, expected 40 to 10000"):
        Playback(ahead_ms=0)


def test_a_mark_is_told_once_when_its_sample_is_heard():
    player = Playback()
    player.add(MarkAt("a", "begin", 0))
    for first in range(0, 10, 2):
        if first == 4:
            player.add(MarkAt("a", "bell", 4))
            player.add(MarkAt("a", "flash", 4))
        player.add(moments(first, 2))
    player.add(MarkAt("a", "end", 10))
    assert player.at(0).marks == ("begin",)
    assert player.at(4 * TICK - 1).marks == ()
    assert player.at(4 * TICK).marks == ("bell", "flash")
    assert player.at(3 * TICK).marks == player.at(5 * TICK).marks == ()
    assert player.at(30 * TICK).marks == ()  # its tick has not come
    player.add(moments(10, 1))
    player.add(End("a", 11))
    assert player.at(31 * TICK).marks == ("end",)
    assert [mark.name for mark in player.marks] == ["begin", "bell", "flash", "end"]


def test_marks_after_a_cut_are_not_told():
    player = filled()
    player.add(MarkAt("a", "late", 40))
    player.sound(10 * TICK)
    player.at(5 * TICK)
    player.cut()
    assert player.at(60 * TICK).marks == ()
