"""How agents look on a terminal and in a pipe: their rows, their instances, the live table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.cli.layout import Column
from openclaw_cli.errors import OpenclawError

if TYPE_CHECKING:
    from openclaw_cli.agents.spec import AgentSpec
    from openclaw_cli.cli.render import Output
    from openclaw_cli.cli.session import Session

LISTED = [
    Column("NAME", weight=9, shortest=12),
    Column("KIND", weight=6),
    Column("ISOLATION", weight=5),
    Column("MODE", weight=4),
    Column("LIMIT", weight=7, short="MAX"),
    Column("TIME", weight=7),
    Column("MEMORY", weight=6),
    Column("SECRETS", weight=3),
]
AGENTS = [
    Column("NAME", weight=9, shortest=12),
    Column("STATE", weight=8, states=True),
    Column("ACTIVE", weight=8, short="ACT"),
    Column("QUEUED", weight=5, short="QUE"),
    Column("SESSIONS", weight=4, short="SES"),
    Column("REQUESTS", weight=7, short="REQ"),
    Column("ERRORS", weight=6, short="ERR"),
    Column("TIME-OUTS", weight=3, short="T/O"),
    Column("RESTARTS", weight=2, short="RST"),
]
INSTANCES = [
    Column("AGENT", weight=7, shortest=8),
    Column("PID", weight=9),
    Column("THREAD", weight=8, shortest=8),
    Column("REQUEST", weight=4),
    Column("AGE", weight=6),
    Column("TURNS", weight=3),
    Column("MEMORY", weight=7, short="MEM"),
]

_AROUND = 10  # lines of a screen that are neither an agent's nor an instance's
_LEAST = 3  # of each are shown on the smallest screen


def listed(spec: AgentSpec) -> list[str]:
    """Return an agent's row in the list."""
    return [
        spec.name,
        spec.kind,
        spec.isolation,
        spec.mode,
        str(spec.concurrency),
        f"{spec.timeout:g}s" if spec.timeout else "",
        size(spec.memory_limit) if spec.memory_limit else "",
        str(len(spec.secrets)),
    ]


def agent(row: dict[str, Any]) -> list[str]:
    """Return an agent's row in the state."""
    return [
        row["name"],
        row["state"],
        f"{row['active']}/{row['max_concurrency']}",
        str(row["queued"]),
        str(row["sessions"]),
        str(row["requests"]),
        str(row["errors"]),
        str(row["timeouts"]),
        str(row["restarts"]),
    ]


def instances(found: dict[str, Any]) -> list[list[str]]:
    """Return a row for each running instance."""
    return [
        [
            row["name"],
            str(each["pid"]),
            each["thread"] or "",
            each["request"] or "",
            duration.compact(each["age_seconds"]),
            str(each["turns"]),
            size(each["memory_bytes"]),
        ]
        for row in found["agents"]
        for each in row.get("instances", [])
    ]


def show(output: Output, found: dict[str, Any], *, verbose: bool, lines: int = 0) -> None:
    """Write what a gateway says of itself and of its agents, on at most so many lines if given."""
    output.facts(
        [
            ("gateway", f"process {found['pid']}, {found['address']}, {_up(found)}"),
            ("threads", f"{found['active']} of {found['max_threads']}"),
        ]
    )
    for note in found["notes"]:
        output.line(note) if lines else output.warn(note)
    if not found["agents"]:
        output.line("the settings have no agent")
        return
    running = instances(found) if verbose else []
    troubles = [each for each in found["agents"] if each["trouble"]]
    room = lines - _AROUND - len(found["notes"]) - len(troubles)
    agents, most = _shares(len(found["agents"]), len(running), room if lines else 0)
    output.line()
    _show_agents(output, found["agents"], most=agents, verbose=verbose)
    for each in troubles:
        trouble = each["trouble"].removeprefix(f"{each['name']}: ")
        output.line(f"{each['name']}: {trouble}", "bad")
    if verbose:
        output.line()
        if running:
            output.table(INSTANCES, running[:most])
            _show_rest(output, len(running) - most, "openclaw agents status --verbose")
        else:
            output.line("no instance is running")
        if not lines:
            output.line()
            output.facts([*_held(found["agents"]), ("control groups", _groups(found["cgroup"]))])


def _held(agents: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Say what holds the memory and the processes of agents, and of which where they differ."""
    names: dict[str, list[str]] = {}
    for each in agents:
        if each["holds"]:
            names.setdefault(", ".join(each["holds"]), []).append(each["name"])
    many = len(names) > 1
    return [
        ("held by", f"{what}: {', '.join(who)}" if many else what) for what, who in names.items()
    ]


def _show_agents(output: Output, agents: list[dict[str, Any]], *, most: int, verbose: bool) -> None:
    """Write the agents; where not all have room, first those that work or do not do well."""
    if most < len(agents):
        agents = sorted(agents, key=_at_rest)
    shown = agents[:most]
    columns, rows = list(AGENTS), [agent(each) for each in shown]
    if verbose:
        columns.append(Column("LEVEL", weight=3))
        rows = [[*row, each.get("level") or ""] for row, each in zip(rows, shown, strict=True)]
    if verbose and any(each.get("uid") for each in agents):
        columns.append(Column("USER", weight=1))
        rows = [[*row, str(each.get("uid") or "")] for row, each in zip(rows, shown, strict=True)]
    output.table(columns, rows)
    _show_rest(output, len(agents) - most, "openclaw agents status")


def _show_rest(output: Output, more: int, command: str) -> None:
    if more > 0:
        output.line(f"and {more} more: {command}")


def _at_rest(row: dict[str, Any]) -> bool:
    """Whether there is nothing to see of an agent."""
    busy = row["active"] or row["queued"] or row["sessions"]
    return row["state"] in ("ready", "asleep") and not busy


def _shares(agents: int, running: int, room: int) -> tuple[int, int]:
    """Share the lines of a screen between agents and instances; no `room` is room for all.

    The agents may have half of it, and what the instances leave; each has some on any screen.
    """
    if not room or agents + running <= room:
        return agents, running
    fewer = min(agents, max(_LEAST, room // 2, room - running))
    return fewer, min(running, max(_LEAST, room - fewer))


def _groups(given: dict[str, Any]) -> str:
    """Say which control groups the gateway was given, and what they can hold."""
    if not given["folder"]:
        return f"none: {given['why']}"
    held = ", ".join(given["controllers"]) or "no limit: others are in it, or it was given none"
    return f"{given['folder']} ({held})"


def watch(session: Session, every: float, *, verbose: bool) -> None:
    """Draw the state again and again, on a terminal in its place; Ctrl-C ends it."""
    from openclaw_cli.gateway import talk

    output = session.output
    drawn = output.on_terminal and not session.as_json
    try:
        while True:
            found = talk.ask(session.home, "status", {"verbose": verbose})
            if session.as_json:
                output.json_line(found)
            elif drawn:
                with output.screen() as lines:
                    show(output, found, verbose=verbose, lines=lines)
            else:
                show(output, found, verbose=verbose)
            time.sleep(every)
    except (KeyboardInterrupt, OpenclawError):
        if drawn:  # what comes next, a prompt or an error, has a line of its own
            output.line()
        raise


def size(number: float) -> str:
    """Write a number of bytes for a table."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _up(found: dict[str, Any]) -> str:
    return f"up {duration.compact(found['uptime_seconds'])}"
