"""Keys and buttons become what the player wants."""

import pygame
import pytest
import village  # noqa: F401 - chooses the dummy drivers

from demo_game.controls import Controls, Intent


@pytest.fixture(scope="module")
def controls():
    pygame.display.init()
    pygame.display.set_mode((64, 64))
    yield Controls()
    pygame.quit()


def key(code):
    return pygame.event.Event(pygame.KEYDOWN, key=code)


@pytest.mark.parametrize(
    ("events", "intent"),
    [
        ([key(pygame.K_e)], Intent(confirm=True)),
        ([key(pygame.K_RETURN)], Intent(confirm=True)),
        ([key(pygame.K_3)], Intent(pick=2)),
        ([key(pygame.K_KP1)], Intent(pick=0)),
        ([key(pygame.K_DOWN)], Intent(select=1)),
        ([key(pygame.K_TAB)], Intent(write=True)),
        ([key(pygame.K_ESCAPE)], Intent(leave=True)),
        ([key(pygame.K_F3)], Intent(overlay=True)),
        ([pygame.event.Event(pygame.QUIT)], Intent(quit=True)),
        ([pygame.event.Event(pygame.JOYBUTTONDOWN, button=0)], Intent(confirm=True)),
        ([pygame.event.Event(pygame.JOYBUTTONDOWN, button=1)], Intent(leave=True)),
        ([pygame.event.Event(pygame.JOYHATMOTION, value=(0, 1))], Intent(select=-1)),
        ([pygame.event.Event(pygame.MOUSEMOTION)], Intent()),
    ],
)
def test_in_a_talk(controls, events, intent):
    assert controls.read(events, talking=True, typing=False) == intent


def test_letters_are_text_while_typing(controls):
    typed = pygame.event.Event(pygame.TEXTINPUT, text="e")
    got = controls.read([key(pygame.K_e), typed, key(pygame.K_t), typed], talking=True, typing=True)
    assert got == Intent(typed="ee")
    assert controls.read([key(pygame.K_BACKSPACE)], talking=True, typing=True) == Intent(erase=True)
    assert controls.read([key(pygame.K_RETURN)], talking=True, typing=True) == Intent(confirm=True)


def test_the_letter_that_starts_the_typing_is_not_typed(controls):
    typed = pygame.event.Event(pygame.TEXTINPUT, text="t")
    assert controls.read([key(pygame.K_t), typed], talking=True, typing=False) == Intent(write=True)
