"""What SSML's say-as makes of its text: numbers, dates and amounts in English words, characters one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from npc_engine.cast import near

LONGEST: Final = 60  # characters of a text to say as something
_MOST_DIGITS: Final = 15
_LETTER_A: Final = "ˈeɪ"  # else it is read as the article

# fmt: off
_SYMBOLS: Final = {
    ".": "dot", "-": "dash", "_": "underscore", "@": "at", "#": "hash", "/": "slash", "\\": "backslash", "+": "plus",
    "*": "star", "&": "and", ":": "colon", ";": "semicolon", ",": "comma", "!": "exclamation mark",
    "?": "question mark", "%": "percent", "=": "equals", "(": "open bracket", ")": "close bracket", "'": "apostrophe",
    '"': "quote", "$": "dollar", "€": "euro", "£": "pound", "~": "tilde", "^": "caret", "<": "less", ">": "greater",
}
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                  "November", "December")
_MONEY: Final = {  # one, many, and the hundredth part
    "$": ("dollar", "dollars", "cent"), "USD": ("dollar", "dollars", "cent"),
    "€": ("euro", "euros", "cent"), "EUR": ("euro", "euros", "cent"),
    "£": ("pound", "pounds", "penny"), "GBP": ("pound", "pounds", "penny"),
    "¥": ("yen", "yen", ""), "JPY": ("yen", "yen", ""), "CNY": ("yuan", "yuan", "fen"), "RMB": ("yuan", "yuan", "fen"),
    "₩": ("won", "won", ""), "KRW": ("won", "won", ""), "₹": ("rupee", "rupees", "paisa"),
    "INR": ("rupee", "rupees", "paisa"), "gp": ("gold piece", "gold pieces", ""),
}
_PARTS: Final = {"cent": "cents", "penny": "pence", "fen": "fen", "paisa": "paise"}
_UNITS: Final = {
    "mm": "millimetre", "cm": "centimetre", "m": "metre", "km": "kilometre", "in": "inch", "ft": "foot", "yd": "yard",
    "mi": "mile", "mg": "milligram", "g": "gram", "kg": "kilogram", "t": "ton", "oz": "ounce", "lb": "pound",
    "ml": "millilitre", "l": "litre", "L": "litre", "ms": "millisecond", "s": "second", "min": "minute", "h": "hour",
    "m/s": "metre per second", "km/h": "kilometre per hour", "mph": "mile per hour", "°": "degree",
    "°C": "degree Celsius", "°F": "degree Fahrenheit", "W": "watt", "kW": "kilowatt", "V": "volt", "A": "ampere",
    "%": "percent",
}
_MANY: Final = {"inch": "inches", "foot": "feet", "percent": "percent"}
# fmt: on
_NUMBER: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d*\.?\d+")
_FRACTION: Final = re.compile(r"(?:(\d+)[ +])?(\d+)/(\d+)")
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?:[:.](\d{2}))?\s*(?:([AaPp])\.?[Mm]\.?)?")
_DATES: Final = ("mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y")


class Said(NamedTuple):
    """What is said for characters [first, last) of a text."""

    text: str
    first: int
    last: int
    ipa: str = ""


def say_as(kind: str, form: str, text: str, language: str) -> list[Said]:
    """How `text` is said as a `kind` of thing, part by part; raises `ValueError` with what was expected.

    Numbers are read in English only; other voices read them by their own rules.
    """
    if len(text) > LONGEST:
        raise ValueError(f"say-as of {len(text)} characters: expected at most {LONGEST}")
    english = language.lower().startswith("en")
    if kind in _ONE_BY_ONE:
        return _one_by_one(kind, text, english=english)
    if kind not in _WHOLE:
        known = [*_ONE_BY_ONE, *_WHOLE]
        raise ValueError(f"interpret-as {kind!r}: expected {', '.join(known)}{near(kind, known)}")
    if form and kind not in {"date", "time"}:
        raise ValueError(f"format {form!r}: only a date and a time have one")
    if kind == "date" and form and form not in _DATES:
        raise ValueError(f"format {form!r}: expected {', '.join(_DATES)}{near(form, _DATES)}")
    if kind == "time" and form not in {"", "hms12", "hms24"}:
        raise ValueError(f"format {form!r}: expected hms12 or hms24")
    bare = text.strip()
    if not english:
        return [Said(text, 0, len(text))]
    said = _date(bare, form or "ymd") if kind == "date" else _WHOLE[kind](bare)
    return [Said(said, 0, len(text))]


def _one_by_one(kind: str, text: str, *, english: bool) -> list[Said]:
    """Each character is a word; in a telephone number groups are held apart by commas."""
    if kind == "digits" and not re.fullmatch(r"[\d\s.,-]+", text):
        raise ValueError(f"digits {text!r}: expected digits")
    if kind == "telephone" and not re.fullmatch(r"[\d\s().+/-]*\d[\d\s().+/-]*", text):
        raise ValueError(f"telephone {text!r}: expected digits, with +, -, brackets or spaces between them")
    found: list[Said] = []
    for i, character in enumerate(text):
        if kind == "telephone" and not character.isdigit() and character != "+":
            if found and not found[-1].text.endswith(","):
                found[-1] = found[-1]._replace(text=found[-1].text + ",")
        elif not character.isspace() and (
            kind not in {"digits", "telephone"} or character.isdigit() or character == "+"
        ):
            said = _name(character) if english else character
            found.append(Said(said, i, i + 1, _LETTER_A if said == "A" and english else ""))
    if found:
        found[-1] = found[-1]._replace(text=found[-1].text.rstrip(","))
    return found


def _name(character: str) -> str:
    if character.isascii() and character.isdigit():
        return _cardinal(int(character))
    return _SYMBOLS.get(character) or character.upper()


def _cardinal(number: int) -> str:
    from hibari.g2p.numbers import cardinal

    return str(cardinal(number)).replace(",", "")


def _ordinal(number: int) -> str:
    from hibari.g2p.numbers import ordinal

    return str(ordinal(number)).replace(",", "")


def _year(number: int) -> str:
    from hibari.g2p.numbers import year

    return str(year(number)).replace(",", "")


def _number(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"number {text!r}: expected digits, such as 42, -3.5 or 1,000")
    sign = {"-": "minus ", "+": "plus "}.get(text[0], "")
    whole, _, part = text.lstrip("+-").replace(",", "").partition(".")
    if len(whole) > _MOST_DIGITS:
        return sign + " ".join(_cardinal(int(d)) for d in whole + part)
    after = " point " + " ".join(_cardinal(int(d)) for d in part) if part else ""
    return sign + _cardinal(int(whole or 0)) + after


def _nth(text: str) -> str:
    match = re.fullmatch(r"(\d{1,15})(?:st|nd|rd|th)?", text)
    if match is None:
        raise ValueError(f"ordinal {text!r}: expected digits, such as 3 or 3rd")
    return _ordinal(int(match[1]))


def _fraction(text: str) -> str:
    match = _FRACTION.fullmatch(text)
    if match is None or not int(match[3]):
        raise ValueError(f"fraction {text!r}: expected a form such as 2/3 or 1 1/2")
    top, below = int(match[2]), int(match[3])
    names = {1: ("over one", "over one"), 2: ("half", "halves"), 4: ("quarter", "quarters")}
    one, many = names.get(below, (_ordinal(below), _ordinal(below) + "s"))
    said = f"{_cardinal(top)} {one if top == 1 else many}"
    return f"{_cardinal(int(match[1]))} and {said}" if match[1] else said


def _date(text: str, form: str) -> str:
    parts = re.split(r"[-/. ]+", text)
    if form == "ymd" and re.fullmatch(r"\d{8}", text):
        parts = [text[:4], text[4:6], text[6:]]
    if len(parts) != len(form) or not all(
        p.isascii() and p.isdigit() and (len(p) == 4 if name == "y" else len(p) <= 2)
        for name, p in zip(form, parts, strict=False)
    ):
        raise ValueError(f"date {text!r}: expected {'/'.join(form)} in digits, such as {_example(form)!r}")
    values = {name: int(part) for name, part in zip(form, parts, strict=True)}
    if not (1 <= values.get("m", 1) <= len(_MONTHS) and 1 <= values.get("d", 1) <= 31):
        raise ValueError(f"date {text!r} in the order {form}: expected a month from 1 to 12 and a day from 1 to 31")
    said = [_MONTHS[values["m"] - 1]] if "m" in values else []
    said += [_ordinal(values["d"])] if "d" in values else []
    said += [_year(values["y"])] if "y" in values else []
    return " ".join(said)


def _example(form: str) -> str:
    return "-".join({"y": "2024", "m": "05", "d": "17"}[name] for name in form)


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 24 or int(match[2] or 0) > 59 or int(match[3] or 0) > 59:
        raise ValueError(f"time {text!r}: expected a form such as 7:30pm, 14:05 or 7:30:15")
    said = [_cardinal(int(match[1]))]
    minutes = int(match[2] or 0)
    if minutes:
        said += [f"oh {_cardinal(minutes)}" if minutes < 10 else _cardinal(minutes)]
    elif match[4] is None:
        said += ["o'clock" if 1 <= int(match[1]) <= 12 else "hundred"]
    if match[3]:
        seconds = int(match[3])
        said += [f"and {_cardinal(seconds)} second{'' if seconds == 1 else 's'}"]
    if match[4]:
        said += [match[4].upper() + "M"]
    return " ".join(said)


def _currency(text: str) -> str:
    symbols = "|".join(map(re.escape, sorted(_MONEY, key=len, reverse=True)))
    match = re.fullmatch(rf"(?:({symbols})\s*)?([\d.,]+)(?:\s*({symbols}))?", text)
    if match is None or bool(match[1]) == bool(match[3]):
        raise ValueError(f"currency {text!r}: expected an amount with one of {', '.join(_MONEY)}, such as $20.50")
    one, many, part = _MONEY[match[1] or match[3]]
    number = _number(match[2])
    whole, _, rest = match[2].replace(",", "").partition(".")
    if not part or not rest or len(rest) > 2:
        return f"{number} {one if match[2] == '1' else many}"
    cents = int(rest.ljust(2, "0"))
    said = [f"{_cardinal(int(whole or 0))} {one if int(whole or 0) == 1 else many}"] if int(whole or 0) else []
    said += [f"{_cardinal(cents)} {part if cents == 1 else _PARTS[part]}"] if cents else []
    return " and ".join(said) or f"zero {many}"


def _unit(text: str) -> str:
    match = re.fullmatch(r"([+-]?[\d.,]+)\s*(\S+)", text)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"unit {text!r}: expected a number and one of {', '.join(_UNITS)}, such as 3.5 km")
    head, _, tail = _UNITS[match[2]].partition(" ")
    name = head if match[1] == "1" else _MANY.get(head, head + "s")
    return " ".join(filter(None, (_number(match[1]), name, tail)))


_ONE_BY_ONE: Final = ("characters", "spell-out", "digits", "telephone")
_WHOLE: Final[dict[str, Callable[[str], str]]] = {
    "cardinal": _number,
    "number": _number,
    "ordinal": _nth,
    "fraction": _fraction,
    "date": lambda text: _date(text, "ymd"),
    "time": _time,
    "currency": _currency,
    "unit": _unit,
}
