"""The record of an evaluation as Markdown for the model card, and as pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

from npc_engine.expression.window import VISEMES

mpl.use("Agg")

TITLES: Final = {"recorded": "recorded English", "tts": "held-out voices and sentences"}
KEYS: Final = {
    "viseme_accuracy": "visemes", "viseme_accuracy_shape": "visemes by shape", "closure": "closure",
    "vowels_open": "vowels open", "shut_wrongly": "shut wrongly", "fv_contact": "f/v contact", "r": "r",
    "lag_ms": "lag ms", "velocity_error": "velocity error",
}  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """All the tables, one below the other."""
    parts = [_set(figures, name) for name in figures["sets"]]
    parts += [_visemes(figures), _facegood(figures), _rest(figures), _emotions(figures), _groups(figures)]
    top = [f"{key} {value}" for key, value in figures.items() if isinstance(value, (int, float))]
    machine = ", ".join(f"{key} {value}" for key, value in figures["machine"].items())
    return "\n\n".join([", ".join(top), machine, *(p for p in parts if p)])


def _set(figures: dict[str, Any], name: str) -> str:
    found = figures["sets"][name]
    rows = {f"look-ahead {ms} ms": each for ms, each in found["lookahead"].items()}
    default = figures["lookahead_ms"]
    rows |= {f"{default} ms, with phones": found["with_phones"], f"{default} ms, noise at 10 dB": found["noise_10_db"]}
    rows["teacher"] = found["teacher"]
    suffix = "" if name == "recorded" else "_tts"
    for baseline, each in figures["baselines"].items():
        rows[baseline] = {key: each.get(key + suffix) for key in KEYS}
        rows[baseline]["viseme_accuracy"] = each.get(f"viseme_accuracy_{name}")
    title = f"**{TITLES[name]}**: {found['clips']} clips, {found['seconds']} s"
    title += " (baselines: 40 of them at most)" if figures["baselines"] and name == "tts" else ""
    body = [[key, *(row.get(k) for k in KEYS)] for key, row in rows.items()]
    return f"{title}\n\n{_markdown(['', *KEYS.values()], body)}"


def _visemes(figures: dict[str, Any]) -> str:
    sets = {TITLES[name]: each["visemes"] for name, each in figures["sets"].items()}
    shares = {
        "all ticks": "accuracy",
        "speaking": "accuracy_speaking",
        "mean of recalls": "balanced",
        "largest class": "majority",
    }
    body = [[name, *(each[key] for key in shares.values())] for name, each in sets.items()]
    recalls = [[name, *(each["recall"].get(v) for v in VISEMES)] for name, each in sets.items()]
    head = ["recall", *VISEMES]
    return f"{_markdown(['viseme accuracy', *shares], body)}\n\n{_markdown(head, recalls)}"


def _facegood(figures: dict[str, Any]) -> str:
    head = ["facegood 3_15, 3_16", "r of opening", "lag ms", "3_15", "3_16", "r to the jaw alone", "jaw to jaw"]
    body: list[list[Any]] = []
    for ms, each in figures["facegood"].items():
        files = [each[name]["aperture"]["r_best"] for name in ("3_15", "3_16")]
        gap, others = each["aperture"], [each[key]["r_best"] for key in ("jaw", "jaw_to_jaw")]
        body.append([f"look-ahead {ms} ms", gap["r_best"], gap["lag_ms"], *files, *others])
    for name, each in figures["baselines"].items():
        body.append([name, each["opening_r"], each["opening_lag_ms"], None, None, each["opening_r_jaw"]])
    return _markdown(head, body)


def _rest(figures: dict[str, Any]) -> str:
    rows = figures["still"]
    keys = list(rows["silence"])
    return _markdown(["at rest", *(k.replace("_", " ") for k in keys)], [[n, *r.values()] for n, r in rows.items()])


def _emotions(figures: dict[str, Any]) -> str:
    rows = figures["emotions"]
    keys = list(rows["neutral"])
    head = ["emotion", *(KEYS.get(k, k.replace("_", " ")) for k in keys)]
    return _markdown(head, [[name, *(row[k] for k in keys)] for name, row in rows.items()])


def _groups(figures: dict[str, Any]) -> str:
    keys = ("clips", "viseme_accuracy", "closure", "vowels_open", "fv_contact", "r", "lag_ms")
    body = [
        [group, *(each.get(k) for k in keys)]
        for found in figures["sets"].values()
        for group, each in found["groups"].items()
    ]
    return _markdown(["group", *(KEYS.get(k, k) for k in keys)], body)


def _markdown(head: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    rows = [head, ["---"] * len(head), *body]
    filled = [[*row, *[""] * (len(head) - len(row))] for row in rows]
    return "\n".join("| " + " | ".join("" if c is None else str(c) for c in row) + " |" for row in filled)


def plots(figures: dict[str, Any], folder: Path) -> None:
    """Write lookahead.png and confusion.png; FOLDER is made."""
    folder.mkdir(parents=True, exist_ok=True)
    _by_lookahead(figures, folder / "lookahead.png")
    _confusions(figures, folder / "confusion.png")


def _by_lookahead(figures: dict[str, Any], out: Path) -> None:
    from matplotlib import pyplot as plt

    shown = {"viseme_accuracy": "15 visemes read right", "closure": "p b m closed", "vowels_open": "vowels open"}
    figure, axes = plt.subplots(1, len(shown), figsize=(14, 4.6), sharex=True)
    for axis, (key, title) in zip(axes, shown.items(), strict=True):
        for color, (name, found) in zip(("C0", "C1"), figures["sets"].items(), strict=False):
            rows = found["lookahead"]
            axis.plot(
                [int(ms) for ms in rows], [row[key] for row in rows.values()], "o-", color=color, label=TITLES[name]
            )
        for index, (name, each) in enumerate(figures["baselines"].items()):
            value = each.get("viseme_accuracy_recorded" if key == "viseme_accuracy" else key)
            if value is not None:
                axis.axhline(value, color=f"C{index + 2}", linestyle="--", linewidth=0.9, label=f"{name} (recorded)")
        axis.set(title=title, xlabel="look-ahead, ms", ylim=(0, 1.02))
        axis.grid(alpha=0.3)
    lines, names = axes[1].get_legend_handles_labels()  # every method has a closure
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    figure.legend(lines, names, loc="lower center", ncol=len(names), fontsize=8)
    figure.savefig(out, dpi=90)
    plt.close(figure)


def _confusions(figures: dict[str, Any], out: Path) -> None:
    from matplotlib import pyplot as plt

    sets = figures["sets"]
    figure, axes = plt.subplots(1, len(sets), figsize=(6.4 * len(sets), 6), squeeze=False)
    for axis, (name, found) in zip(axes[0], sets.items(), strict=True):
        counts = np.array(found["visemes"]["confusion"], float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(shares >= 0.05):
            color = "white" if shares[row, column] > 0.5 else "black"
            text = f"{100 * shares[row, column]:.0f}"
            axis.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
        axis.set_xticks(range(len(VISEMES)), VISEMES)
        axis.set_yticks(range(len(VISEMES)), VISEMES)
        axis.set(title=f"{TITLES[name]}, % of ticks of a viseme", xlabel="read", ylabel="said")
    figure.tight_layout()
    figure.savefig(out, dpi=90)
    plt.close(figure)
