"""Where the broker is, which the settings name by a secret; and the parts that need its library."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openclaw_cli.agents.spec import NAME, GatewaySpec
from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.names import parse
from openclaw_cli.registry import missing_library

if TYPE_CHECKING:
    from openclaw_cli.service import Secrets

PURPOSE = "broker"
LOCAL = "local"


def address(gateway: GatewaySpec, secrets: Secrets) -> str:
    """Return the broker's address from the secret that the settings name; its reading is recorded.

    Raises `ConfigError` where they name none.
    """
    if gateway.engine == LOCAL or not gateway.broker:
        raise ConfigError(
            "the settings have no broker",
            hint='"gateway": {"engine": "celery", "broker": NAME-OF-A-SECRET}',
        )
    found = secrets.read(parse(gateway.broker), purpose=PURPOSE).value.reveal()
    return found.decode(errors="replace").strip()


def node(gateway: GatewaySpec) -> Callable[..., int]:
    """Return what runs a node; raises `ConfigError` when its library is not installed."""
    try:
        from openclaw_cli.engines.node import run
    except ModuleNotFoundError as missing:
        raise _missing(gateway, missing) from None
    return run


def remote(gateway: GatewaySpec) -> Callable[..., Any]:
    """Return what sends requests to nodes; raises as `node` does."""
    try:
        from openclaw_cli.engines.remote import Remote
    except ModuleNotFoundError as missing:
        raise _missing(gateway, missing) from None
    return Remote


def node_name(given: str | None) -> str:
    """Return a node's name: what was given, else the machine's."""
    name = given or os.uname().nodename
    if not NAME.fullmatch(name):
        raise UsageError("this is not a name for a node", hint="letters, digits and . _ -")
    return name


def _missing(gateway: GatewaySpec, missing: ModuleNotFoundError) -> ConfigError:
    library = (missing.name or "").partition(".")[0]
    return missing_library("engine", gateway.engine, library, "celery")
