"""The demo in a real window, under Xvfb: it plays a script, shows the village, and films itself with its sound."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from village import VillageStage

from npc_engine.server.server import Server

ROOT = Path(__file__).parent.parent
SCRIPT = """
[[step]]
walk = "maren"
[[step]]
talk = true
[[step]]
wait = 1.0
[[step]]
shot = "talk"
[[step]]
hear = true
[[step]]
leave = true
"""


@pytest.fixture
def display():
    if shutil.which("Xvfb") is None:
        if os.environ.get("CI"):
            pytest.fail("Xvfb is missing")
        pytest.skip("Xvfb is missing")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait()


def test_a_window_shows_the_village_and_films_it(display, tmp_path):
    (tmp_path / "script.toml").write_text(SCRIPT, encoding="utf-8")
    server = Server(VillageStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    try:
        run = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-m", "demo_game", "--address", server.address,
             "--script", "script.toml", "--shots", "shots", "--record", "live.mp4", "--overlay"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env={**{k: v for k, v in os.environ.items() if k != "SDL_VIDEODRIVER"}, "DISPLAY": display,
                 "SDL_AUDIODRIVER": "dummy", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    finally:
        server.stop()
    assert run.returncode == 0, run.stderr
    assert "live.mp4: " in run.stdout
    import pygame

    shot = pygame.surfarray.array3d(pygame.image.load(tmp_path / "shots" / "talk.jpg"))
    assert shot.shape == (1280, 720, 3)
    assert shot[60:340, 370:660].std() < 8, "the portrait, of one grey"
    assert shot[60:1200, 20:300].std() > 20, "the village"
    with av.open(str(tmp_path / "live.mp4")) as film:
        pictures = sum(1 for _ in film.decode(video=0))
    with av.open(str(tmp_path / "live.mp4")) as film:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
        seconds = float(film.duration / av.time_base)
    assert pictures > 40
    assert len(sound) / 24_000 == pytest.approx(seconds, abs=0.3)
    loud = np.abs(sound[: len(sound) // 240 * 240].reshape(-1, 240))
    heard = (loud.max(1) > 0.2).sum() / 100
    assert heard == pytest.approx(1.4, abs=0.3), "14 tone words of 100 ms"
