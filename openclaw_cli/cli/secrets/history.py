"""`openclaw secrets` status and history: one secret, what it was and who read it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import duration, providers
from openclaw_cli.agents import GRANTS
from openclaw_cli.audit.readings import Read, Reads, of_secret
from openclaw_cli.audit.telling import origin, seconds, user_name, who
from openclaw_cli.cli import listing
from openclaw_cli.cli.render import STATES
from openclaw_cli.cli.secrets import far, named, said
from openclaw_cli.cli.session import Session
from openclaw_cli.cli.timeline import VersionLine, timeline
from openclaw_cli.missing import absent
from openclaw_cli.model import CURRENT, RETIRED
from openclaw_cli.names import parse
from openclaw_cli.risk import told

if TYPE_CHECKING:
    from openclaw_cli.risk import Risk
    from openclaw_cli.store.directory import Directory, Entry, Row

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret.", show_default=False)]


@app.command()
def status(context: typer.Context, name: Name) -> None:
    """Show one secret's health.

        openclaw secrets status openai-api-key

    Where it is, its versions and stages, who read it last, and what needs a hand.
    """
    session: Session = context.obj
    elsewhere = named.known(session, name)
    if elsewhere is not None:
        _show_named(session, elsewhere)
        return
    there = far.found(session, name)
    if there is not None:
        reads = of_secret(session.home.audit, there[0].path)
        far.show(session, *there, _reading(_newest(reads)))
        return
    directory = session.secrets.catalogue()
    entry = _entry(directory, name)
    reads = of_secret(session.home.audit, entry.name)
    current = entry.current()
    newest = _newest(reads)
    stale = current is not None and current.number != entry.latest()
    now = time.time()
    risk = _risk(session, entry, directory, now)
    holders = _holders(session, entry, directory, now)
    if session.as_json:
        session.output.json(
            {
                **said.plain(session, entry),
                "versions": [
                    {
                        "version": str(row.number),
                        "stage": row.stage,
                        "created": row.created / 1000,
                        "origin": row.origin,
                        "reads": reads[str(row.number)].count if str(row.number) in reads else 0,
                    }
                    for row in entry.rows
                ],
                "last_read": _reading(newest),
                "variable": listing.variable_of(entry),
                "granted_to": holders,
                "risk": {"score": risk.score, **risk.parts},
                "lower": {"by": risk.lowers, "command": risk.command},
            }
        )
        return
    session.output.facts(
        [
            *_facts(session, entry, reads, newest),
            *_rotation(session, entry, directory, now),
            ("granted to", ", ".join(holders) or "no agent"),
            ("exposure", told(risk.score, risk.lowers, risk.command)),
        ]
    )
    if stale and current is not None:
        session.output.note(f"rolled back: version {entry.latest()} is newer than the current one")


@app.command()
def history(context: typer.Context, name: Name) -> None:
    """Draw a secret's versions: made, promoted, last read, retired."""
    session: Session = context.obj
    there = far.found(session, name)
    if there is not None:
        far.show_history(session, *there)
        return
    entry = _entry(session.secrets.catalogue(), name)
    reads = of_secret(session.home.audit, entry.name)
    revoked = _revocations(session, entry)
    lines = [
        _version_line(row, reads.get(str(row.number)), revoked.get(str(row.number)))
        for row in reversed(entry.rows)
    ]
    if session.as_json:
        versions = [
            {
                "version": line.number,
                "stage": line.stage,
                "created": line.made,
                "promoted": line.promoted,
                "retired": line.retired,
                "revoked": line.revoked,
                "last_read": line.last_read,
                "last_read_by": line.last_read_by or None,
                "reads": line.reads,
            }
            for line in lines
        ]
        session.output.json({"name": entry.name, "versions": versions})
        return
    session.output.drawn(timeline(entry.name, lines, time.time(), session.output))


def _show_named(session: Session, known: dict[str, str | int]) -> None:
    """Show a name that the configuration leads elsewhere; its backend is not asked."""
    newest = _newest(of_secret(session.home.audit, str(known["name"])))
    if session.as_json:
        session.output.json({**known, "last_read": _reading(newest)})
        return
    facts = [(key.replace("_", " "), str(value) or "none") for key, value in known.items()]
    facts.append(("copy", far.copy(session.secrets.copied(parse(str(known["reference"]))))))
    last = f"{newest.at} by {who(newest.actor, user_name)}" if newest else "never"
    session.output.facts([*facts, ("last read", last)])


def _newest(reads: dict[str, Reads]) -> Read | None:
    return max((each.last for each in reads.values()), key=lambda read: read.seq, default=None)


def _risk(session: Session, entry: Entry, directory: Directory, now: float) -> Risk:
    """Return how exposed a secret is, as `status --secrets` says it."""
    from openclaw_cli.exposure import exposure
    from openclaw_cli.health import last_read

    read = last_read(session.home.audit, entry.name)
    return exposure(entry, read, directory.extra, session.settings, now)


