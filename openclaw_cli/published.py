"""What configurations that people already have say of secrets, in our own words.

`externalSecrets`, `secrets`, `encryption` and a provider's own table (`anthropic.apiKey`), each as
articles write it, within `{"openclaw": {...}}` or without. Pure: takes the parsed document, keeps
no value, and leaves alone in silence what is the OpenClaw gateway's. Such a file may choose names
and backends; a program, an address or a credential is taken from `settings.toml` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openclaw_cli import duration, expected, names
from openclaw_cli.backends import BACKENDS
from openclaw_cli.backends.protocols import checked_settings
from openclaw_cli.errors import OpenclawError
from openclaw_cli.providers import PROVIDERS
from openclaw_cli.sanitize import safe

Path: TypeAlias = tuple[str, ...]
Table: TypeAlias = Mapping[str, Any]

WRAPPER = "openclaw"
EXTERNAL = "external-secrets"
SECRETS = "secrets"
ENCRYPTION = "encryption"
AT_THE_TOP = (EXTERNAL, SECRETS, ENCRYPTION)
LOCAL = "local"

API_KEYS = "*api-key"
"""Stands among the names for every secret whose name ends so; no secret can be called that."""

HARMLESS = frozenset(
    (
        "field",
        "kv",
        "mount",
        "namespace",
        "prefix",
        "region",
        "retries",
        "service",
        "threads",
        "tier",
        "timeout",
    )
)
"""Settings of backends that lead nowhere else and start nothing: these may come from any file."""

_WORDS = {
    "aws": "aws-secrets-manager",
    "awsparameterstore": "aws-parameter-store",
    "awssecretsmanager": "aws-secrets-manager",
    "awssm": "aws-secrets-manager",
    "awsssm": "aws-parameter-store",
    "bao": "vault",
    "env": "env",
    "environment": "env",
    "exec": "exec",
    "file": "file",
    "hashicorp": "vault",
    "hashicorpvault": "vault",
    "keychain": "keyring",
    "keyring": "keyring",
    "local": LOCAL,
    "openbao": "vault",
    "parameterstore": "aws-parameter-store",
    "secretsmanager": "aws-secrets-manager",
    "ssm": "aws-parameter-store",
    "vault": "vault",
}
_WRAPPING = {
    "awskms": "aws-kms",
    "file": "file",
    "hashicorpvault": "vault-transit",
    "keyring": "keyring",
    "kms": "aws-kms",
    "passphrase": "passphrase",
    "transit": "vault-transit",
    "vault": "vault-transit",
    "vaulttransit": "vault-transit",
}
_CHATS = ("discord", "slack", "telegram")  # of these the OpenClaw gateway has tables
THE_GATEWAYS = ("defaults", "providers", "resolution")  # what it has under `secrets`
_KEYS = frozenset(("access-token", "api-key", "apikey", "auth-token", "key", "secret-key", "token"))
_NO_SECRETS = frozenset(
    (
        "api-base",
        "base-url",
        "comment",
        "description",
        "enabled",
        "endpoint",
        "host",
        "model",
        "name",
        "note",
        "organization",
        "port",
        "project",
        "provider",
        "region",
        "rotation",
        "rotation-policy",
        "schedule",
        "timeout",
        "type",
        "url",
        "version",
    )
)
_BACKEND = frozenset(("backend", "provider", "source"))
_CACHE = ("cache", "cache-duration", "cache-seconds", "cache-ttl", "ttl")
_ROTATION = ("rotation", "rotation-policy", "schedule")
_VARIABLE = ("env-var", "variable")
_WHERE = ("path", "key")
_LEADING = ("address", "args", "command", "endpoint", "token", "url")
_EXPECTED = {
    "expected-from": "from",
    "expected-hours": "hours",
    "expected-readers": "readers",
    "scope": "scope",
    "enforce": "enforce",
}
_ENTRY = ("source", "provider", "field", *_WHERE, *_CACHE, *_ROTATION, *_VARIABLE, *_EXPECTED)
_REMARKS = ("comment", "description", "enabled", "note", "type")
_OF_ENCRYPTION = ("source", "provider", "algorithm", "key-id", "region", *_ROTATION)

_REGULARLY = ("daily", "weekly", "monthly")
_NEVER = ("manual", "never", "none")
_NO_ROTATION = "takes daily, weekly, monthly, every:12h or cron:0 3 * * *, and 5 minutes at least"
_CRON_FIELDS = 5
_SHORTEST = 5 * duration.MINUTE
_DEEPEST = 16
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IN_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IS_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_IS_CRON = re.compile(r"[0-9A-Za-z*/,\- ]{9,100}")
_SETTINGS_TOML = "put it into settings.toml, which only you write"


@dataclass(frozen=True, slots=True)
class Said:
    """A setting that a key stands for: its full name and what is written for it."""

    path: Path
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong at a key, without what stands there, and how to mend it."""

    path: Path
    what: str
    fix: str


