"""Mutated messages and strangers over real sockets: a server process answers, serves others and does not grow."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from reliability.process import sample  # noqa: E402
from reliability.served import Served, tone  # noqa: E402
from reliability.socket_side import fuzz_socket  # noqa: E402

WARM, MESSAGES = 500, 1_000
GROWN_MB = (
    40.0  # pictures of up to 2048 pixels are asked for now and then; 100,000 messages are judged by tools/fuzz.py
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process is measured by /proc")


def test_a_fuzzed_server_answers_serves_others_and_does_not_grow(tmp_path):
    with Served(tone(), tmp_path) as served:
        fuzz_socket(served, WARM, 1, tmp_path)
        before = sample(served.pid, 0.0)
        visit = fuzz_socket(served, MESSAGES, 2, tmp_path)
        now = sample(served.pid, 0.0)
        assert not visit.finds
        assert visit.messages >= MESSAGES
        assert visit.codes["bad-message"] > MESSAGES // 4
        assert visit.witness_lines > 2
        assert visit.strangers > 5
        assert now.rss_mb < before.rss_mb + GROWN_MB
        assert max(s.threads for s in visit.samples) < 60
        assert max(s.descriptors for s in visit.samples) < 80
        assert served.process.poll() is None
        assert not served.noise()
