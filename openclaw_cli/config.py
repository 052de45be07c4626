"""The settings' sources, read and checked; the compiled result is for the fast road.

`settings.toml` is ours: what it says must be understood. `openclaw.json` (or the same as YAML)
belongs to the OpenClaw gateway: what is not ours in it is passed over in silence, and it is never
written here. What articles write of secrets is read by `published.py`, in either.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli import published
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.files import (
    LOCK_SECONDS,
    failure,
    locked_within,
    read_all,
    sync_folder,
    write_all,
)
from openclaw_cli.home import Home
from openclaw_cli.leanjson import dumps
from openclaw_cli.model import SecretValue
from openclaw_cli.options import SETTINGS, Setting
from openclaw_cli.published import WRAPPER, dotted
from openclaw_cli.published import canonical as _canonical
from openclaw_cli.sanitize import safe
from openclaw_cli.settings import (
    BACKENDS,
    COMPILED,
    DEFAULTS,
    FILE,
    LIMIT,
    PRODUCTION,
    TABLES,
    Settings,
    check_root,
    check_writers,
    compiled_from,
    quick,
    sources,
    stamps,
    with_environment,
)

BY_NAME = {each.name: each for each in SETTINGS}
_SECTIONS = frozenset(name.partition(".")[0] for name in DEFAULTS if "." in name)
_PRIVATE = 0o600
_STALE = 60.0  # seconds after which a half-written file is what a crash left

# A string is kept, a comment becomes as many spaces.
_TOML_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|#[^\n]*""")
_JSON_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
_YAML_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|(?:(?<=\s)|^)#[^\n]*""", re.MULTILINE
)
_LINE = re.compile(r"\bline (\d{1,9})|<string>:(\d{1,9}) ")
_VALUE = re.compile(r"""(\s*=\s*)("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s#,}]+)""")
_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


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
    """One file of settings: what it sets, on which line, and what is wrong in it."""

    path: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    understood: list[tuple[int, str]] = field(default_factory=list)

    def believed(self) -> Source:
        """Return it when it has no mistakes, else raise the first as `ConfigError`."""
        if self.mistakes:
            raise self.mistakes[0].error(len(self.mistakes) - 1)
        return self


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
        for name, value in found.believed().values.items():
            if name in TABLES:
                settings.values[name] = {**settings.values.get(name, {}), **value}
                continue
            settings.values[name] = value
            settings.origin[name] = f"{path}:{found.lines[name]}"
    _compile(home, before, settings)
    if home.environment in PRODUCTION:
        _refuse_plaintext(home.environment, settings)
    return with_environment(settings, environ)


def read(path: str) -> Source | None:
    """Read one file of settings, by the rules its name asks for; None when there is none.

    Raises `DeniedError` when we may not read it, or others could have written what it sets.
    """
    opened = _opened(path)
    if opened is None:
        return None
    data, found = opened
    source = Source(path)
    try:
        text = data.decode()
    except UnicodeDecodeError as refused:
        line = data.count(b"\n", 0, refused.start) + 1
        source.mistakes.append(Mistake(path, line, "", "this is not UTF-8", "save it as UTF-8"))
        return source
    ours = _is_toml(path)
    (_read_ours if ours else _read_shared)(source, text)
    if ours or source.values:
        check_writers(found, path)
    return source


def examined(path: str) -> Source:
    """Return what a file of settings says, mistakes and all; `NotFoundError` when there is none."""
    if not _is_toml(path) and not _plain_name(path).endswith((".json", ".json5", ".yaml", ".yml")):
        raise UsageError(
            f"{safe(path)} is neither TOML, JSON nor YAML by its name",
            hint="openclaw config check settings.toml (or openclaw.json)",
        )
    found = read(path)
    if found is None:
        raise NotFoundError(f"there is no file {safe(path)}", hint="openclaw config path")
    return found


def check(path: str) -> list[Mistake]:
    """Return every mistake in a file of settings; raises `NotFoundError` when there is none."""
    return examined(path).mistakes


def plain_value(origin: str, keys: list[str]) -> SecretValue:
    """Return the text that stands in a source at these keys; raises `NotFoundError`."""
    path = origin.rpartition(":")[0]
    opened = _opened(path)
    found: Any = None
    if opened is not None:
        check_writers(opened[1], path)
        with suppress(ValueError, RecursionError, OpenclawError):
            found = _document(path, opened[0].decode())
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    with suppress(UnicodeEncodeError):  # JSON can write half of a surrogate pair
        if isinstance(found, str) and found:
            return SecretValue(found.encode())
    raise NotFoundError(
        f"{path} has no text at {dotted(tuple(keys))}", hint="openclaw config check"
    )


