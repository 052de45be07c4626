"""One file of settings as it was written: what it sets, on which line, and what is wrong in it.

`settings.toml` is ours: what it says must be understood. `openclaw.json` (or the same as YAML)
belongs to the OpenClaw gateway: what is not ours in it is passed over in silence. What articles
write of secrets is read by `published/`, of agents by `agents/config.py`, in either. Takes the
text; nothing is read here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli import expected, fileformat
from openclaw_cli.agents import config as agents
from openclaw_cli.document import flat, is_toml, language, line_of, parsed, without_comments
from openclaw_cli.errors import ConfigError, OpenclawError, UsageError
from openclaw_cli.options import SETTINGS, Setting
from openclaw_cli.providers import PROVIDERS
from openclaw_cli.published import reading as published
from openclaw_cli.published.meaning import dotted, not_taken
from openclaw_cli.published.reading import WRAPPER
from openclaw_cli.published.words import canonical
from openclaw_cli.sanitize import safe
from openclaw_cli.settings import AGENTS, BACKENDS, DEFAULTS, EXPECTED, RESOLVERS

BY_NAME = {each.name: each for each in SETTINGS}
_SECTIONS = frozenset(name.partition(".")[0] for name in DEFAULTS if "." in name)
_TABLES = (*published.AT_THE_TOP, *agents.OURS, RESOLVERS, EXPECTED)
_GATEWAYS_OWN = ("audio",)  # at the top of its file, and spelled almost as one of ours
_LINE = re.compile(r"\bline (\d{1,9})|<string>:(\d{1,9}) ")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a source of settings, where, and how to mend it; line 0 is unknown."""

    path: str
    line: int
    key: str
    what: str
    fix: str

    def error(self, others: int) -> ConfigError:
        """Return it as an error, which also says how many there are besides."""
        place = f"{self.path}, line {self.line}" if self.line else self.path
        more = f" ({others} more in it)" if others else ""
        return ConfigError(f"{place}: {self.what}{more}", hint=self.fix)


@dataclass(slots=True)
class Source:
    """One file of settings: what it sets, on which line, and what is wrong in it.

    `agents` is what it says of agents and the gateway; what is wrong there is of no matter to who
    reads a secret, so it is kept apart. `doubts` are keys of a file that the gateway has too, which
    nobody reads and which look as if they were ours.
    """

    path: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    understood: list[tuple[int, str]] = field(default_factory=list)
    agents: agents.Said = field(default_factory=agents.Said)
    places: dict[str, int] = field(default_factory=dict)
    mistakes_of_agents: list[Mistake] = field(default_factory=list)
    doubts: list[Mistake] = field(default_factory=list)

    def believed(self) -> Source:
        """Return it when it has no mistakes, else raise the first as `ConfigError`."""
        if self.mistakes:
            raise self.mistakes[0].error(len(self.mistakes) - 1)
        return self


def said(path: str, text: str) -> Source:
    """Return what a text says that would stand in this file; it is not read."""
    return ours(path, text) if is_toml(path) else _shared(path, text)


def setting(name: str) -> Setting:
    """Return a setting by its name, in any spelling; raises `ConfigError` for an unknown one."""
    known = ".".join(canonical(part) for part in name.split("."))
    if known not in BY_NAME:
        raise ConfigError(f"no setting is called {safe(name)}", hint=_meant(known))
    return BY_NAME[known]


def ours(path: str, text: str) -> Source:
    """Return what the text of our own file says; nothing in it may be unknown."""
    import tomllib

    source = Source(path)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as refused:
        source.mistakes.append(_syntax(path, text, refused, "TOML"))
        return source
    plain = without_comments(text, "TOML")
    if "format" in document and not _knows_format(source, plain, document.pop("format")):
        return source
    for keys, value in flat(document):
        if keys[0] == RESOLVERS:
            _take_limit(source, plain, keys, value)
            continue
        if keys[0] == EXPECTED:
            _take_expected(source, plain, keys, value)
            continue
        if _is_read_elsewhere(keys[0]) or _take(source, plain, keys, value):
            continue
        source.mistakes.append(_unknown(path, plain, keys))
    source.mistakes = list(dict.fromkeys(source.mistakes))
    _read_published(source, plain, document)
    _read_agents(source, plain, document)
    source.doubts = list(_nearly_defaults(path, plain, document))
    return source


