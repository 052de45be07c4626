"""The table of an agent that echoes, each request in a new process, beside what else does that."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bench import echoing, forking
from tests.bench.measure import environment
from tests.bench.report import Table, Target

if TYPE_CHECKING:
    from tests.bench.sections import Bench

_OTHERS: dict[str, Callable[[int], float]] = {
    "multiprocessing, fork server": forking.by_fork_server,
    "ProcessPoolExecutor, one task each": forking.by_executor,
    "a fresh python -c": forking.by_fresh_python,
}
_NOTE = """\
Each request to openclaw is an HTTP request with a token, answered by a process of its own with a
limit of memory, of time and a Landlock domain, swept up behind; it is logged, counted and recorded.
The others are called by the program that measures, without any of that; "behind HTTP" is the fork
server with aiohttp before it. Whoever asks is on the same processors: that is the client's time."""


def agents(bench: Bench) -> list[Table]:
    """Measure an agent that echoes, each request in a new process, beside what else does that."""
    table = Table("agents", ("", "measured", "quartiles", "promised", ""), _NOTE)
    ours: list[float] = []
    served: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in _OTHERS}
    with echoing.gateway() as to, forking.served() as port:
        idle = to.pss()
        for _ in range(bench.times(10)):
            ours.append(echoing.by_gateway(to, 1_000))
            served.append(echoing.over_http(port, 150))
            for name, measure in _OTHERS.items():
                theirs[name].append(measure(150))
        cpu = echoing.cpu_by_part(to, 1_000)
        agent, whole = echoing.restarted(to, 3_000, environment(OPENCLAW_STATE_DIR=str(to.state)))
        fifty = echoing.fifty_live(to)
        start = to.seconds
    rate = statistics.median(ours)
    table.add(
        "openclaw, over HTTP, 50 connections",
        f"{rate:.0f}/s",
        _quartiles(ours, "/s"),
        measured=rate,
        target=Target(840, "/s", at_least=True),
    )
    for name, found in {**theirs, "the fork server, behind HTTP": served}.items():
        table.add(name, f"{statistics.median(found):.0f}/s", _quartiles(found, "/s"), "", "")
    best = max(theirs, key=lambda name: statistics.median(theirs[name]))
    _add_ratio(table, "times the best of these", ours, theirs[best], Target(2.5, at_least=True))
    _add_ratio(table, "times the fork server behind HTTP", ours, served, None)
    parts = ", ".join(f"{name} {each:.2f}" for name, each in cpu.items())
    table.add("CPU time of a request", f"{sum(cpu.values()):.2f} ms", parts, "", "")
    call = forking.fork_server_cpu(300)
    table.add("CPU time of a call of the fork server", f"{call:.2f} ms", "", "", "")
    for what, measured, most, unit in (
        ("start to first answer", start, 0.3, "s"),
        ("agents restart under 30 clients, none refused", agent, 0.3, "s"),
        ("idle gateway, zygotes and spares (PSS)", idle, 65, "MiB"),
        ("50 instances alive, all in all (PSS)", fifty, 130, "MiB"),
    ):
        shown = f"{measured:.2f} {unit}" if unit == "s" else f"{measured:.0f} {unit}"
        table.add(what, shown, "", measured=measured, target=Target(most, unit))
    table.add("gateway restart under 30 clients, none refused", f"{whole:.2f} s", "", "", "")
    return [table]


def _add_ratio(
    table: Table, what: str, ours: list[float], theirs: list[float], target: Target | None
) -> None:
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    cells = [f"{ratio:.2f}x", _quartiles(ratios, "x")]
    if target is None:
        table.add(what, *cells, "", "")
    else:
        table.add(what, *cells, measured=ratio, target=target)


def _quartiles(found: list[float], unit: str) -> str:
    if len(found) < 4:
        return ""
    first, _, third = statistics.quantiles(found, n=4)
    digits = 2 if unit == "x" else 0
    return f"{first:.{digits}f} to {third:.{digits}f}{unit}"
