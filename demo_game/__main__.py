"""python -m demo_game: walk about the village and talk to its people; without a display, film a scripted walk."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from npc_engine.client import DEFAULT_ADDRESS

FILM = "demo.mp4"
FPS = 25  # as the pictures of the engine: each is one picture of the film


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="python -m demo_game",
        description="A small village whose people speak. WASD or arrows walk, E talks, F3 shows figures.",
    )
    options.add_argument(
        "--address", default=DEFAULT_ADDRESS, help=f"where the engine answers (default {DEFAULT_ADDRESS})"
    )
    options.add_argument(
        "--engine", action="store_true", help="start `npc-engine serve` as well, and stop it at the end"
    )
    options.add_argument("--headless", action="store_true", help="no window: film the scripted walk")
    options.add_argument("--record", type=Path, metavar="FILM", help=f"write an mp4 (without a display: {FILM})")
    options.add_argument(
        "--shots", type=Path, metavar="FOLDER", help="pictures of the film, where its script says `shot`"
    )
    options.add_argument("--script", type=Path, metavar="FILE", help="let a script play (without a display: walk.toml)")
    options.add_argument("--scene", type=Path, metavar="FILE", help="another dialogue than demo_game/scene.toml")
    options.add_argument("--overlay", action="store_true", help="begin with the figures of F3 shown")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when all went well, 1 when the walk or the film failed, 2 for wrong arguments."""
    arguments = parser().parse_args(argv)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    from demo_game import play, scene, script
    from demo_game.film import FilmError
    from demo_game.link import Engine, Link

    try:
        told = scene.read(arguments.scene or scene.SCENE)
        steps = script.read(arguments.script) if arguments.script else None
    except scene.SceneError as error:
        print(f"demo_game: {error}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        before = signal.signal(signal.SIGTERM, _interrupt)  # so that the engine that we started stops with us
        stack.callback(signal.signal, signal.SIGTERM, before)
        engine = stack.enter_context(Engine(arguments.address)) if arguments.engine else None
        if engine is not None and engine.found:
            print(f"an engine answers at {arguments.address} already: using it")
        screen = None if arguments.headless else play.window()
        if screen is None and not arguments.headless:
            print(f"no display here: filming a scripted walk to {arguments.record or FILM} instead")
        link = Link(arguments.address, engine)
        stack.callback(link.close)
        try:
            if screen is None:
                film = arguments.record or Path(FILM)
                play.filmed(
                    told, link, steps or script.read(), film, FPS, overlay=arguments.overlay, shots=arguments.shots
                )
            else:
                play.live(told, link, screen, arguments.record, steps, overlay=arguments.overlay, shots=arguments.shots)
        except (script.ScriptError, FilmError) as error:
            print(f"demo_game: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
