"""`python -m training.study sizes|losses --shards FOLDER --takes FOLDER --data FOLDER --out FOLDER`: what buys what.

Every variant learns the same number of steps from the same crops and is judged through the engine on some of the
evaluation's clips. What is there is not done again. Results are in `--out`/study.json, as a table on the screen.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt
import torch
from tqdm import tqdm

from npc_engine.expression.network import Network
from training.crops import Draw
from training.data import load
from training.evaluate import DEFAULT, Marks, Mouth, at_rest, heard, on_facegood
from training.evaluate_cost import cost
from training.evaluate_sets import Clip, noises, recorded, spoken
from training.export import export
from training.export import load as load_net
from training.losses import Weights
from training.metrics import confusion, read_at
from training.net import Shape
from training.train import Plan, train

RECORDED_CLIPS: Final = 16
TAKES: Final = 48
SMALL: Final = replace(Draw(), batch=12)  # losses are compared on half the crops, for there are many
BARE: Final = Weights(velocity=0, lips=0, closure=0, bite=0, visemes=0, still=1)

SIZES: Final[dict[str, Plan]] = {
    f"{layers} × {width}, {past * 20} ms": Plan(shape=Shape(layers=layers, width=width, inner=2 * width, past=past))
    for layers, width, past in ((1, 192, 40), (2, 128, 40), (2, 192, 40), (3, 192, 16), (2, 256, 16))
}
LOSSES: Final[dict[str, Plan]] = {
    "all": Plan(draw=SMALL),
    "position alone": Plan(weights=BARE, draw=replace(SMALL, still=0.0)),
    "without velocity": Plan(weights=replace(Weights(), velocity=0), draw=SMALL),
    "without lip distance": Plan(weights=replace(Weights(), lips=0), draw=SMALL),
    "without closure": Plan(weights=replace(Weights(), closure=0), draw=SMALL),
    "without visemes": Plan(weights=replace(Weights(), visemes=0), draw=SMALL),
    "without augmentation": Plan(draw=replace(SMALL, augment=False)),
    "without facegood": Plan(draw=replace(SMALL, facegood=0.0)),
    "without bite": Plan(weights=replace(Weights(), bite=0), draw=SMALL),
    "without stillness": Plan(weights=replace(Weights(), still=1), draw=replace(SMALL, still=0.0)),
}


class Judge:
    """The clips that variants are judged on."""

    def __init__(self, data: Path, takes: Path, cache: Path) -> None:
        self._data, self._hum = data, noises(data)
        self._sets = {
            "recorded": Marks(recorded(data, cache / "alignment.json", RECORDED_CLIPS).clips),
            "tts": Marks(spoken(takes, TAKES)[0]),
        }

    def figures(self, path: Path) -> dict[str, float]:
        """Figures of a network file."""
        network, mouth = Network(path), Mouth(path, DEFAULT)
        found: dict[str, float] = {}
        for name, marks in self._sets.items():
            logits = [heard(network, c.sound) for c in marks.clips]
            for lookahead in (60, 120):
                read = confusion([read_at(each, lookahead // 20) for each in logits], marks.visemes)
                found[f"viseme_accuracy_{name}_{lookahead}"] = read.figures()["accuracy"]
            moved = marks.mouth([mouth.exp(c.sound) for c in marks.clips])
            keys = ("closure", "vowels_open", "shut_wrongly", "fv_contact", "velocity_error", "r")
            found |= {f"{key}_{name}": moved[key] for key in keys if key in moved}
        found["opening_r"] = on_facegood(path, self._data / "facegood")[str(DEFAULT)]["aperture"]["r_best"]
        found["still_noise"] = at_rest(path, self._hum)["noise_minus_40_dbfs"]["aperture_p99"]
        return found | cost(path, self._sets["recorded"].clips[0].sound)

    @property
    def clips(self) -> list[Clip]:
        """All clips."""
        return [c for marks in self._sets.values() for c in marks.clips]


def study(
    variants: dict[str, Plan], shards: dict[str, npt.NDArray[Any]], judge: Judge, out: Path, steps: int
) -> dict[str, Any]:
    """Train and judge each variant for `steps` steps, unless it is in study.json already."""
    out.mkdir(parents=True, exist_ok=True)
    record = out / "study.json"
    found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    for name, variant in (bar := tqdm(variants.items(), desc="variants")):
        bar.set_postfix_str(name)
        if name in found:
            continue
        plan = replace(variant, steps=steps)
        folder = out / "".join(c if c.isalnum() else "_" for c in name)
        net, about = load_net(train(shards, folder, plan))
        path = folder / "net.onnx"
        export(net, path, about)
        parameters = sum(p.numel() for p in net.parameters())
        found[name] = {"parameters": parameters, "steps": steps, **judge.figures(path)}
        record.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(table({name: found[name]}))
    return found


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    keys = list(dict.fromkeys(key for figures in found.values() for key in figures))
    lines = ["| | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
    for name, figures in found.items():
        cells = [figures.get(key, "") for key in keys]
        lines.append(" | ".join(["| " + name, *(f"{c:.3g}" if isinstance(c, float) else str(c) for c in cells)]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("sizes", "losses"))
    parser.add_argument("--shards", type=Path, required=True, help="folder that training.data wrote")
    parser.add_argument("--takes", type=Path, required=True, help="folder that training.takes wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder with recorded speech")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500, help="that every variant learns")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="cores that learn")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    judge = Judge(args.data, args.takes, args.out)
    found = study(SIZES if args.what == "sizes" else LOSSES, load(args.shards), judge, args.out, args.steps)
    print(table(found))


if __name__ == "__main__":
    main()
