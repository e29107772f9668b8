"""Predicted mean opinion score, by distillmos (needs distillmos, torch, soxr)."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable

from npc_engine.moments import SAMPLE_RATE, Sound


def naturalness() -> Callable[[Sound], float]:
    """A function from sound at 24 kHz to predicted mean opinion score, 1 to 5."""
    import soxr
    import torch

    # distillmos imports torchaudio to read files, which it is not asked to do; torchaudio wants CUDA's libraries
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    import distillmos

    torch.set_num_threads(1)
    with contextlib.redirect_stdout(sys.stderr):  # it tells where its weights are
        model = distillmos.ConvTransformerSQAModel().eval()

    def score(sound: Sound) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(soxr.resample(sound, SAMPLE_RATE, 16_000))[None])[0])

    return score
