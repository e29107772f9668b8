"""What a tick costs on one core."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from threadpoolctl import threadpool_limits

from npc_engine.expression import mel
from npc_engine.expression.limits import Limiter
from npc_engine.expression.network import Network
from npc_engine.expression.window import BEHIND
from npc_engine.moments import TICK_SAMPLES, Sound

TICKS: Final = 300
BATCH: Final = 64


def cost(path: Path, sound: Sound) -> dict[str, float]:
    """Median milliseconds of one tick streamed alone (mel, network, limits), and of one tick of 64 lines as a batch.

    One core's computing time, which other work on the machine stretches less than the clock's.
    """
    network = Network(path)
    ticks = [sound[at : at + TICK_SAMPLES] for at in range(0, len(sound) - TICK_SAMPLES, TICK_SAMPLES)]
    limiter, heard, state = Limiter(), mel.start(), network.start()

    def alone(tick: Sound) -> None:
        nonlocal heard, state
        rows, heard = mel.step(tick, heard)
        window, _, state = network.step(rows.reshape(1, 1, -1), state)
        limiter.step(window[0, :, BEHIND])

    lines, states = np.stack([mel.start()] * BATCH), network.start(BATCH)

    def together(tick: Sound) -> None:
        nonlocal lines, states
        rows, lines = mel.step(np.tile(tick, (BATCH, 1)), lines)
        _, _, states = network.step(rows.reshape(BATCH, 1, -1), states)

    with threadpool_limits(1, "blas"):  # as the command line sets it; else its threads spin while they wait for a core
        return {
            "ms_per_tick": _median(alone, ticks, TICKS),
            "ms_per_tick_batch64": _median(together, ticks, TICKS // 5),
        }


def machine() -> dict[str, Any]:
    """Where the figures come from; the load tells whether other work was beside them."""
    told = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in _lines(told) if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _median(step: Callable[[Sound], None], ticks: list[Sound], count: int) -> float:
    taken = []
    for index in range(count):
        began = time.thread_time()
        step(ticks[index % len(ticks)])
        taken.append((time.thread_time() - began) * 1e3)
    return round(float(np.median(taken)), 3)
