"""The portrait between lines, over the real server: it listens, it looks about, it gives way to what is said."""

import numpy as np
import pytest
from test_demo_game import Player, screen, view  # noqa: F401 - fixtures
from village import VillageStage, until

from demo_game.company import WAITS_S
from demo_game.controls import Intent
from demo_game.dialogue import Turn
from npc_engine.moments import CHANNEL, Moment, Picture
from npc_engine.server.server import Server

TALK = Intent(confirm=True)
CLEAR = [i for name, i in CHANNEL.items() if name.startswith(("gaze", "headRoll", "headPitch", "browInner"))]


class Look:
    """A face as grey as its eyes, head and brows are away from rest; lids and mouth don't show."""

    def draw(self, expressions):
        for e in expressions:
            picture = None
            if e.tick % e.line.outputs.picture_every == 0:
                size = e.line.outputs.picture
                grey = 128 + 300 * float(e.exp[CLEAR].sum())
                picture = Picture(e.tick, np.full((size, size, 3), np.clip(grey, 0, 255), np.uint8))
            yield Moment(e.line, e.tick, e.sound, e.exp, picture, e.words, e.marks)


@pytest.fixture
def stage(tmp_path):
    stage = VillageStage(tmp_path)
    stage._disc = Look()
    return stage


@pytest.fixture
def player(stage, view, screen):  # noqa: F811
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    player = Player(server.address, view, screen)
    yield player
    player.link.close()
    server.stop()


def watch(player, frames):
    """Greys of the portrait in so many frames in which pictures have come."""
    greys = []
    for _ in range(frames):
        until(lambda: not player.game.company.short(480), lambda: player.game.receive(player.now))
        player.frame()
        greys.append(player.portrait())
    return np.array(greys)


def test_the_portrait_lives_while_the_player_chooses(player):
    player.meet()
    player.listened()
    greys = watch(player, 400)
    assert player.game.company.presence.attitude == "listening"
    assert len(np.unique(greys.round())) > 20
    assert np.abs(np.diff(greys)).max() < 40, "without jumps"
    assert player.game.talk.turn is Turn.CHOOSING
    player.frame(Intent(write=True))
    watch(player, 20)
    assert player.game.company.presence.attitude == "listening", "also to what is typed"


def test_after_a_while_the_eyes_wander_and_a_stir_brings_them_back(player):
    player.meet()
    player.listened()
    watch(player, round(WAITS_S * 50) + 60)
    assert player.game.company.presence.attitude == "idle"
    first = player.game.company.presence.line
    player.frame(Intent(select=1))
    greys = watch(player, 60)
    assert player.game.company.presence.attitude == "listening"
    assert first not in player.link.client.open_lines, "the engine has ended it"
    assert np.abs(np.diff(greys)).max() < 40


def test_what_is_said_goes_on_from_the_face_that_waited(player):
    player.meet()
    player.listened()
    watch(player, 250)
    line, shown = player.game.company.presence.line, [player.portrait()]
    player.frame(Intent(pick=0))
    assert player.game.company.presence is not None, "the portrait goes on until something is heard"
    until(lambda: player.game.speech.began, lambda: (player.frame(), shown.append(player.portrait())))
    for _ in range(30):
        player.frame()
        shown.append(player.portrait())
    assert player.game.company.presence is None
    assert line not in player.link.client.open_lines
    assert np.abs(np.diff(shown)).max() < 40
    player.listened()
    assert player.game.speech.error is None
    watch(player, 30)
    assert player.game.company.presence.line != line


def test_walking_away_lets_the_face_come_to_rest_and_tells_the_engine(player):
    player.meet()
    player.listened()
    watch(player, 200)
    line = player.game.company.presence.line
    player.frame(Intent(leave=True))
    for _ in range(8):
        player.frame(draw=True)
    assert player.portrait() == pytest.approx(128, abs=3)
    until(lambda: line not in player.link.client.open_lines, player.frame)
    for _ in range(60):
        player.frame(draw=True)
    player.meet()
    player.listened()
    watch(player, 20)
    assert player.game.company.presence.line != line


def test_an_engine_that_knows_no_attitudes_is_played_as_before(player, monkeypatch):
    player.meet()
    welcome = player.link.client.welcome
    monkeypatch.setattr(
        player.link.client, "welcome", type(welcome)(1, "0.1", (), ("speak",), 24_000, 20, 8, 99, 10_000)
    )
    player.listened()
    for _ in range(20):
        player.frame(draw=True)
    assert player.game.company.presence is None
    assert player.game.talk.turn is Turn.CHOOSING