@dataclass(slots=True)
class Meaning:
    """What a document says of secrets.

    `names`: where a name leads, `{"reference", "variable", "cache", "rotation"}`, each only where
    it is said; cache in seconds. `plaintext`: the keys that lead to a value in the document.
    `understood`: a sentence for each key, for those who ask.
    """

    settings: list[Said] = field(default_factory=list)
    tables: list[Said] = field(default_factory=list)
    names: dict[str, dict[str, Any]] = field(default_factory=dict)
    plaintext: dict[str, Path] = field(default_factory=dict)
    encryption: dict[str, str] = field(default_factory=dict)
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    understood: list[tuple[Path, str]] = field(default_factory=list)


def read(document: Table) -> Meaning:
    """Return what a document says of secrets."""
    reader = _Reader()
    reader.top((), document)
    inner = document.get(WRAPPER)
    if isinstance(inner, dict):
        reader.top((WRAPPER,), inner)
    return reader.meaning


def is_ours(key: str) -> bool:
    """Tell whether a key at the top is one of those that are read here."""
    return canonical(key) in AT_THE_TOP


def canonical(key: str) -> str:
    """Write a key as we do: `maxAge`, `max_age` and `max-age` are one key."""
    return _NEW_WORD.sub("-", key).replace("_", "-").lower()


def backend_called(word: str) -> str:
    """Return our name for a backend that people call so, "" for none."""
    return _WORDS.get(_plain_word(word), "")


def refused(path: Path, backend: str, setting: str) -> Slip | None:
    """Return what is wrong when a file that is not ours alone sets this of a backend."""
    if canonical(setting) in HARMLESS:
        return None
    shown = safe(setting)
    return Slip(
        path,
        f"{shown} of the {backend} backend is not taken from this file",
        f"{_SETTINGS_TOML}: [backends.{backend}]",
    )


