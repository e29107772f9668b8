"""--accelerator: what computes the Audio2Exp network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from npc_engine.commands.common import UsageError

if TYPE_CHECKING:  # loading it means loading onnxruntime, which --help need not
    from npc_engine.expression.network import Stepping


def accelerator_option(parser: argparse.ArgumentParser) -> None:
    """--accelerator, the CPU unless told otherwise."""
    parser.add_argument(
        "--accelerator",
        default="cpu",
        choices=("cpu", "cuda", "tensorrt"),
        help="what computes the Audio2Exp network (default cpu); one that is missing is an error, never replaced",
    )


def network(arguments: argparse.Namespace) -> Stepping:
    """The network on the accelerator that was asked for; UsageError says what is missing of it."""
    from npc_engine.expression.accelerator import accelerated
    from npc_engine.expression.network import NetworkError

    try:
        return accelerated(arguments.accelerator)
    except NetworkError as error:
        raise UsageError(f"--accelerator {arguments.accelerator}: {error}") from error


def report() -> list[str]:
    """A line for each accelerator: what there is of it, or exactly what is missing."""
    from npc_engine.expression.accelerator import ACCELERATORS, found
    from npc_engine.expression.network import NetworkError

    lines = []
    for name in ACCELERATORS:
        try:
            lines.append(f"accelerator {name}: available, {found(name)}")
        except NetworkError as error:
            lines.append(f"accelerator {name}: not available. {error}")
    return lines
