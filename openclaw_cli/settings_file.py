"""Change one setting in `settings.toml`: in place, so that comments and order stay.

A file that cannot be edited so is written anew, and whoever asked is told.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from openclaw_cli import newfile, source
from openclaw_cli.document import content, flat, place_of, without_comments
from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.files import failure
from openclaw_cli.home import Home
from openclaw_cli.options import Setting
from openclaw_cli.published.words import canonical
from openclaw_cli.settings import (
    BACKENDS,
    EXPECTED,
    FILE,
    RESOLVERS,
    TABLES,
    check_root,
    check_writers,
)

_PRIVATE = 0o600
_VALUE = re.compile(r"""(\s*=\s*)("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s#,}]+)""")
_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)

Value: TypeAlias = str | float | bool
"""What a backend's setting can be set to."""


def change(home: Home, name: str, written: str) -> tuple[str, bool]:
    """Set one setting in `settings.toml`; return the file, and whether its comments were kept.

    The file is replaced as a whole. Raises `ConfigError` for an unknown setting, a value it does
    not take, and a file that has other mistakes.
    """
    chosen = source.setting(name)
    value = chosen.read(written)
    return _rewritten(home, lambda path, text: _changed(path, text, chosen, value))


def of_backend(name: str, written: str) -> tuple[str, Value]:
    """Return the full name of a backend's setting, `backends.BACKEND.KEY`, and the value for it.

    Raises `ConfigError` for a backend or a setting that there is not and a value it does not take,
    `UsageError` for a setting that is secret.
    """
    from openclaw_cli.backends import BACKENDS as KINDS
    from openclaw_cli.backends.protocols import checked_settings, setting_of

    backend, _, key = name.removeprefix(BACKENDS).partition(".")
    table = KINDS.get(backend).SETTINGS
    known = setting_of(table, key, backend)
    if known.secret:
        raise UsageError(
            f"{known.name} is a secret, which is not to stand on a command line",
            hint=f"write it in settings.toml, under [{BACKENDS}{backend}]; better a variable",
        )
    value = _typed(written, known.default)
    checked_settings({known.name: value}, table, backend)
    return f"{BACKENDS}{backend}.{known.name}", value


def change_backend(home: Home, name: str, value: Value) -> str:
    """Set what `of_backend` returned; return the file.

    Raises `ConfigError` for a file that has mistakes or has the table in another way than ours.
    """
    backend, _, key = name.removeprefix(BACKENDS).partition(".")
    return _rewritten(
        home, lambda path, text: (_in_backend(path, text, backend, key, value), True)
    )[0]


def _typed(written: str, default: str | float | bool) -> Value:
    """Return what a word on a command line means where a default of this type stands."""
    if isinstance(default, bool):
        return {"true": True, "yes": True, "false": False, "no": False}.get(written, written)
    if isinstance(default, int | float):
        with suppress(ValueError):
            return type(default)(written)
    return written


def _in_backend(path: str, text: str, backend: str, key: str, value: Value) -> str:
    import tomllib

    from openclaw_cli.backends.protocols import kebab

    before = source.ours(path, text).believed().values.get(f"{BACKENDS}{backend}", {})
    plain = without_comments(text, "TOML")
    table = tomllib.loads(text).get("backends", {}).get(backend, {})
    same = [each for each in table if kebab(each) == key]
    spelled = same[0] if same else key
    there = _VALUE.match(text, place_of(plain, ("backends", backend, spelled))[1])
    if same and there:
        edited = text[: there.start(2)] + _literal(value) + text[there.end(2) :]
    else:
        edited = _added(text, plain, f"{BACKENDS}{backend}.{key}", _literal(value))
    after = source.ours(path, edited)
    if after.mistakes or after.values.get(f"{BACKENDS}{backend}") != {**before, spelled: value}:
        raise ConfigError(
            f"{path} has [{BACKENDS}{backend}] in another way", hint="edit it by hand"
        )
    return edited


def limit(home: Home, resolver: str, allow: Sequence[str]) -> str:
    """Limit what a resolver may hand out to names that fit one of the patterns; return the file.

    `resolver` is the name that the gateway has for it. Raises `ConfigError` for a file that has
    mistakes, or where the limit stands in another way than ours.
    """
    return _rewritten(home, lambda path, text: (_limited(path, text, resolver, allow), True))[0]


def expect(home: Home, name: str, wanted: dict[str, Any]) -> str:
    """Write what is expected of a secret's readings, nothing for an empty one; return the file.

    Raises `ConfigError` for a file that has mistakes, or where it stands in another way than ours.
    """
    return _rewritten(home, lambda path, text: (_expecting(path, text, name, wanted), True))[0]


def _rewritten(home: Home, edit: Callable[[str, str], tuple[str, bool]]) -> tuple[str, bool]:
    """Replace the file by what `edit` makes of its path and text; pass on what it says besides."""
    check_root(home.root)
    try:
        os.makedirs(home.base, 0o700, exist_ok=True)
    except OSError as refused:
        raise failure("create", home.base, refused) from None
    check_root(home.base)
    path = os.path.realpath(f"{home.base}/{FILE}")
    with newfile.alone(home.base):
        opened = content(path)
        text, mode = "", _PRIVATE
        if opened is not None:
            check_writers(opened[1], path)
            text, mode = _readable(path, opened[0]), stat.S_IMODE(opened[1].st_mode)
        after, kept = edit(path, text)
        try:
            newfile.replace(path, after.encode(), mode=mode)
        except OSError as refused:
            raise failure("replace", path, refused) from None
    return path, kept


