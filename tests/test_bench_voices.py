"""npc-engine bench voices: every figure that is promised, out of processes of their own."""

import json

from npc_engine.cli import main


def test_every_figure_is_written(tmp_path, capsys):
    folder = tmp_path / "voices" / "herald"
    folder.mkdir(parents=True)
    (folder / "voice.toml").write_text(
        'engine = "recording"\n[lines]\n"Open the gate!" = "not-there.wav"\n', encoding="utf-8"
    )
    out = tmp_path / "voices.json"
    options = ["--runs", "3", "--sentences", "5", "--voices", "woman,herald", "--json", str(out)]
    assert main(["bench", "voices", "--cast", str(tmp_path), *options]) == 0
    said = capsys.readouterr().out
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert set(figures["voices"]) == {"woman"}
    woman = figures["voices"]["woman"]
    for key in ("load_s", "first_sound_ms", "realtime_factor"):
        assert woman[key] > 0
    assert woman["rss_mb"] is None or woman["rss_mb"] > 50
    assert 0 < woman["first_sound_100_ms"]["p50"] <= woman["first_sound_100_ms"]["p95"]
    assert figures["cached_line_ms"] > 0
    assert figures["machine"]["cores"] >= 1
    assert "not-there.wav" in figures["skipped"]["herald"]
    assert "skipped herald" in said
    assert "(≤ 40)" in said


def test_a_mistyped_voice_is_told_before_anything_is_measured(capsys):
    assert main(["bench", "voices", "--voices", "woman,ogree"]) == 2
    assert "did you mean 'ogre'" in capsys.readouterr().err
    assert main(["bench", "voices", "--runs", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
