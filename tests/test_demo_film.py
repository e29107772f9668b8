"""The scripted walk as a film, from the command line: it lasts, it speaks, and face and sound are in step."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from village import BRIGHT, DARK, VillageStage

from demo_game import __main__ as command
from demo_game.film import Film, FilmError
from demo_game.panel import PORTRAIT, PORTRAIT_AT
from npc_engine.moments import SAMPLE_RATE
from npc_engine.server.server import Server

WALK = """
[[step]]
walk = "maren"
[[step]]
talk = true
[[step]]
hear = true
[[step]]
wait = 0.5
[[step]]
type = "Soup"
[[step]]
hear = true
[[step]]
choose = 4
[[step]]
wait = 0.9
[[step]]
leave = true
[[step]]
wait = 1.0
"""


@pytest.fixture
def server(tmp_path):
    server = Server(VillageStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


def decoded(path):
    """Grey of the portrait's middle per picture, and the sound, of a film."""
    x, y = PORTRAIT_AT[0] + PORTRAIT // 2, PORTRAIT_AT[1] + PORTRAIT // 2
    with av.open(str(path)) as film:
        greys = [
            float(frame.to_ndarray(format="gray")[y - 40 : y + 40, x - 40 : x + 40].mean())
            for frame in film.decode(video=0)
        ]
    with av.open(str(path)) as film:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    return np.array(greys), sound


def loudness(sound, frames):
    """Root mean square of the sound of each picture."""
    size = SAMPLE_RATE // command.FPS
    padded = np.zeros(frames * size, np.float32)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    return np.sqrt((padded.reshape(frames, size) ** 2).mean(1))


def test_the_scripted_walk_becomes_a_film_in_step(server, tmp_path, capsys):
    film, walk = tmp_path / "walk.mp4", tmp_path / "walk.toml"
    walk.write_text(WALK, encoding="utf-8")
    arguments = ["--headless", "--address", server.address, "--record", str(film), "--script", str(walk)]
    assert command.main(arguments) == 0
    said = capsys.readouterr().out
    assert str(film) in said
    assert " s, " in said
    assert " MB" in said
    greys, sound = decoded(film)
    loud = loudness(sound, len(greys))
    assert len(sound) / SAMPLE_RATE == pytest.approx(len(greys) / command.FPS, abs=0.1)
    # 14 words of greeting, 1 typed, and 0.9 s and some steps of the line that is cut: tone words last 100 ms
    spoken = loud > 0.1
    assert 2.3 < spoken.sum() / command.FPS < 4.0
    bright = greys > (BRIGHT + DARK) / 2
    assert len(_begins(bright)) == len(_begins(spoken)) == 3
    for seen, heard in zip(_begins(bright), _begins(spoken), strict=True):
        assert abs(seen - heard) <= 1
    for seen, heard in zip(_begins(~bright)[1:], _begins(~spoken)[1:], strict=True):
        assert 0 <= seen - heard <= 3, "the mouth closes within 100 ms after the sound"


def _begins(states):
    """The pictures at which a stretch of True begins."""
    return [int(i) for i in np.flatnonzero(states & ~np.concatenate([[False], states[:-1]]))]


def test_a_film_that_can_not_be_written_says_so(tmp_path):
    with pytest.raises(FilmError, match=r"none.*film.mp4"):
        Film(tmp_path / "none" / "film.mp4", (64, 64), 25)
    with pytest.raises(FilmError, match="7 pictures a second, expected a divisor of 24000"):
        Film(tmp_path / "film.mp4", (64, 64), 7)


def test_wrong_files_end_the_command_with_their_fault(tmp_path, capsys):
    path = tmp_path / "scene.toml"
    path.write_text("village = 3", encoding="utf-8")
    assert command.main(["--headless", "--scene", str(path)]) == 2
    assert "key 'motto' is missing" in capsys.readouterr().err


def test_no_display_and_no_engine_end_with_advice(tmp_path):
    """As a user would meet it: a machine without a display, and a child that is told to start an engine it can't."""
    run = subprocess.run(
        [sys.executable, "-m", "demo_game", "--engine", "--address", "tcp://nowhere:1", "--record", "a.mp4"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "", "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert run.returncode == 1
    assert "no display here: filming a scripted walk to a.mp4 instead" in run.stdout
    assert "The engine could not start" in run.stderr
    assert "nowhere" in run.stderr
