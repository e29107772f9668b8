"""The Audio2Exp network: 80-band mel, two rows a tick → causal Transformer → LSTM → a window of coefficients per tick.

It is causal and keeps its state; streaming equals offline because offline starts from the same zero state and no
mask tells "nothing yet" from silence: zero keys and values take part in attention from the first tick on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import EXP50

OFFSETS: Final = BEHIND + 1 + AHEAD


@dataclass(frozen=True)
class Shape:
    """The architecture; saved beside the weights."""

    inputs: int = 160  # two mel rows of 80
    width: int = 192
    heads: int = 4
    layers: int = 2
    inner: int = 384  # of the feed-forward parts
    past: int = 40  # ticks of the band behind the current one: 800 ms
    dropout: float = 0.05


class State(NamedTuple):
    """What the network remembers of B lines; all zeros at the first tick."""

    cache_k: Tensor  # [B, layers, past, width]
    cache_v: Tensor  # [B, layers, past, width]
    lstm_h: Tensor  # [1, B, width]
    lstm_c: Tensor  # [1, B, width]


class Layer(nn.Module):
    """Pre-norm attention over the band with a learned bias per head and distance, then a feed-forward part."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.past = shape.heads, shape.past
        self.norm1, self.norm2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.up, self.down = nn.Linear(shape.width, shape.inner), nn.Linear(shape.inner, shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.heads, shape.past + 1))
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, cache_k: Tensor, cache_v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ticks [B, T, width] and the keys and values before them → ticks, and the keys and values to keep."""
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        k, v = torch.cat([cache_k, k], 1), torch.cat([cache_v, v], 1)
        heard = self._attend(q, k, v)
        x = x + self.drop(self.out(heard))
        x = x + self.drop(self.down(gelu(self.up(self.norm2(x)), approximate="tanh")))
        return x, k[:, -self.past :], v[:, -self.past :]

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        batch, ticks, width = q.shape
        split = (batch, -1, self.heads, width // self.heads)
        qh, kh, vh = (a.reshape(split).transpose(1, 2) for a in (q, k, v))
        # key j stands at tick j - past; query i sees distances 0 (the oldest of its band) .. past (itself)
        distance = torch.arange(k.shape[1])[None, :] - torch.arange(ticks)[:, None]
        inside = (distance >= 0) & (distance <= self.past)
        bias = self.bias[:, distance.clamp(0, self.past)].masked_fill(~inside, -1e4)
        scores = qh @ kh.transpose(2, 3) * (width // self.heads) ** -0.5 + bias
        heard: Tensor = (scores.softmax(-1) @ vh).transpose(1, 2).reshape(batch, -1, width)
        return heard


class Net(nn.Module):
    """`net(mel, *state)` → window [B, T, 10, 50], viseme logits [B, T, 10, 15], and the state after it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.into = nn.Linear(shape.inputs, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.lstm = nn.LSTM(shape.width, shape.width, batch_first=True)
        self.norm = nn.LayerNorm(shape.width)
        self.exp = nn.Linear(2 * shape.width, OFFSETS * len(EXP50))
        self.viseme = nn.Linear(2 * shape.width, OFFSETS * len(VISEMES))

    def start(self, batch: int) -> State:
        """The state before the first tick."""
        s = self.shape
        cache = torch.zeros(batch, s.layers, s.past, s.width)
        return State(cache, cache.clone(), torch.zeros(1, batch, s.width), torch.zeros(1, batch, s.width))

    def forward(
        self, mel: Tensor, cache_k: Tensor, cache_v: Tensor, lstm_h: Tensor, lstm_c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mel [B, T, 160] and the state → window, viseme logits, new cache_k, cache_v, lstm_h, lstm_c."""
        x = self.into(mel)
        keys, values = [], []
        for index, layer in enumerate(self.layers):
            x, k, v = layer(x, cache_k[:, index], cache_v[:, index])
            keys.append(k)
            values.append(v)
        y, (h, c) = self.lstm(x, (lstm_h, lstm_c))
        # the attention path stays beside the LSTM: it is sharper, the LSTM steadier
        both = torch.cat([self.norm(x), y], -1)
        window = self.exp(both).reshape(both.shape[0], -1, OFFSETS, len(EXP50))
        visemes = self.viseme(both).reshape(both.shape[0], -1, OFFSETS, len(VISEMES))
        return window, visemes, torch.stack(keys, 1), torch.stack(values, 1), h, c