def setting(name: str) -> Setting:
    """Return a setting by its name, in any spelling; raises `ConfigError` for an unknown one."""
    known = ".".join(_canonical(part) for part in name.split("."))
    if known.startswith(BACKENDS):
        backend, _, key = known.removeprefix(BACKENDS).partition(".")
        raise ConfigError(
            f"a backend's settings are not set by a command: {safe(name)}",
            hint=f"{safe(key) or 'KEY'} = ... under [{BACKENDS}{safe(backend)}] in settings.toml",
        )
    if known not in BY_NAME:
        raise ConfigError(f"no setting is called {safe(name)}", hint=_meant(known))
    return BY_NAME[known]


def change(home: Home, name: str, written: str) -> tuple[str, bool]:
    """Set one setting in `settings.toml`; return the file, and whether its comments were kept.

    The file is replaced as a whole. Raises `ConfigError` for an unknown setting, a value it does
    not take, and a file that has other mistakes.
    """
    chosen = setting(name)
    value = chosen.read(written)
    check_root(home.root)
    try:
        os.makedirs(home.root, 0o700, exist_ok=True)
    except OSError as refused:
        raise failure("create", home.root, refused) from None
    path = os.path.realpath(f"{home.root}/{FILE}")
    with _alone(home.root):
        opened = _opened(path)
        text, mode = "", _PRIVATE
        if opened is not None:
            check_writers(opened[1], path)
            text, mode = _readable(path, opened[0]), stat.S_IMODE(opened[1].st_mode)
        after, kept = _changed(path, text, chosen, value)
        _replace(path, after.encode(), mode)
    return path, kept


def _is_toml(path: str) -> bool:
    return _plain_name(path).endswith(".toml")


def _plain_name(path: str) -> str:
    """Take off what a copy's name ends with."""
    return path.removesuffix(".new").removesuffix(".bak").removesuffix(".backup")


