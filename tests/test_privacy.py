"""The engine tells nobody that it runs: onnxruntime, which would since 1.29, is kept from it before it begins."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(os.name == "nt", reason="Windows' own tracing takes what onnxruntime tells, and no file shows it")
def test_onnxruntime_makes_no_device_id_and_no_queue_of_events(tmp_path):
    code = "from npc_engine.expression.network import Network; Network().start(1); print('ran')"
    quiet = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "GITHUB_ACTIONS", "TF_BUILD"}
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert run.stdout == "ran\n"
    assert [str(path) for path in tmp_path.rglob("*") if "Microsoft" in str(path)] == []


def test_who_wants_it_may_have_it():
    code = "import npc_engine, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for asked, expected in ((None, "1"), ("0", "0")):
        environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
        environment |= {} if asked is None else {"ORT_DISABLE_TELEMETRY": asked}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == expected
