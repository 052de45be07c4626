"""Signing in to Vault: the token that is given, or a login, and looking after either.

A credential of the settings goes only to an address of the settings, so that neither a variable
nor a copied table can send it elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect.vault_address import in_path, origin_of, same
from openclaw_cli.backends.connect.vault_answers import client, meaning, rejected_class
from openclaw_cli.errors import ConfigError, DeniedError, TemporaryError
from openclaw_cli.files import read_all
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.timed import Deadline
    from openclaw_cli.backends.connect.vault_given import Given
    from openclaw_cli.backends.connect.vault_http import Adapter

METHODS = ("token", "approle", "userpass", "kubernetes", "jwt")
POD_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
_LIMIT = 64 * 1024  # bytes of a credential's file
_LIFE = 60.0  # seconds: a process that lives shorter does not ask how long its token lives
_FRESH = 5.0  # seconds: a token from a login so recent has not ended
_DENIED = (400, 401, 403, 404)


@dataclass(slots=True)
class _Token:
    """What we are signed in with; `since` and `look` are times of `time.monotonic`."""

    text: str
    origin: str
    ours: bool = False  # a login of ours got it, and another can replace it
    renewable: bool = False
    since: float = 0.0
    look: float = 0.0  # when to look after it: to renew it, or to log in again


class SignIn:
    """Who we are to one Vault; threads may share it. Nothing is sent before a token is needed."""

    def __init__(self, given: Given, unsigned: Callable[[Deadline | None], Adapter]) -> None:
        """Raise `ConfigError` for what is given wrong; `unsigned` starts an operation, no token."""
        self._given = given
        self._unsigned = unsigned
        self._token: _Token | None = None
        self._lock = threading.Lock()
        self._method = given.text("auth")
        if self._method not in METHODS:
            raise ConfigError(
                f"vault has no way to sign in called {safe(self._method)}",
                hint=f"known: {', '.join(METHODS)}",
            )

    @property
    def origin(self) -> str:
        """What the token is and where it came from, in words."""
        return self._token.origin if self._token else f"the {self._method} login"

    def sign(self, adapter: Adapter) -> None:
        """Give an operation its token; raises `ConfigError`, `DeniedError` or `TemporaryError`."""
        with self._lock:
            if self._token is None:
                self._token = self._signed_in(adapter)
            elif time.monotonic() >= self._token.look:
                self._token = self._looked_after(adapter, self._token)
            adapter.token = self._token.text
        adapter.renewed = self._renewed

    def open_file(self) -> str:
        """Return the file of a given token when others can read it, else nothing."""
        path = self._token_file() if self._method == "token" else ""
        return path if path and _others_may_read(path) else ""

    def _signed_in(self, adapter: Adapter) -> _Token:
        if self._method == "token":
            text, origin = self._given_token()
            return _Token(_plain(text, origin), origin, look=time.monotonic() + _LIFE)
        mount = self._given.text("auth-mount") or self._method
        origin = f"the {self._method} login at auth/{in_path(mount)}"
        try:
            answer = self._log_in(client(adapter), mount)
        except rejected_class() as rejected:
            if rejected.status in _DENIED:
                raise DeniedError(
                    f"vault refuses {origin}",
                    hint="is it mounted there (vault auth list), are role and credentials valid?",
                ) from None
            raise meaning(adapter, rejected, f"accept {origin}") from None
        return _token_of(answer, origin)

    def _log_in(self, vault: Any, mount: str) -> Any:  # noqa: ANN401 - hvac has no types
        """Return what the login answered; the credential is read now, for it may have changed."""
        if self._method == "approle":
            return vault.auth.approle.login(
                role_id=self._given.needed("role-id", "VAULT_ROLE_ID"),
                secret_id=self._credential("secret-id", "secret-id-file", "VAULT_SECRET_ID"),
                use_token=False,
                mount_point=mount,
            )
        if self._method == "userpass":
            return vault.auth.userpass.login(
                username=in_path(self._given.needed("username")),
                password=self._credential("password", "password-file", "VAULT_PASSWORD"),
                use_token=False,
                mount_point=mount,
            )
        path = self._given.text("jwt-file")
        if not path and self._method == "kubernetes":
            path = POD_TOKEN
        if not path:
            raise ConfigError("the jwt login needs the setting jwt-file")
        if self._given.text("jwt-file"):
            self._bind("jwt-file")
        jwt = _read(path, "the JWT")
        if self._method == "kubernetes":
            return vault.auth.kubernetes.login(
                role=self._given.needed("role"), jwt=jwt, use_token=False, mount_point=mount
            )
        return vault.auth.jwt.jwt_login(
            role=self._given.needed("role"), jwt=jwt, use_token=False, path=mount
        )

    def _looked_after(self, adapter: Adapter, token: _Token) -> _Token:
        """Return the token renewed, or another; the same when it cannot be told."""
        if token.ours and not token.renewable:
            return self._signed_in(adapter)
        adapter.token = token.text
        try:
            if token.ours:
                answer = client(adapter).auth.token.renew_self()
                return _token_of(answer, token.origin)
            token.look = time.monotonic() + self._given_lives(adapter)
        except rejected_class():
            adapter.token = ""
            return self._signed_in(adapter)
        return token

    def _given_lives(self, adapter: Adapter) -> float:
        """Renew a token that was given when half of its life is over; return when to look."""
        known = adapter.lookup()
        left, whole = known.get("ttl"), known.get("creation_ttl")
        if not isinstance(left, int) or not isinstance(whole, int) or not left:
            return float("inf")
        if known.get("renewable") is True and left <= whole / 2:
            client(adapter).auth.token.renew_self()
            left = whole
        return max(left / 3, 1)

    def _renewed(self, adapter: Adapter) -> str:
        """Return another token after a refusal, when ours has ended; nothing for a policy's."""
        with self._lock:
            known = self._token
            if known is None or not known.ours:
                return ""
            if known.text != adapter.token:
                return known.text  # another thread was quicker
            if time.monotonic() - known.since < _FRESH or adapter.lookup():
                return ""
            self._token = self._signed_in(self._unsigned(adapter.deadline))
            return self._token.text

    def _given_token(self) -> tuple[str, str]:
        if self._given.text("token"):
            self._bind("token")
            return self._given.text("token"), "the setting token"
        path = self._token_file()
        if self._given.text("token-file"):
            self._bind("token-file")
        elif os.environ.get("VAULT_TOKEN"):
            self._bind_variables()
            return os.environ["VAULT_TOKEN"], "VAULT_TOKEN"
        elif not os.path.exists(path):
            raise DeniedError("nobody is signed in to vault", hint="vault login")
        else:
            self._bind_variables()
        return _read(path, "the token"), path

    def _token_file(self) -> str:
        if (
            self._given.text("token-file")
            or os.environ.get("VAULT_TOKEN")
            or self._given.text("token")
        ):
            return self._given.text("token-file")
        return os.path.join(os.path.expanduser("~"), ".vault-token")

    def _credential(self, name: str, file: str, variable: str) -> str:
        if self._given.text(name):
            self._bind(name)
            return self._given.text(name)
        if self._given.text(file):
            self._bind(file)
            return _read(self._given.text(file), f"the {name}")
        if os.environ.get(variable):
            self._bind_variables()
            return os.environ[variable]
        raise ConfigError(
            f"the {self._method} login needs the {name}",
            hint=f"export {variable}=..., or the setting {file}",
        )

    def _bind(self, name: str) -> None:
        """Keep a credential of the settings for an address of the settings."""
        if not self._given.text("address"):
            raise ConfigError(
                f"the setting {name} is sent only to an address that the settings name, not to "
                "one of a variable",
                hint=f"add the setting address = {self._given.origin}",
            )

    def _bind_variables(self) -> None:
        """Keep the token of Vault's own client for the Vault that its variables name."""
        for variable in ("VAULT_AGENT_ADDR", "VAULT_ADDR"):
            named = os.environ.get(variable, "")
            if named:
                if same(origin_of(named, variable), self._given.origin):
                    return
                raise ConfigError(
                    f"the sign-in of this shell is for {variable}, {origin_of(named, variable)}, "
                    f"and the settings name {self._given.origin}",
                    hint=f"unset {variable}, or add a token-file to the settings",
                )


def _token_of(answer: Any, origin: str) -> _Token:  # noqa: ANN401 - what a server said
    auth = answer.get("auth") if isinstance(answer, dict) else None
    auth = auth if isinstance(auth, dict) else {}
    text = auth.get("client_token")
    if not isinstance(text, str) or not text:
        raise TemporaryError(f"vault answered {origin} without a token")
    lease, now = auth.get("lease_duration"), time.monotonic()
    lives = lease * 2 / 3 if isinstance(lease, int) and lease > 0 else float("inf")
    renewable = auth.get("renewable") is True
    return _Token(_plain(text, origin), origin, True, renewable, now, now + lives)


def _plain(token: str, origin: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise ConfigError(f"{origin} does not hold a token: it is empty or has odd characters")
    return token


def _read(path: str, what: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return read_all(fd, path, _LIMIT).decode("ascii").strip()
        finally:
            os.close(fd)
    except PermissionError:
        raise DeniedError(f"{what} in {path} may not be read by us", hint=f"ls -l {path}") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{what} cannot be read from {path}", hint=f"ls -l {path}") from None


def _others_may_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False
