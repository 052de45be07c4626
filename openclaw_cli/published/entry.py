"""One name's entry, `{source, path, envVar, ...}`: where its value is, and what goes with it."""

from __future__ import annotations

from typing import Any

from openclaw_cli import duration, expected, names
from openclaw_cli.backends import BACKENDS
from openclaw_cli.errors import OpenclawError
from openclaw_cli.published.meaning import (
    API_KEYS,
    SETTINGS_TOML,
    Meaning,
    Path,
    Slip,
    Table,
    dotted,
    sentence,
)
from openclaw_cli.published.words import (
    BACKEND_WORDS,
    IS_VARIABLE,
    LOCAL,
    NO_ROTATION,
    canonical,
    known_backends,
    meant,
    plain_word,
    rotation,
)
from openclaw_cli.sanitize import safe

ENCRYPTION = "encryption"
CACHE = ("cache", "cache-duration", "cache-seconds", "cache-ttl", "ttl")
ROTATION = ("rotation", "rotation-policy", "schedule")
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
ENTRY = ("source", "provider", "field", *_WHERE, *CACHE, *ROTATION, *_VARIABLE, *_EXPECTED)
REMARKS = ("comment", "description", "enabled", "note", "type")


class Entries:
    """Reads entries into a `Meaning`, and reports what is wrong in them."""

    def __init__(self) -> None:
        self.meaning = Meaning()

    def entry(self, path: Path, name: str, table: Table) -> None:
        """Read where one name leads."""
        found = self.known(path, table, ENTRY)
        before = len(self.meaning.slips)
        reference = self._reference(path, name, found)
        entry: dict[str, Any] = {"reference": str(reference) if reference else ""}
        self._add_cache(entry, found)
        self.add_rotation(entry, found)
        self._add_variable(entry, found)
        if reference and len(self.meaning.slips) == before and self.is_new(path, name):
            self.meaning.names[name] = entry
            self.say(path, sentence(name, entry))
            self._expect(path, name, found)

    def group(self, path: Path, table: Table) -> None:
        """Read `api-keys = {source, rotation}`: for every API key that is not named itself."""
        found = self.known(path, table, ("source", "provider", *CACHE, *ROTATION))
        here, source = found.get("source") or found["provider"]
        entry: dict[str, Any] = {"backend": self.backend(here, source)}
        self._add_cache(entry, found)
        self.add_rotation(entry, found)
        if entry["backend"] and self.is_new(path, API_KEYS):
            self.meaning.names[API_KEYS] = entry
            self.say(path, sentence("", entry))

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
            self.say(path, f"readings of {safe(name)} are expected: {word} {safe(text)}")

    def known(self, path: Path, table: Table, known: tuple[str, ...]) -> dict[str, Any]:
        """Return the values by canonical key, each with its path; report what is not known."""
        found: dict[str, Any] = {}
        for key, value in table.items():
            word, here = canonical(key), (*path, key)
            if word in known and word not in found:
                found[word] = (here, value)
            elif word in known:
                self.wrong(here, "is written twice", "keep one of the two")
            elif word in _LEADING:
                what = "is not taken from this file, as no program, address or credential is"
                self.wrong(here, what, SETTINGS_TOML)
            elif word not in REMARKS:
                hint = meant(word, known) or f"known: {', '.join(known)}"
                self.wrong(here, "is not understood here", hint)
        if "source" in found and "provider" in found:  # the first is believed, the other checked
            here, provider = found["provider"]
            if not isinstance(provider, str):
                self.wrong(here, "is not a text", 'for example "external"')
        return found

    def _reference(self, path: Path, name: str, found: dict[str, Any]) -> names.Reference | None:
        here, source = found.get("source") or found.get("provider") or (path, None)
        if isinstance(source, str) and "://" in source:
            return self.parsed(here, source)
        if plain_word(source) in ("awskms", "kms"):
            self.say(here, "AWS KMS keeps keys, not secrets: the value is in the store")
            return self.parsed(here, f"{LOCAL}://{name}")
        backend = self.backend(here, source)
        if not backend:
            return None
        place, where = next((found[each] for each in _WHERE if each in found), (here, None))
        if where is None and backend in ("env", "file"):
            return self._env_by_variable(here, backend, found)
        if where is not None and not isinstance(where, str):
            self.wrong(place, "is not a text", f"where {backend} has it")
            return None
        text = name if where is None else where
        picked = found.get("field", (path, ""))[1]
        if isinstance(picked, str) and picked:
            text = f"{text}#{picked}"
        return self.parsed(place, f"{backend}://{text}")

    def _env_by_variable(
        self, path: Path, backend: str, found: dict[str, Any]
    ) -> names.Reference | None:
        place, variable = next((found[each] for each in _VARIABLE if each in found), (path, ""))
        if backend == "env" and isinstance(variable, str) and variable:
            return self.parsed(place, f"env://{variable}")
        key = "key" if backend == "env" else "path"
        self.wrong(path, f"says no {key}", f'add "{key}", where {backend} has the value')
        return None

    def parsed(self, path: Path, text: str) -> names.Reference | None:
        try:
            reference = names.parse(text)
        except OpenclawError:
            self.wrong(path, "is not a place of a secret", "write it as backend://path#field")
            return None
        if reference.backend not in (*BACKENDS.ours, LOCAL):
            self.wrong(path, "names no backend that there is", known_backends())
            return None
        if reference.backend == "env" and not IS_VARIABLE.fullmatch(reference.path):
            self.wrong(path, "is not the name of a variable", "letters, digits and _")
            return None
        return reference

    def backend(self, path: Path, word: object) -> str:
        if plain_word(word) == "external":
            self.wrong(path, "says no source", known_backends())
            return ""
        found = BACKEND_WORDS.get(plain_word(word), "")
        if not found and word in BACKENDS.ours:
            found = str(word)
        if not found:
            hint = meant(plain_word(word), tuple(BACKEND_WORDS)) or known_backends()
            self.wrong(path, "names no backend that there is", hint)
        return found

    def _add_cache(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in CACHE:
            if word in found:
                path, value = found[word]
                try:
                    entry["cache"] = int(duration.parse(value))
                except (OpenclawError, TypeError, ValueError, OverflowError):
                    self.wrong(path, "takes a length of time", "for example 1h, or 300")

    def add_rotation(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in ROTATION:
            if word in found:
                path, value = found[word]
                policy = rotation(value)
                if policy is None:
                    self.wrong(path, NO_ROTATION, "for example weekly")
                elif policy:
                    entry["rotation"] = policy

    def _add_variable(self, entry: dict[str, Any], found: dict[str, Any]) -> None:
        for word in _VARIABLE:
            if word in found:
                path, value = found[word]
                if isinstance(value, str) and IS_VARIABLE.fullmatch(value):
                    entry["variable"] = value
                else:
                    self.wrong(path, "is not the name of a variable", "letters, digits and _")

    def is_new(self, path: Path, name: str) -> bool:
        """Take a name for this path; report one that cannot be, and one that is taken."""
        if name not in (API_KEYS, f"{ENCRYPTION}:"):
            try:
                names.check(name)
            except OpenclawError:
                what = "is not a name for a secret"
                self.wrong(path, what, "use letters, digits and . _ : / - , a letter first")
                return False
        if name in self.meaning.places:
            self.wrong(
                path, "is said twice", f"keep one; the other: {dotted(self.meaning.places[name])}"
            )
            return False
        self.meaning.places[name] = path
        return True

    def wrong(self, path: Path, what: str, fix: str) -> None:
        self.meaning.slips.append(Slip(path, f"{dotted(path)} {what}", fix))

    def say(self, path: Path, text: str) -> None:
        self.meaning.understood.append((path, text))
