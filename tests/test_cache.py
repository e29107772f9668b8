"""A phrase that was spoken before is answered without synthesis, bit for bit, whatever happens to the files."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npc_engine.cast import Cast
from npc_engine.moments import Line, Phone
from npc_engine.speech.cache import TakeCache, default_folder
from npc_engine.speech.cache_files import packed, unpacked
from npc_engine.speech.engine import Take, WordTime
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.load import VoiceEngines
from npc_engine.text.phrases import Phrase, PhraseMark, Prosody, Run, WordSpan

ROOT = Path(__file__).parents[1]


class Hum:
    """An engine that hums noise by the text, 4,800 samples a word in a take of its own, and counts what it speaks."""

    slow = False

    def __init__(self, key="hum 1"):
        self.key = key
        self.spoken = []

    def check(self, text):
        pass

    def speak(self, phrase):
        self.spoken.append(phrase.text)
        for index in range(len(phrase.words)):
            if phrase.text[phrase.words[index].first :].startswith("boom"):
                raise SpeechError("boom")
            rng = random.Random(repr((self.key, phrase.text, phrase.runs, phrase.goes_on, index)))
            samples = np.frombuffer(rng.randbytes(19_200), np.uint32).astype(np.float32) / np.float32(2**32)
            at = 4800 * index
            last = index == len(phrase.words) - 1
            yield Take(
                samples, (Phone("ʌ", at, at + 4800),), (WordTime(index, at, at + 4800),), last=last, tail=90 * last
            )


def phrase(text, prosody=None, begins=0, **changes):
    words, at = [], 0
    for word in text.split():
        first = text.index(word, at)
        at = first + len(word)
        words.append(WordSpan(word, first, at, begins + first, begins + at))
    return replace(Phrase(text, tuple(words), (Run(0, len(text), prosody or Prosody()),)), **changes)


def same(a, b):
    a, b = list(a), list(b)
    return len(a) == len(b) and all(
        x.samples.dtype == y.samples.dtype == np.float32
        and x.samples.tobytes() == y.samples.tobytes()
        and (x.phones, x.words, x.last, x.tail) == (y.phones, y.words, y.last, y.tail)
        for x, y in zip(a, b, strict=True)
    )


def files(folder, ending="take"):
    return sorted(folder.glob(f"*.{ending}"))


def test_a_repeated_phrase_is_the_same_and_not_spoken_again(tmp_path):
    engine, cache, asked = Hum(), TakeCache(folder=tmp_path), phrase("one two three")
    first = list(cache.takes(engine, asked))
    assert same(first, Hum().speak(asked))
    assert same(first, cache.takes(engine, asked))
    cache.flush()
    other = TakeCache(folder=tmp_path)  # another process
    assert same(first, other.takes(engine, asked))
    assert same(first, other.takes(engine, asked))
    assert engine.spoken == ["one two three"]
    assert (cache.counts().hits, cache.counts().misses) == (1, 1)
    assert (other.counts().hits, other.counts().misses, other.counts().entries) == (2, 0, 1)


def test_the_key_holds_all_that_shapes_the_sound_and_nothing_else():
    engine, cache = Hum(), TakeCache()
    plain = phrase("one two")
    for heard_alike in (
        plain,
        phrase("one two", begins=70),
        replace(plain, marks=(PhraseMark("here", 4),)),
        replace(plain, pause_ms=900),
    ):
        list(cache.takes(engine, heard_alike))
    assert len(engine.spoken) == 1
    different = [
        phrase("one  two"),
        replace(plain, goes_on=True),
        replace(plain, words=plain.words[:1]),
        replace(plain, runs=(Run(0, 3), Run(3, 7))),
        replace(plain, runs=(Run(0, 7, ipa="wʌn"),)),
        *(phrase("one two", Prosody(**{name: 1.1})) for name in ("rate", "pitch", "range", "volume_db", "pause")),
    ]
    for other in different:
        list(cache.takes(engine, other))
    assert len(engine.spoken) == 1 + len(different)
    again = Hum("hum 2")
    assert same(cache.takes(again, plain), Hum("hum 2").speak(plain))
    assert len(again.spoken) == 1


def test_only_a_finished_phrase_is_kept(tmp_path):
    engine, cache = Hum(), TakeCache(folder=tmp_path)
    with closing(cache.takes(engine, phrase("one two three"))) as takes:
        next(takes)
        next(takes)
    with pytest.raises(SpeechError, match="boom"):
        list(cache.takes(engine, phrase("one boom")))
    cache.flush()
    assert cache.counts().entries == 0
    assert not list(tmp_path.iterdir())
    assert same(cache.takes(engine, phrase("one two three")), Hum().speak(phrase("one two three")))
    assert len(engine.spoken) == 3


def test_an_engine_without_a_key_is_never_kept(tmp_path):
    engine, cache = Hum(""), TakeCache(folder=tmp_path)
    for _ in range(2):
        assert same(cache.takes(engine, phrase("one")), Hum("").speak(phrase("one")))
    cache.flush()
    assert len(engine.spoken) == 2
    assert not list(tmp_path.iterdir())


def test_a_listener_cannot_change_what_is_kept():
    engine, cache = Hum(), TakeCache()
    for take in cache.takes(engine, phrase("one")):
        take.samples[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        next(cache.takes(engine, phrase("one"))).samples[:] = 0
    assert len(engine.spoken) == 1


def test_memory_is_bounded_and_the_longest_unused_goes_first():
    engine, cache = Hum(), TakeCache(memory_bytes=100_000)  # five phrases of a word
    for text in ("a", "b", "c", "d", "e", "a", "f", "a", "b"):
        list(cache.takes(engine, phrase(text)))
        assert cache.counts().memory_bytes <= 100_000
    assert engine.spoken == ["a", "b", "c", "d", "e", "f", "b"]
    list(cache.takes(engine, phrase("a phrase far too long to keep")))  # would drive out all others
    assert cache.counts().entries == 5


def test_files_are_bounded_and_the_longest_unused_goes_first(tmp_path):
    cache = TakeCache(memory_bytes=0, folder=tmp_path, disk_bytes=100_000)
    for number, text in enumerate(("a", "b", "c", "d", "a", "e", "f", "g")):
        list(cache.takes(Hum(), phrase(text)))
        cache.flush()
        assert sum(p.stat().st_size for p in files(tmp_path)) <= 100_000
        for path in files(tmp_path):  # a clock in steps of a second, for file systems that know no finer
            if path.stat().st_mtime > 1e6:
                os.utime(path, (number, number))
    engine = Hum()
    for text in ("a", "b"):
        list(TakeCache(folder=tmp_path).takes(engine, phrase(text)))
    assert engine.spoken == ["b"]


def test_what_a_dead_process_left_unfinished_is_removed(tmp_path):
    (tmp_path / "old.part").write_bytes(b"x")
    os.utime(tmp_path / "old.part", (1, 1))
    (tmp_path / "new.part").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("not ours", encoding="utf-8")
    cache = TakeCache(folder=tmp_path)
    list(cache.takes(Hum(), phrase("one")))
    cache.flush()
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".take") == ["new.part", "notes.txt"]


FAULTS = {
    "empty": lambda data: b"",
    "half a header": lambda data: data[:30],
    "truncated": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "foreign": lambda data: b"RIFF" + data[4:],
    "of another phrase": lambda data: data[:8] + bytes(32) + data[40:],
    "flipped": lambda data: data[:5000] + bytes([data[5000] ^ 4]) + data[5001:],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_file_is_dropped_and_the_phrase_spoken_anew(tmp_path, caplog, fault):
    asked = phrase("one two")
    cache = TakeCache(folder=tmp_path)
    list(cache.takes(Hum(), asked))
    cache.flush()
    (path,) = files(tmp_path)
    path.write_bytes(FAULTS[fault](path.read_bytes()))
    engine, cache = Hum(), TakeCache(folder=tmp_path)
    with caplog.at_level(logging.WARNING):
        assert same(cache.takes(engine, asked), Hum().speak(asked))
    cache.flush()
    assert engine.spoken == ["one two"]
    assert len(caplog.records) == 1
    assert str(path) in caplog.text
    assert same(TakeCache(folder=tmp_path).takes(Hum(), asked), Hum().speak(asked))  # written anew


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_flipped_or_cut_byte_is_ever_heard(data):
    takes, key = tuple(Hum().speak(phrase("one"))), "ab" * 32
    whole = packed(takes, key)
    assert same(unpacked(whole, key), takes)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(flipped), whole[:at]):
        with pytest.raises(ValueError, match=r"expected|promised|checksum"):
            unpacked(broken, key)


def test_a_folder_that_cannot_be_one_costs_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    engine, cache = Hum(), TakeCache(memory_bytes=0, folder=tmp_path / "file" / "takes")
    with caplog.at_level(logging.WARNING):
        for text in ("one", "two", "one"):
            assert same(cache.takes(engine, phrase(text)), Hum().speak(phrase(text)))
            cache.flush()
    assert len(engine.spoken) == 3
    assert len(caplog.records) == 1
    assert "lines go on" in caplog.text


FULL = """
import logging, resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_cache import Hum, phrase, same
from npc_engine.speech.cache import TakeCache
logging.basicConfig(format="%(message)s")
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
cache = TakeCache(memory_bytes=0, folder=Path({folder!r}))
for text in ("one two three", "four five six", "seven eight nine"):
    assert same(cache.takes(Hum(), phrase(text)), Hum().speak(phrase(text)))
    cache.flush()
