"""The command line: what a person types and reads."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from npc_engine.cli import main, parser
from npc_engine.client import Client

COMMANDS = ("serve", "say", "faces", "voices", "keys", "doctor", "bench")


def refused(capsys, *argv):
    assert main(list(argv)) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert f"npc-engine {command}" in said
    assert "examples:" in said


def test_top_help_names_every_command():
    text = parser().format_help()
    assert all(command in text for command in COMMANDS)


def test_say_writes_wav_and_curves(tmp_path, capsys):
    wav, curves = tmp_path / "a.wav", tmp_path / "a.json"
    assert main(["say", "Mind the step!", "--voice", "man", "--out", str(wav), "--out", str(curves)]) == 0
    assert "× real time" in capsys.readouterr().out
    table = json.loads(curves.read_text(encoding="utf-8"))
    assert [w["text"] for w in table["words"]] == ["Mind", "the", "step"]
    assert wav.stat().st_size > 24_000
    opening = [row[0] for row in table["exp"]]
    assert max(opening) > 0.1
    assert opening[-1] == pytest.approx(0, abs=0.02)


def test_say_refuses_what_it_cannot_do(tmp_path, capsys):
    out = str(tmp_path / "a.wav")
    assert "no voice 'womann', did you mean 'woman'?" in refused(
        capsys, "say", "Hi.", "--voice", "womann", "--out", out
    )
    assert "no character 'marren', did you mean 'maren'?" in refused(
        capsys, "say", "Hi.", "--npc", "marren", "--out", out
    )
    assert "no face 'eldar', did you mean 'elder'?" in refused(
        capsys, "say", "Hi.", "--voice", "man", "--face", "eldar", "--out", str(tmp_path / "a.mp4")
    )
    assert "say who speaks" in refused(capsys, "say", "Hi.", "--out", out)
    assert "shows a face: --face NAME" in refused(
        capsys, "say", "Hi.", "--voice", "man", "--out", str(tmp_path / "a.mp4")
    )
    assert "unknown file ending '.mp3'" in refused(
        capsys, "say", "Hi.", "--voice", "man", "--out", str(tmp_path / "a.mp3")
    )
    chinese = refused(capsys, "say", "你好", "--voice", "woman", "--out", out)
    assert "woman" in chinese
    assert "你" in chinese
    assert "nothing to speak in '  '" in refused(capsys, "say", "  ", "--voice", "woman", "--out", out)
    assert not list(tmp_path.iterdir())


def curves_of(path, *argv):
    assert main(["say", *argv, "--voice", "man", "--out", str(path)]) == 0
    return json.loads(path.read_text(encoding="utf-8"))


def test_say_speaks_with_feeling_and_markup(tmp_path, capsys):
    table = curves_of(tmp_path / "a.json", "Mind the step!", "--emotion", "sad", "--strength", "0.5")
    assert table["emotion"] == "sad"
    table = curves_of(tmp_path / "b.json", '<speak>One<break time="900ms"/>two.</speak>')
    one, two = table["words"]
    assert two["start"] - one["end"] > 24 * 800
    wrong = ("say", "Hi.", "--voice", "man", "--out", str(tmp_path / "c.wav"))
    assert "--emotion is 'bored', expected neutral, happy," in refused(capsys, *wrong, "--emotion", "bored")
    assert "--style is 'livly', expected serious, lively" in refused(capsys, *wrong, "--style", "livly")
    for strength in ("1.5", "-1", "nan"):
        assert "expected 0 to 1" in refused(capsys, *wrong, f"--strength={strength}")
    assert "give - in its place" in refused(capsys, *wrong, "--stream")


def test_say_speaks_what_a_program_writes_while_it_writes(tmp_path):
    out = tmp_path / "a.json"
    argv = ["say", "-", "--stream", "--voice", "man", "--out", str(out)]
    command = [sys.executable, "-c", f"import sys; from npc_engine.cli import main; sys.exit(main({argv!r}))"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "utf-8"}
    ) as process:
        for part in ("Mind the st", "ep, my caf", b"\xc3", b"\xa9", " friend."):  # an é in two parts
            process.stdin.write(part if isinstance(part, bytes) else part.encode())
            process.stdin.flush()
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "× real time" in said.decode("utf-8")
    table = json.loads(out.read_text(encoding="utf-8"))
    assert [w["text"] for w in table["words"]] == ["Mind", "the", "step", "my", "café", "friend"]


def test_lists_name_what_ships(capsys):
    assert main(["voices"]) == 0
    voices = capsys.readouterr().out
    assert all(name in voices for name in ("woman", "man", "child", "ogre"))
    assert main(["faces", "list"]) == 0
    faces = capsys.readouterr().out
    assert "maren" in faces
    assert "elder" in faces


def test_doctor_finds_everything_working(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "FAILED" not in said
    assert "everything works" in said
    assert "line over TCP" in said


def test_bench_writes_every_figure(tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert main(["bench", "--runs", "3", "--json", str(out)]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    for key in ("first_moment_ms", "first_moment_picture_ms"):
        assert 0 < figures[key]["p50"] <= figures[key]["p95"]
    for key in ("audio2exp_ms_per_tick", "render_ms_per_frame", "encode_ms_per_frame", "realtime_factor", "ready_s"):
        assert figures[key] > 0
    assert figures["machine"]["cores"] >= 1


def test_base_install_imports_nothing_heavy():
    # scipy is not in the base install either, but hibari takes it where it is there
    heavy = ("torch", "numba", "librosa", "matplotlib", "av", "pygame", "TTS", "ray", "tensorrt")
    code = (
        "import sys; from npc_engine.troupe import Troupe; from npc_engine.cast import Cast;"
        f"t = Troupe(Cast.standard()); t.warm(); print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_serve_refuses_an_address_that_is_taken_or_open_to_the_network(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert address in refused(capsys, "serve", "--address", address)
    assert "is not loopback" in refused(capsys, "serve", "--address", "tcp://0.0.0.0:7890", "--keys", str(tmp_path))
    assert "expected -60 to 120" in refused(capsys, "serve", "--lookahead-ms", "130")
    assert "--cache-mb is -1, expected 0 to" in refused(capsys, "serve", "--cache-mb", "-1")


def test_serve_names_the_line_that_it_cannot_warm(tmp_path, capsys):
    lines = tmp_path / "lines.txt"
    for row, reason in (("marren: Hi.", "no character 'marren'"), ("Hello", "expected `character: text`")):
        lines.write_text(f"maren: Good day.\n\n{row}\n", encoding="utf-8")
        said = refused(capsys, "serve", "--cache", "off", "--warm", str(lines))
        assert "line 3: " in said
        assert reason in said


def test_serve_keeps_finished_speech_where_it_is_told(tmp_path):
    cache, lines = tmp_path / "spoken", tmp_path / "lines.txt"
    lines.write_text("maren: Good day, traveller.\n", encoding="utf-8")
    argv = ["serve", "--address", "tcp://127.0.0.1:*", "--cache", str(cache), "--cache-mb", "20", "--warm", str(lines)]
    command = [sys.executable, "-c", f"import sys; from npc_engine.cli import main; sys.exit(main({argv!r}))"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            address = next(row for row in process.stderr if "answers on" in row).split("answers on ")[1].split()[0]
            with Client(address, timeout_s=60) as client:
                client.warm("maren", "Mind the step!")
                (answer,) = client.poll(60)
                assert answer.ms > 500
            end = time.monotonic() + 30
            while sum(path.is_file() for path in cache.rglob("*")) < 2:
                assert time.monotonic() < end, "nothing was kept"
                time.sleep(0.02)
        finally:
            process.kill()
