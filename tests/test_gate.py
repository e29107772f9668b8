"""The gate: few compute at a time, the most urgent first, clients share alike, and nobody waits for ever."""

import threading

import numpy as np
import pytest

from npc_engine.moments import Line, SpeechChunk
from npc_engine.server import gate as gates
from npc_engine.server.gate import Gate
from npc_engine.server.turns import Turns

WAIT_S = 30.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Queue:
    """Turns that ask for the only place, each on a thread of its own; `went` tells in which order they got it."""

    def __init__(self, clock=None):
        self.clock = clock or Clock()
        self.gate = Gate(1, self.clock)
        self.went = []
        self.threads = []
        self.holder = self.gate.turn("holder", priority=1000)
        assert self.holder.begin()

    def ask(self, name, client="one", due_in=None, **options):
        turn = self.gate.turn(client, **options)
        if due_in is not None:
            turn.due = self.clock.now + due_in
        waiting = self.gate.waiting

        def go():
            self.went.append((name, turn.begin()))
            turn.end()

        thread = threading.Thread(target=go, daemon=True)
        thread.start()
        self.threads.append(thread)
        until(lambda: self.gate.waiting == waiting + 1)
        return turn

    def run(self):
        self.holder.end()
        for thread in self.threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()
        return [name for name, _ in self.went]


def until(true):
    for _ in range(int(WAIT_S * 1000)):
        if true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it did not come true")


def test_as_many_compute_as_there_are_places():
    gate = Gate(3)
    inside, most, lock = 0, 0, threading.Lock()

    def work(number):
        nonlocal inside, most
        turn = gate.turn(number)
        for _ in range(20):
            assert turn.begin()
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1
            turn.end()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 3
    held = [gate.turn("last") for _ in range(3)]
    assert all(turn.begin() for turn in held)  # none was lost on the way
    assert gate.waiting == 0


def test_priority_then_lines_that_fall_silent_then_those_whose_sound_ends_first():
    queue = Queue()
    queue.ask("far", due_in=5.0)
    queue.ask("near", due_in=2.0)
    queue.ask("silent soon", due_in=0.08)
    queue.ask("new")
    queue.ask("urgent", due_in=9.0, priority=1)
    assert queue.run() == ["urgent", "new", "silent soon", "near", "far"]


def test_a_first_moment_with_a_late_deadline_lets_others_go_first():
    queue = Queue()
    queue.ask("by and by", deadline_s=3.0)
    queue.ask("soon", deadline_s=0.08)
    assert queue.run() == ["soon", "by and by"]


def test_a_client_with_one_line_does_not_wait_for_eight_of_another():
    queue = Queue()
    for i in range(8):
        queue.ask(f"many {i}", "many")
    queue.ask("one", "one")
    began = queue.gate._admit  # each place is held for 10 ms of the clock

    def admit(turn):
        began(turn)
        queue.clock.now += 0.01

    queue.gate._admit = admit
    order = queue.run()
    assert order.index("one") <= 1


def test_whoever_comes_anew_has_no_claim_on_the_past():
    clock = Clock()
    gate = Gate(1, clock)
    old, new = gate.turn("old"), gate.turn("new")
    for _ in range(50):
        assert old.begin()
        clock.now += 1.0
        old.end()
    assert new.begin()
    assert new.share.used >= 49.0  # as if it had computed all the time
    new.end()


def test_a_place_that_is_held_for_long_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_S", 0.05)
    gate = Gate(1)
    slow, quick = gate.turn("slow"), gate.turn("quick")
    assert slow.begin()
    assert quick.begin()  # after PATIENCE_S, beside the slow one
    quick.end()
    slow.end()
    first, second = gate.turn("a"), gate.turn("b")
    assert first.begin()  # and the slow one's end has not made a second place
    thread = threading.Thread(target=second.begin, daemon=True)
    monkeypatch.setattr(gates, "PATIENCE_S", WAIT_S)
    thread.start()
    until(lambda: gate.waiting == 1)
    first.end()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_who_is_stopped_waits_no_longer_and_takes_no_place():
    queue = Queue()
    turn = queue.ask("stopped")
    turn.stop()
    queue.threads[0].join(WAIT_S)
    assert queue.went == [("stopped", False)]
    assert not turn.begin()
    assert queue.gate.waiting == 0
    queue.ask("next")
    assert queue.run() == ["stopped", "next"]


def test_a_turn_offers_its_place_to_who_needs_it_more():
    queue = Queue()
    patient = queue.gate.turn("patient")
    patient.due = queue.clock.now + 10
    queue.holder.end()
    assert patient.begin()
    assert patient.offer()  # nobody waits
    queue.ask("in a hurry")
    assert patient.offer()
    assert queue.went == [("in a hurry", True)]
    queue.ask("can wait", due_in=20)
    assert patient.offer()
    assert len(queue.went) == 1
    patient.end()
    queue.threads[-1].join(WAIT_S)
    assert queue.went[-1] == ("can wait", True)


def test_begin_twice_is_one_place():
    gate = Gate(1)
    turn = gate.turn("one")
    assert turn.begin()
    assert turn.begin()
    turn.end()
    turn.end()
    assert gate.turn("two").begin()


class Chunks:
    """A voice of silent chunks; `asked` counts those that were wanted."""

    def __init__(self, chunks=5):
        self.asked = 0
        self.closed = False
        self._chunks = chunks

    def speak(self, line):
        try:
            for _ in range(self._chunks):
                self.asked += 1
                yield SpeechChunk(line, 0, np.zeros(2400, np.float32))
        finally:
            self.closed = True


def test_a_voice_speaks_no_more_once_its_line_was_stopped():
    turns = Turns(Gate(2), Line("l1", "ben", "x"), "client")
    voice = Chunks()
    speech = turns.speaking(voice).speak(Line("l1", "ben", "x"))
    next(speech)
    turns.stop()
    assert list(speech) == []
    assert voice.asked == 1
    assert voice.closed


def test_a_voice_is_the_less_urgent_the_more_it_has_spoken():
    clock = Clock()
    turns = Turns(Gate(2, clock), Line("l1", "ben", "x"), "client")
    begun = turns.voice.due
    next(turns.speaking(Chunks()).speak(Line("l1", "ben", "x")))
    assert turns.voice.due == pytest.approx(begun + 0.1)  # 2,400 samples
    turns.made(1)
    assert turns.face.due == pytest.approx(clock.now + 0.02)
    clock.now += 60  # the game paused
    turns.waited(25, 8)
    assert turns.face.due == pytest.approx(clock.now + 0.16)  # what is ready, and not a minute ago


def test_text_that_is_waited_for_takes_no_place():
    gate = Gate(1)
    turns = Turns(gate, Line("l1", "ben", "x"), "client")
    assert turns.voice.begin()
    come, asked = threading.Event(), threading.Event()

    def pieces():
        asked.set()
        assert come.wait(WAIT_S)
        yield "piece"

    got = []
    thread = threading.Thread(target=lambda: got.extend(turns.unhurried(pieces())), daemon=True)
    thread.start()
    assert asked.wait(WAIT_S)
    other = gate.turn("other")
    assert other.begin()
    other.end()
    come.set()
    thread.join(WAIT_S)
    assert got == ["piece"]
