"""`openclaw status`: what there is and what needs a hand, at a glance. No value is read."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openclaw_cli import __version__, assembly, duration, health, states
from openclaw_cli.cli import agents_view, chosen
from openclaw_cli.cli.layout import Column, wrapped
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import FindingsError, TemporaryError
from openclaw_cli.exposure import exposure
from openclaw_cli.risk import told
from openclaw_cli.sanitize import safe
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openclaw_cli.cli.render import Output
    from openclaw_cli.health import Finding, Look
    from openclaw_cli.risk import Risk
    from openclaw_cli.settings import Settings
    from openclaw_cli.store.directory import Entry

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_SECRETS = [
    Column("NAME", weight=9, shortest=16),
    Column("PROVIDER", weight=3, shortest=8),
    Column("VERSION", weight=4, short="VER"),
    Column("AGE", weight=7),
    Column("LAST READ", weight=6, short="READ"),
    Column("BY", weight=5, shortest=8),
    Column("RISK", weight=6),
    Column("STATE", weight=8, states=True),
]
_TONES = {health.BAD: "bad", health.ATTENTION: "attention", health.ADVICE: ""}
_OPENED_BY = {
    "file": "the key file",
    "session": "an unlocked session",
    "descriptor": "a key given by --key-fd",
    "variable": "the key in OPENCLAW_STORE_KEY",
    "credential": "a credential of systemd",
    "bundle": "its key",
}
_WATCH_SECONDS = 1.0


@app.command()
def status(
    context: typer.Context,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Show each secret: its age, and who read it last.")
    ] = False,
    agents: Annotated[bool, typer.Option("--agents", help="Show the agents.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all there is.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw the agents again and again, until Ctrl-C.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="End with status 10 when something needs a hand.")
    ] = False,
) -> int:
    """Show what there is and what needs a hand.

    openclaw status --secrets

    openclaw status --check --quiet || mail -s "openclaw" me
    """
    session: Session = context.obj
    if version:
        return _version(session)
    if watch:
        agents_view.watch(session, _WATCH_SECONDS, verbose=verbose)
    now = time.time()
    settings = session.settings
    gateway = running(session) if agents or verbose or session.as_json else None
    seen = health.look(session.home, assembly.secrets(session.home, settings, os.environ))
    found = health.findings(seen, session.home, settings, now)
    rows = _rows(seen, settings, now) if secrets or verbose else []
    if session.as_json:
        listed = rows if secrets or verbose else None
        answer = _plain(seen, found, settings, listed)
        if verbose:
            answer["backends"] = _plain_backends(session, settings)
        session.output.json({**answer, **_agents(session, gateway)})
    elif not (check and session.quiet):
        _show(session, seen, rows, settings, now, verbose=verbose)
        if agents or verbose:
            session.output.line()
            _show_agents(session, gateway, verbose=verbose)
        _close(session, seen, found)
    if seen.trouble:
        raise seen.trouble
    return FindingsError.status if check and health.needs_a_hand(found) else 0


def show_findings(output: Output, found: Iterable[Finding]) -> None:
    """Write each finding with its mend below it, broken to the terminal's width."""
    for each in found:
        for line in wrapped(safe(each.why), output.width, first=f"{each.severity}: ", rest="  "):
            output.line(line, _TONES[each.severity])
        output.line(f"  hint: {each.hint}")


def _version(session: Session) -> int:
    if session.as_json:
        session.output.json({"version": __version__})
    else:
        session.output.line(f"openclaw-cli {__version__}")
    return 0


def _show(
    session: Session,
    seen: Look,
    rows: list[dict[str, Any]],
    settings: Settings,
    now: float,
    *,
    verbose: bool,
) -> None:
    output = session.output
    output.facts(_facts(seen, settings, now, verbose=verbose))
    if verbose:
        _show_backends(session, settings)
    if rows:
        output.line()
        output.table(_SECRETS, [_cells(each, now) for each in rows])
        worst = max(rows, key=lambda row: row["risk"]["score"])
        output.line()
        lower = worst["lower"]
        risk = told(worst["risk"]["score"], lower["by"], lower["command"])
        output.line(f"most exposed: {worst['name']}, {risk}")


