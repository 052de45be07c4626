"""What `/metrics` says of agents, by the names that people already have in their dashboards.

It is counted here, in a few numbers; the library that writes them in Prometheus' format is loaded
when somebody asks for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from openclaw_cli.runtime.means import Counters
    from openclaw_cli.runtime.supervisor import Supervisor

_PREFIX = "openclaw_thread_bound"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

EXECUTION = "execution-time"
RESOURCES = "resource-usage"
ERRORS = "error-rate"
TIMEOUTS = "timeout-count"


class _Spread:
    """How long some requests took: their number in each bucket, and their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many took at most so long, as the format has it."""
        found: list[tuple[str, float]] = []
        total = 0
        for most, count in zip((*map(float, _BUCKETS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((str(most), total))
        return found


class Metrics:
    """The metrics of one gateway; `chosen` are the published names to export, all when empty."""

    def __init__(self, chosen: tuple[str, ...] = ()) -> None:
        self.chosen = chosen
        self.execution: dict[tuple[str, str], _Spread] = {}
        self.rejected: Counter[tuple[str, str]] = Counter()
        self._watched: _Agents | None = None

    def _wanted(self, name: str) -> bool:
        return not self.chosen or name in self.chosen

    def watch(self, supervisor: Supervisor) -> None:
        """Read the state of a supervisor's agents whenever somebody asks."""
        wanted = {each: self._wanted(each) for each in (RESOURCES, ERRORS, TIMEOUTS)}
        self._watched = _Agents(supervisor, wanted)

    def answered(self, agent: str, outcome: str, seconds: float) -> None:
        """Count a request that ended."""
        if outcome in ("busy", "unavailable", "loop"):
            self.rejected[agent, outcome] += 1
            return
        spread = self.execution.get((agent, outcome))
        if spread is None:
            spread = self.execution[agent, outcome] = _Spread()
        spread.observe(seconds)

    def text(self, more: Iterable[Metric] = ()) -> bytes:
        """Return everything in Prometheus' format, and more."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(_Every(self, more))

    def collect(self) -> Iterator[Metric]:
        """Give every metric family."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        if self._wanted(EXECUTION):
            took = HistogramMetricFamily(
                f"{_PREFIX}_execution_seconds",
                "How long requests took, by agent and outcome.",
                labels=("agent", "outcome"),
            )
            for names, spread in self.execution.items():
                took.add_metric(names, spread.buckets(), spread.sum)
            yield took
        rejected = CounterMetricFamily(
            f"{_PREFIX}_rejected",
            "Requests that were not taken, by agent and reason.",
            labels=("agent", "reason"),
        )
        for names, number in self.rejected.items():
            rejected.add_metric(names, number)
        yield rejected
        if self._watched is not None:
            yield from self._watched.collect()


class _Every:
    """What is counted here and what is not."""

    def __init__(self, metrics: Metrics, more: Iterable[Metric]) -> None:
        self._metrics = metrics
        self._more = more

    def collect(self) -> Iterator[Metric]:
        """Give every metric family."""
        yield from self._metrics.collect()
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
        from prometheus_client.core import GaugeMetricFamily

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
                {n: _errors(p.counters) for n, p in pools.items()},
            )
        for name, (text, values) in gauges.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=("agent",))
            for agent, value in values.items():
                family.add_metric((agent,), value)
            yield family

    def _counted(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

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


def _errors(counters: Counters) -> float:
    every = sum(counters.requests.values())
    return counters.errors / every if every else 0.0
