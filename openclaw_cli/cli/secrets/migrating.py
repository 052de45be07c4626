"""`openclaw secrets migrate`: the gateway's plain text, and that of our own settings, is moved."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import newfile
from openclaw_cli.cli.interop import Program, absolute
from openclaw_cli.cli.recording import recorded
from openclaw_cli.cli.secrets.values import tell_founding
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    OpenclawError,
    UsageError,
)
from openclaw_cli.interop import gateway as gateways
from openclaw_cli.interop import places, resolver, wiring
from openclaw_cli.interop.migrate import gather, plan_file, steps
from openclaw_cli.interop.migrate import plan as plans
from openclaw_cli.interop.migrate.sealed import KEY_NAME
from openclaw_cli.names import Reference
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.interop.gateway import Gateway
    from openclaw_cli.interop.migrate.plan import Move, Plan
    from openclaw_cli.model import SecretValue

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_PURPOSE = "migrate"


StateDir = Annotated[
    str | None, typer.Argument(metavar="[STATE_DIR]", help="The gateway's state directory.")
]
Provider = Annotated[
    str, typer.Option("--provider", metavar="NAME", help="What the gateway is to call us.")
]
Shred = Annotated[
    bool, typer.Option("--shred", help="Overwrite and remove copies with plain text, too.")
]
Undo = Annotated[bool, typer.Option("--undo", help="Put back what the last one changed.")]
File = Annotated[
    str | None,
    typer.Option("--plan", metavar="FILE", help="Write a plan for the gateway's own means."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command()
def migrate(
    context: typer.Context,
    state_dir: StateDir = None,
    program: Program = None,
    provider: Provider = wiring.NAME,
    shred: Shred = False,
    undo: Undo = False,
    file: File = None,
    dry_run: DryRun = False,
) -> None:
    """Move plain text of the OpenClaw gateway into the store.

        openclaw secrets migrate --dry-run

        openclaw secrets migrate --yes --shred

        openclaw secrets migrate --plan plan.json

    Each value is kept and read back; then a reference takes its place, in openclaw.json, auth
    profiles and .env, and every other byte of those files stays. Values in our own settings are
    moved too. What was there is kept in a sealed backup: --undo puts it back. An interrupted
    migration goes on when it is called again.

    With --plan the values are kept, the gateway's files stay as they are, and its own secrets apply
    takes the file.
    """
    session: Session = context.obj
    wiring.check_name(provider)
    if file is not None and (undo or shred):
        raise UsageError(
            "--plan changes none of the gateway's files, so it goes with no --undo and no --shred",
            hint="openclaw secrets migrate --plan FILE",
        )
    if undo:
        _undo(session)
        return
    gateway = _gateway(session, program, state_dir)
    plan = _plan(session, gateway, state_dir)
    new = _named_apart(session, plan)
    if gateway is not None:
        _check_limit(session, plan, provider)
    if not session.as_json:
        _show(session, plan)
    if gateway is None and plan.waits() and not (dry_run or plan.moves):
        raise NotFoundError(
            "nothing was moved: the gateway's own program was not found",
            hint="openclaw secrets migrate --gateway /path/to/its/openclaw",
        )
    if dry_run or not (plan.moves or (shred and plan.copies)):
        if session.as_json:
            session.output.json({**plans.plain(plan), "done": False, "backup": ""})
        elif not plan.moves:
            session.output.done("nothing stands in plain text that could be moved")
        return
    if file is not None:
        _write_plan(session, plan, new, gateway, provider, file)
        return
    session.confirm(_question(plan, shred=shred))
    done = _run(session, plan, new, gateway, provider, shred=shred)
    _tell_done(session, plan, gateway, done, shred=shred)


def _tell_done(
    session: Session,
    plan: Plan,
    gateway: Gateway | None,
    done: steps.Migration,
    *,
    shred: bool,
) -> None:
    tell_founding(session)
    left = _audited(session, gateway)
    if session.as_json:
        answer = {**plans.plain(plan), "done": True, "backup": done.backup, "audit": left}
        session.output.json(answer)
    if plan.moves:
        session.output.done(f"moved {_many(len(plan.moves), 'value')} into the store")
    session.output.note("a sealed backup is kept: openclaw secrets migrate --undo puts it back")
    if shred and plan.copies:
        session.output.note(
            "copies were overwritten and removed; snapshots, SSDs and file systems that copy on "
            "write may have them still: change the values at their services"
        )
    elif plan.copies:
        stay = "stays" if len(plan.copies) == 1 else "stay"
        session.output.warn(
            f"{_many(len(plan.copies), 'copy', 'copies')} with plain text {stay}",
            hint="openclaw secrets migrate --shred",
        )
    if gateway is not None:
        session.output.note("a running gateway takes it over by: openclaw interop reload")


def _gateway(session: Session, program: str | None, state_dir: str | None) -> Gateway | None:
    try:
        return gateways.find(os.environ, program=program or "", state=absolute(state_dir))
    except NotFoundError as missing:
        if program:
            raise
        noted = gateways.remembered(session.home)
        if noted is not None and not state_dir:
            return noted
        session.output.warn(missing.message, hint=missing.hint)
        return None


def _plan(session: Session, gateway: Gateway | None, state_dir: str | None) -> Plan:
    state = gateway.state if gateway else absolute(state_dir) or session.home.root
    config = gateway.config if gateway else f"{state}/{gateways.CONFIG}"
    with session.output.progress("looking"):
        found = gather.found(state, config, gateway, session.settings.plaintext)
    for name in found.referenced & _names(session):
        found.known[name] = _read(session, name)
    return plans.made(found)


def _named_apart(session: Session, plan: Plan) -> list[Move]:
    """Give the moves names that are free; return those whose value is not in the store yet."""
    taken = _names(session)

    def same(move: Move, name: str) -> bool:
        if name not in taken:
            return False  # another move of this plan has it
        return hmac.compare_digest(_read(session, name).reveal(), move.value.reveal())

    return plans.named_apart(plan, taken, same)


def _names(session: Session) -> set[str]:
    entries = session.secrets.catalogue().entries.values()
    return {entry.name for entry in entries if not entry.deleted}


def _read(session: Session, name: str) -> SecretValue:
    return session.secrets.read(Reference(name, backend=LOCAL), purpose=_PURPOSE).value


def _check_limit(session: Session, plan: Plan, provider: str) -> None:
    """Refuse what the resolver would not hand out afterwards."""
    limits = session.settings.resolvers
    allow = limits.get(provider, {}).get("allow", []) if limits else ["*"]
    for move in plan.moves:
        if not any(resolver.fits(move.name, each) for each in allow):
            raise ConfigError(
                f"the resolver {provider} may not hand out {move.name}",
                hint=f"add a pattern to allow below [resolvers.{provider}] in settings.toml",
            )


def _show(session: Session, plan: Plan) -> None:
    for move in plan.moves:
        places = ", ".join(spot.shown for spot in move.spots)
        session.output.line(f"move  {move.name}  from {places}")
    for each in plan.left:
        session.output.line(f"left  {each.place}: {each.why}")
        session.output.line(f"      hint: {each.hint}")
    for path in plan.copies:
        session.output.line(f"copy  {path}")


def _question(plan: Plan, *, shred: bool) -> str:
    values = _many(len(plan.moves), "value")
    files = _many(len(plan.files()), "file")
    copies = f", and shred {_many(len(plan.copies), 'copy', 'copies')}" if shred else ""
    return f"Move {values} into the store, and change {files}{copies}?"


def _run(
    session: Session,
    plan: Plan,
    new: list[Move],
    gateway: Gateway | None,
    provider: str,
    *,
    shred: bool,
) -> steps.Migration:
    table = {}
    if gateway is not None:
        command = wiring.resolver_path(os.environ)
        table = wiring.provider(command, session.home, session.settings, os.environ)
        gateways.remember(session.home, gateway)
    wanted = {move.name for move in new}
    session.changes.found_plainly()  # the trail needs its key
    with (
        recorded(session, "secret_migrate", files=plan.files()),
        session.output.progress("migrating") as progress,
    ):
        migration = steps.Migration(
            plan, session.home, _store(session, wanted), gateway, provider, table, shred
        )
        migration.say = progress.say
        migration.run()
    return migration


def _write_plan(
    session: Session,
    plan: Plan,
    new: list[Move],
    gateway: Gateway | None,
    provider: str,
    path: str,
) -> None:
    """Keep the values, and write what the gateway's own program makes references of them with."""
    if gateway is None:
        raise NotFoundError(
            "a plan is for the gateway's own program, which was not found",
            hint="openclaw secrets migrate --gateway PROGRAM --plan FILE",
        )
    if os.path.lexists(path):
        raise ConflictError(f"{path} exists already", hint=f"rm {path}")
    command = wiring.resolver_path(os.environ)
    table = wiring.provider(command, session.home, session.settings, os.environ)
    session.confirm(f"Keep {_many(len(plan.moves), 'value')} in the store, and write {path}?")
    steps.keep(plan, _store(session, {move.name for move in new}))
    gateways.remember(session.home, gateway)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data, left = plan_file.made(plan, places.paths(gateway), provider, table, now)
    newfile.write(path, [data])
    tell_founding(session)
    apply = gateway.by_hand("apply", "--from", os.path.abspath(path))
    if session.as_json:
        plan.left += left
        session.output.json({**plans.plain(plan), "done": True, "plan": path, "command": apply})
    session.output.done(f"kept {_many(len(plan.moves), 'value')}, and wrote {path}")
    for each in left:
        session.output.warn(f"{each.place}: {each.why}")
    session.output.note(f"the gateway puts references in their places by: {apply}")
    session.output.note(
        "it keeps no comments, and leaves copies with the values beside; for these,"
    )
    session.output.note("and for what it does not reach: openclaw secrets migrate --shred")


