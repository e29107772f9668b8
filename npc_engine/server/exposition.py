"""The engine's figures as Prometheus reads them, by the library prometheus-client (the extra `server`).

Labels are few and none comes from the wire: outcomes, codes and stages of ours, and the faces of the cast.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from npc_engine import __version__
from npc_engine.frames.guard import Stats
from npc_engine.moments import SAMPLE_RATE, TICK_MS
from npc_engine.server.health import STATES, Health
from npc_engine.server.metrics import BUCKETS_S, STAGES, Metrics
from npc_engine.speech.cache import TakeCache

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TASKS: Final = Path("/proc/self/task")


class Exposition(Collector):
    """Collects from the engine's own books when it is asked.

    `guards` gives what each face's guard has done, `cache` the cache of speech, once there is one.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        guards: Callable[[], Mapping[str, Stats]] = dict,
        cache: Callable[[], TakeCache | None] = lambda: None,
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._guards = guards
        self._cache = cache
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def page(self) -> tuple[HTTPStatus, str, bytes]:
        """All of it, in Prometheus' text format."""
        return HTTPStatus.OK, CONTENT_TYPE, generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: names are told by `collect`."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric but those of the process, as of now."""
        yield InfoMetricFamily(
            "npc_engine_build", "The release that runs.", {"version": __version__, "python": platform.python_version()}
        )
        yield from self._state()
        yield from self._lines()
        yield from self._work()
        yield from self._wire()
        yield from self._guard()
        yield from self._files()

    def _state(self) -> Iterator[Metric]:
        state = GaugeMetricFamily("npc_engine_state", "1 for the state that the engine is in.", labels=["state"])
        for name in STATES:
            state.add_metric([name], float(self._health.state == name))
        yield state
        yield _gauge("npc_engine_wire_thread_age_seconds", "Since the wire thread last ran.", self._health.age_s)
        yield _gauge("npc_engine_characters", "Characters that games may name.", self._health.characters)
        yield _gauge("npc_engine_load_ratio", "Share of the cores it may use that is busy.", self._metrics.load())
        threads = len(list(_TASKS.iterdir())) if _TASKS.is_dir() else threading.active_count()
        yield _gauge("npc_engine_threads", "Threads of the process.", threads)

    def _lines(self) -> Iterator[Metric]:
        counts = self._metrics.counts
        lines = CounterMetricFamily(
            "npc_engine_lines", "Lines that have ended, and how.", labels=["kind", "outcome", "code"]
        )
        for outcome, count in sorted(counts.lines.copy().items(), key=str):
            lines.add_metric(["silent" if outcome.silent else "speaking", outcome.how, outcome.code], count)
        yield lines
        buckets = counts.firsts.copy()
        ends = [*map(str, BUCKETS_S), "+Inf"]
        yield HistogramMetricFamily(
            "npc_engine_first_moment_seconds",
            "From `speak` read to the first moment sent.",
            list(zip(ends, accumulate(buckets), strict=True)),
            counts.firsts_s,
        )

    def _work(self) -> Iterator[Metric]:
        work, speaking, silent, queued = self._metrics.total()
        lines = GaugeMetricFamily("npc_engine_open_lines", "Lines that are open.", labels=["kind"])
        lines.add_metric(["speaking"], speaking)
        lines.add_metric(["silent"], silent)
        yield lines
        yield _gauge("npc_engine_queued_milliseconds", "Sound that is made and not sent.", queued * 1000 / SAMPLE_RATE)
        made, sent = work.samples / SAMPLE_RATE, work.ticks * TICK_MS / 1000
        yield _counter("npc_engine_sound_made_seconds", "Sound that voices made.", made)
        yield _counter("npc_engine_sent_seconds", "Sound, or silence with a face, that was sent.", sent)
        pictures = CounterMetricFamily(
            "npc_engine_pictures", "Pictures drawn; of those asked, left out or drawn smaller.", labels=["what"]
        )
        for what, count in (("drawn", work.pictures), ("thinned", work.thinned), ("shrunk", work.shrunk)):
            pictures.add_metric([what], count)
        yield pictures
        stages = CounterMetricFamily("npc_engine_stage_cpu_seconds", "CPU time by stage of a line.", labels=["stage"])
        for stage in STAGES:
            stages.add_metric([stage], getattr(work, f"{stage}_s"))
        yield stages

    def _wire(self) -> Iterator[Metric]:
        counts = self._metrics.counts
        yield _gauge("npc_engine_clients", "Clients that have said something.", self._metrics.clients)
        yield _gauge("npc_engine_connections", "Connections that are open.", self._metrics.connections)
        messages = CounterMetricFamily("npc_engine_messages", "Messages.", labels=["direction"])
        size = CounterMetricFamily("npc_engine_message_bytes", "Bytes of messages.", labels=["direction"])
        for direction, count, length in (
            ("in", counts.messages_in, counts.bytes_in),
            ("out", counts.messages_out, counts.bytes_out),
        ):
            messages.add_metric([direction], count)
            size.add_metric([direction], length)
        yield messages
        yield size
        errors = CounterMetricFamily("npc_engine_errors", "Errors that were answered.", labels=["code"])
        for code, count in sorted(counts.errors.copy().items()):
            errors.add_metric([code], count)
        yield errors
        yield _counter("npc_engine_messages_ignored", "Messages of those who are let in no more.", counts.ignored)
        yield _counter("npc_engine_handshakes_refused", "Handshakes without a key that is let in.", counts.strangers)
        yield _counter("npc_engine_replies_held", "Replies that a connection could not take at once.", counts.held)
        yield _counter("npc_engine_clients_gone", "Clients that have gone, for whatever reason.", counts.gone)
        yield _counter("npc_engine_clients_given_up", "Clients dropped: they left too much unread.", counts.given_up)

    def _guard(self) -> Iterator[Metric]:
        what = CounterMetricFamily(
            "npc_engine_guard_pictures", "What the guard did since a face was loaded.", labels=["face", "what"]
        )
        worst = GaugeMetricFamily(
            "npc_engine_guard_lowest_score", "Likeness of the worst picture judged, 0..1.", labels=["face"]
        )
        for face, stats in sorted(self._guards().items()):
            what.add_metric([face, "judged"], stats.judged)
            what.add_metric([face, "failed"], stats.failed)
            what.add_metric([face, "damped"], stats.damped)
            what.add_metric([face, "recoloured"], stats.recoloured)
            if stats.lowest is not None:
                worst.add_metric([face], stats.lowest)
        yield what
        yield worst

    def _files(self) -> Iterator[Metric]:
        reloads = CounterMetricFamily("npc_engine_reloads", "Voices, faces and characters anew.", labels=["outcome"])
        for outcome in ("loaded", "broken", "removed"):
            reloads.add_metric([outcome], self._metrics.counts.reloads[outcome])
        yield reloads
        kept = self._cache()
        if kept is not None:
            cache = kept.counts()
            yield _counter("npc_engine_cache_hits", "Phrases found in the cache.", cache.hits)
            yield _counter("npc_engine_cache_misses", "Phrases spoken anew.", cache.misses)
            yield _gauge("npc_engine_cache_memory_bytes", "Of the cache's part in memory.", cache.memory_bytes)


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _counter(name: str, about: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, about, value=value)
