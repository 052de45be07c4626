"""Tables of what settings name: a line adds a thing, and it is imported when it is first used.

A line is `"name": "module:attribute"`, or `"module:attribute [extra]"` when the library it imports
comes with an extra of ours. Other packages add theirs by an entry point in the group
`openclaw_cli.KIND`; a name of ours is always ours.
"""

from __future__ import annotations

import os
import sys

from openclaw_cli.errors import ConfigError, OpenclawError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint
    from typing import Any


class Registry:
    """What exists of one kind.

    `kind` is the word for messages ("backend"); `unknown` is the error for a name that is not
    there: UsageError where only a command line can hold it.
    """

    __slots__ = ("_found", "_table", "_unknown", "kind")

    def __init__(
        self, kind: str, table: Mapping[str, str], *, unknown: type[OpenclawError] = ConfigError
    ) -> None:
        self.kind = kind
        self._table = table
        self._unknown = unknown
        self._found: dict[str, EntryPoint] | None = None

    @property
    def ours(self) -> tuple[str, ...]:
        """The names this package brings, in the table's order. Costs nothing."""
        return tuple(self._table)

    def names(self) -> tuple[str, ...]:
        """Ours, then those of other installed packages, whose metadata is read once for all."""
        return self.ours + tuple(sorted(self._others()))

    def get(self, name: str) -> Any:  # noqa: ANN401 - the caller knows what its table holds
        """Import what is called `name`.

        Raises ConfigError when it, or the library it needs, cannot be imported.
        """
        line = self._table.get(name)
        if line is None:
            return self._of_another_package(name)
        from importlib import import_module

        place, _, extra = line.partition(" ")
        module, _, attribute = place.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            library = (missing.name or "").partition(".")[0]
            if library == "openclaw_cli":
                raise
            raise missing_library(self.kind, name, library, extra.strip("[]")) from None

    def _others(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = self._find_others()
        return self._found

    def _find_others(self) -> dict[str, EntryPoint]:
        group = f"openclaw_cli.{self.kind.replace(' ', '_')}"
        found: dict[str, EntryPoint] = {}
        if not _is_offered(group):
            return found
        from importlib.metadata import entry_points

        for point in entry_points(group=group):
            if point.name in self._table:
                continue
            if found.setdefault(point.name, point).value != point.value:
                raise ConfigError(
                    f"two installed packages offer a {self.kind} called {point.name}",
                    hint=f"pip uninstall {_package(point)}",
                )
        return found

    def _of_another_package(self, name: str) -> Any:  # noqa: ANN401
        others = self._others()
        if name not in others:
            raise self._absent(name, self.ours + tuple(sorted(others)))
        try:
            return others[name].load()
        except Exception as failure:  # noqa: BLE001 - not our code: anything may happen
            raise ConfigError(
                f"the {name} {self.kind} of the {_package(others[name])} package "
                f"cannot be loaded ({type(failure).__name__})",
                hint=f"pip install --upgrade {_package(others[name])}",
            ) from None

    def _absent(self, name: str, known: tuple[str, ...]) -> OpenclawError:
        from difflib import get_close_matches

        hint = f"known: {', '.join(known)}"
        close = get_close_matches(name.lower(), known, n=1)
        if close:
            hint = f"did you mean {close[0]}? {hint}"
        return self._unknown(f"no {self.kind} is called {name}", hint=hint)


def missing_library(kind: str, name: str, library: str, extra: str = "") -> ConfigError:
    """Build the error for a library that is not there: for those who import theirs when used."""
    command = f"pip install 'openclaw-cli[{extra}]'"
    if not extra:  # then it comes with every install, so this one is damaged
        command = "pip install --force-reinstall openclaw-cli"
    return ConfigError(f"the {name} {kind} needs the {library} package", hint=command)


def _is_offered(group: str) -> bool:
    """Tell whether an installed package has entry points of the group.

    `importlib.metadata`, which would say it, costs twice the start of Python; a look at the same
    files costs a fifteenth. What is not in a plain folder (a zip) is not seen.
    """
    wanted = f"[{group}]".encode()
    for folder in sys.path:
        try:
            packages = [name for name in os.listdir(folder or ".") if name.endswith("-info")]
        except OSError:
            continue
        for package in packages:
            try:
                with open(f"{folder or '.'}/{package}/entry_points.txt", "rb") as file:
                    if wanted in file.read():
                        return True
            except OSError:
                continue
    return False


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module.partition(".")[0]
