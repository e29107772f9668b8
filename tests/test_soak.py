"""A soak of half a minute: clients that come and go, and a server that holds afterwards what it held before."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from reliability.process import drift_percent, slope  # noqa: E402
from reliability.served import Served, tone  # noqa: E402
from reliability.soak import soak  # noqa: E402

SECONDS, WARM_S = 40.0, 15.0
GROWN_PERCENT = 8.0  # so short a time says little: tools/soak.py asks for 2 % in ten minutes

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process is measured by /proc")


@pytest.mark.slow
def test_clients_that_come_and_go_leave_nothing_behind(tmp_path):
    with Served(tone(), tmp_path) as served:
        soaked = soak(served, SECONDS, WARM_S, tmp_path, lull_s=10.0)
    figures = soaked.figures()
    # every tick of every finished line once, no reply to another client, one sound of one text
    assert not soaked.faults
    assert not soaked.log
    assert soaked.clients > 6
    assert soaked.killed
    assert soaked.lines["end"] > 3
    assert soaked.ticks > 100
    assert figures["rss_mb"]["drift_percent"] < GROWN_PERCENT
    first, *others = soaked.lulls
    assert len(others) >= 2
    assert all(lull.threads <= first.threads and lull.descriptors <= first.descriptors for lull in others)


def test_the_slope_minds_no_burst():
    times = [float(t) for t in range(100)]
    flat = [50.0 + (30.0 if 40 <= t < 48 else 0.0) for t in times]
    assert slope(times, flat) == 0
    assert drift_percent(times, flat) == 0
    rising = [50.0 + 0.05 * t for t in times]
    assert slope(times, rising) == pytest.approx(0.05)
    assert drift_percent(times, rising) == pytest.approx(100 * 0.05 * 99 / 52.475, rel=1e-3)
