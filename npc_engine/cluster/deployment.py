"""The deployment on Ray Serve, and what a gateway and a replica are made of."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray
from ray import serve
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, RequestRouterConfig
from ray.serve.schema import ApplicationStatus, LoggingConfig

from npc_engine import __version__
from npc_engine.cast import Cast
from npc_engine.cluster.replica import Replica
from npc_engine.cluster.router import STATS_S, Router
from npc_engine.cluster.scaling import replicas_wanted
from npc_engine.server.stage import Stage
from npc_engine.text.open_text import IDLE_S

LOG: Final = logging.getLogger(__name__)
APP: Final = "npc-engine"
DEPLOYMENT: Final = "troupe"
REQUESTS: Final = 1024  # of gateways, at once: a line asks for a moment only, a link stays
GRACE_S: Final = 30.0  # that a replica which is taken away may speak on; its lines go on elsewhere then
ABOUT_S: Final = 10.0  # for a running replica to say how it was made
HEALTH_S: Final = 2.0  # from one look at a replica to the next


@dataclass(frozen=True, slots=True)
class TroupeMaker:
    """Loads a cast on the machine of a replica, where its folders must lie at the same place."""

    folder: Path | None  # of the own cast, before what ships; None: what ships
    lookahead_ms: int
    cache: Path | None  # folder for finished speech, of each machine; None: that of this system's user
    cache_bytes: int  # that it may fill; 0 keeps speech in memory, below 0 nowhere
    accelerator: str = "cpu"

    def __call__(self) -> Stage:
        """The characters, warm; raises `CastError` for a cast that can't be read."""
        from npc_engine.expression.accelerator import accelerated, shared
        from npc_engine.reload import Reloader
        from npc_engine.speech.cache import TakeCache, default_folder
        from npc_engine.troupe import Troupe

        cast = Cast.standard(self.folder)
        troupe = Troupe(
            cast,
            lookahead_ms=self.lookahead_ms,
            cache=None
            if self.cache_bytes < 0
            else TakeCache(folder=self.cache or default_folder(), disk_bytes=self.cache_bytes),
            network=shared(accelerated(self.accelerator), self.accelerator),
        )
        for name, error in troupe.warm().items():
            LOG.warning("character %s is refused until it can speak: %s", name, error)
        Reloader(troupe).start()
        return troupe


def deploy(
    make_stage: Callable[[], Stage],
    *,
    least: int = 1,
    most: int = 1,
    cpus: float = 1.0,
    gpus: float = 0.0,
    text_idle_s: float = IDLE_S,
) -> Any:
    """Run `least` to `most` replicas, each on `cpus` cores, on the Ray that is connected; the handle, once all run.

    A deployment that runs already is joined where it was made alike, else replaced, replica after replica.
    """
    about = f"{__version__} {make_stage!r} {least}-{most} {cpus:g} {gpus:g} {text_idle_s:g}"
    running = _running(about)
    if running is not None:
        return running
    serve.start(proxy_location="Disabled")  # no HTTP: games speak to gateways
    wanted: dict[str, Any] = (
        {
            "autoscaling_config": AutoscalingConfig(
                min_replicas=least,
                max_replicas=most,
                policy=AutoscalingPolicy(policy_function=replicas_wanted),
                upscale_delay_s=2.0,
                downscale_delay_s=60.0,
                look_back_period_s=5.0,
                metrics_interval_s=1.0,
            )
        }
        if most > least
        else {"num_replicas": least}
    )
    deployment = serve.deployment(
        Replica,
        name=DEPLOYMENT,
        max_ongoing_requests=REQUESTS,
        graceful_shutdown_timeout_s=GRACE_S,
        graceful_shutdown_wait_loop_s=1.0,
        health_check_period_s=HEALTH_S,
        ray_actor_options={"num_cpus": cpus, "num_gpus": gpus},
        request_router_config=RequestRouterConfig(
            request_router_class=Router, request_routing_stats_period_s=STATS_S, request_routing_stats_timeout_s=5.0
        ),
        logging_config=LoggingConfig(enable_access_log=False),
        **wanted,
    )
    return serve.run(deployment.bind(make_stage, text_idle_s, about), name=APP, route_prefix=None)


def _running(about: str) -> Any:
    """The handle of the deployment that another gateway has made, where it is as `about` says."""
    app = serve.status().applications.get(APP)
    if app is None or app.status != ApplicationStatus.RUNNING:
        return None
    handle = serve.get_app_handle(APP)
    return handle if handle.about.remote().result(timeout_s=ABOUT_S) == about else None


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Ray, on this machine alone ("local"), or the cluster at `address` ("auto": that of this machine).

    What was started here ends here; on a cluster the replicas stay, for other gateways.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a game's engine reports to nobody
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    local = address == "local"
    before = signal.getsignal(signal.SIGTERM)  # Ray would end the process by it, in the middle of its lines
    ray.init(
        address=address,
        namespace="npc-engine",
        include_dashboard=False if local else None,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    signal.signal(signal.SIGTERM, before)
    try:
        yield
    finally:
        if local:
            serve.shutdown()
        ray.shutdown()
