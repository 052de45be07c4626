"""Arguments made regular before Typer sees them.

`--generate` and `--thread` may come bare, which Typer cannot have. Each bare one gets its default
after an equals sign: `--generate` becomes `--generate=password`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

GENERATORS = frozenset(("password", "token", "passphrase", "uuid", "ed25519", "rsa", "ssh"))
"""As `rotation.generators` has them; a test compares."""


class OptionalValue(NamedTuple):
    """An option whose value may be left out.

    `default` takes its place. Only one of `words` is taken as the value when it stands apart
    (`--generate hex`); anything may follow an equals sign.
    """

    default: str
    words: frozenset[str] = frozenset()


_GENERATE = {"--generate": OptionalValue("password", GENERATORS)}
_THREAD = {"--thread": OptionalValue("auto")}

OPTIONAL: Mapping[tuple[str, ...], Mapping[str, OptionalValue]] = {
    ("secrets", "create"): _GENERATE,
    ("secrets", "set"): _GENERATE,
    ("agents", "spawn"): _THREAD,
}
"""By command, for an option may need its value elsewhere: `agents stop --thread ID`."""

VALUED = frozenset(
    {
        "--name",
        "--value",
        "--value-file",
        "--provider",
        "--backend",
        "--environment",
        "--key-fd",
        "--env-var",
        "--label",
        "--note",
        "--schedule",
        "--input",
        "--state-dir",
        "--config",
        "--expires",
        "--length",
        "--words",
        "--bits",
    }
)
"""Options whose value is the next argument; that value is neither a name nor an option."""


def normalised(
    arguments: Sequence[str],
    *,
    optional: Mapping[tuple[str, ...], Mapping[str, OptionalValue]] = OPTIONAL,
    valued: Collection[str] = VALUED,
) -> list[str]:
    """Give `arguments` with every bare option of `optional` completed; nothing else is touched.

    A word after a bare option is its value only if it is one of the option's words and the command
    is given a name otherwise: in `create --generate hex`, "hex" is the name. What follows `--` or
    is another option's value is left alone.
    """
    plain = _plain_words(arguments, valued)
    table = optional.get(tuple(arguments[index] for index in plain[:2]), {})
    named = any(_is_option(argument, "--name") for argument in _before_dashes(arguments))
    names = len(plain) - 2 + named
    taken = _options(arguments, valued)
    answer: list[str] = []
    skipped = -1
    for index, argument in enumerate(arguments):
        if index == skipped:
            continue
        found = table.get(argument) if index in taken else None
        if found is None:
            answer.append(argument)
        elif names > 1 and index + 1 in plain and _kind(arguments[index + 1]) in found.words:
            answer.append(f"{argument}={arguments[index + 1]}")
            skipped, names = index + 1, names - 1
        else:
            answer.append(f"{argument}={found.default}")
    return answer


def _kind(word: str) -> str:
    """Take the options off a word such as `password:32`."""
    return word.partition(":")[0]


def _plain_words(arguments: Sequence[str], valued: Collection[str]) -> list[int]:
    """Find the arguments that are neither options nor values of options."""
    options = _options(arguments, valued)
    return [
        index
        for index, argument in enumerate(_before_dashes(arguments))
        if not argument.startswith("-")
        and not (index - 1 in options and arguments[index - 1] in valued)
    ]


def _options(arguments: Sequence[str], valued: Collection[str]) -> set[int]:
    found: set[int] = set()
    for index, argument in enumerate(_before_dashes(arguments)):
        is_value = index - 1 in found and arguments[index - 1] in valued
        if argument.startswith("-") and not is_value:
            found.add(index)
    return found


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    """Cut at the first `--`; one that is an option's value is rare, and then nothing is guessed."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _is_option(argument: str, option: str) -> bool:
    return argument == option or argument.startswith(option + "=")
