"""`openclaw secrets` grant, revoke, grants: what each agent may read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import duration
from openclaw_cli.agents import granting, grants, spec
from openclaw_cli.agents.grants import Grant
from openclaw_cli.audit import telling
from openclaw_cli.audit.readings import Reads, of_agents
from openclaw_cli.cli.layout import Column
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.names import Reference, check
from openclaw_cli.sanitize import safe
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Directory

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Agent = Annotated[str, typer.Argument(metavar="AGENT", help="The agent.", show_default=False)]
Patterns = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help="Secrets, or patterns: team/*.", show_default=False),
]

_COLUMNS = (
    Column("AGENT", 9, 10),
    Column("SECRET", 8, 12),
    Column("FROM", 3, 8),
    Column("USES", 4),
    Column("EXPIRES", 5),
    Column("LAST USED", 6, short="USED"),
    Column("STATE", 7, states=True),
)


@dataclass(frozen=True, slots=True)
class _Row:
    grant: Grant
    origin: str
    read: Reads | None
    last: float


@app.command()
def grant(
    context: typer.Context,
    agent: Agent,
    names: Patterns,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="For how long: 24h, 7d.")
    ] = None,
    uses: Annotated[
        int | None, typer.Option("--uses", metavar="N", help="How many times each may be read.")
    ] = None,
) -> None:
    """Let an agent read secrets, for a time or a number of uses.

    What is not granted here or by the settings is refused, and recorded.

        openclaw secrets grant mailer smtp-password --expires 24h

        openclaw secrets grant reporter "team/*" --uses 3
    """
    session: Session = context.obj
    _check_agent(session, agent)
    until = 0
    if expires is not None:
        length = duration.parse(expires, name="time a grant holds")
        until = int((time.time() + length) * 1000)
    kept = granting.grant(
        session.changes.change_store,
        session.secrets.actor,
        agent,
        names,
        expires=until,
        uses=grants.UNLIMITED if uses is None else uses,
    )
    with session.made():
        _warn_of_absent(session, kept)
        if session.as_json:
            session.output.json({"agent": agent, "granted": kept, "expires": _seconds(until)})
    limits = f" until {duration.absolute(until / 1000)}" if until else ""
    limits += f", {uses} uses each" if uses else ""
    session.output.done(f"{agent} may read {', '.join(kept)}{limits}")


@app.command()
def revoke(
    context: typer.Context,
    agent: Agent,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="What to take away.", show_default=False),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Take all of the agent's grants away.")
    ] = False,
) -> None:
    """Take grants away from an agent.

    What the settings grant is taken away there.

        openclaw secrets revoke mailer smtp-password
    """
    session: Session = context.obj
    if bool(names) == every:
        raise UsageError("say which secrets, or --all", hint=f"openclaw secrets grants {agent}")
    gone = granting.revoke(session.changes.change_store, session.secrets.actor, agent, names or [])
    with session.made():
        if session.as_json:
            session.output.json({"agent": agent, "revoked": gone})
        session.output.done(f"{agent} may not read {', '.join(gone)} any more")
        _warn_of_settings(session, agent, gone)


def _warn_of_settings(session: Session, agent: str, gone: list[str]) -> None:
    """Say what the settings grant although it was taken away."""
    row = session.configuration.agents.get(agent)
    still = [
        each.pattern
        for each in (grants.of_settings(row, session.configuration.models) if row else ())
        if any(grants.matches(each.pattern, Reference(name)) for name in gone)
    ]
    if still:
        session.output.warn(
            f"the settings grant {', '.join(still)} to {agent} all the same",
            hint=f"take it out of agents.{agent}.secrets",
        )


@app.command("grants")
def grants_(
    context: typer.Context,
    agent: Annotated[
        str | None, typer.Argument(metavar="[AGENT]", help="One agent's.", show_default=False)
    ] = None,
    unused: Annotated[
        str | None,
        typer.Option("--unused", metavar="TIME", help="Only those not used for this long."),
    ] = None,
) -> None:
    """Show which agent may read which secret, and when it last did.

    openclaw secrets grants --unused 30d
    """
    session: Session = context.obj
    now = time.time()
    rows = [each for each in _rows(session) if agent in (None, each.grant.agent)]
    if unused is not None:
        length = duration.parse(unused, name="time without use")
        rows = [each for each in rows if _is_unused(each, now - length)]
    if session.as_json:
        session.output.json({"grants": [_plain(each, now) for each in rows]})
        return
    session.output.table(_COLUMNS, [_cells(each, now) for each in rows])
    if not rows and session.output.on_terminal:
        session.output.done("no agent was granted anything")


def unused(session: Session, seconds: float, now: float) -> list[Grant]:
    """Return the grants that nobody used for that long."""
    return [each.grant for each in _rows(session) if _is_unused(each, now - seconds)]


def ended(session: Session, now: float) -> dict[str, list[str]]:
    """Return the patterns of stored grants that give nothing any more, by agent."""
    found: dict[str, list[str]] = {}
    for each in grants.stored(session.secrets.catalogue().extra):
        if each.state(int(now * 1000)) != "ok":
            found.setdefault(each.agent, []).append(each.pattern)
    return found


def take_away(session: Session, gone: dict[str, list[str]]) -> None:
    """Take stored grants away, by agent."""
    for agent, patterns in gone.items():
        granting.revoke(session.changes.change_store, session.secrets.actor, agent, patterns)


def _is_unused(row: _Row, since: float) -> bool:
    return max(row.last, _made(row)) < since


def _made(row: _Row) -> float:
    """Return since when a grant can have been used: of the settings, since they were written."""
    if row.grant.created:
        return row.grant.created / 1000
    try:
        return os.stat(row.origin.rpartition(":")[0]).st_mtime
    except OSError:
        return 0.0


def holders(session: Session, directory: Directory, name: str, now: float) -> list[str]:
    """Return the agents that may read a secret of the store by its name, and until when."""
    held = [
        each
        for each, _ in _all(session, directory)
        if grants.matches(each.pattern, Reference(name)) and each.state(int(now * 1000)) == "ok"
    ]
    return sorted({f"{each.agent}{_limits(each, now)}" for each in held})


def _limits(each: Grant, now: float) -> str:
    limits = [f"{each.uses} uses left"] if each.is_counted else []
    if each.expires:
        limits.append(f"ends {duration.relative(each.expires / 1000 - now)}")
    return f" ({', '.join(limits)})" if limits else ""


def _all(session: Session, directory: Directory) -> list[tuple[Grant, str]]:
    """Return every grant, and where it was made."""
    found = []
    if session.settings.agents:  # to read what is said of them takes as long as starting Python
        configuration = session.configuration
        found = [
            (grant, configuration.origin.get(f"agents.{name}", grants.SETTINGS))
            for name, each in configuration.agents.items()
            for grant in grants.of_settings(each, configuration.models)
        ]
    stored = grants.stored(directory.extra)
    return found + [(each, grants.COMMAND) for each in stored]


def _rows(session: Session) -> Iterator[_Row]:
    found = _all(session, session.secrets.catalogue())
    reads = of_agents(session.home.audit) if found else {}
    for each, origin in sorted(found, key=lambda row: (row[0].agent, row[0].pattern)):
        mine = [
            read
            for (agent, name), read in reads.items()
            if agent == each.agent and grants.matches(each.pattern, _as_granted(each, name))
        ]
        newest = max(mine, key=lambda read: read.last.at, default=None)
        last = telling.seconds(newest.last.at) if newest else 0.0
        yield _Row(each, origin, newest, last)


def _as_granted(each: Grant, name: str) -> Reference:
    """Return what a record's name is, seen from a grant: the trail has the path alone."""
    backend, separator, rest = each.pattern.partition("://")
    field = (rest or backend).partition("#")[2]
    return Reference(name, backend=backend if separator else "", field=field)


