"""The cast: voices/NAME/voice.toml, faces/NAME/face.toml and npcs.toml, read into checked specs."""

from __future__ import annotations

import sys
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from npc_engine.head_spec import HeadSpec
from npc_engine.moments import STYLES
from npc_engine.nearest import near as near  # noqa: PLC0414, told on: what reads a toml names what was meant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


class CastError(ValueError):
    """A voice, face or character that can't be used: says which file, what came and what was expected."""


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file; raises `CastError` naming the file, and line and column of a fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise CastError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}"
        raise CastError(msg) from None


def checked(cls: type[T], table: dict[str, Any], where: str) -> T:
    """`table` as the dataclass `cls`; unknown keys, missing keys and wrong types raise `CastError`.

    An int stands for a float, and a list for a tuple; fields of `cls` marked `init=False` are not read.
    """
    known = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    types = get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            msg = f"{where}: unknown key {key!r}{near(key, known)}"
            raise CastError(msg)
        values[key] = _typed(value, types[key], f"{where}: {key}")
    for name, f in known.items():
        if name not in values and f.default is MISSING and f.default_factory is MISSING:
            msg = f"{where}: key {name!r} is missing"
            raise CastError(msg)
    try:
        return cls(**values)
    except ValueError as error:
        msg = f"{where}: {error}"
        raise CastError(msg) from None


def _typed(value: Any, expected: Any, where: str) -> Any:
    if get_origin(expected) is tuple:
        inner = get_args(expected)[0]
        if isinstance(value, list):
            return tuple(_typed(v, inner, f"{where}[{i}]") for i, v in enumerate(value))
    elif get_origin(expected) is dict:
        inner = get_args(expected)[1]
        if isinstance(value, dict):
            return {k: _typed(v, inner, f"{where}.{k}") for k, v in value.items()}
    elif is_dataclass(expected) and isinstance(expected, type):
        if isinstance(value, dict):
            return checked(expected, value, where)
    elif expected is Any:
        return value
    elif expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif isinstance(value, expected) and not (expected is int and isinstance(value, bool)):
        return value
    name = getattr(expected, "__name__", str(expected))
    msg = f"{where} is {value!r} ({type(value).__name__}), expected {name}"
    raise CastError(msg)


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """A voice.toml: which engine speaks, and how this character's voice differs from the engine's own."""

    engine: str  # hibari, kokoro, coqui or recording
    language: str = "en-US"
    sex: str = ""  # female, male or "" where it does not apply
    about: str = ""
    licence: str = ""
    speed: float = 1.0  # 1.2 talks a fifth faster
    pitch: float = 1.0  # factor on pitch: 0.8 a man, 1.15 a child
    formant: float = 0.0  # factor on formants, the size of the body: 0.9 larger; 0 goes with the pitch
    range: float = 1.0  # factor on how far the pitch moves: 0.2 flat, 1.6 excited
    gain_db: float = 0.0  # makes voices equally loud
    blend: dict[str, float] = field(default_factory=dict)  # kokoro: style → share
    model: str = ""  # coqui: a file beside voice.toml, or a name on the hub
    config: str = ""  # coqui: the model's config.json, beside voice.toml
    speaker: str = ""  # coqui: of a model with several
    lines: dict[str, str] = field(default_factory=dict)  # recording: text → sound file beside voice.toml

    def __post_init__(self) -> None:
        for name, low, high in (
            ("speed", 0.5, 2.0),
            ("pitch", 0.5, 1.6),
            ("range", 0.0, 2.0),
            ("gain_db", -24, 24),
        ):
            if not low <= getattr(self, name) <= high:
                msg = f"{name} is {getattr(self, name)}, expected {low} to {high}"
                raise ValueError(msg)
        if self.formant and not 0.5 <= self.formant <= 1.6:
            msg = f"formant is {self.formant}, expected 0.5 to 1.6, or 0 to go with the pitch"
            raise ValueError(msg)


FACE_ENGINES = ("portrait", "head", "liveportrait")


@dataclass(frozen=True, slots=True)
class NeuralSpec:
    """[neural] of a face.toml: networks that the user owns (docs/neural.md)."""

    models: str = ""  # folder of the ONNX files, relative to the face's; "": this user's own
    device: str = "cuda"  # or cpu: seconds for each picture, for files and not for games
    restore: float = 0.0  # share of GFPGAN's restoration in every picture; 0 runs without it
    blend: str = "feather"  # or poisson: how a network's crop joins the picture around it

    def __post_init__(self) -> None:
        for name, known in (("device", ("cuda", "cpu")), ("blend", ("feather", "poisson"))):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}{near(value, known)}")
        if not 0 <= self.restore <= 1:
            raise ValueError(f"restore is {self.restore}, expected 0 to 1")


@dataclass(frozen=True, slots=True)
class IdentitySpec:
    """[identity] of a face.toml: who judges whether a drawn picture still is that person."""

    network: str = ""  # an ArcFace ONNX file of the user's, relative to the face's folder; "": the one that ships


