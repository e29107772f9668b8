"""Moves formants in spectra: the smooth envelope is read elsewhere, harmonics and phases stay where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.vocoder import BINS, Spectra

# Cepstral coefficients kept, of 2 x 600: ripples finer than 600 Hz are harmonics, not formants; of 30, 40 and 60 the
# first two gave the same predicted naturalness and the last a little less.
_SMOOTH: Final = 40
_FADED: Final = 10  # of them, faded out: a hard edge rings
_LARGEST: Final = 2.3  # natural log, 20 dB
_FLOOR: Final = -7.0  # of the natural log: what is quieter is silence, and its shape means nothing


class Envelope:
    """Formants times `factor`, at the same pitch.

    The correction is linear in the log spectrum (smooth it, read it at bin k / factor, take it away at bin k), so it is
    two small matrices, made once.
    """

    def __init__(self, factor: float) -> None:
        bins, orders = np.arange(BINS), np.arange(_SMOOTH)
        fade = np.ones(_SMOOTH)
        fade[-_FADED:] = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, _FADED + 1) / (_FADED + 1))
        waves = np.cos(np.pi * np.outer(bins, orders) / (BINS - 1))
        share = np.full(BINS, 2.0 / (BINS - 1))
        share[[0, -1]] /= 2
        analysis = (waves * share[:, None]).T
        analysis[0] /= 2
        read_at = np.minimum(bins / factor, BINS - 1)
        self._analysis = analysis.astype(np.float32)  # f32[40, 601]
        moved = np.cos(np.pi * np.outer(read_at, orders) / (BINS - 1)) - waves
        self._synthesis = (moved * fade).astype(np.float32)  # f32[601, 40]

    def moved(self, spectra: Spectra, voiced: npt.NDArray[np.bool_]) -> Spectra:
        """`spectra` with their formants moved; `voiced` is bool[frames]: elsewhere the harmonics are not heard."""
        shape = np.maximum(spectra.noise, spectra.free)
        np.maximum(shape, spectra.harmonic, out=shape, where=voiced[None, :])
        np.maximum(shape, np.float32(_FLOOR), out=shape)
        change = self._synthesis @ (self._analysis @ shape)
        np.clip(change, -_LARGEST, _LARGEST, out=change)
        return replace(
            spectra,
            harmonic=spectra.harmonic + change,
            noise=spectra.noise + change,
            free=spectra.free + change,
        )
