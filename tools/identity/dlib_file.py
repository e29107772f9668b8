"""dlib's serialised networks, read without dlib.

The format, out of dlib 20.0's own sources (Boost licence): integers are a control byte (low four bits: how many bytes
follow, little endian; top bit: negative), floats an integer mantissa and an integer exponent of 2, strings a length and
bytes, booleans the characters 0 and 1, tensors a version, four sizes and raw little-endian float32. A network writes
the version of each layer from the output to the input, then the input layer, then each layer's content from the input
to the output; tags and skips have a version (1) and no content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class DlibError(ValueError):
    """A file that is not the network that was expected."""


@dataclass
class Layer:
    """One layer: `kind` as dlib names it ("" for a tag or a skip), numbers, weights f32[n, k, rows, columns]."""

    kind: str
    numbers: dict[str, int] = field(default_factory=dict)
    weights: Floats | None = None


@dataclass
class Network:
    """The layers from the input to the output, and what the input layer does."""

    mean: tuple[float, float, float]  # of red, green and blue: taken off, then the rest is divided by 256
    edge: int  # of the square picture, pixels
    threshold: float  # distance under which its training called two faces one person
    layers: list[Layer]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise DlibError(f"the file ends at byte {len(self.data)}, {count} more were expected at {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self) -> int:
        control = self.take(1)[0]
        if control & 0x70 or not control & 0x0F:
            raise DlibError(f"byte {self.at - 1} is {control:#x}, expected the control byte of an integer")
        value = int.from_bytes(self.take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        mantissa = self.integer()
        return float(mantissa * 2.0 ** self.integer())

    def string(self) -> str:
        return self.take(self.integer()).decode("ascii")

    def boolean(self) -> bool:
        found = self.take(1)
        if found not in (b"0", b"1"):
            raise DlibError(f"byte {self.at - 1} is {found!r}, expected a boolean, 0 or 1")
        return found == b"1"

    def integers(self, *names: str) -> dict[str, int]:
        return {name: self.integer() for name in names}

    def numbers(self, count: int) -> list[float]:
        return [self.number() for _ in range(count)]

    def tensor(self) -> Floats:
        if (version := self.integer()) != 2:
            raise DlibError(f"tensor of version {version} at byte {self.at}, expected 2")
        shape = [self.integer() for _ in range(4)]
        return np.frombuffer(self.take(4 * int(np.prod(shape))), "<f4").reshape(shape)

    def alias(self) -> tuple[int, ...]:
        """The shape of a part of a tensor."""
        if (version := self.integer()) != 1:
            raise DlibError(f"alias of version {version} at byte {self.at}, expected 1")
        return tuple(self.integer() for _ in range(4))


_WINDOW = ("rows", "columns", "stride_y", "stride_x", "pad_y", "pad_x")


def _content(read: _Reader) -> Layer:
    kind = read.string()
    numbers: dict[str, int] = {}
    weights: Floats | None = None
    if kind == "con_4":
        weights = read.tensor()
        numbers = read.integers("filters", *_WINDOW)
        numbers["inputs"] = read.alias()[1]
        read.alias()
        read.numbers(4)  # factors of learning rate and weight decay
    elif kind == "affine_":
        weights = read.tensor()
        read.alias()
        read.alias()
        read.integer()
    elif kind == "fc_2":
        numbers = read.integers("outputs", "inputs")
        weights = read.tensor()
        read.alias()
        read.alias()
        if read.integer() != 1:
            raise DlibError("a full connection with a bias, expected one without")
        read.numbers(4)
    elif kind in ("max_pool_2", "avg_pool_2"):
        numbers = read.integers(*_WINDOW)
    elif kind not in ("relu_", "add_prev_"):
        raise DlibError(f"layer {kind!r} at byte {read.at}, expected con_4, affine_, relu_, add_prev_, a pool or fc_2")
    return Layer(kind, numbers, weights)


def _layer(read: _Reader, version: int) -> Layer:
    if version == 1:
        return Layer("")
    layer = _content(read)
    for _ in range(3):
        read.boolean()
    for _ in range(3):  # gradients and what was kept of the last run; empty
        read.tensor()
    if version == 3:
        read.integer()
    return layer


def read_network(path: Path) -> Network:
    """The network of a dlib file for metric learning on RGB pictures; raises `DlibError` for anything else."""
    read = _Reader(path.read_bytes())
    read.integer()  # version of the loss layer
    # the loss stands first, its subnetwork after it
    if (loss := read.string()) != "loss_metric_2":
        raise DlibError(f"{path}: loss {loss!r}, expected loss_metric_2")
    _, threshold = read.numbers(2)
    versions = [read.integer()]
    while versions[-1] != 3:  # 3: the layer that has the input layer beneath it
        versions.append(read.integer())
    if (kind := read.string()) != "input_rgb_image_sized":
        raise DlibError(f"{path}: input {kind!r}, expected input_rgb_image_sized")
    red, green, blue = read.numbers(3)
    edge, other = read.integer(), read.integer()
    if edge != other:
        raise DlibError(f"{path}: input of {other}×{edge} pixels, expected a square")
    layers = [_layer(read, version) for version in reversed(versions)]
    if read.at != len(read.data):
        raise DlibError(f"{path}: {len(read.data) - read.at} bytes are left over at {read.at}")
    return Network((red, green, blue), edge, threshold, layers)


def split(layer: Layer, *shapes: tuple[int, ...]) -> list[Any]:
    """The weights of a layer, which lie one after another, in these shapes."""
    flat = np.zeros(0, np.float32) if layer.weights is None else layer.weights.reshape(-1)
    if len(flat) != (wanted := sum(int(np.prod(s)) for s in shapes)):
        raise DlibError(f"{layer.kind}: {len(flat)} weights, expected {wanted} for {shapes}")
    parts, at = [], 0
    for shape in shapes:
        parts.append(flat[at : at + int(np.prod(shape))].reshape(shape))
        at += int(np.prod(shape))
    return parts
