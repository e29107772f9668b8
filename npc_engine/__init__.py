"""npc_engine: talking game characters, from a line of text to voice, face and pictures in step."""

import os

# Since 1.29 onnxruntime tells Microsoft of each process, model and run on every system, unless this is set before it
# begins (https://github.com/microsoft/onnxruntime/pull/27379). An engine says nothing that its user has not asked for.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
