"""Kokoro's sound generator, written anew so that it is fast and draws any stretch of a phrase on its own.

It is iSTFTNet's (Kaneko et al. 2022) with StyleTTS2's style (Li et al. 2023). Against the graph that is published:

* Adaptive instance normalisation takes mean and variance of each channel over the whole phrase. They hardly depend
  on what is said (3 % from sentence to sentence), so each style's own are fixed. Then a stretch with 10 frames of
  context is what it is in the whole, and the normalisation is one factor and one summand a channel.
* A wide context is needed only before the second stage, which costs most; so it is a model of its own.
* The convolutions run in 8 bits as QLinearConv, a third of the time of ConvInteger or floats. What goes in and what
  comes out is rounded with a step of its own for each channel, measured over all shipped styles (kokoro_scales.npz).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.onnx_graph import Graph, OnnxFile

F32 = npt.NDArray[np.float32]

_ROOT: Final = "/decoder/decoder/generator/"
_WEIGHTS: Final = "decoder.decoder.generator."
_HALF_STYLE: Final = 128  # the first half of a style vector shapes the sound, the second the melody
_MIDDLE: Final = 128  # of uint8
_BYTE: Final = 255
_EPSILON: Final = 1e-5
_IN_FLOATS: Final = "noise_res.1/"  # the fine grain of the voice: in 8 bits, predicted MOS falls by 0.4 to 2
_LARGEST_WEIGHT: Final = 63  # so that processors that hold sums of two products in 16 bits do not overflow
BLOCKS: Final = (
    *((name, 256) for name in ("noise_res.0", "resblocks.0", "resblocks.1", "resblocks.2")),
    *((name, 128) for name in ("noise_res.1", "resblocks.3", "resblocks.4", "resblocks.5")),
)
NORMS: Final = tuple(
    (f"{block}/adain{half}.{layer}", width) for block, width in BLOCKS for layer in range(3) for half in (1, 2)
)
"""Normalisations in the order of their channels in `Moments`, and how many channels each has; 9,216 in all."""
COARSE: Final = sum(width for _, width in NORMS[: len(NORMS) // 2])
"""How many of the channels belong to the first stage."""
_FLAT_AXIS: Final = np.array([2], np.int64)  # the height of a picture of one line


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of every normalised channel in one style's speech."""

    mean: F32  # f32[9216]
    variance: F32  # f32[9216]


