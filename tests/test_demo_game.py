"""The village played against the real server over TCP: talking, subtitles, cutting in, walking away, and faults."""

import threading

import numpy as np
import pygame
import pytest
from village import BRIGHT, DARK, VillageStage, until

from demo_game import scene
from demo_game.controls import Intent
from demo_game.dialogue import Turn
from demo_game.game import Game
from demo_game.link import Link
from demo_game.sound import SilentSpeaker
from demo_game.view import SCREEN, View
from demo_game.world import Place, World
from npc_engine.server.server import Server

FRAME = 1 / 50
TALK = Intent(confirm=True)


@pytest.fixture(scope="module")
def screen():
    pygame.display.init()
    pygame.font.init()
    yield pygame.display.set_mode(SCREEN)
    pygame.quit()


@pytest.fixture(scope="module")
def view(screen):
    return View(World.built())


@pytest.fixture
def stage(tmp_path):
    return VillageStage(tmp_path)


@pytest.fixture
def server(stage):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


class Player:
    """Plays the game frame by frame; the clock counts frames, so a test takes as long as the engine, not the line."""

    def __init__(self, address, view, screen):
        self.link = Link(address)
        self.game = Game(scene.read(), self.link, SilentSpeaker(), view)
        self.screen = screen
        self.now = 0.0

    def frame(self, intent=None, draw=False):
        self.game.step(intent or Intent(), self.now, FRAME)
        if draw:
            self.game.draw(self.screen, self.now)
        self.now += FRAME

    def meet(self, npc="maren"):
        at = self.game.people.cast[npc].at
        self.game.people.player.at = Place(at.x + 12, at.y + 14)
        until(lambda: self.link.connected, self.frame)
        self.frame(TALK)
        assert self.game.talk is not None
        assert self.game.talk.turn is Turn.SPEAKING

    def speaking(self):
        """Go on until sound is heard and the face moves."""
        until(lambda: self.game.seen is not None and self.game.seen.picture_tick >= 0 and self.game.seen.jaw > 0.2,
              self.frame)  # fmt: skip

    def listened(self):
        """Go on until the line was heard."""
        until(lambda: self.game.talk is None or self.game.talk.turn is not Turn.SPEAKING, self.frame)

    def portrait(self):
        """Mean grey of what the portrait shows."""
        return float(pygame.surfarray.array3d(self.game.panel.portrait.last).mean())


@pytest.fixture
def player(server, view, screen):
    player = Player(server.address, view, screen)
    yield player
    player.link.close()


def test_walking_up_offers_to_talk_and_far_away_nothing_happens(player):
    until(lambda: player.link.connected, player.frame)
    player.frame(TALK)
    assert player.game.talk is None
    player.meet()
    assert player.game.talk.text == player.game.scene.characters["maren"].greeting


