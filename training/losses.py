"""What the network is told it got wrong. A mean square alone does not close lips: closure has terms of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu

from npc_engine.expression.aperture import aperture
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import CHANNEL, EXP50
from training.data import FACEGOOD, STILL
from training.facegood import TAUGHT, UNKNOWN

_ROLL: Final = CHANNEL["mouthRollLower"]
OFFSETS: Final = tuple(range(-BEHIND, AHEAD + 1))
# predictions matter less than what is usually read, the estimate that has heard 60 ms more
OFFSET_WEIGHT: Final = (1.0, 0.9, 0.9, 1.0, 0.9, 0.8, 0.8, 0.5, 0.35, 0.2)
# hinges pull one way: where a closure can't be heard yet they would only teach the mouth to stay nearly shut
HINGED: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.4, 0.0, 0.0, 0.0)
BITTEN: Final = 0.3  # roll of the lower lip that the teacher gives while it meets the teeth, and nowhere else
CLOSED: Final = 0.0  # the aperture that sealed lips are pushed under; a closure counts below 0.05


@dataclass(frozen=True)
class Weights:
    """How much each part counts."""

    velocity: float = 10.0
    lips: float = 4.0
    closure: float = 3.0
    bite: float = 1.0
    visemes: float = 0.15
    still: float = 2.0
    facegood: float = 1.5


@dataclass(frozen=True)
class Batch:
    """B crops of T ticks and the window of lessons around each tick."""

    mel: Tensor  # f32[B, T, 160]
    exp: Tensor  # f32[B, T, 10, 50]
    visemes: Tensor  # i64[B, T, 10]
    sealed: Tensor  # bool[B, T, 10]
    kind: Tensor  # u8[B, T, 10]
    valid: Tensor  # bool[B, T, 10], false before the first tick of a clip that the crop begins with


def channel_weights() -> Tensor:
    """f32[50]: the lips count most, what the lessons never move least."""
    weight = torch.full((len(EXP50),), 0.2)
    for name, value in {
        "jawOpen": 3, "mouthClose": 5, "mouthFunnel": 2, "mouthPucker": 3, "mouthRollLower": 2, "mouthRollUpper": 2,
        "mouthPressLeft": 1, "mouthPressRight": 1, "mouthUpperUpLeft": 1, "mouthUpperUpRight": 1,
        "mouthLowerDownLeft": 1, "mouthLowerDownRight": 1, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5,
        "mouthStretchLeft": 0.5, "mouthStretchRight": 0.5, "tongueUp": 0.3, "headPitch": 8,
    }.items():  # fmt: skip
        weight[CHANNEL[name]] = value
    return weight


class Losses:
    """`losses(window, visemes, batch)` → the sum to minimise, and its parts by name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._channel = channel_weights()
        self._known = torch.zeros(len(EXP50))
        self._known[list(TAUGHT)] = 1.0
        self._offset = torch.tensor(OFFSET_WEIGHT)
        self._hinged = torch.tensor(HINGED)
        self._aperture = torch.from_numpy(aperture(np.eye(len(EXP50), dtype=np.float32)))

    def to(self, device: torch.device) -> Losses:
        """Move the constants."""
        for name in ("_channel", "_known", "_offset", "_hinged", "_aperture"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def __call__(self, window: Tensor, visemes: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Window f32[B, T, 10, 50] and logits f32[B, T, 10, 15] against the batch."""
        w = self.weights
        real = batch.kind == FACEGOOD
        each = self._offset * batch.valid
        heard = each * torch.where(real, w.facegood, torch.where(batch.kind == STILL, w.still, 1.0))
        per_channel = torch.where(real[..., None], self._channel * self._known, self._channel)
        error = window - batch.exp
        position = (heard * (per_channel * error.square()).sum(-1)).sum() / each.sum()
        change = error[:, 1:] - error[:, :-1]
        moving = heard[:, 1:] * batch.valid[:, :-1]
        velocity = (moving * (per_channel[:, 1:] * change.square()).sum(-1)).sum() / each.sum()
        gap, true_gap = window @ self._aperture, batch.exp @ self._aperture
        near = torch.exp(-6.0 * relu(true_gap)) * ~real
        lips = (each * near * (gap - true_gap).square()).sum() / each.sum()
        shut = each * self._hinged * batch.sealed
        closure = (shut * relu(gap - CLOSED).square()).sum() / (shut.sum() + 1.0)
        bites = each * self._hinged * (batch.exp[..., _ROLL] > BITTEN)
        bite = (bites * relu(BITTEN - window[..., _ROLL]).square()).sum() / (bites.sum() + 1.0)
        guess = cross_entropy(
            visemes.reshape(-1, len(VISEMES)), batch.visemes.reshape(-1), ignore_index=UNKNOWN, reduction="none"
        )
        named = (each.reshape(-1) * guess).sum() / each.sum()
        total = position + w.velocity * velocity + w.lips * lips + w.closure * closure
        total = total + w.bite * bite + w.visemes * named
        parts = {
            "position": position, "velocity": velocity, "lips": lips, "closure": closure, "bite": bite,
            "visemes": named,
        }  # fmt: skip
        return total, {"total": float(total.detach()), **{k: float(v.detach()) for k, v in parts.items()}}
