"""Reads what a migration needs to know of a gateway's state directory; changes nothing."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli.config import plain_value
from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.interop import auth_store, config_file, json5, places, wiring
from openclaw_cli.interop.migrate.plan import OWN, PROFILES, ROW, Found, Spot
from openclaw_cli.interop.migrate.shredding import BEGUN
from openclaw_cli.interop.scan import structured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openclaw_cli.interop.gateway import Gateway

_BARE_PROVIDER = (2026, 3, 0)  # from here on a provider may be configured by its key alone
_COPIES = (
    "openclaw.json.*",
    *(f"{name}.json{end}" for name in ("clawdbot", "moltbot", "moldbot") for end in ("", ".*")),
    ".env.bak*",
    "agents/*/agent/auth-profiles.json.*",
    "agents/*/agent/auth.json.*",
    "agents/*/agent/models.json.*",
    "credentials/oauth.json.*",
)
_MOST_COPY = 16 * 1024 * 1024


def found(
    state: str, config: str, gateway: Gateway | None, own: Mapping[str, Mapping[str, Any]]
) -> Found:
    """Return what a gateway's state has; `own` is `Settings.plaintext`."""
    seen = Found(
        config=os.path.realpath(config), paths=places.paths(gateway), served=gateway is not None
    )
    seen.own = list(_own(own))
    _config(seen)
    _profiles(seen, state)
    for path in sorted(glob.glob(f"{glob.escape(state)}/agents/*/agent/models.json")):
        seen.models += [(path, place) for place in _in_config(path)]
    _dotenv(seen, state)
    seen.referenced = frozenset(_referenced(seen, state))
    seen.takes_bare_provider = gateway is not None and gateway.version >= _BARE_PROVIDER
    seen.older = list(_older(state))
    seen.copies = [each for each in _copies(state) if os.path.realpath(each) != seen.config]
    return seen


def _own(named: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Spot, bytes]]:
    for name, place in sorted(named.items()):
        path = os.path.realpath(place["origin"].rpartition(":")[0])
        value = plain_value(place["origin"], place["keys"]).reveal()
        yield name, Spot(OWN, path, tuple(place["keys"])), value


def _config(seen: Found) -> None:
    file = config_file.read(seen.config)
    if file is None:
        return
    root = file.root()
    ours = {spot.keys for _, spot, _ in seen.own if spot.path == seen.config}
    seen.places = [each for each in places.in_config(root) if each.keys not in ours]
    configured = root.at("models", "providers")
    seen.configured = frozenset(
        name
        for name, each in (configured.members.items() if configured else ())
        if "apiKey" in each.members
    )


def _profiles(seen: Found, state: str) -> None:
    files = sorted(glob.glob(f"{glob.escape(state)}/agents/*/agent/auth-profiles.json"))
    names = set(seen.configured)
    for path in files:
        agent = path.split("/")[-3]
        file = config_file.read(path)
        root = file.root() if file else None
        for place in places.in_profiles(root) if root else ():
            spot = Spot(PROFILES, path, place.keys, agent=agent)
            seen.profiles.append((spot, place, _provider(root, place)))
        names |= _profile_providers(root)
    for path in auth_store.files(state):
        for row in auth_store.rows(path):
            root = json5.parse(row.text, path)
            for place in places.in_profiles(root):
                spot = Spot(ROW, path, place.keys, table=row.table, agent=row.agent)
                seen.profiles.append((spot, place, _provider(root, place)))
            names |= _profile_providers(root)
    seen.providers = frozenset(names)


def _referenced(seen: Found, state: str) -> Iterator[str]:
    """Yield the ids of references to a provider that runs our resolver."""
    config = config_file.read(seen.config)
    root = config.root() if config else None
    ours = wiring.wired(root)
    files = glob.glob(f"{glob.escape(state)}/agents/*/agent/auth-profiles.json")
    roots = [file.root() for path in files if (file := config_file.read(path))]
    rows = [row for path in auth_store.files(state) for row in auth_store.rows(path)]
    for each in [*([root] if root else []), *roots, *(json5.parse(r.text, r.path) for r in rows)]:
        for keys, node in each.strings():
            above = each.at(*keys[:-1], "provider")
            if keys[-1:] == ("id",) and above is not None and above.text in ours:
                yield node.text


def _provider(root: json5.Node | None, place: places.Place) -> str:
    named = root.at(*place.keys[:-1], "provider") if root else None
    return named.text if named else ""


def _profile_providers(root: json5.Node | None) -> set[str]:
    profiles = root.members.get("profiles") if root else None
    named = [each.members.get("provider") for each in profiles.members.values()] if profiles else []
    return {each.text for each in named if each is not None}


def _in_config(path: str) -> list[places.Place]:
    file = config_file.read(path)
    return [each for each in places.in_config(file.root()) if not each.variable] if file else []


def _dotenv(seen: Found, state: str) -> None:
    folders = dict.fromkeys((os.path.realpath(state), os.path.dirname(seen.config)))
    for folder in folders:
        file = config_file.read(f"{folder}/.env")
        for line in places.in_dotenv(file.text) if file else ():
            if places.is_secret_variable(line.name) and not line.value.startswith(b"openclaw://"):
                seen.lines.append((f"{folder}/.env", line))


def _older(state: str) -> Iterator[str]:
    """Yield the files of auth profiles that only an older gateway reads, with keys in them."""
    for path in sorted(glob.glob(f"{glob.escape(state)}/agents/*/agent/auth.json")):
        file = config_file.read(path)
        if file is not None and structured.spans(path, file.data):
            yield path


def _copies(state: str) -> Iterator[str]:
    """Yield the files beside that have credentials in plain text, as the gateway's tools leave."""
    for pattern in _COPIES:
        for path in sorted(glob.glob(f"{glob.escape(state)}/{pattern}", include_hidden=True)):
            with suppress(OpenclawError, OSError):
                file = config_file.read(path) if not os.path.islink(path) else None
                if file is None or len(file.data) > _MOST_COPY:
                    continue
                if path.endswith(BEGUN) or _has_credentials(path, file.data):
                    yield path


def _has_credentials(path: str, data: bytes) -> bool:
    if structured.spans(path, data):
        return True
    try:
        root = json5.parse(data.decode("latin-1"), path)
    except ConfigError:
        return False
    return any(True for _ in places.in_config(root))
