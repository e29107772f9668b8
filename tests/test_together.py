"""Many lines step as one batch, and none of them can tell."""

import threading

import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.expression.network import Network, NetworkState
from npc_engine.expression.together import MOST_LINES, MOST_TICKS, Together
from npc_engine.moments import Line, SpeechChunk
from npc_engine.troupe import Troupe

CLOSE = 1e-5
network = Network()


def mel(lines, ticks, seed=0):
    return np.random.default_rng(seed).standard_normal((lines, ticks, 160)).astype(np.float32)


class Watched:
    """The real network; its first step lasts until `go`, and the shape of every step is kept."""

    about, start = network.about, staticmethod(network.start)

    def __init__(self):
        self.shapes, self.began, self.go, self.fault = [], threading.Event(), threading.Event(), None

    def step(self, heard, state):
        self.shapes.append(heard.shape[:2])
        self.began.set()
        assert self.go.wait(60)
        if self.fault and len(self.shapes) > 1:
            raise self.fault
        return network.step(heard, state)


def crowd(blocks, fault=None):
    """Steps asked for by a thread each while a first one is going on: what each got, and the shapes that were run."""
    watched = Watched()
    watched.fault = fault
    together = Together(watched)
    got = [None] * len(blocks)

    def ask(i):
        try:
            got[i] = together.step(blocks[i], network.start(len(blocks[i])))
        except Exception as error:  # noqa: BLE001 - what it was is what is asked
            got[i] = error

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(blocks))]
    threads[0].start()
    assert watched.began.wait(60)
    for i, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(together._waiting) < i:  # in the order of the list
            thread.join(0.001)
    watched.go.set()
    for thread in threads:
        thread.join(60)
    assert not together._waiting
    return got, watched.shapes


def test_lines_on_many_threads_get_what_each_gets_alone():
    lines, ticks = 24, 40
    heard = mel(lines, ticks)
    together, got, begin = Together(network), [None] * lines, threading.Barrier(lines)

    def speak(i):
        begin.wait()
        state, parts, at = together.start(), [], 0
        while at < ticks:
            block = heard[i : i + 1, at : at + (1, 3, 8)[(at + i) % 3]]
            window, visemes, state = together.step(block, state)
            parts.append(np.concatenate([window, visemes], -1))
            at += block.shape[1]
        got[i] = np.concatenate(parts, 1)

    threads = [threading.Thread(target=speak, args=(i,)) for i in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for i in range(lines):
        window, visemes, _ = network.step(heard[i : i + 1], network.start())
        assert np.abs(got[i][..., :50] - window).max() < CLOSE
        assert np.abs(got[i][..., 50:] - visemes).max() < 10 * CLOSE  # logits reach 10 and more


def test_those_that_wait_and_have_as_many_ticks_run_as_one_batch():
    blocks = [mel(1, 1), mel(1, 8, 1), mel(1, 3, 2), mel(2, 8, 3), mel(1, 3, 4), mel(1, 8, 5)]
    got, shapes = crowd(blocks)
    assert shapes == [(1, 1), (4, 8), (2, 3)]
    for block, (window, _, state) in zip(blocks, got, strict=True):
        expected, _, after = network.step(block, network.start(len(block)))
        assert np.abs(window - expected).max() < CLOSE
        assert np.abs(state.lstm_h - after.lstm_h).max() < CLOSE
        assert state.lines == len(block)
    assert all(state.cache_k.base is None for _, _, state in got[1:]), "a line keeps its own rows, not the whole batch"


def test_a_batch_is_bounded_in_lines_and_in_work():
    _, shapes = crowd([mel(1, 1)] * 71)
    assert shapes == [(1, 1), (MOST_LINES, 1), (6, 1)]
    _, shapes = crowd([mel(1, 1), *[mel(1, 25)] * 12])
    assert shapes == [(1, 1), (MOST_TICKS // 25, 25), (2, 25)]
    _, shapes = crowd([mel(1, 1), *[mel(1, MOST_TICKS + 1)] * 2])
    assert shapes == [(1, 1), *[(1, MOST_TICKS + 1)] * 2], "what is larger than a batch runs by itself"


def test_alone_nothing_is_added():
    heard, state = mel(1, 8), network.start()
    for ours, theirs in zip(Together(network).step(heard, state)[:2], network.step(heard, state)[:2], strict=True):
        assert np.array_equal(ours, theirs)


def test_a_fault_reaches_every_caller_of_its_batch_and_the_next_go_on():
    fault = RuntimeError("the card fell out")
    got, shapes = crowd([mel(1, 1), mel(1, 2), mel(1, 2), mel(1, 3)], fault)
    assert shapes == [(1, 1), (2, 2), (1, 3)]
    assert not isinstance(got[0], Exception)
    assert got[1:] == [fault] * 3


def test_a_wrong_step_is_refused_to_its_caller_alone():
    together = Together(network)
    with pytest.raises(ValueError, match=r"mel has shape \(1, 3, 80\), expected \(lines, ticks, 160\)"):
        together.step(np.zeros((1, 3, 80), np.float32), network.start())
    with pytest.raises(ValueError, match="mel is of 2 lines, expected the 1 of the state"):
        together.step(mel(2, 3), network.start())
    assert together.step(mel(1, 3), network.start())[0].shape == (1, 3, 10, 50)


def test_states_join_and_part_again():
    _, _, state = network.step(mel(3, 50), network.start(3))
    alone = [state.part(i, 1) for i in range(3)]
    again = NetworkState.join([alone[2], state.part(0, 2)])
    for name in ("cache_k", "cache_v"):
        assert np.array_equal(getattr(again, name), getattr(state, name)[[2, 0, 1]])
    for name in ("lstm_h", "lstm_c"):
        assert np.array_equal(getattr(again, name), getattr(state, name)[:, [2, 0, 1]])


def test_a_troupe_whose_lines_step_together_makes_the_same_faces():
    sound = (0.3 * np.sin(np.arange(24_000) * 0.05) * np.sin(np.arange(24_000) * 0.0008)).astype(np.float32)
    speech = [SpeechChunk(Line("1", "maren", "la"), 0, sound)]
    plain = [e.exp for e in Troupe(Cast.standard()).mouth("lively").express(speech)]
    mouth = Troupe(Cast.standard(), network=Together(network)).mouth("lively")
    assert np.abs(np.array([e.exp for e in mouth.express(speech)]) - np.array(plain)).max() < CLOSE
