"""npc-engine keys: who may talk to an engine that the network can reach."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
from pathlib import Path
from typing import Final

from npc_engine.commands.common import Commands, UsageError, command, table

EXAMPLES = """  npc-engine keys new                             on the server: its own keys, once
  npc-engine keys new --client laptop             on a game's machine: keys of a client, named laptop
  npc-engine keys allow laptop laptop.pub         on the server: let it in; a running engine needs no restart
  npc-engine keys allow laptop 'V4g…40 characters…'   the key itself, in quotes
  npc-engine keys list                            who is let in
  npc-engine keys revoke laptop                   let it in no more; cut off within a second if it is connected
"""
_FOLDER_HELP: Final = "folder of the keys (default: this user's own)"


def add_to(commands: Commands) -> None:
    """Add the sub-command and its own sub-commands."""
    parser = command(commands, "keys", "make keys, and say which clients an engine lets in", EXAMPLES)
    parser.add_argument("--folder", type=Path, default=None, metavar="DIR", help=_FOLDER_HELP)
    parser.set_defaults(run=run_list, as_json=False)
    verbs = parser.add_subparsers(metavar="VERB")
    new = _verb(
        verbs,
        "new",
        "make a server's or a client's keys",
        "  npc-engine keys new\n  npc-engine keys new --client laptop\n"
        "  npc-engine keys new --client laptop --folder .\n",
    )
    new.add_argument("--client", default="", metavar="NAME", help="of a client with this name (default: of the server)")
    new.set_defaults(run=run_new)
    allow = _verb(
        verbs,
        "allow",
        "let a client in",
        "  npc-engine keys allow laptop laptop.pub\n"
        "  npc-engine keys allow laptop                 its keys were made in this folder\n"
        "  npc-engine keys allow laptop -- '-4g…'       a key that begins with -\n",
    )
    allow.add_argument("name", help="what the client is called here")
    allow.add_argument("key", nargs="?", default="", help="its public key, or the .pub file (default: NAME.pub here)")
    allow.set_defaults(run=run_allow)
    listed = _verb(verbs, "list", "list who is let in (what no VERB does)", "  npc-engine keys list --json\n")
    listed.add_argument("--json", dest="as_json", action="store_true", help="as JSON, for programs")
    listed.set_defaults(run=run_list)
    revoke = _verb(verbs, "revoke", "let a client in no more", "  npc-engine keys revoke laptop\n")
    revoke.add_argument("name", help="the client, as npc-engine keys list calls it")
    revoke.set_defaults(run=run_revoke)


def _verb(verbs: Commands, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    parser = command(verbs, name, about, examples)
    # suppressed: its default would hide a --folder that stands before the verb
    parser.add_argument("--folder", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=_FOLDER_HELP)
    return parser


def _folder(arguments: argparse.Namespace) -> Path:
    from npc_engine.keys import default_folder

    return Path(arguments.folder).expanduser() if arguments.folder else default_folder()


def run_new(arguments: argparse.Namespace) -> int:
    """Make a pair and say what to do with it."""
    from npc_engine.keys import SERVER, check_name, new_pair

    folder = _folder(arguments)
    name = check_name(arguments.client) if arguments.client else SERVER
    pair = new_pair(folder, name)
    guard = "only you may read it" if os.name == "posix" else "Windows lets all read it who may read the folder: check"
    print(f"private  {folder / name}.key   ({guard}; give it to nobody)")
    print(f"public   {folder / name}.pub   {pair.public}")
    if arguments.client:
        print(f"\nOn the server:    npc-engine keys allow {name} {name}.pub")
        print(f'In the game:      Client(address, server_key="server.pub", key=r"{folder / name}.key")')
    else:
        print("\nOn each game's machine:  npc-engine keys new --client NAME")
        print("Here:                    npc-engine keys allow NAME NAME.pub")
        print("Give games server.pub, by which they know this server.")
    return 0


def run_allow(arguments: argparse.Namespace) -> int:
    """Let a client in."""
    from npc_engine.keys import allow, check_name, public_key

    folder = _folder(arguments)
    own = folder / f"{check_name(arguments.name)}.pub"
    if not arguments.key and not own.is_file():
        raise UsageError(f"which key? There is no {own}; npc-engine keys allow {arguments.name} FILE.pub")
    new = allow(folder, arguments.name, public_key(arguments.key or own))
    print(f"{arguments.name} is let in{'' if new else ' already'}")
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """Let a client in no more."""
    from npc_engine.keys import revoke

    revoke(_folder(arguments), arguments.name)
    print(f"{arguments.name} is let in no more; a running engine cuts it off within a second")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Print the server's public key and a table of who is let in."""
    from npc_engine.keys import SERVER, allowed_folder, load_public, read_allowed

    folder = _folder(arguments)
    server = folder / f"{SERVER}.pub"
    public = load_public(server) if server.is_file() else ""
    allowed = read_allowed(folder)
    rows = []
    for key, name in sorted(allowed.names.items(), key=lambda row: row[1]):
        since = (allowed_folder(folder) / f"{name}.pub").stat().st_mtime
        day = dt.datetime.fromtimestamp(since, dt.timezone.utc).date().isoformat()
        rows.append({"client": name, "since": day, "key": key})
    if arguments.as_json:
        faults = list(allowed.faults)
        print(json.dumps({"folder": str(folder), "server": public, "clients": rows, "faults": faults}, indent=1))
        return 0
    print(f"server   {public or f'no keys in {folder}: npc-engine keys new makes them'}")
    if rows:
        print(table([(row["client"], row["since"], row["key"]) for row in rows], ("CLIENT", "SINCE", "KEY")))
    else:
        print("nobody is let in: npc-engine keys allow NAME FILE.pub")
    for fault in allowed.faults:
        print(f"lets nobody in: {fault}")
    return 1 if allowed.faults else 0