"""


def fill(folder, limit):
    code = FULL.format(tests=str(ROOT / "tests"), folder=str(folder), limit=limit)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("can't be written") == 1, done.stderr
    assert not files(folder, "part")
    for path in files(folder):
        unpacked(path.read_bytes(), path.stem)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_file_that_cannot_grow_costs_one_warning_and_no_line(tmp_path):
    fill(tmp_path, 20_000)
    assert not files(tmp_path)


def test_a_full_disk_costs_one_warning_and_no_line(tmp_path):
    small = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(tmp_path)]
    if sys.platform != "linux" or subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("no small file system here (mount -t tmpfs is for root on Linux)")
    try:
        fill(tmp_path, 0)
        assert len(files(tmp_path)) == 1
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_cache import Hum, phrase
from npc_engine.speech.cache import TakeCache
cache = TakeCache(memory_bytes=0, folder=Path({folder!r}))
for number in range(10**6):
    list(cache.takes(Hum(), phrase(" ".join(["again"] * 40) + f" {{number % 7}}")))
    cache.flush()
    for path in Path({folder!r}).glob("*.take"):
        path.unlink()
    print(number, flush=True)
"""


def test_a_process_killed_while_it_writes_leaves_nothing_that_is_heard(tmp_path, caplog):
    texts = [" ".join(["again"] * 40) + f" {number}" for number in range(7)]
    for seed in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER.format(tests=str(ROOT / "tests"), folder=str(tmp_path))],
            stdout=subprocess.PIPE,
        )
        process.stdout.readline()  # it is at work
        time.sleep(random.Random(seed).random() / 20)
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        process.communicate(timeout=30)
        with caplog.at_level(logging.WARNING):
            for text in texts:
                assert same(TakeCache(folder=tmp_path).takes(Hum(), phrase(text)), Hum().speak(phrase(text)))
    assert not caplog.records


