"""CURVE keys in files: a server's, its clients', and who is let in. Imports nothing of ours but `nearest`.

A folder of keys holds NAME.key (private, for its owner alone) and NAME.pub (public, to be given away), where NAME is
"server" or a client's; and `allowed/NAME.pub` for each client that the server of this folder lets in. Each client has
a file of its own there, so that letting in and revoking are one step of the file system, which nothing can cut in two.
All are TOML; a key is 40 characters of Z85 (https://rfc.zeromq.org/spec/32) for 32 bytes.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import platformdirs
import zmq
from zmq.utils import z85

from npc_engine.nearest import near

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SERVER: Final = "server"
FILE_BYTES: Final = 4_096  # of a key file; what is longer is none
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DEVICES: Final = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)  # files of these names are none on Windows
_KEY: Final = re.compile(r"[0-9a-zA-Z.:+=^!/*?&<>()\[\]{}@%$#-]{40}")


class KeysError(ValueError):
    """A key, a key file or a client's name that can't be used: says which, what was expected, and what would do."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What its owner alone has; `repr` leaves the secret out, so that no log shows it."""

    name: str
    public: str  # 40 characters
    secret: str = field(repr=False)  # 40 characters


@dataclass(frozen=True, slots=True)
class WayIn:
    """What one connection needs to reach an engine: its address, and keys where it asks for some."""

    address: str  # tcp://HOST:PORT
    server_key: str = ""  # the engine's public key
    pair: KeyPair | None = None  # the connection's own; None where the engine asks for none


def default_folder() -> Path:
    """The keys of this user."""
    return Path(platformdirs.user_config_dir("npc_engine", appauthor=False)) / "keys"


def check_name(name: str) -> str:
    """The name of a client, if it can be a file's everywhere; else raises `KeysError`."""
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise KeysError(f"name is {name!r}, expected 1 to 64 letters, digits, - and _, such as laptop or game-2")
    if name.casefold() == SERVER:
        raise KeysError(f"name is {name!r}, which is the server's own: name the client otherwise, such as laptop")
    return name


def check_key(key: str, where: str) -> str:
    """The key, if it is 32 bytes in Z85; else raises `KeysError`, which does not print what came: it may be secret."""
    if not _KEY.fullmatch(key):
        raise KeysError(f"{where} has {len(key)} characters, expected a key: 40 characters of Z85, nothing else")
    try:
        z85.decode(key.encode("ascii"))
    except Exception:  # noqa: BLE001 - what five characters beyond 2^32 raise differs over pyzmq's versions
        raise KeysError(f"{where} is no key: its characters stand for no number of 32 bits") from None
    return key


def check_curve() -> None:
    """Raise `KeysError` where libzmq was built without CURVE, as some systems' own is."""
    if not zmq.has("curve"):
        raise KeysError("libzmq knows no CURVE here; pyzmq's own does: pip install --force-reinstall pyzmq")


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def new_pair(folder: Path, name: str) -> KeyPair:
    """Make NAME.key, mode 0600, and NAME.pub in `folder`; raises `KeysError` where there are such already."""
    check_curve()
    key_file, pub_file = folder / f"{name}.key", folder / f"{name}.pub"
    _make_folder(folder)
    if key_file.exists() or pub_file.exists():
        found = key_file if key_file.exists() else pub_file
        raise KeysError(f"{found} is there already: remove {name}.key and {name}.pub first if you want new keys")
    while True:
        public, secret = (key.decode("ascii") for key in zmq.curve_keypair())
        if not public.startswith("-"):  # a command line would take it for an option
            break
    pair = KeyPair(name, public, secret)
    about = (
        f"# npc-engine: the private key of {name!r}. Whoever has this file is taken for {name!r}: give it to nobody.\n"
    )
    _write(key_file, f'{about}name = "{name}"\npublic = "{public}"\nsecret = "{secret}"\n', 0o600)
    _write(pub_file, _public_text(name, public), 0o644)
    return pair


def load_pair(path: Path) -> KeyPair:
    """The pair in a private key file; raises `KeysError` for one that is broken, or that others may read."""
    check_curve()
    table = _read(path)
    if "secret" not in table:
        raise KeysError(f"{path}: holds a public key only, expected a private one, as in {path.stem}.key")
    pair = KeyPair(
        _text(table, "name", path),
        _key_in(table, "public", path),
        check_key(_text(table, "secret", path), f"{path}: secret"),
    )
    if zmq.curve_public(pair.secret.encode("ascii")).decode("ascii") != pair.public:
        raise KeysError(f"{path}: public and secret do not belong together; make new keys with npc-engine keys new")
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise KeysError(f"{path}: others on this machine may read it (mode {mode:04o}): chmod 600 {path}")
    return pair


def load_public(path: Path) -> str:
    """The key in a public key file; raises `KeysError`, also for a private one, which should not be given away."""
    table = _read(path)
    if "secret" in table:
        raise KeysError(f"{path}: is a private key, which only its owner may have, expected the file {path.stem}.pub")
    return _key_in(table, "public", path)


