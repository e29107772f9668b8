"""In step, measured on what comes out: the mouth tracked on the decoded frames of an mp4 against the coefficients."""

import numpy as np
import pytest

from npc_engine.cli import main
from npc_engine.expression.aperture import aperture
from npc_engine.frames.landmarks import FaceFinder

av = pytest.importorskip("av", reason="PyAV is missing: pip install 'npc-engine[media]'")

TEXT = "My brother bought a big apple pie at the market. Mind the step, and keep away from the old mill!"
UPPER, LOWER, BROW, CHIN = 13, 14, 10, 152  # of the face mesh: inner lips, top and bottom of the face


def tracked(path):
    """Times and lip openings, in face heights, of every frame of an mp4."""
    finder = FaceFinder()
    times, gaps, points = [], [], None
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            if points is None:
                points, _ = finder.landmarks(rgb, finder.find(rgb)[0])
            points, sure = finder.refine(rgb, points)
            assert sure > 0.5
            height = np.linalg.norm(points[CHIN, :2] - points[BROW, :2])
            times.append(float(frame.time))
            gaps.append(np.linalg.norm(points[LOWER, :2] - points[UPPER, :2]) / height)
    return np.array(times), np.array(gaps)


def correlation_at(lag, drawn, asked):
    a, b = (drawn[lag:], asked[: len(asked) - lag]) if lag >= 0 else (drawn[:lag], asked[-lag:])
    return float(np.corrcoef(a, b)[0, 1])


@pytest.fixture(scope="module", params=["maren", "elder"])
def line(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    files = [folder / "line.mp4", folder / "line.npz", folder / "line.wav"]
    assert main(["say", TEXT, "--npc", request.param, *(o for f in files for o in ("--out", str(f)))]) == 0
    return files


def test_drawn_mouth_follows_the_coefficients_within_a_frame(line):
    times, drawn = tracked(line[0])
    with np.load(line[1]) as curves:
        opening = np.clip(aperture(curves["exp"]), 0, None)
    ticks = np.round(times / 0.02).astype(int)
    assert np.array_equal(ticks, np.arange(0, len(opening), 2))
    asked = opening[ticks]
    by_lag = {lag: correlation_at(lag, drawn, asked) for lag in range(-5, 6)}
    print("correlation by lag in frames:", {k: round(v, 3) for k, v in by_lag.items()})
    best = max(by_lag, key=by_lag.__getitem__)
    assert abs(best) <= 1
    assert by_lag[0] >= 0.9


def test_sound_starts_with_the_first_picture_and_is_the_line(line):
    with av.open(str(line[0])) as file:
        first_picture = float(next(file.decode(video=0)).time)
    with av.open(str(line[0])) as file:
        frames = list(file.decode(audio=0))
    assert abs(float(frames[0].time) - first_picture) <= 0.02
    decoded = np.concatenate([f.to_ndarray()[0] for f in frames])
    with np.load(line[1]) as curves:
        said = curves["sound"]
    assert abs(len(decoded) - len(said)) <= 2048  # AAC works in frames of 1024 samples
    n = min(len(decoded), len(said))
    spectrum = np.fft.rfft(decoded[:n], 2 * n) * np.conj(np.fft.rfft(said[:n], 2 * n))
    cross = np.fft.irfft(spectrum)
    lag = int(np.argmax(cross))
    lag -= 2 * n if lag > n else 0
    assert abs(lag) <= 480  # 20 ms
