"""Where a document's tables about secrets are, and what each holds."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from openclaw_cli.backends import BACKENDS
from openclaw_cli.backends.protocols import checked_settings
from openclaw_cli.errors import OpenclawError
from openclaw_cli.providers import PROVIDERS
from openclaw_cli.published.entry import (
    CACHE,
    ENCRYPTION,
    ENTRY,
    REMARKS,
    ROTATION,
    Entries,
)
from openclaw_cli.published.meaning import Meaning, Path, Said, Table, not_taken
from openclaw_cli.published.words import (
    BACKEND_WORDS,
    LOCAL,
    WRAPPING_WORDS,
    canonical,
    meant,
    plain_word,
)
from openclaw_cli.sanitize import safe

WRAPPER = "openclaw"
EXTERNAL = "external-secrets"
SECRETS = "secrets"
AT_THE_TOP = (EXTERNAL, SECRETS, ENCRYPTION)
_CHATS = ("discord", "slack", "telegram")  # of these the OpenClaw gateway has tables
THE_GATEWAYS = ("defaults", "providers", "resolution")  # what it has under `secrets`
KEYS = frozenset(("access-token", "api-key", "apikey", "auth-token", "key", "secret-key", "token"))
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
_OF_ENCRYPTION = ("source", "provider", "algorithm", "key-id", "region", *ROTATION)
_DEEPEST = 16
_OF_A_GROUP = 3  # keys to what is not a secret right below `secrets`
_VALUES = ("key", "password", "secret", "token")
_CLOSE = 0.88
_IN_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read(document: Table) -> Meaning:
    """Return what a document says of secrets."""
    reader = _Reader()
    reader.top((), document)
    inner = document.get(WRAPPER)
    if isinstance(inner, dict):
        reader.top((WRAPPER,), inner)
    elif inner is not None:
        reader.wrong((WRAPPER,), "is not an object", "begin with { and end with }")
    return reader.meaning


def is_ours(key: str) -> bool:
    """Tell whether a key at the top is one of those that are read here."""
    return canonical(key) in AT_THE_TOP


class _Reader(Entries):
    def top(self, path: Path, table: Table) -> None:
        for key, value in table.items():
            word, here = canonical(key), (*path, key)
            if word == EXTERNAL:
                self._external(here, value)
            elif word in (SECRETS, ENCRYPTION):
                self._table(here, word, value)
            elif word in PROVIDERS.ours and word not in _CHATS and isinstance(value, dict):
                self._issuer(here, key, value)
            elif _looks_like_external(word):
                self.wrong(here, "no setting is called so", "did you mean externalSecrets?")

    def _table(self, path: Path, word: str, value: object) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            self.wrong(path, "is not an object", "begin with { and end with }")
        elif word == SECRETS:
            self._secrets(path, value)
        else:
            self._encryption(path, value)

    def _external(self, path: Path, table: object) -> None:
        if not isinstance(table, dict):
            self.wrong(path, "this is not an object", "begin with { and end with }")
            return
        scalars = {}
        chooses = not _BACKEND.isdisjoint(map(canonical, table))
        for key, value in table.items():
            here = (*path, key)
            if isinstance(value, dict):
                self._named(here, key, value)
            elif isinstance(value, str) and "://" in value and not chooses:
                self.entry(here, key, {"source": value})
            else:
                scalars[key] = value
        if scalars:
            self._default(path, scalars)

    def _named(self, path: Path, name: str, table: Table) -> None:
        """Read `NAME = {source, ...}`, or a group of such."""
        if _leads_away(table):
            self.entry(path, name, table)
            return
        if self._nearly_leads_away(path, table):
            return
        if not table or len(path) > _DEEPEST:
            self.wrong(path, "says no source", 'for example "source": "env", "key": "NAME"')
        for key, value in table.items() if len(path) <= _DEEPEST else ():
            here, inner = (*path, key), f"{name}/{key}"
            if isinstance(value, dict):
                self._named(here, inner, value)
            elif isinstance(value, str) and "://" in value:
                self.entry(here, inner, {"source": value})
            else:
                known = meant(canonical(key), ENTRY)
                self.wrong(here, "is not understood here", known or '"source": "vault://..."')

    def _default(self, path: Path, table: Table) -> None:
        """Read `{provider, region, cacheTTL}`: the backend of all names, and its settings."""
        backend = ""
        rest = {}
        for key, value in table.items():
            here, word = (*path, key), canonical(key)
            if word in _BACKEND:
                backend = self.backend(here, value)
                if backend:
                    self.meaning.settings.append(Said(here, "backend", backend))
                    self.say(here, f"a bare name is looked for in {backend}")
            elif word in CACHE:
                self.meaning.settings.append(Said(here, "cache.seconds", value))
                self.say(here, "how old a copy may be without asking again")
            elif word not in REMARKS:
                rest[key] = value
        for key, value in rest.items():
            self._setting((*path, key), backend, key, value)

    def _setting(self, path: Path, backend: str, key: str, value: object) -> None:
        if not backend or backend == LOCAL:
            if not self._is_wrong(path[:-1]):  # else the provider's word is what is wrong
                mend = meant(canonical(key), ("provider", "cacheTTL")) or "say the provider, too"
                self.wrong(path, "is not understood here", mend)
            return
        try:
            checked_settings({key: value}, BACKENDS.get(backend).SETTINGS, backend)  # type: ignore[dict-item]
        except OpenclawError as wrong:
            self.wrong(path, safe(wrong.message), wrong.hint)
            return
        slip = not_taken(path, backend, key)
        if slip:
            self.meaning.slips.append(slip)
        else:
            self.meaning.tables.append(Said(path, backend, {canonical(key): value}))
            self.say(path, f"the setting {canonical(key)} of the {backend} backend")

    def _nearly_leads_away(self, path: Path, table: Table) -> bool:
        """Report what is almost a `source`: where it leads to would be taken for a value."""
        for key, value in table.items():
            word = canonical(key)
            if word == "source" and value is not None:  # a text leads away, and is read as such
                self.wrong((*path, key), "is not a text", 'for example "vault"')
                return True
            if word not in ENTRY and get_close_matches(word, ("source",), cutoff=_CLOSE):
                self.wrong((*path, key), "is not understood here", "did you mean source?")
                return True
        return False

    def _secrets(self, path: Path, table: Table) -> None:
        for key, value in table.items():
            word, here = canonical(key), (*path, key)
            if word in THE_GATEWAYS and isinstance(value, dict):
                continue
            if word == ENCRYPTION:
                self._table(here, word, value)
            elif word == "api-keys" and isinstance(value, dict) and _leads_away(value):
                self.group(here, value)
            else:
                self._secret(here, key, value)

    def _secret(self, path: Path, name: str, value: object) -> None:
        """Read what stands below `secrets`: a place elsewhere, a plain value, or more of them."""
        word = canonical(path[-1])
        if isinstance(value, dict):
            if _leads_away(value):
                self.entry(path, name, value)
            elif len(path) > _DEEPEST:
                self.wrong(path, "nests too deep", "name the secrets side by side")
            elif not self._nearly_leads_away(path, value):
                for key, inner in value.items():
                    self._secret((*path, key), f"{name}/{key}", inner)
        elif word in _NO_SECRETS:
            return
        elif isinstance(value, str):
            self._text(path, name, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.wrong(path, "is a number, and a value is a text", "put it in quotes")
        elif value is not None and (len(path) < _OF_A_GROUP or word.endswith(_VALUES)):
            self.wrong(path, "is no text, as a value is", "put it in quotes")

    def _issuer(self, path: Path, name: str, table: Table) -> None:
        """Read a provider's own table at the top; only what is surely a key is one."""
        for key, value in table.items():
            if canonical(key) in KEYS and isinstance(value, str):
                self._text((*path, key), f"{name}/{key}", value)

    def _text(self, path: Path, name: str, value: str) -> None:
        variable = _IN_ENVIRONMENT.fullmatch(value)
        if variable:
            self.entry(path, name, {"source": "env", "key": variable[1]})
        elif value.partition("://")[0] in (*BACKENDS.ours, LOCAL, WRAPPER) and "://" in value:
            self.entry(path, name, {"source": value})
        elif value and self.is_new(path, name):
            self.meaning.plaintext[name] = path
            self.say(path, f"the secret {safe(name)}, in plain text")

    def _encryption(self, path: Path, table: Table) -> None:
        found = self.known(path, table, _OF_ENCRYPTION)
        entry: dict[str, Any] = {}
        self.add_rotation(entry, found)
        here, source = found.get("source") or found.get("provider") or (path, None)
        if source is not None:
            kind = WRAPPING_WORDS.get(plain_word(source), "")
            if not kind:
                words = "aws-kms, vault-transit, keyring, passphrase, file"
                self.wrong(here, "names nothing that wraps a key", f"known: {words}")
                return
            entry["slot"] = kind
            key = found.get("key-id", (path, ""))[1]
            if isinstance(key, str) and key and key.isprintable() and " " not in key:
                entry["key"] = key
            self.say(here, f"what wraps the store's key: openclaw store slots add {kind}")
        if entry and self.is_new(path, f"{ENCRYPTION}:"):
            self.meaning.encryption = entry

    def _is_wrong(self, path: Path) -> bool:
        return any(each.path[:-1] == path for each in self.meaning.slips)


def _leads_away(table: Table) -> bool:
    """Tell an entry, which says where its value is, from a group of entries."""
    words = {canonical(key): value for key, value in table.items()}
    if isinstance(words.get("source"), str):
        return True
    provider = plain_word(words.get("provider"))
    return provider == "external" or (
        provider in BACKEND_WORDS and not KEYS & words.keys() - {"key"}
    )


def _looks_like_external(word: str) -> bool:
    from difflib import SequenceMatcher

    return word[:6] == EXTERNAL[:6] and SequenceMatcher(None, word, EXTERNAL).ratio() > 0.85  # noqa: PLR2004
