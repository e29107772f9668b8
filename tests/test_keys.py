"""Keys in files and the commands that make them."""

import json
import os
import re
import stat

import pytest
from guarded import Lodge

from npc_engine import keys
from npc_engine.cli import main
from npc_engine.keys import KeysError


@pytest.fixture
def lodge(tmp_path):
    return Lodge(tmp_path / "keys")


def refused(capsys, *argv):
    assert main(list(argv)) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.err.startswith("npc-engine: ")
    return said.err


def test_keys_are_readable_private_and_their_own(lodge):
    text = (lodge.folder / "anna.key").read_text(encoding="utf-8")
    assert text.startswith("# npc-engine: the private key of 'anna'.")
    assert f'public = "{lodge.anna.public}"' in text
    public = (lodge.folder / "anna.pub").read_text(encoding="utf-8")
    assert lodge.anna.public in public
    assert lodge.anna.secret not in public
    if os.name == "posix":
        assert stat.S_IMODE((lodge.folder / "anna.key").stat().st_mode) == 0o600
        assert stat.S_IMODE(lodge.folder.stat().st_mode) == 0o700
    assert keys.load_pair(lodge.folder / "anna.key") == lodge.anna
    assert keys.load_public(lodge.folder / "anna.pub") == lodge.anna.public
    assert lodge.anna.secret not in repr(lodge.anna)
    assert not list(lodge.folder.rglob("*.part"))


def test_no_public_key_looks_like_an_option(tmp_path):
    made = [keys.new_pair(tmp_path, f"c{i}").public for i in range(200)]
    assert not [key for key in made if key.startswith("-")]
    assert len(set(made)) == 200


@pytest.mark.parametrize(
    "name",
    ["", "../up", "a/b", "a\\b", "a.b", ".", "-x", "con", "NUL", "com1", "a b", "a\0", "é", "x" * 65, "a\n", '"',
     "server", "Server"],
)  # fmt: skip
def test_names_that_could_be_paths_or_devices_are_refused(name, lodge):
    with pytest.raises(KeysError, match=r"^name is "):
        keys.allow(lodge.folder, name, lodge.anna.public)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key 'public' is missing, or no string"),
        ("public = 7", "key 'public' is missing, or no string"),
        ("public = 'abc'", "public has 3 characters, expected a key: 40 characters of Z85, nothing else"),
        (f"public = '{'~' * 40}'", "public has 40 characters, expected a key: 40 characters of Z85"),
        (f"public = '{'#' * 40}'", "public is no key: its characters stand for no number of 32 bits"),
        ("public = ", "no key file: "),
        ("x = " + "[" * 4_000, "no key file: "),
        ("x = 1\n" * 2_000, "more than 4096 bytes"),
    ],
)
def test_broken_files_are_named_and_let_nobody_in(text, says, lodge):
    path = keys.allowed_folder(lodge.folder) / "anna.pub"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KeysError, match=re.escape(f"{path}: {says}")):
        keys.load_public(path)
    allowed = keys.read_allowed(lodge.folder)
    assert allowed.names == {lodge.ben.public: "ben"}
    assert len(allowed.faults) == 1


def test_a_file_of_bytes_and_a_missing_one_are_named(tmp_path):
    (tmp_path / "x.pub").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeysError, match="no key file: "):
        keys.load_public(tmp_path / "x.pub")
    with pytest.raises(KeysError, match="no such file, expected one that npc-engine keys new has made"):
        keys.load_pair(tmp_path / "y.key")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes")
def test_a_pipe_in_the_list_holds_nobody_up(lodge):
    os.mkfifo(keys.allowed_folder(lodge.folder) / "pipe.pub")
    assert sorted(keys.read_allowed(lodge.folder).names.values()) == ["anna", "ben"]


def test_a_private_key_is_checked(lodge):
    path = lodge.folder / "anna.key"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(lodge.anna.public, lodge.ben.public), encoding="utf-8")
    with pytest.raises(KeysError, match="public and secret do not belong together"):
        keys.load_pair(path)
    with pytest.raises(KeysError, match=r"holds a public key only, expected a private one, as in anna\.key"):
        keys.load_pair(lodge.folder / "anna.pub")
    with pytest.raises(KeysError, match="is a private key, which only its owner may have"):
        keys.load_public(path)


def test_what_is_no_secret_key_is_not_printed(lodge):
    almost = lodge.anna.secret[:-1]
    with pytest.raises(KeysError, match="what came as key, 39 characters, is neither") as caught:
        keys.key_pair(almost)
    assert almost not in str(caught.value)
    with pytest.raises(KeysError, match=r"'lapop\.key' is neither the \.key file of a client nor"):
        keys.key_pair("lapop.key")
    with pytest.raises(KeysError, match="'abc' is neither a public key, which has 40 characters, nor"):
        keys.public_key("abc")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660])
