"""The settings: their sources read and put together; the compiled result is for the fast road.

What one file says is in `source.py`. `openclaw.json` is never written here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from openclaw_cli import newfile, project_rules
from openclaw_cli.agents import building
from openclaw_cli.document import content, is_toml, parsed, plain_name
from openclaw_cli.errors import NotFoundError, OpenclawError, UsageError
from openclaw_cli.home import Home
from openclaw_cli.leanjson import dumps
from openclaw_cli.model import SecretValue
from openclaw_cli.published.meaning import dotted
from openclaw_cli.sanitize import safe
from openclaw_cli.settings import (
    BACKENDS,
    COMPILED,
    EXPECTED,
    PRODUCTION,
    TABLES,
    Settings,
    check_writers,
    compiled_from,
    quick,
    says_where,
    sources,
    stamps,
    with_environment,
)
from openclaw_cli.source import Mistake, Source, said

_STALE = 60.0  # seconds after which a half-written file is what a crash left


def load(home: Home, environ: Mapping[str, str]) -> Settings:
    """Return the settings, and keep them compiled for the fast road.

    Raises `ConfigError` for the first mistake in a source and `DeniedError` for a source, or a
    state directory, that others can write.
    """
    ready = quick(home, environ)
    if ready is not None:
        return ready
    paths = sources(home, environ)
    before = stamps(paths)
    settings = Settings({}, {})
    for path in reversed(paths):
        found = read(path)
        if found is None:
            continue
        for name, value in _allowed(home, path, found.believed().values).items():
            if name in TABLES:
                settings.values[name] = {**settings.values.get(name, {}), **value}
                continue
            settings.values[name] = value
            settings.origin[name] = f"{path}:{found.lines[name]}"
    _compile(home, before, settings)
    if home.environment in PRODUCTION:
        _refuse_plaintext(home.environment, settings)
    return with_environment(settings, environ)


def _allowed(home: Home, path: str, values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a source may not say here: where the secrets of an environment are.

    What it has in plain text is left out too, but in production, where it is refused.
    """
    if says_where(home, path):
        return values
    where = {"names", "plaintext", "encryption", EXPECTED, "backend"}
    if home.environment in PRODUCTION:
        where.discard("plaintext")
    return {
        name: value
        for name, value in values.items()
        if name not in where and not name.startswith(BACKENDS)
    }


def read(path: str) -> Source | None:
    """Read one file of settings, by the rules its name asks for; None when there is none.

    Raises `DeniedError` when we may not read it, or others could have written what it sets.
    """
    opened = content(path)
    if opened is None:
        return None
    data, found = opened
    try:
        text = data.decode()
    except UnicodeDecodeError as refused:
        line = data.count(b"\n", 0, refused.start) + 1
        mistake = Mistake(path, line, "", "this is not UTF-8", "save it as UTF-8")
        return Source(path, mistakes=[mistake])
    source = project_rules.said(path, text) if project_rules.is_project(path) else said(path, text)
    if is_toml(path) or source.values or source.agents:
        check_writers(found, path)
    return source


def examined(path: str) -> Source:
    """Return what a file of settings says, mistakes and all; `NotFoundError` when there is none."""
    if not is_toml(path) and not plain_name(path).endswith((".json", ".json5", ".yaml", ".yml")):
        raise UsageError(
            f"{safe(path)} is neither TOML, JSON nor YAML by its name",
            hint="openclaw config check settings.toml (or openclaw.json)",
        )
    found = read(path)
    if found is None:
        raise NotFoundError(f"there is no file {safe(path)}", hint="openclaw config path")
    found.mistakes += found.mistakes_of_agents
    configuration = building.build([found.agents])
    for name, agent in configuration.agents.items():
        found.understood.append((found.places[f"agents.{name}"], f"agents.{name}: {agent}"))
    for name, wrong in building.problems(configuration).items():
        line = found.places.get(name, 0)
        found.mistakes.append(Mistake(path, line, name, wrong.message, wrong.hint))
    found.mistakes.sort(key=lambda each: each.line)
    return found


def check(path: str) -> list[Mistake]:
    """Return every mistake in a file of settings; raises `NotFoundError` when there is none."""
    return examined(path).mistakes


def plain_value(origin: str, keys: list[str]) -> SecretValue:
    """Return the text that stands in a source at these keys; raises `NotFoundError`."""
    path = origin.rpartition(":")[0]
    opened = content(path)
    found: Any = None
    if opened is not None:
        check_writers(opened[1], path)
        with suppress(ValueError, RecursionError, OpenclawError):
            found = parsed(path, opened[0].decode())
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    with suppress(UnicodeEncodeError):  # JSON can write half of a surrogate pair
        if isinstance(found, str) and found:
            return SecretValue(found.encode())
    raise NotFoundError(
        f"{path} has no text at {dotted(tuple(keys))}", hint="openclaw config check"
    )


def _refuse_plaintext(environment: str, settings: Settings) -> None:
    for name, each in sorted(settings.plaintext.items()):
        path, _, line = each["origin"].rpartition(":")
        what = f"{dotted(tuple(each['keys']))} is plain text, refused in {environment}"
        fix = f"take it out of the file, then openclaw secrets create {safe(name)}"
        raise Mistake(path, int(line), "", what, fix).error(len(settings.plaintext) - 1)


def _compile(home: Home, before: list[list[Any]], settings: Settings) -> None:
    """Keep the settings for the fast road; where that cannot be, it reads the sources each time.

    There is no lock, so whoever finds another at it leaves it to that one.
    """
    path = f"{home.base}/{COMPILED}"
    aside = f"{path}.new"
    text = dumps(compiled_from(before, settings)).encode() + b"\n"
    try:
        with suppress(FileNotFoundError):
            if time.time() - os.lstat(aside).st_mtime > _STALE:
                os.unlink(aside)
        newfile.write_aside(aside, [text], durable=False)
    except OSError:
        return
    try:
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(aside)
