"""Training: a network learns, resumes where it stopped, and is exported as what the engine steps."""

import os
from dataclasses import replace

import numpy as np
import pytest

try:
    import onnx  # noqa: F401
    import torch
    import tqdm  # noqa: F401
except ImportError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"training needs the extra 'train': {missing}", allow_module_level=True)

from npc_engine.expression.network import Network
from npc_engine.expression.window import BEHIND
from training.crops import Crops, Draw
from training.data import STILL, TAUGHT
from training.export import export, load
from training.net import Net, Shape
from training.takes import held_out
from training.train import SHIPPED, Plan, rate, stage, train

TICKS = 600
DRAW = Draw(batch=2, ticks=40, augment=False)
SMALL = Shape(width=32, inner=64, layers=2, heads=2, past=12)


@pytest.fixture
def shards() -> dict[str, np.ndarray]:
    """A sound whose loudness is the opening of the jaw."""
    rng = np.random.default_rng(0)
    jaw = np.clip(np.sin(np.arange(TICKS) * 0.3), 0, 1) * 0.5
    exp = np.zeros((TICKS, 50), np.float16)
    exp[:, 0] = jaw
    mel = (jaw[:, None] * 4 - 1 + 0.05 * rng.standard_normal((TICKS, 160))).astype(np.float16)
    return {
        "mel": mel,
        "damaged": mel,
        "exp": exp,
        "visemes": np.where(jaw > 0.2, 10, 0).astype(np.uint8),
        "sealed": jaw == 0,
        "kind": np.where(np.arange(TICKS) < 500, TAUGHT, STILL).astype(np.uint8),
        "begins": np.array([0, 300]),
    }


def test_crops_are_windows_of_the_lessons(shards: dict[str, np.ndarray]) -> None:
    batch = Crops(shards, replace(DRAW, batch=8), torch.device("cpu")).draw(np.random.default_rng(1))
    assert batch.mel.shape == (8, 40, 160)
    assert batch.exp.shape == (8, 40, 10, 50)
    mel, jaw = batch.mel.mean(-1), batch.exp[:, :, BEHIND, 0]
    assert torch.abs((mel + 1) / 4 - jaw).max() < 0.02, "offset 0 is the lesson of the tick that is heard"
    assert torch.equal(batch.exp[:, 1:, BEHIND - 1], batch.exp[:, :-1, BEHIND]), "offset -1 is the tick before"
    assert torch.equal(batch.exp[:, :-1, BEHIND + 1], batch.exp[:, 1:, BEHIND]), "offset +1 is the tick after"


def test_a_network_learns_and_goes_on_where_it_stopped(shards: dict[str, np.ndarray], tmp_path) -> None:
    torch.manual_seed(0)
    plan = Plan(steps=8, warm_up=2, shape=SMALL, draw=DRAW)
    record = load(train(shards, tmp_path / "once", plan))[1]
    assert record["plan"]["steps"] == 8
    assert np.isfinite(record["losses"][-1]["total"])
    path = train(shards, tmp_path / "once", replace(plan, steps=60))
    net, record = load(path)
    assert [entry["step"] for entry in record["losses"]] == [8, 60]
    assert record["losses"][-1]["position"] < 0.7 * record["losses"][0]["position"]
    assert not net.training


def test_the_network_streams_as_it_hears_the_whole_and_hears_nothing_ahead() -> None:
    torch.manual_seed(0)
    net = Net(SMALL).eval()
    heard = torch.randn(3, 60, 160)
    with torch.no_grad():
        whole = net(heard, *net.start(3))[0]
        state, parts, at = net.start(3), [], 0
        for ticks in (1, 5, 30, 1, 23):  # fewer and more than the 12 that it remembers
            window, _, *state = net(heard[:, at : at + ticks], *state)
            parts.append(window)
            at += ticks
        assert torch.abs(torch.cat(parts, 1) - whole).max() < 1e-5
        heard[:, 40:] += 1.0
        assert torch.abs(net(heard, *net.start(3))[0] - whole)[:, :40].max() == 0


def test_the_exported_file_steps_like_the_network(tmp_path) -> None:
    torch.manual_seed(0)
    net = Net(SMALL).eval()
    export(net, tmp_path / "small.onnx", {"data": "none"})
    network = Network(tmp_path / "small.onnx")
    heard = np.random.default_rng(0).standard_normal((2, 30, 160)).astype(np.float32)
    with torch.no_grad():
        window, visemes, *_ = net(torch.from_numpy(heard), *net.start(2))
    ours, theirs, _ = network.step(heard, network.start(2))
    assert np.abs(ours - window.numpy()).max() < 1e-4
    assert np.abs(theirs - visemes.numpy()).max() < 1e-3
    assert network.about["training"] == '{"data": "none"}'


def test_held_out_sentences_stay_held_out() -> None:
    texts = [f"Sentence number {i}." for i in range(2000)]
    share = sum(held_out(t) for t in texts) / len(texts)
    assert 0.04 < share < 0.08
    assert [held_out(t) for t in texts[:50]] == [held_out(t) for t in texts[:50]]


def test_stages_take_turns_and_the_rate_falls_twice() -> None:
    plan = Plan(polish=2000, stages=SHIPPED)
    assert [stage(step, plan).weights.closure for step in (0, 2999, 3000, 5600, 9000, 10_999)] == [8, 8, 2, 3, 6, 6]
    assert stage(5, Plan(weights=replace(plan.weights, lips=7.0))).weights.lips == 7
    rates = np.array([rate(step, plan) for step in range(11_000)])
    assert rates[:9000].max() == pytest.approx(plan.rate)
    assert rates[8999] < 1e-6
    assert rates[9000:].max() == pytest.approx(plan.polish_rate)
    assert rates[-1] < 1e-6
    assert (rates > 0).all()
