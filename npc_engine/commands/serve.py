"""npc-engine serve: answer games over ZeroMQ."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from npc_engine.cast import Cast, CastError
from npc_engine.commands.accelerator import accelerator_option, network
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command
from npc_engine.commands.operation import Operation, operation_options
from npc_engine.commands.serve_ray import ray_engine, ray_options
from npc_engine.commands.websocket import websocket_gateway, websocket_options

if TYPE_CHECKING:
    from npc_engine.server.curve import Curve
    from npc_engine.server.performing import Assemble
    from npc_engine.server.stage import Stage
    from npc_engine.speech.cache import TakeCache
    from npc_engine.troupe import Troupe

_MOST_MB: Final = 1_000_000
EXAMPLES = """  npc-engine serve
  npc-engine serve --address tcp://0.0.0.0:7890                 to the network: needs keys, see npc-engine keys --help
  npc-engine serve --websocket                                  browsers too, and a page on http://127.0.0.1:7891/
  npc-engine serve --accelerator cuda                           the Audio2Exp network on an NVIDIA GPU
  npc-engine serve --address tcp://127.0.0.1:7900 --cast ~/mygame/npc
  npc-engine serve --cache ~/mygame/spoken --cache-mb 2000     finished speech is kept there
  npc-engine serve --cache off                                  every line is spoken anew
  npc-engine serve --metrics 9464 --log-format json             as a service: see docs/operation.md
  npc-engine serve --ray 10.0.0.5:6379 --ray-replicas 4:16      performed by a Ray cluster: see docs/scaling.md
"""


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "serve", "answer games over ZeroMQ until interrupted", EXAMPLES)
    parser.add_argument(
        "--address",
        default="tcp://127.0.0.1:7890",
        help="address to bind (default tcp://127.0.0.1:7890); any but loopback needs keys",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="folder that npc-engine keys has made (default: this user's own); named, keys are asked on loopback too",
    )
    parser.add_argument(
        "--lookahead-ms",
        type=int,
        default=60,
        metavar="MS",
        help="how much sound after a tick the mouth waits for, -60 to 120 in steps of 20 (default 60)",
    )
    parser.add_argument(
        "--cache",
        default="",
        metavar="DIR|off",
        help="folder for finished speech, so that nothing is made twice (default: this system's folder for caches)",
    )
    parser.add_argument(
        "--cache-mb",
        type=int,
        default=512,
        metavar="MB",
        help="disk that it may fill; 0 keeps it in memory (default 512)",
    )
    parser.add_argument(
        "--warm", type=Path, metavar="FILE", help="lines `character: text` to speak into the cache at start"
    )
    operation_options(parser)
    websocket_options(parser)
    ray_options(parser)
    accelerator_option(parser)
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if arguments.lookahead_ms not in range(-60, 121, 20):
        raise UsageError(f"--lookahead-ms is {arguments.lookahead_ms}, expected -60 to 120 in steps of 20")
    if not 0 <= arguments.cache_mb <= _MOST_MB:
        raise UsageError(f"--cache-mb is {arguments.cache_mb}, expected 0 to {_MOST_MB}")
    with Operation(arguments) as operation:
        _serve(arguments, operation)
    return 0


def _serve(arguments: argparse.Namespace, operation: Operation) -> None:
    from npc_engine.server.curve import curve_for
    from npc_engine.server.server import Server

    open_gateway = websocket_gateway(arguments)
    keys = _keys(arguments)
    curve = curve_for(arguments.address, keys)  # what is wrong with them is told before all voices are loaded
    began = time.perf_counter()
    log = logging.getLogger(__name__)
    with _engine(arguments, operation) as (stage, company, characters):
        server = Server(
            stage, arguments.address, keys=keys, company=company, metrics=operation.metrics, health=operation.health
        )
        server.start()
        if curve is not None:
            _tell_keys(log, curve)
        log.info(
            "npc-engine answers on %s with %d characters, ready in %.1f s",
            server.address,
            len(stage.npcs()),
            time.perf_counter() - began,
        )
        if operation.address:
            log.info("metrics on %s/metrics, health on %s/healthz", operation.address, operation.address)
        with open_gateway(server):
            operation.serve(server, characters)


@contextmanager
def _engine(arguments: argparse.Namespace, operation: Operation) -> Iterator[tuple[Stage, Assemble | None, int]]:
    """The characters, who performs them where this process does not, and how many there are."""
    if arguments.ray is not None:
        with ray_engine(arguments) as (names, assemble):
            yield names, assemble, len(names.npcs())
        return
    import cv2

    from npc_engine.expression.accelerator import shared
    from npc_engine.server.memory import few_arenas
    from npc_engine.troupe import Troupe

    cv2.setNumThreads(1)  # lines run beside each other; OpenCV's own threads would fight them for the cores
    few_arenas()
    cache = _cache(arguments)
    troupe = Troupe(
        Cast.standard(arguments.cast),
        lookahead_ms=arguments.lookahead_ms,
        cache=cache,
        network=shared(network(arguments), arguments.accelerator),
    )
    operation.troupe, operation.cache = troupe, cache
    broken = _tell_broken(logging.getLogger(__name__), troupe)
    if arguments.warm:
        _warm(troupe, arguments.warm)
    yield troupe, None, len(troupe.npcs()) - broken
    if cache is not None:
        cache.flush()


def _tell_broken(log: logging.Logger, troupe: Troupe) -> int:
    """Load every character, and log which can't be; how many."""
    from npc_engine.speech.errors import NotInstalled

    broken = troupe.warm()
    for name, error in broken.items():
        if isinstance(error, NotInstalled):
            log.warning("character %s is refused until it can speak: %s", name, error)
        else:
            log.error("character %s can't be loaded and will be refused: %s", name, error)
    return len(broken)


