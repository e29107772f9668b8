"""serve --ray: lines are performed by the replicas of a Ray cluster, and this process only answers games."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from npc_engine.cast import Cast
from npc_engine.commands.common import UsageError

if TYPE_CHECKING:
    from npc_engine.cluster.company import Names
    from npc_engine.server.performing import Assemble


def ray_options(parser: argparse.ArgumentParser) -> None:
    """--ray and what belongs to it."""
    parser.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="let the replicas of a Ray cluster perform: HOST:PORT of its head, auto for the one that this machine is "
        "part of; without an address Ray is started here (docs/scaling.md)",
    )
    parser.add_argument(
        "--ray-replicas",
        default="1",
        metavar="N|MIN:MAX",
        help="how many replicas; between two numbers, as many as the waiting sound needs (default 1)",
    )
    parser.add_argument(
        "--ray-cpus", type=float, default=1.0, metavar="N", help="cores that Ray reserves for a replica (default 1)"
    )
    parser.add_argument(
        "--ray-gpus", type=float, default=0.0, metavar="N", help="GPUs of a replica, or its share of one (default 0)"
    )


@contextmanager
def ray_engine(arguments: argparse.Namespace) -> Iterator[tuple[Names, Assemble]]:
    """The stage and company of a gateway, with the replicas running; UsageError says what is missing."""
    least, most = _replicas(arguments.ray_replicas)
    for name, value in (("--ray-cpus", arguments.ray_cpus), ("--ray-gpus", arguments.ray_gpus)):
        if not 0 <= value <= 1024:
            raise UsageError(f"{name} is {value:g}, expected 0 to 1024")
    if arguments.accelerator != "cpu" and not arguments.ray_gpus:
        raise UsageError(
            f"--accelerator {arguments.accelerator} needs --ray-gpus: Ray shows a GPU to none that asks not"
        )
    if arguments.warm:
        raise UsageError("--warm and --ray: each replica has a cache of its own; let a game warm lines instead")
    try:
        from npc_engine.cluster.company import Cluster, Names
        from npc_engine.cluster.deployment import TroupeMaker, connected, deploy
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "ray":
            raise
        raise UsageError("--ray needs Ray: pip install 'npc-engine[ray]', 0.5 GB") from None
    folder = None if arguments.cast is None else Path(arguments.cast).resolve()
    make_stage = TroupeMaker(
        folder,
        arguments.lookahead_ms,
        Path(arguments.cache).expanduser() if arguments.cache not in ("", "off") else None,
        -1 if arguments.cache == "off" else arguments.cache_mb << 20,
        arguments.accelerator,
    )
    names = Names(Cast.standard(folder))
    with connected(arguments.ray):
        handle = deploy(make_stage, least=least, most=most, cpus=arguments.ray_cpus, gpus=arguments.ray_gpus)
        yield names, lambda wake: Cluster(handle, names, wake)


def _replicas(text: str) -> tuple[int, int]:
    least, colon, most = text.partition(":")
    try:
        numbers = int(least), int(most if colon else least)
    except ValueError:
        raise UsageError(f"--ray-replicas is {text!r}, expected a number, or two as in 2:8") from None
    if not 1 <= numbers[0] <= numbers[1]:
        raise UsageError(f"--ray-replicas is {text!r}, expected 1 or more, and no more than the second number")
    return numbers
