"""ahead(): bounded, closable, honest about errors."""

import threading
import time

import pytest

from npc_engine.ahead import ahead


def test_gives_every_item_in_order():
    assert list(ahead(range(100), depth=3)) == list(range(100))


def test_source_error_reaches_the_reader_after_the_items_before_it():
    def source():
        yield 1
        raise OSError("disk gone")

    items = ahead(source(), depth=4)
    assert next(items) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)


def test_reads_no_further_than_its_depth():
    taken = []

    def source():
        for i in range(100):
            taken.append(i)
            yield i

    items = ahead(source(), depth=2)
    time.sleep(0.1)
    assert len(taken) <= 3  # two kept, one in hand
    items.close()


def test_close_stops_a_blocked_source_and_closes_it_on_its_own_thread():
    closed_on = []

    def source():
        try:
            while True:
                yield 0
        finally:
            closed_on.append(threading.current_thread().name)

    items = ahead(source(), depth=1, name="here")
    next(items)
    items.close()
    assert items.join(2.0)
    assert closed_on == ["here"]


def test_a_reader_waiting_is_released_by_close():
    gate = threading.Event()

    def source():
        gate.wait(5)
        yield 1

    items = ahead(source(), depth=1)
    threading.Timer(0.05, items.close).start()
    began = time.monotonic()
    assert list(items) == []
    assert time.monotonic() - began < 2
    gate.set()


def test_depth_must_hold_something():
    with pytest.raises(ValueError, match="depth is 0"):
        ahead([], depth=0)


def test_what_is_ready_is_taken_without_waiting():
    go = threading.Event()

    def source():
        yield 1
        yield 2
        go.wait(20)
        yield 3

    items = ahead(source(), depth=8)
    taken, more = [], True
    while len(taken) < 2:
        new, more = items.ready()
        taken += new
    assert items.ready() == ([], True)
    go.set()
    while more:
        new, more = items.ready()
        taken += new
    assert taken == [1, 2, 3]
    assert items.ready() == ([], False)


def test_what_is_ready_comes_before_the_error_of_the_source():
    def source():
        yield 1
        raise OSError("gone")

    items = ahead(source(), depth=8)
    assert items.join(20)
    assert items.ready() == ([1], True)
    with pytest.raises(OSError, match="gone"):
        items.ready()
    assert items.ready() == ([], False)
