"""Steps that several lines ask for at the same time, run as one batch."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from npc_engine.expression.network import F32, NetworkState, Stepping, check_step

MOST_LINES: Final = 64  # lines of one batch
# Lines × ticks of one batch: about 8 ms on one core, so that a line that has just begun, and of which a player waits to
# hear, is not held up by many that are far ahead. A tick costs no less in larger batches.
MOST_TICKS: Final = 256


class _Step:
    """A step that was asked for."""

    def __init__(self, mel: F32, state: NetworkState) -> None:
        self.mel, self.state = mel, state
        self.woken = threading.Event()  # it is done, or it leads
        self.leads = False
        self.batch: tuple[F32, F32, NetworkState] | None = None  # of which this step's lines are `first` and following
        self.first = 0
        self.error: BaseException | None = None


class Together:
    """A network whose `step` may be called from many threads at once and gives what it gives alone, within 1e-5.

    Whoever comes while a run is going on waits for its end; then the oldest that waits runs all that have as many ticks
    as it has, up to 64 lines, as one batch. Nobody waits for company, and there is no thread besides the callers'. What
    a run raises is raised to every caller of its batch.
    """

    def __init__(self, network: Stepping) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._running = False
        self._waiting: list[_Step] = []  # oldest first; as many as there are callers

    @property
    def about(self) -> dict[str, str]:
        """The metadata of the network's file."""
        return self._network.about

    def start(self, batch: int = 1) -> NetworkState:
        """The state before the first tick of `batch` lines."""
        return self._network.start(batch)

    def step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        """Mel f32[B, T, 160] → window f32[B, T, 10, 50], viseme logits f32[B, T, 10, 15] and the state after it."""
        check_step(mel, state)  # here, where it reaches nobody but who asked
        asked = _Step(mel, state)
        with self._lock:
            if self._running:
                self._waiting.append(asked)
            else:
                self._running = asked.leads = True
        if not asked.leads:
            self._wait(asked)
        if asked.leads:
            self._lead(asked)
        if asked.error is not None:
            raise asked.error
        assert asked.batch is not None  # noqa: S101 - a step that is done has one of the two
        window, visemes, after = asked.batch
        if len(window) == len(mel):
            return window, visemes, after
        rows = slice(asked.first, asked.first + len(mel))
        # copies, made by each caller for itself: a view would keep the whole batch in memory as long as the line lives
        return window[rows].copy(), visemes[rows].copy(), after.part(asked.first, len(mel))

    def _wait(self, asked: _Step) -> None:
        """Until the step is done or leads."""
        try:
            asked.woken.wait()
        except BaseException:  # an interrupt: whoever comes after must not wait for this one
            with self._lock:
                if asked in self._waiting:
                    self._waiting.remove(asked)
                elif asked.leads:
                    self._hand_on()
            raise

    def _lead(self, asked: _Step) -> None:
        """Run the batch of `asked`, and let the next one lead."""
        with self._lock:
            batch = [asked, *self._company(asked)]
        try:
            self._run(batch)
        except BaseException as error:  # noqa: BLE001 - raised by `step` of every caller
            for step in batch:
                step.error = error
        finally:
            with self._lock:
                self._hand_on()
            for step in batch:
                step.woken.set()

    def _company(self, asked: _Step) -> list[_Step]:
        """Those that wait and fit into a batch with `asked`, taken from the queue; the lock is held."""
        lines, ticks = asked.mel.shape[:2]
        most = min(MOST_LINES, MOST_TICKS // max(ticks, 1))
        company: list[_Step] = []
        left: list[_Step] = []
        for step in self._waiting:
            fits = step.mel.shape[1] == ticks and lines + len(step.mel) <= most
            lines += len(step.mel) if fits else 0
            (company if fits else left).append(step)
        self._waiting = left
        return company

    def _run(self, batch: list[_Step]) -> None:
        only = batch[0]
        if len(batch) == 1:
            only.batch = self._network.step(only.mel, only.state)
            return
        first = 0
        for step in batch:
            step.first = first
            first += len(step.mel)
        joined = NetworkState.join([step.state for step in batch])
        done = self._network.step(np.concatenate([step.mel for step in batch]), joined)
        for step in batch:
            step.batch = done

    def _hand_on(self) -> None:
        """Wake the oldest that waits to lead; the lock is held."""
        if self._waiting:
            following = self._waiting.pop(0)
            following.leads = True
            following.woken.set()
        else:
            self._running = False
