"""How agents look on a terminal and in a pipe: their rows, their instances, the live table."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.cli.layout import Column

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

_CLEAR = "\x1b[H\x1b[J"
_AROUND = 12  # lines of a screen that are neither an agent's nor an instance's
_LEAST = 3  # instances that are shown on the smallest screen


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


def show(output: Output, found: dict[str, Any], *, verbose: bool, most: int = 0) -> None:
    """Write what a gateway says of itself and of its agents, and of at most so many instances."""
    facts: list[tuple[str, str] | tuple[str, str, str]] = [
        ("gateway", f"process {found['pid']}, {found['address']}, {_up(found)}")
    ]
    facts += [("threads", f"{found['active']} of {found['max_threads']}")]
    output.facts(facts)
    for note in found["notes"]:
        output.warn(note)
    if not found["agents"]:
        output.line("the settings have no agent")
        return
    output.line()
    output.table(AGENTS, [agent(each) for each in found["agents"]])
    for each in found["agents"]:
        if each["trouble"]:
            trouble = each["trouble"].removeprefix(f"{each['name']}: ")
            output.line(f"{each['name']}: {trouble}", "bad")
    if verbose:
        rows = instances(found)
        shown = rows[:most] if most else rows
        output.line()
        if rows:
            output.table(INSTANCES, shown)
            if len(shown) < len(rows):
                output.line(f"and {len(rows) - len(shown)} more: openclaw agents status --verbose")
        else:
            output.line("no instance is running")
        levels = [(each["name"], _level(each)) for each in found["agents"]]
        output.line()
        output.facts([("isolation", ""), *levels])


def _level(row: dict[str, Any]) -> str:
    """Say how an agent is kept apart from others, as far as it is awake."""
    owner = f", user id {row['uid']}" if row.get("uid") else ""
    return f"{row.get('level') or 'asleep'}{owner}"


def watch(session: Session, every: float, *, verbose: bool) -> None:
    """Draw the state again and again, on a terminal in its place; Ctrl-C ends it."""
    from openclaw_cli.gateway import talk

    while True:
        found = talk.ask(session.home, "status", {"verbose": verbose})
        if session.as_json:
            session.output.json_line(found)
        else:
            most = 0
            if session.output.on_terminal:
                session.output.drawn(_CLEAR)
                height = shutil.get_terminal_size().lines
                most = max(_LEAST, height - _AROUND - 2 * len(found["agents"]))
            show(session.output, found, verbose=verbose, most=most)
        time.sleep(every)


def size(number: float) -> str:
    """Write a number of bytes for a table."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _up(found: dict[str, Any]) -> str:
    return f"up {duration.compact(found['uptime_seconds'])}"
