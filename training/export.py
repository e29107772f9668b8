"""`python -m training.export --checkpoint FILE --out FILE`: the trained network as ONNX, its record inside.

Two files: fp32 for the CPU and CUDA, and beside it the same network in halves, `NAME.fp16.onnx`, for TensorRT. Each,
with its metadata, is the whole contract with the runtime.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch

from npc_engine.cast import Cast
from npc_engine.expression import mel
from npc_engine.expression.network import ROWS
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_SAMPLES, Line
from npc_engine.troupe import Troupe
from training.halve import halved
from training.net import Net, Shape

F32 = npt.NDArray[np.float32]

INPUTS = ("mel", "cache_k", "cache_v", "lstm_h", "lstm_c")
OUTPUTS = ("window", "visemes", "new_cache_k", "new_cache_v", "new_lstm_h", "new_lstm_c")
BLOCKS = (1, 8, 16, 2, 50, 20)  # ticks: what the engine steps, and less and more than the network's past
CLOSE = 1e-4  # streaming against the whole, in fp32
CLOSE_HALVED = 2e-3  # fp16 against fp32, in weights of 0..1
TEXT = "Keep your voice down! The miller's brother sold five pounds of iron, and who do you think bought them all?"


def export(net: Net, out: Path, record: dict[str, Any]) -> Path:
    """Write `net` to `out` and in halves beside it, whose path is given back.

    ValueError unless onnxruntime steps the fp32 file as torch does, in blocks and at once, within 1e-4, and the fp16
    file as the fp32 file within 2e-3 over speech.
    """
    net = net.eval()
    example = (torch.zeros(2, 5, net.shape.inputs), *net.start(2))
    axes = {name: {0: "B"} for name in ("cache_k", "cache_v", "new_cache_k", "new_cache_v")}
    axes |= {name: {1: "B"} for name in ("lstm_h", "lstm_c", "new_lstm_h", "new_lstm_c")}
    axes |= {name: {0: "B", 1: "T"} for name in ("mel", "window", "visemes")}
    with warnings.catch_warnings():
        # the tracing exporter is deprecated but keeps the LSTM as one operator with a free batch axis
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, example, str(out), input_names=list(INPUTS), output_names=list(OUTPUTS), dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
    about = {
        "format": "npc_engine audio2exp 1",
        "sample_rate": SAMPLE_RATE, "tick_samples": TICK_SAMPLES, "mel_hop": mel.HOP,
        "offsets": list(range(-BEHIND, AHEAD + 1)), "coefficients": list(EXP50), "visemes": list(VISEMES),
        "shape": asdict(net.shape), "parameters": sum(p.numel() for p in net.parameters()),
        "licence": "Apache-2.0", "training": record,
    }  # fmt: skip
    model = onnx.load(out)
    _save(model, out, about | {"precision": "float32"})
    check(net, out)
    beside = out.with_suffix(".fp16.onnx")
    small = halved(model, kept=("mel", "window", "visemes"))
    _save(small, beside, about | {"precision": "float16 inside and in the state; mel, window and visemes are float32"})
    check_halved(out, beside)
    return beside


def _save(model: onnx.ModelProto, out: Path, about: dict[str, Any]) -> None:
    del model.metadata_props[:]
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model, full_check=True)  # full: every operator's types agree, as TensorRT demands
    onnx.save(model, out)


def check(net: Net, path: Path) -> None:
    """Raise ValueError unless the file steps like the network, whatever the blocks and the batch."""
    generator = torch.Generator().manual_seed(1)
    heard = torch.randn(3, sum(BLOCKS), net.shape.inputs, generator=generator)
    with torch.no_grad():
        whole = net(heard, *net.start(3))[0].numpy()
    worst = float(np.abs(stepped(path, heard.numpy(), BLOCKS) - whole).max())
    if not worst < CLOSE:
        raise ValueError(f"{path} steps {worst} away from the network, expected less than {CLOSE}")


def check_halved(whole: Path, small: Path) -> None:
    """Raise ValueError unless the fp16 file steps like the fp32 file over speech, whatever the blocks, on the CPU."""
    heard = spoken_mel()
    ticks = heard.shape[1]
    expected = stepped(whole, heard, [ticks])
    for blocks in ([ticks], [25] * -(-ticks // 25), [1] * ticks):
        worst = float(np.abs(stepped(small, heard, blocks) - expected).max())
        if not worst < CLOSE_HALVED:
            raise ValueError(f"{small} steps {worst} away from {whole}, expected less than {CLOSE_HALVED}")


def stepped(path: Path, heard: F32, blocks: Iterable[int]) -> F32:
    """Windows f32[B, T, 10, 50] that the file gives for mel f32[B, T, 160] heard in blocks of so many ticks."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
    state = [
        np.zeros([len(heard) if d == "B" else d for d in i.shape], kinds[i.type]) for i in session.get_inputs()[1:]
    ]
    parts, at = [], 0
    for ticks in blocks:
        block = heard[:, at : at + ticks]
        window, _, *state = session.run(OUTPUTS, dict(zip(INPUTS, [block, *state], strict=True)))
        parts.append(window)
        at += ticks
    return np.concatenate(parts, 1)


def spoken_mel() -> F32:
    """Mel f32[2, T, 160] of a sentence in a woman's and in a man's voice of the engine's own."""
    troupe = Troupe(Cast.standard())
    rows = []
    for name in ("woman", "man"):
        spoken = troupe.voice(name).speak(Line("export", name, TEXT))
        rows.append(mel.step(np.concatenate([chunk.samples for chunk in spoken]), mel.start())[0])
    ticks = min(map(len, rows)) // ROWS
    return np.stack([r[: ticks * ROWS].reshape(ticks, ROWS * mel.BANDS) for r in rows])


def load(checkpoint: Path) -> tuple[Net, dict[str, Any]]:
    """The network of a checkpoint (its averaged weights) and the checkpoint's record."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = Net(Shape(**saved["shape"]))
    net.load_state_dict(saved["average"])
    return net.eval(), saved["record"]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("npc_engine/expression/audio2exp.onnx"))
    parser.add_argument("--evaluation", type=Path, help="JSON that training.evaluate wrote, kept in the record")
    parser.add_argument("--note", help="what the checkpoint's own record does not say, kept in the record")
    args = parser.parse_args()
    net, record = load(args.checkpoint)
    if args.evaluation:
        record["evaluation"] = json.loads(args.evaluation.read_text(encoding="utf-8"))
    if args.note:
        record["note"] = args.note
    for path in (args.out, export(net, args.out, record)):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
