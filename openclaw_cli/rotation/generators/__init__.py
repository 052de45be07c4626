"""New values that nobody can guess: passwords, tokens, passphrases, identifiers and keys.

A spec names a kind and its options: `password`, `password:32`, `token:hex:32`,
`password:length=40,symbols=no`. Packages add kinds by the entry point group
`openclaw_cli.generator`.

Each kind says its entropy: the base-2 logarithm of how many values it may give, each as likely as
any other, so on average half of 2^bits guesses find one. For a key pair it is the strength that
NIST SP 800-57 gives the algorithm, since nobody guesses a key by trying seeds. Less than 64 bits
is refused: that many guesses are within reach of whoever holds a fast hash of the value.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_cli.errors import UsageError
from openclaw_cli.registry import Registry
from openclaw_cli.rotation.generators.generator import MINIMUM_BITS, Generated, Generator

__all__ = ["DEFAULT", "GENERATORS", "MINIMUM_BITS", "Generated", "Generator", "parse"]

DEFAULT = "password"

GENERATORS = Registry(
    "generator",
    {
        "password": "openclaw_cli.rotation.generators.password:Password",
        "token": "openclaw_cli.rotation.generators.tokens:Token",
        "passphrase": "openclaw_cli.rotation.generators.passphrase:Passphrase",
        "uuid": "openclaw_cli.rotation.generators.uuid4:Uuid",
        "ed25519": "openclaw_cli.rotation.generators.ed25519:Ed25519",
        "rsa": "openclaw_cli.rotation.generators.rsa:Rsa",
        "ssh": "openclaw_cli.rotation.generators.ed25519:Ssh",
    },
    unknown=UsageError,
)

# These characters may be separators of the spec, so this option takes all that is left of it.
_GREEDY = "exclude="


def parse(spec: str = DEFAULT) -> Generator:
    """Read a spec; nothing at all means the default.

    Raises UsageError for what cannot be read or would be too easy to guess, ConfigError when a
    library is missing.
    """
    kind, _, rest = (spec or DEFAULT).partition(":")
    make: type[Generator] = GENERATORS.get(kind)
    made: Generator = make(**dict(_options(kind, make, rest)))
    return made


def _options(kind: str, make: type[Generator], rest: str) -> Iterator[tuple[str, object]]:
    given: set[str] = set()
    for word in _words(rest):
        name, text = _named(word) or (_meant(kind, make, word, given), word)
        option = make.options.get(name)
        if option is None:
            known = ", ".join(make.options) or "none"
            raise UsageError(f"{kind} has no option {name}", hint=f"known: {known}")
        if name in given:
            raise UsageError(f"{name} of {kind} is given twice", hint=_example(make))
        given.add(name)
        try:
            yield name, option.read(text)
        except ValueError:
            raise UsageError(
                f"{name} of {kind} must be {option.expects}", hint=_example(make)
            ) from None


def _words(rest: str) -> Iterator[str]:
    before, greedy, after = rest.partition(_GREEDY)
    yield from (word for word in before.replace(",", ":").split(":") if word)
    if greedy:
        yield greedy + after


def _named(word: str) -> tuple[str, str] | None:
    name, equals, text = word.partition("=")
    return (name, text) if equals else None


def _meant(kind: str, make: type[Generator], word: str, given: set[str]) -> str:
    """Say which option a bare value is for: the first that can take it, or the only one left."""
    left = [name for name in make.positional if name not in given]
    for name in left:
        try:
            make.options[name].read(word)
        except ValueError:
            continue
        return name
    if len(left) == 1:
        return left[0]
    raise UsageError(f"{kind} cannot take {word}", hint=_example(make))


def _example(make: type[Generator]) -> str:
    return f"for example: --generate={make.example}"
