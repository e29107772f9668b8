"""npc-engine serve: answer games over ZeroMQ."""

from __future__ import annotations

import argparse
import logging
import time

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, UsageError, cast_option, command

EXAMPLES = """  npc-engine serve
  npc-engine serve --address tcp://127.0.0.1:7900 --cast ~/mygame/npc
"""


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "serve", "answer games over ZeroMQ until interrupted", EXAMPLES)
    parser.add_argument(
        "--address", default="tcp://127.0.0.1:7890", help="loopback address to bind (default tcp://127.0.0.1:7890)"
    )
    parser.add_argument(
        "--lookahead-ms",
        type=int,
        default=60,
        metavar="MS",
        help="how much sound after a tick the mouth waits for, -60 to 120 in steps of 20 (default 60)",
    )
    parser.add_argument("--log", default="info", choices=("debug", "info", "warning", "error"))
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    import cv2

    from npc_engine.server.server import Server
    from npc_engine.troupe import Troupe

    if arguments.lookahead_ms not in range(-60, 121, 20):
        raise UsageError(f"--lookahead-ms is {arguments.lookahead_ms}, expected -60 to 120 in steps of 20")
    logging.basicConfig(level=arguments.log.upper(), format="%(asctime)s %(levelname)s %(message)s")
    cv2.setNumThreads(1)  # lines run beside each other; OpenCV's own threads would fight them for the cores
    began = time.perf_counter()
    troupe = Troupe(Cast.standard(arguments.cast), lookahead_ms=arguments.lookahead_ms)
    log = logging.getLogger(__name__)
    for name, error in troupe.warm().items():
        log.error("character %s can't be loaded and will be refused: %s", name, error)
    server = Server(troupe, arguments.address)
    server.start()
    log.info(
        "npc-engine answers on %s with %d characters, ready in %.1f s",
        server.address,
        len(troupe.npcs()),
        time.perf_counter() - began,
    )
    server.serve_forever()
    return 0
