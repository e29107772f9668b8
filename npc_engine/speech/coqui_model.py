"""A coqui-tts model in memory: from a checkpoint or its hub, a phrase at a time, with phone times where it has them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import CastError, near
from npc_engine.speech.errors import SpeechError, short

_HUB: Final = "tts_models/"
_SEED: Final = 20  # of the noise that VITS draws a phrase from: the same phrase is always the same take
_ROUNDED_UP: Final = (
    0.4  # VITS rounds durations up to whole frames: half a frame on 1.2, the mean of joe's and its like
)
_NEEDS: Final = ("torch", "torchaudio", "torchcodec", "TTS", "six")
_INSTALL: Final = (
    "pip install torch torchaudio (without a graphics card: the builds for the CPU, which are far smaller),"
    " then pip install 'npc-engine[coqui]'"
)


@dataclass(frozen=True, slots=True)
class Symbol:
    """What the model reads: a phone or a character, the word it belongs to (-1: none), and its tempo."""

    text: str
    word: int
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase's sound at the model's own rate, and where each symbol ends in it, where the model tells."""

    samples: npt.NDArray[np.float32]
    starts: tuple[int, ...]  # one a symbol and the end of the last; empty where the model does not tell


class CoquiModel:
    """One model on one device; safe from several threads, which wait for one another."""

    def __init__(self, synthesizer: Any, digest: str) -> None:
        import torch
        from TTS.tts.models.vits import Vits

        self._torch = torch
        self._synthesizer = synthesizer
        self._model = synthesizer.tts_model
        self._tokenizer = self._model.tokenizer
        self._lock = threading.Lock()
        self.rate = int(synthesizer.output_sample_rate)
        self.is_vits = isinstance(self._model, Vits)
        self.has_phones = bool(self.is_vits and self._tokenizer.use_phonemes)
        self.device = "cuda" if synthesizer.use_cuda else "cpu"
        self.release = f"{version('coqui-tts')} {digest} {self.device}"
        speakers = getattr(self._model, "speaker_manager", None)
        self.speakers: list[str] = sorted(speakers.speaker_names) if speakers is not None else []
        self._scale = getattr(self._model, "length_scale", None)
        names = self._model.language_manager.language_names
        self.language: str | None = names[0] if names else None
        self.spell = lru_cache(maxsize=4096)(self._spell)

    @property
    def has_tempo(self) -> bool:
        """Whether the model can speak faster or slower."""
        return self._scale is not None

    def _spell(self, text: str) -> str:
        """`text` as the model reads it, phones or characters; symbols that it does not know are left out."""
        spoken = text
        with self._lock:
            if self._tokenizer.text_cleaner is not None:
                spoken = self._tokenizer.text_cleaner(text, lang=(self.language or "en").split("-")[0])
            if self._tokenizer.phonemizer is not None:
                try:
                    spoken = self._tokenizer.phonemizer.phonemize(spoken, separator="", language=self.language)
                except (OSError, RuntimeError, ValueError) as error:
                    raise SpeechError(f"coqui could not find the phones of {short(text)}: {error}") from error
        return spoken

    def knows(self, symbol: str) -> bool:
        """Whether the model was trained with a symbol."""
        return symbol in self._tokenizer.characters.vocab

    def say(self, text: str, symbols: Sequence[Symbol], rate: float, speaker: str) -> Said:
        """Speak `text`, which is read as `symbols`; a VITS model takes the tempo of each, others the one `rate`."""
        with self._lock, self._torch.inference_mode(), self._torch.random.fork_rng():
            if self.device == "cpu":
                self._torch.set_num_threads(1)  # with two, one waits for the other as soon as a core is busy
            self._torch.manual_seed(_SEED)
            try:
                return self._say_symbols(symbols, speaker) if self.is_vits else self._say_text(text, rate, speaker)
            except (RuntimeError, ValueError, IndexError, KeyError, TypeError) as error:
                raise SpeechError(f"coqui could not speak {short(text)}: {error}") from error
            finally:
                if self._scale is not None:
                    self._model.length_scale = self._scale

    def _say_symbols(self, symbols: Sequence[Symbol], speaker: str) -> Said:
        """What `Vits.synthesize` does, with a tempo for each symbol and the durations kept."""
        torch, tokenizer = self._torch, self._tokenizer
        ids = [tokenizer.characters.char_to_id(s.text) for s in symbols]
        rates = [s.rate for s in symbols]
        before, each = 0, 1  # places of the first symbol and from one to the next
        if tokenizer.add_blank:
            ids = tokenizer.intersperse_blank_char(ids)
            rates = [rates[max(i - 1, 0) // 2] for i in range(len(ids))]
            before, each = 1, 2
        if tokenizer.use_eos_bos:
            ids = tokenizer.pad_with_bos_eos(ids)
            rates = [rates[0], *rates, rates[-1]]
            before += 1
        device = self._model.device
        scales = torch.tensor(rates, dtype=torch.float32, device=device).reciprocal()
        scales = (scales * (1 + _ROUNDED_UP) - _ROUNDED_UP).clamp_min(0.1)
        self._model.length_scale = self._scale * scales[None, None, :]
        chosen = speaker or self._default_speaker
        who, vector = self._model._get_speaker_id_or_dvector(chosen, None, None)  # noqa: SLF001 - as `synthesize` does
        outputs = self._model.inference(
            torch.tensor([ids], dtype=torch.long, device=device),
            aux_input={
                "x_lengths": torch.tensor([len(ids)], device=device),
                "speaker_ids": who,
                "d_vectors": vector,
                "language_ids": self._language_id(device),
                "durations": None,
            },
        )
        samples = outputs["model_outputs"][0].float().cpu().numpy().reshape(-1).astype(np.float32)
        frames = outputs["durations"].flatten().cpu().numpy()
        ends = np.concatenate([[0.0], np.cumsum(frames)]) * len(samples) / max(float(frames.sum()), 1.0)
        starts = [round(ends[before + each * i]) for i in range(len(symbols))]
        return Said(samples, (*starts, round(ends[before + each * (len(symbols) - 1) + 1])))

    def _language_id(self, device: Any) -> Any:
        if not getattr(self._model.args, "use_language_embedding", False):
            return None
        return self._torch.tensor([self._model.language_manager.name_to_id[self.language]], device=device)

    def _say_text(self, text: str, rate: float, speaker: str) -> Said:
        if self._scale is not None:
            self._model.length_scale = self._scale / rate
        names = self._model.language_manager.language_names
        wave = self._synthesizer.tts(
            text,
            speaker_name=speaker or self._default_speaker,
            language_name=self.language if len(names) > 1 else None,
            split_sentences=False,
        )
        # the synthesizer appends silence of its own, which the engine trims
        return Said(np.asarray(wave, np.float32), ())

    @property
    def _default_speaker(self) -> str | None:
        return self.speakers[0] if self.speakers else None


def load_model(model: str, config: str, folder: Path) -> CoquiModel:
    """The checkpoint `model` with `config` (files, from `folder` on), or the hub's model of that name.

    Raises `CastError` saying what is missing, unreachable or broken, and what to do about it.
    """
    where = folder / "voice.toml"
    if not model:
        raise CastError(
            f"{where}: key 'model' is missing; expected a checkpoint beside it, or a name of coqui's hub such as"
            f" {_HUB}en/ljspeech/vits"
        )
    on_hub = model.startswith(_HUB)
    if not on_hub and not config:
        raise CastError(f"{where}: key 'config' is missing; expected the config.json that {model} was trained with")
    paths = folder / model, folder / config
    for path in () if on_hub else paths:
        if not path.is_file():
            raise CastError(f"{where}: no file {path}")
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise CastError(f"{where}: engine 'coqui' needs {', '.join(missing)}, not installed: {_INSTALL}")
    try:
        from TTS.utils.synthesizer import Synthesizer
    except (ImportError, OSError) as error:
        raise CastError(f"{where}: coqui-tts is installed and can't be loaded: {error}; {_INSTALL}") from error
    if on_hub:
        return _from_hub(model, where)
    _check_config(paths[1])
    return _loaded(Synthesizer, {"tts_checkpoint": str(paths[0]), "tts_config_path": str(paths[1])}, where)


def _check_config(path: Path) -> None:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CastError(f"{path}: {error}; expected the config.json of a coqui-tts model") from error
    if not isinstance(about, dict) or "model" not in about or "audio" not in about:
        raise CastError(f"{path}: no keys 'model' and 'audio'; expected the config.json of a coqui-tts model")
    phonemizer = str(about.get("phonemizer") or "")
    wants_espeak = about.get("use_phonemes") and phonemizer in {"", "espeak", "multi_phonemizer"}
    if wants_espeak and not (shutil.which("espeak-ng") or shutil.which("espeak")):
        raise CastError(
            f"{path}: this model reads phones that the program espeak-ng finds, which is not installed"
            " (apt install espeak-ng, brew install espeak-ng, winget install eSpeak-NG.eSpeak-NG)"
        )


def _from_hub(name: str, where: Path) -> CoquiModel:
    import requests
    from TTS.utils.manage import ModelManager
    from TTS.utils.synthesizer import Synthesizer

    manager = ModelManager(progress_bar=False)
    known = manager.list_tts_models()
    if name not in known:
        raise CastError(f"{where}: coqui's hub has no model {name!r}{near(name, known)}")
    item = manager.models_dict
    for part in name.split("/"):
        item = item[part]
    if item.get("tos_required") and os.environ.get("COQUI_TOS_AGREED") != "1":
        # coqui-tts would ask on the terminal, where nobody sits beside a server
        raise CastError(
            f"{where}: {name} may not be used commercially without leave; read its licence, and if you agree with it"
            " set COQUI_TOS_AGREED=1"
        )
    try:
        model, config, _ = manager.download_model(name)
        vocoder = item.get("default_vocoder")
        files = {"tts_checkpoint": str(model), "tts_config_path": str(config) if config else None}
        if vocoder:
            vocoder_model, vocoder_config, _ = manager.download_model(vocoder)
            files |= {"vocoder_checkpoint": str(vocoder_model), "vocoder_config": str(vocoder_config)}
    except (requests.RequestException, OSError) as error:
        raise CastError(
            f"{where}: the hub that holds {name} can't be reached ({type(error).__name__}). Either run"
            f" `tts --model_name {name} --text x` on a machine with a network, copy the model and its config.json"
            " beside voice.toml and name the two files there (model = , config = ); or use a voice"
            " that ships (npc-engine voices lists them)"
        ) from error
    return _loaded(Synthesizer, files, where)


def _loaded(synthesizer: Any, files: dict[str, str | None], where: Path) -> CoquiModel:
    import torch

    checkpoint = Path(str(files["tts_checkpoint"]))
    try:
        made = synthesizer(**files, use_cuda=torch.cuda.is_available())
    except Exception as error:  # a broken checkpoint fails in torch, pickle, zipfile, coqpit or coqui, each its own way
        reason = str(error).strip().split("\n")[0][:300]
        raise CastError(
            f"{where}: {checkpoint} with {files['tts_config_path']} is no model that coqui-tts can load:"
            f" {type(error).__name__}: {reason}"
        ) from error
    return CoquiModel(made, _digest(checkpoint))


def _digest(path: Path) -> str:
    """The first 12 digits of the SHA-256 of a file, or of the files of a folder."""
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                total.update(block)
    return total.hexdigest()[:12]
