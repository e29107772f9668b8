"""Makes what npc_engine ships of Kokoro: style files, and the 8-bit steps of its generator.

python tools/voices/kokoro_assets.py --weights kokoro-v1.0.int8.onnx --styles package/voices
python tools/voices/kokoro_assets.py --weights … --styles … --check --only af_heart,jf_alpha

`--weights` is the file that `npc-engine voices install kokoro` fetches, `--styles` the folder `voices` of the npm
package kokoro-js 1.2.1 (NAME.bin, f32[510, 256]). The generator runs in floats over whole sentences, three of them in
each of 31 styles, and tells mean and variance of every normalised channel, which become the style's own; then over two
in each of 20 with those fixed. The lowest and highest values before and after a convolution give its steps of 8 bits.
`--check` writes nothing and tells how far from the shipped files the new ones are; `--only` measures some styles alone,
without the steps. All of it takes about ten minutes of one core and the extras `chinese` and `japanese`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.kokoro import STYLES
from npc_engine.speech.kokoro_generator import COARSE, NORMS, GeneratorWriter, Moments, StyleLayers
from npc_engine.speech.kokoro_model import KokoroModel, Style, load_style, session
from npc_engine.speech.kokoro_reading import KokoroReader, reader
from npc_engine.speech.kokoro_source import harmonics
from npc_engine.speech.kokoro_weights import checked_weights
from npc_engine.speech.onnx_graph import OnnxFile
from npc_engine.speech.reading import Reading
from npc_engine.text.reader import read

F32 = npt.NDArray[np.float32]
ROOT = Path(__file__).parents[2]
SCALES = STYLES.parent / "kokoro_scales.npz"
SHIPPED = (
    "af_bella af_heart am_fenrir am_michael am_onyx bf_emma bf_isabella bm_fable bm_george jf_alpha jm_kumo"
    " zf_xiaobei zf_xiaoxiao zm_yunjian zm_yunxi"
)
MEASURED = (  # a step fits styles that nobody has asked for yet; the order says who reads which sentence
    "af_heart af_bella af_nicole af_kore af_aoede af_sarah am_michael am_onyx am_fenrir am_puck am_echo bf_emma"
    " bf_isabella bf_alice bm_george bm_fable bm_lewis bm_daniel zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian"
    " zm_yunxi zm_yunxia zm_yunyang jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo"
)
AGAIN = (
    "af_heart am_onyx jf_alpha zm_yunxi bf_emma bm_george af_bella am_michael zf_xiaobei jm_kumo af_aoede am_fenrir"
    " bm_fable bf_isabella zf_xiaoxiao zm_yunjian jf_gongitsune jf_tebukuro af_sarah am_puck"
)
LANGUAGES = {"z": "zh", "j": "ja"}  # of a style by its first letter; others read English
TEXTS = {
    "zh": (
        "小心台阶，旅行者，雨后石头很滑。",
        "欢迎来到村子，你看起来走了很长的路。",
        "旧桥已经断了，请沿着河边的小路走。",
        "没有国王的信，谁也不能进入城堡。",
        "今晚给我带来五个红蘑菇，我就给你熬药。",
    ),
    "ja": (
        "足元に気をつけて、雨の後は石が滑りやすいですよ。",
        "村へようこそ。ずいぶん遠くから歩いてきたようですね。",
        "古い橋は壊れているので、川沿いの道を行ってください。",
        "王様の手紙がなければ、誰もお城には入れません。",
        "今夜、赤いキノコを五つ持ってきたら、薬を作ってあげましょう。",
    ),
}
IN_ROOM, OUT_ROOM = 1.05, 1.1  # beyond the values that were measured
LARGEST_WEIGHT = 63  # as the generator rounds them
LEAST = 1e-3
NAMES = [name.replace("adain", "convs") for name, _ in NORMS]  # a convolution follows every normalisation
WIDTHS = [width for _, width in NORMS]
SEEN = ("mean", "square", "in_low", "in_high", "out_low", "out_high")  # of every channel


class _Measuring(GeneratorWriter):
    """A stage of the generator in floats that tells the levels of its channels, normalised by its own or as told."""

    def __init__(self, file: OnnxFile, stage: int, *, own: bool) -> None:
        super().__init__(file, {}, stage)
        self._own = own
        self._seen: dict[str, list[str]] = {key: [] for key in SEEN}

    def model(self) -> bytes:
        given = [self._drawn(), *(self._graph.many("Concat", seen, 1, axis=1)[0] for seen in self._seen.values())]
        return self._graph.model(["frames", "source", "factors", "summands"], given)

    def _over(self, op: str, key: str, x: str) -> str:
        found = self._graph.node(op, x, self._graph.constant(np.array([2], np.int64)), keepdims=1)
        self._seen[key].append(found)
        return found

    def _snake(self, name: str, alpha: F32, x: str) -> str:
        graph = self._graph
        mean = self._over("ReduceMean", "mean", x)
        square = self._over("ReduceMean", "square", graph.node("Mul", x, x))
        if self._own:
            variance = graph.node("Sub", square, graph.node("Mul", mean, mean))
            root = graph.node("Sqrt", graph.node("Add", variance, graph.constant(np.float32(1e-5))))
            x = graph.node("Div", graph.node("Sub", x, mean), root)
        y = graph.node("Add", graph.node("Mul", x, self._factors[name]), self._summands[name])
        sine = graph.node("Sin", graph.node("Mul", y, graph.constant(alpha)))
        return graph.node("Add", y, graph.node("Mul", graph.node("Mul", sine, sine), graph.constant(1 / alpha)))

    def _conv(self, name: str, times: F32, x: str) -> str:  # noqa: ARG002 - x is not multiplied here
        weights, scale, bias, places = self._convolution(name)
        self._over("ReduceMin", "in_low", x)
        self._over("ReduceMax", "in_high", x)
        floats, bias_name = self._graph.constant(weights * scale), self._graph.constant(bias)
        y = self._graph.node("Conv", x, floats, bias_name, **places)
        self._over("ReduceMin", "out_low", y)
        self._over("ReduceMax", "out_high", y)
        return y

    def _source(self, name: str) -> str:
        x = super()._source(name)
        return self._graph.node("Squeeze", x, self._graph.constant(np.array([2], np.int64))) if self._stage else x

    def _block(self, name: str, x: str) -> str:
        x = super()._block(name, x)
        if name != "noise_res.1":
            return x
        return self._graph.node("Unsqueeze", x, self._graph.constant(np.array([2], np.int64)))

    def weights(self, name: str) -> F32:
        """A convolution's weights."""
        weights, scale, _, _ = self._convolution(name)
        return weights * scale