@dataclass(frozen=True, slots=True)
class FaceSpec:
    """A face.toml: which engine draws, from what, and limits on how far this face may move."""

    engine: str = "portrait"  # one of FACE_ENGINES
    picture: str = "picture.png"  # file beside face.toml
    landmarks: str = "landmarks.npz"  # beside face.toml, written when the face was added
    mask: str = ""  # likewise, who in the picture is the person; "": looked for when the face is loaded
    background: str = ""  # likewise, what is behind that person
    about: str = ""
    licence: str = ""
    source: str = ""
    limits: dict[str, float] = field(default_factory=dict)  # coefficient name → largest weight drawn
    neural: NeuralSpec = NeuralSpec()
    head: HeadSpec = field(default_factory=HeadSpec)
    identity: IdentitySpec = IdentitySpec()

    def __post_init__(self) -> None:
        if self.engine not in FACE_ENGINES:
            expected = f"expected one of {', '.join(FACE_ENGINES)}{near(self.engine, FACE_ENGINES)}"
            raise ValueError(f"engine is {self.engine!r}, {expected}")


INTENSITY, SMOOTHING = (0.0, 2.0), (0.0, 1.0)
"""From where to where the keys of an npcs.toml may go."""


@dataclass(frozen=True, slots=True)
class NpcSpec:
    """A character in npcs.toml: who speaks, who is seen, and how lively."""

    voice: str
    face: str = ""
    about: str = ""
    style: str = "lively"
    intensity: float = 1.0  # factor on how far the mouth moves
    smoothing: float = 0.5  # of how the mouth moves: 0 none, 1 most

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"style is {self.style!r}, expected one of {', '.join(STYLES)}{near(self.style, STYLES)}")
        for name, (low, high) in (("intensity", INTENSITY), ("smoothing", SMOOTHING)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}, expected {low} to {high}")


SHIPPED = Path(__file__).parent


def shipped_root() -> Path:
    """The folder with the voices and faces that ship: the checkout, or inside the installed package."""
    checkout = SHIPPED.parent
    return checkout if (checkout / "voices").is_dir() else SHIPPED / "shipped"


@dataclass(frozen=True, slots=True)
class Cast:
    """Voices, faces and characters in `folders`; an earlier folder's entry hides a later one's of the same name."""

    folders: tuple[Path, ...]

    @staticmethod
    def standard(folder: Path | None = None) -> Cast:
        """The cast of `folder` (the working directory unless told), then what ships."""
        own = (folder or Path.cwd()).resolve()
        return Cast(tuple(dict.fromkeys((own, shipped_root().resolve()))))

    def _named(self, kind: str, file: str) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for root in self.folders:
            for path in sorted((root / kind).glob(f"*/{file}")):
                found.setdefault(path.parent.name, path)
        return found

    def voices(self) -> dict[str, Path]:
        """Name → voice.toml of every voice."""
        return self._named("voices", "voice.toml")

    def faces(self) -> dict[str, Path]:
        """Name → face.toml of every face."""
        return self._named("faces", "face.toml")

    def npcs(self) -> dict[str, NpcSpec]:
        """Name → spec of every character; every voice is one too, under its own name, without a face of its own."""
        found = self.characters()
        for name in self.voices():
            found.setdefault(name, NpcSpec(voice=name))
        return found

    def characters(self) -> dict[str, NpcSpec]:
        """Name → spec of every character that an npcs.toml describes."""
        found: dict[str, NpcSpec] = {}
        for root in self.folders:
            path = root / "npcs.toml"
            if path.is_file():
                for name, table in read_toml(path).items():
                    if not isinstance(table, dict):
                        msg = f"{path}: {name} is {table!r}, expected a table [{name}]"
                        raise CastError(msg)
                    found.setdefault(name, checked(NpcSpec, table, f"{path}: [{name}]"))
        return found

    def voice(self, name: str) -> tuple[VoiceSpec, Path]:
        """The spec of a voice and its folder; `CastError` names the nearest known voice."""
        path = self._path("voice", name, self.voices())
        return checked(VoiceSpec, read_toml(path), str(path)), path.parent

    def face(self, name: str) -> tuple[FaceSpec, Path]:
        """The spec of a face and its folder; `CastError` names the nearest known face."""
        path = self._path("face", name, self.faces())
        return checked(FaceSpec, read_toml(path), str(path)), path.parent

    def npc(self, name: str) -> NpcSpec:
        """The spec of a character; `CastError` names the nearest known one."""
        known = self.npcs()
        if name not in known:
            msg = f"no character {name!r}{near(name, known)}; known: {', '.join(sorted(known)) or 'none'}"
            raise CastError(msg)
        return known[name]

    def _path(self, kind: str, name: str, known: dict[str, Path]) -> Path:
        if name not in known:
            msg = f"no {kind} {name!r}{near(name, known)}; known: {', '.join(sorted(known)) or 'none'}"
            raise CastError(msg)
        return known[name]
