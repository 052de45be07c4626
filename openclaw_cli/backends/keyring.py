"""Secrets in the desktop's keyring: `keyring://openai/api-key`.

The path is the item's user, the service is a setting, so other programs' items can be read, too.
A keyring holds text. A value that is none is kept as base64 behind a mark, and comes back exactly.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from openclaw_cli.backends.connect import keyring
from openclaw_cli.backends.connect.keyring import KeyringTroubleError
from openclaw_cli.backends.protocols import (
    ONLY,
    Health,
    Setting,
    Settings,
    checked_path,
    checked_settings,
    is_path,
    part,
    the_only,
)
from openclaw_cli.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import MAX_VALUE, Secret, SecretValue, Version
from openclaw_cli.registry import missing_library

_MARK = "base64 by openclaw: "
_NOT_THERE = ("none", "slow")


class KeyringBackend:
    SETTINGS = (
        Setting("service", "openclaw/secrets", "The service of the items."),
        Setting("timeout", 10.0, "Seconds for an answer."),
    )

    def __init__(self, settings: Settings) -> None:
        found = checked_settings(settings, self.SETTINGS, "keyring")
        self._service = str(found["service"])
        self._seconds = float(found["timeout"])

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        checked_path(path)
        try:
            text = keyring.get(self._service, path, self._seconds)
        except KeyringTroubleError as trouble:
            raise self._error(trouble, path) from None
        the_only(version, path)
        found = _secret(text, path)
        found.value = part(found.value.reveal(), field, path)
        return found

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        """Ask for all in one process: each would cost more than the asking."""
        found: dict[str, Secret | OpenclawError] = {}
        for path in paths:
            try:
                checked_path(path)
            except OpenclawError as refused:
                found[path] = refused
        wanted = [path for path in dict.fromkeys(paths) if path not in found]
        if not wanted:
            return found
        try:
            answers = keyring.get_many(self._service, wanted, self._seconds)
        except KeyringTroubleError as trouble:
            return found | {path: self._error(trouble, path) for path in wanted}
        return found | {path: self._answer(path, answer) for path, answer in answers.items()}

    def put(self, path: str, value: SecretValue) -> Version:
        """Keep a value and read it back; `ConflictError` when something else is found there."""
        checked_path(path)
        try:
            keyring.put(self._service, path, _text(value.reveal()), self._seconds)
        except KeyringTroubleError as trouble:
            raise self._error(trouble, path) from None
        return Version(ONLY, created=time.time())

    def delete(self, path: str) -> bool:
        checked_path(path)
        try:
            keyring.delete(self._service, path, self._seconds)
        except KeyringTroubleError as trouble:
            if trouble.word == "absent":
                return False
            raise self._error(trouble, path) from None
        return True

    def names(self, prefix: str = "") -> list[str]:
        """Return the users of the service; `RefusedError` where the keyring cannot list them."""
        try:
            found = keyring.names(self._service, self._seconds)
        except KeyringTroubleError as trouble:
            raise self._error(trouble, self._service) from None
        return [name for name in found if name.startswith(prefix) and is_path(name)]

    def check(self) -> Health:
        """Say whether a keyring that we trust answers, and what it refuses."""
        try:
            keyring.probe(self._seconds)
            count = len(keyring.names(self._service, self._seconds))
        except KeyringTroubleError as trouble:
            error = self._error(trouble, self._service)
            if trouble.word == "unlisted":
                return Health(reachable=True, detail=error.message)
            there = trouble.word not in _NOT_THERE
            return Health(reachable=there, problems=((error.message, error.hint),))
        return Health(reachable=True, detail=f"{count} items of the service {self._service}")

    def _answer(self, path: str, answer: str | KeyringTroubleError) -> Secret | OpenclawError:
        if isinstance(answer, KeyringTroubleError):
            return self._error(answer, path)
        try:
            return _secret(answer, path)
        except OpenclawError as refused:
            return refused

    def _error(self, trouble: KeyringTroubleError, path: str) -> OpenclawError:
        if trouble.word == "slow":
            return TemporaryError(
                f"the keyring did not answer within {self._seconds:g} seconds",
                hint="look whether it is asking for its password on the desktop",
            )
        if trouble.word == "none" and find_spec("keyring") is None:
            return missing_library("backend", "keyring", "keyring")
        return _ERRORS.get(trouble.word, _ERRORS["refused"])(path)


_ERRORS: dict[str, Callable[[str], OpenclawError]] = {
    "none": lambda _: TemporaryError(
        "no keyring answers here", hint="start one, or use another backend: there is none in cron"
    ),
    "locked": lambda _: DeniedError("the keyring is locked", hint="unlock it on the desktop"),
    "absent": lambda path: NotFoundError(f"{path} is not in the keyring"),
    "refused": lambda path: RefusedError(f"the keyring refused what was asked of {path}"),
    "lost": lambda path: RefusedError(f"the keyring does not keep {path}"),
    "other": lambda path: ConflictError(
        f"the keyring holds something else at {path} than was just put there",
        hint="somebody else writes it too",
    ),
    "unlisted": lambda _: RefusedError("this keyring cannot list what it holds"),
}


def _secret(text: str, path: str) -> Secret:
    value = _bytes(text, path)
    if not value:
        raise NotFoundError(f"{path} is empty in the keyring")
    if len(value) > MAX_VALUE:
        raise RefusedError(f"{path} in the keyring is larger than 64 KiB")
    return Secret(SecretValue(value), Version(ONLY), "keyring")


def _text(value: bytes) -> str:
    """Return the value as text that a keyring keeps as it is; `_bytes` undoes it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or "\0" in text or text.startswith(_MARK):
        return _MARK + base64.b64encode(value).decode()
    return text


def _bytes(text: str, path: str) -> bytes:
    if not text.startswith(_MARK):
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text.removeprefix(_MARK), validate=True)
    except ValueError:
        raise RefusedError(f"{path} in the keyring is marked as base64 and is none") from None
