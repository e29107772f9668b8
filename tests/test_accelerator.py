"""--accelerator: what is missing is said, and nothing else takes its place."""

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from npc_engine.cli import main, parser
from npc_engine.commands.accelerator import report
from npc_engine.expression.accelerator import ACCELERATORS, CUDA, AcceleratorError, accelerated, on_cuda
from npc_engine.expression.network import SHIPPED, Network, NetworkError
from npc_engine.expression.tensorrt import (
    Device,
    TensorRTNetwork,
    default_folder,
    engine_file,
    modules,
    profile_shapes,
)

CARD = Device("NVIDIA GeForce RTX 4090", "8.9", "11.4.0.106", 13000)

without_cuda = pytest.mark.skipif(CUDA in ort.get_available_providers(), reason="this onnxruntime has CUDA")
without_tensorrt = pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="tensorrt is installed")


def test_the_cpu_steps():
    network = accelerated("cpu")
    assert network.step(np.zeros((2, 3, 160), np.float32), network.start(2))[0].shape == (2, 3, 10, 50)
    with pytest.raises(ValueError, match="accelerator is 'gpu', expected one of cpu, cuda, tensorrt"):
        accelerated("gpu")


@without_cuda
def test_an_onnxruntime_without_cuda_says_which_package_has_it():
    expected = (
        f"onnxruntime {ort.__version__} has no CUDA provider: pip uninstall onnxruntime, then "
        "pip install 'onnxruntime-gpu[cuda,cudnn]' (both at once hide each other), on a machine with an NVIDIA GPU"
    )
    with pytest.raises(AcceleratorError) as refused:
        on_cuda(SHIPPED)
    assert str(refused.value) == expected


@without_cuda
def test_onnxruntime_does_not_silently_take_the_cpu():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # onnxruntime warns of what we refuse
        with pytest.raises(NetworkError, match=f"onnxruntime took CPUExecutionProvider, expected {CUDA}"):
            Network(SHIPPED, CUDA)


@without_tensorrt
def test_a_missing_tensorrt_says_what_to_install_and_why_the_cpu_does_not_step_in():
    expected = (
        "TensorRT can't be loaded (No module named 'tensorrt'): pip install 'npc-engine[tensorrt]' on a machine with "
        "an NVIDIA GPU. The CPU does not take its place by itself, for whoever asks for TensorRT plans with its speed; "
        "leave out --accelerator tensorrt to use the CPU"
    )
    with pytest.raises(AcceleratorError) as refused:
        modules()
    assert str(refused.value) == expected


@without_cuda
@without_tensorrt
def test_commands_refuse_what_is_missing_and_doctor_has_a_line_for_each(capsys):
    assert main(["serve", "--accelerator", "cuda"]) == 2
    assert "npc-engine: --accelerator cuda: onnxruntime" in capsys.readouterr().err
    assert main(["bench", "--accelerator", "tensorrt"]) == 2
    assert "TensorRT can't be loaded" in capsys.readouterr().err
    cpu, cuda, tensorrt = report()
    assert cpu == f"accelerator cpu: available, onnxruntime {ort.__version__}"
    assert cuda.startswith("accelerator cuda: not available. onnxruntime")
    assert tensorrt.startswith("accelerator tensorrt: not available. TensorRT can't be loaded")


def test_commands_know_the_accelerators(capsys):
    for command in ("serve", "bench", "doctor"):
        assert parser().parse_args([command]).accelerator == "cpu"
        for name in ACCELERATORS:
            assert parser().parse_args([command, "--accelerator", name]).accelerator == name
        with pytest.raises(SystemExit):
            main([command, "--accelerator", "gpu"])
        assert "invalid choice: 'gpu'" in capsys.readouterr().err


def test_an_engine_is_kept_for_one_device_and_one_file(tmp_path):
    kept = engine_file(CARD, b"network", tmp_path)
    assert kept.parent == tmp_path
    assert kept.suffix == ".engine"
    assert engine_file(replace(CARD), b"network", tmp_path) == kept
    others = [
        engine_file(replace(CARD, gpu="NVIDIA GeForce RTX 4080"), b"network", tmp_path),
        engine_file(replace(CARD, capability="9.0"), b"network", tmp_path),
        engine_file(replace(CARD, tensorrt="11.4.0.107"), b"network", tmp_path),
        engine_file(replace(CARD, driver=12080), b"network", tmp_path),
        engine_file(CARD, b"another network", tmp_path),
    ]
    assert len({kept, *others}) == 6
    assert default_folder().name == "tensorrt"
    assert str(CARD) == (
        "tensorrt 11.4.0.106, NVIDIA GeForce RTX 4090 (compute 8.9), driver for CUDA 13.0; not yet verified on hardware"
    )


def test_profiles_span_one_to_64_lines_and_one_to_25_ticks():
    shapes = profile_shapes(Network().inputs)
    assert shapes["mel"] == ((1, 1, 160), (16, 25, 160), (64, 25, 160))
    for name in ("cache_k", "cache_v"):
        assert [shape[0] for shape in shapes[name]] == [1, 16, 64]
        assert len({shape[1:] for shape in shapes[name]}) == 1
    for name in ("lstm_h", "lstm_c"):
        assert [shape[:2] for shape in shapes[name]] == [(1, 1), (1, 16), (1, 64)]
    with pytest.raises(NetworkError, match=r"input 'mel' has the free sizes \['N'\], expected only 'B' and 'T'"):
        profile_shapes({"mel": (("B", "N", 160), np.dtype(np.float32))})


def test_tensorrt_says_what_is_wrong_with_a_file_before_it_looks_for_a_card(tmp_path):
    with pytest.raises(NetworkError, match="no such file"):
        TensorRTNetwork(Path(tmp_path / "none.onnx"))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(NetworkError, match=r"broken\.onnx: not a network that onnxruntime can load"):
        TensorRTNetwork(broken)
