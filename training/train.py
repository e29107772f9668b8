"""`python -m training.train --shards FOLDER --out FOLDER`: trains the network, resuming from the newest checkpoint."""

from __future__ import annotations

import argparse
import math
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import trange

from npc_engine.expression.window import AHEAD, BEHIND
from npc_engine.moments import TICK_MS
from training.data import FACEGOOD, STILL, load
from training.losses import Batch, Losses, Weights
from training.net import Net, Shape

REPORT: Final = 200  # steps between checkpoints and printed losses


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    steps: int = 8000
    batch: int = 16
    ticks: int = 150  # of a crop: 3 s, several times what the network remembers
    rate: float = 1.5e-3
    warm_up: int = 200
    average: float = 0.998  # of the weights that ship, an exponential mean over about 500 steps
    from_start: float = 0.4  # share of crops that begin with a clip
    facegood: float = 0.12  # share of crops from facegood, which is little beside the rest
    jitter: float = 0.03  # noise on the mel
    seed: int = 1


class Crops:
    """Draws batches from the shards."""

    def __init__(self, shards: dict[str, npt.NDArray[Any]], plan: Plan, device: torch.device) -> None:
        self._shards, self._plan, self._device = shards, plan, device
        self._last = len(shards["mel"]) - plan.ticks - AHEAD - 1
        self._begins = shards["begins"][shards["begins"] < self._last]
        self._real = np.flatnonzero(shards["kind"][: self._last] == FACEGOOD)

    def draw(self, rng: np.random.Generator) -> Batch:
        """A batch of random crops."""
        plan, s = self._plan, self._shards
        whole = rng.random(plan.batch) < plan.from_start
        starts = rng.integers(BEHIND, self._last, plan.batch)
        if len(self._real):
            starts = np.where(rng.random(plan.batch) < plan.facegood, rng.choice(self._real, plan.batch), starts)
        starts = np.where(whole, rng.choice(self._begins, plan.batch), starts)
        at = starts[:, None] + np.arange(plan.ticks)
        offsets = np.arange(-BEHIND, AHEAD + 1)
        around = np.maximum(at[:, :, None] + offsets, 0)
        valid = ~whole[:, None, None] | (np.arange(plan.ticks)[None, :, None] + offsets >= 0)
        mel = s["mel"][at].astype(np.float32)
        mel += plan.jitter * rng.standard_normal(mel.shape, dtype=np.float32) * (s["kind"][at] != STILL)[..., None]

        def there(array: npt.NDArray[Any]) -> Tensor:
            return torch.from_numpy(array).to(self._device)

        return Batch(
            there(mel), there(s["exp"][around].astype(np.float32)), there(s["visemes"][around].astype(np.int64)),
            there(s["sealed"][around]), there(s["kind"][around]), there(valid),
        )  # fmt: skip


def rate(step: int, plan: Plan) -> float:
    """The learning rate: up in a line, down in a cosine to nothing."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    return plan.rate * 0.5 * (1 + math.cos(math.pi * min((step - plan.warm_up) / (plan.steps - plan.warm_up), 1.0)))


def train(shards: dict[str, npt.NDArray[Any]], out: Path, plan: Plan) -> Path:
    """Train to the plan's end and return the checkpoint; goes on from `out`'s checkpoint if there is one."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "checkpoint.pt"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    net = Net(Shape()).to(device)
    average = {k: v.detach().clone() for k, v in net.state_dict().items()}
    losses = Losses(Weights()).to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    first, history, seconds = 0, [], 0.0
    if path.exists():
        saved = torch.load(path, map_location=device, weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        average = saved["average"]
        first, history, seconds = saved["step"], saved["record"]["losses"], saved["record"]["training_s"]
    crops, zero = Crops(shards, plan, device), [s.to(device) for s in net.start(plan.batch)]
    began, sums = time.perf_counter(), dict[str, float]()
    net.train()
    for step in (bar := trange(first, plan.steps, initial=first, total=plan.steps, mininterval=5)):
        batch = crops.draw(np.random.default_rng([plan.seed, step]))  # so a resumed run sees what it would have seen
        for group in optimiser.param_groups:
            group["lr"] = rate(step, plan)
        window, visemes, *_ = net(batch.mel, *zero)
        loss, parts = losses(window, visemes, batch)
        if not math.isfinite(parts["total"]):
            raise FloatingPointError(f"the loss is {parts['total']} at step {step}")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        keep = min(plan.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for key, value in net.state_dict().items():
                average[key].lerp_(value, 1 - keep)
        sums = {k: sums.get(k, 0.0) + v for k, v in parts.items()}
        if (step + 1) % REPORT == 0 or step + 1 == plan.steps:
            count = (step % REPORT) + 1
            history.append({"step": step + 1, **{k: round(v / count, 5) for k, v in sums.items()}})
            bar.write(" ".join(f"{k} {v}" for k, v in history[-1].items()))
            sums = {}
            record = _record(shards, plan, history, seconds + time.perf_counter() - began)
            state = {"net": net.state_dict(), "average": average, "optimiser": optimiser.state_dict()}
            torch.save({**state, "step": step + 1, "shape": asdict(net.shape), "record": record}, out / "part.pt")
            (out / "part.pt").replace(path)
    return path


def _record(
    shards: dict[str, npt.NDArray[Any]], plan: Plan, history: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    real = float((shards["kind"] == FACEGOOD).mean())
    hours = len(shards["mel"]) * TICK_MS / 3.6e6
    parts = f"{hours:.2f} h, {100 * real:.1f} % of it facegood"
    return {
        "data": f"hibari speech with exact phones, facegood 2_*, silence and noise: {parts}",
        "data_s": round(hours * 3600), "plan": asdict(plan), "weights": asdict(Weights()), "losses": history,
        "training_s": round(seconds), "torch": str(torch.__version__), "revision": _revision(),
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
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    args = parser.parse_args()
    plan = Plan(steps=args.steps, batch=args.batch, seed=args.seed)
    print(train(load(args.shards), args.out, plan))


if __name__ == "__main__":
    main()
