"""Pace: how far ahead a line is made, and which of its pictures there is time for. Time is an argument here."""

import pytest

from npc_engine.moments import Outputs
from npc_engine.server.metrics import Work
from npc_engine.server.pace import BETTER_S, RATES, Pace, Shortage

TICK_S = 0.02
PICTURES = Outputs(picture=512)


class Maker:
    """A line that is made at `speed` times real time, by a clock that only this moves."""

    def __init__(self, outputs=PICTURES):
        self.now = 0.0
        self.work = Work()
        self.shortage = Shortage()
        self.pace = Pace(outputs, self.shortage, self.work, lambda: self.now)
        self.outputs = outputs
        self.tick = 0
        self.edges = []

    def make(self, seconds, speed):
        """Make ticks for `seconds` of work; the edges of the pictures that were due."""
        edges = []
        end = self.now + seconds
        while self.now < end:
            if self.tick % self.outputs.picture_every == 0:
                edges.append(self.pace.edge(self.tick))
            self.now += TICK_S / speed
            self.pace.made()
            self.tick += 1
        self.edges += edges
        return edges


def test_a_machine_with_time_draws_every_picture():
    maker = Maker()
    assert set(maker.make(10, speed=1.6)) == {512}
    assert not maker.shortage
    assert not maker.pace.late
    assert (maker.work.thinned, maker.work.shrunk) == (0, 0)


def test_pictures_thin_out_then_shrink_and_come_back():
    maker = Maker()
    maker.make(2, speed=2)
    short = maker.make(5, speed=0.8)
    assert maker.shortage
    assert short[0] == 512
    drawn = [edge for edge in short if edge]
    assert drawn == sorted(drawn, reverse=True), "larger ones do not come back while time is short"
    assert drawn[-1] == 256
    thin, shrunk = maker.work.thinned, maker.work.shrunk
    assert thin == short.count(0)
    assert shrunk == short.count(256)
    assert short[-24:].count(0) == 22, "one of twelve is left"
    maker.make(BETTER_S * len(RATES) + 2, speed=2)
    assert set(maker.make(1, speed=2)) == {512}
    assert not maker.shortage


def test_a_line_that_began_to_be_late_is_late_until_it_has_caught_up():
    maker = Maker()
    maker.make(1, speed=1.2)
    maker.make(2, speed=0.5)
    assert maker.pace.late
    maker.make(4, speed=3)
    assert not maker.pace.late


def test_waiting_for_credit_or_text_is_no_want_of_time():
    maker = Maker()
    for _ in range(40):
        maker.make(0.1, speed=2)
        maker.now += 5.0
        maker.pace.wait(5.0)
    assert set(maker.edges) == {512}
    assert not maker.pace.late


def test_a_recording_gets_every_picture_however_long_it_takes():
    maker = Maker(Outputs(picture=512, thin=False))
    assert set(maker.make(20, speed=0.3)) == {512}
    assert maker.work.thinned == 0


def test_no_picture_is_smaller_than_the_wire_allows_and_the_first_is_always_drawn():
    maker = Maker(Outputs(picture=40, picture_every=1))
    edges = maker.make(20, speed=0.3)
    assert edges[0] == 40
    assert set(edges) == {40, 32, 0}


def test_one_short_line_is_enough_and_none_that_has_ended():
    maker = Maker()
    maker.make(2, speed=0.5)
    assert maker.shortage
    maker.pace.close()
    assert not maker.shortage


@pytest.mark.parametrize("speed", [1.05, 1.5, 4.0])
def test_a_line_that_has_just_begun_is_not_short(speed):
    maker = Maker()
    maker.make(0.1, speed)
    assert not maker.shortage
