"""The guard: looks at drawn pictures while a face speaks, and holds back what makes another person of it.

Of the pictures of a line about every 50th is judged, on a thread of its own; the verdict takes effect a fixed number of
pictures later, so that a line is drawn the same each time however fast the judge was. A picture that fails is drawn
again with less and less of what goes beyond the last good expression, until it passes; with that much the line goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np

from npc_engine.frames.complexion import PLAIN, STILL, Complexion
from npc_engine.frames.identity import THRESHOLD, Judge
from npc_engine.frames.sampling import Floats
from npc_engine.moments import ANGLES, CHANNEL, NEUTRAL, Exp, Pixels

LOG: Final = logging.getLogger(__name__)

WINDOWS: Final = (12, 25, 50)  # pictures of which one is judged, at a line's start and from then on
LATER: Final = 5  # pictures until a verdict takes effect: about as long as a judge takes, so that nobody waits for it
LESS: Final = 0.7  # what is beyond the last good expression is damped by this, again and again
LEAST: Final = LESS**5  # and no further: a face that does not move is worse than one that is not quite itself
AGAIN: Final = 1.5  # by how much damping is eased after a picture that passes well without it
_FAR: Final = 0.6  # share of the last good expression's reach from which one that passes tells anything
_SEEN: Final = 0.06  # of a weight: what is damped by less counts as not damped
WELL: Final = 0.1
"""Score above the threshold that a damped picture shall reach, and from which an expression is a good one.

What is judged stands for its neighbours, of which some go a little further.
"""
FADE: Final = 0.5  # share of the way to new damping or colours that is left after each picture
_FREE: Final = [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]
"""Lids are never held back: half closed they look drunk, and closed ones make no other person."""
_JAW, _CLOSE, _HEAD = CHANNEL["jawOpen"], CHANNEL["mouthClose"], CHANNEL["headPitch"]
_TURN: Final = 0.15  # radians of a head's turn that count as much as a whole weight


@dataclass(frozen=True, slots=True)
class Stats:
    """What a face's guard did since it was loaded."""

    judged: int = 0  # pictures that were looked at
    failed: int = 0  # of them, under the threshold
    damped: int = 0  # pictures drawn with a damped expression
    recoloured: int = 0  # pictures whose colours were corrected
    lowest: float | None = None  # score of the worst picture that was judged

    def __add__(self, other: Stats) -> Stats:
        scores = [s.lowest for s in (self, other) if s.lowest is not None]
        return Stats(
            self.judged + other.judged,
            self.failed + other.failed,
            self.damped + other.damped,
            self.recoloured + other.recoloured,
            min(scores, default=None),
        )


@dataclass(frozen=True, slots=True)
class _Verdict:
    score: float
    share: float  # of what goes beyond the last good expression: as much passes
    gains: Floats | None  # on the colours; None: this picture does not tell


def toward(good: Exp, exp: Exp, share: float) -> Exp:
    """`exp` with only `share` of what goes beyond `good`, both f32[50]; what lies within stays, and lips that close do.

    So lips go on closing, and the jaw moves, between rest and the last good expression, as before.
    """
    limit = np.where(np.sign(good) == np.sign(exp), np.abs(good), 0)
    size = np.abs(exp)
    out = np.sign(exp) * np.where(size > limit, limit + share * (size - limit), size)
    out[_FREE] = exp[_FREE]
    # mouthClose closes what the jaw opens: it goes with the jaw and not by itself
    out[_CLOSE] = exp[_CLOSE] * (out[_JAW] / exp[_JAW] if exp[_JAW] > 0 else 1)
    return out.astype(np.float32)


def _reach(exp: Exp) -> float:
    """How far out an expression is, for choosing which picture to judge."""
    weights = np.delete(exp[:ANGLES], _FREE)
    turn = exp[_HEAD:] / _TURN
    return float((weights**2).sum() + (turn**2).sum())


class Guard:
    """Of one face: its judge, its colours and its counters. Safe for several lines at once."""

    def __init__(
        self, judge: Judge, complexion: Complexion | None = None, threshold: float = THRESHOLD, name: str = "a face"
    ) -> None:
        """`name` is whose face it is, for the log."""
        self.name = name
        self.judge = judge
        self.complexion = complexion
        self.threshold = threshold
        self._stats = Stats()
        self._counting = threading.Lock()

    @property
    def stats(self) -> Stats:
        """What it did so far."""
        return self._stats

    def watch(self) -> Watch:
        """Begin a line."""
        return Watch(self)

    def count(self, more: Stats) -> None:
        """Add what a line's guard did."""
        with self._counting:
            self._stats += more