class StyleLayers:
    """The layers that turn a style vector into the factors of the normalisations."""

    def __init__(self, file: OnnxFile) -> None:
        self._layers = [_linear(file, f"{name}/fc") for name, _ in NORMS]

    def affine(self, style: F32, moments: Moments) -> tuple[F32, F32]:
        """Factor and summand f32[1, 9216, 1] on every channel for a style vector f32[256]."""
        halves = [style[:_HALF_STYLE] @ weights + bias for weights, bias in self._layers]
        factors = np.concatenate([1 + values[: len(values) // 2] for values in halves])
        summands = np.concatenate([values[len(values) // 2 :] for values in halves])
        factors = factors / np.sqrt(moments.variance + np.float32(_EPSILON))
        return factors[None, :, None], (summands - moments.mean * factors)[None, :, None]


def generator(file: OnnxFile, scales: Mapping[str, npt.NDArray[Any]]) -> tuple[bytes, bytes]:
    """The generator's two stages as ONNX models.

    The first takes frames f32[1, 512, n] of 300 samples, the second the first's output f32[1, 256, 10 n], which is the
    same sound finer in time. Both take source f32[1, 22, 60 n + 1], and factors and summands f32[1, c, 1] of their own
    channels: the first c = COARSE of the 9,216, or the rest. The second gives log magnitudes and phases
    f32[1, 22, 60 n + 1].
    """
    return GeneratorWriter(file, scales, 0).model(), GeneratorWriter(file, scales, 1).model()


class GeneratorWriter:
    """Writes one of the generator's two stages."""

    def __init__(self, file: OnnxFile, scales: Mapping[str, npt.NDArray[Any]], stage: int) -> None:
        self._file = file
        self._scales = scales
        self._stage = stage
        self._graph = Graph()
        norms = NORMS[stage * len(NORMS) // 2 : (stage + 1) * len(NORMS) // 2]
        sizes = self._graph.constant(np.array([width for _, width in norms], np.int64))
        names = [name for name, _ in norms]
        self._factors = dict(zip(names, self._graph.many("Split", ["factors", sizes], len(norms), axis=1), strict=True))
        self._summands = dict(
            zip(names, self._graph.many("Split", ["summands", sizes], len(norms), axis=1), strict=True)
        )

    def model(self) -> bytes:
        """The stage as an ONNX model."""
        return self._graph.model(["frames", "source", "factors", "summands"], [self._drawn()])

    def _drawn(self) -> str:
        graph, stage = self._graph, self._stage
        x = graph.node("LeakyRelu", "frames", alpha=0.1)
        source = self._block(f"noise_res.{stage}", self._source(f"noise_convs.{stage}"))
        x = self._plain(f"ups.{stage}", "ConvTranspose", x)
        if stage:
            source = graph.node("Squeeze", source, graph.constant(_FLAT_AXIS))
            x = graph.node("Pad", x, graph.constant(np.array([0, 0, 1, 0, 0, 0], np.int64)), mode="reflect")
        x = graph.node("Add", x, source)
        blocks = [self._block(f"resblocks.{3 * stage + k}", x) for k in range(3)]
        total = graph.node("Add", graph.node("Add", blocks[0], blocks[1]), blocks[2])
        x = graph.node("Mul", total, graph.constant(np.float32(1 / 3)))
        if stage:
            x = self._plain("conv_post", "Conv", graph.node("LeakyRelu", x, alpha=0.01))
        return x

    def _plain(self, name: str, op: str, x: str) -> str:
        """A convolution that the file keeps in floats."""
        node = self._file.node(f"{_ROOT}{name}/{op}_output_0")
        weights, bias = (self._graph.constant(self._file.weights(i)) for i in node.inputs[1:3])
        return self._graph.node(op, x, weights, bias, **_places(node.attributes))

    def _source(self, name: str) -> str:
        if not self._stage:
            return self._floats(name, "source", 1.0)
        return self._floats(name, self._graph.node("Unsqueeze", "source", self._graph.constant(_FLAT_AXIS)), 1.0)

    def _block(self, name: str, x: str) -> str:
        for layer in range(3):
            y = x
            for half in (1, 2):
                alpha = self._file.weights(f"{_WEIGHTS}{name}.alpha{half}.{layer}")
                y = self._snake(f"{name}/adain{half}.{layer}", alpha, y)
                y = self._conv(f"{name}/convs{half}.{layer}", 2 * alpha.ravel(), y)
            x = self._graph.node("Add", y, x)
        return x

    def _snake(self, name: str, alpha: F32, x: str) -> str:
        """Normalise x to y and give 2 a (y + sin(a y)^2 / a) (Liu et al. 2020), for a convolution that divides by 2 a.

        With z = 2 a y that is z + sin(z - pi/2) + 1.
        """
        graph = self._graph
        factors, summands = self._factors[name], self._summands[name]
        twice = graph.constant(2 * alpha)
        factors = graph.node("Mul", factors, twice)
        summands = graph.node("Sub", graph.node("Mul", summands, twice), graph.constant(np.float32(np.pi / 2)))
        if name.startswith(_IN_FLOATS):
            factors, summands = (graph.node("Unsqueeze", v, graph.constant(_FLAT_AXIS)) for v in (factors, summands))
        turned = graph.node("Add", graph.node("Mul", x, factors), summands)
        back = graph.constant(np.float32(np.pi / 2 + 1))
        return graph.node("Add", graph.node("Add", turned, graph.node("Sin", turned)), back)

    def _floats(self, name: str, x: str, times: npt.ArrayLike) -> str:
        """A convolution in floats of x / times."""
        graph = self._graph
        quantised, scale, bias, places = self._convolution(name)
        weights = quantised * scale / np.asarray(times, np.float32).reshape(1, -1, 1)
        if self._stage:
            # the runtime's fast convolution, two times as fast, is for pictures only: so this is one of one line
            weights = weights[:, :, None]
            places = {key: _flat(key, values) for key, values in places.items()}
        return graph.node("Conv", x, graph.constant(weights), graph.constant(bias), **places)

    def _conv(self, name: str, times: F32, x: str) -> str:
        """A convolution of x / times in 8 bits, floats in and out; every channel has a scale of its own."""
        if name.startswith(_IN_FLOATS):
            return self._floats(name, x, times)
        graph = self._graph
        weights, scale, bias, places = self._convolution(name)
        in_zero, *steps = self._scales[f"{name} in"]
        out_scale, out_low = self._scales[f"{name} out"].astype(np.float32)
        # Every channel that comes in has a step of its own, which its weights make up for.
        zero_in, units = np.uint8(in_zero), np.array(steps, np.float32)
        lopsided = max(in_zero / (_BYTE - in_zero), (_BYTE - in_zero) / in_zero)
        units = np.where(times < 0, units * np.float32(lopsided), units)  # what was low is high
        exact = weights * scale * (units * np.sign(times))[None, :, None]
        largest = np.abs(exact).max(axis=(1, 2))
        unit = np.where(largest > 0, largest / _LARGEST_WEIGHT, out_scale)
        shift = np.clip(np.round(out_low / out_scale) + _MIDDLE, -127, 127)  # out_low is written as 0
        one, middle = graph.constant(np.float32(1)), graph.constant(np.uint8(_MIDDLE))
        zeros_in = graph.constant(np.full(len(steps), zero_in))
        coming = graph.node("QuantizeLinear", x, graph.constant(units * np.abs(times)), zeros_in, axis=1)
        y = graph.node(
            "QLinearConv",
            coming,
            one,
            graph.constant(zero_in),
            graph.constant(np.round(exact / unit[:, None, None]).astype(np.int8)),
            graph.constant((unit / out_scale).astype(np.float32)),
            graph.constant(np.zeros(len(weights), np.int8)),
            one,
            middle,
            graph.constant(np.round((bias - shift * out_scale) / unit).astype(np.int32)),
            **places,
        )
        zeros = graph.constant((_MIDDLE - shift).astype(np.uint8))
        return graph.node("DequantizeLinear", y, graph.constant(out_scale), zeros, axis=1)

    def _convolution(self, name: str) -> tuple[npt.NDArray[np.int8], np.float32, F32, dict[str, tuple[int, ...]]]:
        """Weights less their zero, their scale, the bias, and where the convolution reads."""
        file, dotted = self._file, _WEIGHTS + name.replace("/", ".")
        node = file.node(f"{_ROOT}{name}/Conv_output_0_output_quantized")
        scale = next(i for i in file.node(f"{dotted}.bias_scale").inputs if file.has_weights(i))
        weights = file.weights(node.inputs[1]).astype(np.int16) - int(file.weights(node.inputs[3]))
        bias = file.weights(f"{dotted}.bias")
        return weights.astype(np.int8), np.float32(file.weights(scale)), bias, _places(node.attributes)


def _places(attributes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {key: attributes[key] for key in ("pads", "strides", "dilations") if attributes.get(key)}


def _flat(key: str, values: tuple[int, ...]) -> tuple[int, ...]:
    """Where a convolution reads, for a picture of one line."""
    if key == "pads":
        return (0, values[0], 0, values[1])
    return (1, values[0])


def _linear(file: OnnxFile, name: str) -> tuple[F32, F32]:
    node = file.node(f"{_ROOT}{name}/Gemm_output_0_MatMul_output_quantized")
    dotted = _WEIGHTS + name.replace("/", ".")
    zero = file.weights(node.inputs[3]).astype(np.float32)
    weights = file.weights(node.inputs[1]).astype(np.float32) - zero
    return weights * file.weights(f"{dotted}.weight_scale"), file.weights(f"{dotted}.bias")