def _holders(session: Session, entry: Entry, directory: Directory, now: float) -> list[str]:
    """Return the agents that may read a secret."""
    if not session.settings.agents and GRANTS not in directory.extra:
        return []
    from openclaw_cli.cli.secrets.granting import holders

    return holders(session, directory, entry.name, now)


def _entry(directory: Directory, name: str) -> Entry:
    """Return what is known of a secret, a deleted one too; raises `NotFoundError`."""
    entry = directory.entries.get(parse(name).path)
    if entry is None:
        raise absent(directory, name)
    return entry


def _facts(
    session: Session, entry: Entry, reads: dict[str, Reads], newest: Read | None
) -> list[tuple[str, str] | tuple[str, str, str]]:
    current = entry.current()
    now = time.time()
    stages = ", ".join(f"{row.number} {row.stage}" for row in reversed(entry.rows))
    count = sum(each.count for each in reads.values())
    facts: list[tuple[str, str] | tuple[str, str, str]] = [
        ("name", entry.name),
        ("state", said.state(session, entry), STATES.get(said.state(session, entry), "")),
        ("provider", _provider(entry)),
        ("backend", f"local ({session.secrets.file})"),
        ("variable", listing.variable_of(entry)),
        ("versions", stages),
    ]
    if current is not None:
        made = duration.relative(current.created / 1000 - now)
        facts.append(("changed", f"{made} ({current.origin})"))
    if newest is not None:
        when = duration.relative(seconds(newest.at) - now)
        facts.append(("last read", f"{when} by {who(newest.actor, user_name)}, {count} in all"))
    else:
        facts.append(("last read", "never"))
    facts += [("label", f"{key}={text}") for key, text in sorted(entry.labels.items())]
    return facts


def _rotation(
    session: Session, entry: Entry, directory: Directory, now: float
) -> list[tuple[str, str]]:
    """Say how it is rotated, what comes next, and what went wrong."""
    if not entry.policy:
        return [("rotation", "no schedule")]
    from openclaw_cli.rotation import consumers, policy

    found = policy.read(entry.policy)
    by = f" by {found.rotator}" if found.rotator else ""
    times = found.times
    facts = [("rotation", f"{times}{by}" if times else f"no schedule{by and ','}{by}")]
    if found.next_due:
        facts.append(("next rotation", listing.upcoming(entry.policy, now)))
    if listing.latest(entry, now):
        facts.append(("last rotation", listing.latest(entry, now)))
    if found.run:
        facts.append(("under way", f"{found.run.step} is next"))
    old = found.old
    if old:
        who = consumers.waiting(session.home.audit, entry.name, old)
        waiting = f", not read anew by {', '.join(who)}" if who else ""
        when = duration.relative(old.at - now) if found.until != policy.READ else "once all have it"
        facts.append(("to be revoked", f"version {old.version}, {when}{waiting}"))
    facts += [("told of a new value", each) for each in found.tell]
    if found.failure and found.failures:
        again = duration.relative(max(found.failure.retry - now, 0))
        said = f"{found.failure.step}: {found.failure.message}; tried again {again}"
        facts.append(("last failure", said))
    facts += _owed(entry, directory, now)
    return facts


def _owed(entry: Entry, directory: Directory, now: float) -> list[tuple[str, str]]:
    """Say who does not know of the newest value yet."""
    from openclaw_cli.rotation import policy, reloading

    facts = [("to be told", each) for each in policy.read(entry.policy).telling]
    waiting = reloading.owed(directory)
    if entry.name in waiting.names:
        said = "takes it up with the next rotation"
        if waiting.failure:
            said = f"{waiting.failure.message}; tried again "
            said += duration.relative(max(waiting.failure.retry - now, 0))
        facts.append((reloading.GATEWAY, said))
    return facts


def _provider(entry: Entry) -> str:
    if entry.provider not in providers.names():
        return entry.provider or "not named"
    known = providers.get(entry.provider)
    return f"{known.title}, keys at {known.page}" if known.page else known.title


def _revocations(session: Session, entry: Entry) -> dict[str, float]:
    """Return by version when it was revoked, or is to be."""
    if not entry.policy:
        return {}
    from openclaw_cli.rotation import consumers, policy

    found = consumers.revocations(session.home.audit, entry.name)
    waiting = policy.read(entry.policy)
    if waiting.old and waiting.until != policy.READ:
        found[str(waiting.old.version)] = waiting.old.at
    return found


def _version_line(row: Row, reads: Reads | None, revoked: float | None) -> VersionLine:
    retired = row.since / 1000 if row.stage == RETIRED else None
    return VersionLine(
        number=str(row.number),
        stage=row.stage,
        made=row.created / 1000,
        promoted=row.since / 1000 if row.stage == CURRENT else None,
        last_read=seconds(reads.last.at) if reads else None,
        last_read_by=who(reads.last.actor, user_name) if reads else "",
        reads=reads.count if reads else 0,
        retired=retired,
        revoked=revoked,
        note=row.origin if row.origin != "set" else "",
    )


def _reading(read: Read | None) -> dict[str, object] | None:
    if read is None:
        return None
    return {
        "at": read.at,
        "version": read.version,
        "by": who(read.actor, user_name),
        "from": origin(read.actor),
    }