class Watch:
    """The guard over one line: give it each picture's expression in order."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._closed = threading.Event()
        self._done = Stats()
        self._counting = threading.Lock()
        # when a verdict takes effect, of which expression, as asked and as drawn, and the verdict
        self._pending: tuple[int, Exp, Exp, Future[_Verdict]] | None = None
        self.damped = False  # whether the last picture's expression was held back
        self._count = 0  # pictures so far
        self._window, self._since, self._most = 0, 0, 0.0  # its number, pictures in it, the furthest reach in it
        self._chosen = False  # whether one of this window's pictures is with the judge
        self._good = self._good_now = NEUTRAL
        self._share = self._share_now = 1.0
        self._gains = self._gains_now = PLAIN

    def picture(self, exp: Exp, render: Callable[[Exp], Pixels]) -> Pixels:
        """The next picture, of `exp` or of what the guard leaves of it, by `render`."""
        self._settle()
        self._fade()
        drawn = exp if self._share_now == 1 else toward(self._good_now, exp, self._share_now)
        self.damped = drawn is not exp
        pixels = render(drawn)
        if self._choose(exp):
            self._begin(exp, drawn, pixels, render)
        recoloured = self._guard.complexion is not None and self._gains_now is not PLAIN
        if recoloured and self._guard.complexion is not None:
            pixels = self._guard.complexion.corrected(pixels, self._gains_now)
        if recoloured or self.damped:
            self._did(Stats(damped=int(self.damped), recoloured=int(recoloured)))
        self._count += 1
        return pixels

    def close(self) -> None:
        """The line is over, or nobody wants the rest of it."""
        self._closed.set()
        done = self._done
        if done.lowest is not None:
            text = "%s: of %d pictures %d were judged, the worst %.2f itself; %d were damped and %d recoloured"
            LOG.info(text, self._guard.name, self._count, done.judged, done.lowest, done.damped, done.recoloured)

    def _did(self, more: Stats) -> None:
        with self._counting:
            self._done += more
        self._guard.count(more)

    def _settle(self) -> None:
        """Take the verdict that is due, waiting for it."""
        if self._pending is None or self._count < self._pending[0]:
            return
        (_, exp, drawn, future), self._pending = self._pending, None
        verdict = future.result()
        self._gains = self._gains if verdict.gains is None else verdict.gains
        if verdict.score < self._guard.threshold:
            if verdict.share <= LEAST:  # what was good is too much now
                self._good = self._good * np.float32(LESS)
            self._share = min(self._share, verdict.share)
        elif verdict.score < self._guard.threshold + WELL:
            return
        elif self._share == 1:
            self._good = drawn
        elif np.abs(drawn - exp).max() > _SEEN:  # as much as was left of it is good: from here on a little more
            self._good, self._share = drawn, LEAST
        elif _reach(exp) > _FAR * _reach(self._good):
            self._share = min(1.0, self._share * AGAIN)

    def _fade(self) -> None:
        """One step from what was drawn last towards what the verdicts say."""
        self._share_now = self._share + FADE * (self._share_now - self._share)
        if abs(self._share_now - self._share) < 0.01:
            self._share_now = self._share
        self._good_now = self._good + np.float32(FADE) * (self._good_now - self._good)
        self._gains_now = self._gains + np.float32(FADE) * (self._gains_now - self._gains)
        if self._gains is PLAIN and np.abs(self._gains_now - PLAIN).max() < 0.004:  # less than a level
            self._gains_now = PLAIN

    def _choose(self, exp: Exp) -> bool:
        """Whether this picture is its window's to be judged.

        One that goes far is wanted, without waiting for the window's end: look at the first √n of its n pictures, then
        take the first that beats them all, or the last (the secretary problem's rule for the best mean: Bearden, 2006).
        """
        # while damped it is watched closely
        size = WINDOWS[0] if self._share < 1 else WINDOWS[min(self._window, len(WINDOWS) - 1)]
        reach = _reach(exp)
        self._since += 1
        chosen = False
        if not self._chosen and self._since > max(LATER, round(size**0.5)):
            chosen = reach > self._most or self._since >= size
        self._chosen = self._chosen or chosen
        self._most = max(self._most, reach)
        if self._since >= size:
            self._window, self._since, self._most, self._chosen = self._window + 1, 0, 0.0, False
        return chosen

    def _begin(self, exp: Exp, drawn: Exp, pixels: Pixels, render: Callable[[Exp], Pixels]) -> None:
        """Have a picture judged beside what is drawn meanwhile."""
        future: Future[_Verdict] = Future()
        good, share = self._good_now, self._share_now

        def judge() -> None:
            try:
                future.set_result(self._judged(exp, pixels, render, good, share))
            except BaseException as error:  # noqa: BLE001 - it is raised where the verdict is taken
                future.set_exception(error)

        self._pending = (self._count + LATER, exp, drawn, future)
        threading.Thread(target=judge, name="identity").start()

    def _judged(self, exp: Exp, pixels: Pixels, render: Callable[[Exp], Pixels], good: Exp, share: float) -> _Verdict:
        guard = self._guard
        still = np.abs(exp[_HEAD:]).max() < STILL
        gains = guard.complexion.gains(pixels) if guard.complexion and still else None
        score = first = guard.judge.score(pixels)
        self._did(Stats(judged=1, failed=int(score < guard.threshold), lowest=score))
        passes = first >= guard.threshold
        while not passes and share > LEAST and not self._closed.is_set():
            share = max(LEAST, share * LESS)
            score = guard.judge.score(render(toward(good, exp, share)))
            passes = score >= guard.threshold + WELL
        if score < guard.threshold and not self._closed.is_set():
            LOG.warning("%s: scores %.2f as itself, %.2f with hardly any expression", guard.name, first, score)
        return _Verdict(first, share, gains)