def _store(session: Session, wanted: set[str] | None = None) -> steps.Store:
    def keep(values: dict[str, SecretValue]) -> None:
        new = {
            name: value
            for name, value in values.items()
            if wanted is None or name in wanted or name == KEY_NAME
        }
        if new:
            session.changes.set_many(new, origin=_PURPOSE)

    return steps.Store(keep, lambda name: _read(session, name))


def _audited(session: Session, gateway: Gateway | None) -> list[dict[str, str]]:
    """Ask the gateway's own audit; tell what it finds, by place alone."""
    if gateway is None:
        return []
    try:
        with session.output.progress("asking the gateway's own audit"):
            report = gateway.audit()
    except OpenclawError as refused:
        session.output.warn(refused.message, hint=refused.hint)
        return []
    found = []
    for each in report.get("findings", []):
        place = {key: str(each.get(key, "")) for key in ("code", "file", "jsonPath")}
        found.append(place)
        session.output.warn(
            f"the gateway's audit says {place['code']}: {place['file']} {place['jsonPath']}"
        )
    return found


def _undo(session: Session) -> None:
    session.confirm("Put plain text back where the last migration took it from?")
    with recorded(session, "secret_migrate_undo"):
        done, kept = steps.undo(session.home, _store(session))
    if session.as_json:
        session.output.json({"restored": done, "left": kept})
    session.output.done(f"put back {_many(len(done), 'file')}; the store keeps its values")
    for path in kept:
        session.output.warn(f"{path} was changed since, and is left as it is")


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"
