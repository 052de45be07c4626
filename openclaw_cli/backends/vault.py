"""HashiCorp Vault and OpenBao: secrets in their key-value engine, of both its versions.

A path is below mount and prefix, and a value is one field of what is there: `openai-api-key` is
the field `value` of `secret/openclaw/openai-api-key`, as `vault kv put` writes it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect import vault_policies as policies
from openclaw_cli.backends.connect.vault import Connection
from openclaw_cli.backends.connect.vault_address import in_path
from openclaw_cli.backends.connect.vault_answers import NotAcceptedError, rejected_class
from openclaw_cli.backends.connect.vault_engine import Engine
from openclaw_cli.backends.connect.vault_given import SETTINGS
from openclaw_cli.backends.connect.vault_words import (
    is_readable,
    object_of,
    seconds_of,
    stage_of,
    text_bytes,
)
from openclaw_cli.backends.protocols import ONLY, Health, Setting, Settings, checked_path, part
from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import Secret, SecretValue, Version
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter

NAME = "vault"
_MOST_NAMES = 10_000
_TRIES = 12  # of a write, before we say that others are always faster
_DIGITS = 20  # of a version's number, from where on nobody counted that far
_BAD = 400


class VaultBackend:
    AT_ONCE = 8
    SETTINGS = (
        *SETTINGS,
        Setting("mount", "secret", "Where the key-value engine is mounted."),
        Setting("prefix", "openclaw", "The folder there that all paths are below."),
        Setting("field", "value", "The field that holds a value, when a reference names none."),
        Setting("kv", "auto", "The engine's version: 1, 2, or auto to ask Vault."),
    )

    def __init__(self, settings: Settings) -> None:
        """Read the settings; raises `ConfigError`. Vault is asked when something is."""
        added = self.SETTINGS[len(SETTINGS) :]
        self._connection = Connection(settings, more=added, name=NAME)
        mount = in_path(self._connection.text("mount"))
        prefix = self._connection.text("prefix").strip("/")
        self._field = self._connection.text("field")
        if not self._field:
            raise ConfigError("the setting field of the vault backend is empty")
        kv = self._connection.text("kv")
        if kv not in ("auto", "1", "2"):
            raise ConfigError("the setting kv of the vault backend is 1, 2 or auto")
        self._threads = max(int(self._connection.settings["threads"]), 1)
        self._engine = Engine(self._connection, mount, f"{in_path(prefix)}/" if prefix else "", kv)

    def persist(self, *, again: bool) -> None:
        """Say whether what fails is tried again at once."""
        self._connection.again = again

    def notices(self) -> tuple[tuple[str, str], ...]:
        """Return what is unsafe about how Vault is reached, each with its mend. Asks nobody."""
        return self._connection.notices()

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return the value. `field` is one of the secret's, or of a value that is an object."""
        checked_path(path)
        return self._get(self._connection.adapter(), path, version, field)

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        """Answer all within the time limit of one, some at once over the same connections."""
        from concurrent.futures import ThreadPoolExecutor

        if not paths:
            return {}
        try:
            adapter = self._connection.adapter()
        except OpenclawError as refused:
            return dict.fromkeys(paths, refused)
        # One goes alone: it learns the engine's version, and whether Vault is there at all.
        first, *others = dict.fromkeys(paths)
        answer = self._answer(adapter, first)
        if isinstance(answer, TemporaryError | ConfigError | NotAcceptedError):
            return dict.fromkeys(paths, answer)
        with ThreadPoolExecutor(self._threads) as threads:
            answers = threads.map(lambda path: self._answer(adapter, path), others)
            return {first: answer, **dict(zip(others, answers, strict=True))}

    def put(self, path: str, value: SecretValue) -> Version:
        """Write the field and keep the others; again, when somebody else wrote in between.

        Raises `RefusedError` for what is not UTF-8, for Vault holds texts. Version 1 of the engine
        cannot check: of two writers at once the last wins.
        """
        checked_path(path)
        try:
            text = value.reveal().decode()
        except UnicodeDecodeError:
            raise RefusedError(
                f"vault holds text only, and the value for {path} is not UTF-8",
                hint=f"base64 -w0 FILE | openclaw secrets set vault://{path}",
            ) from None
        adapter = self._connection.adapter()
        self._engine.learn(adapter)
        for attempt in range(_TRIES):
            fields, number = self._engine.now(adapter, path)
            try:
                return self._engine.write(adapter, path, {**fields, self._field: text}, number)
            except rejected_class() as rejected:
                if rejected.status != _BAD or self._engine.now(adapter, path)[1] == number:
                    raise self._engine.refusal(adapter, rejected, path, "update") from None
            pause = 0.01 * 2 ** min(attempt, 5) * random.random()  # noqa: S311 - to keep apart
            if not adapter.deadline.sleep(pause):
                break
        raise ConflictError(f"others keep writing vault://{path} at the same time")

    def delete(self, path: str) -> bool:
        """Delete the newest version, which Vault can undelete; version 1 forgets all for good."""
        checked_path(path)
        adapter = self._connection.adapter()
        self._engine.learn(adapter)
        try:
            self._engine.read(adapter, path)
        except NotFoundError:
            return False
        self._engine.delete(adapter, path)
        return True

    def names(self, prefix: str = "") -> list[str]:
        """Return the paths, what was deleted and can be undeleted among them, as Vault does."""
        start = prefix[: prefix.rfind("/") + 1]
        if start:
            checked_path(start[:-1])
        adapter = self._connection.adapter()
        self._engine.learn(adapter)
        found: list[str] = []
        folders = [start]
        while folders:
            folder = folders.pop()
            for name in (folder + entry for entry in self._engine.entries(adapter, folder)):
                if name.endswith("/") and (name.startswith(prefix) or prefix.startswith(name)):
                    folders.append(name)
                elif name.startswith(prefix) and not name.endswith("/"):
                    found.append(name)
            if len(found) > _MOST_NAMES:
                raise RefusedError(f"vault has more than {_MOST_NAMES} names in {self._at(prefix)}")
        return sorted(found)

    def versions(self, path: str) -> list[Version]:
        """Return those that can be read, newest first; raises `NotFoundError` when none can."""
        checked_path(path)
        adapter = self._connection.adapter()
        self._engine.learn(adapter)
        if self._engine.plain:
            self._engine.read(adapter, path)
            return [Version(ONLY)]
        data = self._engine.metadata(adapter, path)
        newest = data.get("current_version")
        found = [
            Version(
                number, stage=stage_of(int(number), newest), created=seconds_of(one["created_time"])
            )
            for number, one in object_of(data.get("versions")).items()
            if number.isdecimal() and len(number) < _DIGITS and is_readable(one)
        ]
        if not found:
            raise self._engine.absent(path)
        return sorted(found, key=lambda version: int(version.id), reverse=True)

    def check(self) -> Health:
        """Ask how Vault is, who we are to it, and what its policies allow us."""
        try:
            origin = self._connection.origin
            health = self._connection.unsigned().health()
        except OpenclawError as away:
            return Health(reachable=False, problems=((away.message, away.hint),))
        detail = f"{origin}, version {safe(str(health.get('version', 'unknown')))}"
        wrong = policies.unwell(origin, health)
        if wrong:
            return Health(reachable=bool(health), detail=detail, problems=(wrong,))
        try:
            adapter = self._connection.adapter()
            known = adapter.lookup()
            if not known:
                raise self._engine.not_accepted()
            self._engine.learn(adapter)
            wanted = self._below_the_prefix()
            forbidden = policies.forbidden(adapter, wanted)
            problems = [*self._connection.notices(), *forbidden, *policies.ending(known)]
        except OpenclawError as refused:
            problem = (refused.message, refused.hint)
            return Health(reachable=True, detail=detail, problems=(problem,))
        engine = f"key-value version {1 if self._engine.plain else 2} at {self._engine.mount}/"
        return Health(
            reachable=True,
            identity=policies.identity(known),
            detail=f"{detail}, {engine}, {self._connection.signed_in_with}{policies.life(known)}",
            problems=tuple(problems),
        )

    def require(self, path: str, *capabilities: str) -> None:
        """Raise `DeniedError`, with the lines of a policy, unless ours allow all of these."""
        adapter = self._connection.adapter()
        self._engine.learn(adapter)
        where = self._engine.policy_path(checked_path(path))
        for problem, mend in policies.forbidden(adapter, [(where, each) for each in capabilities]):
            raise DeniedError(problem, hint=f"add to a policy: {mend}")

    def _answer(self, adapter: Adapter, path: str) -> Secret | OpenclawError:
        try:
            return self._get(adapter, checked_path(path), None, "")
        except OpenclawError as refused:
            return refused

    def _get(self, adapter: Adapter, path: str, version: str | None, field: str) -> Secret:
        fields, found = self._engine.read(adapter, path, version)
        return Secret(self._chosen(fields, field, path), found, NAME)

    def _chosen(self, fields: dict[str, Any], field: str, path: str) -> SecretValue:
        chosen = text_bytes(fields.get(field or self._field))
        if chosen:
            return SecretValue(chosen)
        whole = text_bytes(fields.get(self._field))
        if field and whole:
            return part(whole, field, path)
        raise NotFoundError(
            f"vault://{path} has no text in the field {field or self._field}",
            hint=f"it has the fields {', '.join(safe(name) for name in sorted(fields)[:20])}"
            if fields
            else "",
        )

    def _at(self, path: str) -> str:
        return f"{self._engine.mount}/{self._engine.prefix}{path}"

    def _below_the_prefix(self) -> list[tuple[str, str]]:
        values = self._engine.policy_path("*")
        listing = self._engine.policy_path("*", None if self._engine.plain else "metadata")
        return [(values, "read"), (listing, "list"), (values, "update"), (values, "delete")]
