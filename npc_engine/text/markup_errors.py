"""What is wrong with a text's markup."""

from __future__ import annotations


class MarkupError(ValueError):
    """Broken SSML: says what came and what was expected, with line and column, both from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"SSML, line {line}, column {column}: {reason}")
        self.line = line
        self.column = column
