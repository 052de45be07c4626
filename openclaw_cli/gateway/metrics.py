"""What `/metrics` says of agents, by the names that people already have in their dashboards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from openclaw_cli.runtime.supervisor import Supervisor

_PREFIX = "openclaw_thread_bound"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

EXECUTION = "execution-time"
RESOURCES = "resource-usage"
ERRORS = "error-rate"
TIMEOUTS = "timeout-count"


class Metrics:
    """The registry of one gateway; `chosen` are the published names to export, all when empty."""

    def __init__(self, chosen: tuple[str, ...] = ()) -> None:
        self.registry = CollectorRegistry()
        self.chosen = chosen
        self.execution = Histogram(
            f"{_PREFIX}_execution_seconds",
            "How long requests took, by agent and outcome.",
            ("agent", "outcome"),
            buckets=_BUCKETS,
            registry=self.registry if self._wanted(EXECUTION) else None,
        )
        self.rejected = Counter(
            f"{_PREFIX}_rejected",
            "Requests that were not taken, by agent and reason.",
            ("agent", "reason"),
            registry=self.registry,
        )
        self._observing: dict[tuple[str, str], Callable[[float], None]] = {}
        self._watched: _Agents | None = None

    def _wanted(self, name: str) -> bool:
        return not self.chosen or name in self.chosen

    def watch(self, supervisor: Supervisor) -> None:
        """Read the state of a supervisor's agents whenever somebody asks."""
        if self._watched is not None:
            self.registry.unregister(self._watched)
        wanted = {each: self._wanted(each) for each in (RESOURCES, ERRORS, TIMEOUTS)}
        self._watched = _Agents(supervisor, wanted)
        self.registry.register(self._watched)

    def answered(self, agent: str, outcome: str, seconds: float) -> None:
        """Count a request that ended."""
        if outcome in ("busy", "unavailable", "loop"):
            self.rejected.labels(agent, outcome).inc()
            return
        observe = self._observing.get((agent, outcome))
        if observe is None:  # to find a label's own is most of what it takes
            observe = self.execution.labels(agent, outcome).observe
            self._observing[agent, outcome] = observe
        observe(seconds)

    def text(self, more: Iterable[Metric] = ()) -> bytes:
        """Return everything in Prometheus' format, and more."""
        return generate_latest(_Both(self.registry, more))


class _Both:
    """What is registered and what is not."""

    def __init__(self, registry: CollectorRegistry, more: Iterable[Metric]) -> None:
        self._registry = registry
        self._more = more

    def collect(self) -> Iterator[Metric]:
        """Give every metric family."""
        yield from self._registry.collect()
        yield from self._more


class _Agents:
    """Makes metrics of what the pools know of themselves."""

    def __init__(self, supervisor: Supervisor, wanted: dict[str, bool]) -> None:
        self.supervisor = supervisor
        self.wanted = wanted

    def collect(self) -> Iterator[Metric]:
        """Give every metric family."""
        yield from self._now()
        yield from self._counted()

    def _now(self) -> Iterator[Metric]:
        pools = self.supervisor.pools
        waiting = self.supervisor.means.slots.waiting
        gauges: dict[str, tuple[str, dict[str, float]]] = {
            "active": ("Requests that run now.", {n: p.room.taken for n, p in pools.items()}),
            "max_concurrency": (
                "How many may run at once.",
                {n: p.spec.concurrency for n, p in pools.items()},
            ),
            "queue_depth": ("Requests that wait.", {n: waiting(n) for n in pools}),
            "sessions": (
                "Sessions that are kept.",
                {n: p.sessions.live() for n, p in pools.items()},
            ),
            "up": (
                "Whether its zygote runs.",
                {n: int(p.zygote is not None) for n, p in pools.items()},
            ),
        }
        if self.wanted[RESOURCES]:
            gauges["peak_rss_bytes"] = (
                "The most memory that an instance of it had.",
                {n: p.counters.peak_bytes for n, p in pools.items()},
            )
        if self.wanted[ERRORS]:
            gauges["error_ratio"] = (
                "The share of its requests that did not end well.",
                {n: _errors(p.counters.requests) for n, p in pools.items()},
            )
        for name, (text, values) in gauges.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=("agent",))
            for agent, value in values.items():
                family.add_metric((agent,), value)
            yield family

    def _counted(self) -> Iterator[Metric]:
        pools = self.supervisor.pools
        requests = CounterMetricFamily(
            f"{_PREFIX}_requests", "Requests, by agent and outcome.", labels=("agent", "outcome")
        )
        for agent, pool in pools.items():
            for outcome, number in sorted(pool.counters.requests.items()):
                requests.add_metric((agent, outcome), number)
        yield requests
        counters: dict[str, tuple[str, dict[str, float]]] = {
            "restarts": ("Restarts.", {n: p.counters.restarts for n, p in pools.items()}),
            "strays_killed": (
                "Processes that instances left behind, killed.",
                {n: p.counters.strays for n, p in pools.items()},
            ),
        }
        if self.wanted[RESOURCES]:
            counters["cpu_seconds"] = (
                "CPU time of its instances.",
                {n: p.counters.cpu_seconds for n, p in pools.items()},
            )
        if self.wanted[TIMEOUTS]:
            counters["timeouts"] = (
                "Requests that reached their time limit.",
                {n: p.counters.requests.get("timeout", 0) for n, p in pools.items()},
            )
        for name, (text, values) in counters.items():
            family = CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=("agent",))
            for agent, value in values.items():
                family.add_metric((agent,), value)
            yield family


def _errors(requests: dict[str, int]) -> float:
    every = sum(requests.values())
    return (every - requests.get("ok", 0)) / every if every else 0.0
