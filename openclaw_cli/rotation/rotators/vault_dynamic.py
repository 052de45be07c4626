"""Vault's dynamic roles: each rotation is a new user that the database or AWS engine makes.

What Vault makes lasts as long as the token that asked for it. So each is asked for with a token of
its own that ends within minutes, and is renewed only when we have kept what was made: one whose
reply was lost is taken away by Vault itself. To revoke is to revoke its lease and that token. The
keys of a role of AWS STS end by themselves and cannot be revoked before: so not even by us.
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
from openclaw_cli.rotation import engines, vault
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

_AT_FIRST = 120  # seconds until what nobody kept is taken away
_NEAR = 5  # seconds that a lease has lost when we look at it
_RENEW = "auth/token/renew-accessor"
_REVOKE = "auth/token/revoke-accessor"
_LOOKUP = "auth/token/lookup-accessor"
_RENEW_LEASE = "sys/leases/renew"
_REVOKE_LEASE = "sys/leases/revoke"
_LOOKUP_LEASE = "sys/leases/lookup"
_TOKENS = (_RENEW, _REVOKE, _LOOKUP)
_LEASES = (_RENEW_LEASE, _REVOKE_LEASE, _LOOKUP_LEASE)


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
        needed = [(each, "update") for each in (_tokens(task), *_TOKENS, *_LEASES)]
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
            _last_as_made(server, made, task)
        except OpenclawError:
            _take_away(server, accessor, lease)
            raise
        fields = {name: value for name, value in data.items() if isinstance(value, str) and value}
        return Made(engines.formed(task, fields), f"{accessor} {lease}")

    def set(self, task: Task, pending: Held) -> None:
        """Let the token live that it was made with: now it is kept."""
        accessor, _ = _handle(pending)
        _last(vault.Vault(task), _RENEW, {"accessor": accessor}, task)

    def test(self, task: Task, value: Held) -> None:
        """Ask Vault whether its lease and token are good; and sign in, where we know how."""
        accessor, lease = _handle(value)
        server = vault.Vault(task)
        try:
            server.post(_LOOKUP, {"accessor": accessor})
            server.post(_LOOKUP_LEASE, {"lease_id": lease})
        except (NotFoundError, RefusedError):
            raise RefusedError(f"what vault made for {task.name} has ended") from None
        engines.sign_in(task, value)

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
        (_REVOKE_LEASE, {"lease_id": lease, "sync": True}),
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


def _last_as_made(server: vault.Vault, made: Mapping[str, Any], task: Task) -> None:
    """Have a new lease last as long as it must; raises `RefusedError` when it cannot."""
    if made.get("renewable") is not False:
        _last(server, _RENEW_LEASE, {"lease_id": made["lease_id"]}, task, _longer(made, task))
    elif not _lasts_enough(made, task):
        hint = _longer(made, task)
        raise _too_short(task, hint)


def _last(
    server: vault.Vault, path: str, which: dict[str, Any], task: Task, hint: str = ""
) -> None:
    """Renew a lease or a token; raises `RefusedError` when it would not last long enough."""
    answer = server.post(path, {**which, "increment": int(_lasts(task))})
    if not _lasts_enough(answer.get("auth") or answer, task):
        raise _too_short(
            task,
            hint
            or f"vault write auth/token/roles/openclaw orphan=true "
            f"renewable=true; vault auth tune -max-lease-ttl={int(_lasts(task))} token/",
        )


def _lasts_enough(lease: Mapping[str, Any], task: Task) -> bool:
    granted = lease.get("lease_duration")
    return isinstance(granted, int) and granted >= int(_lasts(task)) - _NEAR


def _too_short(task: Task, hint: str) -> RefusedError:
    lasts = duration.exact(int(_lasts(task)))
    name = task.settings["name"]
    return RefusedError(f"what vault makes for the role {name} may not last {lasts}", hint=hint)


def _longer(made: Mapping[str, Any], task: Task) -> str:
    """Return the commands that let what a role makes last as long as it must."""
    mount, name = vault.role(task)
    lasts = int(_lasts(task))
    tune = f"vault secrets tune -max-lease-ttl={lasts} {mount}"
    data = made.get("data") or {}
    if "access_key" not in data:
        return f"vault write {mount}/roles/{name} max_ttl={lasts}; {tune}"
    if data.get("security_token"):
        role = f"vault write {mount}/roles/{name} default_sts_ttl={lasts} max_sts_ttl={lasts}"
        return f"{role}; AWS STS gives no key for longer than 12h, so rotate more often"
    return f"vault write {mount}/config/lease lease={lasts}s lease_max={lasts}s; {tune}"


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
