"""The books of connections, told step by step what came: descriptors that are used again while messages still wait."""

import pytest

from npc_engine.server import clients
from npc_engine.server.clients import Clients
from npc_engine.server.sockets import Received
from npc_engine.wire.messages import Hello


class Turnstile:
    """What the books see of a router: connections that open and close, by descriptor; keys are not asked."""

    curve = None

    def __init__(self):
        self.events = []
        self.ended = []

    def connection_events(self):
        events, self.events = self.events, []
        return events

    def admits(self, user):
        return True

    def shut(self, descriptor):
        self.ended.append(descriptor)


@pytest.fixture
def turnstile():
    return Turnstile()


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def books(turnstile, clock):
    return Clients(turnstile, lambda: clock[0])


def says(books, identity, descriptor=7):
    return books.of(Received(identity, descriptor, "", [b""]))


def greets(books, identity, descriptor=7):
    peer = says(books, identity, descriptor)
    peer.session.receive(Hello(1, identity.decode()))
    return peer


def swapped(books, turnstile):
    """Anna has gone and Ben has her descriptor, while something that she said still waits to be read."""
    turnstile.events.append((True, 7))
    books.note()
    anna = greets(books, b"anna")
    turnstile.events += [(False, 7), (True, 7)]
    assert books.note() == [(anna, "its connection closed")]
    assert books.forget(anna)


@pytest.mark.parametrize("stale_first", [True, False], ids=["before he speaks", "after he has spoken"])
@pytest.mark.parametrize("found_out", [True, False], ids=["she is found gone", "she is not found gone"])
def test_what_a_client_said_before_its_descriptor_was_anothers_costs_the_other_nothing(
    stale_first, found_out, books, turnstile, clock
):
    """The end of Ben's connection was once not told, and his lines went on for ever; or it was ended after 30 s."""
    swapped(books, turnstile)
    ben = None if stale_first else greets(books, b"ben")
    stale = says(books, b"anna")
    assert stale is None or not stale.session.greeted
    ben = greets(books, b"ben") if stale_first else ben
    if found_out and stale is not None:
        books.forget(stale)
    assert says(books, b"ben") is ben
    clock[0] += clients.GREETING_S + 1
    assert books.tend() == []
    assert not turnstile.ended
    turnstile.events.append((False, 7))
    gone = books.note()
    assert (ben, "its connection closed") in gone
    for peer, _ in gone:
        books.forget(peer)
    assert not books.all
    assert not books.connections


def test_a_connection_is_ended_when_nobody_behind_it_says_hello(books, turnstile, clock):
    turnstile.events += [(True, 7), (True, 8), (True, 9)]
    books.note()
    greets(books, b"anna", 7)
    says(books, b"ben", 8)
    clock[0] += clients.GREETING_S + 1
    assert books.tend() == []
    assert turnstile.ended == [8, 9]


def test_whoever_was_given_up_may_begin_anew_for_a_while(books, turnstile, clock):
    turnstile.events.append((True, 7))
    books.note()
    anna = greets(books, b"anna")
    clock[0] += 100
    books.forget(anna)
    books.tend()
    assert not turnstile.ended
    again = greets(books, b"anna")
    assert again is not anna
    clock[0] += clients.GREETING_S + 1
    books.tend()
    assert not turnstile.ended
    turnstile.events.append((False, 7))
    assert books.note() == [(again, "its connection closed")]