def test_a_private_key_that_others_may_read_is_refused(mode, lodge):
    path = lodge.folder / "anna.key"
    path.chmod(mode)
    with pytest.raises(KeysError, match=f"others on this machine may read it .mode {mode:04o}.: chmod 600"):
        keys.load_pair(path)


def test_the_list_changes_in_one_step_and_shows_it(lodge):
    first = keys.stamp(lodge.folder)
    assert keys.stamp(lodge.folder) == first
    carl = lodge.make("carl")
    second = keys.stamp(lodge.folder)
    assert second != first
    assert keys.read_allowed(lodge.folder).names[carl.public] == "carl"
    assert keys.allow(lodge.folder, "carl", carl.public) is False
    keys.revoke(lodge.folder, "carl")
    assert keys.stamp(lodge.folder) == first
    assert carl.public not in keys.read_allowed(lodge.folder).names
    with pytest.raises(KeysError, match="no client 'carl' is let in; let in: anna, ben"):
        keys.revoke(lodge.folder, "carl")
    with pytest.raises(KeysError, match="this key is let in already, as 'anna'"):
        keys.allow(lodge.folder, "other", lodge.anna.public)
    with pytest.raises(KeysError, match="'ben' is let in with another key"):
        keys.allow(lodge.folder, "ben", carl.public)


# ── commands ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_from_no_keys_to_a_client_that_is_let_in_and_out_again(tmp_path, capsys):
    server, laptop = str(tmp_path / "server"), str(tmp_path / "laptop")
    assert main(["keys", "--folder", server]) == 0
    assert f"no keys in {server}: npc-engine keys new makes them" in capsys.readouterr().out
    assert main(["keys", "new", "--folder", server]) == 0
    said = capsys.readouterr().out
    assert "give it to nobody" in said
    assert "npc-engine keys allow NAME NAME.pub" in said
    assert main(["keys", "new", "--client", "laptop", "--folder", laptop]) == 0
    said = capsys.readouterr().out
    assert "npc-engine keys allow laptop laptop.pub" in said
    secret = keys.load_pair(tmp_path / "laptop" / "laptop.key").secret
    assert secret not in said
    assert main(["keys", "--folder", server, "allow", "laptop", f"{laptop}/laptop.pub"]) == 0
    assert capsys.readouterr().out == "laptop is let in\n"
    assert main(["keys", "list", "--folder", server, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(row["client"], row["key"]) for row in listed["clients"]] == [
        ("laptop", keys.load_public(tmp_path / "laptop" / "laptop.pub"))
    ]
    assert listed["server"] == keys.load_public(tmp_path / "server" / "server.pub")
    assert main(["keys", "--folder", server]) == 0
    assert re.search(r"^laptop +\d{4}-\d\d-\d\d +\S{40}$", capsys.readouterr().out, re.MULTILINE)
    assert main(["keys", "revoke", "laptop", "--folder", server]) == 0
    capsys.readouterr()
    assert main(["keys", "list", "--folder", server]) == 0
    assert "nobody is let in: npc-engine keys allow NAME FILE.pub" in capsys.readouterr().out


def test_keys_says_what_it_cannot_do(lodge, capsys):
    folder = ("--folder", str(lodge.folder))
    assert "server.key is there already: remove server.key and server.pub first" in refused(
        capsys, "keys", "new", *folder
    )
    assert "name is '../x', expected 1 to 64 letters" in refused(capsys, "keys", "new", "--client", "../x", *folder)
    assert "no client 'ana' is let in, did you mean 'anna'?" in refused(capsys, "keys", "revoke", "ana", *folder)
    assert "which key? There is no " in refused(capsys, "keys", "allow", "carl", *folder)
    assert "'none.pub' is neither a public key" in refused(capsys, "keys", "allow", "carl", "none.pub", *folder)
    key_file = str(lodge.folder / "anna.key")
    assert "is a private key, which only its owner may have" in refused(
        capsys, "keys", "allow", "carl", key_file, *folder
    )
    assert "name is '..', expected" in refused(capsys, "keys", "allow", "..", *folder)


def test_a_broken_file_is_listed_as_such(lodge, capsys):
    (keys.allowed_folder(lodge.folder) / "anna.pub").write_text("", encoding="utf-8")
    assert main(["keys", "list", "--folder", str(lodge.folder)]) == 1
    assert re.search(r"^lets nobody in: .*anna\.pub: key 'public' is missing", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("verb", ["new", "allow", "list", "revoke"])
def test_every_verb_has_help_with_examples(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["keys", verb, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"npc-engine keys {verb}" in said


def test_serve_says_what_to_type_before_it_loads_anything(tmp_path, capsys):
    said = refused(capsys, "serve", "--address", "tcp://0.0.0.0:7890", "--keys", str(tmp_path))
    assert "tcp://0.0.0.0:7890 is not loopback: anyone on the network could make the engine speak" in said
    assert "make it with `npc-engine keys new`" in said
    assert "there is no" in refused(capsys, "serve", "--keys", str(tmp_path))
