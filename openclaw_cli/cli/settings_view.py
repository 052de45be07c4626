"""The settings as `openclaw config show` has them: value, origin and meaning of each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.audit.sinks.address import shown
from openclaw_cli.cli import chosen
from openclaw_cli.cli.layout import Column
from openclaw_cli.options import SETTINGS

if TYPE_CHECKING:
    from openclaw_cli.agents.spec import Configuration
    from openclaw_cli.settings import Settings

COLUMNS = [
    Column("SETTING", weight=9, shortest=12),
    Column("VALUE", weight=8, shortest=8),
    Column("FROM", weight=7, shortest=10),
    Column("MEANING", weight=3),
]


def plain(settings: Settings, configuration: Configuration) -> dict[str, object]:
    """Return them for `--json`."""
    answer = {
        each.name: {
            "value": settings[each.name],
            "origin": settings.origin.get(each.name, "default"),
            "default": each.default,
            "takes": each.takes,
            "variable": each.variable,
            "meaning": each.meaning,
        }
        for each in SETTINGS
    }
    backends = {
        f"{place}.{known.name}": value for place, known, value in chosen.of_backends(settings)
    }
    names = {**settings.names, **settings.plaintext}
    return {"settings": answer, "backends": backends, "names": names, **configuration.plain()}


def rows(settings: Settings, configuration: Configuration, *, whole: bool) -> list[list[str]]:
    """Return a row for each; `whole` for the file and the line it comes from."""
    return [
        *_of_settings(settings, whole=whole),
        *_of_backends(settings, whole=whole),
        *_of_names(settings, whole=whole),
        *_of_agents(configuration, whole=whole),
        *_of_gateway(configuration, whole=whole),
    ]


def _of_settings(settings: Settings, *, whole: bool) -> list[list[str]]:
    return [
        [
            each.name,
            each.shown(settings[each.name]),
            _short(settings.origin.get(each.name, "default"), whole=whole),
            each.meaning,
        ]
        for each in SETTINGS
    ]


def _of_backends(settings: Settings, *, whole: bool) -> list[list[str]]:
    """Return a row for each setting that a backend was given."""
    return [
        [
            f"{place}.{known.name}",
            str(value),
            _short(settings.origin[place], whole=whole),
            known.meaning,
        ]
        for place, known, value in chosen.of_backends(settings)
    ]


def _of_names(settings: Settings, *, whole: bool) -> list[list[str]]:
    return [
        [
            name,
            each.get("reference") or each.get("backend") or "in plain text",
            _short(each["origin"], whole=whole),
            _described(each),
        ]
        for name, each in sorted({**settings.names, **settings.plaintext}.items())
    ]


def _of_agents(configuration: Configuration, *, whole: bool) -> list[list[str]]:
    return [
        [
            f"agents.{name}",
            str(each),
            _short(configuration.origin[f"agents.{name}"], whole=whole),
            "An agent.",
        ]
        for name, each in configuration.agents.items()
    ]


def _of_gateway(configuration: Configuration, *, whole: bool) -> list[list[str]]:
    """Return rows for what is said of the gateway and of all agents together."""
    gateway, threads, audit = configuration.gateway, configuration.threads, configuration.audit
    said = {
        "gateway": (f"{gateway.host}:{gateway.port}", "Where the gateway listens."),
        "thread-management": (
            f"{threads.default_mode}, {threads.max_threads} at once",
            "What holds for the threads of all agents together.",
        ),
        "monitoring": (
            ", ".join((*configuration.monitoring.agents, *configuration.monitoring.secrets)),
            "Which metrics are exported.",
        ),
        "audit-log": (_addresses(audit.storage), "Where copies of events go."),
        "cron": (
            ", ".join(each.schedule for each in configuration.cron),
            "When the gateway rotates what is due.",
        ),
    }
    origin = configuration.origin
    return [
        [name, value, _short(origin[name], whole=whole), meaning]
        for name, (value, meaning) in said.items()
        if name in origin
    ]


def _described(entry: dict[str, Any]) -> str:
    """Say what else is known of a name that the configuration holds."""
    words = []
    if "variable" in entry:
        words.append(f"as {entry['variable']}")
    if "rotation" in entry:
        words.append(f"rotated {entry['rotation']}")
    if "cache" in entry:
        words.append(f"kept for {duration.exact(entry['cache'])}")
    return ", ".join(words) or "A secret that this file names."


def _short(origin: str, *, whole: bool) -> str:
    """Name a file without its folder and line, unless the whole is wanted."""
    if whole or not origin.startswith("/"):
        return origin
    return os.path.basename(origin.rpartition(":")[0])


def _addresses(storage: tuple[str, ...]) -> str:
    """Return what may be shown of the places for copies of events."""
    if not storage:
        return ""
    return ", ".join(map(shown, storage))
