"""The unit of systemd, the container file and the page on operation say what the engine does."""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from npc_engine import cli
from npc_engine.logs import FIELDS
from npc_engine.server.health import STATES

ROOT = Path(__file__).parent.parent
UNIT = (ROOT / "deploy" / "npc-engine.service").read_text(encoding="utf-8")
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")


def serve_options():
    """Every option of serve, by its first name."""
    (commands,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    actions = commands.choices["serve"]._actions
    return {action.option_strings[0] for action in actions if action.dest != "help"}


def test_every_option_stands_in_the_docs_and_no_other():
    table = DOCS.partition("| option of `serve` |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", table, re.MULTILINE)) == serve_options()


def test_every_field_of_the_log_and_every_state_stands_in_the_docs():
    table = DOCS.partition("| field | what |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert named == {*FIELDS, "time", "level", "logger", "message", "exception"}
    assert all(f"`{state}`" in DOCS for state in STATES)


@pytest.mark.parametrize("where", [UNIT, DOCS], ids=["unit", "drop-in"])
def test_commands_of_the_unit_can_be_parsed(where):
    (command,) = re.findall(r"^ExecStart=/opt/npc-engine/bin/npc-engine (.*)$", where, re.MULTILINE)
    arguments = cli.parser().parse_args(shlex.split(command))
    assert (arguments.metrics, arguments.log_format) == ("9464", "json")
    assert str(arguments.cast) == "%E/npc-engine"


def test_the_unit_gives_the_engine_time_to_drain_and_its_watchdog_is_patient():
    arguments = cli.parser().parse_args(["serve"])
    assert int(re.search(r"^TimeoutStopSec=(\d+)", UNIT, re.MULTILINE)[1]) >= arguments.drain + 5
    assert int(re.search(r"^WatchdogSec=(\d+)", UNIT, re.MULTILINE)[1]) >= 10


def test_the_command_of_the_container_can_be_parsed_and_its_ports_are_told():
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", CONTAINER.replace("\\\n", ""), re.MULTILINE)
    program, *options = json.loads(entry)
    assert program == "/opt/npc-engine/bin/npc-engine"
    arguments = cli.parser().parse_args(options)
    ports = {arguments.address.rpartition(":")[2], arguments.metrics.rpartition(":")[2]}
    assert set(re.search(r"^EXPOSE (.*)$", CONTAINER, re.MULTILINE)[1].split()) == ports
    (check,) = re.findall(r"CMD (\[.*\])$", CONTAINER, re.MULTILINE)
    assert f"http://127.0.0.1:{arguments.metrics.rpartition(':')[2]}/healthz" in json.loads(check)[2]
    compile(json.loads(check)[2], "healthcheck", "exec")


def test_the_container_has_what_the_package_is_built_of():
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINER, re.MULTILINE)
    sources = [source for row in copied for source in row.split()]
    assert all((ROOT / source).exists() for source in sources)
    toml = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = toml.partition("[tool.hatch.build.targets.wheel.force-include]")[2].partition("\n\n")[0]
    assert set(re.findall(r'^"(.*?)"', included, re.MULTILINE)) <= set(sources)
    assert "USER 10001:10001" in CONTAINER


@pytest.fixture
def analyzed(tmp_path):
    """systemd-analyze on the unit, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        if "CI" in os.environ:
            raise FileNotFoundError("systemd-analyze: CI installs systemd")
        pytest.skip("systemd-analyze is missing: apt install systemd")
    unit = tmp_path / "npc-engine.service"
    unit.write_text(UNIT.replace("/opt/npc-engine/bin/npc-engine", sys.executable), encoding="utf-8")

    def run(*command):
        command = ["systemd-analyze", *command, str(unit)]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    return run


def test_systemd_finds_nothing_wrong_with_the_unit(analyzed):
    run = analyzed("verify", "--man=no")
    assert (run.returncode, run.stderr) == (0, "")


def test_the_unit_is_as_shut_in_as_the_docs_say(analyzed):
    run = analyzed("security", "--offline=true", "--no-pager")
    if run.returncode and "offline" in run.stderr:
        pytest.skip("systemd is older than 250 and can't tell")
    told = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)[1])
    assert told <= float(re.search(r"`systemd-analyze security` says ([\d.]+)", DOCS)[1]) + 0.3  # systemds differ
