"""What is said to Vault through hvac, and what its refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.protocols import ThrottledError, UncertainError
from openclaw_cli.errors import DeniedError, OpenclawError, RefusedError, TemporaryError

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter

_NOT_INITIALISED, _UNAVAILABLE, _THROTTLED, _REPLICATING = 501, 503, 429, 412
_SERVER = 470  # from here on it is the server's state: 472 and 473 are standbys


class NotAcceptedError(DeniedError):
    """Vault does not know the token, or not any more: it will refuse whatever is asked."""


def client(adapter: Adapter) -> Any:  # noqa: ANN401 - hvac has no types
    """Return hvac's client that sends through this adapter."""
    import hvac

    return hvac.Client(url=adapter.base_uri, token="", verify=True, adapter=lambda **_: adapter)


def meaning(adapter: Adapter, rejected: Any, to_do: str) -> OpenclawError:  # noqa: ANN401
    """Return our error for a `Rejected` that is neither a refusal to us nor about a path."""
    status = rejected.status
    if status == _THROTTLED:
        return ThrottledError(
            "vault is throttling requests", hint="try again later", retry_after=rejected.after
        )
    if status == _NOT_INITIALISED:
        return TemporaryError(
            f"vault at {adapter.base_uri} is not initialised", hint="vault operator init"
        )
    if status == _UNAVAILABLE and adapter.health().get("sealed"):
        return TemporaryError(
            f"vault at {adapter.base_uri} is sealed", hint="vault operator unseal"
        )
    if status == _REPLICATING or status >= _SERVER:
        return UncertainError(
            f"vault at {adapter.base_uri} is not well (status {status})",
            hint=f"curl {adapter.base_uri}/v1/sys/health",
        )
    return RefusedError(f"vault refuses to {to_do} (status {status})")


def rejected_class() -> Any:  # noqa: ANN401 - a class, for `except`
    """Return the class `Rejected`, of the module that loads hvac."""
    from openclaw_cli.backends.connect.vault_http import Rejected

    return Rejected