def _opened(path: str) -> tuple[bytes, os.stat_result] | None:
    """Return a file's bytes and what it is; a link is followed, since it holds no secrets."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as refused:
        raise failure("read", path, refused) from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise DeniedError(f"{path} is not a plain file", hint=f"ls -ld {path}")
        return read_all(fd, path, LIMIT), found
    finally:
        os.close(fd)


def _read_ours(source: Source, text: str) -> None:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as refused:
        source.mistakes.append(_syntax(source.path, text, refused, "TOML"))
        return
    plain = _TOML_COMMENT.sub(_blank, text)
    for path, value in _flat(document):
        if published.is_ours(path[0]):
            continue
        name = ".".join(map(_canonical, path))
        if not _take(source, plain, path, value):
            line = _line(plain, path)
            shown = safe(".".join(path))
            source.mistakes.append(
                Mistake(source.path, line, shown, f"no setting is called {shown}", _meant(name))
            )
    _read_published(source, plain, document)


def _read_shared(source: Source, text: str) -> None:
    try:
        document = _document(source.path, text)
    except (ValueError, RecursionError, OpenclawError) as refused:
        source.mistakes.append(_syntax(source.path, text, refused, _language(source.path, text)))
        return
    if not isinstance(document, dict):
        source.mistakes.append(
            Mistake(source.path, 1, "", "this is not an object", "begin with { and end with }")
        )
        return
    in_json = _language(source.path, text) == "JSON"
    plain = (_JSON_COMMENT if in_json else _YAML_COMMENT).sub(_blank, text)
    for path, value in _flat(document):
        _take(source, plain, path, value)
    wrapped = document.get(WRAPPER)
    for path, value in _flat(wrapped) if isinstance(wrapped, dict) else ():
        taken = published.is_ours(path[0]) or _take(source, plain, path, value, wrapper=(WRAPPER,))
        if not taken:
            _look_closer(source, plain, path)
    _read_published(source, plain, document)


def _read_published(source: Source, plain: str, document: dict[str, Any]) -> None:
    """Take over what `published.py` understands, each with its line."""
    meaning = published.read(document)
    for slip in meaning.slips:
        line, shown = _line(plain, slip.path), dotted(slip.path)
        source.mistakes.append(Mistake(source.path, line, shown, slip.what, slip.fix))
    for said in meaning.settings:
        _set(source, BY_NAME[said.name], said.value, _line(plain, said.path), dotted(said.path))
    for said in meaning.tables:
        name = f"{BACKENDS}{said.name}"
        source.values[name] = {**source.values.get(name, {}), **said.value}
        source.lines.setdefault(name, _line(plain, said.path))
    origin = {name: f"{source.path}:{_line(plain, path)}" for name, path in meaning.places.items()}
    tables = {
        "names": {name: {**each, "origin": origin[name]} for name, each in meaning.names.items()},
        "plaintext": {
            name: {"origin": origin[name], "keys": list(path)}
            for name, path in meaning.plaintext.items()
        },
        "encryption": meaning.encryption,
    }
    source.values.update({name: table for name, table in tables.items() if table})
    source.understood += [(_line(plain, path), text) for path, text in meaning.understood]


def _refuse_plaintext(environment: str, settings: Settings) -> None:
    for name, each in sorted(settings.plaintext.items()):
        path, _, line = each["origin"].rpartition(":")
        what = f"{dotted(tuple(each['keys']))} is plain text, refused in {environment}"
        fix = f"take it out of the file, then openclaw secrets create {safe(name)}"
        raise Mistake(path, int(line), "", what, fix).error(len(settings.plaintext) - 1)


def _look_closer(source: Source, plain: str, path: tuple[str, ...]) -> None:
    """Report a key that is not ours where it is surely meant to be ours."""
    from difflib import get_close_matches

    name = ".".join(map(_canonical, path))
    close = get_close_matches(name, DEFAULTS, n=1, cutoff=0.8)
    if close or name.partition(".")[0] in _SECTIONS:
        shown = safe(".".join(path))
        line = _line(plain, (WRAPPER, *path))
        source.mistakes.append(
            Mistake(source.path, line, shown, f"no setting is called {shown}", _meant(name))
        )


def _take(
    source: Source,
    plain: str,
    path: tuple[str, ...],
    value: Any,  # noqa: ANN401  whatever the file holds
    *,
    wrapper: tuple[str, ...] = (),
) -> bool:
    """Take a key's value over; tell whether there is such a setting."""
    name = ".".join(map(_canonical, path))
    if name.startswith(BACKENDS) and isinstance(value, dict):
        _take_backend(source, plain, (*wrapper, *path), name, value)
        return True
    known = BY_NAME.get(name)
    if known is None:
        return False
    _set(source, known, value, _line(plain, (*wrapper, *path)), safe(".".join(path)))
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

    line = _line(plain, path)
    backend = name[len(BACKENDS) :]
    try:
        checked_settings(table, KINDS.get(backend).SETTINGS, backend)
    except ConfigError as refused:
        shown = safe(".".join(path))
        source.mistakes.append(Mistake(source.path, line, shown, refused.message, refused.hint))
        return
    for key in table if not _is_toml(source.path) else ():
        slip = published.refused((*path, key), backend, key)
        if slip:
            line, shown = _line(plain, slip.path), dotted(slip.path)
            source.mistakes.append(Mistake(source.path, line, shown, slip.what, slip.fix))
            return
    source.values[name] = table
    source.lines[name] = line


