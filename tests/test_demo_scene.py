"""What the village says, and the walk that is filmed, as files: bad ones say what is wrong with them, and where."""

import pytest

from demo_game import scene, script
from demo_game.scene import SceneError

GOOD = scene.SCENE.read_text(encoding="utf-8")


def read(tmp_path, text):
    path = tmp_path / "scene.toml"
    path.write_text(text, encoding="utf-8")
    return scene.read(path)


def test_the_shipped_scene_gives_both_characters_enough_to_say():
    told = scene.read()
    assert set(told.characters) == {"maren", "elder"}
    lines = [
        line
        for who in told.characters.values()
        for line in (who.greeting, who.again, who.interrupted, who.farewell, *(c.reply for c in who.choices))
    ]
    assert len(lines) >= 12
    assert len(set(lines)) == len(lines)
    assert all(4 <= len(line.split()) <= 40 for line in lines)


def test_spaces_and_line_breaks_in_a_line_are_one_space(tmp_path):
    told = read(tmp_path, GOOD.replace('goodbye = "Good night, Maren."', 'goodbye = """Good\n   night,  Maren."""'))
    assert told.characters["maren"].goodbye == "Good night, Maren."


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('village = "Fernwater"', "", "scene.toml: key 'village' is missing"),
        ("greeting =", "greting =", "[character.maren]: unknown key 'greting', did you mean 'greeting'?"),
        (
            "[character.elder]",
            "[character.eldar]",
            "[character.eldar]: nobody of this name stands in the village, did you mean 'elder'? known: maren, elder",
        ),
        ('motto = "an evening by the river"', "motto = 3", "motto is 3, expected text in quotes"),
        (
            'ask = "Do you have a room?"',
            'ask = ""',
            "[character.maren] choice 3: ask has 0 characters, expected 1 to 2000",
        ),
        (
            'ask = "Do you have a room?"',
            f'ask = "{"Do you? " * 9}"',
            "choice 3: ask has 71 characters, expected at most 60",
        ),
        ('ask = "Do you have a room?"\n', "", "[character.maren] choice 3: key 'ask' is missing"),
        ('village = "Fernwater"', "village = Fernwater", "scene.toml: Invalid value (at line"),
    ],
)
def test_a_fault_names_file_and_place(tmp_path, old, new, expected):
    assert old in GOOD
    with pytest.raises(SceneError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "scene.toml"))
    assert expected.replace("?", "").replace(";", "") in text.replace("?", "").replace(";", "")


def test_too_many_choices_are_refused(tmp_path):
    more = '[[character.elder.choice]]\nask = "And?"\nreply = "And so on."\n' * 3
    with pytest.raises(SceneError, match=r"\[character.elder\]: choice holds 7, expected 1 to 5 tables"):
        read(tmp_path, GOOD + more)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SceneError, match="No such file"):
        scene.read(tmp_path / "none.toml")


def test_the_shipped_walk_meets_both_and_walks_away_in_mid_line():
    steps = script.read()
    kinds = [step.kind for step in steps]
    assert [step.value for step in steps if step.kind == "walk"] == ["maren", "elder"]
    assert kinds[kinds.index("leave") - 2 :][:3] == ["choose", "wait", "leave"]
    assert "type" in kinds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[step]]\nfly = true", "step 1: unknown key 'fly', expected one of walk, talk"),
        ('[[step]]\nwalk = "merlin"', "step 1: nobody called 'merlin' stands in the village; known: maren, elder"),
        ("[[step]]\nwait = true", "step 1: wait is True"),
        ("[[step]]\nwait = 1\ntalk = true", "step 1 is {'wait': 1, 'talk': True}, expected one of"),
        ("steps = 3", "holds steps, expected tables [[step]]"),
    ],
)
def test_a_fault_in_a_script_names_the_step(tmp_path, text, expected):
    path = tmp_path / "walk.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SceneError) as caught:
        script.read(path)
    assert expected in str(caught.value)
