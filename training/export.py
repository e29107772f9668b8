"""`python -m training.export --checkpoint FILE --out FILE`: the trained network as ONNX, its record inside.

The file with its metadata is the whole contract with the runtime.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch

from npc_engine.expression.mel import HOP
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_SAMPLES
from training.net import Net, Shape

INPUTS = ("mel", "cache_k", "cache_v", "lstm_h", "lstm_c")
OUTPUTS = ("window", "visemes", "new_cache_k", "new_cache_v", "new_lstm_h", "new_lstm_c")


def export(net: Net, out: Path, record: dict[str, Any]) -> None:
    """Write `net` to `out` and check that onnxruntime gives what torch gives, in blocks and at once, within 1e-4."""
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
    model = onnx.load(out)
    about = {
        "format": "npc_engine audio2exp 1",
        "sample_rate": SAMPLE_RATE, "tick_samples": TICK_SAMPLES, "mel_hop": HOP,
        "offsets": list(range(-BEHIND, AHEAD + 1)), "coefficients": list(EXP50), "visemes": list(VISEMES),
        "shape": asdict(net.shape), "parameters": sum(p.numel() for p in net.parameters()),
        "licence": "Apache-2.0", "training": record,
    }  # fmt: skip
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, out)
    check(net, out)


def check(net: Net, path: Path) -> None:
    """Raise ValueError unless the file steps like the network, whatever the blocks and the batch."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(1)
    mel = torch.randn(3, 97, net.shape.inputs, generator=generator)
    with torch.no_grad():
        whole = net(mel, *net.start(3))[0].numpy()
    state = [s.numpy() for s in net.start(3)]
    parts, at = [], 0
    for ticks in (1, 8, 16, 2, 50, 20):
        block = mel[:, at : at + ticks].numpy()
        window, _, *state = session.run(None, dict(zip(INPUTS, [block, *state], strict=True)))
        parts.append(window)
        at += ticks
    worst = float(np.abs(np.concatenate(parts, 1) - whole).max())
    if not worst < 1e-4:
        raise ValueError(f"{path} steps {worst} away from the network, expected less than 1e-4")


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
    export(net, args.out, record)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
