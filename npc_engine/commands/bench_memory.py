"""How much memory a process holds."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Any


def rss_mb(pid: int | None = None) -> float | None:
    """Resident memory of a process (this one unless told) in MiB; None where the system does not tell."""
    if sys.platform == "win32":
        return _windows() if pid in (None, os.getpid()) else None
    with contextlib.suppress(OSError):
        for row in Path(f"/proc/{pid or 'self'}/status").read_text(encoding="utf-8").splitlines():
            if row.startswith("VmRSS"):
                return round(int(row.split()[1]) / 1024, 1)
    return None


def _windows() -> float | None:
    """The working set, by GetProcessMemoryInfo (PROCESS_MEMORY_COUNTERS in the Windows API)."""

    class Counters(ctypes.Structure):
        _fields_ = [
            ("size", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((f"bytes{i}", ctypes.c_size_t) for i in range(8)),  # the peak of the working set, then the set itself
        ]

    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - there is none elsewhere, and mypy knows
    counters = Counters(size=ctypes.sizeof(Counters))
    windll.kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    own = ctypes.c_void_p(windll.kernel32.GetCurrentProcess())
    if not windll.psapi.GetProcessMemoryInfo(own, ctypes.byref(counters), counters.size):
        return None
    return round(float(counters.bytes1) / 2**20, 1)
