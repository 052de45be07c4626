"""Options that stand anywhere in a line and hold for every command, on both roads.

`--environment NAME` says whose secrets are meant, `--key-fd N` where the store's key can be read
once. They are taken out of the line before anybody else reads it. Lean: the hot road imports it.
"""

from __future__ import annotations

from openclaw_cli.errors import UsageError
from openclaw_cli.store.keys import given as key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

ENVIRONMENT = "OPENCLAW_ENVIRONMENT"
OPTIONS = ("--environment", "--key-fd")

_COPY = ["secrets", "copy"]


def taken(line: list[str], environ: MutableMapping[str, str]) -> list[str]:
    """Return the line without them, having done what they say.

    Raises `UsageError` for what is not understood, and what `given.take` does.
    """
    found: dict[str, str] = {}
    line = _without(line, found)
    if "--environment" in found:
        environ[ENVIRONMENT] = found["--environment"]
    descriptor = found.get("--key-fd")
    if descriptor is not None and not (descriptor.isascii() and descriptor.isdigit()):
        raise UsageError(
            "--key-fd takes the number of an open descriptor",
            hint="openclaw --key-fd 3 ... 3< FILE",
        )
    if environ.get(key.VARIABLE) and descriptor is None:
        from openclaw_cli.cli.render import Output

        Output(as_json="--json" in line).warn(
            f"the store's key stands in {key.VARIABLE}, where your other programs can read it",
            hint="OPENCLAW_STORE_KEY_FILE=FILE, or --key-fd 3 with 3< FILE",
        )
    key.take(environ, None if descriptor is None else int(descriptor[:9]))
    return line


def forget() -> None:
    """Let go of a key that was taken: the next line in this process may have another, or none."""
    key.take({}, None)


def _without(line: list[str], found: dict[str, str]) -> list[str]:
    rest: list[str] = []
    words = iter(line)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        option, equals, text = word.partition("=")
        # `secrets copy --environment` names the other environment, the one to copy to.
        if option not in OPTIONS or (option == "--environment" and rest[:2] == _COPY):
            rest.append(word)
            continue
        if not equals:
            text = next(words, "")
        if not text or text.startswith("-"):
            raise UsageError(f"{option} needs a value", hint=f"openclaw {option}=... COMMAND")
        found[option] = text
    return rest
