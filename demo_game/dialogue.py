"""A talk between the player and a character: whose turn it is and what is said next. No sound, no drawing, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from demo_game.scene import Character

TYPED_CHARS = 200


class Turn(Enum):
    """What the talk is waiting for."""

    SPEAKING = "the character's line to end"
    CHOOSING = "the player to choose"
    TYPING = "the player to type"
    OVER = "nothing"


@dataclass(slots=True)
class Memory:
    """What a character remembers from one talk to the next."""

    met: bool = False
    interrupted: bool = False
    asked: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Talk:
    """One talk. Each method that returns a text returns what the character says now."""

    character: Character
    memory: Memory
    turn: Turn = Turn.SPEAKING
    player: str = ""  # what the player said last
    text: str = ""  # what the character says, or said last
    selected: int = 0
    typed: str = ""
    last: bool = False  # the line being spoken is the farewell

    def begin(self) -> str:
        """The first words, which depend on how the last talk ended."""
        who, memory = self.character, self.memory
        text = who.interrupted if memory.interrupted else who.again if memory.met else who.greeting
        memory.met, memory.interrupted = True, False
        return self._say(text, "")

    @property
    def options(self) -> tuple[str, ...]:
        """What the player can say; the last one is the goodbye."""
        return (*(c.ask for c in self.character.choices), self.character.goodbye)

    def select(self, step: int) -> None:
        """Move the selection down by `step`, around the ends."""
        if self.turn is Turn.CHOOSING:
            self.selected = (self.selected + step) % len(self.options)

    def choose(self, number: int) -> str | None:
        """Say option `number`; nothing happens when there is none, or when it is not the player's turn."""
        if self.turn is not Turn.CHOOSING or not 0 <= number < len(self.options):
            return None
        self.selected = number
        if number == len(self.options) - 1:
            self.last = True
            return self._say(self.character.farewell, self.character.goodbye)
        self.memory.asked.add(number)
        choice = self.character.choices[number]
        return self._say(choice.reply, choice.ask)

    def start_typing(self) -> None:
        """Let the player type a text for the character to say."""
        if self.turn is Turn.CHOOSING:
            self.turn, self.typed = Turn.TYPING, ""

    def stop_typing(self) -> None:
        """Back to the choices."""
        if self.turn is Turn.TYPING:
            self.turn = Turn.CHOOSING

    def type(self, text: str) -> None:
        """Add characters to what is typed, as far as they fit and can be shown."""
        if self.turn is Turn.TYPING:
            self.typed = (self.typed + "".join(c for c in text if c.isprintable()))[:TYPED_CHARS]

    def erase(self) -> None:
        """Take back the last character."""
        self.typed = self.typed[:-1]

    def say_typed(self) -> str | None:
        """Have the character say what was typed; back to the choices when that is nothing."""
        text = " ".join(self.typed.split())
        if self.turn is not Turn.TYPING or not text:
            self.stop_typing()
            return None
        return self._say(text, "")

    def line_over(self) -> None:
        """The character's line ended, or was refused: the player's turn, or the end of the talk."""
        if self.turn is Turn.SPEAKING:
            self.turn = Turn.OVER if self.last else Turn.CHOOSING

    def interrupt(self) -> None:
        """The player cuts the character off and wants to choose."""
        if self.turn is Turn.SPEAKING:
            self.turn, self.last = Turn.CHOOSING, False

    def leave(self) -> None:
        """The player walks away; a character that was speaking remembers it."""
        self.memory.interrupted = self.turn is Turn.SPEAKING and not self.last
        self.turn = Turn.OVER

    def _say(self, text: str, player: str) -> str:
        self.turn, self.text, self.player, self.typed = Turn.SPEAKING, text, player, ""
        return text