class _Bench:
    """The network, with its generator in floats, and its readers."""

    def __init__(self, weights: bytes) -> None:
        self._file = OnnxFile(weights)
        self._model = KokoroModel(weights, "")
        self._layers = StyleLayers(self._file)
        self._stages = {own: self._sessions(own=own) for own in (True, False)}
        self._hibari = HibariModel()
        self._readers: dict[str, KokoroReader] = {}
        self._read: dict[str, list[Reading]] = {}

    def _sessions(self, *, own: bool) -> list[Any]:
        return [session(_Measuring(self._file, stage, own=own).model()) for stage in (0, 1)]

    def readings(self, style: str, turn: int, count: int) -> list[Reading]:
        """What the style that is the `turn`th reads."""
        language = LANGUAGES.get(style[0], "en-US")
        if language not in self._read:
            lines = (ROOT / "tests" / "npc_lines.txt").read_text(encoding="utf-8").splitlines()
            reads = reader(self._hibari, language, "measured")
            self._read[language] = []
            for text in TEXTS.get(language, tuple(line for line in lines if line)):
                symbols = " ".join(r.symbols for phrase in read(text) for r in reads.read(phrase))
                self._read[language].append(Reading(symbols, (-1,) * len(symbols)))
        known = self._read[language]
        return [known[(turn + 2 * i) % len(known)] for i in range(count)]

    def levels(self, reading: Reading, vectors: F32, moments: Moments | None) -> dict[str, F32]:
        """`SEEN` of all channels f32[9216], and how many frames there were; own moments where none are given."""
        told = moments or Moments(np.zeros(sum(WIDTHS), np.float32), np.ones(sum(WIDTHS), np.float32))
        style = Style(vectors, told)
        plan = self._model.plan(reading, style, np.ones(len(reading.symbols) + 2, np.float32))
        outline, vector = self._model.outline(plan, plan.f0, style)
        source = harmonics(plan.f0, self._model.mixer)
        factors, summands = self._layers.affine(vector, told)
        x, found = outline, []
        for run, part in zip(self._stages[moments is None], (slice(COARSE), slice(COARSE, None)), strict=True):
            feeds = {"frames": x, "source": source, "factors": factors[:, part], "summands": summands[:, part]}
            x, *seen = run.run(None, {key: np.ascontiguousarray(value) for key, value in feeds.items()})
            found.append(seen)
        pairs = zip(*found, strict=True)
        return {key: np.concatenate(pair, axis=1)[0, :, 0] for key, pair in zip(SEEN, pairs, strict=True)} | {
            "frames": np.array(plan.frames)
        }


def moments_of(levels: list[dict[str, F32]]) -> Moments:
    """A style's moments from some sentences, rounded as they ship."""
    frames = np.array([level["frames"] for level in levels], float)
    shares = frames / frames.sum()
    mean = sum(s * level["mean"] for s, level in zip(shares, levels, strict=True))
    spread = sum(s * (level["square"] - level["mean"] ** 2) for s, level in zip(shares, levels, strict=True))
    log = np.log(np.maximum(spread, 1e-6)).astype(np.float16).astype(np.float32)
    return Moments(mean.astype(np.float16).astype(np.float32), np.exp(log))


