"""Walking about the village: walls stop feet, both characters can be reached, and nobody walks on water."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_game.actors import LEAVE_REACH, TALK_REACH, People
from demo_game.world import BRIDGE, HEIGHT, STANDS, START, WIDTH, Place, World

WORLD = World.built()


def walk(people, way):
    for place in way:
        for _ in range(60):
            at = people.player.at
            if place.distance(at) < 3:
                break
            people.update(WORLD, (place.x - at.x, place.y - at.y), 1 / 30)


@pytest.mark.parametrize("start", [START, *STANDS.values()], ids=["start", *STANDS])
@pytest.mark.parametrize("npc", list(STANDS))
def test_everybody_can_be_reached_on_foot_from_everywhere(start, npc):
    goal = Place(STANDS[npc].x, STANDS[npc].y + 14)
    start = Place(start.x + 16, start.y + 16) if start in STANDS.values() else start
    way = WORLD.way(start, goal)
    assert way[-1].distance(STANDS[npc]) < TALK_REACH
    for place in way:
        assert WORLD.free(place.x, place.y)
    for a, b in itertools.pairwise(way):
        assert max(abs(a.x - b.x), abs(a.y - b.y)) == 8


def test_the_player_walks_from_the_start_to_the_innkeeper_and_away():
    people = People()
    assert people.near() is None
    walk(people, WORLD.way(START, Place(STANDS["maren"].x + 10, STANDS["maren"].y + 14)))
    near = people.near()
    assert near is not None
    assert near.name == "maren"
    for _ in range(40):
        people.update(WORLD, (1.0, 0.4), 1 / 30)
    assert people.near() is None
    assert people.cast["maren"].at.distance(people.player.at) > LEAVE_REACH


def test_a_wall_stops_and_a_slanted_step_slides_along_it():
    inn = Place(214, 243)
    assert WORLD.step(inn, 0, -3) == inn
    slid = WORLD.step(Place(180, 243), 2, -3)
    assert slid.x == 182
    assert slid.y == 243


def test_the_river_is_crossed_on_the_bridge_only():
    x, y, width, height = BRIDGE
    assert all(WORLD.free(x + width / 2, at) for at in range(y - 10, y + height + 10))
    for x_elsewhere in (60, 200, 340, 480, 620, 760):
        assert not all(WORLD.free(x_elsewhere, at) for at in range(380, 480))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=40))
def test_no_walk_ends_inside_a_wall_or_outside_the_world(moves):
    people = People()
    for dx, dy in moves:
        for _ in range(6):
            people.update(WORLD, (dx, dy), 1 / 20)
            at = people.player.at
            assert WORLD.free(at.x, at.y)
            assert 0 < at.x < WIDTH
            assert 0 < at.y < HEIGHT


def test_diagonal_walking_is_no_faster():
    straight, slanted = People(), People()
    for people, move in ((straight, (0.0, -1.0)), (slanted, (0.7, -0.9))):
        people.player.at = Place(408, 486)
        people.update(WORLD, move, 0.1)
    assert slanted.player.at.distance(START) <= straight.player.at.distance(START) * 1.01


def test_passers_by_walk_and_stop_for_the_player():
    people = People()
    places = {p.walker.look: p.walker.at for p in people.passers}
    for _ in range(200):
        people.update(WORLD, (0, 0), 1 / 30)
    moved = [p for p in people.passers if p.walker.at != places[p.walker.look]]
    assert moved
    passer = moved[0]
    people.player.at = Place(passer.walker.at.x + 10, passer.walker.at.y)
    stands = passer.walker.at
    people.update(WORLD, (0, 0), 1 / 30)
    assert passer.walker.at == stands
    assert passer.walker.facing == "right"