def _flat(
    table: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and not above:
            yield from _flat(value, (key,))
        else:
            yield (*above, key), value


def _meant(name: str) -> str:
    """Return the hint for a name that no setting has."""
    from difflib import get_close_matches

    last = [each for each in DEFAULTS if each.endswith(f".{name}")]
    inside = [each for each in DEFAULTS if each.startswith(f"{name}.")]
    close = last or inside or get_close_matches(name, DEFAULTS, n=2)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "openclaw config show, for all settings"


def _language(path: str, text: str) -> str:
    """Tell JSON from YAML: articles give YAML and call it openclaw.json."""
    if _is_toml(path):
        return "TOML"
    if _plain_name(path).endswith((".yaml", ".yml")):
        return "YAML"
    first = _JSON_COMMENT.sub(_blank, text).lstrip()[:1]
    return "JSON" if first in "{[" else "YAML"


def _document(path: str, text: str) -> Any:  # noqa: ANN401  whatever the file holds
    language = _language(path, text)
    if language == "TOML":
        import tomllib

        return tomllib.loads(text)
    if language == "YAML":
        from openclaw_cli.formats import yaml

        return yaml.whole(text)
    import json

    try:
        return json.loads(text)
    except ValueError:
        import json5  # fifty times slower, and needed for comments and trailing commas alone

        return json5.loads(text)


def _syntax(path: str, text: str, refused: Exception, language: str) -> Mistake:
    """Say where the text cannot be read; the library's words may quote what stands there."""
    found = _LINE.search(str(refused))
    last = text.count("\n") + (not text.endswith("\n"))
    line = int(found[1] or found[2]) if found else last
    return Mistake(path, line, "", f"this is not {language}", "mend this line, or the one before")


def _line(plain: str, path: tuple[str, ...]) -> int:
    return plain.count("\n", 0, _place(plain, path)[0]) + 1


def _place(plain: str, path: tuple[str, ...]) -> tuple[int, int]:
    """Find where a key begins and ends, in a text without comments: good enough for a message."""
    begin = end = 0
    for part in path:
        found = re.compile(rf"(?<![\w-]){re.escape(part)}[\"']?(?=\s*[\].:=])").search(plain, end)
        if found:
            begin, end = found.span()
    return begin, end


def _blank(found: re.Match[str]) -> str:
    return found[1] or re.sub(r"[^\n]", " ", found[0])


def _readable(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", hint="save it as UTF-8") from None


def _changed(path: str, text: str, chosen: Setting, value: Any) -> tuple[str, bool]:  # noqa: ANN401
    """Return the file's new text: edited in place where that does it, else written anew."""
    import tomli_w

    before = Source(path)
    _read_ours(before, text)
    others = [each for each in before.mistakes if not _about(each, chosen)]
    if others:
        raise others[0].error(len(others) - 1)
    wanted = {**before.values, chosen.name: value}
    shown = value if isinstance(value, bool) or chosen.kind == "number" else chosen.shown(value)
    edited = _edited(text, chosen.name, tomli_w.dumps({"x": shown}).partition("=")[2].strip())
    after = Source(path)
    _read_ours(after, edited)
    if not after.mistakes and _without_tables(after.values) == _without_tables(wanted):
        return edited, True
    if before.understood:
        raise ConfigError(
            f"{path} cannot be changed without writing its secrets anew", hint="edit it by hand"
        )
    tree: dict[str, Any] = {}
    for name, each in wanted.items():
        section, _, key = name.rpartition(".")
        place = tree.setdefault(section, {}) if section else tree
        plain = isinstance(each, (bool, int, dict))
        place[key] = each if plain else BY_NAME[name].shown(each)
    return tomli_w.dumps(tree), _TOML_COMMENT.sub(_blank, text) == text


def _without_tables(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what holds the lines of its keys, which an edit moves."""
    return {name: value for name, value in values.items() if name not in TABLES}


def _about(mistake: Mistake, chosen: Setting) -> bool:
    return ".".join(_canonical(part) for part in mistake.key.split(".")) == chosen.name


def _edited(text: str, name: str, literal: str) -> str:
    import tomllib

    plain = _TOML_COMMENT.sub(_blank, text)
    try:
        document = tomllib.loads(text)
    except ValueError:
        return text
    for path, _ in _flat(document):
        if ".".join(map(_canonical, path)) == name:
            end = _place(plain, path)[1]
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


@contextmanager
def _alone(root: str) -> Iterator[None]:
    """Let one process at a time change the settings: the directory itself is the lock."""
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as refused:
        raise failure("open", root, refused) from None
    try:
        if not locked_within(LOCK_SECONDS, fd, root):
            raise TemporaryError(f"another process is changing {root}/{FILE}", hint="try again")
        yield
    finally:
        os.close(fd)


def _replace(path: str, data: bytes, mode: int) -> None:
    """Put a durable new file in the old one's place; the lock is held, so its name is free."""
    aside = f"{path}.new"
    try:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        _write(aside, path, data, mode, durable=True)
        sync_folder(os.path.dirname(path))
    except OSError as refused:
        raise failure("replace", path, refused) from None


def _compile(home: Home, before: list[list[Any]], settings: Settings) -> None:
    """Keep the settings for the fast road; where that cannot be, it reads the sources each time.

    There is no lock, so whoever finds another at it leaves it to that one.
    """
    path = f"{home.root}/{COMPILED}"
    aside = f"{path}.new"
    text = dumps(compiled_from(before, settings)).encode() + b"\n"
    try:
        with suppress(FileNotFoundError):
            if time.time() - os.lstat(aside).st_mtime > _STALE:
                os.unlink(aside)
        _write(aside, path, text, _PRIVATE, durable=False)
    except OSError:
        return


def _write(aside: str, path: str, data: bytes, mode: int, *, durable: bool) -> None:
    """Write `aside` anew and rename it; it is gone again when anything fails."""
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        try:
            write_all(fd, data)
            if mode != _PRIVATE:
                os.fchmod(fd, mode & 0o755)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
