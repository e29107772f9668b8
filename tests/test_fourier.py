"""spectra(): what numpy gives, for float32."""

import numpy as np
import pytest

from npc_engine.fourier import spectra


@pytest.mark.parametrize("size", [4, 1200, 1536])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_spectra_are_those_of_numpy(count, size):
    rows = np.random.default_rng(size + count).standard_normal((count, size)).astype(np.float32)
    found = spectra(rows)
    exact = np.fft.rfft(rows.astype(np.float64), axis=1)
    assert found.dtype == np.complex64
    assert found.shape == exact.shape
    assert np.abs(found - exact).max(initial=0) <= 1e-6 * np.abs(exact).max(initial=0)


def test_a_row_does_not_depend_on_its_company():
    rows = np.random.default_rng(1).standard_normal((9, 1200)).astype(np.float32)
    together = spectra(rows)
    assert all(np.array_equal(spectra(rows[i : i + 1])[0], together[i]) for i in range(9))
    assert np.array_equal(spectra(np.stack([rows, rows], axis=2)[:, :, 0]), together)  # not contiguous
