"""npc-engine faces: from a picture to a face that is checked, seen and heard, with real parts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.cli import main
from npc_engine.commands.faces_check import LINE_LEAST, LINE_MEAN, Space, measured
from npc_engine.commands.faces_line import Seen
from npc_engine.commands.faces_speed import Speed
from npc_engine.frames.add import legal_name, write_limits
from npc_engine.frames.limits import Frame, within
from npc_engine.frames.load import load_drawn, load_guard
from npc_engine.frames.preview import EXPRESSIONS, expression
from npc_engine.moments import Picture

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "tests" / "pictures"
SHIPPED = sorted(Cast((ROOT,)).faces())


@pytest.fixture(scope="module")
def added(tmp_path_factory) -> tuple[Path, str]:
    """A cast in whose faces/ a photograph was added, and what the command said."""
    folder = tmp_path_factory.mktemp("cast")
    shutil.copyfile(PICTURES / "hopper.jpg", folder / "Rear Admiral Hopper (1984).jpg")
    done = subprocess.run(
        [sys.executable, "-m", "npc_engine.cli", "faces", "add", "Rear Admiral Hopper (1984).jpg"],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=240, check=False,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


NAME = "rear-admiral-hopper-1984"


def test_a_picture_becomes_a_face_named_after_its_file(added):
    folder, said = added
    face = folder / "faces" / NAME
    assert {"face.toml", "picture.png", "landmarks.npz", "preview.png"} <= {path.name for path in face.iterdir()}
    assert "s  read 512×600 pixels" in said
    assert "s  found a face of" in said
    assert "expressions with the picture" in said
    assert "identity: 0." in said
    assert "lowest 0." in said
    assert f"face {NAME!r} made in" in said
    spec, _ = Cast((folder,)).face(NAME)
    assert spec.source == "Rear Admiral Hopper (1984).jpg"


def test_its_preview_sheet_shows_twelve_pictures_that_differ(added):
    sheet = cv2.imread(str(added[0] / "faces" / NAME / "preview.png"))
    assert sheet.shape == (1044, 1280, 3)
    tiles = [sheet[y : y + 320, x : x + 320].astype(int) for y in range(0, 1044, 348) for x in range(0, 1280, 320)]
    assert len(tiles) == len(EXPRESSIONS)
    for tile in tiles[1:]:
        assert (np.abs(tile - tiles[0]).max(-1) > 25).sum() > 50


def test_limits_are_written_so_that_no_expression_beyond_them_is_drawn(added, tmp_path):
    folder, _ = added
    spec, _ = Cast((folder,)).face(NAME)
    assert all(0.3 <= most < 1 for most in spec.limits.values())
    face = shutil.copytree(folder / "faces" / NAME, tmp_path / "faces" / "it")
    text = (face / "face.toml").read_text(encoding="utf-8")
    (face / "face.toml").write_text(text.split("[limits]")[0].rstrip("# \n") + "\n", encoding="utf-8")
    write_limits(face, {"jawOpen": 0.2})
    limited, where = Cast((tmp_path,)).face("it")
    assert limited.limits == {"jawOpen": 0.2}
    wide = expression("ah")
    free = load_drawn(*Cast((folder,)).face(NAME))
    drawn = load_drawn(limited, where).render(wide, 256).astype(int)
    assert np.abs(drawn - free.render(within(wide, {"jawOpen": 0.2}), 256)).mean() < 1
    assert np.abs(drawn - free.render(wide, 256)).max() > 60


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Old Smith", "old-smith"), ("Jürgen Größe", "jurgen-grosse"), ("__x__", "x"), ("a.b.c", "a-b-c"),
        ("x" * 50, "x" * 40), ("村長", ""), ("---", ""), ("Élise_2", "elise_2"),
    ],
)  # fmt: skip
def test_names_made_of_file_names(stem, name):
    assert legal_name(stem) == name


def test_a_file_of_which_no_name_can_be_made(tmp_path, capsys):
    shutil.copyfile(PICTURES / "hopper.jpg", tmp_path / "村長.jpg")
    assert main(["faces", "add", str(tmp_path / "村長.jpg"), "--cast", str(tmp_path)]) == 2
    assert "no name can be made of this file's: say --name, such as --name smith" in capsys.readouterr().err
    assert not (tmp_path / "faces").exists()


@pytest.mark.parametrize(
    ("picture", "words"),
    [("animals/cat.jpg", "an animal"), ("animals/teddy.jpg", "an animal"), ("SOURCES.md", "not a picture")],
)
def test_a_refusal_is_one_line_and_leaves_nothing(picture, words, tmp_path, capsys):
    assert main(["faces", "add", str(PICTURES / picture), "--name", "it", "--cast", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "faces" / "it").exists()


def test_list_tells_engine_and_size_and_one_broken_face_hides_no_other(added, tmp_path, capsys):
    shutil.copytree(added[0] / "faces" / NAME, tmp_path / "faces" / "hopper")
    (tmp_path / "faces" / "broken").mkdir()
    (tmp_path / "faces" / "broken" / "face.toml").write_text('pictur = "x.png"\n', encoding="utf-8")
    sheet = tmp_path / "all.png"
    assert main(["faces", "list", "--cast", str(tmp_path), "--sheet", str(sheet)]) == 0
    rows = {row.split()[0]: row for row in capsys.readouterr().out.splitlines() if row}
    assert rows["FACE"].split() == ["FACE", "ENGINE", "SIZE", "LICENCE", "ABOUT", "FOLDER"]
    size = cv2.imread(str(tmp_path / "faces" / "hopper" / "picture.png")).shape[0]
    assert rows["hopper"].split()[1:3] == ["portrait", f"{size}×{size}"]
    assert "did you mean 'picture'?" in rows["broken"]
    assert set(SHIPPED) <= set(rows)
    columns = min(4, len(SHIPPED) + 1)
    assert cv2.imread(str(sheet)).shape[1] == 320 * columns


@pytest.mark.slow
def test_check_measures_and_judges(added, tmp_path, capsys):
    out, worst = tmp_path / "check.json", tmp_path / "worst.png"
    code = main(["faces", "check", NAME, "--cast", str(added[0]), "--json", str(out), "--out", str(worst)])
    said = capsys.readouterr().out
    found = json.loads(out.read_text(encoding="utf-8"))
    assert code == (0 if found["passed"] else 1)
    assert found["line"]["mean"] >= LINE_MEAN
    assert found["line"]["min"] >= LINE_LEAST
    assert 20 <= found["line"]["seconds"] <= 30
    assert found["line"]["pictures"] == pytest.approx(10 * found["line"]["seconds"], abs=2)
    assert 0 < found["space"]["min"] <= found["space"]["mean"] < 1
    assert found["space"]["expressions"] > 200
    assert all(found["speed"][key] > 0 for key in ("picture_ms", "jpeg_ms", "load_ms", "fps"))
    assert "identity over a line, mean" in said
    assert cv2.imread(str(worst)).shape == (348, 960, 3)


def test_check_names_each_measure_that_is_missed():
    """A line that is itself in the mean but not throughout, an expression that is not, and a slow machine."""
    pixels = np.zeros((512, 512, 3), np.uint8)
    seen = Seen([0.97, 0.95, 0.5, 0.9], Picture(10, pixels), Picture(0, pixels))
    space = Space({"smile": 0.9, "jawOpen": 0.4}, Frame("jawOpen", expression("ah"), 0.4, pixels))
    rows = {row.what: row for row in measured(seen, space, Speed(30.0, 28.0, 1.0, 400.0, 50.0))}
    assert rows["identity over a line, mean"].verdict == "ok"
    assert rows["identity over a line, lowest"].verdict == "too low"
    assert rows["identity over expressions, lowest"].verdict == "too low"
    assert "lower a weight of 'jawOpen' in [limits]" in rows["identity over expressions, lowest"].remedy
    assert rows["pictures a second, one core"].verdict == "too low"
    assert rows["load"].verdict == "ok"
    fast = {row.what: row for row in measured(seen, space, Speed(4.0, 3.5, 0.6, 1400.0, 50.0))}
    assert fast["pictures a second, one core"].verdict == "ok"
    assert fast["load"].verdict == "too high"


def test_the_judge_of_an_added_face_tells_it_from_another(added):
    spec, folder = Cast((added[0],)).face(NAME)
    guard = load_guard(spec, folder, load_drawn(spec, folder))
    picture = cv2.imread(str(folder / "picture.png"))
    other = cv2.resize(cv2.imread(str(PICTURES / "princess.jpg")), picture.shape[1::-1])
    assert guard.judge.score(np.ascontiguousarray(picture[..., ::-1])) > 0.9
    assert guard.judge.score(np.ascontiguousarray(other[..., ::-1])) < LINE_LEAST


@pytest.mark.slow
def test_preview_writes_a_sheet_and_a_talking_video(added, tmp_path, capsys):
    av = pytest.importorskip("av", reason="PyAV: pip install 'npc-engine[media]'")
    out = tmp_path / "hopper.png"
    assert main(["faces", "preview", NAME, "--cast", str(added[0]), "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (1044, 1280, 3)
    assert "hopper.mp4: " in capsys.readouterr().out
    with av.open(str(out.with_suffix(".mp4"))) as film:
        assert film.streams.video[0].width == 512
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(pictures) > 5 * 25
    moved = np.abs(np.stack(pictures[::5]).astype(int) - pictures[0]).max(axis=(1, 2, 3))
    assert (moved > 60).mean() > 0.5, "a mouth that speaks"
    with av.open(str(out.with_suffix(".mp4"))) as film:
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)
    assert np.abs(sound).max() > 0.1


def test_preview_without_pyav_says_what_to_install(added, tmp_path):
    """In a process where av can't be imported: the sheet is written all the same."""
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from npc_engine.cli import main\n"
        f"sys.exit(main(['faces', 'preview', {NAME!r}, '--cast', {str(added[0])!r}, '--out', 'it.png']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=120,
        check=False, env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "pip install 'npc-engine[media]'" in done.stdout
    assert (tmp_path / "it.png").is_file()
    assert not (tmp_path / "it.mp4").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["preview", "mare", "--out", "x.jpg"], "expected a file that ends in .png"),
        (["preview", SHIPPED[0] + "x"], f"did you mean {SHIPPED[0]!r}?"),
        (["check", SHIPPED[0] + "x"], f"did you mean {SHIPPED[0]!r}?"),
        (["check", SHIPPED[0], "--json", "no/such/folder/x.json"], "no such folder"),
        (["list", "--sheet", "x.bmp"], "expected a file that ends in .png"),
    ],
)
def test_what_was_mistyped(words, said, capsys):
    assert main(["faces", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["add", "list", "check", "preview", "export"])
def test_help_has_examples(verb, capsys):
    with pytest.raises(SystemExit):
        main(["faces", verb, "--help"])
    said = capsys.readouterr().out
    assert f"npc-engine faces {verb} " in said.split("examples:")[1]
