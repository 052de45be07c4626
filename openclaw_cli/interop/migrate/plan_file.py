"""A plan for the gateway's own `openclaw secrets apply`: references alone, no value in it. Pure.

Its own means write the configuration anew without comments, and leave the old one beside it; who
prefers them all the same gets the plan. What they do not reach is said.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openclaw_cli.interop.migrate import edits
from openclaw_cli.interop.migrate.plan import CONFIG, ROW, Left

if TYPE_CHECKING:
    from openclaw_cli.interop.migrate.plan import Move, Plan, Spot
    from openclaw_cli.interop.places import Paths

_MIGRATE = "afterwards: openclaw secrets migrate"

# What a plan calls its targets, where that is not the pattern of their paths.
_TYPES = {
    "channels.googlechat.accounts.*.serviceAccount": "channels.googlechat.serviceAccount",
    "models.providers.*.apiKey": "models.providers.apiKey",
    "models.providers.*.headers.*": "models.providers.headers",
    "skills.entries.*.apiKey": "skills.entries.apiKey",
}
_PROFILES = {"key": "auth-profiles.api_key.key", "token": "auth-profiles.token.token"}


def made(
    plan: Plan, paths: Paths, provider: str, table: dict[str, Any], made_at: str
) -> tuple[bytes, list[Left]]:
    """Return the plan file, and what it does not reach; `table` is the gateway's of us."""
    targets = []
    left = []
    for move, spot in plan.spots():
        if spot.kind == CONFIG:
            targets.append(_configured(spot.keys, move.name, paths, provider))
        elif spot.kind == ROW and spot.agent:
            targets.append(_profile(spot, move, provider))
        else:
            left.append(Left(spot.shown, "the gateway's own means do not reach it", _MIGRATE))
    for keys, name in plan.added.items():
        targets.append(_configured(keys, name, paths, provider))
    whole = {
        "version": 1,
        "protocolVersion": 1,
        "generatedAt": made_at,
        "generatedBy": "manual",
        "providerUpserts": {provider: table},
        "targets": targets,
        # By default it deletes the keys of every profile of a provider, other ones too.
        "options": {"scrubEnv": True, "scrubAuthProfilesForProviderTargets": False},
    }
    return json.dumps(whole, indent=2).encode() + b"\n", left


def _configured(keys: tuple[str, ...], name: str, paths: Paths, provider: str) -> dict[str, Any]:
    pattern = paths.pattern(keys)
    target: dict[str, Any] = {"type": _TYPES.get(pattern, pattern), **_at(keys)}
    if keys[:2] == ("models", "providers"):
        target["providerId"] = keys[2]
    return {**target, "ref": edits.reference(provider, name)}


def _profile(spot: Spot, move: Move, provider: str) -> dict[str, Any]:
    ref = edits.reference(provider, move.name)
    kind = _PROFILES[spot.keys[-1]]
    return {"type": kind, **_at(spot.keys), "agentId": spot.agent, "ref": ref}


def _at(keys: tuple[str, ...]) -> dict[str, Any]:
    return {"path": ".".join(keys), "pathSegments": list(keys)}