def test_a_line_is_heard_with_face_words_and_mouth_then_it_is_the_players_turn(player):
    player.meet()
    player.speaking()
    game = player.game
    assert game.people.cast["maren"].jaw > 0.2
    assert game.people.cast["maren"].talking
    assert player.portrait() == pytest.approx(BRIGHT, abs=4)
    words, text = [], game.talk.text
    while game.talk.turn is Turn.SPEAKING:
        player.frame(draw=True)
        seen = game.seen
        if seen.word >= 0 and seen.closed == 0:
            word = seen.words[seen.word]
            # a tone word sounds for 2,400 samples; the frame is 480 long, and shows what sounds in its middle
            assert seen.word == min((seen.heard + 240) // 2400, len(text.split()) - 1)
            assert text[word.first : word.last] == word.text
            words.append(seen.word)
    assert words == sorted(words)
    assert set(words) >= set(range(words[0], len(text.split())))
    assert game.talk.turn is Turn.CHOOSING
    assert player.portrait() == pytest.approx(DARK, abs=4), "between lines the face rests"
    assert game.people.cast["maren"].jaw == 0
    assert game.speech.hush == 0
    assert max(abs(offset) for _, offset in game.meter.offsets_ms) <= 30


@pytest.mark.parametrize("way", ["escape", "feet"])
def test_walking_away_cuts_the_line_and_closes_the_mouth_within_100_ms(player, stage, way):
    player.meet()
    player.listened()
    player.frame(Intent(pick=3))
    player.speaking()
    game, line = player.game, player.game.speech.line
    if way == "escape":
        player.frame(Intent(leave=True))
    else:
        until(lambda: game.talk is None, lambda: player.frame(Intent(move=(1.0, 0.4))))
    assert game.talk is None
    assert game.cuts == 1
    for _ in range(round(0.1 / FRAME) + 1):
        player.frame(draw=True)
    assert game.people.cast["maren"].jaw == 0
    assert player.portrait() == pytest.approx(DARK, abs=4)
    until(lambda: line not in player.link.client.open_lines, player.frame)
    until(lambda: stage.watched.ended == stage.watched.begun, player.frame)
    for _ in range(60):
        player.frame(draw=True)
    player.meet()
    assert game.talk.text == game.scene.characters["maren"].interrupted


def test_the_mouth_closes_softly_not_at_once(player):
    player.meet()
    player.speaking()
    player.frame(Intent(leave=True))
    jaws, greys = [], []
    for _ in range(7):
        jaws.append(player.game.people.cast["maren"].jaw)
        greys.append(player.portrait())
        player.frame()
    assert jaws == sorted(jaws, reverse=True)
    assert greys == sorted(greys, reverse=True)
    assert any(DARK + 20 < grey < BRIGHT - 20 for grey in greys), "the portrait dissolves"


def test_cutting_in_stops_the_voice_and_the_next_line_follows(player):
    player.meet()
    player.speaking()
    first = player.game.speech.line
    player.frame(TALK)
    assert player.game.talk.turn is Turn.CHOOSING
    player.frame(Intent(pick=1))
    assert player.game.speech.line != first
    player.speaking()
    player.listened()
    assert player.game.talk.turn is Turn.CHOOSING
    assert player.game.speech.error is None


def test_typed_text_is_spoken_and_what_the_voice_cannot_speak_is_said_on_the_screen(player):
    player.meet()
    player.listened()
    for text, spoken in (("Good soup!", True), ("汤很好", False)):
        player.frame(Intent(write=True))
        player.frame(Intent(typed=text))
        player.frame(TALK, draw=True)
        assert player.game.talk.text == text
        player.listened()
        assert player.game.talk.turn is Turn.CHOOSING
        assert (player.game.speech.error is None) is spoken
        player.frame(draw=True)
    assert "can't speak" in player.game.speech.error.text
    player.frame(Intent(pick=0))
    player.speaking()


def test_the_player_stands_still_while_typing_and_escape_ends_only_that(player):
    player.meet()
    player.listened()
    player.frame(Intent(write=True))
    at = player.game.people.player.at
    player.frame(Intent(move=(1.0, 0.0), typed="d"))
    assert player.game.people.player.at == at
    player.frame(Intent(leave=True))
    assert player.game.talk.turn is Turn.CHOOSING


def test_a_slow_engine_makes_pauses_with_a_closed_mouth_and_stays_in_step(tmp_path, view, screen):
    """Each clause comes only after the one before was heard out and the mouth has closed."""
    gate = threading.Semaphore(1)
    server = Server(VillageStage(tmp_path, gate), "tcp://127.0.0.1:*")
    server.start()
    player = Player(server.address, view, screen)
    try:
        player.meet()
        game = player.game
        clauses = -(-len(game.talk.text.split()) // 5)
        assert clauses > 1
        player.speaking()
        for pause in range(1, clauses):
            until(lambda: game.speech.hush == pause and game.people.cast["maren"].jaw < 0.01, player.frame)  # noqa: B023
            for _ in range(10):
                player.frame()
                assert game.people.cast["maren"].jaw < 0.01
            gate.release()
            until(lambda: game.people.cast["maren"].jaw > 0.2, player.frame)
        player.listened()
        assert game.speech.hush == clauses - 1, "one pause a clause"
        assert game.seen.word == len(game.talk.text.split()) - 1
        offsets = [offset for _, offset in game.meter.offsets_ms]
        assert np.percentile(np.abs(offsets), 90) <= 30
    finally:
        player.link.close()
        server.stop()


def test_the_goodbye_ends_the_talk_when_it_was_heard(player):
    player.meet("elder")
    player.listened()
    player.frame(Intent(pick=4))
    player.listened()
    assert player.game.talk is None
    for _ in range(60):
        player.frame(draw=True)
    player.meet("elder")
    assert player.game.talk.text == player.game.scene.characters["elder"].again


def test_without_an_engine_the_village_says_how_to_start_one(view, screen):
    player = Player("tcp://127.0.0.1:9", view, screen)
    for _ in range(40):
        player.frame(draw=True)
    heading, advice = player.link.trouble
    assert heading == "No engine answers"
    assert "npc-engine serve" in advice
    before = pygame.surfarray.array3d(screen)[600, 60].copy()
    assert np.any(before), "the message is drawn"
    at = player.game.people.cast["maren"].at
    player.game.people.player.at = Place(at.x + 12, at.y + 14)
    player.frame(TALK, draw=True)
    assert player.game.talk is None


def test_an_engine_that_comes_later_is_found_and_one_that_goes_is_missed(stage, view, screen):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    player = Player(server.address, view, screen)
    try:
        player.meet()
        player.speaking()
        server.stop()
        until(lambda: not player.link.connected, player.frame)
        player.frame(draw=True)
        assert player.link.trouble[0] == "The engine is gone"
        player.listened()
        assert player.game.talk.turn is Turn.CHOOSING, "the talk does not hang on a line that will never end"
        again = Server(stage, player.link.address)
        again.start()
        try:
            until(lambda: player.link.connected, player.frame)
            player.frame(Intent(pick=1))
            player.speaking()
        finally:
            again.stop()
    finally:
        server.stop()
        player.link.close()