def steps(file: OnnxFile, first: list[dict[str, F32]], again: list[dict[str, F32]]) -> dict[str, F32]:
    """Steps and zeros of every convolution, those before it chosen so that its result is nearest."""
    writer = _Measuring(file, 0, own=True)
    ends = np.cumsum(WIDTHS)[:-1]

    def of(key: str, levels: list[dict[str, F32]], best: Any) -> list[F32]:
        return np.split(best([level[key] for level in levels], axis=0), ends)

    in_low, in_high = of("in_low", again, np.min), of("in_high", again, np.max)
    out_low, out_high = of("out_low", [*first, *again], np.min), of("out_high", [*first, *again], np.max)
    found = {}
    for k, name in enumerate(NAMES):
        low, high = np.minimum(in_low[k], -LEAST) * IN_ROOM, np.maximum(in_high[k], LEAST) * IN_ROOM
        found[f"{name} in"] = _steps_in(writer.weights(name), low, high)
        half = np.maximum((out_high[k] - out_low[k]) / 2 * OUT_ROOM, LEAST)
        found[f"{name} out"] = np.stack([2 * half / 255, (out_low[k] + out_high[k]) / 2 - half]).astype(np.float32)
    return found


def _steps_in(weights: F32, low: F32, high: F32) -> F32:
    """Zero and step of every channel: between one step for all (share 0) and each its own (share 1)."""
    power = (weights**2).sum(axis=2)
    level = (high - low) / 10
    wanted = (power * level**2).sum(axis=1)
    best: tuple[float, int, F32] | None = None
    for zero in range(16, 200, 4):
        fit = np.maximum(high / (255 - zero), -low / zero)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            step = fit**share * fit.max() ** (1 - share)
            unit = np.abs(weights * step[None, :, None]).max(axis=(1, 2)) / LARGEST_WEIGHT
            error = (power * step**2).sum(axis=1) / 12 + unit**2 / 12 * weights.shape[2] * ((level / step) ** 2).sum()
            ratio = float(np.mean(error[wanted > 0] / wanted[wanted > 0]))
            if best is None or ratio < best[0]:
                best = ratio, zero, step
    assert best is not None
    return np.concatenate([[best[1]], best[2]]).astype(np.float32)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--weights", type=Path, required=True)
    words.add_argument("--styles", type=Path, required=True)
    words.add_argument("--check", action="store_true")
    words.add_argument("--only", default="", help="styles, with commas between")
    told = words.parse_args()
    weights = checked_weights(told.weights)
    bench = _Bench(weights)
    first, again, moments = [], [], {}
    for turn, name in enumerate(MEASURED.split()):
        if told.only and name not in told.only.split(","):
            continue
        vectors = np.fromfile(told.styles / f"{name}.bin", np.float32).reshape(-1, 256)
        levels = [bench.levels(reading, vectors, None) for reading in bench.readings(name, turn, 3)]
        first += levels
        moments[name] = moments_of(levels)
        print(f"{name}: measured", flush=True)
        if name in SHIPPED.split():
            _style(name, vectors, moments[name], check=told.check)
    if told.only:
        return
    for turn, name in enumerate(AGAIN.split()):
        vectors = np.fromfile(told.styles / f"{name}.bin", np.float32).reshape(-1, 256)
        again += [bench.levels(reading, vectors, moments[name]) for reading in bench.readings(name, turn, 2)]
        print(f"{name}: measured again", flush=True)
    found = steps(OnnxFile(weights), first, again)
    if told.check:
        _told_steps(found)
    else:
        np.savez_compressed(SCALES, **found)


def _told_steps(found: dict[str, F32]) -> None:
    with np.load(SCALES) as shipped:
        for kind in (" in", " out"):
            pairs = [(found[key], shipped[key]) for key in found if key.endswith(kind)]
            new, old = (
                np.concatenate([a[1:] if kind == " in" else a[0] for a in side]) for side in zip(*pairs, strict=True)
            )
            off = 100 * np.abs(np.log(new / old))
            print(f"steps{kind}: {np.median(off):.1f} % off in the median, 95 % under {np.quantile(off, 0.95):.1f} %")


def _style(name: str, vectors: F32, moments: Moments, *, check: bool) -> None:
    path = STYLES / f"{name}.npz"
    if check:
        old = load_style(path.read_bytes())
        deviation = np.abs(moments.mean - old.moments.mean) / np.sqrt(old.moments.variance)
        ratio = np.abs(np.log(moments.variance / old.moments.variance)) / 2
        same = np.array_equal(old.vectors, vectors.astype(np.float16).astype(np.float32))
        print(
            f"{name}: vectors {'the same' if same else 'differ'}; means {np.median(deviation):.3f} sigma off in the"
            f" median, {np.quantile(deviation, 0.95):.3f} of 95 %; sigma {100 * np.median(ratio):.1f} % off,"
            f" {100 * np.quantile(ratio, 0.95):.1f} %"
        )
        return
    np.savez_compressed(
        path,
        vectors=vectors.astype(np.float16),
        mean=moments.mean.astype(np.float16),
        log_variance=np.log(moments.variance).astype(np.float16),
    )


if __name__ == "__main__":
    main()
