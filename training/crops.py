"""Batches drawn from the shards: crops at other tempi, in other rooms, by other throats each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from npc_engine.expression.mel import BANDS
from npc_engine.expression.window import AHEAD, BEHIND
from training.data import FACEGOOD, HUMAN, STILL
from training.losses import Batch
from training.mel_augment import augmented, powers

ROWS: Final = 2  # mel rows a tick
TEMPO: Final = (0.82, 1.22)  # factors by which a crop is played faster


@dataclass(frozen=True)
class Draw:
    """How crops are drawn."""

    batch: int = 24
    ticks: int = 120  # of a crop: 2.4 s, three times what attention sees
    from_start: float = 0.25  # share of crops that begin with a clip, from the zero state
    facegood: float = 0.2  # share of crops from facegood, which is little beside the rest
    still: float = 0.05  # share of crops of silence and noise
    human: float = 0.3  # share of crops from Kokoro's voices, beside those that chance gives
    damaged: float = 0.35  # share of crops whose sound was damaged before its mel was taken
    warped: float = 0.5  # share of crops at another tempo
    augment: bool = True  # off only for the ablation


class Crops:
    """Draws batches from the shards of `training.data.load`."""

    def __init__(self, shards: dict[str, npt.NDArray[Any]], draw: Draw, device: torch.device) -> None:
        self._shards, self._draw, self._device = shards, draw, device
        self._last = len(shards["mel"]) - int(draw.ticks * TEMPO[1]) - AHEAD - 3
        begins = shards["begins"]
        self._begins = begins[begins < self._last]
        kind = shards["kind"][: self._last]
        self._real, self._still, self._human = (np.flatnonzero(kind == k) for k in (FACEGOOD, STILL, HUMAN))

    def draw(self, rng: np.random.Generator) -> Batch:
        """A batch of random crops."""
        draw = self._draw
        crops = [self._crop(rng) for _ in range(draw.batch)]
        stacked = [np.stack(column) for column in zip(*crops, strict=True)]
        mel, exp, visemes, sealed, kind, valid = (torch.from_numpy(c).to(self._device) for c in stacked)
        return Batch(mel, _windows(exp), _windows(visemes), _windows(sealed), _windows(kind), _windows(valid))

    def _crop(self, rng: np.random.Generator) -> tuple[npt.NDArray[Any], ...]:
        draw, s = self._draw, self._shards
        chance = rng.random()
        fresh = False
        if chance < draw.facegood and len(self._real):
            start = int(rng.choice(self._real))
        elif chance < draw.facegood + draw.still and len(self._still):
            start = int(rng.choice(self._still))
        elif chance < draw.facegood + draw.still + draw.human and len(self._human):
            start = int(rng.choice(self._human))
        elif chance < draw.facegood + draw.still + draw.human + draw.from_start:
            start, fresh = int(rng.choice(self._begins)), True
        else:
            start = int(rng.integers(BEHIND * 2, self._last))
        start = max(start, 0 if fresh else BEHIND * 2)
        tempo = float(rng.uniform(*TEMPO)) if draw.augment and rng.random() < draw.warped else 1.0
        source = s["damaged"] if draw.augment and rng.random() < draw.damaged else s["mel"]
        mel = self._mel(source, start, tempo)
        if draw.augment:
            mel = augmented(mel, self._noise(len(mel), rng), rng)
        steps = np.arange(-BEHIND, draw.ticks + AHEAD)
        at = np.maximum(start + (steps + 0.5) * tempo - 0.5, 0)
        near = np.rint(at).astype(int)
        low = at.astype(int)
        share = (at - low).astype(np.float32)[:, None]
        exp = s["exp"][low].astype(np.float32) * (1 - share) + s["exp"][low + 1].astype(np.float32) * share
        valid = np.ones(len(steps), np.bool_) if not fresh else steps >= 0
        return (
            mel.reshape(draw.ticks, ROWS * BANDS), exp, s["visemes"][near].astype(np.int64), s["sealed"][near],
            s["kind"][near], valid,
        )  # fmt: skip

    def _mel(self, source: npt.NDArray[Any], start: int, tempo: float) -> npt.NDArray[np.float32]:
        """The rows of a crop, played `tempo` times as fast."""
        count = self._draw.ticks
        rows = source[start : start + int(count * tempo) + 2].reshape(-1, BANDS).astype(np.float32)
        if tempo == 1.0:
            return rows[: count * ROWS]
        at = np.maximum((np.arange(count * ROWS) + 0.5) * tempo - 0.5, 0)
        low = at.astype(int)
        share = (at - low).astype(np.float32)[:, None]
        played: npt.NDArray[np.float32] = rows[low] * (1 - share) + rows[low + 1] * share
        return played

    def _noise(self, rows: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        """Powers of noise: recorded, or of a colour of its own."""
        if len(self._still) and rng.random() < 0.6:
            start = min(int(rng.choice(self._still)), self._last)
            source = self._shards["mel"][start : start + rows // ROWS].reshape(-1, BANDS).astype(np.float32)
            return powers(source)
        colour = np.exp(rng.normal(0, 1.5) * np.linspace(-1, 1, BANDS) + rng.normal(0, 0.5, BANDS)).astype(np.float32)
        # the power of a band of noise over 25 ms is chi-squared; with mel filters of some bins it is steadier
        flicker = rng.gamma(3.0, 1 / 3.0, (rows, BANDS)).astype(np.float32)
        return colour * flicker


def _windows(series: Tensor) -> Tensor:
    """[B, T + 9, …] → [B, T, 10, …]: what each tick's window says."""
    return series.unfold(1, BEHIND + 1 + AHEAD, 1).movedim(-1, 2)
