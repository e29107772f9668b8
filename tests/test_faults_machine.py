"""Clocks that jump and disks that are full: lines go on, and the log says what is wrong once."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_faults_voices import hear, ticks, wait_for

from npc_engine.client import Client
from npc_engine.wire.messages import Accepted, End, Moments

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from reliability.served import Served, real  # noqa: E402

LONG = "word " * 400
DAY_S = 86_400

# What faketime does, as far as it is needed here: the calendar is off by what a file says; other clocks are let be.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    char text[32] = {0};
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    if (file < 0) return 0;
    long got = read(file, text, sizeof text - 1);
    close(file);
    return got > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *told)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, told);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) told->tv_sec += offset();
    return done;
}

int gettimeofday(struct timeval *told, void *zone)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    told->tv_sec = now.tv_sec;
    told->tv_usec = now.tv_nsec / 1000;
    (void)zone;
    return 0;
}

time_t time(time_t *told)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
"""

SERVER = """
import sys, tempfile, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from tone import ToneStage
from npc_engine.server.server import Server
with tempfile.TemporaryDirectory() as folder:
    server = Server(ToneStage(Path(folder)), "tcp://127.0.0.1:*", text_idle_s=6.0)
    server.start()
    print(server.address, flush=True)
    for _ in sys.stdin:
        print(time.time(), flush=True)
    server.stop()
"""

GAME = """
import json, sys, time
from npc_engine.client import Client
from npc_engine.wire.messages import Moments
client = Client(sys.argv[1], 30)
told = {}
for event in client.say("ben", "word " * 400, timeout_s=60):
    if isinstance(event, Moments):
        assert event.tick == told.get("ticks", 0)
        told["ticks"] = event.tick + event.ticks
        if told["ticks"] >= 100 and "began" not in told:
            told["began"] = time.time()
            print("speaking", flush=True)
            sys.stdin.readline()
told["end"] = event.kind
told["jumped"] = time.time() - told["began"]
print(json.dumps(told))
"""


@pytest.fixture
def jumping(tmp_path):
    """The environment of processes whose calendar jumps, and what makes it jump by so many seconds."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("the clock is moved by a library that cc builds, on Linux only")
    source, library, offset = tmp_path / "clock.c", tmp_path / "clock.so", tmp_path / "offset"
    source.write_text(SHIM, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    offset.write_text("0", encoding="ascii")
    part = tmp_path / "offset.part"

    def jump(seconds):
        part.write_text(str(seconds), encoding="ascii")
        part.replace(offset)

    return {**os.environ, "LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}, jump


def run(code, environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def clock(server):
    server.stdin.write("\n")
    server.stdin.flush()
    return float(server.stdout.readline())


@pytest.mark.parametrize("seconds", [DAY_S, -DAY_S], ids=["a day on", "a day back"])
def test_a_calendar_that_jumps_disturbs_no_line(seconds, jumping):
    environment, jump = jumping
    server = run(SERVER.format(tests=str(ROOT / "tests")), environment)
    try:
        address = server.stdout.readline().strip()
        game = run(GAME, environment, address)
        with Client(address, 30) as client:
            client.speak("ben", LONG, line="long", credit_ms=400)
            client.speak("anna", "one two ", line="open", open=True)
            client.idle("anna", line="living", seconds=20.0)
            assert game.stdout.readline() == "speaking\n"
            events = []
            wait_for(lambda: events.extend(client.poll(0.05)) or any(isinstance(e, Moments) for e in events))
            before = clock(server)
            jump(seconds)
            assert abs(clock(server) - before - seconds) < 3_600  # it does jump
            game.stdin.write("\n")
            game.stdin.flush()
            began = time.monotonic()
            while time.monotonic() < began + 1.5:  # what waited for a time on the calendar would end now
                events += client.poll(0.05)
            over = [e for e in events if e.line in {"open", "living"} and e.kind not in {"accepted", "moment", "words"}]
            assert not over
            client.append("open", "three")
            client.commit("open")
            client.credit("long", 9_000)
            rest, ends = hear(client, "open")
            assert ends["open"] == End("open", 15)
            events += rest
            jump(0)
            more, ends = hear(client, "long", seconds=120)
            events += more
            assert ends["long"] == End("long", 2_000)
            assert ticks(events, "long") == 2_000
        told = json.loads(game.communicate("", timeout=120)[0].splitlines()[-1])
        assert (told["ticks"], told["end"]) == (2_000, "end")
        assert server.poll() is None
    finally:
        server.kill()
        server.communicate()


# ── full disks ────────────────────────────────────────────────────────────────────────────────────────────────────────

TEXTS = ("Mind the step!", "The old bridge is broken.", "Nobody enters the castle tonight.", "Have you seen my cat?")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 128 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small file system here (mount -t tmpfs is for root on Linux)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_an_engine_whose_disk_is_full_speaks_on_though_neither_cache_nor_log_can_be_written(small_disk):
    """The log has filled the disk before the first line is spoken; with room again it is written to again."""
    with Served([*real(small_disk, "--log", "debug")], small_disk) as served:
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        with Client(served.address, 60) as client:
            for text in TEXTS:
                events = list(client.say("maren", text, timeout_s=120))
                assert isinstance(events[0], Accepted)
                assert isinstance(events[-1], End)
            client.warm("elder", TEXTS[0])
            wait_for(lambda: [event.kind for event in client.poll(0.1)] == ["warmed"], 120)
        assert served.process.poll() is None
        size = served.log.stat().st_size
        filler.unlink()
        with Client(served.address, 60) as client:
            assert isinstance(list(client.say("maren", TEXTS[0], timeout_s=120))[-1], End)
        wait_for(lambda: served.log.stat().st_size > size)
        assert served.process.poll() is None
