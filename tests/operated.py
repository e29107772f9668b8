"""The tone stage as a service: `python tests/operated.py [options of operation]` prints where it answers, as JSON."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tone import ToneStage

from npc_engine.commands.operation import Operation, operation_options
from npc_engine.server.server import Server


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    operation_options(parser)
    with Operation(parser.parse_args()) as operation, tempfile.TemporaryDirectory() as folder:
        server = Server(
            ToneStage(Path(folder)), "tcp://127.0.0.1:*", metrics=operation.metrics, health=operation.health
        )
        server.start()
        print(json.dumps({"address": server.address, "http": operation.address}), flush=True)
        operation.serve(server, characters=2)


if __name__ == "__main__":
    main()
