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
    layers: int = 3
    inner: int = 384  # of the feed-forward parts
    past: int = 16  # ticks of the band behind the current one: 320 ms a layer, three layers hear 960
    dropout: float = 0.05


class State(NamedTuple):
    """What the network remembers of B lines; all zeros at the first tick."""

    cache_k: Tensor  # [B, layers, heads, past, width / heads]
    cache_v: Tensor  # [B, layers, heads, past, width / heads]
    lstm_h: Tensor  # [1, B, width]
    lstm_c: Tensor  # [1, B, width]


class Layer(nn.Module):
    """Pre-norm attention over the band with a learned bias per head and distance, then a feed-forward part."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.past, self.deep = shape.heads, shape.past, shape.width // shape.heads
        self.norm1, self.norm2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.up, self.down = nn.Linear(shape.width, shape.inner), nn.Linear(shape.inner, shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.heads, shape.past + 1))
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, cache_k: Tensor, cache_v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ticks [B, T, width] and the keys and values before them → ticks, and the keys and values of these ticks."""
        q, k, v = (self._by_head(a) for a in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        x = x + self.drop(self.out(self._attend(q, torch.cat([cache_k, k], 2), torch.cat([cache_v, v], 2))))
        x = x + self.drop(self.down(gelu(self.up(self.norm2(x)), approximate="tanh")))
        return x, k, v

    def _by_head(self, a: Tensor) -> Tensor:
        """[B, T, width] → [B, heads, T, width / heads]."""
        return a.reshape(a.shape[0], -1, self.heads, self.deep).transpose(1, 2)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        ticks = q.shape[2]
        # key j stands at tick j - past; query i sees distances 0 (the oldest of its band) .. past (itself)
        at = torch.arange(self.past + ticks, device=q.device)
        distance = at[None, :] - at[:ticks, None]
        inside = (distance >= 0) & (distance <= self.past)
        # where, not clamp: TensorRT has no Clip for integers
        bias = self.bias[:, torch.where(inside, distance, 0)].masked_fill(~inside, -1e4)
        scores = q @ k.transpose(2, 3) * self.deep**-0.5 + bias
        heard: Tensor = (scores.softmax(-1) @ v).transpose(1, 2)
        return heard.reshape(heard.shape[0], -1, self.heads * self.deep)


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
        cache = torch.zeros(batch, s.layers, s.heads, s.past, s.width // s.heads)
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
        # one cut for all layers, heads apart as attention reads them: with 64 lines, copies cost as much as products
        cache_k = torch.cat([cache_k, torch.stack(keys, 1)], 3)[:, :, :, -self.shape.past :]
        cache_v = torch.cat([cache_v, torch.stack(values, 1)], 3)[:, :, :, -self.shape.past :]
        y, (h, c) = self.lstm(x, (lstm_h, lstm_c))
        # the attention path stays beside the LSTM: it is sharper, the LSTM steadier
        both = torch.cat([self.norm(x), y], -1)
        window = self.exp(both).reshape(both.shape[0], -1, OFFSETS, len(EXP50))
        visemes = self.viseme(both).reshape(both.shape[0], -1, OFFSETS, len(VISEMES))
        return window, visemes, cache_k, cache_v, h, c