def _show_backends(session: Session, settings: Settings) -> None:
    """Ask each backend how it is; say who we are there, and what would mend what is refused."""
    from openclaw_cli.cli import checks

    tones = {health.ATTENTION: "attention", health.BAD: "bad"}
    with session.output.progress("asking the backends"):
        found = list(checks.backends(session.home, settings))
    for each in found:
        session.output.facts([(each.name, each.what, tones.get(each.state, ""))])
        if each.hint:
            session.output.line(f"  hint: {each.hint}")


def _plain_backends(session: Session, settings: Settings) -> list[dict[str, str]]:
    from openclaw_cli.cli import checks

    return [
        {"name": each.name, "state": each.state, "what": each.what, "hint": each.hint}
        for each in checks.backends(session.home, settings)
    ]


def _close(session: Session, seen: Look, found: list[Finding]) -> None:
    """Say what needs a hand, last, where it is seen."""
    output = session.output
    output.line()
    if found:
        show_findings(output, found)
    elif seen.there and not seen.trouble:
        output.line("nothing needs a hand")
    if not seen.there and not seen.trouble:
        output.line("there is no store yet; the first secret makes it:")
        output.line("  openclaw secrets create NAME")


def running(session: Session) -> dict[str, Any] | None:
    """Return what the gateway says of itself, each instance included; None where none runs."""
    from openclaw_cli.gateway import paths

    if not os.path.exists(paths.control_socket(session.home)):
        return None
    from openclaw_cli.gateway import talk  # an HTTP client: not for where there is nobody to ask

    try:
        return talk.ask(session.home, "status", {"verbose": True}, seconds=5.0)
    except TemporaryError:
        return None


def _agents(session: Session, gateway: dict[str, Any] | None) -> dict[str, Any]:
    """Return the agents for JSON: as they run, else as the settings have them."""
    if gateway is not None:
        return {"gateway": gateway, "agents": gateway["agents"]}
    agents = [each.plain() for each in session.configuration.agents.values()]
    return {"gateway": None, "agents": agents}


def _show_agents(session: Session, gateway: dict[str, Any] | None, *, verbose: bool) -> None:
    if gateway is not None:
        agents_view.show(session.output, gateway, verbose=verbose)
        return
    agents = session.configuration.agents
    if not agents:
        session.output.line("no gateway is running, and the settings have no agents")
        return
    session.output.line("no gateway is running; to start it: openclaw gateway start")
    rows = [agents_view.listed(each) for each in agents.values()]
    session.output.table(agents_view.LISTED, rows)


def _facts(
    seen: Look, settings: Settings, now: float, *, verbose: bool
) -> list[tuple[str, str] | tuple[str, str, str]]:
    if not seen.there:
        return [("store", "none")]
    facts: list[tuple[str, str] | tuple[str, str, str]] = [("store", seen.store)]
    if seen.environment:
        facts += [("environment", seen.environment)]
    facts += [("secrets", *_count(seen))]
    if seen.header:
        opened = f", opened by {_key(seen.opened_by)}" if seen.opened_by else ""
        kinds = ", ".join(slot.kind for slot in seen.header.slots)
        facts += [("keys", f"{kinds}{opened}")]
        changed = duration.relative(seen.changed - now)
        facts += [
            ("size", f"{_size(seen.size)}, generation {seen.header.generation}, changed {changed}")
        ]
    facts += [("trail", *_trail(seen, now))]
    expires = _expires(seen)
    if expires:
        facts += [("expires", f"{duration.relative(health.when(expires) - now)} ({expires})")]
    else:
        facts += [("backup", _backup(seen, now))]
    others = [name for name in settings.backends() if name != LOCAL]
    if others and not verbose:
        facts += [("backends", f"{', '.join(others)}; openclaw status --verbose asks them")]
    if verbose:
        facts += _more(seen, settings)
    return facts


def _more(seen: Look, settings: Settings) -> list[tuple[str, str]]:
    facts = [("trail in", seen.trail)]
    if seen.header:
        facts += [("store id", f"{seen.header.store.hex()}, data key {seen.header.epoch}")]
    said = [f"{name}={value}" for name, value in chosen.every(settings).items()]
    facts += [("settings", ", ".join(said) or "all by default")]
    facts += [("version", f"openclaw-cli {__version__}")]
    return facts


