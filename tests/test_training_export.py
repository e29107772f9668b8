"""Export: one network as two files, whole and in halves, that step alike."""

import json
import os

import numpy as np
import pytest

try:
    import onnx
    import torch
except ImportError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"training needs the extra 'train': {missing}", allow_module_level=True)

from npc_engine.expression.network import Network
from training.export import check, check_halved, export, spoken_mel, stepped
from training.halve import halved
from training.net import Net, Shape

BLOCKS = (1, 2, 25, 8, 1, 3)


def small(seed, **shape):
    torch.manual_seed(seed)
    return Net(Shape(**{"width": 32, "inner": 48, "layers": 2, "heads": 2, "past": 12} | shape)).eval()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    whole = tmp_path_factory.mktemp("export") / "small.onnx"
    net = small(0)
    return net, whole, export(net, whole, {"data": "none"})


def test_two_files_say_what_they_are(files):
    _, whole, halves = files
    assert halves.name == "small.fp16.onnx"
    assert halves.stat().st_size < 0.6 * whole.stat().st_size
    for path, precision in ((whole, "float32"), (halves, "float16 inside and in the state; mel, window and visemes")):
        about = Network(path).about
        assert about["precision"].startswith(precision)
        assert json.loads(about["training"]) == {"data": "none"}
        assert json.loads(about["shape"])["past"] == 12


def test_the_halved_file_is_typed_throughout(files):
    model = onnx.shape_inference.infer_shapes(onnx.load(files[2]), check_type=True, strict_mode=True)
    graph, f32, f16 = model.graph, onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert not [t.name for t in graph.initializer if t.data_type == f32]
    kinds = {v.name: v.type.tensor_type.elem_type for v in [*graph.input, *graph.output]}
    assert [name for name, kind in kinds.items() if kind == f32] == ["mel", "window", "visemes"]
    assert [kind for kind in kinds.values() if kind != f32] == [f16] * 8
    assert not [v.name for v in graph.value_info if v.type.tensor_type.elem_type == f32]


def test_both_files_stream_as_they_hear_the_whole(files):
    net, whole, halves = files
    heard = spoken_mel()[:, : sum(BLOCKS)]
    with torch.no_grad():
        expected = net(torch.from_numpy(heard), *net.start(2))[0].numpy()
    assert np.abs(stepped(whole, heard, BLOCKS) - expected).max() < 1e-4
    assert np.abs(stepped(halves, heard, BLOCKS) - expected).max() < 2e-3


def test_the_runtime_steps_the_halved_file_with_a_halved_state(files):
    network = Network(files[2])
    state = network.start(3)
    assert state.cache_k.dtype == state.lstm_c.dtype == np.float16
    window, visemes, after = network.step(np.zeros((3, 5, 160), np.float32), state)
    assert window.dtype == visemes.dtype == np.float32
    assert after.lstm_c.dtype == np.float16


@pytest.mark.parametrize("shape", [{"layers": 1, "past": 3}, {"layers": 3, "heads": 4, "width": 64}])
def test_any_shape_is_exported(tmp_path, shape):
    net = small(3, **shape)
    halves = export(net, tmp_path / "other.onnx", {})
    assert Network(halves).start(2).lines == 2


def test_files_that_are_not_of_the_network_are_refused(files, tmp_path):
    _, whole, halves = files
    other = tmp_path / "other.onnx"
    wrong = export(small(1), other, {})
    with pytest.raises(ValueError, match=r"away from the network, expected less than 0\.0001"):
        check(small(1), whole)
    with pytest.raises(ValueError, match=r"small.fp16.onnx steps .* away from .*other.onnx, expected less than 0.002"):
        check_halved(other, halves)
    check_halved(other, wrong)


def test_what_no_half_can_hold_is_refused(files):
    model = onnx.load(files[1])
    tensor = next(t for t in model.graph.initializer if t.name == "into.bias")
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(32, 1e5, np.float32), "into.bias"))
    with pytest.raises(ValueError, match=r"'into\.bias' goes to 100000\.0, expected at most 65504\.0"):
        halved(model, kept=())
