"""`openclaw secrets` create, set, get, edit, rollback, delete, restore: one value at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from openclaw_cli import providers
from openclaw_cli.cli import ask
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import check, parse
from openclaw_cli.rotation import generators

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret.", show_default=False)]
Value = Annotated[
    str | None,
    typer.Option("--value", help="The value itself: others can read it in the process list."),
]
ValueFile = Annotated[
    str | None, typer.Option("--value-file", metavar="FILE", help="Take every byte of a file.")
]
Generate = Annotated[
    str | None,
    typer.Option(
        "--generate",
        metavar="[KIND]",
        help="Make a value: password, token, passphrase, uuid, ed25519, rsa, ssh.",
    ),
]
Verbatim = Annotated[
    bool, typer.Option("--verbatim", help="Keep the newline at the end of a piped value.")
]
Provider = Annotated[
    str | None,
    typer.Option("--provider", help="The service that issued it: openai, aws, postgres, ..."),
]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    value: Value = None,
    value_file: ValueFile = None,
    generate: Generate = None,
    verbatim: Verbatim = False,
    provider: Provider = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=TEXT", help="A label; repeatable.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Keep a new version where the name is taken.")
    ] = False,
) -> None:
    """Keep a new secret.

    The value is asked for, hidden; or piped in; or made with --generate.

        openclaw secrets create openai-api-key --provider openai

        openclaw secrets create db-password --generate password:32

        openclaw secrets create tls-key --value-file server.key
    """
    session: Session = context.obj
    check(name)
    issuer = _provider(session, provider)
    secret, origin = _new_value(session, name, value, value_file, generate, verbatim=verbatim)
    issuer = _looked_at(session, name, secret, issuer)
    version = session.changes.create(
        name,
        secret,
        provider=issuer,
        labels=_labels(label),
        force=force,
        origin=origin,
    )
    _kept(session, name, version, origin)


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    value: Value = None,
    value_file: ValueFile = None,
    generate: Generate = None,
    verbatim: Verbatim = False,
    provider: Provider = None,
) -> None:
    """Keep a new version of a secret, or a new secret.

    The value before stays as the previous version: `openclaw secrets rollback NAME` brings it back.

        printf %s "$KEY" | openclaw secrets set openai-api-key
    """
    session: Session = context.obj
    check(name)
    issuer = _provider(session, provider)
    secret, origin = _new_value(session, name, value, value_file, generate, verbatim=verbatim)
    issuer = _looked_at(session, name, secret, issuer)
    version = session.changes.set(name, secret, provider=issuer, origin=origin)
    _kept(session, name, version, origin)


@app.command()
def get(
    context: typer.Context,
    name: Name,
    clip: Annotated[
        bool, typer.Option("--clip", help="Copy it to the clipboard, and clear that after a while.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Ask the backend, not the cache.")
    ] = False,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="1h", help="The oldest copy that will do.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no other machine: a copy or nothing.")
    ] = False,
) -> None:
    """Give a secret's value: exact bytes when piped.

    key=$(openclaw secrets get openai-api-key)

    openclaw secrets get "openai-api-key?version=2"
    """
    del no_cache, max_age, offline  # the local store is never a copy
    session: Session = context.obj
    secret = session.secrets.read(parse(name))
    if clip:
        _to_clipboard(session, name, secret.value)
    elif session.as_json:
        session.output.json({"name": name, **_shown(secret.value), "version": secret.version.id})
    else:
        session.output.value(secret.value.reveal())


@app.command()
def edit(context: typer.Context, name: Name) -> None:
    """Change a value in your editor, in memory only.

    The file is on a file system that is only memory, readable by you alone, and gone afterwards.
    """
    from openclaw_cli.cli import editor

    session: Session = context.obj
    session.ask.need_terminal("an editor", hint=f"openclaw secrets set {name}")
    before = session.secrets.read(parse(name), purpose="edit").value
    after = editor.edit(before.reveal())
    if after is None:
        session.output.note(f"{name} was not changed")
        return
    version = session.changes.set(name, SecretValue(after), origin="edit")
    _kept(session, name, version, "edit")


@app.command()
def rollback(
    context: typer.Context,
    name: Name,
    to: Annotated[
        int | None, typer.Option("--to", metavar="N", help="The version; the one before, if not.")
    ] = None,
) -> None:
    """Make an older version the current one again."""
    session: Session = context.obj
    version = session.changes.rollback(check(name), to)
    if session.as_json:
        session.output.json({"name": name, "version": str(version)})
    session.output.done(f"version {version} of {name} is the current one again")


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    purge: Annotated[
        bool, typer.Option("--purge", help="For good: it cannot be restored.")
    ] = False,
) -> None:
    """Delete a secret; it can be restored for 30 days."""
    session: Session = context.obj
    check(name)
    if purge:
        session.confirm(f"delete {name} and all its versions for good?")
    there = session.changes.delete(name, purge=purge)
    if session.as_json:
        session.output.json({"name": name, "deleted": there})
    if not there:
        session.output.done(f"no secret is called {name}, so nothing was deleted")
    elif purge:
        session.output.done(f"{name} is gone for good")
    else:
        session.output.done(f"deleted {name}; openclaw secrets restore {name} brings it back")


@app.command()
def restore(context: typer.Context, name: Name) -> None:
    """Bring a deleted secret back."""
    session: Session = context.obj
    version = session.changes.restore(check(name))
    if session.as_json:
        session.output.json({"name": name, "version": str(version)})
    session.output.done(f"{name} is back, at version {version}")


def _new_value(
    session: Session,
    name: str,
    value: str | None,
    value_file: str | None,
    generate: str | None,
    *,
    verbatim: bool,
) -> tuple[SecretValue, str]:
    """Take the value from the one place that was named, and say how it came."""
    if sum(each is not None for each in (value, value_file, generate)) > 1:
        raise UsageError("give one of --value, --value-file and --generate")
    if generate is not None:
        return _generated(session, generate), "generate"
    if value_file is not None:
        return SecretValue(ask.read_value_file(value_file)), "set"
    if value is not None:
        session.output.warn(
            "a value on the command line can be read by others, and stays in the shell's history",
            hint=f"openclaw secrets set {name}, which asks for it or takes it from a pipe",
        )
        return SecretValue(value.encode(errors="surrogateescape")), "set"
    return SecretValue(session.ask.new_value(name, verbatim=verbatim)), "set"


def _generated(session: Session, kind: str) -> SecretValue:
    generator = generators.parse(kind)
    made = generator.generate()
    session.output.note(f"generated: {generator.describe()}")
    if made.public is not None:
        session.output.note("its public half:")
        for line in made.public.splitlines():
            session.output.note(f"  {line}")
    return SecretValue(made.value)


def _provider(session: Session, provider: str | None) -> str:
    """Return the provider's name when it is one; a service we do not know is only a label."""
    if not provider:
        return ""
    if provider not in providers.names():
        session.output.note(f"{provider} is not a provider with a known shape; kept as a label")
        return check(provider)
    return provider