class _Reader:
    def __init__(self) -> None:
        self.meaning = Meaning()

    def top(self, path: Path, table: Table) -> None:
        for key, value in table.items():
            word, here = canonical(key), (*path, key)
            if word == EXTERNAL:
                self._external(here, value)
            elif word == SECRETS:
                self._secrets(here, value)
            elif word == ENCRYPTION and isinstance(value, dict):
                self._encryption(here, value)
            elif word in PROVIDERS.ours and word not in _CHATS and isinstance(value, dict):
                self._issuer(here, key, value)
            elif _looks_like_external(word):
                self._wrong(here, "no setting is called so", "did you mean externalSecrets?")

    def _external(self, path: Path, table: object) -> None:
        if not isinstance(table, dict):
            self._wrong(path, "this is not an object", "begin with { and end with }")
            return
        scalars = {}
        chooses = not _BACKEND.isdisjoint(map(canonical, table))
        for key, value in table.items():
            here = (*path, key)
            if isinstance(value, dict):
                self._named(here, key, value)
            elif isinstance(value, str) and "://" in value and not chooses:
                self._entry(here, key, {"source": value})
            else:
                scalars[key] = value
        if scalars:
            self._default(path, scalars)

    def _named(self, path: Path, name: str, table: Table) -> None:
        """Read `NAME = {source, ...}`, or a group of such."""
        if _leads_away(table):
            self._entry(path, name, table)
            return
        if not table or len(path) > _DEEPEST:
            self._wrong(path, "says no source", 'for example "source": "env", "key": "NAME"')
        for key, value in table.items() if len(path) <= _DEEPEST else ():
            here, inner = (*path, key), f"{name}/{key}"
            if isinstance(value, dict):
                self._named(here, inner, value)
            elif isinstance(value, str) and "://" in value:
                self._entry(here, inner, {"source": value})
            else:
                known = _meant(canonical(key), _ENTRY)
                self._wrong(here, "is not understood here", known or '"source": "vault://..."')

    def _default(self, path: Path, table: Table) -> None:
        """Read `{provider, region, cacheTTL}`: the backend of all names, and its settings."""
        backend = ""
        rest = {}
        for key, value in table.items():
            here, word = (*path, key), canonical(key)
            if word in _BACKEND:
                backend = self._backend(here, value)
                if backend:
                    self.meaning.settings.append(Said(here, "backend", backend))
                    self._say(here, f"a bare name is looked for in {backend}")
            elif word in _CACHE:
                self.meaning.settings.append(Said(here, "cache.seconds", value))
                self._say(here, "how old a copy may be without asking again")
            elif word not in _REMARKS:
                rest[key] = value
        for key, value in rest.items():
            self._setting((*path, key), backend, key, value)

    def _setting(self, path: Path, backend: str, key: str, value: object) -> None:
        if not backend or backend == LOCAL:
            if not self._is_wrong(path[:-1]):  # else the provider's word is what is wrong
                mend = _meant(canonical(key), ("provider", "cacheTTL")) or "say the provider, too"
                self._wrong(path, "is not understood here", mend)
            return
        try:
            checked_settings({key: value}, BACKENDS.get(backend).SETTINGS, backend)  # type: ignore[dict-item]
        except OpenclawError as wrong:
            self._wrong(path, safe(wrong.message), wrong.hint)
            return
        slip = refused(path, backend, key)
        if slip:
            self.meaning.slips.append(slip)
        else:
            self.meaning.tables.append(Said(path, backend, {canonical(key): value}))
            self._say(path, f"the setting {canonical(key)} of the {backend} backend")

    def _secrets(self, path: Path, table: object) -> None:
        for key, value in table.items() if isinstance(table, dict) else ():
            word, here = canonical(key), (*path, key)
            if word in THE_GATEWAYS and isinstance(value, dict):
                continue
            if word == ENCRYPTION and isinstance(value, dict):
                self._encryption(here, value)
            elif word == "api-keys" and isinstance(value, dict) and _leads_away(value):
                self._group(here, value)
            else:
                self._secret(here, key, value)

    def _secret(self, path: Path, name: str, value: object) -> None:
        """Read what stands below `secrets`: a place elsewhere, a plain value, or more of them."""
        word = canonical(path[-1])
        if isinstance(value, dict):
            if _leads_away(value):
                self._entry(path, name, value)
            elif len(path) > _DEEPEST:
                self._wrong(path, "nests too deep", "name the secrets side by side")
            else:
                for key, inner in value.items():
                    self._secret((*path, key), f"{name}/{key}", inner)
        elif word in _NO_SECRETS:
            return
        elif isinstance(value, str):
            self._text(path, name, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._wrong(path, "is a number, and a value is a text", "put it in quotes")

    def _issuer(self, path: Path, name: str, table: Table) -> None:
        """Read a provider's own table at the top; only what is surely a key is one."""
        for key, value in table.items():
            if canonical(key) in _KEYS and isinstance(value, str):
                self._text((*path, key), f"{name}/{key}", value)

    def _text(self, path: Path, name: str, value: str) -> None:
        variable = _IN_ENVIRONMENT.fullmatch(value)
        if variable:
            self._entry(path, name, {"source": "env", "key": variable[1]})
        elif value.partition("://")[0] in (*BACKENDS.ours, LOCAL, WRAPPER) and "://" in value:
            self._entry(path, name, {"source": value})
        elif value and self._is_new(path, name):
            self.meaning.plaintext[name] = path
            self._say(path, f"the secret {safe(name)}, in plain text")

    def _entry(self, path: Path, name: str, table: Table) -> None:
        """Read where one name leads."""
        found = self._known(path, table, _ENTRY)
        before = len(self.meaning.slips)
        reference = self._reference(path, name, found)
        entry: dict[str, Any] = {"reference": str(reference) if reference else ""}
        self._add_cache(entry, found)
        self._add_rotation(entry, found)
        self._add_variable(entry, found)
        if reference and len(self.meaning.slips) == before and self._is_new(path, name):
            self.meaning.names[name] = entry
            self._say(path, _sentence(name, entry))
            self._expect(path, name, found)

    def _expect(self, path: Path, name: str, found: dict[str, Any]) -> None:
        """Take over what is expected of the readings of a name."""
        said = {ours: found[word][1] for word, ours in _EXPECTED.items() if word in found}
        if not said:
            return
        try:
            self.meaning.expected[name] = expected.checked(said)
        except OpenclawError as wrong:
            self.meaning.slips.append(Slip(path, f"{dotted(path)}: {wrong.message}", wrong.hint))
            return
        for word, text in expected.described(self.meaning.expected[name]):
            self._say(path, f"readings of {safe(name)} are expected: {word} {safe(text)}")

    def _known(self, path: Path, table: Table, known: tuple[str, ...]) -> dict[str, Any]:
        """Return the values by canonical key, each with its path; report what is not known."""
        found: dict[str, Any] = {}
        for key, value in table.items():
            word, here = canonical(key), (*path, key)
            if word in known and word not in found:
                found[word] = (here, value)
            elif word in known:
                self._wrong(here, "is written twice", "keep one of the two")
            elif word in _LEADING:
                what = "is not taken from this file, as no program, address or credential is"
                self._wrong(here, what, _SETTINGS_TOML)
            elif word not in _REMARKS:
                hint = _meant(word, known) or f"known: {', '.join(known)}"
                self._wrong(here, "is not understood here", hint)
        return found

    def _reference(self, path: Path, name: str, found: dict[str, Any]) -> names.Reference | None:
        here, source = found.get("source") or found.get("provider") or (path, None)
        if isinstance(source, str) and "://" in source:
            return self._parsed(here, source)
        if _plain_word(source) in ("awskms", "kms"):
            self._say(here, "AWS KMS keeps keys, not secrets: the value is in the store")
            return self._parsed(here, f"{LOCAL}://{name}")
        backend = self._backend(here, source)
        if not backend:
            return None
        place, where = next((found[each] for each in _WHERE if each in found), (here, None))
        if where is None and backend in ("env", "file"):
            return self._env_by_variable(here, backend, found)
        if where is not None and not isinstance(where, str):
            self._wrong(place, "is not a text", f"where {backend} has it")
            return None
        text = name if where is None else where
        picked = found.get("field", (path, ""))[1]
        if isinstance(picked, str) and picked:
            text = f"{text}#{picked}"
        return self._parsed(place, f"{backend}://{text}")

    def _env_by_variable(
        self, path: Path, backend: str, found: dict[str, Any]
    ) -> names.Reference | None:
        place, variable = next((found[each] for each in _VARIABLE if each in found), (path, ""))
        if backend == "env" and isinstance(variable, str) and variable:
            return self._parsed(place, f"env://{variable}")
        key = "key" if backend == "env" else "path"
        self._wrong(path, f"says no {key}", f'add "{key}", where {backend} has the value')
        return None

    def _parsed(self, path: Path, text: str) -> names.Reference | None:
        try:
            reference = names.parse(text)
        except OpenclawError:
            self._wrong(path, "is not a place of a secret", "write it as backend://path#field")
            return None
        if reference.backend not in (*BACKENDS.ours, LOCAL):
            self._wrong(path, "names no backend that there is", _known_backends())
            return None
        if reference.backend == "env" and not _IS_VARIABLE.fullmatch(reference.path):
            self._wrong(path, "is not the name of a variable", "letters, digits and _")
            return None
        return reference

    def _backend(self, path: Path, word: object) -> str:
        if _plain_word(word) == "external":
            self._wrong(path, "says no source", _known_backends())
            return ""
        found = _WORDS.get(_plain_word(word), "")
        if not found and word in BACKENDS.ours:
            found = str(word)
        if not found:
            hint = _meant(_plain_word(word), tuple(_WORDS)) or _known_backends()
            self._wrong(path, "names no backend that there is", hint)
        return found

    def _group(self, path: Path, table: Table) -> None:
        """Read `api-keys = {source, rotation}`: for every API key that is not named itself."""
        found = self._known(path, table, ("source", "provider", *_CACHE, *_ROTATION))
        here, source = found.get("source") or found["provider"]
        entry: dict[str, Any] = {"backend": self._backend(here, source)}
        self._add_cache(entry, found)
        self._add_rotation(entry, found)
        if entry["backend"] and self._is_new(path, API_KEYS):
            self.meaning.names[API_KEYS] = entry
            self._say(path, _sentence("", entry))

    def _encryption(self, path: Path, table: Table) -> None:
        found = self._known(path, table, _OF_ENCRYPTION)
        entry: dict[str, Any] = {}
        self._add_rotation(entry, found)
        here, source = found.get("source") or found.get("provider") or (path, None)
        if source is not None:
            kind = _WRAPPING.get(_plain_word(source), "")
            if not kind:
                words = "aws-kms, vault-transit, keyring, passphrase, file"
                self._wrong(here, "names nothing that wraps a key", f"known: {words}")
                return
            entry["slot"] = kind
            key = found.get("key-id", (path, ""))[1]
            if isinstance(key, str) and key and key.isprintable() and " " not in key:
                entry["key"] = key
            self._say(here, f"what wraps the store's key: openclaw store slots add {kind}")
        if entry and self._is_new(path, f"{ENCRYPTION}:"):
            self.meaning.encryption = entry

    def _add_cache(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in _CACHE:
            if word in found:
                path, value = found[word]
                try:
                    entry["cache"] = int(duration.parse(value))
                except (OpenclawError, TypeError, ValueError, OverflowError):
                    self._wrong(path, "takes a length of time", "for example 1h, or 300")

    def _add_rotation(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in _ROTATION:
            if word in found:
                path, value = found[word]
                policy = rotation(value)
                if policy is None:
                    self._wrong(path, _NO_ROTATION, "for example weekly")
                elif policy:
                    entry["rotation"] = policy

    def _add_variable(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in _VARIABLE:
            if word in found:
                path, value = found[word]
                if isinstance(value, str) and _IS_VARIABLE.fullmatch(value):
                    entry["variable"] = value
                else:
                    self._wrong(path, "is not the name of a variable", "letters, digits and _")

    def _is_new(self, path: Path, name: str) -> bool:
        """Take a name for this path; report one that cannot be, and one that is taken."""
        if name not in (API_KEYS, f"{ENCRYPTION}:"):
            try:
                names.check(name)
            except OpenclawError:
                what = "is not a name for a secret"
                self._wrong(path, what, "use letters, digits and . _ : / - , a letter first")
                return False
        if name in self.meaning.places:
            self._wrong(
                path, "is said twice", f"keep one; the other: {dotted(self.meaning.places[name])}"
            )
            return False
        self.meaning.places[name] = path
        return True

    def _is_wrong(self, path: Path) -> bool:
        return any(each.path[:-1] == path for each in self.meaning.slips)

    def _wrong(self, path: Path, what: str, fix: str) -> None:
        self.meaning.slips.append(Slip(path, f"{dotted(path)} {what}", fix))

    def _say(self, path: Path, text: str) -> None:
        self.meaning.understood.append((path, text))


def rotation(value: object) -> str | None:
    """Return a rotation policy as we write it, "" for none, None for what is not understood."""
    if value is False:
        return ""
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in _REGULARLY:
        return word
    if word in _NEVER:
        return ""
    text = value.strip().removeprefix("cron:").strip()
    if len(text.split()) == _CRON_FIELDS and _IS_CRON.fullmatch(text):
        return f"cron:{' '.join(text.split())}" if _comes(text) else None
    try:
        seconds = int(duration.parse(word.removeprefix("every:").strip()))
    except OpenclawError:
        return None
    return f"every:{duration.exact(seconds)}" if seconds >= _SHORTEST else None


def _comes(expression: str) -> bool:
    """Tell whether a cron expression can be read and ever comes."""
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        return False
    return True


def dotted(path: Path) -> str:
    """Write the keys that lead somewhere, for people."""
    return safe(".".join(path))


def _leads_away(table: Table) -> bool:
    """Tell an entry, which says where its value is, from a group of entries."""
    words = {canonical(key): value for key, value in table.items()}
    if isinstance(words.get("source"), str):
        return True
    provider = _plain_word(words.get("provider"))
    return provider == "external" or (provider in _WORDS and not _KEYS & words.keys() - {"key"})


def _plain_word(word: object) -> str:
    """Write a backend's name without what people write differently: hashiCorp-vault."""
    return re.sub(r"[^a-z0-9]", "", word.lower()) if isinstance(word, str) else ""


def _known_backends() -> str:
    return f"known: {', '.join((LOCAL, *BACKENDS.ours))}"


def _meant(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"did you mean {_WORDS.get(close[0], close[0])}?" if close else ""


def _looks_like_external(word: str) -> bool:
    from difflib import SequenceMatcher

    return word[:6] == EXTERNAL[:6] and SequenceMatcher(None, word, EXTERNAL).ratio() > 0.85  # noqa: PLR2004


def _sentence(name: str, entry: Mapping[str, Any]) -> str:
    return "; ".join(_parts(name, entry))


def _parts(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if name:
        yield f"the secret {safe(name)} is {safe(entry['reference'])}"
    else:
        yield f"API keys that are not named themselves are in {entry['backend']}"
    if "cache" in entry:
        yield f"a copy is good for {duration.exact(entry['cache'])}"
    if "rotation" in entry:
        yield f"to be rotated {entry['rotation']}"
    if "variable" in entry:
        yield f"in the variable {entry['variable']}"
