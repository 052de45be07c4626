"""Vault's dynamic roles: each rotation is a new user that the database or AWS engine makes.

What Vault makes lasts as long as the token that asked for it. So each is asked for with a token of
its own that ends within minutes, and is renewed only when we have kept what was made: one whose
reply was lost is taken away by Vault itself. To revoke is to revoke that token.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from openclaw_cli import duration
from openclaw_cli.backends.connect.vault_address import in_path
from openclaw_cli.errors import (
    ConfigError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import login, vault
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.rotation.rotators.postgres import SCHEMES, Postgres
from openclaw_cli.rotation.rotators.vault_static import formed

_AT_FIRST = 120  # seconds until what nobody kept is taken away
_NEAR = 5  # seconds that a lease has lost when we look at it
_RENEW = "auth/token/renew-accessor"
_REVOKE = "auth/token/revoke-accessor"
_LOOKUP = "auth/token/lookup-accessor"
_LEASES = ("sys/leases/renew", "sys/leases/revoke")


class VaultDynamic:
    name = "vault-dynamic"
    kind = MINTED
    SETTINGS = (
        Setting("name", "The role's name.", required=True),
        Setting("mount", "Where the engine is mounted: database, aws, ...", default="database"),
        Setting("lasts", "How long each must last: from one rotation to the next.", required=True),
        Setting("token-role", "The token role for tokens that outlive the sign-in."),
        *vault.SETTINGS,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        """See that our policies allow it, and that what is made can last as long as it must."""
        lasts = _lasts(task)
        server = vault.Vault(task)
        needed = [(each, "update") for each in (_tokens(task), _RENEW, _REVOKE, _LOOKUP, *_LEASES)]
        server.require((_creds(task), "read"), *needed)
        left = server.sign_in().get("ttl")
        if not task.settings["token-role"] and isinstance(left, int) and 0 < left < lasts:
            raise ConfigError(
                f"our sign-in to vault ends in {duration.exact(left)}, and what it made ends then",
                hint="vault write auth/token/roles/openclaw orphan=true renewable=true; "
                "--setting token-role=openclaw",
            )

    def create(self, task: Task) -> Made:
        server = vault.Vault(task, again=False)
        auth = server.post(_tokens(task), {"ttl": f"{_AT_FIRST}s", "renewable": True}).get("auth")
        token, accessor = _texts(auth or {}, "client_token", "accessor")
        made = server.get_as(token, _creds(task))
        data, (lease,) = made.get("data"), _texts(made, "lease_id")
        if not isinstance(data, dict):
            raise _odd(task)
        try:
            _last(server, _LEASES[0], {"lease_id": lease}, task)
        except OpenclawError:
            _take_away(server, accessor, lease)
            raise
        fields = {name: value for name, value in data.items() if isinstance(value, str) and value}
        return Made(formed(task, fields), f"{accessor} {lease}")

    def set(self, task: Task, pending: Held) -> None:
        """Let the token live that it was made with: now it is kept."""
        accessor, _ = _handle(pending)
        _last(vault.Vault(task), _RENEW, {"accessor": accessor}, task)

    def test(self, task: Task, value: Held) -> None:
        """Ask Vault whether it is still good; and sign in, where it is a PostgreSQL URL."""
        accessor, _ = _handle(value)
        try:
            vault.Vault(task).post(_LOOKUP, {"accessor": accessor})
        except (NotFoundError, RefusedError):
            raise RefusedError(f"what vault made for {task.name} has ended") from None
        if login.read(value.value, task.name, SCHEMES).form == login.URL:
            Postgres().test(_for_postgres(task), value)

    def undo(self, task: Task, pending: Held) -> None:
        self.revoke(task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        if not old.handle:
            return  # a person put it there; vault did not make it for us
        _take_away(vault.Vault(task), *_handle(old))


def _take_away(server: vault.Vault, accessor: str, lease: str) -> None:
    """Revoke a lease, and its token; either may have ended."""
    # The token's end would do, but some time after the answer.
    for path, which in (
        (_LEASES[1], {"lease_id": lease, "sync": True}),
        (_REVOKE, {"accessor": accessor}),
    ):
        with suppress(NotFoundError, RefusedError):
            server.post(path, which)


def _lasts(task: Task) -> float:
    return duration.parse(task.settings["lasts"], name="the setting lasts", error=ConfigError)


def _creds(task: Task) -> str:
    mount, name = vault.role(task)
    return f"{mount}/creds/{name}"


def _tokens(task: Task) -> str:
    role = task.settings["token-role"]
    return f"auth/token/create/{in_path(role)}" if role else "auth/token/create"


def _last(server: vault.Vault, path: str, which: dict[str, Any], task: Task) -> None:
    """Renew a lease or a token; raises `RefusedError` when it would not last long enough."""
    lasts = int(_lasts(task))
    answer = server.post(path, {**which, "increment": lasts})
    granted = (answer.get("auth") or answer).get("lease_duration")
    if not isinstance(granted, int) or granted < lasts - _NEAR:
        mount, name = vault.role(task)
        raise RefusedError(
            f"what vault makes for the role {name} may not last {duration.exact(lasts)}",
            hint=f"vault write {mount}/roles/{name} max_ttl={lasts}; "
            f"vault secrets tune -max-lease-ttl={lasts} {mount}",
        )


def _handle(held: Held) -> tuple[str, str]:
    accessor, _, lease = held.handle.partition(" ")
    return accessor, lease


def _texts(found: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    texts = tuple(found.get(name) for name in names)
    if not all(isinstance(text, str) and text for text in texts):
        raise TemporaryError("vault answered without a lease or a token")
    return tuple(str(text) for text in texts)


def _odd(task: Task) -> TemporaryError:
    return TemporaryError(
        f"vault gave nothing for the role {task.settings['name']}",
        hint=f"vault read {_creds(task)}",
    )


def _for_postgres(task: Task) -> Task:
    from dataclasses import replace

    from openclaw_cli.rotation.rotator import checked

    return replace(task, settings=checked({}, Postgres.SETTINGS, Postgres.name), secrets={})