def _looked_at(session: Session, name: str, value: SecretValue, provider: str) -> str:
    """Warn where a value does not look like its provider's; recognise one that nobody named."""
    if not provider:
        found = providers.recognise(value.reveal())
        return found.name if found else ""
    if provider in providers.names():
        warning = providers.get(provider).check(value.reveal())
        if warning:
            session.output.warn(f"{name}: {warning}")
    return provider


def _labels(given: list[str] | None) -> dict[str, str]:
    labels = {}
    for each in given or []:
        key, separator, text = each.partition("=")
        if not separator or not key:
            raise UsageError("a label is written KEY=TEXT")
        labels[key] = text
    return labels


def _kept(session: Session, name: str, version: int, origin: str) -> None:
    if session.as_json:
        session.output.json({"name": name, "version": str(version), "origin": origin})
    tell_founding(session)
    session.output.done(f"kept {name}, version {version}")


def tell_founding(session: Session) -> None:
    """Say where the store and its key are when this change made it."""
    from openclaw_cli.store.keys import file

    if session.changes.founded:
        session.output.note(f"made the store {session.home.secrets}/store.oc")
        session.output.note(f"  its key is the file {file.path(session.home)}")
        session.output.note(
            "  protect it better: openclaw store slots add passphrase (or keyring, or recovery)"
        )


def _shown(value: SecretValue) -> dict[str, Any]:
    """Return a value for JSON: as text, or in base64 where it is not UTF-8."""
    import base64

    try:
        return {"value": value.reveal().decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value.reveal()).decode()}


def _to_clipboard(session: Session, name: str, value: SecretValue) -> None:
    from openclaw_cli.cli import clipboard

    copied = clipboard.copy(value.reveal(), seconds=session.settings["clipboard.seconds"])
    until = f"for {copied.cleared_after} seconds" if copied.cleared_after else "until you clear it"
    session.output.done(f"{name} is on the clipboard {until}")
