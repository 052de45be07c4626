"""`openclaw interop`: what we do for the OpenClaw gateway, set up."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openclaw_cli import newfile, settings_file
from openclaw_cli.cli.recording import recorded
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import NotFoundError
from openclaw_cli.interop import config_file, gateway, json5, wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openclaw_cli.interop.gateway import Gateway

app = typer.Typer(rich_markup_mode=None, add_completion=False)

StateDir = Annotated[
    str | None,
    typer.Option("--state-dir", metavar="DIR", help="The gateway's state directory."),
]
Program = Annotated[
    str | None,
    typer.Option("--gateway", metavar="PROGRAM", help="The gateway's own openclaw."),
]


@app.callback()
def interop() -> None:
    """Set up what we do for the OpenClaw gateway."""


@app.command()
def setup(
    context: typer.Context,
    provider: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the gateway is to call us.")
    ] = wiring.NAME,
    state_dir: StateDir = None,
    program: Program = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="PATTERN",
            help="Hand out only what fits: openai-*; may be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Make the OpenClaw gateway fetch its keys from here.

        openclaw interop setup --allow "openai-*" --allow "gateway/*"

    Its openclaw.json gets a provider that runs openclaw-resolver; every other byte of it stays. The
    gateway judges the changed file before it takes the old one's place. What the provider may hand
    out is kept in settings.toml.
    """
    session: Session = context.obj
    wiring.check_name(provider)
    found = gateway.find(os.environ, program=program or "", state=absolute(state_dir))
    table = wiring.provider(
        wiring.resolver_path(os.environ), session.home, session.settings, os.environ
    )
    if dry_run:
        changed = write(found, provider, table, dry_run=True)
    else:
        with recorded(
            session, "interop_setup", provider=provider, file=found.config, allow=allow or []
        ):
            if allow:
                settings_file.limit(session.home, provider, allow)
            gateway.remember(session.home, found)
            changed = write(found, provider, table)
    _tell(session, found, provider, table, changed=changed, dry_run=dry_run, allow=allow or [])


@app.command("reload")
def reload_(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="What has a new value.")
    ] = None,
) -> None:
    """Have the running OpenClaw gateway take new values.

        openclaw interop reload

    A rotation does it by itself. The gateway's own command cannot once the gateway's own token has
    changed: it signs in with the new one, which the running gateway does not know yet.
    """
    session: Session = context.obj
    with session.output.progress("telling the gateway"):
        told = gateway.reload(session.secrets, names or [])
    if not told:
        raise NotFoundError("no gateway is set up", hint="openclaw interop setup")
    if session.as_json:
        session.output.json({"reloaded": True})
    session.output.done("the gateway has taken the new values")


def absolute(path: str | None) -> str:
    """Return a directory that was named, "" where none was."""
    return os.path.abspath(os.path.expanduser(path)) if path else ""


def write(found: Gateway, name: str, table: dict[str, Any], *, dry_run: bool = False) -> bool:
    """Write the provider into the gateway's file; tell whether that changes it."""
    file = config_file.read(found.config)
    if file is None:
        if not dry_run:
            whole = {"secrets": {"providers": {name: table}}}
            newfile.write(found.config, [json.dumps(whole, indent=2).encode(), b"\n"])
        return True
    edits = config_file.with_provider(file.text, file.root(), name, table)
    if edits and not dry_run:
        config_file.put(file, json5.replaced(file.text, edits).encode(), found)
    return bool(edits)


def _tell(
    session: Session,
    found: Gateway,
    name: str,
    table: dict[str, Any],
    *,
    changed: bool,
    dry_run: bool,
    allow: Sequence[str],
) -> None:
    if session.as_json:
        session.output.json(
            {
                "gateway": {"version": found.shown, "command": list(found.command)},
                "config": found.config,
                "name": name,
                "provider": table,
                "allow": list(allow),
                "changed": changed and not dry_run,
            }
        )
        return
    if dry_run:
        session.output.line(f"secrets.providers.{name} in {found.config}:")
        for line in json.dumps(table, indent=2).splitlines():
            session.output.line(line)
        return
    done = "has the provider" if changed else "had already the provider"
    session.output.done(f"{found.config} {done} {name}, for the gateway {found.shown}")
    example = json.dumps(wiring.reference(name, "NAME"))
    session.output.note(f"in that file, a secret is {example}")
    session.output.note("what stands there in plain text: openclaw secrets migrate")