def _knows_format(source: Source, plain: str, said: object) -> bool:
    """Tell whether the file is not of a later program, whose keys may mean something else."""
    try:
        fileformat.check(said, "the file")
    except ConfigError as refused:
        line = line_of(plain, ("format",))
        source.mistakes.append(Mistake(source.path, line, "format", refused.message, refused.hint))
        return False
    return True


def _unknown(path: str, plain: str, keys: tuple[str, ...]) -> Mistake:
    """Return what is said of a key of ours that there is not; once for a misspelt table."""
    name, shown = ".".join(map(canonical, keys)), safe(".".join(keys))
    fix = _meant(name)
    meant = _close(keys[0], _TABLES)
    if meant and canonical(keys[0]) not in {*_TABLES, *_SECTIONS}:
        keys, shown, fix = keys[:1], safe(keys[0]), f"did you mean {meant}?"
    return Mistake(path, line_of(plain, keys), shown, f"no setting is called {shown}", fix)


def _is_read_elsewhere(key: str) -> bool:
    return published.is_ours(key) or agents.is_ours(key)


def _shared(path: str, text: str) -> Source:
    """Return what a file says that the gateway has too: only what is ours is looked at."""
    source = Source(path)
    try:
        document = parsed(path, text)
    except (ValueError, RecursionError, OpenclawError) as refused:
        source.mistakes.append(_syntax(path, text, refused, language(path, text)))
        return source
    if not isinstance(document, dict):
        what, fix = "this is not an object", "begin with { and end with }"
        source.mistakes.append(Mistake(path, 1, "", what, fix))
        return source
    plain = without_comments(text, language(path, text))
    for keys, value in flat(document):
        _take(source, plain, keys, value)
    wrapped = document.get(WRAPPER)
    for keys, value in flat(wrapped) if isinstance(wrapped, dict) else ():
        known = _is_read_elsewhere(keys[0])
        if not known and not _take(source, plain, keys, value, wrapper=(WRAPPER,)):
            _look_closer(source, plain, keys)
    _read_published(source, plain, document)
    _read_agents(source, plain, document)
    source.doubts = list(_doubts(path, plain, document))
    return source


def _doubts(path: str, plain: str, document: dict[str, Any]) -> Iterator[Mistake]:
    known = {*_TABLES, *_SECTIONS, BACKENDS.strip("."), *DEFAULTS, WRAPPER, *_with_keys(document)}
    for keys in _at_the_top(document):
        name, close = canonical(keys[-1]), _close(keys[-1], known)
        if close and name not in {*known, *_GATEWAYS_OWN} and not _is_read_elsewhere(keys[-1]):
            shown, fix = dotted(keys), f"did you mean {close}?"
            yield Mistake(path, line_of(plain, keys), shown, f"nothing here reads {shown}", fix)
    yield from _nearly_defaults(path, plain, document)


def _close(key: str, known: Iterable[str]) -> str:
    """Return which of these a key is surely meant to be, "" for none."""
    from difflib import get_close_matches

    close = get_close_matches(canonical(key), known, n=1, cutoff=0.8)
    return close[0] if close else ""


def _nearly_defaults(path: str, plain: str, document: dict[str, Any]) -> Iterator[Mistake]:
    """Yield a doubt for an agent that is called almost as the defaults of all."""
    named = document.get(agents.AGENTS)
    for name in named if isinstance(named, dict) else ():
        if name != agents.DEFAULTS and _close(name, [agents.DEFAULTS]):
            keys = (agents.AGENTS, name)
            what, fix = f"{dotted(keys)} is an agent of that name", "did you mean defaults?"
            yield Mistake(path, line_of(plain, keys), dotted(keys), what, fix)