def test_many_threads_and_two_caches_on_one_folder(tmp_path):
    texts = [f"phrase {number} of some" for number in range(12)]
    truth = {text: list(Hum().speak(phrase(text))) for text in texts}
    caches = [TakeCache(memory_bytes=200_000, folder=tmp_path, disk_bytes=400_000) for _ in range(2)]
    wrong, gate = [], threading.Barrier(8)

    def ask(seed):
        rng = random.Random(seed)
        gate.wait(30)
        for _ in range(40):
            text = rng.choice(texts)
            takes = rng.choice(caches).takes(Hum(), phrase(text))
            if rng.random() < 0.2:
                next(takes)
                takes.close()
            elif not same(takes, truth[text]):
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for cache in caches:
        cache.flush()
    assert not wrong
    assert not files(tmp_path, "part")
    assert all(unpacked(path.read_bytes(), path.stem) for path in files(tmp_path))


def test_two_lines_that_ask_at_once_both_speak_and_one_is_kept(tmp_path):
    engine, cache, asked = Hum(), TakeCache(folder=tmp_path), phrase("one two")
    a, b = cache.takes(engine, asked), cache.takes(engine, asked)
    heard_a, heard_b = [next(a)], [next(b)]
    heard_a += a
    heard_b += b
    assert same(heard_a, heard_b)
    cache.flush()
    assert cache.counts().entries == len(files(tmp_path)) == 1


def test_a_real_line_comes_back_bit_for_bit_and_sooner(tmp_path):
    spec, folder = Cast((ROOT,)).voice("woman")
    line = Line("1", "woman", "The old bridge is broken. Take the path along the river, and mind the step!")
    spoken = list(VoiceEngines().voice(spec, "woman", folder).speak(line))
    cache = TakeCache(folder=tmp_path)
    voice = VoiceEngines(cache.takes).voice(spec, "woman", folder)
    for asked in range(2):
        for ours, theirs in zip(voice.speak(line), spoken, strict=True):
            assert ours.samples.tobytes() == theirs.samples.tobytes()
            assert (ours.start, ours.phones, ours.words) == (theirs.start, theirs.phones, theirs.words)
        assert cache.counts().hits == asked * cache.counts().misses
    cache.flush()


def test_the_standard_folder_is_the_users_cache():
    assert default_folder().name == "takes"
    assert "npc_engine" in default_folder().parts
