"""scene.toml, read into a checked scene: who says what in the village."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from demo_game.world import STANDS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

SCENE = Path(__file__).parent / "scene.toml"
CHOICES = 5  # as many as the panel has room for, beside the goodbye
ASK_CHARS = 60  # one row of the panel
LINE_CHARS = 2_000  # two minutes of speech; the engine takes more, a listener does not


class SceneError(ValueError):
    """A file of the demo that can't be used: says which file, where, what came and what was expected."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something the player can say, and the answer."""

    ask: str
    reply: str


@dataclass(frozen=True, slots=True)
class Character:
    """A character of the village and its lines."""

    npc: str  # its name in npcs.toml
    name: str
    role: str
    greeting: str
    again: str
    interrupted: str
    goodbye: str
    farewell: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is said in the village."""

    village: str
    motto: str
    characters: dict[str, Character]


def read(path: Path = SCENE) -> Scene:
    """The scene in a file; raises `SceneError` that names the file and the place in it."""
    table = toml(path)
    known = ("village", "motto", "character")
    _unknown(table, known, str(path))
    for key in known:
        if key not in table:
            raise SceneError(f"{path}: key {key!r} is missing")
    if not isinstance(table["character"], dict):
        raise SceneError(f"{path}: character is {table['character']!r}, expected tables [character.NAME]")
    characters = {}
    for npc, entry in table["character"].items():
        where = f"{path}: [character.{npc}]"
        if npc not in STANDS:
            raise SceneError(f"{where}: nobody of this name stands in the village{_near(npc, STANDS)}; "
                             f"known: {', '.join(STANDS)}")  # fmt: skip
        if not isinstance(entry, dict):
            raise SceneError(f"{where} is {entry!r}, expected a table")
        characters[npc] = _character(npc, entry, where)
    for npc in STANDS:
        if npc not in characters:
            raise SceneError(f"{path}: table [character.{npc}] is missing")
    return Scene(_text(table["village"], f"{path}: village"), _text(table["motto"], f"{path}: motto"), characters)


def toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file; raises `SceneError` naming the file, and line and column of a fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SceneError(f"{path}: {error}") from None


def checked(cls: type[T], table: Mapping[str, Any], where: str, given: Mapping[str, Any] | None = None) -> T:
    """The table as the dataclass `cls`, whose fields are strings, numbers or `given`; raises `SceneError`."""
    rules = {f.name: f for f in fields(cls) if f.name not in (given or {})}  # type: ignore[arg-type]
    _unknown(table, rules, where)
    values: dict[str, Any] = dict(given or {})
    for name, rule in rules.items():
        if name in table:
            value = table[name]
            if rule.type == "float" and isinstance(value, (int, float)) and not isinstance(value, bool):
                values[name] = float(value)
            elif rule.type == "int" and isinstance(value, int) and not isinstance(value, bool):
                values[name] = value
            elif rule.type == "str":
                values[name] = _text(value, f"{where}: {name}")
            else:
                raise SceneError(f"{where}: {name} is {value!r}, expected a number")
        elif rule.default is MISSING:
            raise SceneError(f"{where}: key {name!r} is missing")
    return cls(**values)


def _character(npc: str, table: dict[str, Any], where: str) -> Character:
    entries = table.get("choice", [])
    if (
        not isinstance(entries, list)
        or not 1 <= len(entries) <= CHOICES
        or not all(isinstance(e, dict) for e in entries)
    ):
        raise SceneError(f"{where}: choice holds {len(entries) if isinstance(entries, list) else entries!r}, "
                         f"expected 1 to {CHOICES} tables [[character.{npc}.choice]]")  # fmt: skip
    choices = []
    for number, entry in enumerate(entries, 1):
        choice = checked(Choice, entry, f"{where} choice {number}")
        if len(choice.ask) > ASK_CHARS:
            raise SceneError(
                f"{where} choice {number}: ask has {len(choice.ask)} characters, expected at most {ASK_CHARS}"
            )
        choices.append(choice)
    rest = {key: value for key, value in table.items() if key != "choice"}
    return checked(Character, rest, where, {"npc": npc, "choices": tuple(choices)})


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise SceneError(f"{where} is {value!r}, expected text in quotes")
    text = " ".join(value.split())
    if not 1 <= len(text) <= LINE_CHARS:
        raise SceneError(f"{where} has {len(text)} characters, expected 1 to {LINE_CHARS}")
    return text


def _unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise SceneError(f"{where}: unknown key {key!r}{_near(key, known)}")


def _near(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {match[0]!r}?" if match else ""