def _keys(arguments: argparse.Namespace) -> Path | None:
    """The folder of the keys that games must have; None where they need none."""
    from npc_engine.keys import default_folder
    from npc_engine.server.curve import is_loopback

    if arguments.keys is not None:
        return Path(arguments.keys).expanduser()
    return None if is_loopback(arguments.address) else default_folder()


def _tell_keys(log: logging.Logger, curve: Curve) -> None:
    """Say whom the server lets in, and by which key they know it."""
    log.info("games need keys of %s; this server's public key is %s", curve.folder, curve.public)
    for fault in curve.allowed.faults:
        log.error("nobody is let in by a broken file: %s", fault)
    if curve.allowed.names:
        log.info("let in: %s", ", ".join(sorted(curve.allowed.names.values())))
    else:
        log.warning("nobody is let in yet: npc-engine keys allow NAME FILE.pub lets a client in, without a restart")


def _cache(arguments: argparse.Namespace) -> TakeCache | None:
    """The cache of finished speech that was asked for."""
    from npc_engine.speech.cache import TakeCache, default_folder

    if arguments.cache == "off":
        return None
    folder = Path(arguments.cache).expanduser() if arguments.cache else default_folder()
    return TakeCache(folder=folder, disk_bytes=arguments.cache_mb << 20)


def _warm(troupe: Troupe, path: Path) -> None:
    """Speak the lines of a file to nobody, into the cache; one that can't be spoken is refused with its number."""
    from npc_engine.moments import Line
    from npc_engine.performance import in_style
    from npc_engine.speech.errors import SpeechError

    progress = Progress("warming")
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {error}") from None
    for number, row in enumerate(rows, 1):
        name, colon, text = row.partition(":")
        if not row.strip():
            continue
        if not colon or not text.strip():
            raise UsageError(f"{path}, line {number}: {row!r}, expected `character: text`")
        progress.show(f"{number} of {len(rows)}")
        try:
            npc = troupe.npc(name.strip())
            for _ in npc.voice.speak(in_style(Line("warm", npc.name, text.strip()), npc)):
                pass
        except (CastError, SpeechError) as error:
            raise UsageError(f"{path}, line {number}: {error}") from None
    progress.done()
