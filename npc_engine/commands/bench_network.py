"""What a step of the Audio2Exp network costs: one line tick by tick, and 64 lines as one batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from npc_engine.expression import mel
from npc_engine.expression.network import ROWS, Stepping
from npc_engine.moments import TICK_SAMPLES

TICKS: Final = 200  # of one line: 4 s
LINES: Final = 64
BATCHES: Final = 40


def steps(network: Stepping) -> dict[str, float]:
    """Median milliseconds of a tick, on the calling thread.

    `ms_per_tick`: mel and network of one line; `ms_per_tick_batch64`: of 64 lines, mel and network, as one
    batch; `network_ms_per_tick_batch64`: the network's share of that.
    """
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal((TICKS, TICK_SAMPLES))).astype(np.float32)
    mel_state, state = mel.start(), network.start()
    mel_states, states = np.stack([mel.start()] * LINES), network.start(LINES)

    def alone(tick: int) -> None:
        nonlocal mel_state, state
        rows, mel_state = mel.step(sound[tick], mel_state)
        state = network.step(rows.reshape(1, 1, -1), state)[2]

    heard = np.zeros((LINES, 1, ROWS * mel.BANDS), np.float32)

    def batch(_tick: int) -> None:
        nonlocal states
        states = network.step(heard, states)[2]

    def batch_of_sounds(tick: int) -> None:
        nonlocal mel_states
        rows, mel_states = mel.step(sound[(tick + np.arange(LINES)) % TICKS], mel_states)
        heard[:, 0] = rows.reshape(LINES, -1)
        batch(tick)

    return {
        "ms_per_tick": median_ms(alone, TICKS),
        "ms_per_tick_batch64": median_ms(batch_of_sounds, BATCHES),
        "network_ms_per_tick_batch64": median_ms(batch, BATCHES),
    }


def median_ms(act: Callable[[int], object], times: int) -> float:
    """Median milliseconds of `act(i)`, called `times` times after once to warm up."""
    act(0)  # the first is slower: memory is laid out
    took = []
    for i in range(times):
        began = time.perf_counter()
        act(i)
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 3)