def _at_the_top(document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from ((key,) for key in document)
    inner = document.get(WRAPPER)
    yield from ((WRAPPER, key) for key in (inner if isinstance(inner, dict) else ()))


def _with_keys(document: dict[str, Any]) -> Iterator[str]:
    """Yield the providers' names, where a table at the top holds what is surely a key."""
    for table in document.values():
        if isinstance(table, dict) and published.KEYS & {canonical(str(key)) for key in table}:
            yield from PROVIDERS.ours


def _read_agents(source: Source, plain: str, document: dict[str, Any]) -> None:
    """Take over what `agents/config.py` understands, each with its line."""
    folder = os.path.dirname(os.path.abspath(source.path))
    said = agents.read(document, folder, shared=not is_toml(source.path))
    source.agents = said
    if said.agents:
        source.values[AGENTS] = dict.fromkeys(said.agents, source.path)
    source.places = {name: line_of(plain, path) for name, path in said.places.items()}
    source.understood += [
        (line_of(plain, path), f"{dotted(path)}: {text}") for path, text in said.understood
    ]
    for slip in said.slips:
        line, shown = line_of(plain, slip.path), dotted(slip.path)
        source.mistakes_of_agents.append(Mistake(source.path, line, shown, slip.what, slip.fix))


def _read_published(source: Source, plain: str, document: dict[str, Any]) -> None:
    """Take over what `published/` understands, each with its line."""
    meaning = published.read(document)
    for slip in meaning.slips:
        line, shown = line_of(plain, slip.path), dotted(slip.path)
        source.mistakes.append(Mistake(source.path, line, shown, slip.what, slip.fix))
    for said in meaning.settings:
        _set(source, BY_NAME[said.name], said.value, line_of(plain, said.path), dotted(said.path))
    for said in meaning.tables:
        name = f"{BACKENDS}{said.name}"
        source.values[name] = {**source.values.get(name, {}), **said.value}
        source.lines.setdefault(name, line_of(plain, said.path))
    origin = {
        name: f"{source.path}:{line_of(plain, path)}" for name, path in meaning.places.items()
    }
    tables = {
        "names": {name: {**each, "origin": origin[name]} for name, each in meaning.names.items()},
        "plaintext": {
            name: {"origin": origin[name], "keys": list(path)}
            for name, path in meaning.plaintext.items()
        },
        "encryption": meaning.encryption,
        EXPECTED: {**meaning.expected, **source.values.get(EXPECTED, {})},
    }
    source.values.update({name: table for name, table in tables.items() if table})
    source.understood += [(line_of(plain, path), text) for path, text in meaning.understood]


def _look_closer(source: Source, plain: str, path: tuple[str, ...]) -> None:
    """Report a key that is not ours where it is surely meant to be ours."""
    from difflib import get_close_matches

    name = ".".join(map(canonical, path))
    close = get_close_matches(name, DEFAULTS, n=1, cutoff=0.8)
    if close or name.partition(".")[0] in _SECTIONS:
        shown = safe(".".join(path))
        line = line_of(plain, (WRAPPER, *path))
        source.mistakes.append(
            Mistake(source.path, line, shown, f"no setting is called {shown}", _meant(name))
        )


def _take_limit(
    source: Source,
    plain: str,
    path: tuple[str, ...],
    value: Any,  # noqa: ANN401  whatever the file holds
) -> None:
    """Take over what a resolver may hand out: `[resolvers.NAME]`, `allow = ["PATTERN"]`."""
    allow = value.get("allow") if isinstance(value, dict) else None
    right = isinstance(allow, list) and all(isinstance(each, str) and each for each in allow)
    if not right or set(value) != {"allow"}:
        shown = safe(".".join(path))
        what = f"{shown} is not a limit of a resolver"
        fix = '[resolvers.NAME], below it allow = ["openai-*"]'
        source.mistakes.append(Mistake(source.path, line_of(plain, path), shown, what, fix))
        return
    source.values.setdefault(RESOLVERS, {})[path[-1]] = {"allow": allow}


def _take_expected(
    source: Source,
    plain: str,
    path: tuple[str, ...],
    value: Any,  # noqa: ANN401  whatever the file holds
) -> None:
    """Take over what is expected of a secret's readings: `[expected."NAME"]`, `from = [...]`."""
    unknown = sorted(set(value) - set(expected.KEYS)) if isinstance(value, dict) else [""]
    what, fix = f"known: {', '.join(expected.KEYS)}", '[expected."NAME"], below it from = ["local"]'
    if not unknown and len(path) == 2:  # noqa: PLR2004
        try:
            source.values.setdefault(EXPECTED, {})[path[1]] = expected.checked(value)
        except UsageError as refused:
            what, fix = refused.message, refused.hint
        else:
            return
    shown = safe(".".join(path))
    source.mistakes.append(Mistake(source.path, line_of(plain, path), shown, what, fix))


def _take(
    source: Source,
    plain: str,
    path: tuple[str, ...],
    value: Any,  # noqa: ANN401  whatever the file holds
    *,
    wrapper: tuple[str, ...] = (),
) -> bool:
    """Take a key's value over; tell whether there is such a setting."""
    name = ".".join(map(canonical, path))
    if name.startswith(BACKENDS) and isinstance(value, dict):
        _take_backend(source, plain, (*wrapper, *path), name, value)
        return True
    known = BY_NAME.get(name)
    if known is None:
        return False
    _set(source, known, value, line_of(plain, (*wrapper, *path)), safe(".".join(path)))
    return True


def _set(
    source: Source,
    known: Setting,
    value: Any,  # noqa: ANN401  whatever the file holds
    line: int,
    shown: str,
) -> None:
    name = known.name
    if name in source.values:
        fix = f"keep one of the two; the other is in line {source.lines[name]}"
        source.mistakes.append(Mistake(source.path, line, shown, f"{name} is set twice", fix))
        return
    try:
        source.values[name] = known.read(value)
        source.lines[name] = line
    except ConfigError as refused:
        source.mistakes.append(Mistake(source.path, line, shown, refused.message, refused.hint))


def _take_backend(
    source: Source, plain: str, path: tuple[str, ...], name: str, table: dict[str, Any]
) -> None:
    """Take a backend's table over when the backend takes each of its settings."""
    from openclaw_cli.backends import BACKENDS as KINDS
    from openclaw_cli.backends.protocols import checked_settings

    line = line_of(plain, path)
    backend = name[len(BACKENDS) :]
    try:
        checked_settings(table, KINDS.get(backend).SETTINGS, backend)
    except ConfigError as refused:
        shown = safe(".".join(path))
        source.mistakes.append(Mistake(source.path, line, shown, refused.message, refused.hint))
        return
    for key in table if not is_toml(source.path) else ():
        slip = not_taken((*path, key), backend, key)
        if slip:
            line, shown = line_of(plain, slip.path), dotted(slip.path)
            source.mistakes.append(Mistake(source.path, line, shown, slip.what, slip.fix))
            return
    source.values[name] = table
    source.lines[name] = line


def _meant(name: str) -> str:
    """Return the hint for a name that no setting has."""
    from difflib import get_close_matches

    last = [each for each in DEFAULTS if each.endswith(f".{name}")]
    inside = [each for each in DEFAULTS if each.startswith(f"{name}.")]
    close = last or inside or get_close_matches(name, DEFAULTS, n=2)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "openclaw config show, for all settings"


def _syntax(path: str, text: str, refused: Exception, language: str) -> Mistake:
    """Say where the text cannot be read; the library's words may quote what stands there."""
    found = _LINE.search(str(refused))
    last = text.count("\n") + (not text.endswith("\n"))
    line = int(found[1] or found[2]) if found else last
    return Mistake(path, line, "", f"this is not {language}", "mend this line, or the one before")
