"""What the options of `create`, `set` and `describe` give: a value, a provider, labels."""

from __future__ import annotations

from openclaw_cli import providers
from openclaw_cli.backends import BACKENDS
from openclaw_cli.cli import ask
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import check
from openclaw_cli.service import LOCAL


def new_value(
    session: Session,
    name: str,
    value: str | None,
    value_file: str | None,
    generate: str | None,
    *,
    verbatim: bool,
) -> tuple[SecretValue, str]:
    """Take the value from the one place that was named, and say how it came.

    A generated one came by "generate:KIND", so that it can be made again.
    """
    if sum(each is not None for each in (value, value_file, generate)) > 1:
        raise UsageError(
            "give one of --value, --value-file and --generate", hint="leave the others out"
        )
    if generate is not None:
        return _generated(session, generate), f"generate:{generate}"
    if value_file is not None:
        return SecretValue(ask.read_value_file(value_file)), "set"
    if value is not None:
        session.output.warn(
            "a value on the command line can be read by others, and stays in the shell's history",
            hint=f"openclaw secrets set {name}, which asks for it or takes it from a pipe",
        )
        return SecretValue(value.encode(errors="surrogateescape")), "set"
    return SecretValue(session.ask.new_value(name, verbatim=verbatim)), "set"


def split_provider(
    session: Session, provider: str | None, backend: str | None
) -> tuple[str, str | None]:
    """Return the issuing service and the backend: people say "provider" for both.

    A service that is not known is only a label.
    """
    if not provider:
        return "", backend
    if provider == LOCAL or provider in BACKENDS.ours:
        if backend not in (None, provider):
            raise UsageError(
                f"--provider {provider} and --backend {backend} are two backends",
                hint="leave one of them out",
            )
        return "", provider
    if provider not in providers.names():
        session.output.note(f"{provider} is not a provider with a known shape; kept as a label")
        return check(provider), backend
    return provider, backend


def looked_at(session: Session, name: str, value: SecretValue, provider: str) -> str:
    """Warn where a value does not look like its provider's; recognise one that nobody named."""
    if not provider:
        found = providers.recognise(value.reveal())
        return found.name if found else ""
    if provider in providers.names():
        warning = providers.get(provider).check(value.reveal())
        if warning:
            session.output.warn(f"{name}: {warning}")
    return provider


def labels(given: list[str] | None) -> dict[str, str]:
    """Return the labels of `--label KEY=TEXT`."""
    found = {}
    for each in given or []:
        key, separator, text = each.partition("=")
        if not separator or not key:
            raise UsageError("a label is written KEY=TEXT", hint="--label owner=ada")
        if any("\ud800" <= letter <= "\udfff" for letter in each):
            raise UsageError("a label is text, and this one is not UTF-8", hint="locale")
        found[key] = text
    return found


def _generated(session: Session, kind: str) -> SecretValue:
    from openclaw_cli.rotation import generators

    generator = generators.parse(kind)
    made = generator.generate()
    session.output.note(f"generated: {generator.describe()}")
    if made.public is not None:
        session.output.note("its public half:")
        for line in made.public.splitlines():
            session.output.note(f"  {line}")
    return SecretValue(made.value)
