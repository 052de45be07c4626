"""Who we are to Vault, what its policies allow us, and the lines of one that would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.backends.connect.vault_answers import rejected_class
from openclaw_cli.backends.connect.vault_words import object_of, texts_of
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter

_SOON = 3600  # seconds


def forbidden(adapter: Adapter, wanted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what of these our policies do not allow, with the lines that would."""
    try:
        answer = adapter.post(
            "/v1/sys/capabilities-self",
            json={"paths": [path.replace("*", "any-name") for path, _ in wanted]},
        )
    except rejected_class():
        return [("vault does not tell what our policies allow", "vault policy read default")]
    found = object_of(answer.get("data"))
    allowed = {
        (path, capability)
        for path, capability in wanted
        if {capability, "root"} & texts_of(found.get(path.replace("*", "any-name")))
    }
    return [
        (f"no policy of ours allows to {capability} {path}", allowing(path, capability))
        for path, capability in wanted
        if (path, capability) not in allowed
    ]


def allowing(path: str, capability: str) -> str:
    both = '"create", "update"' if capability == "update" else f'"{capability}"'
    return f'path "{path}" {{ capabilities = [{both}] }}'


def unwell(origin: str, health: dict[str, Any]) -> tuple[str, str] | None:
    if not health:
        return (f"what answers at {origin} is not vault", f"curl {origin}/v1/sys/health")
    if health.get("initialized") is False:
        return (f"vault at {origin} is not initialised", "vault operator init")
    if health.get("sealed"):
        return (f"vault at {origin} is sealed", "vault operator unseal")
    return None


def identity(known: dict[str, Any]) -> str:
    policies = known.get("policies")
    names = [str(one) for one in policies] if isinstance(policies, list) else []
    return safe(f"{known.get('display_name', 'unknown')} (policies: {', '.join(names)})")


def ending(known: dict[str, Any]) -> list[tuple[str, str]]:
    left = known.get("ttl")
    if not isinstance(left, int) or not 0 < left < _SOON:
        return []
    mend = "vault token renew" if known.get("renewable") is True else "vault login"
    return [(f"the sign-in ends in {duration.exact(left)}", mend)]


def life(known: dict[str, Any]) -> str:
    left = known.get("ttl")
    return f", for {duration.exact(left)}" if isinstance(left, int) and left > 0 else ""
