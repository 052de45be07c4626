"""`openclaw secrets` create, set, get, edit: values on their way in and out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from openclaw_cli.cli.secrets import given, places, stale
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import ConflictError
from openclaw_cli.model import Secret, SecretValue
from openclaw_cli.names import Reference, parse
from openclaw_cli.service import LOCAL

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret.", show_default=False)]
Value = Annotated[
    str | None,
    typer.Option(
        "--value", metavar="VALUE", help="The value itself: others can read it in the process list."
    ),
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
    typer.Option(
        "--provider",
        metavar="SERVICE",
        help="The service that issued it: openai, aws, postgres, ...",
    ),
]
Label = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=TEXT", help="A label; repeatable.")
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
    backend: places.Backend = None,
    label: Label = None,
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
    issuer, backend = given.split_provider(session, provider, backend)
    reference = places.target(session, name, backend)
    named = given.labels(label)
    if not force:
        _refuse_taken(session, reference)
    secret, origin = given.new_value(session, name, value, value_file, generate, verbatim=verbatim)
    issuer = given.looked_at(session, name, secret, issuer)
    version = places.keep(
        session,
        reference,
        secret,
        provider=issuer,
        labels=named,
        new=True,
        force=force,
        origin=origin,
    )
    _kept(session, reference, version, origin)


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    value: Value = None,
    value_file: ValueFile = None,
    generate: Generate = None,
    verbatim: Verbatim = False,
    provider: Provider = None,
    backend: places.Backend = None,
) -> None:
    """Keep a new version of a secret, or a new secret.

    The value before stays as the previous version: `openclaw secrets rollback NAME` brings it back.

        printf %s "$KEY" | openclaw secrets set openai-api-key
    """
    session: Session = context.obj
    issuer, backend = given.split_provider(session, provider, backend)
    reference = places.target(session, name, backend)
    secret, origin = given.new_value(session, name, value, value_file, generate, verbatim=verbatim)
    issuer = given.looked_at(session, name, secret, issuer)
    version = places.keep(session, reference, secret, provider=issuer, origin=origin)
    _kept(session, reference, version, origin)


@app.command()
def get(
    context: typer.Context,
    name: Name,
    backend: places.Backend = None,
    fallback: places.Fallback = None,
    clip: Annotated[
        bool, typer.Option("--clip", help="Copy it to the clipboard, and clear that after a while.")
    ] = False,
    no_cache: places.NoCache = False,
    max_age: places.MaxAge = None,
    offline: places.Offline = False,
) -> None:
    """Give a secret's value: exact bytes when piped.

    The name may be a reference to a version, a field or another backend.

        key=$(openclaw secrets get openai-api-key)

        openclaw secrets get "openai-api-key?version=2"

        openclaw secrets get vault://openai-api-key --fallback local
    """
    session: Session = context.obj
    reference = parse(name)
    places.wanted(
        session,
        backend=backend,
        fallback=fallback,
        no_cache=no_cache,
        max_age=max_age,
        offline=offline,
    )
    secret = session.secrets.read(reference)
    stale.tell(session.output, [(reference, secret)])
    if clip:
        _to_clipboard(session, name, secret.value)
    elif session.as_json:
        session.output.json({"name": name, **_shown(secret)})
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
    reference = places.target(session, name, None)
    places.wanted(session, no_cache=True)
    before = session.secrets.read(reference, purpose="edit").value
    after = editor.edit(before.reveal())
    if after is None:
        session.output.note(f"{name} was not changed")
        return
    version = places.keep(session, reference, SecretValue(after), origin="edit")
    _kept(session, reference, version, "edit")


def _refuse_taken(session: Session, reference: Reference) -> None:
    """Refuse a name that is taken before anybody is asked for a value, or one is made."""
    if reference.backend != LOCAL:
        return  # asked there, just before it is written
    entry = session.secrets.catalogue().entries.get(reference.path)
    if entry is not None and not entry.deleted:
        raise ConflictError(
            f"{reference.path} exists already",
            hint=f"openclaw secrets set {reference.path}, for a new version",
        )


def _kept(session: Session, reference: Reference, version: str, origin: str) -> None:
    if session.as_json:
        session.output.json(
            {
                "name": reference.path,
                "backend": reference.backend,
                "version": version,
                "origin": origin.partition(":")[0],
            }
        )
    tell_founding(session)
    place = "" if reference.backend == LOCAL else f" in {reference.backend}"
    session.output.done(f"kept {reference.path}{place}, version {version}")


def tell_founding(session: Session) -> None:
    """Say where the store and its key are when this change made it."""
    from openclaw_cli.store.keys import file

    if session.changes.founded:
        session.output.note(f"made the store {session.home.secrets}/store.oc")
        session.output.note(f"  its key is the file {file.path(session.home)}")
        session.output.note(
            "  protect it better: openclaw store slots add passphrase (or keyring, or recovery)"
        )


def _shown(secret: Secret) -> dict[str, Any]:
    """Return a secret for JSON: its value as text, or in base64 where it is not UTF-8."""
    import base64

    value = secret.value.reveal()
    try:
        shown = {"value": value.decode()}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(value).decode()}
    return {
        **shown,
        "version": secret.version.id,
        "backend": secret.backend,
        "age": secret.age,
        "stale": secret.stale,
    }


def _to_clipboard(session: Session, name: str, value: SecretValue) -> None:
    from openclaw_cli.cli import clipboard

    copied = clipboard.copy(value.reveal(), seconds=session.settings["clipboard.seconds"])
    until = f"for {copied.cleared_after} seconds" if copied.cleared_after else "until you clear it"
    session.output.done(f"{name} is on the clipboard {until}")
