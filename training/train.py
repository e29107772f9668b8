"""`python -m training.train --shards FOLDER --out FOLDER`: trains the network, going on from the newest checkpoint."""

from __future__ import annotations

import argparse
import math
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from tqdm import trange

from npc_engine.ahead import ahead
from npc_engine.moments import TICK_MS
from training.crops import Crops, Draw
from training.data import FACEGOOD, STILL, load
from training.losses import Batch, Losses, Weights
from training.net import Net, Shape

REPORT: Final = 200  # steps between checkpoints and printed losses
READY: Final = 3  # batches drawn ahead, so that drawing and learning share the cores


@dataclass(frozen=True)
class Stage:
    """What counts until a step, and how much of facegood is drawn."""

    until: int
    weights: Weights
    facegood: float


SHIPPED: Final = (
    # heavy hinges close the lips early on, and then too often; lighter ones let them open; what is left is balance
    Stage(3000, replace(Weights(), closure=8.0, bite=2.0, facegood=0.7), 0.12),
    Stage(5600, replace(Weights(), closure=2.0, bite=0.5, facegood=0.7), 0.12),
    Stage(9000, Weights(), 0.20),
    Stage(11_000, replace(Weights(), closure=6.0, bite=2.0, facegood=0.7), 0.12),
)
"""The stages of the weights that ship."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn, from what, and what counts."""

    steps: int = 9000
    polish: int = 0  # steps after them, at a lower rate
    stages: tuple[Stage, ...] = ()  # in place of `weights` and `draw.facegood`, until the step that each names
    rate: float = 1.6e-3
    polish_rate: float = 5e-4
    warm_up: int = 200
    average: float = 0.998  # of the weights that ship, an exponential mean over about 500 steps
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    draw: Draw = field(default_factory=Draw)
    weights: Weights = field(default_factory=Weights)


def rate(step: int, plan: Plan) -> float:
    """The learning rate: up in a line, down in a cosine to nothing; once more so for the polish."""
    at, steps, most = (step, plan.steps, plan.rate)
    if step >= plan.steps and plan.polish:
        at, steps, most = (step - plan.steps, plan.polish, plan.polish_rate)
    if at < plan.warm_up:
        return most * (at + 1) / plan.warm_up
    return most * 0.5 * (1 + math.cos(math.pi * min((at - plan.warm_up) / (steps - plan.warm_up), 1.0)))


def stage(step: int, plan: Plan) -> Stage:
    """What counts at a step."""
    last = Stage(plan.steps + plan.polish, plan.weights, plan.draw.facegood)
    return next((s for s in plan.stages if step < s.until), last)


class Trainer:
    """A network on its way: its weights, their mean, the optimiser, and what has been done."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(plan.seed)
        self.net = Net(plan.shape).to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        self._losses: dict[Weights, Losses] = {}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.seconds = 0.0
        self._halves = self.device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
        self._zero = [s.to(self.device) for s in self.net.start(plan.draw.batch)]

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step; FloatingPointError where the loss is no number."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.step, self.plan)
        # half the bits for the big products, on processors that have them; the loss stays in full
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._halves):
            window, visemes, *_ = self.net(batch.mel, *self._zero)
        weights = stage(self.step, self.plan).weights
        if weights not in self._losses:
            self._losses[weights] = Losses(weights).to(self.device)
        loss, parts = self._losses[weights](window.float(), visemes.float(), batch)
        if not math.isfinite(parts["total"]):
            raise FloatingPointError(f"the loss is {parts['total']} at step {self.step}")
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        keep = min(self.plan.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.net.state_dict().items():
                self.average[key].lerp_(value, 1 - keep)
        self.step += 1
        return parts

    def save(self, path: Path, about: dict[str, Any]) -> None:
        """Write a checkpoint, whole or not at all."""
        record = {**about, "losses": self.history, "training_s": round(self.seconds)}
        state = {"net": self.net.state_dict(), "average": self.average, "optimiser": self.optimiser.state_dict()}
        part = path.with_suffix(".part")
        torch.save({**state, "step": self.step, "shape": asdict(self.plan.shape), "record": record}, part)
        part.replace(path)

    def go_on_from(self, path: Path) -> None:
        """Take over a checkpoint; ValueError where it is another network's."""
        saved = torch.load(path, map_location=self.device, weights_only=True)
        if saved["shape"] != asdict(self.plan.shape):
            raise ValueError(f"{path} is a network of shape {saved['shape']}, expected {asdict(self.plan.shape)}")
        self.net.load_state_dict(saved["net"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average = saved["average"]
        self.step = saved["step"]
        self.history, self.seconds = saved["record"]["losses"], saved["record"]["training_s"]


def train(shards: dict[str, npt.NDArray[Any]], out: Path, plan: Plan) -> Path:
    """Train to the plan's end and return the checkpoint; goes on from `out`'s checkpoint if there is one."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "checkpoint.pt"
    trainer = Trainer(plan)
    if path.exists():
        trainer.go_on_from(path)
    about = _about(shards, plan)
    shares = {stage(step, plan).facegood for step in range(plan.steps + plan.polish)}
    crops = {share: Crops(shards, replace(plan.draw, facegood=share), trainer.device) for share in shares}
    first, last = trainer.step, plan.steps + plan.polish

    def batches() -> Iterator[Batch]:
        for step in range(first, last):  # so a resumed run sees what it would have seen
            yield crops[stage(step, plan).facegood].draw(np.random.default_rng([plan.seed, step]))

    began, sums, count = time.perf_counter(), dict[str, float](), 0
    trainer.net.train()
    bar = trange(first, last, initial=first, total=last, mininterval=5)
    with closing(ahead(batches(), depth=READY, name="crops")) as drawn:
        for _, batch in zip(bar, drawn, strict=True):
            sums = {k: sums.get(k, 0.0) + v for k, v in trainer.learn(batch).items()}
            count += 1
            if trainer.step % REPORT == 0 or trainer.step == last:
                trainer.history.append({"step": trainer.step, **{k: round(v / count, 5) for k, v in sums.items()}})
                bar.write(" ".join(f"{k} {v}" for k, v in trainer.history[-1].items()))
                sums, count = {}, 0
                now = time.perf_counter()
                trainer.seconds += now - began
                began = now
                trainer.save(path, about)
    return path


def _about(shards: dict[str, npt.NDArray[Any]], plan: Plan) -> dict[str, Any]:
    hours = len(shards["kind"]) * TICK_MS / 3.6e6
    real, still = (100 * float((shards["kind"] == kind).mean()) for kind in (FACEGOOD, STILL))
    return {
        "data": "speech with phone times from hibari, Kokoro and flite, facegood 2_*, silence and noise: "
        f"{hours:.2f} h, {real:.1f} % of it facegood, {still:.1f} % still",
        "data_s": round(hours * 3600), "plan": asdict(plan), "torch": str(torch.__version__), "revision": _revision(),
    }  # fmt: skip


def _revision() -> str:
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - the developer's own git
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder that training.data wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--batch", type=int, default=Draw.batch)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="cores that learn")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    draw = replace(Draw(), batch=args.batch)
    plan = Plan(polish=2000, stages=SHIPPED, seed=args.seed, draw=draw)
    print(train(load(args.shards), args.out, plan))


if __name__ == "__main__":
    main()
