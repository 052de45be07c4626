"""A backend in memory, which keeps the whole contract: for tests of what stands on a backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from openclaw_cli.backends.protocols import (
    Health,
    Setting,
    Settings,
    checked_path,
    checked_settings,
    part,
)
from openclaw_cli.errors import NotFoundError, OpenclawError
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, Secret, SecretValue, Version


class MemoryBackend:
    SETTINGS = (Setting("name", "memory", "What it calls itself."),)

    def __init__(self, settings: Settings) -> None:
        self._name = checked_settings(settings, self.SETTINGS, "memory")["name"]
        self._kept: dict[str, list[tuple[Version, SecretValue]]] = {}  # oldest first
        self._lock = threading.Lock()
        self._written = 0

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        history = self._kept.get(checked_path(path), [])
        for found, value in reversed(history):
            if version in (None, found.id):
                return Secret(part(value.reveal(), field, path), found, str(self._name))
        raise NotFoundError(f"{path} is not there" if version is None else _absent(path, version))

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        return {path: self._answer(path) for path in paths}

    def put(self, path: str, value: SecretValue) -> Version:
        checked_path(path)
        with self._lock:
            self._written += 1
            version = Version(str(self._written), created=time.time())
            history = self._kept.get(path, [])
            older = [(_older(each), kept) for each, kept in history]
            self._kept[path] = [*older, (version, value)]
        return version

    def delete(self, path: str) -> bool:
        checked_path(path)
        with self._lock:
            return self._kept.pop(path, None) is not None

    def names(self, prefix: str = "") -> list[str]:
        return sorted(path for path in self._kept if path.startswith(prefix))

    def versions(self, path: str) -> list[Version]:
        if checked_path(path) not in self._kept:
            raise NotFoundError(f"{path} is not there")
        return [version for version, _ in reversed(self._kept[path])]

    def check(self) -> Health:
        return Health(reachable=True, identity="this process")

    def _answer(self, path: str) -> Secret | OpenclawError:
        try:
            return self.get(path)
        except OpenclawError as refused:
            return refused


def _older(version: Version) -> Version:
    stage = PREVIOUS if version.stage == CURRENT else RETIRED
    return Version(version.id, stage=stage, created=version.created)


def _absent(path: str, version: str) -> str:
    return f"{path} has no version {version}"