def _limited(path: str, text: str, resolver: str, allow: Sequence[str]) -> str:
    import tomli_w

    before = source.ours(path, text).believed()
    section = f"{RESOLVERS}.{resolver}"
    literal = tomli_w.dumps({"x": list(allow)}).partition("=")[2].strip()
    written = re.compile(
        rf"^([ \t]*\[{re.escape(section)}\][ \t]*\n[ \t]*allow[ \t]*=[ \t]*)\[[^\]]*\]",
        re.MULTILINE,
    )
    edited, count = written.subn(lambda found: found[1] + literal, text)
    if not count:
        edited = _added(text, without_comments(text, "TOML"), f"{section}.allow", literal)
    after = source.ours(path, edited)
    limits = {**before.values.get(RESOLVERS, {}), resolver: {"allow": list(allow)}}
    if after.mistakes or after.values.get(RESOLVERS) != limits:
        raise ConfigError(f"{path} has {section} in another way", hint="edit it by hand")
    return edited


def _expecting(path: str, text: str, name: str, wanted: dict[str, Any]) -> str:
    before = dict(source.ours(path, text).believed().values.get(EXPECTED, {}))
    header = rf"""^[ \t]*\[{EXPECTED}\.["']?{re.escape(name)}["']?\][ \t]*\n"""
    body = r"(?:[ \t]*[^\[\s].*\n|[ \t]*\n)*"  # up to the next table
    whole = text if text.endswith("\n") or not text else f"{text}\n"
    kept = re.sub(header + body, "", whole, flags=re.MULTILINE)
    if wanted:
        lines = "".join(f"{key} = {_literal(value)}\n" for key, value in wanted.items())
        kept = kept.rstrip("\n") + ("\n\n" if kept.strip() else "")
        kept += f'[{EXPECTED}."{name}"]\n{lines}'
    before[name] = wanted
    after = source.ours(path, kept)
    left = {each: said for each, said in before.items() if said}
    if after.mistakes or after.values.get(EXPECTED, {}) != left:
        raise ConfigError(f"{path} has {EXPECTED}.{name} in another way", hint="edit it by hand")
    return kept


def _literal(value: float | bool | str | list[str]) -> str:
    """Write a value of TOML on one line."""
    import tomli_w

    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return tomli_w.dumps({"x": value}).partition("=")[2].strip()


def _readable(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", hint="save it as UTF-8") from None


def _changed(path: str, text: str, chosen: Setting, value: Any) -> tuple[str, bool]:  # noqa: ANN401
    """Return the file's new text: edited in place where that does it, else written anew."""
    import tomli_w

    before = source.ours(path, text)
    others = [each for each in before.mistakes if not _about(each, chosen)]
    if others:
        raise others[0].error(len(others) - 1)
    wanted = {**before.values, chosen.name: value}
    shown = value if isinstance(value, bool) or chosen.kind == "number" else chosen.shown(value)
    edited = _edited(text, chosen.name, tomli_w.dumps({"x": shown}).partition("=")[2].strip())
    after = source.ours(path, edited)
    if not after.mistakes and _without_tables(after.values) == _without_tables(wanted):
        return edited, True
    if before.understood or before.agents:
        raise ConfigError(
            f"{path} cannot be changed without writing its tables anew", hint="edit it by hand"
        )
    tree: dict[str, Any] = {}
    for name, each in wanted.items():
        section, _, key = name.rpartition(".")
        place = tree.setdefault(section, {}) if section else tree
        plain = isinstance(each, (bool, int, dict))
        place[key] = each if plain else source.BY_NAME[name].shown(each)
    return tomli_w.dumps(tree), without_comments(text, "TOML") == text


def _without_tables(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what holds the lines of its keys, which an edit moves."""
    return {name: value for name, value in values.items() if name not in TABLES}


def _about(mistake: source.Mistake, chosen: Setting) -> bool:
    return ".".join(canonical(part) for part in mistake.key.split(".")) == chosen.name


def _edited(text: str, name: str, literal: str) -> str:
    import tomllib

    plain = without_comments(text, "TOML")
    try:
        document = tomllib.loads(text)
    except ValueError:
        return text
    for path, _ in flat(document):
        if ".".join(map(canonical, path)) == name:
            end = place_of(plain, path)[1]
            found = _VALUE.match(text, end)
            if found:
                return text[: found.start(2)] + literal + text[found.end(2) :]
            return text
    return _added(text, plain, name, literal)


def _added(text: str, plain: str, name: str, literal: str) -> str:
    """Put a new line where it belongs: at the end of its section, which is made if needed."""
    section, _, key = name.rpartition(".")
    line = f"{key} = {literal}\n"
    if not section:
        first = _HEADER.search(plain)
        at = first.start() if first else len(text)
        return _joined(text[:at], line) + text[at:]
    header = re.compile(rf"^[ \t]*\[\s*{section}\s*\][ \t]*$", re.MULTILINE).search(plain)
    if header is None:
        gap = "\n" if text.strip() else ""
        return _joined(text, f"{gap}[{section}]\n{line}")
    following = _HEADER.search(plain, header.end())
    at = following.start() if following else len(text)
    body = text[:at].rstrip()
    return _joined(body, line) + (f"\n{text[at:]}" if following else "")


def _joined(text: str, line: str) -> str:
    return f"{text}\n{line}" if text and not text.endswith("\n") else text + line
