"""A measurement in a process of its own, with one thread a library, so that nothing measured before is in its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def in_own_process(module: str, options: dict[str, Any], minutes: int) -> subprocess.CompletedProcess[str]:
    """What `python -m module` with `options` as JSON said and how it ended; `TimeoutExpired` after so many minutes."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", module, json.dumps(options)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60 * minutes,
        check=False,
        env={**os.environ, **single, "PYTHONIOENCODING": "utf-8"},
    )