def _cells(row: _Row, now: float) -> list[str]:
    each = row.grant
    return [
        each.agent,
        each.pattern,
        row.origin.rpartition("/")[2],
        str(each.uses) if each.is_counted else "",
        duration.relative(each.expires / 1000 - now) if each.expires else "never",
        duration.relative(row.last - now) if row.read else "never",
        each.state(int(now * 1000)),
    ]


def _plain(row: _Row, now: float) -> dict[str, object]:
    each = row.grant
    return {
        "agent": each.agent,
        "secret": each.pattern,
        "from": row.origin,
        "created": _seconds(each.created),
        "expires": _seconds(each.expires),
        "uses_left": each.uses if each.is_counted else None,
        "variable": each.variable or None,
        "last_used": row.last if row.read else None,
        "state": each.state(int(now * 1000)),
    }


def _seconds(milliseconds: int) -> float | None:
    return milliseconds / 1000 if milliseconds else None


def _check_agent(session: Session, agent: str) -> None:
    if not spec.NAME.fullmatch(agent):
        raise UsageError(
            f"{safe(agent)} is not a name for an agent", hint="letters, digits and . _ -"
        )
    known = session.configuration.agents
    if known and agent not in known:
        session.output.warn(
            f"the settings have no agent {agent}: this waits for one",
            hint=spec.unknown_agent(agent, known).hint,
        )


def _warn_of_absent(session: Session, patterns: list[str]) -> None:
    """Say which of the names are not there: a grant may well come first."""
    if session.settings.backends() != [LOCAL]:
        return
    known = session.secrets.catalogue().entries
    elsewhere = {*session.settings.names, *session.settings.plaintext}
    for each in patterns:
        plain = "*" not in each and "://" not in each
        name = each.partition("#")[0]
        if plain and name not in elsewhere and known.get(check(name)) is None:
            session.output.warn(
                f"no secret is called {name} yet", hint=f"openclaw secrets create {name}"
            )
