"""The two ways to run the demo: live in a window, and filmed without one in steps of fixed length."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pygame

from demo_game.controls import Controls
from demo_game.dialogue import Turn
from demo_game.film import Film
from demo_game.game import Game
from demo_game.link import Link
from demo_game.scene import Scene
from demo_game.script import Script, ScriptError, Step
from demo_game.sound import MixerSpeaker, NoSoundError, SilentSpeaker, Speaker, TapeSpeaker
from demo_game.tape import TapedSpeaker
from demo_game.view import SCREEN, View

TITLE = "Fernwater – npc_engine"
FPS = 60
FILM_FPS = 25
HOLD_S = 20.0  # for a line that goes on, when filming
WAIT_S = 60.0  # for an engine, when filming


def window() -> Any:
    """A window to play in, or None where there is no display."""
    asked = os.environ.get("SDL_VIDEODRIVER")
    if (
        sys.platform.startswith("linux")
        and not asked
        and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    ):
        return None
    try:
        pygame.display.init()
        screen = pygame.display.set_mode(SCREEN, pygame.SCALED | pygame.RESIZABLE, vsync=1)
    except pygame.error:
        pygame.display.quit()
        return None
    pygame.display.set_caption(TITLE)
    return screen


def live(
    scene: Scene,
    link: Link,
    screen: Any,
    film_path: Path | None,
    steps: tuple[Step, ...] | None,
    *,
    overlay: bool = False,
    shots: Path | None = None,
) -> None:
    """Play in the window until it is closed or the script is done; with `film_path`, film it as well."""
    pygame.font.init()
    speaker: Speaker
    try:
        speaker = MixerSpeaker()
    except NoSoundError as error:
        print(f"{error}: the voices play in silence")
        speaker = SilentSpeaker()
    with ExitStack() as stack:
        stack.callback(pygame.quit)
        film = stack.enter_context(Film(film_path, SCREEN, FILM_FPS)) if film_path else None
        tape = TapedSpeaker(speaker) if film else None
        game = Game(scene, link, tape or speaker)
        game.overlay = overlay
        script = Script(steps, game) if steps else None
        controls = Controls()
        clock = pygame.time.Clock()
        began = before = time.perf_counter()
        while True:
            now = time.perf_counter()
            talk = game.talk
            intent = controls.read(
                pygame.event.get(), talking=talk is not None, typing=talk is not None and talk.turn is Turn.TYPING
            )
            if intent.quit or (script is not None and script.done):
                break
            # a frame that hung, when a window is dragged, must not carry the player through a wall
            game.step(script.intent(now) if script is not None else intent, now, min(0.1, now - before))
            game.draw(screen, now)
            before = now
            if script is not None:
                _shoot(script, screen, shots)
            if film is not None and tape is not None and not film.busy:
                due = int((now - began) * FILM_FPS) - film.frames
                if due > 0:
                    film.add(screen, tape.take(due * film.samples_a_frame, now))
            game.meter.frame(now, time.perf_counter() - now)
            pygame.display.flip()
            clock.tick(FPS)
    if film is not None:
        _report(film)


def filmed(
    scene: Scene,
    link: Link,
    steps: tuple[Step, ...],
    path: Path,
    fps: int,
    *,
    overlay: bool = False,
    shots: Path | None = None,
    view: View | None = None,
    watch: Callable[[Game, float], None] | None = None,
) -> Game:
    """Film the script in steps of 1/`fps` seconds; the sound clock counts the samples that go on the sound track.

    The film's time never runs ahead of the real one while a line is awaited, so that what the engine takes is seen as
    it is; it stands still while encoder or engine are slower than the film. Pictures that the script asks for go to the
    folder `shots`. `watch` is called after each step with the game and the film's time. Raises `ScriptError` when no
    engine answers, or when a step can't be done.
    """
    os.environ["SDL_VIDEODRIVER"] = "dummy"  # after `window` found none; pygame needs some display to convert pictures
    pygame.display.init()
    pygame.font.init()
    with ExitStack() as stack:
        stack.callback(pygame.quit)
        screen = pygame.display.set_mode(SCREEN)
        _await_engine(link)
        speaker = TapeSpeaker()
        game = Game(scene, link, speaker, view)
        game.overlay = overlay
        script = Script(steps, game)
        film = stack.enter_context(Film(path, SCREEN, fps))
        shown = time.perf_counter()
        while True:
            now = film.frames / fps
            began = time.perf_counter()
            intent = script.intent(now)
            if script.done:
                break
            _hold(game, film.samples_a_frame, now)
            game.step(intent, now, 1 / fps)
            game.draw(screen, now)
            game.meter.frame(now, time.perf_counter() - began)
            film.add(screen, _track(game, speaker, film.samples_a_frame, now))
            if watch is not None:
                watch(game, now)
            if game.speech is not None and game.speech.waiting:
                time.sleep(max(0.0, 1 / fps - (time.perf_counter() - shown)))
            shown = time.perf_counter()
            _shoot(script, screen, shots)
            if film.frames % (fps * (1 if sys.stdout.isatty() else 10)) == 0:
                _line(f"filming {film.seconds:5.0f} s   {script.step}")
    _report(film)
    return game


def _hold(game: Game, samples: int, now: float) -> None:
    """Let no time pass in the film until the engine has sent the next `samples` of what is heard, or only seen."""
    end = time.monotonic() + HOLD_S
    while time.monotonic() < end and (
        (game.speech is not None and game.speech.short(samples)) or game.company.short(samples)
    ):
        game.receive(now)
        time.sleep(0.002)


def _shoot(script: Script, screen: Any, folder: Path | None) -> None:
    """Save the picture that the script asks for."""
    if script.shot and folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        pygame.image.save(screen, folder / f"{script.shot}.jpg")
    script.shot = ""


def _track(game: Game, speaker: TapeSpeaker, samples: int, now: float) -> Any:
    """The sound of this step of the film."""
    speaker.due, speaker.track = samples, []
    if game.speech is not None:
        game.speech.update(now)
    silence = np.zeros(max(0, speaker.due), np.float32)
    speaker.due = 0
    return np.concatenate([*speaker.track, silence])


def _await_engine(link: Link) -> None:
    end, told = time.monotonic() + WAIT_S, ""
    while not link.connected:
        link.poll(time.monotonic())
        heading, advice = link.trouble
        if heading and ("could not start" in heading or time.monotonic() > end):
            raise ScriptError(f"{heading}: {advice}")
        if heading and heading != told:
            _line(f"{heading}: {advice}")
            told = heading
        time.sleep(0.05)


def _line(text: str) -> None:
    """Progress, on one line of a terminal; in a log, each on its own."""
    if sys.stdout.isatty():
        print(f"\r{text[:100]:<100}", end="", flush=True)
    else:
        print(text, flush=True)


def _report(film: Film) -> None:
    size = film.path.stat().st_size / 1e6
    end = "\r" if sys.stdout.isatty() else ""
    print(f"{end}{film.path}: {film.seconds:.1f} s, {size:.1f} MB" + " " * 60 * bool(end))