def public_key(given: str | Path) -> str:
    """A public key, given as such or as the path of a .pub file; raises `KeysError`."""
    path = Path(given)
    if isinstance(given, str) and _KEY.fullmatch(given) and not path.is_file():
        return check_key(given, "the public key")
    if not path.is_file():
        raise KeysError(f"{str(given)!r} is neither a public key, which has 40 characters, nor the .pub file of one")
    return load_public(path)


def key_pair(given: str | Path | KeyPair) -> KeyPair:
    """A pair, given as such, as the path of a .key file, or as its secret key; raises `KeysError`."""
    if isinstance(given, KeyPair):
        return given
    path = Path(given)
    if isinstance(given, str) and _KEY.fullmatch(given) and not path.is_file():
        secret = check_key(given, "the secret key")
        return KeyPair("", zmq.curve_public(secret.encode("ascii")).decode("ascii"), secret)
    if not path.is_file():  # not printed where it may be a secret that lost a character
        shown = f"{str(given)!r}" if path.suffix == ".key" else f"what came as key, {len(str(given))} characters,"
        raise KeysError(f"{shown} is neither the .key file of a client nor its secret key, which has 40 characters")
    return load_pair(path)


# ── who is let in ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who is let in: `names` of clients by their keys; `faults`, one text for each file that lets nobody in."""

    names: dict[str, str]
    faults: tuple[str, ...] = ()


def allowed_folder(folder: Path) -> Path:
    """Where the public keys of those who are let in lie."""
    return folder / "allowed"


def read_allowed(folder: Path) -> Allowed:
    """Who the server of `folder` lets in now. A broken file lets nobody in and is told; none are no fault."""
    names: dict[str, str] = {}
    faults = []
    for path in _files(folder):
        try:
            key = load_public(path)
        except KeysError as error:
            if path.exists():  # else it was revoked while we looked
                faults.append(str(error))
            continue
        names.setdefault(key, path.stem)
    return Allowed(names, tuple(faults))


def stamp(folder: Path) -> tuple[tuple[Any, ...], ...]:
    """Differs when the files of those who are let in have changed; cheap enough to ask every second."""
    marks = []
    for path in _files(folder):
        try:
            found = path.stat()
        except OSError:
            continue  # revoked while we looked
        marks.append((path.name, found.st_ino, found.st_mtime_ns, found.st_size))
    return tuple(marks)


def allow(folder: Path, name: str, key: str) -> bool:
    """Let the owner of `key` in as `name`; False if that was so already. Raises `KeysError` if either is in use."""
    check_name(name)
    check_key(key, "the public key")
    known = read_allowed(folder).names
    if known.get(key) == name:
        return False
    if key in known:
        raise KeysError(f"this key is let in already, as {known[key]!r}: npc-engine keys revoke {known[key]} first")
    path = allowed_folder(folder) / f"{name}.pub"
    if path.exists():
        raise KeysError(f"{name!r} is let in with another key: npc-engine keys revoke {name} first")
    _make_folder(path.parent)
    _write(path, _public_text(name, key), 0o644)
    return True


def revoke(folder: Path, name: str) -> None:
    """Let `name` in no more; raises `KeysError` for one who is not, with the nearest who is."""
    names = [path.stem for path in _files(folder)]
    if name not in names:
        raise KeysError(f"no client {name!r} is let in{near(name, names)}; let in: {', '.join(names) or 'nobody'}")
    try:
        (allowed_folder(folder) / f"{name}.pub").unlink(missing_ok=True)
    except OSError as error:
        raise KeysError(f"can't revoke {name!r}: {error}") from None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in allowed_folder(folder).glob("*.pub") if _NAME.fullmatch(path.stem))


def _public_text(name: str, key: str) -> str:
    about = f"# npc-engine: the public key of {name!r}. No secret: give it to whom {name!r} shall talk.\n"
    return f'{about}name = "{name}"\npublic = "{key}"\n'


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeysError(f"can't make the folder {folder}: {error}") from None


def _write(path: Path, text: str, mode: int) -> None:
    """Write a new file whole: under another name first, so that no reader finds half of it."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise KeysError(f"can't write {path}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():  # a pipe of this name would be waited for
        raise KeysError(f"{path}: no such file, expected one that npc-engine keys new has made")
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise KeysError(f"{path}: can't be read: {error.strerror}") from None
    if len(data) > FILE_BYTES:
        raise KeysError(f"{path}: more than {FILE_BYTES} bytes, expected a file that npc-engine keys new has made")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysError(f"{path}: no key file: {error}") from None


def _text(table: dict[str, Any], key: str, path: Path) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise KeysError(f"{path}: key {key!r} is missing, or no string")
    return value


def _key_in(table: dict[str, Any], key: str, path: Path) -> str:
    return check_key(_text(table, key, path), f"{path}: {key}")
