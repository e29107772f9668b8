"""npc-engine faces add: a picture becomes a face, with limits within which it stays the same person."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command

ABOUT: Final = "make a face out of a picture"
EXAMPLES: Final = """  npc-engine faces add portrait.png                writes faces/portrait/ in the working directory
  npc-engine faces add "Old Smith.jpg" --name smith --cast mygame
  npc-engine faces preview smith                   look at it
"""


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `faces`."""
    parser = command(verbs, "add", ABOUT, EXAMPLES)
    parser.add_argument("picture", type=Path, help="PNG, JPEG or WebP with one face, looking at the viewer")
    parser.add_argument("--name", default="", help="name of the face: a-z, 0-9, - and _ (default: the file's, made so)")
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make a face, find how far it may move, and draw its preview sheet."""
    from npc_engine.commands.expression_space import expression_space
    from npc_engine.commands.faces_preview import judged_sheet
    from npc_engine.frames.add import add_face, legal_name, write_limits
    from npc_engine.frames.encode import encode_picture
    from npc_engine.frames.identity import THRESHOLD
    from npc_engine.frames.limits import find_limits
    from npc_engine.frames.load import load_drawn, load_guard

    name = arguments.name or legal_name(arguments.picture.stem)
    if not name:
        raise UsageError(f"{arguments.picture}: no name can be made of this file's: say --name, such as --name smith")
    steps = Steps()
    folder = add_face(arguments.picture, name, (arguments.cast or Path.cwd()) / "faces", steps.done)
    spec, _ = Cast.standard(arguments.cast).face(name)
    face = load_drawn(replace(spec, limits={}), folder)
    guard = load_guard(spec, folder, face)
    if guard is None:
        raise UsageError(f"{folder}: a face of engine {spec.engine!r} has no picture to be compared with")
    found = find_limits(face, guard.judge, expression_space(), steps.under_way)
    write_limits(folder, found.limits)
    steps.done(f"compared {len(found.scores)} expressions with the picture")
    sheet = folder / "preview.png"
    limited = load_drawn(Cast.standard(arguments.cast).face(name)[0], folder)
    sheet.write_bytes(encode_picture(judged_sheet(limited, guard.judge), "png"))
    steps.done(f"drew {sheet}")
    lowest = found.worst
    print(
        f"identity: {found.mean:.2f} in the mean (1: the picture itself), lowest {lowest.score:.2f} in {lowest.name!r}"
    )
    if found.limits:
        capped = ", ".join(f"{weight} {most:g}" for weight, most in found.limits.items())
        print(f"limited, so that it stays the same person: {capped} (face.toml)")
    if lowest.score < THRESHOLD:
        print(f"below {THRESHOLD:g} it looks like somebody else: a sharper or calmer picture may do better")
    print(f"{folder}: face {name!r} made in {steps.seconds():.1f} s; look at {sheet}")
    print(f'hear it: npc-engine say "Good morning!" --voice man --face {name} --out {name}.mp4')
    return 0


class Steps:
    """What was done and how long each step took, and a bar for the step that is under way."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._progress = Progress("comparing")

    def done(self, step: str) -> None:
        """A step is done."""
        self._progress.done()
        now = time.perf_counter()
        print(f"{now - self._last:6.2f} s  {step}", flush=True)
        self._last = now

    def under_way(self, count: int, of: int) -> None:
        """So many of so many are done."""
        self._progress.show(f"[{'█' * (20 * count // of):20}] {count} of {of} expressions")

    def seconds(self) -> float:
        """Since the first step began."""
        return time.perf_counter() - self._began
