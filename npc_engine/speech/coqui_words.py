"""Which word of a phrase each symbol belongs to that coqui's rules made of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from itertools import groupby


def owners(spelled: str, words: Sequence[str], spell: Callable[[str], str]) -> list[int]:
    """For each symbol of `spelled`, the index of the word it says; -1 for spaces and where there are no words.

    espeak joins words ("of the" is one) and reads some as many ("$20"); then each word is spelled alone by `spell`,
    and the two spellings are matched.
    """
    groups = [(" " in key, len(list(run))) for key, run in groupby(spelled, key=lambda c: " " if c == " " else "x")]
    spoken = [size for is_space, size in groups if not is_space]
    found: list[int] = []
    if len(spoken) == len(words) and all(w.replace("'", "").isalpha() for w in words):
        count = 0
        for is_space, size in groups:
            found += [-1 if is_space else count] * size
            count += not is_space
        return found
    if not words:
        return [-1] * len(spelled)
    alone = [(c, i) for i, word in enumerate(words) for c in spell(word) if c != " "]
    inside = [k for k, c in enumerate(spelled) if c != " "]
    owner = dict.fromkeys(inside, -1)
    matcher = difflib.SequenceMatcher(None, [c for c, _ in alone], [spelled[k] for k in inside], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        for k in range(size):
            owner[inside[b + k]] = alone[a + k][1]
    return _filled(spelled, owner)


def _filled(spelled: str, owner: dict[int, int]) -> list[int]:
    """Symbols that matched nothing go with their neighbour in the same group, else with the word before."""
    found = [owner.get(k, -1) for k in range(len(spelled))]
    last = 0
    for k, symbol in enumerate(spelled):
        if symbol == " ":
            continue
        if found[k] < 0:
            after = next((found[j] for j in range(k, _group_end(spelled, k)) if found[j] >= 0), -1)
            starts = k == 0 or spelled[k - 1] == " "
            found[k] = after if starts and after >= 0 else last
        found[k] = max(found[k], last)
        last = found[k]
    return found


def _group_end(spelled: str, at: int) -> int:
    end = spelled.find(" ", at)
    return len(spelled) if end < 0 else end