def _count(seen: Look) -> tuple[str, str]:
    if seen.locked:
        return "locked; to open it: " + seen.locked, "attention"
    if not seen.opened_by:
        return "cannot be read", "bad"
    deleted = f", and {len(seen.deleted)} deleted" if seen.deleted else ""
    versions = sum(len(each.rows) for each in seen.alive)
    return f"{len(seen.alive)} in {versions} version{'' if versions == 1 else 's'}{deleted}", ""


def _trail(seen: Look, now: float) -> tuple[str, str]:
    if seen.head is None:
        return f"{_size(seen.trail_size)}, not verified", "attention" if seen.locked else "bad"
    at = health.when(seen.head.at)
    last = f", the last {duration.relative(at - now)}" if at else ""
    how = "its end verified" if seen.verified else "not verified"
    return f"{seen.head.seq} records{last}, {_size(seen.trail_size)}, {how}", ""


def _backup(seen: Look, now: float) -> str:
    at = health.when(health.last_backup(seen.trail))
    return duration.relative(at - now) if at else "none lately; openclaw store backup FILE"


def _key(kind: str) -> str:
    return _OPENED_BY.get(kind, f"the {kind}")


def _rows(seen: Look, settings: Settings, now: float) -> list[dict[str, Any]]:
    reads = health.last_reads(seen.trail)
    alive = sorted(seen.alive, key=lambda each: each.name)
    rows = []
    for each in alive:
        read = reads.get(each.name, health.LastRead())
        found = exposure(each, read, seen.directory.extra, settings, now)
        rows.append(_row(each, read, found, settings, now))
    return rows


def _row(
    entry: Entry, read: health.LastRead, found: Risk, settings: Settings, now: float
) -> dict[str, Any]:
    current = entry.current()
    return {
        "name": entry.name,
        "provider": entry.provider or None,
        "backend": "local",
        "version": str(current.number) if current else None,
        "age_seconds": int(states.age(entry, now)) if current else None,
        "last_read": read.at or None,
        "last_read_by": read.who or None,
        "risk": {"score": found.score, **found.parts},
        "lower": {"by": found.lowers, "command": found.command},
        "state": states.state(entry, now, settings["status.old-days"]),
    }


def _cells(row: dict[str, Any], now: float) -> list[str]:
    read = row["last_read"]
    return [
        row["name"],
        row["provider"] or "",
        row["version"] or "",
        "" if row["age_seconds"] is None else duration.compact(row["age_seconds"]),
        duration.relative(health.when(read) - now) if read else "",
        row["last_read_by"] or "",
        str(row["risk"]["score"]),
        row["state"],
    ]


def _plain(
    seen: Look, found: list[Finding], settings: Settings, rows: list[dict[str, Any]] | None
) -> dict[str, Any]:
    header, head = seen.header, seen.head
    answer: dict[str, Any] = {
        "version": __version__,
        "environment": seen.environment or None,
        "store": {
            "path": seen.store,
            "present": seen.there,
            "locked": bool(seen.locked),
            "opened_by": seen.opened_by or None,
            "bytes": seen.size,
            "generation": header.generation if header else None,
            "key_slots": [slot.kind for slot in header.slots] if header else [],
            "secrets": len(seen.alive) if seen.opened_by else None,
            "deleted": len(seen.deleted) if seen.opened_by else None,
            "expires": _expires(seen),
        },
        "trail": {
            "path": seen.trail,
            "records": head.seq if head else None,
            "last": head.at if head else None,
            "bytes": seen.trail_size,
            "verified": seen.verified,
        },
        "backup": health.last_backup(seen.trail) or None,
        "settings": chosen.every(settings),
        "findings": [plain_finding(each) for each in found],
        "needs_a_hand": health.needs_a_hand(found) or seen.trouble is not None,
    }
    if rows is not None:
        answer["secrets"] = rows
    return answer


def _expires(seen: Look) -> str | None:
    if seen.opened_by != health.BUNDLE or seen.header is None:
        return None
    return duration.absolute(seen.header.slots[0].parameters["expires"])


def plain_finding(each: Finding) -> dict[str, str]:
    """Return a finding for JSON."""
    return {
        "what": each.what,
        "where": each.where,
        "why": each.why,
        "hint": each.hint,
        "severity": each.severity,
    }


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
